//! Known answers: whatever botocore signs is accepted. The fixture is written by `tests/fixtures/generate.py`.

use rolecall_sigv4::{AuthError, Form, SecretKey, parse};
use serde_json::Value;

use crate::support::{Request, at};

fn fixture() -> Value {
    serde_json::from_str(include_str!("../fixtures/botocore.json")).unwrap()
}

fn requests(fixture: &Value) -> Vec<(String, Request, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    fixture["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| {
            let headers = case["headers"].as_array().unwrap();
            let request = Request {
                method: text(&case["method"]),
                path: text(&case["path"]),
                query: text(&case["query"]),
                headers: headers
                    .iter()
                    .map(|pair| (text(&pair[0]), text(&pair[1]).into_bytes()))
                    .collect(),
                body: text(&case["body_sent"]).into_bytes(),
            };
            (text(&case["name"]), request, text(&case["body"]))
        })
        .collect()
}

#[test]
fn everything_botocore_signs_is_accepted() {
    let fixture = fixture();
    let secret = SecretKey::new(fixture["secret"].as_str().unwrap());
    let now = at(fixture["now"].as_str().unwrap());
    let requests = requests(&fixture);
    assert_eq!(requests.len(), 36);
    for (name, request, body) in requests {
        let claim = request.with_head(|head| parse(head).unwrap().unwrap());
        assert_eq!(claim.access_key_id, "AKIDEXAMPLE", "{name}");
        assert_eq!(claim.session_token.is_some(), name.contains("token"), "{name}");
        if let Some(token) = &claim.session_token {
            assert_eq!(token, fixture["token"].as_str().unwrap(), "{name}");
        }
        let form = match () {
            () if name.contains("version 2") => Form::LegacyPresigned,
            () if name.contains("presigned") => Form::Presigned,
            () => Form::Header,
        };
        assert_eq!(claim.form, form, "{name}");
        match request.check(&secret, now, 3) {
            Ok(Some((payload, decoded))) => {
                assert_eq!(String::from_utf8(decoded).unwrap(), body, "{name}");
                assert_eq!(payload.length, body.len() as u64, "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn nothing_is_accepted_with_another_secret_or_method() {
    let fixture = fixture();
    let secret = SecretKey::new(fixture["secret"].as_str().unwrap());
    let other = SecretKey::new("another");
    let now = at(fixture["now"].as_str().unwrap());
    for (name, mut request, _) in requests(&fixture) {
        assert_eq!(
            request.check(&other, now, 64),
            Err(AuthError::SignatureMismatch),
            "{name}"
        );
        request.method = "DELETE".into();
        assert_eq!(
            request.check(&secret, now, 64),
            Err(AuthError::SignatureMismatch),
            "{name}"
        );
    }
}

#[test]
fn a_changed_body_is_refused_where_the_body_is_signed() {
    let fixture = fixture();
    let secret = SecretKey::new(fixture["secret"].as_str().unwrap());
    let now = at(fixture["now"].as_str().unwrap());
    let mut refused = 0;
    for (name, mut request, _) in requests(&fixture) {
        if name.starts_with("s3 presigned") {
            continue;
        }
        request.body.push(b'!');
        let error = request.check(&secret, now, 64).unwrap_err();
        let expected = match () {
            () if name.contains("streaming") => AuthError::MalformedChunk("bytes follow the end of the body"),
            () if name.starts_with("s3") => AuthError::PayloadMismatch,
            () => AuthError::SignatureMismatch,
        };
        assert_eq!(error, expected, "{name}");
        refused += 1;
    }
    assert!(refused > 20);
}

#[test]
fn changed_presigned_parameters_are_refused() {
    let fixture = fixture();
    let secret = SecretKey::new(fixture["secret"].as_str().unwrap());
    let now = at(fixture["now"].as_str().unwrap());
    for (name, mut request, _) in requests(&fixture) {
        for (from, to) in [
            ("X-Amz-Expires=600", "X-Amz-Expires=601"),
            ("Expires=1440938760", "Expires=1440938761"),
        ] {
            if request.query.contains(from) {
                request.query = request.query.replace(from, to);
                assert_eq!(
                    request.check(&secret, now, 64),
                    Err(AuthError::SignatureMismatch),
                    "{name}"
                );
            }
        }
    }
}
