use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use rolecall_store::{EmbeddedStore, Reader, ScanRange};
use serde_json::json;

use crate::endpoint::{DAY, Endpoint, NOW, integer, list, texts};

#[tokio::test]
async fn only_the_periods_aws_knows_are_taken() {
    let endpoint = Endpoint::new();
    endpoint.group("g").await;
    let (code, message) = endpoint
        .fails(
            "PutRetentionPolicy",
            json!({"logGroupName": "g", "retentionInDays": 10}),
        )
        .await;
    assert_eq!(code, "InvalidParameterException");
    assert!(
        message.starts_with("1 validation error detected: Value '10' at 'retentionInDays' failed"),
        "{message}"
    );
    endpoint
        .ok(
            "PutRetentionPolicy",
            json!({"logGroupName": "g", "retentionInDays": 3653}),
        )
        .await;
    let groups = endpoint.ok("DescribeLogGroups", json!({})).await;
    assert_eq!(integer(&list(&groups, "logGroups")[0], "retentionInDays"), 3653);
    endpoint
        .ok("DeleteRetentionPolicy", json!({"logGroupName": "g"}))
        .await;
    let groups = endpoint.ok("DescribeLogGroups", json!({})).await;
    assert!(list(&groups, "logGroups")[0].get("retentionInDays").is_none());
    for operation in ["PutRetentionPolicy", "DeleteRetentionPolicy"] {
        let input = json!({"logGroupName": "none", "retentionInDays": 1});
        assert_eq!(
            endpoint.fails(operation, input).await.0,
            "ResourceNotFoundException"
        );
    }
}

#[tokio::test]
async fn expired_events_are_hidden_at_once_and_removed_soon() {
    let store = Arc::new(EmbeddedStore::in_memory().unwrap());
    let endpoint = Endpoint::over(store.clone());
    endpoint.group("g").await;
    endpoint.stream("g", "s").await;
    endpoint.put("g", "s", &[(NOW - 2 * DAY, "old")]).await;
    endpoint.put("g", "s", &[(NOW, "new")]).await;
    endpoint
        .ok(
            "PutRetentionPolicy",
            json!({"logGroupName": "g", "retentionInDays": 1}),
        )
        .await;
    let read = endpoint
        .ok("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "s"}))
        .await;
    assert_eq!(texts(&read, "events", "message"), ["new"]);
    let found = endpoint.ok("FilterLogEvents", json!({"logGroupName": "g"})).await;
    assert_eq!(texts(&found, "events", "message"), ["new"]);

    let rejected = endpoint
        .put("g", "s", &[(NOW - 2 * DAY, "old"), (NOW - 2 * DAY + 1, "old")])
        .await;
    assert_eq!(
        integer(
            rejected.get("rejectedLogEventsInfo").unwrap(),
            "expiredLogEventEndIndex"
        ),
        2
    );

    let stored = || {
        let mut count = 0;
        let counting = &mut |_: rolecall_store::EntryRef<'_>| {
            count += 1;
            ControlFlow::Continue(())
        };
        store
            .for_each("logs-events", &ScanRange::all(), counting)
            .unwrap();
        count
    };
    for _ in 0..200 {
        if stored() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(stored(), 1);
    let streams = endpoint
        .ok("DescribeLogStreams", json!({"logGroupName": "g"}))
        .await;
    assert_eq!(
        integer(&list(&streams, "logStreams")[0], "firstEventTimestamp"),
        NOW
    );
    let groups = endpoint.ok("DescribeLogGroups", json!({})).await;
    assert_eq!(integer(&list(&groups, "logGroups")[0], "storedBytes"), 29);
}
