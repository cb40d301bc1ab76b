//! Functions, and ports that remember what they were asked.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use rolecall_runtime::{
    FunctionSpec, Interpreters, Invocation, InvocationResult, NoProgress, Ports, Runtime, RuntimeIdentifier,
    RuntimeOptions,
};
use rolecall_service::{
    BoxFuture, CredentialsSource, EndpointConnector, FunctionOrigin, LogLine, LogSink, ServiceError,
    SessionCredentials,
};

/// Remembers every line and every assumed role; answers calls to AWS with the function's name.
pub(crate) struct Recorder {
    pub(crate) lines: Mutex<Vec<(String, String)>>,
    pub(crate) assumed: Mutex<Vec<String>>,
    pub(crate) lifetime: Mutex<SignedDuration>,
}

impl CredentialsSource for Recorder {
    fn assume(
        &self,
        function: &FunctionOrigin,
    ) -> BoxFuture<'static, Result<SessionCredentials, ServiceError>> {
        let mut assumed = self.assumed.lock().unwrap();
        assumed.push(function.role_arn.to_string());
        let credentials = SessionCredentials {
            access_key_id: format!("ASIA{:016}", assumed.len()),
            secret_access_key: "the-secret".to_owned(),
            session_token: "the-token".to_owned(),
            expires_at: Timestamp::now() + *self.lifetime.lock().unwrap(),
        };
        let role = function.role_arn.to_string();
        Box::pin(async move {
            if role.ends_with("/forbidden") {
                return Err(ServiceError::new("AccessDenied", 403, "no"));
            }
            Ok(credentials)
        })
    }
}

impl LogSink for Recorder {
    fn write(
        &self,
        _function: &FunctionOrigin,
        group: &str,
        stream: &str,
        lines: Vec<LogLine>,
    ) -> BoxFuture<'static, Result<(), ServiceError>> {
        let place = format!("{group} {stream}");
        self.lines
            .lock()
            .unwrap()
            .extend(lines.into_iter().map(|line| (place.clone(), line.message)));
        Box::pin(async { Ok(()) })
    }
}

impl EndpointConnector for Recorder {
    fn serve(&self, stream: std::net::TcpStream, function: Arc<FunctionOrigin>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let answer = move || {
                let mut stream = stream;
                stream.set_nonblocking(false)?;
                let mut request = [0; 4096];
                let _ = stream.read(&mut request)?;
                let body = &function.function_name;
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )
            };
            let _: Result<std::io::Result<()>, _> = tokio::task::spawn_blocking(answer).await;
        })
    }
}

/// A runtime with what it writes.
pub(crate) struct World {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) recorder: Arc<Recorder>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut RuntimeOptions)) -> Self {
        let recorder = Arc::new(Recorder {
            lines: Mutex::default(),
            assumed: Mutex::default(),
            lifetime: Mutex::new(SignedDuration::from_hours(1)),
        });
        // Shared between runs, so that the runtime's packages are installed once.
        let data = std::env::temp_dir().join("rolecall-runtime-tests");
        let mut options = RuntimeOptions::new(data, "eu-central-1");
        change(&mut options);
        let ports = Ports {
            credentials: recorder.clone(),
            logs: recorder.clone(),
            endpoint: recorder.clone(),
        };
        let runtime = Runtime::new(options, ports, Arc::new(NoProgress)).unwrap();
        Self { runtime, recorder }
    }

    pub(crate) async fn run(&self, function: &Function, payload: &str) -> InvocationResult {
        self.runtime
            .invoke(function.spec.clone(), invocation(payload))
            .await
            .unwrap()
    }

    /// Every line so far.
    pub(crate) async fn log(&self) -> Vec<String> {
        self.runtime.logs_written().await;
        self.recorder
            .lines
            .lock()
            .unwrap()
            .iter()
            .map(|(_, message)| message.clone())
            .collect()
    }
}

pub(crate) const REQUEST_ID: &str = "11111111-2222-4333-8444-555555555555";

pub(crate) fn invocation(payload: &str) -> Invocation {
    Invocation {
        request_id: REQUEST_ID.to_owned(),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        invoked_arn: "arn:aws:lambda:eu-central-1:123456789012:function:f".to_owned(),
        client_context: None,
        trace_id: None,
        log_tail: true,
    }
}

/// A function with its code.
pub(crate) struct Function {
    pub(crate) spec: Arc<FunctionSpec>,
    pub(crate) _code: tempfile::TempDir,
}

impl Function {
    pub(crate) fn change(mut self, change: impl FnOnce(&mut FunctionSpec)) -> Self {
        change(Arc::make_mut(&mut self.spec));
        self
    }
}

/// A Python of this machine; `ROLECALL_TEST_RUNTIME=python3.9` chooses another one.
pub(crate) fn python() -> RuntimeIdentifier {
    if let Ok(chosen) = std::env::var("ROLECALL_TEST_RUNTIME") {
        return chosen.parse().unwrap();
    }
    let found = Interpreters::new();
    let minor = [11, 12, 13, 10, 14, 9]
        .into_iter()
        .find(|minor| found.python(*minor).is_ok());
    RuntimeIdentifier::Python(minor.unwrap_or_else(|| panic!("these tests need python3.9 to python3.14")))
}

pub(crate) fn python_function(name: &str, code: &str) -> Function {
    function(name, python(), "app.handler", "app.py", code)
}

pub(crate) fn function(
    name: &str,
    runtime: RuntimeIdentifier,
    handler: &str,
    file: &str,
    code: &str,
) -> Function {
    let folder = tempfile::tempdir().unwrap();
    open_for_all(folder.path());
    let path = folder.path().join(file);
    std::fs::write(&path, code).unwrap();
    open_for_all(&path);
    let spec = FunctionSpec {
        arn: format!("arn:aws:lambda:eu-central-1:123456789012:function:{name}").into(),
        name: name.into(),
        version: "$LATEST".into(),
        revision: "1".into(),
        runtime,
        handler: handler.to_owned(),
        code: PathBuf::from(folder.path()),
        layers: Vec::new(),
        memory_mb: 128,
        timeout: Duration::from_secs(20),
        ephemeral_mb: 512,
        environment: BTreeMap::new(),
        role_arn: "arn:aws:iam::123456789012:role/lambda".into(),
        log_group: format!("/aws/lambda/{name}").into(),
        reserved_concurrency: None,
    };
    Function {
        spec: Arc::new(spec),
        _code: folder,
    }
}

fn open_for_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

pub(crate) fn text(result: &InvocationResult) -> String {
    String::from_utf8_lossy(&result.payload).into_owned()
}

pub(crate) fn json(result: &InvocationResult) -> serde_json::Value {
    serde_json::from_slice(&result.payload).unwrap()
}
