//! A running sandbox.

use std::fs::File;
use std::io::{self, Read};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::cgroup::Group;
use crate::error::Layer;
use crate::sys;

/// How a sandbox's program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    /// By itself, or by a signal of its own processes.
    Exited(ExitStatus),
    /// It used more memory than it may and was killed.
    OutOfMemory,
    /// The server killed it.
    Killed,
}

/// Memory of all processes of a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryUse {
    /// Bytes now, without files in `/tmp`.
    pub bytes: u64,
    /// The most that was seen.
    pub peak_bytes: u64,
    /// It is more than the limit.
    pub exceeded: bool,
}

/// A sandbox and everything that belongs to it. Dropping it kills all its processes and removes what it left.
#[derive(Debug)]
pub struct SandboxProcess {
    pub(crate) pidfd: OwnedFd,
    pub(crate) init: libc::pid_t,
    pub(crate) control: File,
    pub(crate) runtime_api: Option<TcpListener>,
    pub(crate) aws_endpoint: Option<TcpListener>,
    pub(crate) stdout: Option<OwnedFd>,
    pub(crate) stderr: Option<OwnedFd>,
    pub(crate) group: Option<Group>,
    pub(crate) memory_limit: u64,
    pub(crate) peak: AtomicU64,
    pub(crate) exceeded: AtomicBool,
    pub(crate) killed: AtomicBool,
    pub(crate) reaped: AtomicBool,
    pub(crate) missing: Vec<Layer>,
}

impl SandboxProcess {
    /// The socket inside that listens on 127.0.0.1:[`RUNTIME_API_PORT`](crate::RUNTIME_API_PORT); once.
    pub fn take_runtime_api(&mut self) -> Option<TcpListener> {
        self.runtime_api.take()
    }

    /// The socket inside that listens on 127.0.0.1:[`AWS_ENDPOINT_PORT`](crate::AWS_ENDPOINT_PORT); once.
    pub fn take_aws_endpoint(&mut self) -> Option<TcpListener> {
        self.aws_endpoint.take()
    }

    /// Reading end of the standard output; once.
    pub fn take_stdout(&mut self) -> Option<OwnedFd> {
        self.stdout.take()
    }

    /// Reading end of the standard error; once.
    pub fn take_stderr(&mut self) -> Option<OwnedFd> {
        self.stderr.take()
    }

    /// Optional layers this sandbox runs without, because the machine does not have them.
    pub fn missing_layers(&self) -> &[Layer] {
        &self.missing
    }

    /// Number of the sandbox's first process as the host sees it.
    pub fn id(&self) -> u32 {
        self.init.unsigned_abs()
    }

    /// A socket that becomes readable when the sandbox ends, for an event loop; nothing is to be read from it.
    ///
    /// # Errors
    /// No descriptor is free.
    pub fn exit_socket(&self) -> io::Result<UnixStream> {
        Ok(UnixStream::from(OwnedFd::from(self.control.try_clone()?)))
    }

    /// Kills every process of the sandbox.
    pub fn kill(&self) {
        self.killed.store(true, Ordering::Relaxed);
        sys::kill(&self.pidfd);
    }

    /// Waits for the end, and for the kernel to have removed every process of the sandbox.
    ///
    /// # Errors
    /// The kernel refuses to wait, which means that the process is not ours.
    pub fn wait(&self) -> io::Result<ExitReason> {
        if !self.reaped.load(Ordering::Acquire) {
            sys::wait_for(&self.pidfd, true)?;
            self.reaped.store(true, Ordering::Release);
        }
        Ok(self.reason())
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn try_wait(&self) -> io::Result<Option<ExitReason>> {
        if !self.reaped.load(Ordering::Acquire) {
            if !sys::wait_for(&self.pidfd, false)? {
                return Ok(None);
            }
            self.reaped.store(true, Ordering::Release);
        }
        Ok(Some(self.reason()))
    }

    fn reason(&self) -> ExitReason {
        if self.exceeded.load(Ordering::Relaxed)
            || self.group.as_ref().is_some_and(Group::kernel_killed_for_memory)
        {
            return ExitReason::OutOfMemory;
        }
        let mut status = [0u8; 4];
        let told = (&self.control).read_exact(&mut status);
        match told {
            Ok(()) => ExitReason::Exited(ExitStatus::from_raw(i32::from_ne_bytes(status))),
            // Without a word from init it was killed from outside.
            Err(_) if self.killed.load(Ordering::Relaxed) => ExitReason::Killed,
            Err(_) => ExitReason::Exited(ExitStatus::from_raw(libc::SIGKILL)),
        }
    }

    /// Measures the memory in use; kills the sandbox when it is above the limit.
    ///
    /// The kernel enforces a limit that has room for `/tmp`, which lies in memory but does not count as the function's.
    /// To be called every few hundredths of a second while the function works: it is one small read unless much is used.
    pub fn check_memory(&self) -> Option<MemoryUse> {
        let Some(group) = &self.group else {
            return self.measure_without_group();
        };
        let total = group.memory_total()?;
        if total <= self.peak.load(Ordering::Relaxed) {
            return Some(self.memory_use(total));
        }
        self.measure(group)
    }

    /// Measures the memory in use exactly.
    pub fn memory(&self) -> Option<MemoryUse> {
        let Some(group) = &self.group else {
            return self.measure_without_group();
        };
        self.measure(group)
    }

    fn measure(&self, group: &Group) -> Option<MemoryUse> {
        let (_, anonymous) = group.memory()?;
        self.peak.fetch_max(anonymous, Ordering::Relaxed);
        if anonymous > self.memory_limit && !self.exceeded.swap(true, Ordering::Relaxed) {
            sys::kill(&self.pidfd);
        }
        Some(self.memory_use(anonymous))
    }

    fn memory_use(&self, bytes: u64) -> MemoryUse {
        MemoryUse {
            bytes,
            peak_bytes: self.peak.load(Ordering::Relaxed).min(self.memory_limit),
            exceeded: self.exceeded.load(Ordering::Relaxed),
        }
    }

    /// Without a control group: the resident memory of the runtime's own process.
    fn measure_without_group(&self) -> Option<MemoryUse> {
        let init = self.init;
        let children = std::fs::read_to_string(format!("/proc/{init}/task/{init}/children")).ok()?;
        let mut bytes = 0u64;
        for process in children.split_whitespace() {
            let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            let resident = status.lines().find_map(|line| {
                line.strip_prefix("RssAnon:")?
                    .trim()
                    .strip_suffix(" kB")?
                    .parse::<u64>()
                    .ok()
            });
            bytes = bytes.saturating_add(resident.unwrap_or(0).saturating_mul(1024));
        }
        self.peak.fetch_max(bytes, Ordering::Relaxed);
        if bytes > self.memory_limit && !self.exceeded.swap(true, Ordering::Relaxed) {
            sys::kill(&self.pidfd);
        }
        Some(self.memory_use(bytes))
    }
}

impl Drop for SandboxProcess {
    fn drop(&mut self) {
        if !self.reaped.load(Ordering::Acquire) {
            sys::kill(&self.pidfd);
            // Waits until the kernel has removed every process, so that the groups (dropped after this) are empty.
            if let Err(error) = sys::wait_for(&self.pidfd, true) {
                tracing::warn!(%error, process = self.init, "cannot wait for the end of a sandbox");
            }
        }
    }
}
