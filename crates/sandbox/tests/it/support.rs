//! Starting a shell script in a sandbox.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rolecall_sandbox::{ExitReason, Limits, Mount, Sandbox, SandboxProcess, Spec};

pub(crate) const MEGABYTE: u64 = 1 << 20;

pub(crate) fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| Sandbox::new().unwrap())
}

pub(crate) fn python() -> Option<PathBuf> {
    ["/usr/bin/python3", "/usr/local/bin/python3"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
}

pub(crate) fn spec(program: &Path, script: &str) -> Spec {
    Spec {
        program: program.to_owned(),
        arguments: vec![program.into(), "-c".into(), script.into()],
        environment: vec![("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())],
        working_directory: PathBuf::from("/"),
        mounts: Vec::new(),
        limits: Limits {
            memory_bytes: 128 * MEGABYTE,
            temporary_bytes: 32 * MEGABYTE,
            processes: 64,
            open_files: 128,
            cpu_shares: 256,
        },
        require: Vec::new(),
    }
}

pub(crate) fn shell(script: &str) -> Spec {
    spec(Path::new("/bin/sh"), script)
}

/// What a sandboxed program wrote and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit: ExitReason,
}

impl Outcome {
    pub(crate) fn code(&self) -> Option<i32> {
        match self.exit {
            ExitReason::Exited(status) => status.code(),
            _ => None,
        }
    }
}

pub(crate) fn run(spec: &Spec) -> Outcome {
    let mut process = sandbox().spawn(spec).unwrap();
    finish(&mut process)
}

/// Waits for the end as the server does: watching memory, killing after half a minute.
pub(crate) fn finish(process: &mut SandboxProcess) -> Outcome {
    let stdout = collect(process.take_stdout());
    let stderr = collect(process.take_stderr());
    let start = Instant::now();
    let exit = loop {
        if let Some(exit) = process.try_wait().unwrap() {
            break exit;
        }
        process.check_memory();
        if start.elapsed() > Duration::from_secs(30) {
            process.kill();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Outcome {
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
        exit,
    }
}

fn collect(stream: Option<OwnedFd>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        File::from(stream.unwrap()).read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// Tests that count or exhaust something of the whole machine run one at a time.
pub(crate) fn alone() -> std::sync::MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn shown(source: &Path, target: &str) -> Mount {
    Mount::new(source, target)
}
