//! Everything the child will do, worked out beforehand.
//!
//! Between `clone3` and `exec` nothing may be allocated, so every path is here as a C string, every folder that a mount
//! needs is listed in order, and the arrays `exec` wants are ready.

use std::collections::BTreeSet;
use std::ffi::{CString, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::error::SandboxError;
use crate::spec::{Mount, Spec};
use crate::{MAXIMUM_MOUNTS, sys};

/// User id inside; the one Lambda's own environments use.
pub(crate) const USER: u32 = 993;
/// Group id inside.
pub(crate) const GROUP: u32 = 990;

/// Folders of the host that are shown as they are, when they exist (symbolic links are kept as links).
const SYSTEM_FOLDERS: &[&str] = &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/// Files and folders of `/etc` that programs need and that hold nothing secret: the linker's cache, the targets of
/// distribution symbolic links, certificates of public authorities, types by file name.
const SYSTEM_SETTINGS: &[&str] = &[
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls",
    "/etc/pki/ca-trust",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/mime.types",
];

const DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// Files made for the sandbox.
const FILES: &[(&str, &str)] = &[
    (
        "etc/passwd",
        "root:x:0:0:root:/root:/usr/sbin/nologin\nsbx_user1051:x:993:990::/home/sbx_user1051:/usr/sbin/nologin\n",
    ),
    ("etc/group", "root:x:0:\nsbx_user1051:x:990:\n"),
    ("etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n"),
    ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
    ("etc/resolv.conf", ""),
];

const LINKS: &[(&str, &str)] = &[
    ("/proc/self/fd", "dev/fd"),
    ("/proc/self/fd/0", "dev/stdin"),
    ("/proc/self/fd/1", "dev/stdout"),
    ("/proc/self/fd/2", "dev/stderr"),
];

/// A bind mount to make.
pub(crate) struct Bind {
    pub(crate) source: CString,
    /// Relative to the new root.
    pub(crate) target: CString,
    pub(crate) is_folder: bool,
    pub(crate) attributes: u64,
}

/// A file system in memory to mount.
pub(crate) struct Memory {
    pub(crate) target: CString,
    pub(crate) options: CString,
    pub(crate) flags: libc::c_ulong,
}

/// What the child does, ready made.
pub(crate) struct Plan {
    pub(crate) binds: Vec<Bind>,
    pub(crate) folders: Vec<CString>,
    pub(crate) files: Vec<(CString, &'static [u8])>,
    pub(crate) links: Vec<(CString, CString)>,
    pub(crate) memory: Vec<Memory>,
    pub(crate) root_options: CString,
    pub(crate) program: CString,
    pub(crate) working_directory: CString,
    /// Kernel resource numbers with their limit.
    pub(crate) limits: Vec<(u32, u64)>,
    pub(crate) filter: &'static [seccompiler::sock_filter],
    /// Landlock version to use, 0 for none.
    pub(crate) landlock: u32,
    pub(crate) drop_groups: bool,
    arguments: StringTable,
    environment: StringTable,
}

impl Plan {
    /// Works the plan out.
    ///
    /// `without_cgroup` limits memory a process instead of for all together.
    pub(crate) fn new(
        spec: &Spec,
        landlock: u32,
        without_cgroup: bool,
        drop_groups: bool,
    ) -> Result<Self, SandboxError> {
        let mut layout = Layout::default();
        layout.add_system()?;
        for mount in &spec.mounts {
            layout.add_mount(mount)?;
        }
        for device in DEVICES {
            let attributes = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC;
            layout.add_bind(Path::new(device), Path::new(device), false, attributes)?;
        }
        for folder in ["/tmp", "/dev/shm", "/proc", "/etc", "/var/task", "/opt"] {
            layout.add_parents(&Path::new(folder).join("x"))?;
        }
        if layout.binds.len() > MAXIMUM_MOUNTS {
            return Err(SandboxError::Spec(format!("more than {MAXIMUM_MOUNTS} mounts")));
        }
        for (target, path) in LINKS {
            layout
                .links
                .push((string(OsStr::new(target))?, string(OsStr::new(path))?));
        }
        let files = FILES
            .iter()
            .map(|(path, content)| Ok((string(OsStr::new(path))?, content.as_bytes())))
            .collect::<Result<_, SandboxError>>()?;
        let filter = crate::seccomp::filter().map_err(SandboxError::Spec)?;
        Ok(Self {
            binds: layout.binds,
            folders: layout
                .folders
                .iter()
                .map(|path| string(path.as_os_str()))
                .collect::<Result<_, _>>()?,
            files,
            links: layout.links,
            memory: vec![
                memory_file_system("tmp", spec.limits.temporary_bytes, "1777")?,
                memory_file_system("dev/shm", SHARED_MEMORY_BYTES, "1777")?,
            ],
            root_options: string(OsStr::new("size=1m,nr_inodes=4096,mode=755"))?,
            program: string(spec.program.as_os_str())?,
            working_directory: string(spec.working_directory.as_os_str())?,
            limits: limits(spec, without_cgroup),
            filter,
            landlock,
            drop_groups,
            arguments: StringTable::new(spec.arguments.iter().map(|argument| argument.as_bytes().to_vec()))?,
            environment: StringTable::new(spec.environment.iter().map(|(name, value)| {
                let mut entry = name.as_bytes().to_vec();
                entry.push(b'=');
                entry.extend_from_slice(value.as_bytes());
                entry
            }))?,
        })
    }

    /// Arguments as `exec` wants them.
    pub(crate) fn arguments(&self) -> &[*const c_char] {
        &self.arguments.pointers
    }

    /// Environment as `exec` wants it.
    pub(crate) fn environment(&self) -> &[*const c_char] {
        &self.environment.pointers
    }
}

/// Size of `/dev/shm`; counts as memory of the function.
const SHARED_MEMORY_BYTES: u64 = 64 << 20;

fn limits(spec: &Spec, without_cgroup: bool) -> Vec<(u32, u64)> {
    let mut wanted = vec![
        (libc::RLIMIT_NOFILE, spec.limits.open_files),
        (libc::RLIMIT_NPROC, spec.limits.processes),
        (libc::RLIMIT_CORE, 0),
        // Above what the file systems in memory hold, so that a full one answers ENOSPC, as in Lambda, before this does EFBIG.
        (
            libc::RLIMIT_FSIZE,
            spec.limits
                .temporary_bytes
                .max(SHARED_MEMORY_BYTES)
                .saturating_add(1 << 20),
        ),
        (libc::RLIMIT_MEMLOCK, 64 << 10),
        (libc::RLIMIT_MSGQUEUE, 800 << 10),
        (libc::RLIMIT_RTPRIO, 0),
    ];
    if without_cgroup {
        wanted.push((libc::RLIMIT_DATA, spec.limits.memory_bytes));
    }
    // A limit above the server's own cannot be set without privileges, and need not be.
    wanted
        .into_iter()
        .map(|(resource, value)| (resource, value.min(sys::hard_limit(resource))))
        .collect()
}

fn memory_file_system(target: &str, bytes: u64, mode: &str) -> Result<Memory, SandboxError> {
    let inodes = (bytes >> 12).clamp(1024, 1 << 20);
    Ok(Memory {
        target: string(OsStr::new(target))?,
        options: string(OsStr::new(&format!(
            "size={bytes},nr_inodes={inodes},mode={mode}"
        )))?,
        flags: libc::MS_NOSUID | libc::MS_NODEV,
    })
}

/// Collects mounts and the folders they need.
#[derive(Default)]
struct Layout {
    binds: Vec<Bind>,
    /// Host folders shown at their own place: what lies below is visible already.
    shown: BTreeSet<PathBuf>,
    folders: Vec<PathBuf>,
    known_folders: BTreeSet<PathBuf>,
    links: Vec<(CString, CString)>,
}

impl Layout {
    fn add_system(&mut self) -> Result<(), SandboxError> {
        for path in SYSTEM_FOLDERS.iter().map(Path::new) {
            let Ok(metadata) = path.symlink_metadata() else {
                continue;
            };
            if metadata.is_symlink() {
                let target = std::fs::read_link(path).map_err(|source| SandboxError::Source {
                    path: path.to_owned(),
                    source,
                })?;
                self.links
                    .push((string(target.as_os_str())?, string(relative(path)?.as_os_str())?));
            } else {
                self.add_mount(&Mount::same(path))?;
            }
        }
        for path in SYSTEM_SETTINGS.iter().map(Path::new) {
            // Resolved, because the link's target need not be visible inside.
            if let Ok(source) = path.canonicalize() {
                self.add_mount(&Mount::new(source, path))?;
            }
        }
        Ok(())
    }

    fn add_mount(&mut self, mount: &Mount) -> Result<(), SandboxError> {
        if mount.source == mount.target {
            if mount
                .target
                .ancestors()
                .any(|ancestor| self.shown.contains(ancestor))
            {
                return Ok(());
            }
            self.shown.insert(mount.target.clone());
        }
        let metadata = std::fs::metadata(&mount.source).map_err(|source| SandboxError::Source {
            path: mount.source.clone(),
            source,
        })?;
        let attributes = libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
        self.add_bind(&mount.source, &mount.target, metadata.is_dir(), attributes)
    }

    fn add_bind(
        &mut self,
        source: &Path,
        target: &Path,
        is_folder: bool,
        attributes: u64,
    ) -> Result<(), SandboxError> {
        let target = relative(target)?;
        self.add_parents(&Path::new("/").join(&target))?;
        self.binds.push(Bind {
            source: string(source.as_os_str())?,
            target: string(target.as_os_str())?,
            is_folder,
            attributes,
        });
        Ok(())
    }

    /// Lists the folders above `path`, outermost first.
    fn add_parents(&mut self, path: &Path) -> Result<(), SandboxError> {
        let path = relative(path)?;
        let mut parents: Vec<&Path> = path
            .ancestors()
            .skip(1)
            .filter(|parent| !parent.as_os_str().is_empty())
            .collect();
        parents.reverse();
        for parent in parents {
            if self.known_folders.insert(parent.to_owned()) {
                self.folders.push(parent.to_owned());
            }
        }
        Ok(())
    }
}

/// An absolute path without `..`, as seen from the root.
fn relative(path: &Path) -> Result<PathBuf, SandboxError> {
    let mut result = PathBuf::new();
    let mut components = path.components();
    if components.next() != Some(Component::RootDir) {
        return Err(SandboxError::Spec(format!(
            "{} is not an absolute path",
            path.display()
        )));
    }
    for component in components {
        match component {
            Component::Normal(name) => result.push(name),
            _ => {
                return Err(SandboxError::Spec(format!(
                    "{} is not a plain path",
                    path.display()
                )));
            }
        }
    }
    if result.as_os_str().is_empty() {
        return Err(SandboxError::Spec("the root itself cannot be mounted".to_owned()));
    }
    Ok(result)
}

fn string(text: &OsStr) -> Result<CString, SandboxError> {
    CString::new(text.as_bytes())
        .map_err(|_| SandboxError::Spec("a path or argument contains a zero byte".to_owned()))
}

/// C strings with the null-terminated array of pointers to them.
struct StringTable {
    /// Owns what `pointers` points to; never changed.
    _strings: Vec<CString>,
    pointers: Vec<*const c_char>,
}

// SAFETY: the pointers point into heap memory owned by the same value, which nobody changes.
unsafe impl Send for StringTable {}
// SAFETY: as above; only shared reading is possible.
unsafe impl Sync for StringTable {}

impl StringTable {
    fn new(strings: impl Iterator<Item = Vec<u8>>) -> Result<Self, SandboxError> {
        let strings = strings
            .map(|text| {
                CString::new(text).map_err(|_| {
                    SandboxError::Spec("an argument or environment variable contains a zero byte".to_owned())
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut pointers: Vec<*const c_char> = strings.iter().map(|text| text.as_ptr()).collect();
        pointers.push(std::ptr::null());
        Ok(Self {
            _strings: strings,
            pointers,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_target_outside_the_root_is_refused() {
        for path in ["relative", "/a/../b", "/", ""] {
            assert!(relative(Path::new(path)).is_err(), "{path:?}");
        }
        assert_eq!(
            relative(Path::new("/var//task/./x")).ok(),
            Some(PathBuf::from("var/task/x"))
        );
    }

    #[test]
    fn folders_come_outermost_first_and_once() {
        let mut layout = Layout::default();
        for path in ["/a/b/c", "/a/b/d", "/a/x"] {
            layout.add_parents(Path::new(path)).expect("plain path");
        }
        assert_eq!(layout.folders, [PathBuf::from("a"), PathBuf::from("a/b")]);
    }

    #[test]
    fn what_is_shown_already_is_not_mounted_again() {
        let mut layout = Layout::default();
        layout.add_mount(&Mount::same("/usr")).expect("exists");
        layout.add_mount(&Mount::same("/usr/bin")).expect("exists");
        assert_eq!(layout.binds.len(), 1);
        layout
            .add_mount(&Mount::new("/usr/bin", "/opt/bin"))
            .expect("exists");
        assert_eq!(layout.binds.len(), 2);
    }
}
