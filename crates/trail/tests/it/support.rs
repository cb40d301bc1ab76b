//! A trail in memory, and events to put into it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rolecall_store::EmbeddedStore;
use rolecall_trail::{
    Access, Durability, EVENT_VERSION, Event, EventCategory, EventResource, Record, Recorder, UserIdentity,
    Verdict,
};

/// 2026-11-24T00:17:57Z
pub(crate) const NOW: i64 = 1_795_479_477;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

pub(crate) fn days_ago(days: i64) -> Timestamp {
    now()
        .saturating_sub(SignedDuration::from_hours(24 * days))
        .unwrap()
}

pub(crate) fn event(time: Timestamp, name: &str) -> Event {
    Event {
        event_version: EVENT_VERSION.to_owned(),
        user_identity: UserIdentity::default(),
        event_time: time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        event_source: "iam.amazonaws.com".to_owned(),
        event_name: name.to_owned(),
        aws_region: "us-east-1".to_owned(),
        source_ip_address: "127.0.0.1".to_owned(),
        user_agent: "test".to_owned(),
        error_code: None,
        error_message: None,
        request_parameters: None,
        response_elements: None,
        additional_event_data: None,
        request_id: "request".to_owned(),
        event_id: format!("id-of-{name}"),
        read_only: false,
        resources: vec![EventResource {
            account_id: Some("123456789012".to_owned()),
            kind: "AWS::IAM::Role".to_owned(),
            arn: "arn:aws:iam::123456789012:role/team/worker".to_owned(),
        }],
        event_type: "AwsApiCall".to_owned(),
        management_event: true,
        recipient_account_id: "123456789012".to_owned(),
        event_category: EventCategory::Management,
    }
}

pub(crate) fn recorder() -> Recorder {
    Recorder::new(Arc::new(EmbeddedStore::in_memory().unwrap()))
}

pub(crate) async fn record(recorder: &Recorder, event: Event) {
    let access = Access {
        action: "iam:CreateRole".to_owned(),
        resource: "*".to_owned(),
        verdict: Verdict::Allowed,
        probe: false,
        layer: "identity".to_owned(),
        statement: None,
        message: None,
    };
    let record = Record {
        event,
        accesses: vec![access],
    };
    recorder.record(&record, Durability::BeforeAnswer).await.unwrap();
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
