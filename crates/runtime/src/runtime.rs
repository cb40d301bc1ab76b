//! Invoking functions.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use rolecall_sandbox::{ExitReason, Layer, Sandbox};
use rolecall_service::{CredentialsSource, EndpointConnector, FunctionOrigin, LogSink};
use tokio::sync::watch;

use crate::environment::{Environment, Identity, Initialised, MEMORY_INTERVAL};
use crate::error::{InvokeError, RuntimeError};
use crate::function::{FunctionSpec, Invocation, InvocationResult, RuntimeIdentifier};
use crate::identifier;
use crate::log::Log;
use crate::packages::Progress;
use crate::pool::Pool;
use crate::report::{Report, Status};
use crate::runtime_api::{Answer, Job, MAXIMUM_RESPONSE};
use crate::scaling::Scaling;
use crate::starter::{ExecStarter, StartError, Starter};
use crate::variables::variables;

/// How a [`Runtime`] works.
#[derive(Debug, Clone)]
pub struct RuntimeOptions {
    /// The server's data folder; runtimes are installed below it.
    pub data: PathBuf,
    /// Region that functions see.
    pub region: String,
    /// Invocations of one account at once; 1,000 in AWS.
    pub concurrency: u32,
    /// How long an environment waits for another event before it is ended.
    pub idle_limit: Duration,
    /// Time that initialisation has before the first event; ten seconds in AWS:
    /// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>
    pub init_limit: Duration,
    /// Optional layers of isolation that must not be missing.
    pub require: Vec<Layer>,
}

impl RuntimeOptions {
    /// AWS's limits; environments wait five minutes; every layer is used where the machine has it.
    pub fn new(data: impl Into<PathBuf>, region: impl Into<String>) -> Self {
        Self {
            data: data.into(),
            region: region.into(),
            concurrency: 1000,
            idle_limit: Duration::from_mins(5),
            init_limit: Duration::from_secs(10),
            require: Vec::new(),
        }
    }
}

/// What execution needs of the rest.
#[derive(Clone)]
pub struct Ports {
    /// Credentials of the execution role.
    pub credentials: Arc<dyn CredentialsSource>,
    /// Where logs go.
    pub logs: Arc<dyn LogSink>,
    /// Who serves a function's calls to AWS. The streams handed over are in non-blocking mode.
    pub endpoint: Arc<dyn EndpointConnector>,
}

/// Runs functions. Stops everything when it is [shut down](Self::shutdown) or dropped.
pub struct Runtime {
    options: RuntimeOptions,
    ports: Ports,
    starter: Arc<dyn Starter>,
    scaling: Arc<Scaling>,
    pool: Pool,
    next_environment: AtomicU64,
    stopping: AtomicBool,
    stop: watch::Sender<bool>,
    busy: watch::Sender<usize>,
    logs: std::sync::Mutex<Vec<Weak<Log>>>,
}

/// A function's failure as its caller sees it.
struct Failure {
    kind: String,
    body: Bytes,
    /// What the log says about it.
    line: Option<String>,
    timed_out: bool,
}

/// An environment that is ready, or the reason why there is none.
enum Started {
    Ready {
        environment: Environment,
        init: Option<Duration>,
    },
    Failed {
        log: Arc<Log>,
        failure: Failure,
        took: Duration,
        peak_mb: u32,
    },
}

impl Runtime {
    /// Runs functions in fresh sandboxes. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The sandbox cannot be prepared.
    pub fn new(
        options: RuntimeOptions,
        ports: Ports,
        progress: Arc<dyn Progress>,
    ) -> Result<Arc<Self>, InvokeError> {
        let sandbox = Arc::new(Sandbox::new()?);
        let starter = ExecStarter::new(sandbox, &options.data, progress, options.require.clone());
        Ok(Self::with_starter(options, ports, Arc::new(starter)))
    }

    /// Runs functions as `starter` starts them. Must be called within a tokio runtime.
    pub fn with_starter(options: RuntimeOptions, ports: Ports, starter: Arc<dyn Starter>) -> Arc<Self> {
        let runtime = Arc::new(Self {
            scaling: Scaling::new(options.concurrency),
            options,
            ports,
            starter,
            pool: Pool::default(),
            next_environment: AtomicU64::new(1),
            stopping: AtomicBool::new(false),
            stop: watch::Sender::new(false),
            busy: watch::Sender::new(0),
            logs: std::sync::Mutex::default(),
        });
        tokio::spawn(end_idle(Arc::downgrade(&runtime)));
        runtime
    }

