//! What an operation's accesses say about the resources of its event, and what errors and credentials show.

use std::sync::Arc;

use jiff::Timestamp;
use rolecall_policy::{Context, Policies, Principal};
use rolecall_service::{
    Access, Caller, Needs, Origin, Permit, RequestContext, ServiceError, SessionCredentials, gate,
    prepare_operation,
};
use rolecall_wire::{ConversionError, FromValue, IntoValue, Value};

const ACCOUNT: &str = "123456789012";

fn context() -> Arc<RequestContext> {
    Arc::new(RequestContext {
        request_id: "request".to_owned(),
        account: ACCOUNT.into(),
        region: "eu-west-1".into(),
        caller: Arc::new(Caller::anonymous()),
        time: Timestamp::UNIX_EPOCH,
        origin: Origin::Network {
            address: [127, 0, 0, 1].into(),
        },
        user_agent: String::new(),
        secure_transport: false,
        endpoint: "http://127.0.0.1:4566".into(),
        request_keys: Vec::new(),
    })
}

/// The resources a call needs; one that begins with `?` is only asked.
struct Resources(Vec<String>);

impl FromValue for Resources {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        Vec::from_value(value).map(Self)
    }
}

struct Count(usize);

impl IntoValue for Count {
    fn into_value(self) -> Value {
        Value::from(i64::try_from(self.0).unwrap())
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    reason = "the signature is that of every operation"
)]
fn access((): &(), _: &RequestContext, input: &Resources) -> Result<Needs, ServiceError> {
    let accesses: Vec<Access> = input
        .0
        .iter()
        .map(|resource| match resource.strip_prefix('?') {
            Some(asked) => Access::new("s3:ListBucket", asked).probe(),
            None => Access::new("s3:GetObject", resource.as_str()),
        })
        .collect();
    Ok(accesses.into())
}

async fn run(
    _: Arc<()>,
    _: Arc<RequestContext>,
    input: Resources,
    permit: Permit,
) -> Result<Count, ServiceError> {
    assert_eq!(permit.decided().len(), input.0.len());
    Ok(Count(input.0.len()))
}

fn resources(names: &[&str]) -> Value {
    Value::List(names.iter().map(|name| Value::from(*name)).collect())
}

#[test]
fn an_event_names_each_required_resource_once() {
    for (needed, expected) in [
        (vec!["*"], vec![]),
        (
            vec!["arn:aws:s3:::b/k"],
            vec![("AWS::S3::Object", "arn:aws:s3:::b/k")],
        ),
        (
            vec!["arn:aws:s3:::b", "?arn:aws:s3:::asked", "arn:aws:s3:::b"],
            vec![("AWS::S3::Bucket", "arn:aws:s3:::b")],
        ),
        (
            vec![
                "arn:aws:lambda:eu-west-1:123456789012:function:f",
                "arn:aws:lambda:eu-west-1:123456789012:layer:l",
            ],
            vec![(
                "AWS::Lambda::Function",
                "arn:aws:lambda:eu-west-1:123456789012:function:f",
            )],
        ),
        (vec!["arn:aws:s3", "", "arn", "no:arn:s3:::b"], vec![]),
    ] {
        let prepared = prepare_operation(Arc::new(()), resources(&needed), context(), access, run).unwrap();
        let have: Vec<(&str, &str)> = prepared
            .resources
            .iter()
            .map(|resource| (resource.kind, resource.arn.as_str()))
            .collect();
        assert_eq!(have, expected, "{needed:?}");
    }
}

#[test]
fn a_permitted_call_runs_with_its_input() {
    let needed = ["arn:aws:s3:::b/k", "?arn:aws:s3:::b"];
    let prepared = prepare_operation(Arc::new(()), resources(&needed), context(), access, run).unwrap();
    let root = Principal::Root {
        account: ACCOUNT.to_owned(),
    };
    let permit = gate::authorise(
        &root,
        &Context::new(),
        Policies::default(),
        ACCOUNT,
        prepared.needs,
    )
    .unwrap();
    let output = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(prepared.call.run(permit));
    assert_eq!(output.unwrap(), Value::from(2_i64));
}

#[test]
fn input_of_another_shape_is_the_callers_error() {
    let error = prepare_operation(Arc::new(()), Value::from("text"), context(), access, run)
        .err()
        .unwrap();
    assert_eq!((error.code(), error.status()), ("SerializationException", 400));
}

#[test]
fn causes_and_secrets_are_not_shown() {
    let error = ServiceError::internal("the disk /var/secret is full");
    assert_eq!((error.code(), error.status()), ("InternalFailure", 500));
    assert!(!error.to_string().contains("disk") && !error.message().contains("disk"));
    assert_eq!(
        error.internal_cause().unwrap().to_string(),
        "the disk /var/secret is full"
    );
    let credentials = SessionCredentials {
        access_key_id: "ASIAEXAMPLE".to_owned(),
        secret_access_key: "planted-secret".to_owned(),
        session_token: "planted-token".to_owned(),
        expires_at: Timestamp::UNIX_EPOCH,
    };
    let shown = format!("{credentials:?}");
    assert!(
        shown.contains("ASIAEXAMPLE") && !shown.contains("planted"),
        "{shown}"
    );
}
