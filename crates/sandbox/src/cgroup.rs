//! Control groups: limits for all processes of a sandbox together, and what they used.
//!
//! Machines differ: version 2, version 1, or version 1 beside a version 2 mount that controls nothing. [`Cgroups::detect`]
//! finds the place below the server's own group (so whatever limits the server limits its functions too) and each
//! sandbox gets one group per hierarchy, named `rolecall.SERVER-PROCESS.SERVER-START.NUMBER`. The name tells a later
//! server which groups belong to one that is gone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::spec::Limits;

const PREFIX: &str = "rolecall.";

/// Which version gives the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    One,
    Two,
}

/// Where sandboxes' groups are made.
#[derive(Debug)]
pub(crate) struct Cgroups {
    version: Version,
    /// Version 2: one folder. Version 1: one folder for each of [`CONTROLLERS`] that is there.
    parents: Vec<(Controller, PathBuf)>,
    own_name: String,
}

/// Number of the next sandbox of this process, whichever [`Cgroups`] it comes from.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A controller of version 1; version 2 has all in one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Controller {
    All,
    Memory,
    Processes,
    Processor,
}

const CONTROLLERS: [(Controller, &str); 3] = [
    (Controller::Memory, "memory"),
    (Controller::Processes, "pids"),
    (Controller::Processor, "cpu"),
];

impl Cgroups {
    /// Finds a place where groups with memory and process limits can be made, and removes what dead servers left there.
    ///
    /// # Errors
    /// Says for people why there is none.
    pub(crate) fn detect() -> Result<Self, String> {
        let own =
            fs::read_to_string("/proc/self/cgroup").map_err(|error| format!("/proc/self/cgroup: {error}"))?;
        let mounts = fs::read_to_string("/proc/self/mountinfo")
            .map_err(|error| format!("/proc/self/mountinfo: {error}"))?;
        let own_name = own_name().map_err(|error| format!("/proc/self/stat: {error}"))?;
        let (version, parents) = match version_two(&own, &mounts) {
            Ok(parent) => (Version::Two, vec![(Controller::All, parent)]),
            Err(two) => match version_one(&own, &mounts) {
                Ok(parents) => (Version::One, parents),
                Err(one) => return Err(format!("version 2: {two}; version 1: {one}")),
            },
        };
        let cgroups = Self {
            version,
            parents,
            own_name,
        };
        cgroups.sweep();
        cgroups
            .probe()
            .map_err(|error| format!("a group cannot be made: {error}"))?;
        Ok(cgroups)
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    fn probe(&self) -> io::Result<()> {
        let limits = Limits {
            memory_bytes: 1 << 30,
            temporary_bytes: 1 << 29,
            processes: 64,
            open_files: 64,
            cpu_shares: 128,
        };
        self.create(&limits).map(drop)
    }

    /// Makes the groups of one sandbox.
    pub(crate) fn create(&self, limits: &Limits) -> io::Result<Group> {
        let name = format!("{}{}", self.own_name, NEXT.fetch_add(1, Ordering::Relaxed));
        let mut group = Group { folders: Vec::new() };
        for (controller, parent) in &self.parents {
            let folder = parent.join(&name);
            fs::create_dir(&folder)?;
            group.folders.push((*controller, folder.clone()));
            configure(*controller, &folder, limits)?;
        }
        Ok(group)
    }

    /// Removes the groups of servers that are gone. Their processes ended with them; any left is killed.
    fn sweep(&self) {
        for (_, parent) in &self.parents {
            let Ok(entries) = fs::read_dir(parent) else {
                continue;
            };
            for entry in entries.flatten() {
                let name = entry.file_name();
                let Some(name) = name.to_str() else { continue };
                if owner_is_gone(name) {
                    remove_left_over(&entry.path());
                }
            }
        }
    }
}

/// The groups of one sandbox; removed when dropped.
#[derive(Debug)]
pub(crate) struct Group {
    folders: Vec<(Controller, PathBuf)>,
}

impl Group {
    /// Moves a process in; its children follow.
    pub(crate) fn add(&self, process: libc::pid_t) -> io::Result<()> {
        for (_, folder) in &self.folders {
            fs::write(folder.join("cgroup.procs"), process.to_string())?;
        }
        Ok(())
    }

