//! The server's half of starting a sandbox.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::cgroup::Cgroups;
use crate::child::{self, Descriptors, REPORT_LENGTH, Stage};
use crate::doctor::Doctor;
use crate::error::{Layer, SandboxError};
use crate::plan::{GROUP, Plan, USER};
use crate::process::SandboxProcess;
use crate::spec::Spec;
use crate::sys;

/// First user and group that functions are on the host when the server runs as root: a number no account has, far from
/// the ranges of system, people and subordinate ids of containers.
const FIRST_HOST_USER: u32 = 1_879_048_192;

/// Sandboxes in a row get users of their own, so that none can use up what the kernel counts for each user (pipe buffers,
/// inotify instances, message queues) to another's harm.
const HOST_USERS: u32 = 65_536;

/// User of the next sandbox, counted from [`FIRST_HOST_USER`].
static NEXT_HOST_USER: AtomicU32 = AtomicU32::new(0);

fn next_host_user() -> u32 {
    FIRST_HOST_USER.saturating_add(NEXT_HOST_USER.fetch_add(1, Ordering::Relaxed) % HOST_USERS)
}

/// Starts sandboxes; one a server.
#[derive(Debug)]
pub struct Sandbox {
    executable: File,
    cgroups: Result<Cgroups, String>,
    landlock: u32,
    privileged: bool,
    user: (u32, u32),
}

impl Sandbox {
    /// Finds out what the machine offers and removes what a killed server left behind.
    ///
    /// # Errors
    /// This very executable cannot be opened, which needs `/proc`.
    pub fn new() -> Result<Self, SandboxError> {
        let executable = File::open("/proc/self/exe").map_err(|source| SandboxError::Source {
            path: PathBuf::from("/proc/self/exe"),
            source,
        })?;
        let user = sys::effective_user();
        Ok(Self {
            executable,
            cgroups: Cgroups::detect(),
            landlock: sys::landlock_version(),
            privileged: user.0 == 0,
            user,
        })
    }

    /// What this machine offers, and what is lost where it does not.
    pub fn doctor(&self) -> Doctor {
        Doctor::new(
            self.cgroups
                .as_ref()
                .map(Cgroups::version)
                .map_err(String::as_str),
            self.landlock,
            self,
        )
    }

    /// Starts a sandbox and its program. Blocks for some milliseconds.
    ///
    /// # Errors
    /// See [`SandboxError`]; nothing is left behind.
    pub fn spawn(&self, spec: &Spec) -> Result<SandboxProcess, SandboxError> {
        let mut missing = Vec::new();
        let cgroups = match &self.cgroups {
            Ok(cgroups) => Some(cgroups),
            Err(reason) if spec.require.contains(&Layer::Cgroup) => {
                let source = io::Error::other(reason.clone());
                return Err(SandboxError::Layer {
                    layer: Layer::Cgroup,
                    action: "finding a place for groups",
                    source,
                });
            }
            Err(_) => {
                missing.push(Layer::Cgroup);
                None
            }
        };
        if self.landlock == 0 {
            if spec.require.contains(&Layer::Landlock) {
                let source = io::Error::from_raw_os_error(libc::ENOSYS);
                return Err(SandboxError::Layer {
                    layer: Layer::Landlock,
                    action: "asking for its version",
                    source,
                });
            }
            missing.push(Layer::Landlock);
        }
        let plan = Plan::new(spec, self.landlock, cgroups.is_none(), self.privileged)?;
        let group = cgroups
            .map(|cgroups| cgroups.create(&spec.limits))
            .transpose()
            .map_err(|source| SandboxError::Layer {
                layer: Layer::Cgroup,
                action: "making a group",
                source,
            })?;

        let resource = |action| move |source| SandboxError::Resource { action, source };
        let (control, child_control) = sys::socket_pair().map_err(resource("making a socket pair"))?;
        let (status, child_status) = sys::pipe().map_err(resource("making a pipe"))?;
        let (stdout, child_stdout) = sys::pipe().map_err(resource("making a pipe"))?;
        let (stderr, child_stderr) = sys::pipe().map_err(resource("making a pipe"))?;
        let move_up = |file: OwnedFd| moved_up(&file).map_err(resource("duplicating a descriptor"));
        let (child_control, child_status) = (move_up(child_control)?, move_up(child_status)?);
        let (child_stdout, child_stderr) = (move_up(child_stdout)?, move_up(child_stderr)?);
        let executable = moved_up(&self.executable).map_err(resource("duplicating a descriptor"))?;
        let descriptors = Descriptors {
            control: child_control.as_raw_fd(),
            status: child_status.as_raw_fd(),
            stdout: child_stdout.as_raw_fd(),
            stderr: child_stderr.as_raw_fd(),
            executable: executable.as_raw_fd(),
        };

        let (pid, pidfd) = {
            let _blocked = sys::SignalsBlocked::new();
            let (pid, pidfd) =
                sys::clone_into_namespaces(namespaces()).map_err(|source| SandboxError::Layer {
                    layer: Layer::Namespaces,
                    action: "making them",
                    source,
                })?;
            match pidfd {
                Some(pidfd) => (pid, pidfd),
                None => child::run(&plan, descriptors),
            }
        };
        drop((
            child_control,
            child_status,
            child_stdout,
            child_stderr,
            executable,
        ));
        let mut process = SandboxProcess {
            pidfd,
            init: pid,
            control: File::from(control),
            runtime_api: None,
            aws_endpoint: None,
            stdout: Some(stdout),
            stderr: Some(stderr),
            group,
            memory_limit: spec.limits.memory_bytes,
            peak: AtomicU64::new(0),
            exceeded: AtomicBool::new(false),
            killed: AtomicBool::new(false),
            reaped: AtomicBool::new(false),
            missing,
        };
        // From here on dropping `process` cleans up.
        self.write_user_map(pid).map_err(|source| SandboxError::Layer {
            layer: Layer::UserMapping,
            action: "writing the user map",
            source,
        })?;
        if let Some(group) = &process.group {
            group.add(pid).map_err(|source| SandboxError::Layer {
                layer: Layer::Cgroup,
                action: "moving a process into its group",
                source,
            })?;
        }
        // A child that failed already is reported below, by what it says itself.
        drop((&process.control).write_all(&[1]));
        let listeners = sys::receive_descriptors(process.control.as_raw_fd());
        let mut report = Vec::new();
        File::from(status)
            .read_to_end(&mut report)
            .map_err(resource("waiting for a sandbox to start"))?;
        if !report.is_empty() {
            return Err(failure(&report, spec, &plan));
        }
        match listeners {
            Ok(Some([runtime_api, aws_endpoint])) => {
                process.runtime_api = Some(TcpListener::from(runtime_api));
                process.aws_endpoint = Some(TcpListener::from(aws_endpoint));
                Ok(process)
            }
            Ok(None) => Err(SandboxError::Layer {
                layer: Layer::Network,
                action: "handing over the listeners",
                source: io::Error::from(io::ErrorKind::UnexpectedEof),
            }),
            Err(source) => Err(SandboxError::Layer {
                layer: Layer::Network,
                action: "handing over the listeners",
                source,
            }),
        }
    }

