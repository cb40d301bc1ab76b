//! What is signed is accepted, and any change of what was signed is not.

use proptest::prelude::*;
use rolecall_sigv4::{
    AuthError, Credentials, Options, Payload, parse, presign, presign_legacy, sign, verify,
};

use crate::support::{KEY, Request, at, secret};

fn signed(mut request: Request, service: &str) -> Request {
    let secret = secret();
    let credentials = Credentials {
        access_key_id: KEY,
        secret: &secret,
        session_token: Some("token"),
    };
    let body = request.body.clone();
    let added = request
        .with_head(|head| {
            sign(
                head,
                &credentials,
                "eu-west-1",
                service,
                at("2026-11-24T00:00:00Z"),
                &Payload::Body(&body),
            )
        })
        .unwrap();
    request
        .headers
        .extend(added.into_iter().map(|(name, value)| (name, value.into_bytes())));
    request
}

fn request() -> impl Strategy<Value = Request> {
    let text = "[!-~]{0,12}";
    let word = "[A-Za-z0-9%+=._~/*'()-]{0,12}";
    (
        prop::sample::select(vec!["GET", "PUT", "POST"]),
        prop::collection::vec("[A-Za-z0-9%+=._~*'():@-]{0,8}", 0..5),
        prop::collection::vec((word, word), 0..6),
        prop::collection::vec(("[a-z]{1,6}", text), 0..4),
        prop::collection::vec(any::<u8>(), 0..40),
    )
        .prop_map(|(method, path, query, headers, body)| {
            let query: Vec<String> = query
                .into_iter()
                .map(|(name, value)| format!("q{name}={value}"))
                .collect();
            let mut request = Request::new(method, &format!("/{}", path.join("/")));
            request.query = query.join("&");
            for (name, value) in headers {
                request = request.header(&format!("my-{name}"), &value);
            }
            request.body(&body)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn signed_requests_verify_and_changed_ones_do_not(
        request in request(),
        service in prop::sample::select(vec!["s3", "lambda"]),
        place in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let now = at("2026-11-24T00:00:10Z");
        let request = signed(request, service);
        let (_, body) = request.check(&secret(), now, 16).unwrap().unwrap();
        prop_assert_eq!(&body, &request.body);

        let mut changed = request.clone();
        let total = request.headers.iter().map(|(_, value)| value.len()).sum::<usize>() + request.body.len();
        let mut offset = place.index(total);
        // Names of parameters in the Authorization header may differ in white space only, which is not significant.
        let mut insignificant = false;
        let mut slots: Vec<(bool, &mut Vec<u8>)> =
            changed.headers.iter_mut().map(|(_, value)| (true, value)).collect();
        slots.push((false, &mut changed.body));
        for (header, slot) in slots {
            if offset < slot.len() {
                let before = slot[offset];
                slot[offset] ^= 1 << bit;
                let white = |byte: u8| byte == b' ' || byte == b'\t';
                insignificant = header && (white(before) || white(slot[offset]));
                break;
            }
            offset -= slot.len();
        }
        prop_assume!(!insignificant);
        prop_assert!(!matches!(changed.check(&secret(), now, 16), Ok(Some(_))), "{:?}", changed);
    }

    #[test]
    fn a_changed_path_or_query_is_refused(request in request(), extra in "[a-z]{1,5}") {
        let now = at("2026-11-24T00:00:10Z");
        for service in ["s3", "lambda"] {
            let request = signed(request.clone(), service);
            let mut path = request.clone();
            path.path.push_str(&extra);
            prop_assert_eq!(path.check(&secret(), now, 16), Err(AuthError::SignatureMismatch));
            let mut query = request.clone();
            query.query = format!("{extra}&{}", query.query);
            prop_assert_eq!(query.check(&secret(), now, 16), Err(AuthError::SignatureMismatch));
        }
    }

    #[test]
    fn presigned_requests_verify_and_changed_ones_do_not(request in request(), bit in 0_u8..8, place in any::<prop::sample::Index>()) {
        let secret = secret();
        let credentials = Credentials { access_key_id: KEY, secret: &secret, session_token: Some("a/b+c=") };
        let now = at("2026-11-24T00:00:10Z");
        let body = request.body.clone();
        let v4 = request.with_head(|head| {
            presign(head, &credentials, "eu-west-1", "lambda", now, 60, &Payload::Body(&body))
        }).unwrap();
        let v2 = request.with_head(|head| presign_legacy(head, &credentials, now.as_second() + 60, None)).unwrap();
        for query in [v4, v2] {
            let mut request = request.clone();
            request.query = query;
            prop_assert!(matches!(request.check(&secret, now, 16), Ok(Some(_))));
            let mut path = request.clone();
            let index = 1 + place.index(path.path.len());
            path.path.insert(index, char::from(b'a' + bit));
            prop_assert_eq!(path.check(&secret, now, 16), Err(AuthError::SignatureMismatch));
        }
    }
}

#[test]
fn times_and_scopes_are_checked() {
    let request = signed(Request::new("GET", "/"), "lambda");
    let outcome = |now: &str, options: Options<'_>| {
        use sha2::{Digest, Sha256};
        request.with_head(|head| {
            let claim = parse(head).unwrap().unwrap();
            let options = Options {
                body_sha256: Some(Sha256::digest(b"").into()),
                ..options
            };
            verify(head, &claim, &secret(), at(now), &options).err()
        })
    };
    let plain = Options::default();
    assert_eq!(outcome("2026-11-24T00:15:00Z", plain), None);
    assert_eq!(outcome("2026-11-23T23:45:00Z", plain), None);
    assert!(matches!(
        outcome("2026-11-24T00:15:01Z", plain),
        Some(AuthError::SignatureExpired { .. })
    ));
    assert!(matches!(
        outcome("2026-11-23T23:44:59Z", plain),
        Some(AuthError::SignatureNotYetCurrent { .. })
    ));
    let now = "2026-11-24T00:00:00Z";
    let right = Options {
        expected_region: Some("eu-west-1"),
        expected_service: Some("lambda"),
        ..plain
    };
    assert_eq!(outcome(now, right), None);
    assert!(matches!(
        outcome(
            now,
            Options {
                expected_region: Some("us-east-1"),
                ..plain
            }
        ),
        Some(AuthError::WrongRegion { .. })
    ));
    assert!(matches!(
        outcome(
            now,
            Options {
                expected_service: Some("iam"),
                ..plain
            }
        ),
        Some(AuthError::WrongService { .. })
    ));
}

#[test]
fn presigned_urls_live_as_long_as_they_say() {
    let secret = secret();
    let credentials = Credentials {
        access_key_id: KEY,
        secret: &secret,
        session_token: None,
    };
    let mut request = Request::new("GET", "/bucket/key");
    let payload = Payload::Declared(rolecall_sigv4::PayloadHash::Unsigned);
    request.query = request
        .with_head(|head| {
            presign(
                head,
                &credentials,
                "us-east-1",
                "s3",
                at("2026-11-24T00:00:00Z"),
                3600,
                &payload,
            )
        })
        .unwrap();
    assert!(request.check(&secret, at("2026-11-24T01:00:00Z"), 1).is_ok());
    assert!(matches!(
        request.check(&secret, at("2026-11-24T01:00:01Z"), 1),
        Err(AuthError::PresignedExpired { .. })
    ));
    assert!(matches!(
        request.check(&secret, at("2026-11-23T23:00:00Z"), 1),
        Err(AuthError::PresignedNotYetValid { .. })
    ));
    let expires = at("2026-11-24T01:00:00Z");
    request.query = String::new();
    request.query = request
        .with_head(|head| presign_legacy(head, &credentials, expires.as_second(), None))
        .unwrap();
    assert!(request.check(&secret, at("2026-11-24T00:59:59Z"), 1).is_ok());
    assert!(matches!(
        request.check(&secret, expires, 1),
        Err(AuthError::PresignedExpired { .. })
    ));
}
