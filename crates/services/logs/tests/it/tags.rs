use rolecall_wire::Value;
use serde_json::{Map, json};

use crate::endpoint::Endpoint;

const ARN: &str = "arn:aws:logs:eu-west-1:123456789012:log-group:g";

async fn tags(endpoint: &Endpoint) -> Vec<(String, String)> {
    let by_arn = endpoint
        .ok("ListTagsForResource", json!({"resourceArn": ARN}))
        .await;
    let by_name = endpoint
        .ok("ListTagsLogGroup", json!({"logGroupName": "g"}))
        .await;
    assert_eq!(by_arn, by_name);
    let tags = by_arn.get("tags").and_then(Value::as_map).unwrap();
    tags.iter()
        .map(|(key, value)| (key.to_string(), value.as_str().unwrap().to_owned()))
        .collect()
}

#[tokio::test]
async fn tags_are_set_overwritten_and_removed_by_arn_and_by_name() {
    let endpoint = Endpoint::new();
    endpoint
        .ok(
            "CreateLogGroup",
            json!({"logGroupName": "g", "tags": {"team": "a"}}),
        )
        .await;
    endpoint
        .ok(
            "TagResource",
            json!({"resourceArn": ARN, "tags": {"team": "b", "cost": "1"}}),
        )
        .await;
    endpoint
        .ok(
            "TagLogGroup",
            json!({"logGroupName": "g", "tags": {"stage": "test"}}),
        )
        .await;
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        tags(&endpoint).await,
        [pair("cost", "1"), pair("stage", "test"), pair("team", "b")]
    );
    endpoint
        .ok(
            "UntagResource",
            json!({"resourceArn": ARN, "tagKeys": ["team", "none"]}),
        )
        .await;
    endpoint
        .ok("UntagLogGroup", json!({"logGroupName": "g", "tags": ["stage"]}))
        .await;
    assert_eq!(tags(&endpoint).await, [pair("cost", "1")]);
}

#[tokio::test]
async fn fifty_tags_are_the_most() {
    let endpoint = Endpoint::new();
    endpoint.group("g").await;
    let many: Map<_, _> = (0..50).map(|n| (n.to_string(), json!("v"))).collect();
    endpoint
        .ok("TagResource", json!({"resourceArn": ARN, "tags": many}))
        .await;
    let (code, _) = endpoint
        .fails(
            "TagResource",
            json!({"resourceArn": ARN, "tags": {"one": "more"}}),
        )
        .await;
    assert_eq!(code, "TooManyTagsException");
    assert_eq!(tags(&endpoint).await.len(), 50);
}

#[tokio::test]
async fn the_arn_must_be_a_groups_own() {
    let endpoint = Endpoint::new();
    endpoint.group("g").await;
    for (arn, code) in [
        (format!("{ARN}:*"), "InvalidParameterException"),
        ("arn:aws:s3:::bucket".to_owned(), "InvalidParameterException"),
        (format!("{ARN}g"), "ResourceNotFoundException"),
    ] {
        assert_eq!(
            endpoint
                .fails("ListTagsForResource", json!({"resourceArn": arn}))
                .await
                .0,
            code,
            "{arn}"
        );
    }
}
