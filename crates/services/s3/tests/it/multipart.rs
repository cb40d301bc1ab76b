//! Multipart uploads.

use rolecall_wire::{Entries, Value};

use crate::block_on;
use crate::client::{Client, bucket, map, object, stream, text, texts, with};

const PART: usize = 5 * 1024 * 1024;

fn part(upload: &str, number: i64) -> Entries {
    with(
        object("big"),
        [
            ("UploadId", upload.into()),
            ("PartNumber", Value::Integer(number)),
        ],
    )
}

fn complete(upload: &str, parts: &[(i64, &str)]) -> Entries {
    let listed = parts
        .iter()
        .map(|(number, etag)| {
            Value::Map(map([
                ("PartNumber", Value::Integer(*number)),
                ("ETag", (*etag).into()),
            ]))
        })
        .collect();
    let listed = Value::Map(map([("Parts", Value::List(listed))]));
    with(
        object("big"),
        [("UploadId", upload.into()), ("MultipartUpload", listed)],
    )
}

async fn upload_part(client: &Client, upload: &str, number: i64, bytes: &[u8]) -> String {
    let input = with(part(upload, number), [("Body", stream(bytes))]);
    text(&client.call("UploadPart", input).await.unwrap(), "ETag")
}

#[test]
fn parts_become_one_object() {
    block_on(async {
        let client = Client::new().await;
        let begin = with(
            object("big"),
            [
                ("ChecksumAlgorithm", "SHA256".into()),
                ("ContentType", "text/plain".into()),
            ],
        );
        let begun = client.call("CreateMultipartUpload", begin).await.unwrap();
        let upload = text(&begun, "UploadId");
        let listed = client.call("ListMultipartUploads", bucket()).await.unwrap();
        assert_eq!(texts(&listed, "Uploads", "Key"), ["big"]);
        upload_part(&client, &upload, 2, b"replaced").await;
        let first = upload_part(&client, &upload, 2, &vec![b'a'; PART]).await;
        let last = upload_part(&client, &upload, 7, b"end").await;
        let listed = client
            .call(
                "ListParts",
                with(object("big"), [("UploadId", upload.as_str().into())]),
            )
            .await
            .unwrap();
        assert_eq!(texts(&listed, "Parts", "ETag"), [first.clone(), last.clone()]);
        for (parts, code) in [
            (vec![(7, last.as_str()), (2, first.as_str())], "InvalidPartOrder"),
            (vec![(2, last.as_str())], "InvalidPart"),
            (vec![(3, first.as_str())], "InvalidPart"),
            (vec![], "MalformedXML"),
        ] {
            assert_eq!(
                client
                    .code("CompleteMultipartUpload", complete(&upload, &parts))
                    .await,
                code
            );
        }
        let done = complete(&upload, &[(2, &first), (7, &last)]);
        let output = client
            .call("CompleteMultipartUpload", done.clone())
            .await
            .unwrap();
        assert!(text(&output, "ETag").ends_with("-2\""));
        assert!(text(&output, "ChecksumSHA256").ends_with("-2"));
        assert_eq!(text(&output, "ChecksumType"), "COMPOSITE");
        let whole = client.get("big").await;
        assert!(whole.len() == PART + 3 && whole.ends_with("aend"));
        let second = with(object("big"), [("PartNumber", Value::Integer(2))]);
        let second = client.call("HeadObject", second).await.unwrap();
        assert_eq!(second.get("ContentLength"), Some(&Value::Integer(3)));
        assert_eq!(second.get("PartsCount"), Some(&Value::Integer(2)));
        assert_eq!(client.code("CompleteMultipartUpload", done).await, "NoSuchUpload");
        let names = Value::List(vec!["ObjectParts".into(), "ObjectSize".into()]);
        let attributes = client
            .call(
                "GetObjectAttributes",
                with(object("big"), [("ObjectAttributes", names)]),
            )
            .await
            .unwrap();
        assert_eq!(
            attributes
                .get("ObjectParts")
                .and_then(|parts| parts.get("TotalPartsCount")),
            Some(&Value::Integer(2))
        );
        // A copy is an object without parts.
        client
            .call(
                "CopyObject",
                with(object("copy"), [("CopySource", "orders/big".into())]),
            )
            .await
            .unwrap();
        let copy = client.call("HeadObject", object("copy")).await.unwrap();
        assert!(!text(&copy, "ETag").contains('-'));
        assert_eq!(client.get("copy").await, whole);
    });
}

#[test]
fn small_parts_are_refused_and_ended_uploads_are_gone() {
    block_on(async {
        let client = Client::new().await;
        let begun = client.call("CreateMultipartUpload", object("big")).await.unwrap();
        let upload = text(&begun, "UploadId");
        let one = upload_part(&client, &upload, 1, b"one").await;
        let two = upload_part(&client, &upload, 2, b"two").await;
        let both = complete(&upload, &[(1, &one), (2, &two)]);
        assert_eq!(
            client.code("CompleteMultipartUpload", both.clone()).await,
            "EntityTooSmall"
        );
        assert_eq!(
            client.code("UploadPart", part(&upload, 10_001)).await,
            "InvalidArgument"
        );
        assert_eq!(
            client.code("UploadPart", part("unknown", 1)).await,
            "NoSuchUpload"
        );
        client.put("source", "0123456789").await;
        let copy = with(
            part(&upload, 3),
            [
                ("CopySource", "orders/source".into()),
                ("CopySourceRange", "bytes=2-4".into()),
            ],
        );
        let copied = client.call("UploadPartCopy", copy).await.unwrap();
        let etag = text(copied.get("CopyPartResult").unwrap(), "ETag");
        client
            .call("CompleteMultipartUpload", complete(&upload, &[(3, &etag)]))
            .await
            .unwrap();
        assert_eq!(client.get("big").await, "234");

        let begun = client.call("CreateMultipartUpload", object("big")).await.unwrap();
        let upload = text(&begun, "UploadId");
        upload_part(&client, &upload, 1, b"one").await;
        let abort = with(object("big"), [("UploadId", upload.as_str().into())]);
        client.call("AbortMultipartUpload", abort.clone()).await.unwrap();
        assert_eq!(
            client.code("AbortMultipartUpload", abort.clone()).await,
            "NoSuchUpload"
        );
        assert_eq!(client.code("ListParts", abort).await, "NoSuchUpload");
        assert_eq!(client.get("big").await, "234");
    });
}
