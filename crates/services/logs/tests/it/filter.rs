use rolecall_wire::Value;
use serde_json::{Value as Json, json};

use crate::endpoint::{Endpoint, NOW, list, text, texts};

async fn with_streams() -> Endpoint {
    let endpoint = Endpoint::new();
    endpoint.group("g").await;
    for (stream, events) in [
        (
            "web-1",
            [
                (NOW - 6, "ERROR one"),
                (NOW - 3, "INFO two"),
                (NOW, "ERROR three"),
            ],
        ),
        (
            "web-2",
            [
                (NOW - 5, "INFO four"),
                (NOW - 4, "ERROR five"),
                (NOW - 3, "{\"code\": 500}"),
            ],
        ),
        (
            "job-1",
            [
                (NOW - 9, "ERROR six"),
                (NOW - 3, "ERROR seven"),
                (NOW - 1, "{\"code\": 200}"),
            ],
        ),
    ] {
        endpoint.stream("g", stream).await;
        endpoint.put("g", stream, &events).await;
    }
    endpoint.stream("g", "empty").await;
    endpoint
}

/// A request about the one group, with further members.
fn filter(extra: impl std::borrow::Borrow<Json>) -> Json {
    let mut input = json!({"logGroupName": "g"});
    for (name, value) in extra.borrow().as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

fn messages(page: &Value) -> Vec<&str> {
    texts(page, "events", "message")
}

#[tokio::test]
async fn streams_are_merged_by_time_and_filtered() {
    let endpoint = with_streams().await;
    for (input, expected) in [
        (
            json!({"filterPattern": "ERROR", "endTime": NOW - 4}),
            vec!["ERROR six", "ERROR one", "ERROR five"],
        ),
        (
            json!({"filterPattern": "{ $.code >= 500 }"}),
            vec!["{\"code\": 500}"],
        ),
        (
            json!({"startTime": NOW - 1}),
            vec!["{\"code\": 200}", "ERROR three"],
        ),
        (
            json!({"logStreamNamePrefix": "web-", "filterPattern": "INFO"}),
            vec!["INFO four", "INFO two"],
        ),
        (
            json!({"logStreamNames": ["job-1", "job-1"], "filterPattern": "seven"}),
            vec!["ERROR seven"],
        ),
        (json!({"logStreamNames": ["empty"]}), vec![]),
        (
            json!({"startFromHead": false, "startTime": NOW - 5, "filterPattern": "ERROR -seven"}),
            vec!["ERROR three", "ERROR five"],
        ),
    ] {
        let page = endpoint.ok("FilterLogEvents", filter(input.clone())).await;
        assert_eq!(messages(&page), expected, "{input}");
        assert!(page.get("nextToken").is_none());
        assert!(list(&page, "searchedLogStreams").is_empty());
    }
    let page = endpoint
        .ok("FilterLogEvents", filter(json!({"filterPattern": "three"})))
        .await;
    assert_eq!(text(&list(&page, "events")[0], "logStreamName"), "web-1");
}

#[tokio::test]
async fn pages_of_any_size_give_the_same_sequence() {
    let endpoint = with_streams().await;
    for forward in [true, false] {
        let input = |extra: &Json| {
            let mut input = filter(json!({"startFromHead": forward, "startTime": NOW - 100}));
            for (name, value) in extra.as_object().unwrap() {
                input[name] = value.clone();
            }
            input
        };
        let whole = endpoint.ok("FilterLogEvents", input(&json!({}))).await;
        let whole = texts(&whole, "events", "eventId");
        assert_eq!(whole.len(), 9);
        for limit in 1..9 {
            let mut paged: Vec<String> = Vec::new();
            let mut extra = json!({"limit": limit});
            loop {
                let page = endpoint.ok("FilterLogEvents", input(&extra)).await;
                let ids = texts(&page, "events", "eventId");
                assert!(ids.len() <= limit);
                paged.extend(ids.into_iter().map(str::to_owned));
                match page.get("nextToken").and_then(Value::as_str) {
                    Some(token) => extra["nextToken"] = json!(token),
                    None => break,
                }
            }
            assert_eq!(paged, whole, "limit {limit}, forward {forward}");
        }
    }
}

#[tokio::test]
async fn many_events_of_one_stream_are_read_in_several_goes() {
    let endpoint = Endpoint::new();
    endpoint.group("g").await;
    for (stream, shift) in [("even", 0), ("odd", 1)] {
        endpoint.stream("g", stream).await;
        let lines: Vec<(i64, String)> = (0..150)
            .map(|n| (NOW - 1000 + 2 * n + shift, format!("{}", 2 * n + shift)))
            .collect();
        let events: Vec<(i64, &str)> = lines.iter().map(|(time, line)| (*time, line.as_str())).collect();
        endpoint.put("g", stream, &events).await;
    }
    let expected: Vec<String> = (0..300).map(|n: i64| n.to_string()).collect();
    let page = endpoint.ok("FilterLogEvents", filter(json!({}))).await;
    assert_eq!(messages(&page), expected);
    let page = endpoint
        .ok(
            "FilterLogEvents",
            filter(json!({"startFromHead": false, "startTime": NOW - 1000})),
        )
        .await;
    assert!(
        messages(&page)
            .into_iter()
            .eq(expected.iter().rev().map(String::as_str))
    );
}

#[tokio::test]
async fn wrong_requests_are_named() {
    let endpoint = with_streams().await;
    for (input, code, part) in [
        (
            json!({"filterPattern": "a@b"}),
            "InvalidParameterException",
            "Invalid character(s) in term 'a@b'",
        ),
        (
            json!({"filterPattern": "{ $.a = 1"}),
            "InvalidParameterException",
            "must end with '}'",
        ),
        (
            json!({"nextToken": "forged"}),
            "InvalidParameterException",
            "nextToken",
        ),
        (
            json!({"startFromHead": false}),
            "InvalidParameterException",
            "startFromHead",
        ),
        (
            json!({"logStreamNames": ["web-1"], "logStreamNamePrefix": "w"}),
            "InvalidParameterException",
            "mutually exclusive",
        ),
        (
            json!({"logStreamNames": ["none"]}),
            "ResourceNotFoundException",
            "log stream does not exist",
        ),
        (
            json!({"logGroupName": "none"}),
            "ResourceNotFoundException",
            "log group does not exist",
        ),
    ] {
        let (found, message) = endpoint.fails("FilterLogEvents", filter(input.clone())).await;
        assert!(
            found == code && message.contains(part),
            "{input}: {found} {message}"
        );
    }
}