    /// Whether this machine can run `runtime`; finds its interpreter but installs nothing. Blocks for a moment at first.
    ///
    /// # Errors
    /// Says what to install.
    pub fn check(&self, runtime: RuntimeIdentifier) -> Result<String, RuntimeError> {
        self.starter.runtime_version(runtime)
    }

    /// Installs what `runtime` needs, if it is not there yet, so that no invocation has to wait for it. Answers its version,
    /// such as `python:3.11.7`.
    ///
    /// # Errors
    /// Says what to install.
    pub async fn prepare(&self, runtime: RuntimeIdentifier) -> Result<String, InvokeError> {
        let starter = self.starter.clone();
        Ok(blocking(move || starter.prepare(runtime)).await??)
    }

    /// Runs a function on one event. It runs to its end even if the caller stops waiting, as in AWS.
    ///
    /// # Errors
    /// It could not be run; a function that ran and failed is a result.
    pub async fn invoke(
        self: &Arc<Self>,
        function: Arc<FunctionSpec>,
        invocation: Invocation,
    ) -> Result<InvocationResult, InvokeError> {
        if self.stopping.load(Ordering::Acquire) {
            return Err(InvokeError::ShuttingDown);
        }
        let slot = self
            .scaling
            .enter(&function.arn, function.reserved_concurrency)
            .map_err(|reason| InvokeError::Throttled { reason })?;
        let runtime = self.clone();
        let busy = Busy::new(&self.busy);
        let work = tokio::spawn(async move {
            let result = runtime.run(&function, &invocation).await;
            drop((slot, busy));
            result
        });
        work.await
            .unwrap_or_else(|error| Err(InvokeError::Internal(error.to_string())))
    }

    async fn run(
        &self,
        function: &FunctionSpec,
        invocation: &Invocation,
    ) -> Result<InvocationResult, InvokeError> {
        while let Some(environment) = self.pool.take(function) {
            // A warm environment that died before it had the event is none.
            if let Some(result) = self.work(function, invocation, environment, None).await {
                return Ok(result);
            }
        }
        match self.start(function, invocation).await? {
            Started::Ready { environment, init } => {
                let version = function.version.clone();
                let lost = InvokeError::Internal(format!(
                    "an environment of version {version} died before its first event"
                ));
                self.work(function, invocation, environment, init)
                    .await
                    .ok_or(lost)
            }
            Started::Failed {
                log,
                failure,
                took,
                peak_mb,
            } => {
                let report = Report::new(took, None, function.memory_mb, peak_mb);
                let result = finish(function, invocation, &log, report, Err(failure));
                log.close();
                Ok(result)
            }
        }
    }

