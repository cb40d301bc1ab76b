use serde_json::json;

use crate::endpoint::{Endpoint, NOW, integer, list, text, texts};

#[tokio::test]
async fn a_group_is_created_once_and_described_as_aws_does() {
    let endpoint = Endpoint::new();
    endpoint.group("/aws/lambda/intake").await;
    let again = endpoint
        .fails("CreateLogGroup", json!({"logGroupName": "/aws/lambda/intake"}))
        .await;
    assert_eq!(
        again,
        (
            "ResourceAlreadyExistsException".into(),
            "The specified log group already exists".into()
        )
    );
    let described = endpoint.ok("DescribeLogGroups", json!({})).await;
    let group = &list(&described, "logGroups")[0];
    assert_eq!(
        text(group, "arn"),
        "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/intake:*"
    );
    assert_eq!(
        text(group, "logGroupArn"),
        "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/intake"
    );
    assert_eq!(text(group, "logGroupClass"), "STANDARD");
    assert_eq!(integer(group, "creationTime"), NOW);
    assert_eq!(integer(group, "storedBytes"), 0);
    assert!(group.get("retentionInDays").is_none());
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_by_name() {
    let endpoint = Endpoint::new();
    for (input, named) in [
        (
            json!({"logGroupName": "g", "kmsKeyId": "arn:aws:kms:eu-west-1:123456789012:key/k"}),
            "kmsKeyId",
        ),
        (
            json!({"logGroupName": "g", "logGroupClass": "DELIVERY"}),
            "logGroupClass DELIVERY",
        ),
        (
            json!({"logGroupName": "g", "deletionProtectionEnabled": true}),
            "deletionProtectionEnabled",
        ),
        (json!({"logGroupName": "AWS/mine"}), "reserved for AWS"),
    ] {
        let (code, message) = endpoint.fails("CreateLogGroup", input).await;
        assert_eq!(code, "InvalidParameterException");
        assert!(message.contains(named), "{message}");
    }
    assert!(list(&endpoint.ok("DescribeLogGroups", json!({})).await, "logGroups").is_empty());
}

#[tokio::test]
async fn a_deleted_group_takes_streams_and_events_along() {
    let endpoint = Endpoint::new();
    for _ in 0..2 {
        endpoint.group("g").await;
        endpoint.stream("g", "s").await;
        endpoint.put("g", "s", &[(NOW, "line")]).await;
        endpoint.ok("DeleteLogGroup", json!({"logGroupName": "g"})).await;
    }
    let gone = (
        "ResourceNotFoundException".to_owned(),
        "The specified log group does not exist.".to_owned(),
    );
    assert_eq!(
        endpoint
            .fails("DeleteLogGroup", json!({"logGroupName": "g"}))
            .await,
        gone
    );
    assert_eq!(
        endpoint
            .fails("DescribeLogStreams", json!({"logGroupName": "g"}))
            .await,
        gone
    );
    endpoint.group("g").await;
    let streams = endpoint
        .ok("DescribeLogStreams", json!({"logGroupName": "g"}))
        .await;
    assert!(list(&streams, "logStreams").is_empty());
}

#[tokio::test]
async fn groups_are_listed_by_prefix_pattern_and_identifier_in_pages() {
    let endpoint = Endpoint::new();
    for name in ["/a/1", "/a/2", "/b/Data1", "/b/data"] {
        endpoint.group(name).await;
    }
    let names = async |input| {
        let output = endpoint.ok("DescribeLogGroups", input).await;
        texts(&output, "logGroups", "logGroupName")
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(json!({"logGroupNamePrefix": "/a/"})).await,
        ["/a/1", "/a/2"]
    );
    assert_eq!(names(json!({"logGroupNamePattern": "Data"})).await, ["/b/Data1"]);
    assert_eq!(
        names(json!({"logGroupIdentifiers": ["/a/2", "/none"]})).await,
        ["/a/2"]
    );
    assert_eq!(
        names(json!({"logGroupClass": "INFREQUENT_ACCESS"})).await,
        Vec::<String>::new()
    );
    assert_eq!(
        names(json!({"accountIdentifiers": ["210987654321"]})).await,
        Vec::<String>::new()
    );

    let mut token = None;
    let mut pages = Vec::new();
    loop {
        let mut input = json!({"limit": 3});
        if let Some(token) = token {
            input["nextToken"] = json!(token);
        }
        let page = endpoint.ok("DescribeLogGroups", input).await;
        pages.push(
            texts(&page, "logGroups", "logGroupName")
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        );
        match page.get("nextToken").and_then(rolecall_wire::Value::as_str) {
            Some(next) => token = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(pages, [vec!["/a/1", "/a/2", "/b/Data1"], vec!["/b/data"]]);

    let both = json!({"logGroupNamePrefix": "a", "logGroupNamePattern": "b"});
    assert_eq!(
        endpoint.fails("DescribeLogGroups", both).await.1,
        "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
    );
    let forged = endpoint
        .fails("DescribeLogGroups", json!({"nextToken": "%"}))
        .await;
    assert_eq!(
        forged,
        (
            "InvalidParameterException".into(),
            "The specified nextToken is invalid.".into()
        )
    );
}
