//! Listings: paging, grouping, encoding.

use rolecall_wire::Value;

use crate::block_on;
use crate::client::{Client, bucket, map, text, texts, with};

async fn filled() -> Client {
    let client = Client::new().await;
    for key in ["a", "in/1", "in/2", "in/x/3", "out/1", "z z"] {
        client.put(key, key).await;
    }
    client
}

#[test]
fn version_2_pages_and_groups() {
    block_on(async {
        let client = filled().await;
        let (mut keys, mut prefixes) = (Vec::new(), Vec::new());
        let mut token: Option<String> = None;
        loop {
            let mut input = with(
                bucket(),
                [("Delimiter", "/".into()), ("MaxKeys", Value::Integer(1))],
            );
            if let Some(token) = &token {
                input = with(input, [("ContinuationToken", token.as_str().into())]);
            }
            let page = client.call("ListObjectsV2", input).await.unwrap();
            assert_eq!(page.get("KeyCount"), Some(&Value::Integer(1)));
            keys.extend(texts(&page, "Contents", "Key"));
            prefixes.extend(texts(&page, "CommonPrefixes", "Prefix"));
            if page.get("IsTruncated") != Some(&Value::Boolean(true)) {
                break;
            }
            token = Some(text(&page, "NextContinuationToken"));
        }
        assert_eq!(keys, ["a", "z z"]);
        assert_eq!(prefixes, ["in/", "out/"]);
        let after = with(
            bucket(),
            [("StartAfter", "in/2".into()), ("EncodingType", "url".into())],
        );
        let page = client.call("ListObjectsV2", after).await.unwrap();
        assert_eq!(texts(&page, "Contents", "Key"), ["in/x/3", "out/1", "z+z"]);
        assert_eq!(
            client
                .code(
                    "ListObjectsV2",
                    with(bucket(), [("ContinuationToken", "!".into())])
                )
                .await,
            "InvalidArgument"
        );
        assert_eq!(
            client
                .code("ListObjectsV2", with(bucket(), [("MaxKeys", Value::Integer(-1))]))
                .await,
            "InvalidArgument"
        );
        let none = client
            .call("ListObjectsV2", with(bucket(), [("MaxKeys", Value::Integer(0))]))
            .await
            .unwrap();
        assert_eq!(none.get("IsTruncated"), Some(&Value::Boolean(false)));
    });
}

#[test]
fn version_1_goes_on_behind_a_group() {
    block_on(async {
        let client = filled().await;
        let input = with(
            bucket(),
            [("Delimiter", "/".into()), ("MaxKeys", Value::Integer(2))],
        );
        let page = client.call("ListObjects", input.clone()).await.unwrap();
        assert_eq!(text(&page, "NextMarker"), "in/");
        let page = client
            .call("ListObjects", with(input, [("Marker", "in/".into())]))
            .await
            .unwrap();
        assert_eq!(texts(&page, "CommonPrefixes", "Prefix"), ["out/"]);
        assert_eq!(texts(&page, "Contents", "Key"), ["z z"]);
    });
}

#[test]
fn many_are_deleted_at_once() {
    block_on(async {
        let client = filled().await;
        let delete = |keys: &[&str], quiet: bool| {
            let objects = keys
                .iter()
                .map(|key| Value::Map(map([("Key", (*key).into())])))
                .collect();
            let delete = map([
                ("Objects", Value::List(objects)),
                ("Quiet", Value::Boolean(quiet)),
            ]);
            with(bucket(), [("Delete", Value::Map(delete))])
        };
        let gone = client
            .call("DeleteObjects", delete(&["a", "missing", "in/1"], false))
            .await
            .unwrap();
        assert_eq!(texts(&gone, "Deleted", "Key"), ["a", "missing", "in/1"]);
        let careful = client.with_policy(
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::orders/in/*"}}"#,
        );
        let some = careful
            .call("DeleteObjects", delete(&["in/2", "out/1"], true))
            .await
            .unwrap();
        assert_eq!(some.get("Deleted"), None);
        assert_eq!(texts(&some, "Errors", "Key"), ["out/1"]);
        assert_eq!(texts(&some, "Errors", "Code"), ["AccessDenied"]);
        let left = client.call("ListObjectsV2", bucket()).await.unwrap();
        assert_eq!(texts(&left, "Contents", "Key"), ["in/x/3", "out/1", "z z"]);
        assert_eq!(
            client.code("DeleteObjects", delete(&[], false)).await,
            "MalformedXML"
        );
    });
}
