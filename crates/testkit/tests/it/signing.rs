//! Right signatures are right, and every spoiled one is wrong in its own way.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rolecall_sigv4::{AuthError, Family, Options, PayloadVerifier, RequestHead, SecretKey, parse, verify};
use rolecall_testkit::{RawRequest, Signing, Spoil, TestCredentials, send_bytes};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

const SECRET: &str = "a-secret-of-a-test";

async fn answer(request: hyper::Request<Incoming>) -> Result<hyper::Response<Full<Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let headers: Vec<(&str, &[u8])> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let head = RequestHead {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or(""),
        headers: &headers,
    };
    let outcome = check(&head, &body);
    let (status, text) = match outcome {
        Ok(()) => (200, "ok".to_owned()),
        Err(error) => {
            let response = error.code_and_message(Family::Query);
            (response.status, response.code.to_owned())
        }
    };
    Ok(hyper::Response::builder()
        .status(status)
        .header("x-test", "yes")
        .body(Full::new(text.into()))
        .unwrap())
}

fn check(head: &RequestHead<'_>, body: &[u8]) -> Result<(), AuthError> {
    let claim = parse(head)?.ok_or(AuthError::MissingAuthenticationToken)?;
    if claim.access_key_id != "AKIATEST" {
        return Err(AuthError::UnknownAccessKey);
    }
    if claim
        .session_token
        .as_deref()
        .is_some_and(|token| token != "token")
    {
        return Err(AuthError::InvalidToken);
    }
    let options = Options {
        expected_region: Some("eu-west-1"),
        expected_service: Some("iam"),
        body_sha256: Some(Sha256::digest(body).into()),
        ..Options::default()
    };
    let verified = verify(head, &claim, &SecretKey::new(SECRET), Timestamp::now(), &options)?;
    let mut payload = PayloadVerifier::new(head, &claim, &verified)?;
    payload.push(body, |_| {})?;
    payload.finish().map(|_| ())
}

async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service_fn(answer)),
            );
        }
    });
    address
}

#[tokio::test]
async fn signatures_are_right_or_wrong_as_asked() {
    let address = serve().await;
    let long_term = TestCredentials::new("AKIATEST", SECRET);
    let temporary = long_term.clone().with_session_token("token");
    let call = RawRequest::query_call("2010-05-08", "ListUsers", "PathPrefix=%2Fa%2F");
    assert_eq!(
        call.send(address).await.unwrap().text(),
        "MissingAuthenticationToken"
    );
    for signing in [Signing::Header, Signing::Presigned] {
        for credentials in [&long_term, &temporary] {
            let signed = call.clone().sign(signing, credentials, "eu-west-1", "iam");
            let response = signed.send(address).await.unwrap();
            assert_eq!(
                (response.status, response.text().as_str()),
                (200, "ok"),
                "{signing:?}"
            );
            assert_eq!(response.header("x-test"), Some("yes"));
            for (spoil, status, code) in [
                (Spoil::Secret, 403, "SignatureDoesNotMatch"),
                (Spoil::AccessKey, 403, "InvalidClientTokenId"),
                (Spoil::Region, 403, "SignatureDoesNotMatch"),
                (Spoil::Service, 403, "SignatureDoesNotMatch"),
                (Spoil::Time(-3600), 403, "SignatureDoesNotMatch"),
                (Spoil::Time(3600), 403, "SignatureDoesNotMatch"),
                (Spoil::Signature, 403, "SignatureDoesNotMatch"),
                (Spoil::Body, 403, "SignatureDoesNotMatch"),
                (
                    Spoil::UnsignedHeader("x-amz-target".into(), "a.B".into()),
                    403,
                    "SignatureDoesNotMatch",
                ),
            ] {
                let response = signed.clone().spoil(spoil.clone()).send(address).await.unwrap();
                assert_eq!(
                    (response.status, response.text().as_str()),
                    (status, code),
                    "{signing:?} {spoil:?}"
                );
            }
        }
        let signed = call
            .clone()
            .sign(signing, &temporary, "eu-west-1", "iam")
            .spoil(Spoil::SessionToken);
        assert_eq!(signed.send(address).await.unwrap().text(), "InvalidClientTokenId");
    }
}

#[tokio::test]
async fn bytes_that_are_no_http_are_sent_as_they_are() {
    let address = serve().await;
    let answer = send_bytes(address, b"nonsense\r\n\r\n", 4096).await.unwrap();
    assert!(
        answer.starts_with(b"HTTP/1.1 400"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}
