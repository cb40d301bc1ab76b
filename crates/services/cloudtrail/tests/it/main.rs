//! `LookupEvents` over a trail that a test writes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed test may panic")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use jiff::Timestamp;
use rolecall_policy::{Context, Policies, Principal};
use rolecall_service::{Caller, Needs, Origin, RequestContext, Service, ServiceError, gate};
use rolecall_service_cloudtrail::CloudTrail;
use rolecall_store::EmbeddedStore;
use rolecall_trail::{
    Durability, EVENT_VERSION, Event, EventCategory, EventResource, Record, Recorder, UserIdentity,
};
use rolecall_wire::Value;

const ACCOUNT: &str = "123456789012";
/// 2026-11-24T00:00:00Z
const NOW: i64 = 1_795_478_400;
const DAY: i64 = 24 * 60 * 60;

struct Trail {
    cloud_trail: Arc<CloudTrail>,
    recorder: Recorder,
}

impl Trail {
    fn new() -> Self {
        let recorder = Recorder::new(Arc::new(EmbeddedStore::in_memory().unwrap()));
        Self {
            cloud_trail: CloudTrail::new(recorder.clone()),
            recorder,
        }
    }

    async fn record(&self, time: i64, name: &str, change: impl FnOnce(&mut Event)) {
        let mut event = event(time, name);
        change(&mut event);
        let record = Record {
            event,
            accesses: Vec::new(),
        };
        self.recorder
            .record(&record, Durability::BeforeAnswer)
            .await
            .unwrap();
    }

