//! What can go wrong, by the layer that refused.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// A layer of isolation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// Own user, mount, pid, net, ipc, uts and cgroup namespaces.
    Namespaces,
    /// The mapping to an unprivileged user.
    UserMapping,
    /// The read-only root of bind mounts, private `/tmp` and `/proc`.
    Root,
    /// The empty network with two listeners.
    Network,
    /// Dropped capabilities and no new privileges.
    Privileges,
    /// Limits a process (rlimits).
    Limits,
    /// Limits for all processes together (control groups).
    Cgroup,
    /// The system-call allow-list.
    Seccomp,
    /// Landlock: a second, independent rule set for files.
    Landlock,
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Namespaces => "namespaces",
            Self::UserMapping => "user mapping",
            Self::Root => "private root",
            Self::Network => "private network",
            Self::Privileges => "dropped privileges",
            Self::Limits => "process limits",
            Self::Cgroup => "control groups",
            Self::Seccomp => "seccomp",
            Self::Landlock => "landlock",
        })
    }
}

/// Why a sandbox could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The kernel refused a layer; nothing was started.
    #[error(
        "the kernel refused the sandbox layer \"{layer}\" while {action}: {source}; run `rolecall doctor` to see what this machine offers"
    )]
    Layer {
        /// Which layer.
        layer: Layer,
        /// What was being done.
        action: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// Something to be shown inside is not there or may not be read.
    #[error(
        "cannot show {path} inside the sandbox: {source}; check that it exists and that the server may read it"
    )]
    Source {
        /// Path on the host.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The program could not be executed.
    #[error("cannot execute {program}: {source}")]
    Program {
        /// Path inside the sandbox.
        program: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The working directory is missing inside.
    #[error("cannot change to the working directory {path}: {source}")]
    WorkingDirectory {
        /// Path inside the sandbox.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The specification is not possible.
    #[error("the sandbox specification is invalid: {0}")]
    Spec(String),
    /// A descriptor or process could not be had.
    #[error(
        "cannot prepare a sandbox while {action}: {source}; check the limits on open files and processes"
    )]
    Resource {
        /// What was being done.
        action: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
}
