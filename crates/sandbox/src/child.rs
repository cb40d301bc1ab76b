//! What happens between `clone3` and `exec`.
//!
//! INVARIANT: nothing here allocates, locks, unwinds or touches state of the server's other threads, which do not exist
//! in this process. Only bare system calls on data of the [`Plan`].

use std::ffi::CStr;
use std::os::fd::RawFd;

use crate::plan::{GROUP, Plan, USER};
use crate::sys::{self, Errno};
use crate::{AWS_ENDPOINT_PORT, Layer, MAXIMUM_MOUNTS, RUNTIME_API_PORT, init, landlock};

/// Descriptors the child gets from the server, by number.
#[derive(Clone, Copy)]
pub(crate) struct Descriptors {
    /// Socket to the server.
    pub(crate) control: RawFd,
    /// Where failures are reported; closed by a successful `exec`.
    pub(crate) status: RawFd,
    pub(crate) stdout: RawFd,
    pub(crate) stderr: RawFd,
    /// This executable, for init.
    pub(crate) executable: RawFd,
}

/// What the child was doing when it failed: sent to the server as one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stage {
    Descriptors = 1,
    OpenSource,
    SourceAttributes,
    User,
    MountRoot,
    Folder,
    File,
    Attach,
    MemoryFileSystem,
    Proc,
    Pivot,
    ReadOnlyRoot,
    HostName,
    Loopback,
    Listen,
    Capabilities,
    NewPrivileges,
    Fork,
    Limit,
    WorkingDirectory,
    Landlock,
    Filter,
    Program,
}

impl Stage {
    const ALL: [Self; 23] = [
        Self::Descriptors,
        Self::OpenSource,
        Self::SourceAttributes,
        Self::User,
        Self::MountRoot,
        Self::Folder,
        Self::File,
        Self::Attach,
        Self::MemoryFileSystem,
        Self::Proc,
        Self::Pivot,
        Self::ReadOnlyRoot,
        Self::HostName,
        Self::Loopback,
        Self::Listen,
        Self::Capabilities,
        Self::NewPrivileges,
        Self::Fork,
        Self::Limit,
        Self::WorkingDirectory,
        Self::Landlock,
        Self::Filter,
        Self::Program,
    ];

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| *stage as u8 == byte)
    }

    /// The layer that a failure at this stage takes away, and what was being done.
    pub(crate) fn describe(self) -> (Layer, &'static str) {
        match self {
            Self::Descriptors => (Layer::Root, "closing the server's descriptors"),
            Self::OpenSource => (Layer::Root, "opening a folder to show"),
            Self::SourceAttributes => (Layer::Root, "making a mount read-only"),
            Self::User => (Layer::UserMapping, "becoming the unprivileged user"),
            Self::MountRoot => (Layer::Root, "mounting the new root"),
            Self::Folder => (Layer::Root, "making a folder of the new root"),
            Self::File => (Layer::Root, "making a file of the new root"),
            Self::Attach => (Layer::Root, "attaching a mount"),
            Self::MemoryFileSystem => (Layer::Root, "mounting /tmp"),
            Self::Proc => (Layer::Root, "mounting /proc"),
            Self::Pivot => (Layer::Root, "changing to the new root"),
            Self::ReadOnlyRoot => (Layer::Root, "making the new root read-only"),
            Self::HostName => (Layer::Namespaces, "naming the host"),
            Self::Loopback => (Layer::Network, "bringing the loopback interface up"),
            Self::Listen => (Layer::Network, "listening inside"),
            Self::Capabilities => (Layer::Privileges, "dropping capabilities"),
            Self::NewPrivileges => (Layer::Privileges, "forbidding new privileges"),
            Self::Fork => (Layer::Limits, "starting the runtime's process"),
            Self::Limit => (Layer::Limits, "setting process limits"),
            Self::WorkingDirectory => (Layer::Root, "changing to the working directory"),
            Self::Landlock => (Layer::Landlock, "enforcing landlock rules"),
            Self::Filter => (Layer::Seccomp, "installing the system-call filter"),
            Self::Program => (Layer::Root, "executing the program"),
        }
    }
}

/// A failure: stage, which item of the plan, error number.
type Failure = (Stage, usize, Errno);

/// Adds stage and item to an error number.
trait At<T> {
    fn at(self, stage: Stage, item: usize) -> Result<T, Failure>;
}

impl<T> At<T> for Result<T, Errno> {
    fn at(self, stage: Stage, item: usize) -> Result<T, Failure> {
        self.map_err(|errno| (stage, item, errno))
    }
}