    fn memory_folder(&self) -> Option<&(Controller, PathBuf)> {
        self.folders
            .iter()
            .find(|(controller, _)| matches!(controller, Controller::All | Controller::Memory))
    }

    /// Bytes in use now: all, and without what lies in `/tmp` and the page cache.
    pub(crate) fn memory(&self) -> Option<(u64, u64)> {
        let (controller, folder) = self.memory_folder()?;
        let (total, anonymous) = match controller {
            Controller::All => ("memory.current", "anon"),
            _ => ("memory.usage_in_bytes", "total_rss"),
        };
        let total = read_number(&folder.join(total))?;
        let anonymous = read_field(&folder.join("memory.stat"), anonymous)?;
        Some((total, anonymous))
    }

    /// Bytes in use now, everything counted; one cheap read.
    pub(crate) fn memory_total(&self) -> Option<u64> {
        let (controller, folder) = self.memory_folder()?;
        read_number(&folder.join(match controller {
            Controller::All => "memory.current",
            _ => "memory.usage_in_bytes",
        }))
    }

    /// Whether the kernel killed a process of the group for want of memory.
    pub(crate) fn kernel_killed_for_memory(&self) -> bool {
        let Some((controller, folder)) = self.memory_folder() else {
            return false;
        };
        let file = match controller {
            Controller::All => "memory.events",
            _ => "memory.oom_control",
        };
        read_field(&folder.join(file), "oom_kill").is_some_and(|count| count > 0)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for (_, folder) in &self.folders {
            remove(folder);
        }
    }
}

/// Removes an empty group. The kernel may need a moment to let the last process go.
fn remove(folder: &Path) {
    for pause in [0u64, 1, 2, 5, 10, 20, 50, 100] {
        std::thread::sleep(std::time::Duration::from_millis(pause));
        match fs::remove_dir(folder) {
            Ok(()) => return,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(_) => {}
        }
    }
    tracing::warn!(group = %folder.display(), "control group is still in use; the next start removes it");
}

fn remove_left_over(folder: &Path) {
    if let Ok(processes) = fs::read_to_string(folder.join("cgroup.procs")) {
        for process in processes
            .lines()
            .filter_map(|line| line.parse().ok())
            .filter(|process| *process > 1)
        {
            // SAFETY: plain numbers; the process was in a group only a dead server's sandboxes are in.
            unsafe { libc::kill(process, libc::SIGKILL) };
        }
    }
    remove(folder);
}

fn configure(controller: Controller, folder: &Path, limits: &Limits) -> io::Result<()> {
    // What lies in /tmp is charged as memory by the kernel but not by Lambda, so the hard limit has room for both;
    // `SandboxProcess::check_memory` holds the function to its own part.
    let hard = limits
        .memory_bytes
        .saturating_add(limits.temporary_bytes)
        .to_string();
    let processes = limits.processes.to_string();
    match controller {
        Controller::Memory => {
            fs::write(folder.join("memory.limit_in_bytes"), &hard)?;
            // Only where swap is accounted for; without it there is nothing to limit.
            ignore_missing(fs::write(folder.join("memory.memsw.limit_in_bytes"), &hard))
        }
        Controller::Processes => fs::write(folder.join("pids.max"), processes),
        Controller::Processor => fs::write(folder.join("cpu.shares"), limits.cpu_shares.max(2).to_string()),
        Controller::All => {
            fs::write(folder.join("memory.max"), &hard)?;
            ignore_missing(fs::write(folder.join("memory.swap.max"), "0"))?;
            ignore_missing(fs::write(folder.join("memory.oom.group"), "1"))?;
            fs::write(folder.join("pids.max"), processes)?;
            ignore_missing(fs::write(
                folder.join("cpu.weight"),
                weight(limits.cpu_shares).to_string(),
            ))
        }
    }
}

/// Version 2's weight (1 to 10000, 100 is usual) for version 1's shares (2 to 262144, 1024 is usual).
fn weight(shares: u64) -> u64 {
    (shares.saturating_mul(100) / 1024).clamp(1, 10_000)
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}

fn read_number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Value of the line `NAME VALUE`.
fn read_field(file: &Path, name: &str) -> Option<u64> {
    field(&fs::read_to_string(file).ok()?, name)
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

/// `rolecall.PID.START.` of this process.
fn own_name() -> io::Result<String> {
    let process = std::process::id();
    let start = start_time(process).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
    Ok(format!("{PREFIX}{process}.{start}."))
}

/// When a process started, in clock ticks since boot: field 22 of its `stat`.
fn start_time(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may itself contain spaces and parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

/// Whether a group's name says that it belongs to a server that no longer runs.
fn owner_is_gone(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else {
        return false;
    };
    let mut parts = rest.split('.');
    let (Some(Ok(process)), Some(Ok(start)), Some(Ok(_)), None) = (
        parts.next().map(str::parse::<u32>),
        parts.next().map(str::parse::<u64>),
        parts.next().map(str::parse::<u64>),
        parts.next(),
    ) else {
        return false;
    };
    start_time(process) != Some(start)
}

/// The server's own group in the hierarchy whose controller list satisfies `wanted`.
fn own_path(own: &str, wanted: impl Fn(&str, &str) -> bool) -> Option<&str> {
    own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        wanted(number, controllers).then_some(path)
    })
}

/// Mount point and the part of the hierarchy mounted there.
fn mount_of(mounts: &str, wanted: impl Fn(&str, &str) -> bool) -> Option<(&str, &str)> {
    mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ').skip(3);
        let (root, point) = (before.next()?, before.next()?);
        let mut after = after.split(' ');
        let (kind, _, options) = (after.next()?, after.next()?, after.next()?);
        wanted(kind, options).then_some((point, root))
    })
}

