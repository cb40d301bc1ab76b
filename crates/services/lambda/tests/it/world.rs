//! Lambda with everything it needs, and those who call it.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use rolecall_identity::{
    Directory, DirectoryOptions, Holder, NewRole, NewUser, ResolvedKey, RootCredentials, Secret,
};
use rolecall_policy::Context;
use rolecall_runtime::{Interpreters, NoProgress, Ports, Runtime, RuntimeIdentifier, RuntimeOptions};
use rolecall_service::{
    BoxFuture, Caller, CredentialsSource, Denial, EndpointConnector, FunctionOrigin, LogLine, LogSink, Needs,
    ObjectStore, Origin, RequestContext, RoleCheck, Service, ServiceError, SessionCredentials, gate,
};
use rolecall_service_lambda::{Lambda, LambdaOptions};
use rolecall_store::{EmbeddedStore, Store};
use rolecall_wire::{ByteStream, Value};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/lambda";
const ROOT: &str = "AKIAROOTROOTROOTROOT";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;
const NO_TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;

/// Answers what the other services would.
struct Others {
    directory: Arc<Directory>,
    object: Mutex<Option<Bytes>>,
    lines: Mutex<Vec<String>>,
}

impl CredentialsSource for Others {
    fn assume(&self, _: &FunctionOrigin) -> BoxFuture<'static, Result<SessionCredentials, ServiceError>> {
        Box::pin(async {
            Ok(SessionCredentials {
                access_key_id: "ASIA0000000000000000".to_owned(),
                secret_access_key: "secret".to_owned(),
                session_token: "token".to_owned(),
                expires_at: Timestamp::now() + SignedDuration::from_hours(1),
            })
        })
    }
}

impl LogSink for Others {
    fn write(
        &self,
        _: &FunctionOrigin,
        group: &str,
        _: &str,
        lines: Vec<LogLine>,
    ) -> BoxFuture<'static, Result<(), ServiceError>> {
        self.lines
            .lock()
            .unwrap()
            .extend(lines.into_iter().map(|line| format!("{group} {}", line.message)));
        Box::pin(async { Ok(()) })
    }
}

impl EndpointConnector for Others {
    fn serve(&self, _: std::net::TcpStream, _: Arc<FunctionOrigin>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

impl ObjectStore for Others {
    fn get_object(
        &self,
        _: &RequestContext,
        _: &str,
        key: &str,
        _: Option<&str>,
    ) -> BoxFuture<'static, Result<ByteStream, ServiceError>> {
        let answer = match (key, self.object.lock().unwrap().clone()) {
            ("secret.zip", _) => Err(ServiceError::new("AccessDenied", 403, "Access Denied")),
            (_, Some(object)) => Ok(ByteStream::from(object)),
            (_, None) => Err(ServiceError::new(
                "NoSuchKey",
                404,
                "The specified key does not exist.",
            )),
        };
        Box::pin(async { answer })
    }
}

impl RoleCheck for Others {
    fn may_assume(&self, service: &'static str, role_arn: &str) -> bool {
        self.directory.may_assume(service, role_arn)
    }
}

/// What a call came to.
#[derive(Debug)]
pub(crate) enum Answer {
    Output(Value),
    Denied(Box<Denial>),
    Failed(ServiceError),
}

impl Answer {
    #[track_caller]
    pub(crate) fn output(self) -> Value {
        match self {
            Self::Output(value) => value,
            Self::Denied(denial) => panic!("denied: {}", denial.message),
            Self::Failed(error) => panic!("failed: {error}"),
        }
    }

    #[track_caller]
    pub(crate) fn denial(self) -> String {
        match self {
            Self::Denied(denial) => denial.message,
            other => panic!("not denied: {other:?}"),
        }
    }

    /// Code, status and message of an error.
    #[track_caller]
    pub(crate) fn error(self) -> (String, u16, String) {
        match self {
            Self::Failed(error) => (
                error.code().to_owned(),
                error.status(),
                error.message().to_owned(),
            ),
            other => panic!("no error: {other:?}"),
        }
    }
}

/// Lambda and somebody who calls it.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) directory: Arc<Directory>,
    pub(crate) runtime: Arc<Runtime>,
    lambda: Arc<Lambda>,
    others: Arc<Others>,
    store: Arc<dyn Store>,
    data: Arc<tempfile::TempDir>,
    key: ResolvedKey,
}