/// Length of a failure on the status pipe: stage, item, error number.
pub(crate) const REPORT_LENGTH: usize = 6;

/// Never returns: becomes init, or reports a failure and exits.
pub(crate) fn run(plan: &Plan, descriptors: Descriptors) -> ! {
    let failure = match build(plan, descriptors) {
        Ok(never) => never,
        Err(failure) => failure,
    };
    report(descriptors.status, failure)
}

fn report(status: RawFd, (stage, item, errno): Failure) -> ! {
    let [first, second, third, fourth] = errno.to_ne_bytes();
    let item = u8::try_from(item).unwrap_or(u8::MAX);
    let _ = sys::write_all(status, &[stage as u8, item, first, second, third, fourth]);
    sys::exit_now(1)
}

/// Builds the sandbox and splits into init and runtime. Returns only failures.
fn build(plan: &Plan, descriptors: Descriptors) -> Result<Failure, Failure> {
    keep_only(descriptors).at(Stage::Descriptors, 0)?;
    // The server writes the user mapping and enters us into cgroups first. Nothing to read means that it is gone.
    let mut go = [0u8];
    if sys::read(descriptors.control, &mut go) != Ok(1) {
        sys::exit_now(1);
    }
    sys::clear_file_mode_mask();
    build_root(plan)?;
    sys::set_host_name(c"rolecall").at(Stage::HostName, 0)?;
    open_network(descriptors.control)?;
    sys::drop_capabilities().at(Stage::Capabilities, 0)?;
    sys::forbid_new_privileges().at(Stage::NewPrivileges, 0)?;
    sys::forbid_inspection().at(Stage::Capabilities, 1)?;
    sys::set_usual_file_mode_mask();

    match sys::fork().at(Stage::Fork, 0)? {
        0 => Err(start_runtime(plan, descriptors)),
        init::RUNTIME_PROCESS => become_init(plan, descriptors),
        _ => Err((Stage::Fork, 1, libc::EEXIST)),
    }
}

/// Closes every descriptor but ours; the server's others (its database, its clients) have no business here.
fn keep_only(descriptors: Descriptors) -> Result<(), Errno> {
    let Descriptors {
        control,
        status,
        stdout,
        stderr,
        executable,
    } = descriptors;
    let mut kept = [control, status, stdout, stderr, executable];
    kept.sort_unstable();
    let mut next = 0u32;
    for number in kept {
        let number = number.cast_unsigned();
        if let Some(last) = number.checked_sub(1)
            && next <= last
        {
            sys::close_range(next, last)?;
        }
        next = number.saturating_add(1);
    }
    sys::close_range(next, u32::MAX)
}

fn build_root(plan: &Plan) -> Result<(), Failure> {
    // Sources are opened while this process still has the server's rights to them, before it becomes nobody.
    let mut trees: [RawFd; MAXIMUM_MOUNTS] = [-1; MAXIMUM_MOUNTS];
    for (item, (tree, bind)) in trees.iter_mut().zip(&plan.binds).enumerate() {
        *tree = sys::open_tree(&bind.source).at(Stage::OpenSource, item)?;
        sys::set_mount_attributes(*tree, c"", bind.attributes, true).at(Stage::SourceAttributes, item)?;
    }
    sys::become_user(USER, GROUP, plan.drop_groups).at(Stage::User, 0)?;

    sys::mount(c"none", c"/", libc::MS_REC | libc::MS_PRIVATE, c"").at(Stage::MountRoot, 0)?;
    sys::mount(
        c"tmpfs",
        c"/tmp",
        libc::MS_NOSUID | libc::MS_NODEV,
        &plan.root_options,
    )
    .at(Stage::MountRoot, 1)?;
    sys::change_directory(c"/tmp").at(Stage::MountRoot, 2)?;
    for (item, folder) in plan.folders.iter().enumerate() {
        sys::make_directory(folder, 0o755).at(Stage::Folder, item)?;
    }
    for (item, (path, content)) in plan.files.iter().enumerate() {
        sys::make_file(path, content).at(Stage::File, item)?;
    }
    for (item, (target, path)) in plan.links.iter().enumerate() {
        sys::make_symlink(target, path).at(Stage::File, item)?;
    }
    for (item, (tree, bind)) in trees.iter().zip(&plan.binds).enumerate() {
        let made = if bind.is_folder {
            sys::make_directory(&bind.target, 0o755)
        } else {
            sys::make_file(&bind.target, &[])
        };
        match made {
            // A folder that is also the parent of another mount, or one inside a mount that is attached already.
            Ok(()) | Err(libc::EEXIST) => {}
            Err(errno) => return Err((Stage::Folder, item, errno)),
        }
        sys::move_mount(*tree, &bind.target).at(Stage::Attach, item)?;
        sys::close(*tree);
    }
    for (item, memory) in plan.memory.iter().enumerate() {
        sys::mount(c"tmpfs", &memory.target, memory.flags, &memory.options)
            .at(Stage::MemoryFileSystem, item)?;
    }
    // Processes of others are not even listed (hidepid), so init stays out of sight too.
    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    sys::mount(c"proc", c"proc", flags, c"hidepid=2").at(Stage::Proc, 0)?;

    sys::pivot_root_here().at(Stage::Pivot, 0)?;
    sys::change_directory(c"/").at(Stage::Pivot, 1)?;
    sys::set_mount_attributes(libc::AT_FDCWD, c"/", libc::MOUNT_ATTR_RDONLY, false).at(Stage::ReadOnlyRoot, 0)
}

