//! Streamed bodies: AWS's two published examples, and every way to break one.

use jiff::Timestamp;
use proptest::prelude::*;
use rolecall_sigv4::{AuthError, ChunkSigner, Credentials, Payload, PayloadHash, SecretKey, sign};

use crate::support::{KEY, Request, SECRET, at, secret};

const AWS_NOW: &str = "2013-05-24T00:00:00Z";

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>, "Example: PUT object in multiple chunks".
fn aws_example() -> Request {
    let mut body = Vec::new();
    for (size, signature) in [
        (
            65536,
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        ),
        (
            1024,
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        ),
        (
            0,
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
        ),
    ] {
        body.extend_from_slice(format!("{size:x};chunk-signature={signature}\r\n").as_bytes());
        body.extend(std::iter::repeat_n(b'a', size));
        body.extend_from_slice(b"\r\n");
    }
    let mut request = Request {
        method: "PUT".into(),
        path: "/examplebucket/chunkObject.txt".into(),
        ..Request::default()
    }
    .header("Host", "s3.amazonaws.com")
    .header("x-amz-date", "20130524T000000Z")
    .header("x-amz-storage-class", "REDUCED_REDUNDANCY")
    .header(
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
         SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;\
         x-amz-decoded-content-length;x-amz-storage-class,\
         Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    )
    .header("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
    .header("Content-Encoding", "aws-chunked")
    .header("x-amz-decoded-content-length", "66560")
    .header("Content-Length", "66824");
    request.body = body;
    request
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>, the same with a trailing checksum.
fn aws_trailer_example() -> Request {
    let mut body = Vec::new();
    for (size, signature) in [
        (
            65536,
            "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        ),
        (
            1024,
            "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        ),
        (
            0,
            "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
        ),
    ] {
        body.extend_from_slice(format!("{size:x};chunk-signature={signature}\r\n").as_bytes());
        if size > 0 {
            body.extend(std::iter::repeat_n(b'a', size));
            body.extend_from_slice(b"\r\n");
        }
    }
    body.extend_from_slice(
        b"x-amz-checksum-crc32c:sOO8/Q==\r\n\
          x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
    );
    let mut request = Request {
        method: "PUT".into(),
        path: "/examplebucket/chunkObject.txt".into(),
        ..Request::default()
    }
    .header("Host", "s3.amazonaws.com")
    .header("x-amz-date", "20130524T000000Z")
    .header("x-amz-storage-class", "REDUCED_REDUNDANCY")
    .header(
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
         SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;\
         x-amz-storage-class;x-amz-trailer,\
         Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
    )
    .header(
        "x-amz-content-sha256",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    )
    .header("Content-Encoding", "aws-chunked")
    .header("x-amz-decoded-content-length", "66560")
    .header("x-amz-trailer", "x-amz-checksum-crc32c")
    .header("Content-Length", "66824");
    request.body = body;
    request
}

fn aws_secret() -> SecretKey {
    SecretKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}

#[test]
fn published_examples_are_accepted() {
    for request in [aws_example(), aws_trailer_example()] {
        for piece in [1, 7, 8192, 1 << 20] {
            let (payload, decoded) = request.check(&aws_secret(), at(AWS_NOW), piece).unwrap().unwrap();
            assert_eq!(payload.length, 66560);
            assert!(decoded.len() == 66560 && decoded.iter().all(|byte| *byte == b'a'));
        }
    }
}

fn now() -> Timestamp {
    at("2026-11-24T00:00:00Z")
}

/// A signed streaming upload of `chunks`, with a CRC32 trailer if `trailer` is given.
fn streamed(chunks: &[&[u8]], trailer: Option<&str>) -> Request {
    let secret = secret();
    let length: usize = chunks.iter().map(|chunk| chunk.len()).sum();
    let mut request = Request::new("PUT", "/bucket/key")
        .header("x-amz-decoded-content-length", &length.to_string())
        .header("content-encoding", "aws-chunked");
    if trailer.is_some() {
        request = request.header("x-amz-trailer", "x-amz-checksum-crc32");
    }
    let declared = if trailer.is_some() {
        PayloadHash::StreamingSignedTrailer
    } else {
        PayloadHash::StreamingSigned
    };
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
                "us-east-1",
                "s3",
                now(),
                &Payload::Declared(declared),
            )
        })
        .unwrap();
    let mut signer = ChunkSigner::new(&secret, "us-east-1", "s3", now(), &added.last().unwrap().1).unwrap();
    for chunk in chunks {
        request.body.extend(signer.chunk(chunk));
    }
    request.body.extend(signer.chunk(b""));
    let trailers: Vec<(&str, &str)> = trailer
        .map(|value| ("x-amz-checksum-crc32", value))
        .into_iter()
        .collect();
    request.body.extend(signer.trailer(&trailers));
    request
        .headers
        .extend(added.into_iter().map(|(name, value)| (name, value.into_bytes())));
    request
}

/// An unsigned streaming upload: the head is signed, the framing given.
fn unsigned(body: &str, decoded_length: &str, trailer: &str) -> Request {
    let secret = secret();
    let mut request =
        Request::new("PUT", "/bucket/key").header("x-amz-decoded-content-length", decoded_length);
    if !trailer.is_empty() {
        request = request.header("x-amz-trailer", trailer);
    }
    let credentials = Credentials {
        access_key_id: KEY,
        secret: &secret,
        session_token: None,
    };
    let payload = Payload::Declared(PayloadHash::StreamingUnsignedTrailer);
    let added = request
        .with_head(|head| sign(head, &credentials, "us-east-1", "s3", now(), &payload))
        .unwrap();
    request
        .headers
        .extend(added.into_iter().map(|(name, value)| (name, value.into_bytes())));
    request.body(body.as_bytes())
}

#[test]
fn trailers_and_lengths_are_checked() {
    let check = |request: &Request| request.check(&SecretKey::new(SECRET), now(), 5);
    let big = vec![b'x'; 8192];
    assert!(check(&streamed(&[b"hello"], Some("NhCmhg=="))).is_ok());
    assert!(check(&streamed(&[&big, b"hello"], None)).is_ok());
    assert!(check(&streamed(&[], None)).is_ok());
    assert_eq!(
        check(&streamed(&[b"hello"], Some("AAAAAA=="))),
        Err(AuthError::ChecksumMismatch { algorithm: "CRC32" })
    );
    assert_eq!(
        check(&streamed(&[b"hello", b"you"], None)),
        Err(AuthError::ChunkTooSmall)
    );

    let crc = "x-amz-checksum-crc32";
    let malformed = AuthError::MalformedTrailer;
    let framing = AuthError::MalformedChunk;
    for (body, length, trailer, want) in [
        (
            "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
            "5",
            crc,
            None,
        ),
        ("0\r\n\r\n", "0", "", None),
        ("0\r\n", "0", "", None),
        ("5\r\nhello\r\n0\r\n\r\n", "5", crc, Some(malformed.clone())),
        (
            "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
            "5",
            "",
            Some(malformed.clone()),
        ),
        (
            "5\r\nhello\r\n0\r\nx-amz-checksum-sha1:NhCmhg==\r\n\r\n",
            "5",
            crc,
            Some(malformed.clone()),
        ),
        (
            "5\r\nhello\r\n0\r\nnonsense\r\n\r\n",
            "5",
            crc,
            Some(malformed.clone()),
        ),
        ("5\r\nhello\r\n0\r\n\r\n", "5", "x-amz-meta-a", Some(malformed)),
        (
            "5\r\nhello\r\n0\r\n\r\n",
            "6",
            "",
            Some(AuthError::IncompleteBody),
        ),
        (
            "5\r\nhello\r\n0\r\n\r\n",
            "4",
            "",
            Some(AuthError::IncompleteBody),
        ),
        ("5\r\nhello\r\n", "5", "", Some(AuthError::IncompleteBody)),
        ("5\r\nhel", "5", "", Some(AuthError::IncompleteBody)),
        ("", "0", "", Some(AuthError::IncompleteBody)),
        (
            "5\r\nhello\r\n0\r\n\r\n",
            "five",
            "",
            Some(AuthError::MissingDecodedLength),
        ),
        (
            "5\r\nhello\r\n0\r\n\r\n",
            "+5",
            "",
            Some(AuthError::MissingDecodedLength),
        ),
        (
            "+5\r\nhello\r\n",
            "5",
            "",
            Some(framing("a chunk's size is not a hexadecimal number")),
        ),
        (
            "\r\n",
            "5",
            "",
            Some(framing("a chunk's size is not a hexadecimal number")),
        ),
        (
            "ffffffffffffffffff\r\n",
            "5",
            "",
            Some(framing("a chunk's size is not a hexadecimal number")),
        ),
        ("ffffffffffffffff\r\n", "5", "", Some(AuthError::IncompleteBody)),
        (
            "5\r\nhelloXX",
            "5",
            "",
            Some(framing("a chunk's data is not followed by CRLF")),
        ),
        (
            "0\r\n\r\nmore",
            "0",
            "",
            Some(framing("bytes follow the end of the body")),
        ),
    ] {
        let got = check(&unsigned(body, length, trailer)).err();
        assert_eq!(got, want, "{body:?} {length} {trailer}");
    }
    let long = format!("5;{}\r\n", "x".repeat(5000));
    assert_eq!(
        check(&unsigned(&long, "5", "")).err(),
        Some(framing("a line is too long"))
    );
}

#[test]
fn every_changed_byte_of_a_signed_stream_is_refused() {
    let request = streamed(&[b"hello"], Some("NhCmhg=="));
    assert!(request.check(&secret(), now(), 5).is_ok());
    for index in 0..request.body.len() {
        let mut changed = request.clone();
        changed.body[index] ^= 0x02;
        assert!(changed.check(&secret(), now(), 5).is_err(), "byte {index}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_framed_comes_back(last in prop::collection::vec(any::<u8>(), 1..3000), big in 0_usize..3, piece in 1_usize..9000) {
        let full = vec![7_u8; 8192];
        let mut chunks: Vec<&[u8]> = vec![&full; big];
        chunks.push(&last);
        let (_, decoded) = streamed(&chunks, None).check(&secret(), now(), piece).unwrap().unwrap();
        prop_assert_eq!(decoded, chunks.concat());
    }

    #[test]
    fn arbitrary_bodies_never_panic(body in prop::collection::vec(any::<u8>(), 0..300), piece in 1_usize..50) {
        let mut request = unsigned("", "100", "");
        request.body = body;
        let _ = request.check(&secret(), now(), piece);
    }
}
