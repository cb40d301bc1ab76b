//! A caller of the service: prepare, gate, run, as the gateway does it.

use std::path::Path;
use std::sync::Arc;

use rolecall_identity::{Directory, DirectoryOptions, NewUser};
use rolecall_policy::{CompiledPolicy, Context, Document, DocumentKind, Policies, Principal};
use rolecall_service::{
    Caller, Decided, Needs, Origin, Prepared, RequestContext, Service, ServiceError, gate,
};
use rolecall_service_s3::{S3, S3Options};
use rolecall_store::{EmbeddedStore, Store};
use rolecall_wire::{ByteStream, Entries, Value};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const ALLOW_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;

/// S3 and somebody who calls it.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) folder: Arc<tempfile::TempDir>,
    service: Arc<S3>,
    principal: Principal,
    policies: Vec<Arc<CompiledPolicy>>,
    region: &'static str,
}

/// Why a call did not succeed.
#[derive(Debug)]
pub(crate) enum Refusal {
    Denied(String),
    Failed(ServiceError),
}

impl Client {
    /// The user `ann`, who may do everything with S3, in a new account with a bucket called `orders`.
    pub(crate) async fn new() -> Self {
        let store: Arc<dyn Store> = Arc::new(EmbeddedStore::in_memory().unwrap());
        let directory = Directory::open(Arc::clone(&store), ACCOUNT, DirectoryOptions::default())
            .await
            .unwrap();
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let new = NewUser {
            name: "ann".to_owned(),
            ..NewUser::default()
        };
        let user = directory
            .create_user(new, "2026-11-24T09:00:00Z".parse().unwrap())
            .await
            .unwrap();
        let client = Self {
            service: open(folder.path(), &store, &directory).await,
            store,
            directory,
            folder,
            principal: Principal::User {
                account: ACCOUNT.to_owned(),
                arn: user.arn.clone(),
                name: "ann".to_owned(),
                id: Some(user.id.clone()),
            },
            policies: Vec::new(),
            region: "us-east-1",
        }
        .with_policy(ALLOW_ALL);
        client.call("CreateBucket", bucket()).await.unwrap();
        client
    }

    /// The same user with another policy.
    pub(crate) fn with_policy(&self, policy: &str) -> Self {
        let document = Document::parse(policy, DocumentKind::Identity).unwrap();
        Self {
            policies: vec![Arc::new(CompiledPolicy::compile(&document, "policy"))],
            ..self.clone()
        }
    }

    /// Somebody else, without policies.
    pub(crate) fn as_principal(&self, principal: Principal) -> Self {
        Self {
            principal,
            policies: Vec::new(),
            ..self.clone()
        }
    }

    pub(crate) fn service(&self) -> &S3 {
        &self.service
    }

    pub(crate) fn in_region(&self, region: &'static str) -> Self {
        Self {
            region,
            ..self.clone()
        }
    }

    /// The service as it is after a restart.
    pub(crate) async fn reopened(&self) -> Self {
        Self {
            service: open(self.folder.path(), &self.store, &self.directory).await,
            ..self.clone()
        }
    }

    async fn prepare(&self, operation: &str, input: Entries) -> Result<Prepared, ServiceError> {
        let operations = self.service.model().operations;
        let operation = operations
            .iter()
            .find(|candidate| candidate.name == operation)
            .unwrap();
        let caller = Caller {
            principal: self.principal.clone(),
            ..Caller::anonymous()
        };
        let context = RequestContext {
            request_id: "11111111-2222-4333-8444-555555555555".to_owned(),
            account: ACCOUNT.into(),
            region: self.region.into(),
            caller: Arc::new(caller),
            time: "2026-11-24T10:00:00Z".parse().unwrap(),
            origin: Origin::Network {
                address: [127, 0, 0, 1].into(),
            },
            user_agent: "test".to_owned(),
            secure_transport: false,
            endpoint: "http://127.0.0.1:4566".into(),
            request_keys: Vec::new(),
        };
        Arc::clone(&self.service)
            .prepare(operation, Value::Map(input), Arc::new(context))
            .await
    }

    fn authorise(&self, needs: Needs) -> Result<gate::Permit, Box<gate::Denial>> {
        let policies = Policies {
            identity: &self.policies,
            ..Policies::default()
        };
        gate::authorise(&self.principal, &Context::new(), policies, ACCOUNT, needs)
    }

    /// Makes a call.
    pub(crate) async fn call(&self, operation: &str, input: Entries) -> Result<Value, Refusal> {
        let prepared = self.prepare(operation, input).await.map_err(Refusal::Failed)?;
        let permit = self
            .authorise(prepared.needs)
            .map_err(|denial| Refusal::Denied(denial.message))?;
        prepared.call.run(permit).await.map_err(Refusal::Failed)
    }

    /// The code of the error a call gives.
    pub(crate) async fn code(&self, operation: &str, input: Entries) -> String {
        match self.call(operation, input).await {
            Err(Refusal::Failed(error)) => error.code().to_owned(),
            Err(Refusal::Denied(message)) => panic!("{operation} was denied: {message}"),
            Ok(output) => panic!("{operation} succeeded: {output:?}"),
        }
    }

    /// What a call needs, without making it.
    pub(crate) async fn needs(&self, operation: &str, input: Entries) -> Vec<Decided> {
        let prepared = self.prepare(operation, input).await.unwrap();
        self.authorise(prepared.needs).unwrap().into_decided()
    }

    pub(crate) async fn put(&self, key: &str, body: &str) {
        let input = with(object(key), [("Body", stream(body.as_bytes()))]);
        self.call("PutObject", input).await.unwrap();
    }

    /// The bytes of an object.
    pub(crate) async fn get(&self, key: &str) -> String {
        let output = self.call("GetObject", object(key)).await.unwrap();
        body(&output)
    }
}

async fn open(folder: &Path, store: &Arc<dyn Store>, directory: &Arc<Directory>) -> Arc<S3> {
    let options = S3Options {
        data: folder.join("objects"),
        region: "us-east-1".to_owned(),
        account: ACCOUNT.to_owned(),
    };
    S3::open(options, Arc::clone(store), Arc::clone(directory))
        .await
        .unwrap()
}

pub(crate) fn body(output: &Value) -> String {
    let Some(Value::Stream(stream)) = output.get("Body") else {
        panic!("no body")
    };
    String::from_utf8(stream.read_all(usize::MAX).unwrap().to_vec()).unwrap()
}

pub(crate) fn stream(bytes: &[u8]) -> Value {
    Value::Stream(ByteStream::from(bytes.to_vec()))
}

/// The bucket `orders`.
pub(crate) fn bucket() -> Entries {
    map([("Bucket", "orders".into())])
}

/// An object in it.
pub(crate) fn object(key: &str) -> Entries {
    map([("Bucket", "orders".into()), ("Key", key.into())])
}

pub(crate) fn map<const N: usize>(members: [(&'static str, Value); N]) -> Entries {
    members
        .into_iter()
        .map(|(name, value)| (name.into(), value))
        .collect()
}

pub(crate) fn with<const N: usize>(mut entries: Entries, members: [(&'static str, Value); N]) -> Entries {
    entries.extend(map(members));
    entries
}

pub(crate) fn text(value: &Value, member: &str) -> String {
    value
        .get(member)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no text {member}"))
        .to_owned()
}

/// The texts called `member` of the structures in the list called `list`.
pub(crate) fn texts(value: &Value, list: &str, member: &str) -> Vec<String> {
    value
        .get(list)
        .and_then(Value::as_list)
        .unwrap_or_default()
        .iter()
        .map(|element| text(element, member))
        .collect()
}
