//! An endpoint with DynamoDB only.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use jiff::Timestamp;
use rolecall_policy::{CompiledPolicy, Context, Document, DocumentKind, Policies, Principal};
use rolecall_service::{Access, Caller, Needs, Origin, RequestContext, Service, ServiceError, gate};
use rolecall_service_dynamodb::DynamoDb;
use rolecall_store::{EmbeddedStore, Store};
use rolecall_wire::Value;
use serde_json::{Value as Json, json};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-west-1";
/// 2026-11-24T00:00:00Z
const NOW: i64 = 1_795_478_400_000;

pub(crate) struct Endpoint {
    pub(crate) service: Arc<DynamoDb>,
    pub(crate) now: i64,
}

/// An error as a test compares it.
#[derive(Debug, PartialEq)]
pub(crate) struct Failed {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) fields: Json,
}

impl Endpoint {
    pub(crate) fn new() -> Self {
        Self::over(Arc::new(EmbeddedStore::in_memory().unwrap()))
    }

    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        Self {
            service: DynamoDb::open(store).unwrap(),
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
        input: Json,
    ) -> Result<Json, ServiceError> {
        let model = self.service.model().operation(operation).unwrap();
        let context = self.context(principal.clone());
        let prepared = self
            .service
            .clone()
            .prepare(model, to_value(input), context)
            .await?;
        let policies = Policies {
            identity: policies,
            ..Policies::default()
        };
        match gate::authorise(&principal, &Context::new(), policies, ACCOUNT, prepared.needs) {
            Ok(permit) => prepared.call.run(permit).await.map(|value| to_json(&value)),
            Err(denial) => Err(ServiceError::new("AccessDeniedException", 400, denial.message)),
        }
    }

    /// As the account's root user, who may do everything.
    pub(crate) async fn call(&self, operation: &str, input: Json) -> Result<Json, ServiceError> {
        let root = Principal::Root {
            account: ACCOUNT.to_owned(),
        };
        self.call_as(root, &[], operation, input).await
    }

    /// As a user with one policy of these statements.
    pub(crate) async fn call_with(
        &self,
        statements: Json,
        operation: &str,
        input: Json,
    ) -> Result<Json, ServiceError> {
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
    pub(crate) async fn needs(&self, operation: &str, input: Json) -> Vec<Access> {
        let model = self.service.model().operation(operation).unwrap();
        let context = self.context(Principal::Anonymous);
        let prepared = self
            .service
            .clone()
            .prepare(model, to_value(input), context)
            .await
            .unwrap();
        match prepared.needs {
            Needs::Accesses(accesses) => accesses,
            Needs::Always { .. } => panic!("nothing in DynamoDB is always allowed"),
        }
    }

    pub(crate) async fn ok(&self, operation: &str, input: Json) -> Json {
        match self.call(operation, input.clone()).await {
            Ok(output) => output,
            Err(error) => panic!("{operation} {input}: {error}"),
        }
    }

    pub(crate) async fn fails(&self, operation: &str, input: Json) -> Failed {
        match self.call(operation, input.clone()).await {
            Ok(output) => panic!("{operation} {input} gave {output}"),
            Err(error) => Failed {
                code: error.code().to_owned(),
                message: error.message().to_owned(),
                fields: Json::Object(
                    error
                        .fields()
                        .iter()
                        .map(|(name, value)| (name.to_string(), to_json(value)))
                        .collect(),
                ),
            },
        }
    }

    /// The message of a `ValidationException`.
    pub(crate) async fn invalid(&self, operation: &str, input: Json) -> String {
        let failed = self.fails(operation, input).await;
        assert_eq!(failed.code, "ValidationException", "{failed:?}");
        failed.message
    }

    /// A table `orders` with partition key `id` (S), and sort key `at` (N) if `sorted`.
    pub(crate) async fn table(&self, name: &str, sorted: bool) {
        let mut attributes = vec![json!({"AttributeName": "id", "AttributeType": "S"})];
        let mut key = vec![json!({"AttributeName": "id", "KeyType": "HASH"})];
        if sorted {
            attributes.push(json!({"AttributeName": "at", "AttributeType": "N"}));
            key.push(json!({"AttributeName": "at", "KeyType": "RANGE"}));
        }
        let input = json!({
            "TableName": name, "AttributeDefinitions": attributes, "KeySchema": key, "BillingMode": "PAY_PER_REQUEST",
        });
        self.ok("CreateTable", input).await;
    }

    pub(crate) async fn put(&self, table: &str, item: Json) {
        self.ok("PutItem", json!({"TableName": table, "Item": item}))
            .await;
    }

    pub(crate) async fn get(&self, table: &str, key: Json) -> Json {
        self.ok("GetItem", json!({"TableName": table, "Key": key})).await["Item"].clone()
    }
}

fn to_value(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Boolean(truth),
        Json::Number(number) => Value::Integer(number.as_i64().unwrap()),
        Json::String(text) => Value::String(text),
        Json::Array(elements) => Value::List(elements.into_iter().map(to_value).collect()),
        Json::Object(members) => Value::Map(
            members
                .into_iter()
                .map(|(name, value)| (name.into(), to_value(value)))
                .collect(),
        ),
    }
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(truth) => json!(truth),
        Value::Integer(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::String(text) => json!(text),
        Value::Blob(bytes) => json!(bytes.to_vec()),
        Value::Timestamp(time) => json!(time.to_string()),
        Value::List(elements) => elements.iter().map(to_json).collect(),
        Value::Map(entries) => Json::Object(
            entries
                .iter()
                .map(|(name, value)| (name.to_string(), to_json(value)))
                .collect(),
        ),
        Value::Stream(_) => panic!("DynamoDB has no streams of bytes"),
    }
}
