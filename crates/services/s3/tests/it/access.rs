//! What operations need: the actions of the service authorization reference, not those of the operations' names.

use rolecall_service::Service as _;
use rolecall_wire::{Entries, Value};

use crate::block_on;
use crate::client::{Client, Refusal, bucket, map, object, stream, with};

#[test]
fn operations_need_what_the_reference_says() {
    block_on(async {
        let client = Client::new().await;
        client.put("plain", "one").await;
        let tagged = with(
            object("tagged"),
            [("Body", stream(b"one")), ("Tagging", "a=1".into())],
        );
        client.call("PutObject", tagged.clone()).await.unwrap();
        let copy = |source: &str| with(object("to"), [("CopySource", source.into())]);
        let cases: Vec<(&str, Entries, &[&str])> = vec![
            ("ListBuckets", map([]), &["s3:ListAllMyBuckets *"]),
            ("HeadBucket", bucket(), &["s3:ListBucket orders"]),
            ("ListObjects", bucket(), &["s3:ListBucket orders"]),
            ("ListObjectsV2", bucket(), &["s3:ListBucket orders"]),
            ("DeleteBucketTagging", bucket(), &["s3:PutBucketTagging orders"]),
            ("HeadObject", object("plain"), &["s3:GetObject orders/plain"]),
            (
                "GetObject",
                object("missing"),
                &["s3:GetObject orders/missing", "?s3:ListBucket orders"],
            ),
            (
                "GetObject",
                object("tagged"),
                &["s3:GetObject orders/tagged", "?s3:GetObjectTagging orders/tagged"],
            ),
            ("PutObject", object("to"), &["s3:PutObject orders/to"]),
            (
                "PutObject",
                tagged,
                &["s3:PutObject orders/tagged", "s3:PutObjectTagging orders/tagged"],
            ),
            (
                "CopyObject",
                copy("orders/plain"),
                &["s3:GetObject orders/plain", "s3:PutObject orders/to"],
            ),
            (
                "CopyObject",
                copy("orders/tagged"),
                &[
                    "s3:GetObject orders/tagged",
                    "s3:GetObjectTagging orders/tagged",
                    "s3:PutObject orders/to",
                    "s3:PutObjectTagging orders/to",
                ],
            ),
            (
                "UploadPart",
                with(
                    object("to"),
                    [("UploadId", "1".into()), ("PartNumber", Value::Integer(1))],
                ),
                &["s3:PutObject orders/to"],
            ),
            (
                "ListMultipartUploads",
                bucket(),
                &["s3:ListBucketMultipartUploads orders"],
            ),
        ];
        for (operation, input, expected) in cases {
            let needs = client.needs(operation, input).await;
            let shown: Vec<String> = needs
                .iter()
                .map(|decided| {
                    let resource = decided.resource.trim_start_matches("arn:aws:s3:::");
                    let mark = if decided.probe { "?" } else { "" };
                    format!("{mark}{} {resource}", decided.action)
                })
                .collect();
            assert_eq!(shown, expected, "{operation}");
        }
    });
}

#[test]
fn a_missing_key_is_told_only_to_those_who_may_list() {
    block_on(async {
        let client = Client::new().await;
        let reader = client.with_policy(
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#,
        );
        assert_eq!(reader.code("GetObject", object("missing")).await, "AccessDenied");
        assert_eq!(client.code("GetObject", object("missing")).await, "NoSuchKey");
        // Without permission a bucket that is not there looks like one that is.
        let stranger = map([("Bucket", "elsewhere".into())]);
        assert!(matches!(
            reader.call("HeadBucket", stranger).await,
            Err(Refusal::Denied(_))
        ));
    });
}

#[test]
fn conditions_see_the_request() {
    block_on(async {
        let client = Client::new().await;
        let statement = |action: &str, condition: &str| {
            format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"{action}","Resource":"*","Condition":{condition}}}}}"#
            )
        };
        for (action, condition, operation, yes, no) in [
            (
                "s3:ListBucket",
                r#"{"StringLike":{"s3:prefix":"in/*"}}"#,
                "ListObjectsV2",
                with(bucket(), [("Prefix", "in/1".into())]),
                bucket(),
            ),
            (
                "s3:PutObject",
                r#"{"StringEquals":{"s3:x-amz-server-side-encryption":"AES256"}}"#,
                "PutObject",
                with(object("k"), [("ServerSideEncryption", "AES256".into())]),
                object("k"),
            ),
            (
                "s3:PutObject*",
                r#"{"StringEquals":{"s3:RequestObjectTag/team":"intake"}}"#,
                "PutObject",
                with(object("k"), [("Tagging", "team=intake".into())]),
                with(object("k"), [("Tagging", "team=other".into())]),
            ),
        ] {
            let limited = client.with_policy(&statement(action, condition));
            limited.call(operation, yes).await.unwrap();
            assert!(
                matches!(limited.call(operation, no).await, Err(Refusal::Denied(_))),
                "{condition}"
            );
        }
    });
}

#[test]
fn every_operation_in_the_model_that_is_served_is_in_the_table() {
    block_on(async {
        let client = Client::new().await;
        let served: Vec<&str> = client
            .service()
            .model()
            .operations
            .iter()
            .filter(|operation| operation.served)
            .map(|operation| operation.name)
            .collect();
        for name in &served {
            assert!(
                rolecall_service_s3::OPERATIONS
                    .iter()
                    .any(|entry| entry.name == *name),
                "{name}"
            );
        }
        assert_eq!(served.len(), rolecall_service_s3::OPERATIONS.len());
    });
}
