//! One execution environment: a sandbox with what is served into it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rolecall_sandbox::{ExitReason, SandboxProcess};
use rolecall_service::{EndpointConnector, FunctionOrigin};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::log::Log;
use crate::runtime::Busy;
use crate::runtime_api::{Initialisation, RuntimeApi};

/// Connections to AWS at once from one environment.
const MAXIMUM_CONNECTIONS: usize = 256;

/// How often memory is looked at while a function works.
pub(crate) const MEMORY_INTERVAL: Duration = Duration::from_millis(20);

/// A running environment. Ends its sandbox when dropped.
pub(crate) struct Environment {
    pub(crate) revision: Arc<str>,
    /// When its credentials end.
    pub(crate) valid_until: Timestamp,
    /// How often its function had been retired when it was started.
    pub(crate) generation: u64,
    pub(crate) api: Arc<RuntimeApi>,
    pub(crate) log: Arc<Log>,
    process: Option<Arc<SandboxProcess>>,
    alive: Option<Busy>,
    /// Whether the log ends with this environment.
    owns_log: bool,
    exit: watch::Receiver<Option<ExitReason>>,
    servers: [JoinHandle<()>; 2],
}

/// What an environment is started with, beside its process.
pub(crate) struct Identity {
    pub(crate) revision: Arc<str>,
    pub(crate) valid_until: Timestamp,
    pub(crate) generation: u64,
    pub(crate) origin: Arc<FunctionOrigin>,
    pub(crate) log: Arc<Log>,
    /// Counts the environment until its sandbox is taken apart.
    pub(crate) alive: Busy,
}

/// How waiting for the initialisation ended.
pub(crate) enum Initialised {
    Ready,
    Reported { kind: String, body: bytes::Bytes },
    Exited(ExitReason),
    TimedOut,
}

impl Environment {
    /// Serves a freshly started sandbox.
    ///
    /// # Errors
    /// A listener or pipe cannot be watched.
    pub(crate) fn serve(
        mut process: SandboxProcess,
        identity: Identity,
        connector: Arc<dyn EndpointConnector>,
    ) -> io::Result<Self> {
        let gone = || io::Error::from(io::ErrorKind::NotFound);
        let api = RuntimeApi::new();
        let runtime_listener = watched(process.take_runtime_api().ok_or_else(gone)?)?;
        let aws_listener = watched(process.take_aws_endpoint().ok_or_else(gone)?)?;
        identity.log.attach(
            process.take_stdout().ok_or_else(gone)?,
            process.take_stderr().ok_or_else(gone)?,
        )?;
        let process = Arc::new(process);
        let servers = [
            tokio::spawn(api.clone().serve(runtime_listener)),
            tokio::spawn(serve_aws(aws_listener, identity.origin, connector)),
        ];
        Ok(Self {
            revision: identity.revision,
            valid_until: identity.valid_until,
            generation: identity.generation,
            api,
            log: identity.log,
            exit: watch_exit(&process)?,
            process: Some(process),
            alive: Some(identity.alive),
            owns_log: true,
            servers,
        })
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&self) -> Option<ExitReason> {
        *self.exit.borrow()
    }

    /// Waits for its end.
    pub(crate) async fn exited(&self) -> ExitReason {
        let mut exit = self.exit.clone();
        match exit.wait_for(Option::is_some).await {
            Ok(reason) => (*reason).unwrap_or(ExitReason::Killed),
            // The watcher is gone without a word: the server is stopping.
            Err(_) => ExitReason::Killed,
        }
    }

    /// Waits until the runtime asks for its first event.
    pub(crate) async fn initialised(&self, limit: Duration) -> Initialised {
        let mut initialisation = self.api.initialisation();
        let wait = async {
            loop {
                tokio::select! {
                    biased;
                    state = initialisation.wait_for(|state| *state != Initialisation::Pending) => {
                        match state.map(|state| state.clone()) {
                            Ok(Initialisation::Done) => return Initialised::Ready,
                            Ok(Initialisation::Failed { kind, body }) => return Initialised::Reported { kind, body },
                            Ok(Initialisation::Pending) => {}
                            Err(_) => return Initialised::Exited(ExitReason::Killed),
                        }
                    }
                    reason = self.exited() => return Initialised::Exited(reason),
                    () = tokio::time::sleep(MEMORY_INTERVAL) => self.check_memory(),
                }
            }
        };
        tokio::time::timeout(limit, wait)
            .await
            .unwrap_or(Initialised::TimedOut)
    }

    /// Kills it if it uses too much memory.
    pub(crate) fn check_memory(&self) {
        if let Some(process) = &self.process {
            process.check_memory();
        }
    }

    /// The most memory seen, in whole megabytes.
    pub(crate) fn peak_memory_mb(&self) -> u32 {
        let peak = self
            .process
            .as_ref()
            .and_then(|process| process.memory())
            .map_or(0, |memory| memory.peak_bytes);
        u32::try_from(peak.div_ceil(1 << 20)).unwrap_or(u32::MAX)
    }

    /// Ends it and leaves its log to the environment that is tried next.
    pub(crate) fn end_without_log(mut self) {
        self.owns_log = false;
    }

    /// Kills every process of it.
    pub(crate) fn kill(&self) {
        if let Some(process) = &self.process {
            process.kill();
        }
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
        self.kill();
        if self.owns_log {
            self.log.close();
        }
        let (process, alive) = (self.process.take(), self.alive.take());
        let take_apart = move || {
            drop(process);
            drop(alive);
        };
        // Taking a sandbox apart waits for the kernel, which an asynchronous thread must not.
        match tokio::runtime::Handle::try_current() {
            Ok(handle) => drop(handle.spawn_blocking(take_apart)),
            Err(_) => take_apart(),
        }
    }
}

fn watched(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Tells how a sandbox ended, when it has.
fn watch_exit(process: &Arc<SandboxProcess>) -> io::Result<watch::Receiver<Option<ExitReason>>> {
    let (sender, receiver) = watch::channel(None);
    let socket = process.exit_socket()?;
    socket.set_nonblocking(true)?;
    let socket = UnixStream::from_std(socket)?;
    // Weak, so that the environment alone decides when the sandbox is taken apart.
    let process = Arc::downgrade(process);
    tokio::spawn(async move {
        if socket.readable().await.is_err() {
            return;
        }
        let reason = match process.upgrade() {
            Some(process) => tokio::task::spawn_blocking(move || process.wait()).await,
            None => return,
        };
        let reason = match reason {
            Ok(Ok(reason)) => reason,
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot learn how a sandbox ended");
                ExitReason::Killed
            }
            Err(_) => ExitReason::Killed,
        };
        sender.send_replace(Some(reason));
        // Keeps the channel open until nobody is interested.
        sender.closed().await;
    });
    Ok(receiver)
}

/// Hands every connection to the AWS endpoint over, marked with where it comes from.
async fn serve_aws(
    listener: TcpListener,
    origin: Arc<FunctionOrigin>,
    connector: Arc<dyn EndpointConnector>,
) {
    let room = Arc::new(Semaphore::new(MAXIMUM_CONNECTIONS));
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else {
            return;
        };
        let accepted = listener.accept().await.and_then(|(stream, _)| stream.into_std());
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "the AWS endpoint of a function cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let serving = connector.serve(stream, origin.clone());
        tokio::spawn(async move {
            serving.await;
            drop(permit);
        });
    }
}