/// The folder of the server's own group, or of the whole mount where the group lies outside it.
fn folder(point: &str, root: &str, path: &str) -> PathBuf {
    let inside = if root == "/" {
        path
    } else {
        path.strip_prefix(root).unwrap_or("/")
    };
    let folder = Path::new(point).join(inside.trim_start_matches('/'));
    if folder.is_dir() {
        folder
    } else {
        PathBuf::from(point)
    }
}

fn version_one(own: &str, mounts: &str) -> Result<Vec<(Controller, PathBuf)>, String> {
    let mut parents = Vec::new();
    for (controller, name) in CONTROLLERS {
        let listed = |options: &str| options.split(',').any(|option| option == name);
        let path = own_path(own, |_, controllers| listed(controllers));
        let mount = mount_of(mounts, |kind, options| kind == "cgroup" && listed(options));
        match (path, mount) {
            (Some(path), Some((point, root))) => parents.push((controller, folder(point, root, path))),
            _ if controller == Controller::Processor => {}
            _ => return Err(format!("no {name} controller is mounted")),
        }
    }
    Ok(parents)
}

fn version_two(own: &str, mounts: &str) -> Result<PathBuf, String> {
    let path = own_path(own, |number, controllers| number == "0" && controllers.is_empty())
        .ok_or("this process is in no group")?;
    let (point, root) = mount_of(mounts, |kind, _| kind == "cgroup2").ok_or("it is not mounted")?;
    let own = folder(point, root, path);
    let mut reasons = Vec::new();
    for parent in [own.as_path(), Path::new(point)] {
        match delegate(parent) {
            Ok(()) => return Ok(parent.to_owned()),
            Err(reason) => reasons.push(format!("{}: {reason}", parent.display())),
        }
    }
    Err(reasons.join(", "))
}

