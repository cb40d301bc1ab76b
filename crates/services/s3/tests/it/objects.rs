//! Buckets and objects: what goes in comes out, and bad requests get S3's codes.

use rolecall_wire::Value;

use crate::block_on;
use crate::client::{Client, Refusal, body, bucket, map, object, stream, text, texts, with};

#[test]
fn an_object_comes_back_as_it_was_put() {
    block_on(async {
        let client = Client::new().await;
        let metadata = Value::Map(map([("customer", "ann".into())]));
        let input = with(
            object("in/1.json"),
            [
                ("Body", stream(b"{\"id\": 1}")),
                ("ContentType", "application/json".into()),
                ("CacheControl", "no-store".into()),
                ("Metadata", metadata.clone()),
                ("ChecksumCRC32", "hNi1fg==".into()),
            ],
        );
        assert_eq!(client.code("PutObject", input.clone()).await, "BadDigest");
        let input: Vec<_> = input
            .into_iter()
            .filter(|(name, _)| name != "ChecksumCRC32")
            .chain(map([("ChecksumAlgorithm", "CRC32".into())]))
            .collect();
        let put = client.call("PutObject", input).await.unwrap();
        let etag = text(&put, "ETag");
        let checksum = text(&put, "ChecksumCRC32");
        let input = with(object("in/1.json"), [("ChecksumMode", "ENABLED".into())]);
        for operation in ["GetObject", "HeadObject"] {
            let got = client.call(operation, input.clone()).await.unwrap();
            assert_eq!(text(&got, "ETag"), etag);
            assert_eq!(text(&got, "ContentType"), "application/json");
            assert_eq!(text(&got, "CacheControl"), "no-store");
            assert_eq!(text(&got, "ChecksumCRC32"), checksum);
            assert_eq!(text(&got, "ServerSideEncryption"), "AES256");
            assert_eq!(got.get("Metadata"), Some(&metadata));
            assert_eq!(got.get("ContentLength"), Some(&Value::Integer(9)));
        }
        assert_eq!(client.get("in/1.json").await, "{\"id\": 1}");
        let ranged = with(object("in/1.json"), [("Range", "bytes=1-4".into())]);
        let part = client.call("GetObject", ranged).await.unwrap();
        assert_eq!(
            (body(&part).as_str(), text(&part, "ContentRange").as_str()),
            ("\"id\"", "bytes 1-4/9")
        );
    });
}

#[test]
fn the_etag_is_the_md5() {
    block_on(async {
        let client = Client::new().await;
        let input = with(object("k"), [("Body", stream(b"123456789"))]);
        let put = client.call("PutObject", input).await.unwrap();
        assert_eq!(text(&put, "ETag"), "\"25f9e794323b453885f5181f1b624d0b\"");
        assert_eq!(text(&put, "ChecksumCRC64NVME"), "rosUhgp5mIg=");
    });
}

#[test]
fn conditions_guard_reads_and_writes() {
    block_on(async {
        let client = Client::new().await;
        client.put("k", "one").await;
        let head = client.call("HeadObject", object("k")).await.unwrap();
        let etag = text(&head, "ETag");
        let put = |member: &'static str, value: &str| {
            with(object("k"), [("Body", stream(b"two")), (member, value.into())])
        };
        assert_eq!(
            client.code("PutObject", put("IfNoneMatch", "*")).await,
            "PreconditionFailed"
        );
        assert_eq!(
            client.code("PutObject", put("IfMatch", "\"other\"")).await,
            "PreconditionFailed"
        );
        let get = |member: &'static str, value: &str| with(object("k"), [(member, value.into())]);
        assert_eq!(
            client.code("GetObject", get("IfNoneMatch", &etag)).await,
            "NotModified"
        );
        assert_eq!(
            client.code("GetObject", get("IfMatch", "x")).await,
            "PreconditionFailed"
        );
        assert_eq!(client.get("k").await, "one");
        client.call("PutObject", put("IfMatch", &etag)).await.unwrap();
        assert_eq!(client.get("k").await, "two");
        assert_eq!(
            client.code("DeleteObject", get("IfMatch", &etag)).await,
            "PreconditionFailed"
        );
        client.call("DeleteObject", object("k")).await.unwrap();
        client.call("DeleteObject", object("k")).await.unwrap();
        assert_eq!(client.code("GetObject", object("k")).await, "NoSuchKey");
    });
}

#[test]
fn concurrent_creations_have_one_winner() {
    block_on(async {
        let client = Client::new().await;
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let client = client.clone();
                tokio::spawn(async move {
                    let body = stream(format!("{writer}").repeat(20_000).as_bytes());
                    let input = with(object("k"), [("Body", body), ("IfNoneMatch", "*".into())]);
                    client.call("PutObject", input).await.is_ok()
                })
            })
            .collect();
        let mut winners = 0;
        for writer in writers {
            winners += usize::from(writer.await.unwrap());
        }
        assert_eq!(winners, 1);
        assert_eq!(client.get("k").await.len(), 20_000);
    });
}

