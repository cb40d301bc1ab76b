//! The built binary as a child process on a scratch folder.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

use crate::credentials::TestCredentials;

/// What the binary prints once it accepts connections; the port follows the address.
const READY: &str = "listening on http://";
/// How much of the binary's output is kept to explain a failure.
const MAX_OUTPUT_LINES: usize = 2000;

/// Why the binary does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The binary was not found.
    #[error("the binary rolecall is not built; run cargo build, or set ROLECALL_BIN to its path")]
    NotBuilt,
    /// The binary did not start, or cannot be signalled.
    #[error("the binary cannot be run: {0}")]
    Process(#[from] std::io::Error),
    /// The binary ended or said nothing in time.
    #[error("the server did not get ready; it said:\n{output}")]
    NotReady {
        /// What it printed.
        output: String,
    },
    /// The server is not running; start it again.
    #[error("the server is not running; restart it")]
    NotRunning,
}

/// How to run the binary.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The binary; found by [`ServerOptions::default`] if it is built.
    pub binary: Option<PathBuf>,
    /// More arguments after `serve --listen … --data … --root-credentials …`.
    pub arguments: Vec<OsString>,
    /// More environment variables.
    pub environment: Vec<(OsString, OsString)>,
    /// The root user's access key.
    pub root: TestCredentials,
    /// How long to wait until the server answers.
    pub start_timeout: Duration,
    /// How long to wait for the end after SIGTERM.
    pub stop_timeout: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            binary: find_binary(),
            arguments: Vec::new(),
            environment: Vec::new(),
            root: TestCredentials::new("AKIAROLECALLTESTROOT", "rolecall/test+root/secretaccesskey/0000"),
            start_timeout: Duration::from_secs(20),
            stop_timeout: Duration::from_secs(20),
        }
    }
}

/// A running server. It is killed when dropped, and its folder removed.
pub struct ServerProcess {
    options: ServerOptions,
    folder: TempDir,
    child: Option<Child>,
    address: SocketAddr,
    output: Arc<Mutex<Vec<String>>>,
}

impl ServerProcess {
    /// Starts the built binary on a new folder, on a free port.
    ///
    /// # Errors
    /// Fails if there is no binary, or if it does not get ready.
    pub async fn start() -> Result<Self, ServerError> {
        Self::start_with(ServerOptions::default()).await
    }

    /// As [`ServerProcess::start`], otherwise.
    ///
    /// # Errors
    /// As [`ServerProcess::start`].
    pub async fn start_with(options: ServerOptions) -> Result<Self, ServerError> {
        let folder = tempfile::Builder::new().prefix("rolecall-test-").tempdir()?;
        let output = Arc::new(Mutex::new(Vec::new()));
        let (child, address) = spawn(&options, folder.path(), &output).await?;
        Ok(Self {
            options,
            folder,
            child: Some(child),
            address,
            output,
        })
    }

    /// Where it listens. Changes with every restart.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The endpoint for SDKs.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The root user's credentials.
    pub fn root(&self) -> &TestCredentials {
        &self.options.root
    }

    /// The folder of its state.
    pub fn data_folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has printed so far, over all starts.
    pub fn output(&self) -> String {
        self.output
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .join("\n")
    }

    /// The process id, while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Kills it with SIGKILL, as a crash or a power cut would.
    ///
    /// # Errors
    /// Fails if it is not running.
    pub async fn kill(&mut self) -> Result<(), ServerError> {
        let mut child = self.child.take().ok_or(ServerError::NotRunning)?;
        Ok(child.kill().await?)
    }