impl World {
    /// The root user of a new account with the roles `lambda` and `distrustful`.
    pub(crate) async fn new() -> Self {
        let root = RootCredentials {
            access_key_id: ROOT.to_owned(),
            secret: Secret::new("secret"),
        };
        let store: Arc<dyn Store> = Arc::new(EmbeddedStore::in_memory().unwrap());
        let options = DirectoryOptions {
            root_credentials: Some(root),
        };
        let directory = Directory::open(Arc::clone(&store), ACCOUNT, options)
            .await
            .unwrap();
        for (name, trust) in [("lambda", TRUST), ("distrustful", NO_TRUST)] {
            let role = NewRole {
                name: name.to_owned(),
                trust: trust.to_owned(),
                ..NewRole::default()
            };
            directory.create_role(role, now()).await.unwrap();
        }
        let key = directory.resolve_key(ROOT, None, now()).unwrap();
        let others = Arc::new(Others {
            directory: Arc::clone(&directory),
            object: Mutex::default(),
            lines: Mutex::default(),
        });
        let ports = Ports {
            credentials: others.clone(),
            logs: others.clone(),
            endpoint: others.clone(),
        };
        // Shared between runs, so that the runtime's packages are installed once.
        let packages = std::env::temp_dir().join("rolecall-runtime-tests");
        let runtime = Runtime::new(
            RuntimeOptions::new(packages, "us-east-1"),
            ports,
            Arc::new(NoProgress),
        )
        .unwrap();
        let data = Arc::new(tempfile::tempdir().unwrap());
        // The folder of a test is only its owner's; functions run as somebody else.
        open_for_all(data.path());
        let lambda = open(data.path(), &store, &runtime, &directory, &others).await;
        Self {
            directory,
            runtime,
            lambda,
            others,
            store,
            data,
            key,
        }
    }

    /// Lambda opened anew over the same data.
    pub(crate) async fn restarted(&self) -> Self {
        let lambda = open(
            self.data.path(),
            &self.store,
            &self.runtime,
            &self.directory,
            &self.others,
        )
        .await;
        Self {
            lambda,
            ..self.clone()
        }
    }

    /// A new user with one inline policy.
    pub(crate) async fn user(&self, name: &str, statements: &str) -> Self {
        let new = NewUser {
            name: name.to_owned(),
            ..NewUser::default()
        };
        self.directory.create_user(new, now()).await.unwrap();
        let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        self.directory
            .put_inline_policy(Holder::User(name), "policy", &policy)
            .await
            .unwrap();
        let key = self.directory.create_access_key(name, now()).await.unwrap();
        Self {
            key: self.directory.resolve_key(&key.id, None, now()).unwrap(),
            ..self.clone()
        }
    }

    /// Removes a user that [`user`](Self::user) made.
    pub(crate) async fn delete_user(&self, name: &str) {
        for key in self.directory.access_keys(name).unwrap() {
            self.directory.delete_access_key(name, &key.id).await.unwrap();
        }
        self.directory
            .delete_inline_policy(Holder::User(name), "policy")
            .await
            .unwrap();
        self.directory.delete_user(name).await.unwrap();
    }

    /// What S3 has under every key but `secret.zip`.
    pub(crate) fn put_object(&self, object: Bytes) {
        *self.others.object.lock().unwrap() = Some(object);
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.others.lines.lock().unwrap().clone()
    }