#[test]
fn copies() {
    block_on(async {
        let client = Client::new().await;
        let input = with(
            object("a b"),
            [
                ("Body", stream(b"one")),
                ("ContentType", "text/plain".into()),
                ("Tagging", "team=intake".into()),
            ],
        );
        client.call("PutObject", input).await.unwrap();
        let copy = |key: &str| with(object(key), [("CopySource", "orders/a%20b".into())]);
        client.call("CopyObject", copy("c")).await.unwrap();
        assert_eq!(client.get("c").await, "one");
        let copied = client.call("GetObject", object("c")).await.unwrap();
        assert_eq!(text(&copied, "ContentType"), "text/plain");
        assert_eq!(copied.get("TagCount"), Some(&Value::Integer(1)));
        assert_eq!(client.code("CopyObject", copy("a b")).await, "InvalidRequest");
        let replaced = with(
            copy("a b"),
            [
                ("MetadataDirective", "REPLACE".into()),
                ("TaggingDirective", "REPLACE".into()),
            ],
        );
        client.call("CopyObject", replaced).await.unwrap();
        let after = client.call("GetObject", object("a b")).await.unwrap();
        assert_eq!(
            (body(&after).as_str(), text(&after, "ContentType").as_str()),
            ("one", "binary/octet-stream")
        );
        assert_eq!(after.get("TagCount"), None);
        // The source may go: the copy has its own bytes.
        client.call("DeleteObject", object("a b")).await.unwrap();
        assert_eq!(client.get("c").await, "one");
        assert_eq!(client.code("CopyObject", copy("d")).await, "NoSuchKey");
    });
}

#[test]
fn buckets() {
    block_on(async {
        let client = Client::new().await;
        // us-east-1 does not mind making a bucket one has.
        client.call("CreateBucket", bucket()).await.unwrap();
        let frankfurt = client.in_region("eu-central-1");
        assert_eq!(
            frankfurt.code("CreateBucket", bucket()).await,
            "IllegalLocationConstraintException"
        );
        let configuration = Value::Map(map([("LocationConstraint", "eu-central-1".into())]));
        let here = with(bucket(), [("CreateBucketConfiguration", configuration)]);
        assert_eq!(
            frankfurt.code("CreateBucket", here).await,
            "BucketAlreadyOwnedByYou"
        );
        for (name, code) in [("No_Name", "InvalidBucketName"), ("ab", "InvalidBucketName")] {
            assert_eq!(
                client.code("CreateBucket", map([("Bucket", name.into())])).await,
                code
            );
        }
        client.put("k", "one").await;
        assert_eq!(client.code("DeleteBucket", bucket()).await, "BucketNotEmpty");
        client.call("DeleteObject", object("k")).await.unwrap();
        let listed = client.call("ListBuckets", map([])).await.unwrap();
        assert_eq!(texts(&listed, "Buckets", "Name"), ["orders"]);
        client.call("DeleteBucket", bucket()).await.unwrap();
        for operation in ["HeadBucket", "DeleteBucket", "GetBucketLocation", "ListObjectsV2"] {
            assert_eq!(client.code(operation, bucket()).await, "NoSuchBucket");
        }
        assert_eq!(client.code("PutObject", object("k")).await, "NoSuchBucket");
    });
}

#[test]
fn what_is_not_served_is_named() {
    block_on(async {
        let client = Client::new().await;
        for (member, value, code) in [
            ("ServerSideEncryption", "aws:kms", "NotImplemented"),
            ("SSECustomerAlgorithm", "AES256", "NotImplemented"),
            ("ObjectLockMode", "GOVERNANCE", "NotImplemented"),
            ("WebsiteRedirectLocation", "/x", "NotImplemented"),
            ("RequestPayer", "requester", "NotImplemented"),
            ("StorageClass", "GLACIER", "NotImplemented"),
            ("StorageClass", "CHEAP", "InvalidStorageClass"),
            ("ACL", "public-read", "AccessControlListNotSupported"),
            ("GrantRead", "id=1", "AccessControlListNotSupported"),
            ("ContentMD5", "x", "InvalidDigest"),
            ("Tagging", "a=1&a=2", "InvalidTag"),
            ("ExpectedBucketOwner", "210987654321", "AccessDenied"),
        ] {
            let input = with(object("k"), [(member, value.into())]);
            assert_eq!(client.code("PutObject", input).await, code, "{member}");
        }
        assert_eq!(
            client.code("PutObject", object(&"k".repeat(1025))).await,
            "KeyTooLongError"
        );
        let versioned = with(object("k"), [("VersionId", "3HL4".into())]);
        assert_eq!(client.code("GetObject", versioned).await, "InvalidArgument");
        let Err(Refusal::Failed(error)) = client
            .call(
                "PutObject",
                with(object("k"), [("BucketKeyEnabled", Value::Boolean(true))]),
            )
            .await
        else {
            panic!("accepted")
        };
        assert!(
            error
                .message()
                .contains("x-amz-server-side-encryption-bucket-key-enabled")
        );
    });
}

#[test]
fn tags_of_objects_and_buckets() {
    block_on(async {
        let client = Client::new().await;
        client.put("k", "one").await;
        let tag = Value::Map(map([("Key", "team".into()), ("Value", "intake".into())]));
        let tagging = || Value::Map(map([("TagSet", Value::List(vec![tag.clone()]))]));
        assert_eq!(client.code("GetBucketTagging", bucket()).await, "NoSuchTagSet");
        for (kind, input) in [("Bucket", bucket()), ("Object", object("k"))] {
            let put = with(input.clone(), [("Tagging", tagging())]);
            client.call(&format!("Put{kind}Tagging"), put).await.unwrap();
            let got = client
                .call(&format!("Get{kind}Tagging"), input.clone())
                .await
                .unwrap();
            assert_eq!(texts(&got, "TagSet", "Key"), ["team"]);
            client.call(&format!("Delete{kind}Tagging"), input).await.unwrap();
        }
        let got = client.call("GetObjectTagging", object("k")).await.unwrap();
        assert_eq!(texts(&got, "TagSet", "Key"), [""; 0]);
        assert_eq!(client.get("k").await, "one");
    });
}
