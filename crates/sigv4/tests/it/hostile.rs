//! Input made to break the parser, or to slip something past the signature.

use proptest::prelude::*;
use rolecall_sigv4::{
    AuthError, Credentials, MAX_HEADER_BYTES, MAX_QUERY_BYTES, Payload, SecretKey, parse, sign,
};

use crate::support::{KEY, Request, at, secret};

const CREDENTIAL: &str = "AKID/20261124/eu-west-1/lambda/aws4_request";
const SIGNATURE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn parsed(authorization: &str) -> Result<bool, AuthError> {
    Request::new("GET", "/")
        .header("X-Amz-Date", "20261124T000000Z")
        .header("Authorization", authorization)
        .with_head(|head| parse(head).map(|claim| claim.is_some()))
}

#[test]
fn malformed_authorization_headers_are_named() {
    let full = format!("AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders=host, Signature={SIGNATURE}");
    assert_eq!(parsed(&full), Ok(true));
    assert_eq!(parsed(&full.replace(", ", ",")), Ok(true));
    let missing = |text: &str| match parsed(text) {
        Err(AuthError::MissingParameters { missing, .. }) => missing,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(missing(""), ["Credential", "Signature", "SignedHeaders"]);
    assert_eq!(
        missing("Bearer abc"),
        ["Credential", "Signature", "SignedHeaders"]
    );
    assert_eq!(
        missing("AWS4-HMAC-SHA256"),
        ["Credential", "Signature", "SignedHeaders"]
    );
    assert_eq!(
        missing(&format!("AWS4-HMAC-SHA256 Credential={CREDENTIAL}")),
        ["Signature", "SignedHeaders"]
    );
    assert!(matches!(
        parsed("AWS4-HMAC-SHA256 Credential"),
        Err(AuthError::NotKeyValue { .. })
    ));
    for algorithm in ["AWS4-ECDSA-P256-SHA256", "AWS4-HMAC-SHA1", "AWS"] {
        let text = full.replace("AWS4-HMAC-SHA256", algorithm);
        assert!(
            matches!(parsed(&text), Err(AuthError::UnsupportedAlgorithm { .. })),
            "{algorithm}"
        );
    }
    for credential in [
        "",
        "AKID",
        "AKID/20261124/eu-west-1/lambda",
        "AKID/20261124/eu-west-1/lambda/aws4_request/x",
        "AKID/20261124/eu-west-1/lambda/aws5_request",
        "AKID/2026112/eu-west-1/lambda/aws4_request",
        "/20261124/eu-west-1/lambda/aws4_request",
        "AKID/20261124//lambda/aws4_request",
        "AKID/20261124/eu west/lambda/aws4_request",
    ] {
        let text = full.replace(CREDENTIAL, credential);
        assert!(
            matches!(parsed(&text), Err(AuthError::MalformedCredential { .. })),
            "{credential}"
        );
    }
    assert!(matches!(
        parsed(&full.replace("20261124", "20261125")),
        Err(AuthError::ScopeDateMismatch { .. })
    ));
    for headers in ["", "Host", "host;host", "host;", "ho:st"] {
        let text = full.replace("SignedHeaders=host", &format!("SignedHeaders={headers}"));
        assert_eq!(parsed(&text), Err(AuthError::SignatureMismatch), "{headers}");
    }
    for signature in ["", "00", &SIGNATURE.to_uppercase(), &SIGNATURE.replace('0', "g")] {
        assert_eq!(
            parsed(&full.replace(SIGNATURE, signature)),
            Err(AuthError::SignatureMismatch),
            "{signature}"
        );
    }
    assert!(matches!(
        parsed(&format!("{full}, Signature={SIGNATURE}")),
        Err(AuthError::Refused(_))
    ));
}

#[test]
fn limits_and_ambiguities_are_refused() {
    let refused = |request: &Request| request.with_head(|head| parse(head).err());
    let base = Request::new("GET", "/");
    assert_eq!(refused(&base), None);
    let long = "x".repeat(MAX_HEADER_BYTES);
    assert!(matches!(
        refused(&base.clone().header("a", &long)),
        Some(AuthError::Refused(_))
    ));
    let mut many = base.clone();
    for _ in 0..300 {
        many = many.header("a", "b");
    }
    assert!(matches!(refused(&many), Some(AuthError::Refused(_))));
    let mut query = base.clone();
    query.query = "x".repeat(MAX_QUERY_BYTES + 1);
    assert!(matches!(refused(&query), Some(AuthError::Refused(_))));
    query.query = "&".repeat(5000);
    assert!(matches!(refused(&query), Some(AuthError::Refused(_))));
    query.query = "a b".into();
    assert!(matches!(refused(&query), Some(AuthError::Refused(_))));
    assert!(matches!(
        refused(&base.clone().header("a", "b\nx-amz-c:d")),
        Some(AuthError::Refused(_))
    ));
    let twice = base
        .clone()
        .header("Authorization", "a")
        .header("authorization", "b");
    assert!(matches!(refused(&twice), Some(AuthError::Refused(_))));
    let mut both = base.clone().header("Authorization", "AWS4-HMAC-SHA256 x");
    both.query = "X-Amz-Signature=1".into();
    assert_eq!(refused(&both), Some(AuthError::SeveralMechanisms));
    let mut both = base;
    both.query = "X-Amz-Algorithm=1&AWSAccessKeyId=2&Signature=3".into();
    assert_eq!(refused(&both), Some(AuthError::SeveralMechanisms));
}

fn signed(mut request: Request, service: &str) -> Request {
    let secret = secret();
    let credentials = Credentials {
        access_key_id: KEY,
        secret: &secret,
        session_token: None,
    };
    let added = request
        .with_head(|head| {
            sign(
                head,
                &credentials,
                "eu-west-1",
                service,
                at("2026-11-24T00:00:00Z"),
                &Payload::Body(b""),
            )
        })
        .unwrap();
    request
        .headers
        .extend(added.into_iter().map(|(name, value)| (name, value.into_bytes())));
    request
}

#[test]
fn unsigned_headers_that_matter_are_refused() {
    let now = at("2026-11-24T00:00:00Z");
    let names = |request: Request| match request.check(&secret(), now, 1) {
        Err(AuthError::HeadersNotSigned { names }) => names,
        other => panic!("{other:?}"),
    };
    let s3 = signed(Request::new("PUT", "/bucket/key"), "s3");
    assert_eq!(names(s3.header("X-Amz-Acl", "public-read")), ["x-amz-acl"]);
    let json = signed(Request::new("POST", "/"), "dynamodb");
    assert_eq!(
        names(json.header("X-Amz-Target", "DynamoDB_20120810.DeleteTable")),
        ["x-amz-target"]
    );
    let mut hostless = Request::new("GET", "/");
    hostless.headers.clear();
    assert_eq!(
        signed(hostless, "iam").check(&secret(), now, 1),
        Err(AuthError::HostNotSigned)
    );
    // A second value of a signed header changes it.
    let twice = signed(Request::new("GET", "/").header("my-header", "a"), "iam").header("my-header", "b");
    assert_eq!(twice.check(&secret(), now, 1), Err(AuthError::SignatureMismatch));
    // A signed header taken away.
    let mut without = signed(Request::new("GET", "/").header("my-header", "a"), "iam");
    without.headers.retain(|(name, _)| name != "my-header");
    assert_eq!(
        without.check(&secret(), now, 1),
        Err(AuthError::SignatureMismatch)
    );
}

#[test]
fn secrets_are_not_printed() {
    let secret = SecretKey::new("hunter2");
    assert!(!format!("{secret:?}").contains("hunter2"));
    let credentials = Credentials {
        access_key_id: KEY,
        secret: &secret,
        session_token: None,
    };
    assert!(!format!("{credentials:?}").contains("hunter2"));
    let mut request = Request::new("GET", "/");
    let token = Credentials {
        session_token: Some("my-token"),
        ..credentials
    };
    let added = request
        .with_head(|head| {
            sign(
                head,
                &token,
                "eu-west-1",
                "iam",
                at("2026-11-24T00:00:00Z"),
                &Payload::Body(b""),
            )
        })
        .unwrap();
    let signature = added.last().unwrap().1.rsplit_once('=').unwrap().1.to_owned();
    request
        .headers
        .extend(added.into_iter().map(|(name, value)| (name, value.into_bytes())));
    let claim = request.with_head(|head| parse(head).unwrap().unwrap());
    assert_eq!(claim.session_token.as_deref(), Some("my-token"));
    let printed = format!("{claim:?}");
    assert!(
        !printed.contains("my-token") && !printed.contains(&signature),
        "{printed}"
    );
}

proptest! {
    #[test]
    fn arbitrary_heads_never_panic_and_never_pass(
        authorization in prop::option::of("(AWS4-HMAC-SHA256 )?[ -~]{0,80}"),
        path in "[ -~]{0,30}",
        query in "(X-Amz-(Algorithm|Date|Expires|Credential|Signature|SignedHeaders)=[ -~]{0,10}&){0,6}[ -~]{0,20}",
        value in prop::collection::vec(any::<u8>(), 0..30),
    ) {
        let mut request = Request::new("GET", "/");
        request.path = path;
        request.query = query;
        request.headers.push(("x-amz-content-sha256".into(), value.clone()));
        request.headers.push(("x-amz-date".into(), value));
        if let Some(authorization) = &authorization {
            request = request.header("authorization", authorization);
        }
        let outcome = request.check(&secret(), at("2026-11-24T00:00:00Z"), 8);
        prop_assert!(!matches!(outcome, Ok(Some(_))));
    }
}
