use serde_json::json;

use crate::endpoint::{Endpoint, HOUR, NOW, integer, list, text, texts};

#[tokio::test]
async fn a_stream_needs_its_group_and_exists_once() {
    let endpoint = Endpoint::new();
    let input = json!({"logGroupName": "g", "logStreamName": "2026/11/24/[$LATEST]0a"});
    assert_eq!(
        endpoint.fails("CreateLogStream", input.clone()).await,
        (
            "ResourceNotFoundException".into(),
            "The specified log group does not exist.".into()
        )
    );
    endpoint.group("g").await;
    endpoint.ok("CreateLogStream", input.clone()).await;
    assert_eq!(
        endpoint.fails("CreateLogStream", input.clone()).await,
        (
            "ResourceAlreadyExistsException".into(),
            "The specified log stream already exists".into()
        )
    );
    let described = endpoint
        .ok("DescribeLogStreams", json!({"logGroupName": "g"}))
        .await;
    let stream = &list(&described, "logStreams")[0];
    assert_eq!(
        text(stream, "arn"),
        "arn:aws:logs:eu-west-1:123456789012:log-group:g:log-stream:2026/11/24/[$LATEST]0a"
    );
    assert!(stream.get("firstEventTimestamp").is_none());
    endpoint.ok("DeleteLogStream", input.clone()).await;
    assert_eq!(
        endpoint.fails("DeleteLogStream", input).await,
        (
            "ResourceNotFoundException".into(),
            "The specified log stream does not exist.".into()
        )
    );
}

#[tokio::test]
async fn a_stream_knows_its_first_and_last_event() {
    let endpoint = Endpoint::new();
    endpoint.group("g").await;
    endpoint.stream("g", "s").await;
    let first = endpoint.put("g", "s", &[(NOW - HOUR, "b"), (NOW, "d")]).await;
    let second = endpoint
        .put("g", "s", &[(NOW - 2 * HOUR, "a"), (NOW - 1, "c")])
        .await;
    assert_ne!(
        text(&first, "nextSequenceToken"),
        text(&second, "nextSequenceToken")
    );
    let arn = "arn:aws:logs:eu-west-1:123456789012:log-group:g:*";
    let described = endpoint
        .ok("DescribeLogStreams", json!({"logGroupIdentifier": arn}))
        .await;
    let stream = &list(&described, "logStreams")[0];
    assert_eq!(integer(stream, "firstEventTimestamp"), NOW - 2 * HOUR);
    assert_eq!(integer(stream, "lastEventTimestamp"), NOW);
    assert_eq!(integer(stream, "lastIngestionTime"), NOW);
    assert_eq!(
        text(stream, "uploadSequenceToken"),
        text(&second, "nextSequenceToken")
    );
    let groups = endpoint.ok("DescribeLogGroups", json!({})).await;
    assert_eq!(integer(&list(&groups, "logGroups")[0], "storedBytes"), 4 * 27);
}

#[tokio::test]
async fn streams_are_listed_in_each_order_page_by_page() {
    let endpoint = Endpoint::new();
    endpoint.group("g").await;
    for (stream, time) in [("a", NOW - 1), ("b", NOW - 3), ("c", NOW - 2)] {
        endpoint.stream("g", stream).await;
        endpoint.put("g", stream, &[(time, "line")]).await;
    }
    for (order, descending, expected) in [
        ("LogStreamName", false, ["a", "b", "c"]),
        ("LogStreamName", true, ["c", "b", "a"]),
        ("LastEventTime", false, ["b", "c", "a"]),
        ("LastEventTime", true, ["a", "c", "b"]),
    ] {
        let mut input = json!({"logGroupName": "g", "orderBy": order, "descending": descending, "limit": 2});
        let first = endpoint.ok("DescribeLogStreams", input.clone()).await;
        input["nextToken"] = json!(text(&first, "nextToken"));
        let second = endpoint.ok("DescribeLogStreams", input).await;
        let pages = [&first, &second]
            .map(|page| texts(page, "logStreams", "logStreamName"))
            .concat();
        assert_eq!(pages, expected, "{order} {descending}");
        assert!(second.get("nextToken").is_none());
    }
    let prefixed = json!({"logGroupName": "g", "logStreamNamePrefix": "b"});
    let found = endpoint.ok("DescribeLogStreams", prefixed).await;
    assert_eq!(texts(&found, "logStreams", "logStreamName"), ["b"]);
    let refused = json!({"logGroupName": "g", "logStreamNamePrefix": "b", "orderBy": "LastEventTime"});
    assert_eq!(
        endpoint.fails("DescribeLogStreams", refused).await.1,
        "Cannot order by LastEventTime with a logStreamNamePrefix."
    );
    for neither_or_both in [json!({}), json!({"logGroupName": "g", "logGroupIdentifier": "g"})] {
        assert_eq!(
            endpoint.fails("DescribeLogStreams", neither_or_both).await.0,
            "InvalidParameterException"
        );
    }
}

#[tokio::test]
async fn groups_of_other_accounts_and_regions_are_not_here() {
    let endpoint = Endpoint::new();
    endpoint.group("g").await;
    for arn in [
        "arn:aws:logs:eu-west-1:210987654321:log-group:g",
        "arn:aws:logs:us-east-1:123456789012:log-group:g",
    ] {
        let (code, _) = endpoint
            .fails("DescribeLogStreams", json!({"logGroupIdentifier": arn}))
            .await;
        assert!(
            ["ResourceNotFoundException", "AccessDeniedException"].contains(&code.as_str()),
            "{code}"
        );
    }
}
