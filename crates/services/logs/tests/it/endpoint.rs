//! An endpoint with CloudWatch Logs only, and a clock that stands where a test puts it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use jiff::Timestamp;
use rolecall_policy::{CompiledPolicy, Context, Document, DocumentKind, Policies, Principal};
use rolecall_service::{Caller, Needs, Origin, RequestContext, Service, ServiceError, gate};
use rolecall_service_logs::Logs;
use rolecall_store::{EmbeddedStore, Store};
use rolecall_wire::Value;
use serde_json::json;

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-west-1";
/// 2026-11-24T00:00:00Z
pub(crate) const NOW: i64 = 1_795_478_400_000;
pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;

pub(crate) struct Endpoint {
    pub(crate) logs: Arc<Logs>,
    pub(crate) now: i64,
}

impl Endpoint {
    pub(crate) fn new() -> Self {
        Self::over(Arc::new(EmbeddedStore::in_memory().unwrap()))
    }

    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        Self {
            logs: Logs::open(store).unwrap(),
            now: NOW,
        }
    }

    fn context(&self, principal: Principal) -> Arc<RequestContext> {
        Arc::new(RequestContext {
            request_id: "00000000-0000-4000-8000-000000000000".to_owned(),
            account: ACCOUNT.into(),
            region: REGION.into(),
            caller: Arc::new(Caller {
                principal,
                ..Caller::anonymous()
            }),
            time: Timestamp::from_millisecond(self.now).unwrap(),
            origin: Origin::Network {
                address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            },
            user_agent: "test".to_owned(),
            secure_transport: false,
            endpoint: "http://127.0.0.1:4566".into(),
            request_keys: Vec::new(),
        })
    }

    async fn call_as(
        &self,
        principal: Principal,
        policies: &[Arc<CompiledPolicy>],
        operation: &str,
        input: serde_json::Value,
    ) -> Result<Value, ServiceError> {
        let model = self.logs.model().operation(operation).unwrap();
        let context = self.context(principal.clone());
        let prepared = self.logs.clone().prepare(model, to_value(input), context).await?;
        let policies = Policies {
            identity: policies,
            ..Policies::default()
        };
        match gate::authorise(&principal, &Context::new(), policies, ACCOUNT, prepared.needs) {
            Ok(permit) => prepared.call.run(permit).await,
            Err(denial) => Err(ServiceError::new("AccessDeniedException", 400, denial.message)),
        }
    }

    /// As the account's root user, who may do everything.
    pub(crate) async fn call(
        &self,
        operation: &str,
        input: serde_json::Value,
    ) -> Result<Value, ServiceError> {
        let root = Principal::Root {
            account: ACCOUNT.to_owned(),
        };
        self.call_as(root, &[], operation, input).await
    }

    /// As a user with one policy of these actions and resources.
    pub(crate) async fn call_with(
        &self,
        statements: &[(&str, &str)],
        operation: &str,
        input: serde_json::Value,
    ) -> Result<Value, ServiceError> {
        let statements: Vec<_> = statements
            .iter()
            .map(|(action, resource)| json!({"Effect": "Allow", "Action": action, "Resource": resource}))
            .collect();
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let document = Document::parse(&text, DocumentKind::Identity).unwrap();
        let user = Principal::User {
            account: ACCOUNT.to_owned(),
            arn: format!("arn:aws:iam::{ACCOUNT}:user/ada"),
            name: "ada".to_owned(),
            id: None,
        };
        let policy = Arc::new(CompiledPolicy::compile(&document, "test"));
        self.call_as(user, &[policy], operation, input).await
    }

    /// What the gate would be asked for.
    pub(crate) async fn needs(&self, operation: &str, input: serde_json::Value) -> Vec<(String, String)> {
        let model = self.logs.model().operation(operation).unwrap();
        let context = self.context(Principal::Anonymous);
        let prepared = self
            .logs
            .clone()
            .prepare(model, to_value(input), context)
            .await
            .unwrap();
        match prepared.needs {
            Needs::Accesses(accesses) => accesses
                .into_iter()
                .map(|access| (access.action.into_owned(), access.resource))
                .collect(),
            Needs::Always { .. } => panic!("nothing in CloudWatch Logs is always allowed"),
        }
    }

    pub(crate) async fn ok(&self, operation: &str, input: serde_json::Value) -> Value {
        match self.call(operation, input.clone()).await {
            Ok(output) => output,
            Err(error) => panic!("{operation} {input}: {error}"),
        }
    }

    /// The error's code and message.
    pub(crate) async fn fails(&self, operation: &str, input: serde_json::Value) -> (String, String) {
        match self.call(operation, input.clone()).await {
            Ok(output) => panic!("{operation} {input} gave {output:?}"),
            Err(error) => (error.code().to_owned(), error.message().to_owned()),
        }
    }

    pub(crate) async fn group(&self, group: &str) {
        self.ok("CreateLogGroup", json!({"logGroupName": group})).await;
    }

    pub(crate) async fn stream(&self, group: &str, stream: &str) {
        self.ok(
            "CreateLogStream",
            json!({"logGroupName": group, "logStreamName": stream}),
        )
        .await;
    }

    /// Writes lines at these times.
    pub(crate) async fn put(&self, group: &str, stream: &str, events: &[(i64, &str)]) -> Value {
        let events: Vec<_> = events
            .iter()
            .map(|(time, message)| json!({"timestamp": time, "message": message}))
            .collect();
        let input = json!({"logGroupName": group, "logStreamName": stream, "logEvents": events});
        self.ok("PutLogEvents", input).await
    }
}

fn to_value(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Boolean(truth),
        serde_json::Value::Number(number) => Value::Integer(number.as_i64().unwrap()),
        serde_json::Value::String(text) => Value::String(text),
        serde_json::Value::Array(elements) => Value::List(elements.into_iter().map(to_value).collect()),
        serde_json::Value::Object(members) => Value::Map(
            members
                .into_iter()
                .map(|(name, value)| (name.into(), to_value(value)))
                .collect(),
        ),
    }
}

pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no text {name} in {value:?}"))
}

pub(crate) fn integer(value: &Value, name: &str) -> i64 {
    match value.get(name) {
        Some(Value::Integer(integer)) => *integer,
        other => panic!("{name} is {other:?}"),
    }
}

pub(crate) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value
        .get(name)
        .and_then(Value::as_list)
        .unwrap_or_else(|| panic!("no list {name} in {value:?}"))
}

/// One text member of every element.
pub(crate) fn texts<'a>(value: &'a Value, list_name: &str, name: &str) -> Vec<&'a str> {
    list(value, list_name)
        .iter()
        .map(|element| text(element, name))
        .collect()
}