    /// Starts an environment. Initialisation that fails before the event is tried once more within the invocation.
    async fn start(&self, function: &FunctionSpec, invocation: &Invocation) -> Result<Started, InvokeError> {
        let id = self.next_environment.fetch_add(1, Ordering::Relaxed);
        let generation = self.pool.generation(&function.arn);
        let origin = Arc::new(FunctionOrigin {
            function_arn: function.arn.clone(),
            function_name: function.name.clone(),
            role_arn: function.role_arn.clone(),
            runtime: function.runtime.to_string().into(),
            environment_id: id,
        });
        let credentials = self
            .ports
            .credentials
            .assume(&origin)
            .await
            .map_err(InvokeError::Credentials)?;
        let stream =
            log_stream(&function.version).map_err(|error| InvokeError::Internal(error.to_string()))?;
        let all = variables(function, &self.options.region, &stream, &credentials);
        let version = {
            let (starter, runtime) = (self.starter.clone(), function.runtime);
            blocking(move || starter.prepare(runtime)).await??
        };
        let log = Log::start(
            self.ports.logs.clone(),
            origin.clone(),
            function.log_group.clone(),
            stream,
        );
        self.remember(&log);
        log.platform(format!("INIT_START Runtime Version: {version}"));

        let mut first = true;
        loop {
            let limit = if first {
                self.options.init_limit
            } else {
                function.timeout
            };
            let begin = Instant::now();
            let process = {
                let (starter, function, all) = (self.starter.clone(), function.clone(), all.clone());
                blocking(move || starter.start(&function, all)).await?
            };
            let process = match process {
                Ok(process) => process,
                Err(StartError::Invoke(error)) => {
                    log.close();
                    return Err(error);
                }
                Err(StartError::Entrypoint(message)) => {
                    log.begin_tail();
                    log.platform(start_line(function, invocation));
                    let failure =
                        platform_failure("Runtime.InvalidEntrypoint", &invocation.request_id, &message);
                    return Ok(Started::Failed {
                        log,
                        failure,
                        took: begin.elapsed(),
                        peak_mb: 0,
                    });
                }
            };
            let identity = Identity {
                revision: function.revision.clone(),
                valid_until: credentials.expires_at,
                generation,
                origin: origin.clone(),
                log: log.clone(),
                alive: Busy::new(&self.busy),
            };
            let environment =
                Environment::serve(process, identity, self.ports.endpoint.clone()).map_err(|error| {
                    log.close();
                    InvokeError::Internal(error.to_string())
                })?;
            let initialised = tokio::select! {
                initialised = environment.initialised(limit) => initialised,
                () = self.stopped() => return Err(InvokeError::ShuttingDown),
            };
            let took = begin.elapsed();
            let failure = match initialised {
                // What a second try took is the function's own time, which AWS shows as duration. The report counts from
                // the delivery of the event, so it is given as initialisation here.
                Initialised::Ready => {
                    return Ok(Started::Ready {
                        environment,
                        init: Some(took),
                    });
                }
                Initialised::Reported { kind, body } => {
                    // The runtime ends by itself after its report; its last lines belong to the log.
                    let _ = tokio::time::timeout(Duration::from_secs(1), environment.exited()).await;
                    Failure {
                        kind,
                        body,
                        line: None,
                        timed_out: false,
                    }
                }
                Initialised::Exited(reason) => exit_failure(reason, &invocation.request_id),
                Initialised::TimedOut => timeout_failure(function, invocation),
            };
            let peak_mb = environment.peak_memory_mb();
            environment.kill();
            log.drain();
            let phase = if first { "init" } else { "invoke" };
            let status = if failure.timed_out {
                "timeout".to_owned()
            } else {
                format!("error\tError Type: {}", failure.kind)
            };
            let milliseconds = took.as_secs_f64() * 1000.0;
            log.platform(format!(
                "INIT_REPORT Init Duration: {milliseconds:.2} ms\tPhase: {phase}\tStatus: {status}"
            ));
            environment.end_without_log();
            if !first {
                return Ok(Started::Failed {
                    log,
                    failure,
                    took,
                    peak_mb,
                });
            }
            log.begin_tail();
            log.platform(start_line(function, invocation));
            first = false;
        }
    }

    /// Gives an environment the event and waits for what becomes of it; `None` when it died before it had the event.
    async fn work(
        &self,
        function: &FunctionSpec,
        invocation: &Invocation,
        environment: Environment,
        init: Option<Duration>,
    ) -> Option<InvocationResult> {
        let log = environment.log.clone();
        log.drain();
        let deadline = Timestamp::now()
            .checked_add(function.timeout)
            .unwrap_or(Timestamp::MAX);
        let delivered_before = *environment.api.delivered().borrow();
        let answer = environment.api.assign(Job {
            request_id: invocation.request_id.clone(),
            deadline_ms: deadline.as_millisecond(),
            invoked_arn: invocation.invoked_arn.clone(),
            trace_id: invocation.trace_id.clone().unwrap_or_else(new_trace_id),
            client_context: invocation.client_context.clone(),
            payload: invocation.payload.clone(),
        });
        log.begin_tail();
        log.platform(start_line(function, invocation));
        let begin = Instant::now();
        let mut ticks = tokio::time::interval(MEMORY_INTERVAL);
        let mut answer = std::pin::pin!(answer);
        let mut timeout = std::pin::pin!(tokio::time::sleep(function.timeout));
        let outcome = loop {
            tokio::select! {
                biased;
                answer = &mut answer => break match answer {
                    Ok(answer) => answered(answer, invocation),
                    Err(_) => Err(exit_failure(ExitReason::Killed, &invocation.request_id)),
                },
                reason = environment.exited() => {
                    if *environment.api.delivered().borrow() == delivered_before {
                        return None;
                    }
                    break Err(exit_failure(reason, &invocation.request_id));
                }
                () = &mut timeout => break Err(timeout_failure(function, invocation)),
                () = self.stopped() => break Err(exit_failure(ExitReason::Killed, &invocation.request_id)),
                _ = ticks.tick() => environment.check_memory(),
            }
        };
        let duration = begin.elapsed().min(function.timeout);
        log.drain();
        let report = Report::new(duration, init, function.memory_mb, environment.peak_memory_mb());
        // An environment lives on after an error that its runtime reported itself.
        let lives = outcome
            .as_ref()
            .map_or_else(|failure| failure.line.is_none() && !failure.timed_out, |_| true);
        let result = finish(function, invocation, &log, report, outcome);
        if lives {
            self.pool.put(function, environment);
        } else {
            drop(environment);
        }
        Some(result)
    }