/// Sees to it that groups made below `parent` have memory and process limits.
fn delegate(parent: &Path) -> Result<(), String> {
    let offered = fs::read_to_string(parent.join("cgroup.controllers")).map_err(|error| error.to_string())?;
    for needed in ["memory", "pids"] {
        if !offered.split_whitespace().any(|controller| controller == needed) {
            return Err(format!("the {needed} controller is not available"));
        }
    }
    let control = parent.join("cgroup.subtree_control");
    let enabled = fs::read_to_string(&control).map_err(|error| error.to_string())?;
    let mut missing = String::new();
    for wanted in ["memory", "pids", "cpu"] {
        let has = |list: &str| list.split_whitespace().any(|controller| controller == wanted);
        if has(&offered) && !has(&enabled) {
            missing.push('+');
            missing.push_str(wanted);
            missing.push(' ');
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let enable = || fs::write(&control, missing.trim_end());
    match enable() {
        Ok(()) => Ok(()),
        // A group that has processes of its own cannot hand controllers on. If the server is alone in it, it moves to a
        // group beside its sandboxes.
        Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {
            let alone = fs::read_to_string(parent.join("cgroup.procs"))
                .is_ok_and(|processes| processes.trim() == std::process::id().to_string());
            if !alone {
                return Err(
                    "other processes are in the server's group; start the server in one of its own, \
                            for example with `systemd-run --user --scope -p Delegate=yes`"
                        .to_owned(),
                );
            }
            let server = parent.join("rolecall-server");
            match fs::create_dir(&server) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.to_string()),
                _ => {}
            }
            fs::write(server.join("cgroup.procs"), std::process::id().to_string())
                .and_then(|()| enable())
                .map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn names_of_living_servers_and_of_strangers_are_left_alone() {
        let own = format!("{}7", own_name().expect("this process has a start time"));
        assert!(!owner_is_gone(&own));
        for stranger in [
            "system.slice",
            "rolecall.",
            "rolecall.x.1.1",
            "rolecall.1.1.1.1",
            "rolecall-server",
        ] {
            assert!(!owner_is_gone(stranger), "{stranger}");
        }
        // This process, but started at another time: the number was used again.
        assert!(owner_is_gone(&format!("{PREFIX}{}.1.0", std::process::id())));
    }

    #[test]
    fn the_place_is_found_in_both_versions() {
        let own = "5:pids:/a\n4:memory:/a/b\n3:cpu,cpuacct:/\n0::/user.slice/x\n";
        let mounts = "30 25 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
                      31 25 0:27 /a /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      32 25 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";
        assert_eq!(
            own_path(own, |_, controllers| controllers == "memory"),
            Some("/a/b")
        );
        assert_eq!(
            own_path(own, |number, controllers| number == "0" && controllers.is_empty()),
            Some("/user.slice/x")
        );
        assert_eq!(
            mount_of(mounts, |kind, options| kind == "cgroup"
                && options.ends_with("memory")),
            Some(("/sys/fs/cgroup/memory", "/a"))
        );
        assert_eq!(
            mount_of(mounts, |kind, _| kind == "cgroup2"),
            Some(("/sys/fs/cgroup/unified", "/"))
        );
        assert!(version_one(own, mounts).is_err_and(|reason| reason.contains("pids")));
    }

    #[test]
    fn fields_are_read_by_their_whole_name() {
        let text = "low 0\noom 3\noom_kill 2\noom_group_kill 1\n";
        assert_eq!(field(text, "oom_kill"), Some(2));
        assert_eq!(field(text, "oom"), Some(3));
        assert_eq!(field(text, "oo"), None);
    }

    #[test]
    fn shares_become_weights() {
        for (shares, expected) in [(0, 1), (2, 1), (1024, 100), (2048, 200), (u64::MAX, 10_000)] {
            assert_eq!(weight(shares), expected);
        }
    }
}