/// The network has nothing but `lo`; the server gets the two sockets that listen on it.
fn open_network(control: RawFd) -> Result<(), Failure> {
    sys::bring_loopback_up().at(Stage::Loopback, 0)?;
    let runtime_api = sys::listen_on_loopback(RUNTIME_API_PORT).at(Stage::Listen, 0)?;
    let aws_endpoint = sys::listen_on_loopback(AWS_ENDPOINT_PORT).at(Stage::Listen, 1)?;
    sys::send_descriptors(control, [runtime_api, aws_endpoint]).at(Stage::Listen, 2)?;
    sys::close(runtime_api);
    sys::close(aws_endpoint);
    Ok(())
}

/// Process 1: forgets the server's memory by executing this program anew as init.
fn become_init(plan: &Plan, descriptors: Descriptors) -> ! {
    sys::close(descriptors.stdout);
    sys::close(descriptors.stderr);
    sys::close(descriptors.status);
    if sys::install_filter(plan.filter).is_err() {
        // Ending process 1 ends the sandbox; the runtime's own process reports the same refusal.
        sys::exit_now(1);
    }
    // The server's descriptors have numbers above these (see `spawn::moved_up`).
    if let Ok(null) = sys::open_read_write(c"/dev/null") {
        for standard in 0..=2 {
            let _ = sys::duplicate_to(null, standard);
        }
    }
    if sys::duplicate_to(descriptors.control, init::CONTROL).is_ok() {
        let arguments = [init::NAME.as_ptr(), std::ptr::null()];
        sys::execute_descriptor(descriptors.executable, &arguments, &[std::ptr::null()]);
    }
    // It could not be executed (its libraries are not visible inside): serve from this copy, whose memory nobody inside
    // can read, because it is not dumpable and tracing is filtered.
    init::run(descriptors.control)
}

/// Process 2: the function's runtime. Returns only on failure.
fn start_runtime(plan: &Plan, descriptors: Descriptors) -> Failure {
    match prepare_runtime(plan, descriptors) {
        Ok(()) => (
            Stage::Program,
            0,
            sys::execute(&plan.program, plan.arguments(), plan.environment()),
        ),
        Err(failure) => failure,
    }
}

fn prepare_runtime(plan: &Plan, descriptors: Descriptors) -> Result<(), Failure> {
    sys::new_session();
    let null = sys::open_read_write(c"/dev/null").at(Stage::Descriptors, 1)?;
    sys::duplicate_to(null, 0).at(Stage::Descriptors, 2)?;
    sys::duplicate_to(descriptors.stdout, 1).at(Stage::Descriptors, 3)?;
    sys::duplicate_to(descriptors.stderr, 2).at(Stage::Descriptors, 4)?;
    change_to(&plan.working_directory)?;
    if plan.landlock > 0 {
        landlock::enforce(plan.landlock).at(Stage::Landlock, 0)?;
    }
    for (item, (resource, value)) in plan.limits.iter().enumerate() {
        sys::set_limit(*resource, *value).at(Stage::Limit, item)?;
    }
    sys::reset_signals();
    sys::install_filter(plan.filter).at(Stage::Filter, 0)
}

fn change_to(path: &CStr) -> Result<(), Failure> {
    sys::change_directory(path).at(Stage::WorkingDirectory, 0)
}