    /// Asks it to end with SIGTERM and waits for the end.
    ///
    /// # Errors
    /// Fails if it is not running, or does not end in time (it is killed then).
    pub async fn terminate(&mut self) -> Result<ExitStatus, ServerError> {
        let mut child = self.child.take().ok_or(ServerError::NotRunning)?;
        let process = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw)
            .ok_or(ServerError::NotRunning)?;
        kill_process(process, Signal::TERM).map_err(std::io::Error::from)?;
        let ended = timeout_at(Instant::now() + self.options.stop_timeout, child.wait()).await;
        if let Ok(status) = ended {
            return Ok(status?);
        }
        child.kill().await?;
        Err(ServerError::NotReady {
            output: format!("it did not end after SIGTERM\n{}", self.output()),
        })
    }

    /// Starts it again on the same folder; kills it first if it runs.
    ///
    /// # Errors
    /// As [`ServerProcess::start`].
    pub async fn restart(&mut self) -> Result<(), ServerError> {
        if self.child.is_some() {
            self.kill().await?;
        }
        let (child, address) = spawn(&self.options, self.folder.path(), &self.output).await?;
        self.child = Some(child);
        self.address = address;
        Ok(())
    }
}

async fn spawn(
    options: &ServerOptions,
    folder: &Path,
    output: &Arc<Mutex<Vec<String>>>,
) -> Result<(Child, SocketAddr), ServerError> {
    let binary = options.binary.as_ref().ok_or(ServerError::NotBuilt)?;
    let root = &options.root;
    let mut child = Command::new(binary)
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder)
        .arg("--root-credentials")
        .arg(format!("{}:{}", root.access_key_id, root.secret_access_key))
        .args(&options.arguments)
        .envs(options.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (sender, mut addresses) = mpsc::unbounded_channel();
    if let Some(stdout) = child.stdout.take() {
        tokio::spawn(collect(stdout, Arc::clone(output), sender.clone()));
    }
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(collect(stderr, Arc::clone(output), sender));
    }
    let deadline = Instant::now() + options.start_timeout;
    let not_ready = || ServerError::NotReady {
        output: output.lock().unwrap_or_else(PoisonError::into_inner).join("\n"),
    };
    // The channel closes when the binary closes its output, that is, when it ends.
    let address = timeout_at(deadline, addresses.recv())
        .await
        .ok()
        .flatten()
        .ok_or_else(not_ready)?;
    while TcpStream::connect(address).await.is_err() {
        if Instant::now() >= deadline || child.try_wait()?.is_some() {
            return Err(not_ready());
        }
        sleep(Duration::from_millis(5)).await;
    }
    Ok((child, address))
}

/// Reads what the binary prints to its end, so that it never blocks on a full pipe.
async fn collect(
    stream: impl AsyncRead + Unpin,
    output: Arc<Mutex<Vec<String>>>,
    addresses: mpsc::UnboundedSender<SocketAddr>,
) {
    let mut lines = BufReader::new(stream).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line).into_owned();
        if let Some(address) = ready_address(&line) {
            // The receiver is gone once the first address has come.
            let _ = addresses.send(address);
        }
        let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
        if output.len() < MAX_OUTPUT_LINES {
            output.push(line);
        }
    }
}

fn ready_address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(READY)?;
    let end = rest
        .find(|character: char| !(character.is_ascii_hexdigit() || ".:[]".contains(character)))
        .unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

/// `ROLECALL_BIN`, else what Cargo says, else the binary beside the test's own.
fn find_binary() -> Option<PathBuf> {
    for name in ["ROLECALL_BIN", "CARGO_BIN_EXE_rolecall"] {
        if let Some(path) = std::env::var_os(name) {
            return Some(path.into());
        }
    }
    let test = std::env::current_exe().ok()?;
    test.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("rolecall"))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_line_is_found_with_and_without_decoration() {
        let want: Option<SocketAddr> = "127.0.0.1:4566".parse().ok();
        assert!(want.is_some());
        for line in [
            "listening on http://127.0.0.1:4566",
            "rolecall listening on http://127.0.0.1:4566/ (account 123456789012)",
            "2026-11-24 INFO listening on http://127.0.0.1:4566\u{1b}[0m",
        ] {
            assert_eq!(ready_address(line), want, "{line}");
        }
        assert_eq!(ready_address("listening on http://nowhere"), None);
        assert_eq!(ready_address("starting"), None);
    }
}
