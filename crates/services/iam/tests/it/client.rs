//! A caller of the service: prepare, gate, run, as the gateway does it.

use std::sync::Arc;

use jiff::Timestamp;
use rolecall_identity::{Directory, DirectoryOptions, Holder, NewUser, ResolvedKey, RootCredentials, Secret};
use rolecall_policy::Context;
use rolecall_service::{
    Caller, Decided, Denial, Origin, Prepared, RequestContext, Service, ServiceError, SessionFacts, gate,
};
use rolecall_service_iam::Iam;
use rolecall_store::EmbeddedStore;
use rolecall_wire::Value;

pub(crate) const ACCOUNT: &str = "123456789012";
const ROOT: &str = "AKIAROOTROOTROOTROOT";

/// What a call came to.
#[derive(Debug)]
pub(crate) enum Answer {
    Output(Value),
    Denied(Box<Denial>),
    Failed(ServiceError),
}

impl Answer {
    pub(crate) fn output(self) -> Value {
        match self {
            Self::Output(value) => value,
            Self::Denied(denial) => panic!("denied: {}", denial.message),
            Self::Failed(error) => panic!("failed: {error}"),
        }
    }

    pub(crate) fn denial(self) -> String {
        match self {
            Self::Denied(denial) => denial.message,
            other => panic!("not denied: {other:?}"),
        }
    }

    /// Code and message of an error.
    pub(crate) fn error(self) -> (String, String) {
        match self {
            Self::Failed(error) => (error.code().to_owned(), error.message().to_owned()),
            other => panic!("no error: {other:?}"),
        }
    }
}

/// IAM and somebody who calls it.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) directory: Arc<Directory>,
    service: Arc<Iam>,
    key: ResolvedKey,
}

impl Client {
    /// The root user of a new account.
    pub(crate) async fn root() -> Self {
        let root = RootCredentials {
            access_key_id: ROOT.to_owned(),
            secret: Secret::new("secret"),
        };
        let store = Arc::new(EmbeddedStore::in_memory().unwrap());
        let options = DirectoryOptions {
            root_credentials: Some(root),
        };
        let directory = Directory::open(store, ACCOUNT, options).await.unwrap();
        let key = directory.resolve_key(ROOT, None, now()).unwrap();
        Self {
            service: Iam::new(Arc::clone(&directory)),
            directory,
            key,
        }
    }

    /// A new user with one inline policy.
    pub(crate) async fn user(&self, name: &str, policy: &str) -> Self {
        let new = NewUser {
            name: name.to_owned(),
            ..NewUser::default()
        };
        self.directory.create_user(new, now()).await.unwrap();
        self.directory
            .put_inline_policy(Holder::User(name), "policy", policy)
            .await
            .unwrap();
        let key = self.directory.create_access_key(name, now()).await.unwrap();
        self.with_key(&key.id, None)
    }

    pub(crate) fn with_key(&self, id: &str, token: Option<&str>) -> Self {
        let key = self.directory.resolve_key(id, token, now()).unwrap();
        Self { key, ..self.clone() }
    }

    pub(crate) fn service(&self) -> &Iam {
        &self.service
    }

    async fn prepare(&self, operation: &str, input: Value) -> Result<Prepared, ServiceError> {
        let model = self.service.model();
        let operation = model
            .operations
            .iter()
            .find(|candidate| candidate.name == operation)
            .unwrap();
        Arc::clone(&self.service)
            .prepare(operation, input, Arc::new(self.context()))
            .await
    }

    fn context(&self) -> RequestContext {
        let key = &self.key;
        let session = key.session.as_ref().map(|session| SessionFacts {
            issued_at: session.issued_at,
            expires_at: session.expires_at,
            source_identity: session.source_identity.clone(),
            multi_factor: session.multi_factor,
            transitive_tag_keys: session.transitive_tag_keys.clone(),
        });
        let caller = Caller {
            principal: key.principal.clone(),
            access_key_id: Some(key.access_key_id.clone()),
            session,
            tags: key.tags.clone(),
            invoked_by: None,
        };
        RequestContext {
            request_id: "11111111-2222-4333-8444-555555555555".to_owned(),
            account: ACCOUNT.into(),
            region: "us-east-1".into(),
            caller: Arc::new(caller),
            time: now(),
            origin: Origin::Network {
                address: [127, 0, 0, 1].into(),
            },
            user_agent: "test".to_owned(),
            secure_transport: false,
            endpoint: "http://127.0.0.1:4566".into(),
            request_keys: Vec::new(),
        }
    }

    /// Makes a call.
    pub(crate) async fn call(&self, operation: &str, input: Value) -> Answer {
        let prepared = match self.prepare(operation, input).await {
            Ok(prepared) => prepared,
            Err(error) => return Answer::Failed(error),
        };
        let policies = self.directory.policies_for_key(&self.key);
        let permit = match gate::authorise(
            &self.key.principal,
            &Context::new(),
            policies.view(),
            ACCOUNT,
            prepared.needs,
        ) {
            Ok(permit) => permit,
            Err(denial) => return Answer::Denied(denial),
        };
        match prepared.call.run(permit).await {
            Ok(value) => Answer::Output(value),
            Err(error) => Answer::Failed(error),
        }
    }

    /// What a call would need, without making it.
    pub(crate) async fn needs(&self, operation: &str, input: Value) -> Vec<Decided> {
        let prepared = self
            .prepare(operation, input)
            .await
            .unwrap_or_else(|error| panic!("{operation}: {error}"));
        let policies = self.directory.policies_for_key(&self.key);
        gate::authorise(
            &self.key.principal,
            &Context::new(),
            policies.view(),
            ACCOUNT,
            prepared.needs,
        )
        .unwrap()
        .into_decided()
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

/// A structure of strings.
pub(crate) fn strings<const N: usize>(members: [(&'static str, &str); N]) -> Value {
    Value::Map(
        members
            .into_iter()
            .map(|(name, text)| (name.into(), text.into()))
            .collect(),
    )
}

/// `value` with one more member.
pub(crate) fn with(value: Value, name: &'static str, member: impl Into<Value>) -> Value {
    let Value::Map(mut entries) = value else {
        panic!("no structure")
    };
    entries.push((name.into(), member.into()));
    Value::Map(entries)
}

/// A list of tags.
pub(crate) fn tags<const N: usize>(tags: [(&str, &str); N]) -> Value {
    Value::List(
        tags.into_iter()
            .map(|(key, value)| strings([("Key", key), ("Value", value)]))
            .collect(),
    )
}

/// The string at `path`, member names and list positions separated by dots.
pub(crate) fn text(value: &Value, path: &str) -> String {
    member(value, path)
        .as_str()
        .unwrap_or_else(|| panic!("{path} is no string"))
        .to_owned()
}

pub(crate) fn member<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.')
        .fold(value, |value, step| match step.parse::<usize>() {
            Ok(position) => &value
                .as_list()
                .unwrap_or_else(|| panic!("{path}: no list at {step}"))[position],
            Err(_) => value
                .get(step)
                .unwrap_or_else(|| panic!("{path}: no member {step}")),
        })
}

pub(crate) fn is_truncated(value: &Value) -> bool {
    matches!(member(value, "IsTruncated"), Value::Boolean(true))
}