    pub(crate) fn folders_of_code(&self) -> usize {
        std::fs::read_dir(self.data.path().join("code"))
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().is_dir())
            .count()
    }

    fn context(&self) -> RequestContext {
        let caller = Caller {
            principal: self.key.principal.clone(),
            access_key_id: Some(self.key.access_key_id.clone()),
            session: None,
            tags: self.key.tags.clone(),
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

    /// Action and resource of everything a call needs.
    pub(crate) async fn needs(&self, operation: &str, input: Value) -> Vec<(String, String)> {
        match self.prepare(operation, input).await.unwrap().needs {
            Needs::Accesses(accesses) => accesses
                .into_iter()
                .map(|access| (access.action.into_owned(), access.resource))
                .collect(),
            Needs::Always { .. } => panic!("{operation} needs nothing"),
        }
    }

    async fn prepare(
        &self,
        operation: &str,
        input: Value,
    ) -> Result<rolecall_service::Prepared, ServiceError> {
        let operation = self
            .lambda
            .model()
            .operations
            .iter()
            .find(|candidate| candidate.name == operation)
            .unwrap();
        Arc::clone(&self.lambda)
            .prepare(operation, input, Arc::new(self.context()))
            .await
    }

    /// Operations that the model has shapes for.
    pub(crate) fn served_operations(&self) -> Vec<&'static str> {
        let operations = self.lambda.model().operations.iter();
        operations
            .filter(|operation| operation.served)
            .map(|operation| operation.name)
            .collect()
    }

    /// Creates `name` from `code` as `app.py`.
    pub(crate) async fn create(&self, name: &str, code: &str) -> Value {
        self.call("CreateFunction", creation(name, code)).await.output()
    }

    /// Invokes and answers everything.
    pub(crate) async fn invoke(&self, name: &str, payload: &str) -> Value {
        let input = structure([
            ("FunctionName", text(name)),
            ("Payload", blob(payload.as_bytes())),
        ]);
        self.call("Invoke", input).await.output()
    }
}

async fn open(
    data: &Path,
    store: &Arc<dyn Store>,
    runtime: &Arc<Runtime>,
    directory: &Arc<Directory>,
    others: &Arc<Others>,
) -> Arc<Lambda> {
    let options = LambdaOptions {
        data: data.to_owned(),
        region: "us-east-1".to_owned(),
        account: ACCOUNT.to_owned(),
    };
    Lambda::open(
        options,
        Arc::clone(store),
        Arc::clone(runtime),
        Arc::clone(directory),
        others.clone(),
        others.clone(),
    )
    .await
    .unwrap()
}

fn open_for_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

pub(crate) fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

/// A Python of this machine.
pub(crate) fn python() -> String {
    let found = Interpreters::new();
    let minor = [11, 12, 13, 10, 14, 9]
        .into_iter()
        .find(|minor| found.python(*minor).is_ok())
        .unwrap_or_else(|| panic!("these tests need python3.9 to python3.14"));
    RuntimeIdentifier::Python(minor).to_string()
}

/// A zip with these files.
pub(crate) fn package(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The input of `CreateFunction` for `code` as `app.py`.
pub(crate) fn creation(name: &str, code: &str) -> Value {
    structure([
        ("FunctionName", text(name)),
        ("Runtime", text(&python())),
        ("Role", text(ROLE)),
        ("Handler", text("app.handler")),
        (
            "Code",
            structure([("ZipFile", blob(&package(&[("app.py", code)])))]),
        ),
    ])
}

pub(crate) fn structure<const N: usize>(members: [(&'static str, Value); N]) -> Value {
    Value::Map(
        members
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect(),
    )
}

/// `value` with one member set.
pub(crate) fn with(value: Value, name: &'static str, member: impl Into<Value>) -> Value {
    let Value::Map(mut entries) = value else {
        panic!("no structure")
    };
    entries.retain(|(key, _)| key != name);
    entries.push((name.into(), member.into()));
    Value::Map(entries)
}

pub(crate) fn text(text: &str) -> Value {
    Value::from(text)
}

pub(crate) fn blob(bytes: &[u8]) -> Value {
    Value::Blob(Bytes::copy_from_slice(bytes))
}

/// The text at a path of member names.
#[track_caller]
pub(crate) fn get<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    let mut value = value;
    for name in path {
        value = value
            .get(name)
            .unwrap_or_else(|| panic!("{name} is missing in {value:?}"));
    }
    value.as_str().unwrap()
}

/// The payload of an answered invocation.
#[track_caller]
pub(crate) fn payload(output: &Value) -> String {
    match output.get("Payload") {
        Some(Value::Blob(bytes)) => String::from_utf8(bytes.to_vec()).unwrap(),
        Some(Value::Stream(stream)) => {
            String::from_utf8(stream.read_all(10_000_000).unwrap().to_vec()).unwrap()
        }
        other => panic!("no payload: {other:?}"),
    }
}
