//! What a sandbox is asked to be.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::Layer;

/// One sandbox to start.
#[derive(Clone)]
pub struct Spec {
    /// The program as a path inside the sandbox.
    pub program: PathBuf,
    /// Its arguments, the zeroth (its own name) included.
    pub arguments: Vec<OsString>,
    /// Its whole environment; nothing is inherited.
    pub environment: Vec<(OsString, OsString)>,
    /// Working directory, a path inside the sandbox.
    pub working_directory: PathBuf,
    /// What is visible inside beside the system's `/usr`, `/lib*`, `/bin`, `/sbin` and a few files of `/etc`. Read-only.
    ///
    /// Files must be readable for others (mode `0644`, folders `0755`): the process inside is an unprivileged user.
    pub mounts: Vec<Mount>,
    /// What it may use.
    pub limits: Limits,
    /// Layers that must not be missing. Namespaces, the private root, dropped privileges and the system-call filter are
    /// never optional; [`Layer::Cgroup`] and [`Layer::Landlock`] are used where the machine has them, and their absence
    /// is an error only when they stand here.
    pub require: Vec<Layer>,
}

/// A folder or file of the host that is visible inside, read-only, together with whatever is mounted below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Absolute path on the host.
    pub source: PathBuf,
    /// Absolute path inside.
    pub target: PathBuf,
}

impl Mount {
    /// Shows `path` at the same place inside.
    pub fn same(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            source: path.clone(),
            target: path,
        }
    }

    /// Shows `source` at `target`.
    pub fn new(source: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Self {
        Self {
            source: source.into(),
            target: target.into(),
        }
    }
}

/// Upper bounds of one sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory of all processes together, in bytes, without what lies in `/tmp`.
    pub memory_bytes: u64,
    /// Size of the private `/tmp`, in bytes.
    pub temporary_bytes: u64,
    /// Processes and threads together.
    pub processes: u64,
    /// Open descriptors of one process.
    pub open_files: u64,
    /// Share of the processors when they are contended, in the unit of cgroup v1 (`1024` is one ordinary process).
    pub cpu_shares: u64,
}