    /// Maps the sandbox's one user and group.
    fn write_user_map(&self, pid: libc::pid_t) -> io::Result<()> {
        let (user, group) = if self.privileged {
            let user = next_host_user();
            (user, user)
        } else {
            self.user
        };
        if !self.privileged {
            // Without privileges the kernel wants it promised that groups stay as they are.
            fs::write(format!("/proc/{pid}/setgroups"), "deny")?;
        }
        fs::write(format!("/proc/{pid}/uid_map"), format!("{USER} {user} 1\n"))?;
        fs::write(format!("/proc/{pid}/gid_map"), format!("{GROUP} {group} 1\n"))
    }
}

fn namespaces() -> u64 {
    let flags = libc::CLONE_NEWUSER
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWCGROUP;
    u64::from(flags.cast_unsigned())
}

/// The same file under a number that the child needs for nothing else (standard streams, init's control socket).
fn moved_up(file: &impl AsRawFd) -> io::Result<OwnedFd> {
    // SAFETY: duplicating a descriptor that is open.
    let number = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 10) };
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: fresh descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Turns the child's report into an error.
fn failure(report: &[u8], spec: &Spec, plan: &Plan) -> SandboxError {
    let broken = || SandboxError::Layer {
        layer: Layer::Namespaces,
        action: "starting",
        source: io::Error::from(io::ErrorKind::InvalidData),
    };
    let Some((&[stage, item, first, second, third, fourth], _)) = report.split_first_chunk::<REPORT_LENGTH>()
    else {
        return broken();
    };
    let Some(stage) = Stage::from_byte(stage) else {
        return broken();
    };
    let source = io::Error::from_raw_os_error(i32::from_ne_bytes([first, second, third, fourth]));
    match stage {
        Stage::Program => SandboxError::Program {
            program: spec.program.clone(),
            source,
        },
        Stage::WorkingDirectory => SandboxError::WorkingDirectory {
            path: spec.working_directory.clone(),
            source,
        },
        Stage::OpenSource | Stage::SourceAttributes | Stage::Attach => {
            let path = plan.binds.get(usize::from(item)).map(|bind| &bind.source);
            let path = path.map(|path| PathBuf::from(std::ffi::OsStr::from_bytes(path.as_bytes())));
            SandboxError::Source {
                path: path.unwrap_or_default(),
                source,
            }
        }
        stage => {
            let (layer, action) = stage.describe();
            SandboxError::Layer {
                layer,
                action,
                source,
            }
        }
    }
}
