//! Bodies: in chunks, too large, cut off, and answers without one.

use std::fmt::Write as _;

use jiff::Timestamp;
use rolecall_sigv4::{ChunkSigner, Credentials, Payload, PayloadHash, RequestHead, SecretKey, sign};
use rolecall_testkit::{RawRequest, RawResponse, Signing, send_bytes};

use crate::block_on;
use crate::endpoint::{Endpoint, REGION, code};

const KIBIBYTE: usize = 1024;

/// Uploads `chunks` in `aws-chunked` framing; `spoil` changes the framed body.
async fn upload(endpoint: &Endpoint, chunks: &[Vec<u8>], spoil: impl FnOnce(&mut Vec<u8>)) -> RawResponse {
    let secret = SecretKey::new(endpoint.root.secret_access_key.clone());
    let now = Timestamp::now();
    let length: usize = chunks.iter().map(Vec::len).sum();
    let host = endpoint.address.to_string();
    let length = length.to_string();
    let fixed: [(&str, &[u8]); 3] = [
        ("host", host.as_bytes()),
        ("content-encoding", b"aws-chunked"),
        ("x-amz-decoded-content-length", length.as_bytes()),
    ];
    let head = RequestHead {
        method: "PUT",
        path: "/chunked/key",
        query: "",
        headers: &fixed,
    };
    let credentials = Credentials {
        access_key_id: &endpoint.root.access_key_id,
        secret: &secret,
        session_token: None,
    };
    let payload = Payload::Declared(PayloadHash::StreamingSigned);
    let added = sign(&head, &credentials, REGION, "s3", now, &payload).unwrap();
    let (_, authorization) = added
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("authorization"))
        .unwrap();
    let mut signer = ChunkSigner::new(&secret, REGION, "s3", now, authorization).unwrap();
    let mut body = Vec::new();
    for chunk in chunks.iter().map(Vec::as_slice).chain([&[][..]]) {
        body.extend(signer.chunk(chunk));
    }
    body.extend(signer.trailer(&[]));
    spoil(&mut body);
    let mut request = RawRequest::new("PUT", "/chunked/key");
    for (name, value) in fixed {
        request = request.header(name, value);
    }
    for (name, value) in added {
        request = request.header(name, value);
    }
    request.body(body).send(endpoint.address).await.unwrap()
}

#[test]
fn signed_chunks() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let root = &endpoint.root;
        endpoint.bucket("chunked").await;
        let chunks = [
            vec![b'a'; 64 * KIBIBYTE],
            vec![b'b'; 64 * KIBIBYTE],
            b"end".to_vec(),
        ];
        let answer = upload(&endpoint, &chunks, |_| {}).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let whole = endpoint.s3(root, "GET", "/chunked/key", "").await;
        assert_eq!(whole.body, chunks.concat());

        // The second chunk's content, then its signature.
        let wrong = upload(&endpoint, &chunks, |body| {
            let place = body.iter().position(|byte| *byte == b'b').unwrap();
            let place = body[place + 200..].iter().position(|byte| *byte == b'b').unwrap() + place + 200;
            body[place] = b'x';
        })
        .await;
        assert_eq!(
            (code(&wrong).as_str(), wrong.status),
            ("SignatureDoesNotMatch", 403),
            "{}",
            wrong.text()
        );
        let cut = upload(&endpoint, &chunks, |body| body.truncate(70 * KIBIBYTE)).await;
        assert!((400..=403).contains(&cut.status), "{}", cut.text());
        let still = endpoint.s3(root, "GET", "/chunked/key", "").await;
        assert_eq!(still.body, chunks.concat());
    });
}

/// Larger than what stays in memory: spooled, and the spool is empty afterwards.
#[test]
fn large_objects() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let root = &endpoint.root;
        endpoint.bucket("large").await;
        let content = "0123456789abcdef".repeat(3 * 64 * KIBIBYTE);
        assert_eq!(endpoint.s3(root, "PUT", "/large/key", &content).await.status, 200);
        assert_eq!(
            endpoint.s3(root, "GET", "/large/key", "").await.body,
            content.as_bytes()
        );
        let head = endpoint.s3(root, "HEAD", "/large/key", "").await;
        assert_eq!(head.status, 200);
        assert!(head.body.is_empty());
        assert_eq!(
            head.header("content-length"),
            Some(content.len().to_string().as_str())
        );
        let missing = endpoint.s3(root, "HEAD", "/large/missing", "").await;
        assert_eq!((missing.status, missing.body.len()), (404, 0));
    });
}

#[test]
fn bodies_over_the_limit() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let root = &endpoint.root;
        let filling = "x".repeat(1100 * KIBIBYTE);
        let iam = endpoint
            .iam(root, "CreateUser", &format!("UserName={filling}"))
            .await;
        assert_eq!(iam.status, 413, "{}", iam.text());
        // Within the gateway's limit, above the service's.
        let within = "x".repeat(900 * KIBIBYTE);
        let refused = endpoint
            .iam(root, "CreateUser", &format!("UserName={within}"))
            .await;
        assert_eq!(code(&refused), "ValidationError");
        let logs = endpoint
            .logs(
                root,
                "PutLogEvents",
                &format!(r#"{{"x":"{}"}}"#, "x".repeat(5 * 1024 * KIBIBYTE)),
            )
            .await;
        assert_eq!(logs.status, 413, "{}", logs.text());
        assert_eq!(
            endpoint.iam(root, "ListUsers", "").await.status,
            200,
            "the endpoint goes on"
        );
    });
}

/// Announces more than it sends.
#[test]
fn a_body_that_ends_early() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let root = &endpoint.root;
        endpoint.bucket("early").await;
        let before = endpoint.trail().len();
        let secret = SecretKey::new(root.secret_access_key.clone());
        let host = endpoint.address.to_string();
        let headers: [(&str, &[u8]); 1] = [("host", host.as_bytes())];
        let head = RequestHead {
            method: "PUT",
            path: "/early/key",
            query: "",
            headers: &headers,
        };
        let credentials = Credentials {
            access_key_id: &root.access_key_id,
            secret: &secret,
            session_token: None,
        };
        let payload = Payload::Declared(PayloadHash::Unsigned);
        let added = sign(&head, &credentials, REGION, "s3", Timestamp::now(), &payload).unwrap();
        let mut request = format!("PUT /early/key HTTP/1.1\r\nhost: {host}\r\ncontent-length: 100\r\n");
        for (name, value) in added {
            write!(request, "{name}: {value}\r\n").unwrap();
        }
        request.push_str("\r\nonly the beginning");
        let answer = send_bytes(endpoint.address, request.as_bytes(), 4096)
            .await
            .unwrap();
        assert!(
            !String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 2"),
            "taken for whole"
        );
        assert_eq!(endpoint.trail().len(), before);
        assert_eq!(endpoint.s3(root, "GET", "/early/key", "").await.status, 404);
    });
}

/// A refused client that is still sending sees why.
#[test]
fn the_answer_comes_before_the_end_of_the_body() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        for _ in 0..10 {
            let answer = RawRequest::query_call("2010-05-08", "CreateUser", &"x".repeat(600 * KIBIBYTE))
                .sign(Signing::Header, &endpoint.root, REGION, "iam")
                .spoil(rolecall_testkit::Spoil::AccessKey)
                .send(endpoint.address)
                .await
                .unwrap();
            assert_eq!(code(&answer), "InvalidClientTokenId");
        }
    });
}