    async fn lookup(&self, input: Vec<(&'static str, Value)>) -> Result<Value, ServiceError> {
        let principal = Principal::Root {
            account: ACCOUNT.to_owned(),
        };
        let context = Arc::new(RequestContext {
            request_id: "00000000-0000-4000-8000-000000000000".to_owned(),
            account: ACCOUNT.into(),
            region: "eu-west-1".into(),
            caller: Arc::new(Caller {
                principal: principal.clone(),
                ..Caller::anonymous()
            }),
            time: Timestamp::from_second(NOW).unwrap(),
            origin: Origin::Network {
                address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            },
            user_agent: "test".to_owned(),
            secure_transport: false,
            endpoint: "http://127.0.0.1:4566".into(),
            request_keys: Vec::new(),
        });
        let input = Value::Map(
            input
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        );
        let model = self.cloud_trail.model().operation("LookupEvents").unwrap();
        let prepared = self.cloud_trail.clone().prepare(model, input, context).await?;
        match &prepared.needs {
            Needs::Accesses(accesses) => {
                let asked: Vec<_> = accesses
                    .iter()
                    .map(|access| (&*access.action, &*access.resource))
                    .collect();
                assert_eq!(asked, [("cloudtrail:LookupEvents", "*")]);
            }
            Needs::Always { .. } => panic!("LookupEvents needs a permission"),
        }
        let permit = gate::authorise(
            &principal,
            &Context::new(),
            Policies::default(),
            ACCOUNT,
            prepared.needs,
        )
        .unwrap();
        prepared.call.run(permit).await
    }

    async fn names(&self, input: Vec<(&'static str, Value)>) -> Vec<String> {
        names(&self.lookup(input).await.unwrap())
    }

    async fn refused(&self, input: Vec<(&'static str, Value)>) -> String {
        self.lookup(input).await.unwrap_err().code().to_owned()
    }
}

fn event(time: i64, name: &str) -> Event {
    Event {
        event_version: EVENT_VERSION.to_owned(),
        user_identity: UserIdentity {
            kind: "IAMUser".to_owned(),
            user_name: Some("ada".to_owned()),
            access_key_id: Some("AKIAIOSFODNN7EXAMPLE".to_owned()),
            ..UserIdentity::default()
        },
        event_time: Timestamp::from_second(time).unwrap().to_string(),
        event_source: "iam.amazonaws.com".to_owned(),
        event_name: name.to_owned(),
        aws_region: "eu-west-1".to_owned(),
        source_ip_address: "127.0.0.1".to_owned(),
        user_agent: "test".to_owned(),
        error_code: None,
        error_message: None,
        request_parameters: None,
        response_elements: None,
        additional_event_data: None,
        request_id: "r".to_owned(),
        event_id: format!("id-of-{name}"),
        read_only: false,
        resources: Vec::new(),
        event_type: "AwsApiCall".to_owned(),
        management_event: true,
        recipient_account_id: ACCOUNT.to_owned(),
        event_category: EventCategory::Management,
    }
}

fn attribute(key: &str, value: &str) -> Value {
    Value::Map(vec![
        ("AttributeKey".into(), key.into()),
        ("AttributeValue".into(), value.into()),
    ])
}

fn by(key: &str, value: &str) -> Vec<(&'static str, Value)> {
    vec![("LookupAttributes", Value::List(vec![attribute(key, value)]))]
}

fn at(time: i64) -> Value {
    Value::Timestamp(Timestamp::from_second(time).unwrap())
}

fn names(page: &Value) -> Vec<String> {
    let events = page.get("Events").and_then(Value::as_list).unwrap();
    events
        .iter()
        .map(|event| event.get("EventName").and_then(Value::as_str).unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn management_events_of_ninety_days_come_newest_first() {
    let trail = Trail::new();
    trail.record(NOW - 90 * DAY - 1, "TooOld", |_| ()).await;
    trail.record(NOW - 90 * DAY, "Oldest", |_| ()).await;
    trail.record(NOW - 2, "CreateRole", |_| ()).await;
    trail
        .record(NOW - 2, "PutObject", |event| {
            event.event_category = EventCategory::Data;
        })
        .await;
    trail.record(NOW - 1, "DeleteRole", |_| ()).await;
    assert_eq!(trail.names(vec![]).await, ["DeleteRole", "CreateRole", "Oldest"]);
    assert_eq!(
        trail.names(vec![("StartTime", at(NOW - 2))]).await,
        ["DeleteRole", "CreateRole"]
    );
    assert_eq!(
        trail.names(vec![("EndTime", at(NOW - 2))]).await,
        ["CreateRole", "Oldest"]
    );
}

#[tokio::test]
async fn an_event_is_shown_with_its_whole_record() {
    let trail = Trail::new();
    trail
        .record(NOW, "CreateRole", |event| {
            event.resources = vec![EventResource {
                account_id: Some(ACCOUNT.to_owned()),
                kind: "AWS::IAM::Role".to_owned(),
                arn: format!("arn:aws:iam::{ACCOUNT}:role/intake"),
            }];
        })
        .await;
    let page = trail.lookup(vec![]).await.unwrap();
    let [shown] = page.get("Events").and_then(Value::as_list).unwrap() else {
        panic!("one event")
    };
    for (member, expected) in [
        ("EventId", "id-of-CreateRole"),
        ("EventName", "CreateRole"),
        ("EventSource", "iam.amazonaws.com"),
        ("ReadOnly", "false"),
        ("Username", "ada"),
        ("AccessKeyId", "AKIAIOSFODNN7EXAMPLE"),
    ] {
        assert_eq!(
            shown.get(member).and_then(Value::as_str),
            Some(expected),
            "{member}"
        );
    }
    assert_eq!(shown.get("EventTime"), Some(&at(NOW)));
    let [resource] = shown.get("Resources").and_then(Value::as_list).unwrap() else {
        panic!("one resource")
    };
    assert_eq!(
        resource.get("ResourceType").and_then(Value::as_str),
        Some("AWS::IAM::Role")
    );
    assert_eq!(
        resource.get("ResourceName").and_then(Value::as_str),
        Some("intake")
    );
    let text = shown.get("CloudTrailEvent").and_then(Value::as_str).unwrap();
    let whole: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(whole["eventVersion"], "1.11");
    assert_eq!(
        whole["resources"][0]["ARN"],
        format!("arn:aws:iam::{ACCOUNT}:role/intake")
    );
}

#[tokio::test]
async fn each_attribute_finds_its_events() {
    let trail = Trail::new();
    trail
        .record(NOW - 1, "GetRole", |event| event.read_only = true)
        .await;
    trail
        .record(NOW, "CreateBucket", |event| {
            event.event_source = "s3.amazonaws.com".to_owned();
            event.user_identity.user_name = Some("bob".to_owned());
            event.user_identity.access_key_id = Some("AKIAI44QH8DHBEXAMPLE".to_owned());
            event.resources = vec![EventResource {
                account_id: None,
                kind: "AWS::S3::Bucket".to_owned(),
                arn: "arn:aws:s3:::orders".to_owned(),
            }];
        })
        .await;
    for (key, value, expected) in [
        ("EventId", "id-of-GetRole", "GetRole"),
        ("EventName", "CreateBucket", "CreateBucket"),
        ("ReadOnly", "true", "GetRole"),
        ("ReadOnly", "false", "CreateBucket"),
        ("Username", "bob", "CreateBucket"),
        ("ResourceType", "AWS::S3::Bucket", "CreateBucket"),
        ("ResourceName", "orders", "CreateBucket"),
        ("EventSource", "iam.amazonaws.com", "GetRole"),
        ("AccessKeyId", "AKIAI44QH8DHBEXAMPLE", "CreateBucket"),
    ] {
        assert_eq!(trail.names(by(key, value)).await, [expected], "{key} {value}");
    }
    assert!(trail.names(by("EventName", "Other")).await.is_empty());
}

#[tokio::test]
async fn pages_go_on_with_the_same_parameters_only() {
    let trail = Trail::new();
    for number in 0..5 {
        trail
            .record(NOW - 10 + number, &format!("Event{number}"), |_| ())
            .await;
    }
    let mut found = Vec::new();
    let mut token: Option<Value> = None;
    loop {
        let mut input = vec![("MaxResults", Value::Integer(2))];
        if let Some(token) = token {
            input.push(("NextToken", token));
        }
        let page = trail.lookup(input).await.unwrap();
        found.extend(names(&page));
        token = page.get("NextToken").cloned();
        if token.is_none() {
            break;
        }
        let mut other = by("EventName", "Event1");
        other.extend(token.clone().map(|token| ("NextToken", token)));
        assert_eq!(trail.refused(other).await, "InvalidNextTokenException");
    }
    assert_eq!(found, ["Event4", "Event3", "Event2", "Event1", "Event0"]);
}

#[tokio::test]
async fn wrong_requests_have_their_own_codes() {
    let trail = Trail::new();
    let two = Value::List(vec![attribute("EventName", "a"), attribute("Username", "b")]);
    for (input, code) in [
        (
            vec![("LookupAttributes", two)],
            "InvalidLookupAttributesException",
        ),
        (by("Nonsense", "a"), "InvalidLookupAttributesException"),
        (by("EventName", ""), "InvalidLookupAttributesException"),
        (
            vec![("MaxResults", Value::Integer(0))],
            "InvalidMaxResultsException",
        ),
        (
            vec![("MaxResults", Value::Integer(51))],
            "InvalidMaxResultsException",
        ),
        (
            vec![("MaxResults", Value::Integer(-1))],
            "InvalidMaxResultsException",
        ),
        (vec![("NextToken", "forged".into())], "InvalidNextTokenException"),
        (vec![("NextToken", "".into())], "InvalidNextTokenException"),
        (
            vec![("StartTime", at(NOW)), ("EndTime", at(NOW - 1))],
            "InvalidTimeRangeException",
        ),
        (
            vec![("EventCategory", "insight".into())],
            "InvalidEventCategoryException",
        ),
    ] {
        let shown = format!("{input:?}");
        assert_eq!(trail.refused(input).await, code, "{shown}");
    }
}
