//! One execution environment of a function: a process that can harm nobody.
//!
//! A sandbox is a Linux process, not a container image. [`Sandbox::spawn`] makes one in a few milliseconds:
//!
//! ```text
//! server ──clone3──▶ process 1 of new user, mount, pid, net, ipc, uts and cgroup namespaces
//!    │  writes its user map, puts it into cgroups, says "go"      (spawn.rs)
//!    │                  builds the root of bind mounts, brings `lo` up, listens on two ports and
//!    │◀── two sockets ──sends the sockets back, drops every privilege      (child.rs)
//!    │                  └─fork─▶ process 2: limits, landlock, seccomp, exec of the function's runtime
//!    │◀── exit status ──  process 1 execs itself as a tiny init that reaps      (init.rs)
//! ```
//!
//! Everything between `clone3` and `exec` follows a [`plan`](plan::Plan) made beforehand, because a child forked from a
//! process with threads may neither allocate nor take a lock. When the server ends in whatever way, the control socket
//! closes, process 1 exits, and the kernel kills all that is left in the pid namespace.
//!
//! This is the only crate of the workspace with `unsafe` code.

mod cgroup;
mod child;
mod doctor;
mod error;
mod init;
mod landlock;
mod plan;
mod process;
mod seccomp;
mod spawn;
mod spec;
mod sys;

pub use doctor::{CgroupSupport, Doctor, LayerState, LayerStatus};
pub use error::{Layer, SandboxError};
pub use process::{ExitReason, MemoryUse, SandboxProcess};
pub use spawn::Sandbox;
pub use spec::{Limits, Mount, Spec};

/// Port on 127.0.0.1 inside every environment where the Runtime API answers.
///
/// Constant, because AWS's runtime clients read the address when they are loaded, which may be before a function exists.
pub const RUNTIME_API_PORT: u16 = 9001;

/// Port on 127.0.0.1 inside every environment where the AWS endpoint answers.
pub const AWS_ENDPOINT_PORT: u16 = 4566;

/// Most bind mounts one [`Spec`] may end up with, the system's own included.
pub const MAXIMUM_MOUNTS: usize = 64;