    /// Ends the environments of a function because its code, configuration or role changed, or because it is gone. Those
    /// that work on an event end after it.
    pub fn retire(&self, function_arn: &str) {
        self.pool.retire(function_arn);
    }

    /// Number of warm environments that wait for an event.
    pub fn idle_environments(&self) -> usize {
        self.pool.idle()
    }

    /// Waits until every log line so far was offered to the [`LogSink`].
    pub async fn logs_written(&self) {
        let logs: Vec<Arc<Log>> = {
            let mut logs = self
                .logs
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            logs.retain(|log| log.strong_count() > 0);
            logs.iter().filter_map(Weak::upgrade).collect()
        };
        for log in logs {
            log.written().await;
        }
    }

    fn remember(&self, log: &Arc<Log>) {
        let mut logs = self
            .logs
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        logs.retain(|log| log.strong_count() > 0);
        logs.push(Arc::downgrade(log));
    }

    /// Ends every environment and waits until all are gone; invocations that run fail.
    pub async fn shutdown(&self) {
        self.stopping.store(true, Ordering::Release);
        self.stop.send_replace(true);
        self.pool.close();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.busy.subscribe().wait_for(|busy| *busy == 0).await;
        self.logs_written().await;
    }

    async fn stopped(&self) {
        // As above.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }
}

/// Counts an invocation or an environment as there, until dropped.
pub(crate) struct Busy(watch::Sender<usize>);

impl Busy {
    fn new(counter: &watch::Sender<usize>) -> Self {
        counter.send_modify(|count| *count = count.saturating_add(1));
        Self(counter.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

async fn end_idle(runtime: Weak<Runtime>) {
    loop {
        let Some(limit) = runtime.upgrade().map(|runtime| runtime.options.idle_limit) else {
            return;
        };
        tokio::time::sleep((limit / 4).clamp(Duration::from_millis(20), Duration::from_secs(10))).await;
        let Some(runtime) = runtime.upgrade() else { return };
        runtime.pool.end_idle(limit);
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, InvokeError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| InvokeError::Internal(error.to_string()))
}

fn start_line(function: &FunctionSpec, invocation: &Invocation) -> String {
    format!(
        "START RequestId: {} Version: {}",
        invocation.request_id, function.version
    )
}

/// Writes the last lines of an invocation and makes its result.
fn finish(
    function: &FunctionSpec,
    invocation: &Invocation,
    log: &Log,
    report: Report,
    outcome: Result<Bytes, Failure>,
) -> InvocationResult {
    let id = &invocation.request_id;
    let failure = outcome.as_ref().err();
    if let Some(line) = failure.and_then(|failure| failure.line.as_ref()) {
        log.platform(line.clone());
    }
    log.platform(format!("END RequestId: {id}"));
    let status = match failure {
        Some(failure) if failure.timed_out => Status::Timeout,
        Some(failure) if failure.line.is_some() => Status::Error(&failure.kind),
        _ => Status::Answered,
    };
    log.platform(report.line(id, &status));
    let log_tail = invocation.log_tail.then(|| log.tail());
    let (payload, error_type) = match outcome {
        Ok(payload) => (payload, None),
        Err(failure) => (failure.body, Some(failure.kind)),
    };
    InvocationResult {
        payload,
        function_error: error_type.is_some().then(|| "Unhandled".to_owned()),
        log_tail,
        executed_version: function.version.clone(),
        report,
        error_type,
    }
}

fn answered(answer: Answer, invocation: &Invocation) -> Result<Bytes, Failure> {
    match answer {
        Answer::Response(payload) => Ok(payload),
        Answer::Error { kind, body } => Err(Failure {
            kind,
            body,
            line: None,
            timed_out: false,
        }),
        Answer::TooLarge => {
            let kind = "Function.ResponseSizeTooLarge";
            let message = format!(
                "Response payload size exceeded maximum allowed payload size ({MAXIMUM_RESPONSE} bytes)."
            );
            Err(Failure {
                kind: kind.to_owned(),
                body: error_object(kind, &message),
                line: None,
                timed_out: false,
            })
        }
        Answer::Truncated => Err(Failure {
            line: None,
            ..platform_failure(
                "Runtime.TruncatedResponse",
                &invocation.request_id,
                "Response stream was truncated",
            )
        }),
    }
}

/// An error object as Lambda itself makes it.
fn error_object(kind: &str, message: &str) -> Bytes {
    serde_json::json!({ "errorType": kind, "errorMessage": message })
        .to_string()
        .into()
}

fn platform_failure(kind: &str, request_id: &str, message: &str) -> Failure {
    let message = format!("RequestId: {request_id} Error: {message}");
    Failure {
        kind: kind.to_owned(),
        body: error_object(kind, &message),
        line: Some(format!("{message}\n{kind}")),
        timed_out: false,
    }
}

fn timeout_failure(function: &FunctionSpec, invocation: &Invocation) -> Failure {
    let id = &invocation.request_id;
    let text = format!(
        "Task timed out after {:.2} seconds",
        function.timeout.as_secs_f64()
    );
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ");
    Failure {
        timed_out: true,
        line: Some(format!("{now} {id} {text}")),
        ..platform_failure("Sandbox.Timedout", id, &text)
    }
}

fn exit_failure(reason: ExitReason, request_id: &str) -> Failure {
    match reason {
        ExitReason::OutOfMemory => platform_failure(
            "Runtime.OutOfMemory",
            request_id,
            "Runtime exited with error: signal: killed",
        ),
        ExitReason::Killed => platform_failure(
            "Runtime.ExitError",
            request_id,
            "Runtime exited with error: signal: killed",
        ),
        ExitReason::Exited(status) => platform_failure("Runtime.ExitError", request_id, &exit_text(status)),
    }
}

/// How Lambda words an exit.
fn exit_text(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(0), _) | (None, None) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(signal)) => {
            let name = match signal {
                1 => "hangup",
                2 => "interrupt",
                3 => "quit",
                4 => "illegal instruction",
                5 => "trace/breakpoint trap",
                6 => "aborted",
                7 => "bus error",
                8 => "floating point exception",
                9 => "killed",
                10 => "user defined signal 1",
                11 => "segmentation fault",
                12 => "user defined signal 2",
                13 => "broken pipe",
                14 => "alarm clock",
                15 => "terminated",
                other => return format!("Runtime exited with error: signal: signal {other}"),
            };
            let dump = if status.core_dumped() {
                " (core dumped)"
            } else {
                ""
            };
            format!("Runtime exited with error: signal: {name}{dump}")
        }
    }
}

/// `2026/11/24/[$LATEST]` and 32 hexadecimal digits.
fn log_stream(version: &str) -> Result<String, getrandom::Error> {
    let day = Timestamp::now().strftime("%Y/%m/%d");
    Ok(format!("{day}/[{version}]{}", identifier::stream_suffix()?))
}

/// A trace header of our own, not sampled: `Root=1-<seconds>-<96 bits>`.
fn new_trace_id() -> String {
    let seconds = u32::try_from(Timestamp::now().as_second()).unwrap_or(0);
    let random = identifier::stream_suffix().unwrap_or_default();
    let root = random.get(..24).unwrap_or("000000000000000000000000");
    format!("Root=1-{seconds:08x}-{root};Sampled=0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exits_are_worded_as_lambda_words_them() {
        for (raw, expected) in [
            (0, "Runtime exited without providing a reason"),
            (1 << 8, "Runtime exited with error: exit status 1"),
            (9, "Runtime exited with error: signal: killed"),
            (
                6 | 0x80,
                "Runtime exited with error: signal: aborted (core dumped)",
            ),
        ] {
            assert_eq!(exit_text(ExitStatus::from_raw(raw)), expected);
        }
    }

    #[test]
    fn a_log_stream_has_lambdas_form() {
        let name = log_stream("$LATEST").unwrap_or_default();
        assert_eq!(name.len(), "2026/11/24/[$LATEST]".len() + 32);
        assert!(name.contains("/[$LATEST]"));
    }
}
