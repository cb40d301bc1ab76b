use rolecall_wire::Value;
use serde_json::{Value as Json, json};

use crate::endpoint::{DAY, Endpoint, HOUR, NOW, integer, list, text, texts};

async fn with_stream() -> Endpoint {
    let endpoint = Endpoint::new();
    endpoint.group("g").await;
    endpoint.stream("g", "s").await;
    endpoint
}

/// A request about the one stream, with further members.
fn get(extra: impl std::borrow::Borrow<Json>) -> Json {
    let mut input = json!({"logGroupName": "g", "logStreamName": "s"});
    for (name, value) in extra.borrow().as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

fn batch(events: &[(i64, &str)]) -> Json {
    let events: Vec<_> = events
        .iter()
        .map(|(time, text)| json!({"timestamp": time, "message": text}))
        .collect();
    get(json!({"logEvents": events}))
}

fn messages(page: &Value) -> Vec<&str> {
    texts(page, "events", "message")
}

#[tokio::test]
async fn events_come_back_in_order_of_time_whatever_the_order_of_batches() {
    let endpoint = with_stream().await;
    endpoint.put("g", "s", &[(NOW - 2, "c"), (NOW, "e")]).await;
    endpoint.put("g", "s", &[(NOW - 9, "a"), (NOW - 2, "d")]).await;
    endpoint.put("g", "s", &[(NOW - 8, "b")]).await;
    let page = endpoint
        .ok("GetLogEvents", get(json!({"startFromHead": true})))
        .await;
    assert_eq!(messages(&page), ["a", "b", "c", "d", "e"]);
    let event = &list(&page, "events")[0];
    assert_eq!(
        (integer(event, "timestamp"), integer(event, "ingestionTime")),
        (NOW - 9, NOW)
    );
    // The start is included, the end is not.
    let part = endpoint
        .ok("GetLogEvents", get(json!({"startTime": NOW - 8, "endTime": NOW})))
        .await;
    assert_eq!(messages(&part), ["b", "c", "d"]);
}

#[tokio::test]
async fn forward_tokens_end_where_they_repeat_and_find_what_comes_later() {
    let endpoint = with_stream().await;
    endpoint
        .put("g", "s", &[(NOW - 3, "a"), (NOW - 2, "b"), (NOW - 1, "c")])
        .await;
    let first = endpoint
        .ok("GetLogEvents", get(json!({"startFromHead": true, "limit": 2})))
        .await;
    assert_eq!(messages(&first), ["a", "b"]);
    let next =
        |page: &Value| get(json!({"startFromHead": true, "nextToken": text(page, "nextForwardToken")}));
    let second = endpoint.ok("GetLogEvents", next(&first)).await;
    assert_eq!(messages(&second), ["c"]);
    let end = endpoint.ok("GetLogEvents", next(&second)).await;
    assert!(messages(&end).is_empty());
    assert_eq!(text(&end, "nextForwardToken"), text(&second, "nextForwardToken"));
    endpoint.put("g", "s", &[(NOW, "d")]).await;
    let later = endpoint.ok("GetLogEvents", next(&end)).await;
    assert_eq!(messages(&later), ["d"]);
    let back = get(json!({"nextToken": text(&later, "nextBackwardToken")}));
    assert_eq!(
        messages(&endpoint.ok("GetLogEvents", back).await),
        ["a", "b", "c"]
    );
}

#[tokio::test]
async fn without_a_direction_the_latest_events_come_first_and_pages_go_back() {
    let endpoint = with_stream().await;
    endpoint
        .put("g", "s", &[(NOW, "a"), (NOW, "b"), (NOW, "c"), (NOW, "d")])
        .await;
    let last = endpoint.ok("GetLogEvents", get(json!({"limit": 3}))).await;
    assert_eq!(messages(&last), ["b", "c", "d"]);
    let before = |page: &Value| get(json!({"nextToken": text(page, "nextBackwardToken")}));
    let first = endpoint.ok("GetLogEvents", before(&last)).await;
    assert_eq!(messages(&first), ["a"]);
    let end = endpoint.ok("GetLogEvents", before(&first)).await;
    assert!(messages(&end).is_empty());
    assert_eq!(text(&end, "nextBackwardToken"), text(&first, "nextBackwardToken"));
    let forged = endpoint
        .fails("GetLogEvents", get(json!({"nextToken": "f/1"})))
        .await;
    assert_eq!(
        forged,
        (
            "InvalidParameterException".into(),
            "The specified nextToken is invalid.".into()
        )
    );
}

#[tokio::test]
async fn an_empty_stream_gives_tokens_that_find_its_first_event() {
    let endpoint = with_stream().await;
    let empty = endpoint.ok("GetLogEvents", get(json!({}))).await;
    assert!(messages(&empty).is_empty());
    endpoint.put("g", "s", &[(NOW, "a")]).await;
    let input = get(json!({"startFromHead": true, "nextToken": text(&empty, "nextForwardToken")}));
    assert_eq!(messages(&endpoint.ok("GetLogEvents", input).await), ["a"]);
}

#[tokio::test]
async fn a_page_has_at_most_a_megabyte() {
    let endpoint = with_stream().await;
    let line = "x".repeat(600 * 1024);
    endpoint.put("g", "s", &[(NOW - 1, &line)]).await;
    endpoint.put("g", "s", &[(NOW, &line)]).await;
    let page = endpoint
        .ok("GetLogEvents", get(json!({"startFromHead": true})))
        .await;
    assert_eq!(messages(&page).len(), 1);
    let input = get(json!({"startFromHead": true, "nextToken": text(&page, "nextForwardToken")}));
    assert_eq!(messages(&endpoint.ok("GetLogEvents", input).await).len(), 1);
}

#[tokio::test]
async fn batches_over_a_limit_are_refused_whole() {
    let endpoint = with_stream().await;
    let megabyte = "x".repeat(1_048_576 - 26);
    let larger = "x".repeat(1_048_576 - 25);
    let many: Vec<(i64, &str)> = vec![(NOW, "x"); 10_001];
    for (events, expected) in [
        (
            vec![(NOW, larger.as_str())],
            "Log event too large: 1048577 bytes exceeds limit of 1048576",
        ),
        (
            vec![(NOW, megabyte.as_str()), (NOW, "y")],
            "Upload too large: 1048603 bytes exceeds limit of 1048576",
        ),
        (
            vec![(NOW, "a"), (NOW - 1, "b")],
            "Log events in a single PutLogEvents request must be in chronological order.",
        ),
        (
            vec![(NOW - DAY - 1, "a"), (NOW, "b")],
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ),
        (
            many,
            "A batch has between 1 and 10000 log events; this one has 10001.",
        ),
    ] {
        let refused = endpoint.fails("PutLogEvents", batch(&events)).await;
        assert_eq!(
            refused,
            ("InvalidParameterException".to_owned(), expected.to_owned())
        );
    }
    assert!(messages(&endpoint.ok("GetLogEvents", get(json!({}))).await).is_empty());
    endpoint.put("g", "s", &[(NOW, &megabyte)]).await;
    endpoint.put("g", "s", &[(NOW - DAY, "a"), (NOW, "b")]).await;
    endpoint.put("g", "s", &vec![(NOW, "x"); 10_000]).await;
}

#[tokio::test]
async fn events_too_old_or_too_new_are_left_out_and_counted() {
    let endpoint = with_stream().await;
    let too_old = NOW - 14 * DAY - 1;
    let output = endpoint
        .put(
            "g",
            "s",
            &[
                (too_old, "old"),
                (NOW - HOUR, "a"),
                (NOW + 2 * HOUR, "b"),
                (NOW + 2 * HOUR + 1, "new"),
            ],
        )
        .await;
    let info = output.get("rejectedLogEventsInfo").unwrap();
    assert_eq!(integer(info, "tooOldLogEventEndIndex"), 1);
    assert_eq!(integer(info, "tooNewLogEventStartIndex"), 3);
    assert!(info.get("expiredLogEventEndIndex").is_none());
    assert_eq!(
        messages(&endpoint.ok("GetLogEvents", get(json!({}))).await),
        ["a", "b"]
    );
    let fine = endpoint.put("g", "s", &[(NOW, "c")]).await;
    assert!(fine.get("rejectedLogEventsInfo").is_none());
}

#[tokio::test]
async fn missing_groups_and_streams_are_told_apart() {
    let endpoint = with_stream().await;
    for operation in ["PutLogEvents", "GetLogEvents"] {
        let mut input = batch(&[(NOW, "x")]);
        if operation == "GetLogEvents" {
            input.as_object_mut().unwrap().remove("logEvents");
        }
        input["logStreamName"] = json!("none");
        assert_eq!(
            endpoint.fails(operation, input.clone()).await.1,
            "The specified log stream does not exist."
        );
        input["logGroupName"] = json!("none");
        assert_eq!(
            endpoint.fails(operation, input).await.1,
            "The specified log group does not exist."
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writers_of_one_stream_lose_nothing() {
    let endpoint = std::sync::Arc::new(with_stream().await);
    let writers: Vec<_> = (0..16)
        .map(|writer| {
            let endpoint = endpoint.clone();
            tokio::spawn(async move {
                for line in 0..10 {
                    endpoint
                        .put("g", "s", &[(NOW, &format!("{writer}-{line}"))])
                        .await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let page = endpoint.ok("GetLogEvents", get(json!({}))).await;
    let mut found = messages(&page);
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), 160);
}
