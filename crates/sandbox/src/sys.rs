//! The system calls this crate needs, each wrapped once.
//!
//! Every wrapper is async-signal-safe (a bare system call that neither allocates nor locks), so the child between
//! `clone3` and `exec` may use all of them. Arguments are C strings prepared beforehand.

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// The kernel's error number; always positive.
pub(crate) type Errno = c_int;

/// Last error of this thread. Reads a thread-local; safe after fork.
pub(crate) fn errno() -> Errno {
    // SAFETY: the location is valid for the whole life of the thread.
    unsafe { *libc::__errno_location() }
}

fn check(result: c_long) -> Result<c_long, Errno> {
    if result < 0 { Err(errno()) } else { Ok(result) }
}

fn descriptor(result: c_long) -> Result<RawFd, Errno> {
    // Descriptors are small by RLIMIT_NOFILE, so the conversion cannot lose anything.
    check(result).and_then(|number| RawFd::try_from(number).map_err(|_| libc::EBADF))
}

/// `clone3` without a new stack: like `fork`, with new namespaces. Answers 0 in the child, and in the parent the child's
/// process id and a descriptor for it.
pub(crate) fn clone_into_namespaces(flags: u64) -> io::Result<(libc::pid_t, Option<OwnedFd>)> {
    let mut pidfd: RawFd = -1;
    // SAFETY: all-zero is a valid clone_args (plain old data of the kernel).
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = flags | u64::from(libc::CLONE_PIDFD.cast_unsigned());
    arguments.pidfd = std::ptr::from_mut(&mut pidfd) as u64;
    arguments.exit_signal = u64::from(libc::SIGCHLD.cast_unsigned());
    // SAFETY: the structure is valid for the given size; with no stack and no CLONE_VM the child goes on on a copy of
    // this stack, exactly as after fork. The caller keeps to async-signal-safe calls in the child.
    let result = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            std::ptr::from_ref(&arguments),
            std::mem::size_of::<libc::clone_args>(),
        )
    };
    match result {
        0 => Ok((0, None)),
        number if number > 0 => {
            // SAFETY: the kernel stored a fresh descriptor that nobody else owns.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            let pid =
                libc::pid_t::try_from(number).map_err(|_| io::Error::from_raw_os_error(libc::EOVERFLOW))?;
            Ok((pid, Some(pidfd)))
        }
        _ => Err(io::Error::last_os_error()),
    }
}

/// A plain fork as a bare system call, without the C library's fork handlers.
pub(crate) fn fork() -> Result<libc::pid_t, Errno> {
    // SAFETY: as for `clone_into_namespaces`; the zeroed structure asks for nothing but the exit signal.
    let result = unsafe {
        let mut arguments: libc::clone_args = std::mem::zeroed();
        arguments.exit_signal = u64::from(libc::SIGCHLD.cast_unsigned());
        libc::syscall(
            libc::SYS_clone3,
            std::ptr::from_ref(&arguments),
            std::mem::size_of::<libc::clone_args>(),
        )
    };
    check(result).map(|pid| libc::pid_t::try_from(pid).unwrap_or(libc::pid_t::MAX))
}

/// Detached copy of the mount tree at `path`.
pub(crate) fn open_tree(path: &CStr) -> Result<RawFd, Errno> {
    let flags = libc::OPEN_TREE_CLONE | libc::O_CLOEXEC.cast_unsigned() | libc::AT_RECURSIVE.cast_unsigned();
    // SAFETY: the path is a valid C string.
    descriptor(unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags) })
}

/// Sets mount attributes (`MOUNT_ATTR_*`) on a detached tree (`path` empty) or on the mount at `path`.
pub(crate) fn set_mount_attributes(
    tree: RawFd,
    path: &CStr,
    attributes: u64,
    recursive: bool,
) -> Result<(), Errno> {
    let mut flags = 0;
    if path.is_empty() {
        flags |= libc::AT_EMPTY_PATH;
    }
    if recursive {
        flags |= libc::AT_RECURSIVE;
    }
    let wanted = libc::mount_attr {
        attr_set: attributes,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    // SAFETY: path and structure are valid for the call.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree,
            path.as_ptr(),
            flags,
            std::ptr::from_ref(&wanted),
            std::mem::size_of::<libc::mount_attr>(),
        )
    })
    .map(drop)
}

/// Attaches a detached tree at `target`.
pub(crate) fn move_mount(tree: RawFd, target: &CStr) -> Result<(), Errno> {
    // SAFETY: both paths are valid C strings.
    check(unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            tree,
            c"".as_ptr(),
            libc::AT_FDCWD,
            target.as_ptr(),
            libc::MOVE_MOUNT_F_EMPTY_PATH,
        )
    })
    .map(drop)
}

/// Classic `mount`.
pub(crate) fn mount(kind: &CStr, target: &CStr, flags: libc::c_ulong, options: &CStr) -> Result<(), Errno> {
    // SAFETY: all strings are valid C strings.
    check(c_long::from(unsafe {
        libc::mount(
            kind.as_ptr(),
            target.as_ptr(),
            kind.as_ptr(),
            flags,
            options.as_ptr().cast::<c_void>(),
        )
    }))
    .map(drop)
}

/// Makes the current directory the root and detaches the old one.
pub(crate) fn pivot_root_here() -> Result<(), Errno> {
    // SAFETY: constant valid strings.
    check(unsafe { libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()) })?;
    // SAFETY: as above; the old root lies over the new one at ".", see pivot_root(2).
    check(c_long::from(unsafe {
        libc::umount2(c".".as_ptr(), libc::MNT_DETACH)
    }))
    .map(drop)
}

/// `mkdir` with exactly this mode.
pub(crate) fn make_directory(path: &CStr, mode: libc::mode_t) -> Result<(), Errno> {
    // SAFETY: valid C string.
    check(c_long::from(unsafe { libc::mkdir(path.as_ptr(), mode) })).map(drop)
}

/// Creates a file with this content.
pub(crate) fn make_file(path: &CStr, content: &[u8]) -> Result<(), Errno> {
    // SAFETY: valid C string.
    let file = descriptor(c_long::from(unsafe {
        libc::open(
            path.as_ptr(),
            libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC,
            0o644,
        )
    }))?;
    let result = write_all(file, content);
    close(file);
    result
}

/// Writes everything or fails.
pub(crate) fn write_all(file: RawFd, mut content: &[u8]) -> Result<(), Errno> {
    while !content.is_empty() {
        // SAFETY: pointer and length describe the slice.
        let written = unsafe { libc::write(file, content.as_ptr().cast::<c_void>(), content.len()) };
        match usize::try_from(written) {
            Ok(0) => return Err(libc::EIO),
            Ok(count) => content = content.get(count..).unwrap_or_default(),
            Err(_) if errno() == libc::EINTR => {}
            Err(_) => return Err(errno()),
        }
    }
    Ok(())
}

/// Reads at most `buffer.len()` bytes; 0 is the end.
pub(crate) fn read(file: RawFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    loop {
        // SAFETY: pointer and length describe the slice.
        let count = unsafe { libc::read(file, buffer.as_mut_ptr().cast::<c_void>(), buffer.len()) };
        match usize::try_from(count) {
            Ok(count) => return Ok(count),
            Err(_) if errno() == libc::EINTR => {}
            Err(_) => return Err(errno()),
        }
    }
}

/// Symbolic link at `path` that points to `target`.
pub(crate) fn make_symlink(target: &CStr, path: &CStr) -> Result<(), Errno> {
    // SAFETY: valid C strings.
    check(c_long::from(unsafe {
        libc::symlink(target.as_ptr(), path.as_ptr())
    }))
    .map(drop)
}

/// `chdir`.
pub(crate) fn change_directory(path: &CStr) -> Result<(), Errno> {
    // SAFETY: valid C string.
    check(c_long::from(unsafe { libc::chdir(path.as_ptr()) })).map(drop)
}

/// Closes a descriptor; errors have no remedy.
pub(crate) fn close(file: RawFd) {
    // SAFETY: only called with descriptors the caller owns.
    unsafe { libc::close(file) };
}

/// Closes all descriptors from `first` to `last`.
pub(crate) fn close_range(first: u32, last: u32) -> Result<(), Errno> {
    if first > last {
        return Ok(());
    }
    // SAFETY: called only in the child, where nothing else uses those descriptors.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) }).map(drop)
}

/// Makes `target` a copy of `file` that survives `exec`.
pub(crate) fn duplicate_to(file: RawFd, target: RawFd) -> Result<(), Errno> {
    if file == target {
        // dup2 of a descriptor onto itself would keep close-on-exec.
        // SAFETY: plain descriptor operation.
        return check(c_long::from(unsafe { libc::fcntl(file, libc::F_SETFD, 0) })).map(drop);
    }
    // SAFETY: plain descriptor operation.
    check(c_long::from(unsafe { libc::dup2(file, target) })).map(drop)
}

/// `open` for reading and writing.
pub(crate) fn open_read_write(path: &CStr) -> Result<RawFd, Errno> {
    // SAFETY: valid C string.
    descriptor(c_long::from(unsafe {
        libc::open(path.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC)
    }))
}

/// Handle for naming a path in later calls.
pub(crate) fn open_path(path: &CStr) -> Result<RawFd, Errno> {
    // SAFETY: valid C string.
    descriptor(c_long::from(unsafe {
        libc::open(path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC)
    }))
}

/// Becomes this user and group, for good. Bare system calls: the C library's would try to tell other threads.
pub(crate) fn become_user(user: u32, group: u32, drop_groups: bool) -> Result<(), Errno> {
    if drop_groups {
        // SAFETY: a count of zero reads no list.
        check(unsafe { libc::syscall(libc::SYS_setgroups, 0, std::ptr::null::<libc::gid_t>()) })?;
    }
    // SAFETY: plain numbers.
    check(unsafe { libc::syscall(libc::SYS_setresgid, group, group, group) })?;
    // SAFETY: plain numbers.
    check(unsafe { libc::syscall(libc::SYS_setresuid, user, user, user) }).map(drop)
}

/// `_LINUX_CAPABILITY_VERSION_3` of the kernel.
const CAPABILITY_VERSION: u32 = 0x2008_0522;

/// Drops every capability from every set.
pub(crate) fn drop_capabilities() -> Result<(), Errno> {
    for capability in 0..64 {
        // SAFETY: plain numbers. EINVAL marks the first number the kernel does not know.
        if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) } < 0 {
            if errno() == libc::EINVAL {
                break;
            }
            return Err(errno());
        }
    }
    // SAFETY: plain numbers.
    check(c_long::from(unsafe {
        libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    }))?;
    let header: [u32; 2] = [CAPABILITY_VERSION, 0];
    let nothing: [u32; 6] = [0; 6];
    // SAFETY: version 3 reads a header of two words and two blocks of three words.
    check(unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), nothing.as_ptr()) }).map(drop)
}

/// Never again more privileges than now, not by set-user-id programs either.
pub(crate) fn forbid_new_privileges() -> Result<(), Errno> {
    // SAFETY: plain numbers.
    check(c_long::from(unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    }))
    .map(drop)
}

/// Hides this process's memory from others of the same user.
pub(crate) fn forbid_inspection() -> Result<(), Errno> {
    // SAFETY: plain numbers.
    check(c_long::from(unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0)
    }))
    .map(drop)
}

/// Installs a compiled seccomp program.
pub(crate) fn install_filter(program: &[seccompiler::sock_filter]) -> Result<(), Errno> {
    /// The kernel's `struct sock_fprog`.
    #[repr(C)]
    struct Program {
        length: libc::c_ushort,
        filter: *const seccompiler::sock_filter,
    }
    let Ok(length) = libc::c_ushort::try_from(program.len()) else {
        return Err(libc::EINVAL);
    };
    let wanted = Program {
        length,
        filter: program.as_ptr(),
    };
    // SAFETY: the structure describes the slice, which outlives the call; the kernel copies it.
    check(unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            0,
            std::ptr::from_ref(&wanted),
        )
    })
    .map(drop)
}

/// Sets soft and hard limit.
pub(crate) fn set_limit(resource: u32, value: u64) -> Result<(), Errno> {
    let limit = libc::rlimit {
        rlim_cur: value,
        rlim_max: value,
    };
    // SAFETY: the structure is valid; a null pointer asks for no old value.
    check(unsafe {
        libc::syscall(
            libc::SYS_prlimit64,
            0,
            resource,
            std::ptr::from_ref(&limit),
            std::ptr::null_mut::<libc::rlimit>(),
        )
    })
    .map(drop)
}

/// The hard limit of a resource now.
pub(crate) fn hard_limit(resource: u32) -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the structure is valid for writing.
    let result = unsafe {
        libc::syscall(
            libc::SYS_prlimit64,
            0,
            resource,
            std::ptr::null::<libc::rlimit>(),
            std::ptr::from_mut(&mut limit),
        )
    };
    if result < 0 { 0 } else { limit.rlim_max }
}

/// Brings the loopback interface of this network namespace up.
pub(crate) fn bring_loopback_up() -> Result<(), Errno> {
    let control = tcp_socket()?;
    // SAFETY: all-zero is a valid ifreq.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(b"lo\0") {
        *place = byte.cast_signed();
    }
    let up = libc::IFF_UP | libc::IFF_RUNNING;
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(up).unwrap_or(libc::c_short::MAX);
    // SAFETY: the request is a valid ifreq for SIOCSIFFLAGS.
    let result = unsafe { libc::ioctl(control, libc::SIOCSIFFLAGS as _, std::ptr::from_mut(&mut request)) };
    let result = check(c_long::from(result)).map(drop);
    close(control);
    result
}

fn tcp_socket() -> Result<RawFd, Errno> {
    // SAFETY: plain numbers.
    descriptor(c_long::from(unsafe {
        libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0)
    }))
}

/// A socket that listens on 127.0.0.1 in this network namespace.
pub(crate) fn listen_on_loopback(port: u16) -> Result<RawFd, Errno> {
    let socket = tcp_socket()?;
    // SAFETY: all-zero is a valid sockaddr_in.
    let mut address: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    address.sin_family = libc::sa_family_t::try_from(libc::AF_INET).unwrap_or_default();
    address.sin_port = port.to_be();
    address.sin_addr.s_addr = u32::from_be_bytes([127, 0, 0, 1]).to_be();
    let size = libc::socklen_t::try_from(std::mem::size_of::<libc::sockaddr_in>()).unwrap_or_default();
    // SAFETY: address and size match.
    let bound = unsafe {
        libc::bind(
            socket,
            std::ptr::from_ref(&address).cast::<libc::sockaddr>(),
            size,
        )
    };
    // SAFETY: plain numbers.
    let result =
        check(c_long::from(bound)).and_then(|_| check(c_long::from(unsafe { libc::listen(socket, 1024) })));
    match result {
        Ok(_) => Ok(socket),
        Err(error) => {
            close(socket);
            Err(error)
        }
    }
}

/// Room for a control message with two descriptors, aligned as the kernel wants it.
#[repr(C, align(8))]
struct ControlBuffer([u8; 64]);

/// Sends two descriptors over a unix socket.
pub(crate) fn send_descriptors(socket: RawFd, descriptors: [RawFd; 2]) -> Result<(), Errno> {
    let mut byte = [1u8];
    let mut buffer = ControlBuffer([0; 64]);
    let mut vector = libc::iovec {
        iov_base: byte.as_mut_ptr().cast::<c_void>(),
        iov_len: 1,
    };
    let size = u32::try_from(std::mem::size_of::<[RawFd; 2]>()).unwrap_or_default();
    // SAFETY: all-zero is a valid msghdr; every pointer set below outlives the call; the buffer is larger than
    // CMSG_SPACE of two descriptors (24 bytes) and aligned for cmsghdr.
    unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = std::ptr::from_mut(&mut vector);
        message.msg_iovlen = 1;
        message.msg_control = buffer.0.as_mut_ptr().cast::<c_void>();
        message.msg_controllen = libc::CMSG_SPACE(size) as _;
        let header = libc::CMSG_FIRSTHDR(std::ptr::from_ref(&message));
        if header.is_null() {
            return Err(libc::EINVAL);
        }
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(size) as _;
        std::ptr::copy_nonoverlapping(
            descriptors.as_ptr().cast::<u8>(),
            libc::CMSG_DATA(header),
            std::mem::size_of::<[RawFd; 2]>(),
        );
        check(libc::sendmsg(socket, std::ptr::from_ref(&message), libc::MSG_NOSIGNAL) as c_long).map(drop)
    }
}

/// Receives two descriptors; `None` when the peer closed without sending any.
pub(crate) fn receive_descriptors(socket: RawFd) -> io::Result<Option<[OwnedFd; 2]>> {
    let mut byte = [0u8];
    let mut buffer = ControlBuffer([0; 64]);
    let mut vector = libc::iovec {
        iov_base: byte.as_mut_ptr().cast::<c_void>(),
        iov_len: 1,
    };
    // SAFETY: as in `send_descriptors`; the data is read only after type and length were checked, and each received
    // descriptor is owned exactly once.
    unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = std::ptr::from_mut(&mut vector);
        message.msg_iovlen = 1;
        message.msg_control = buffer.0.as_mut_ptr().cast::<c_void>();
        message.msg_controllen = buffer.0.len() as _;
        let count = loop {
            let count = libc::recvmsg(socket, std::ptr::from_mut(&mut message), libc::MSG_CMSG_CLOEXEC);
            if count >= 0 || errno() != libc::EINTR {
                break count;
            }
        };
        if count < 0 {
            let error = io::Error::last_os_error();
            return if error.raw_os_error() == Some(libc::ECONNRESET) {
                Ok(None)
            } else {
                Err(error)
            };
        }
        let header = libc::CMSG_FIRSTHDR(std::ptr::from_ref(&message));
        let size = u32::try_from(std::mem::size_of::<[RawFd; 2]>()).unwrap_or_default();
        if header.is_null()
            || (*header).cmsg_type != libc::SCM_RIGHTS
            || (*header).cmsg_len as u64 != u64::from(libc::CMSG_LEN(size))
        {
            return Ok(None);
        }
        let mut numbers: [RawFd; 2] = [-1; 2];
        std::ptr::copy_nonoverlapping(
            libc::CMSG_DATA(header),
            numbers.as_mut_ptr().cast::<u8>(),
            std::mem::size_of::<[RawFd; 2]>(),
        );
        Ok(Some(numbers.map(|number| OwnedFd::from_raw_fd(number))))
    }
}

/// A pair of connected sockets, both closed on `exec`.
pub(crate) fn socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut pair: [RawFd; 2] = [-1; 2];
    // SAFETY: the array has room for two descriptors.
    let result = unsafe {
        libc::socketpair(
            libc::AF_UNIX,
            libc::SOCK_STREAM | libc::SOCK_CLOEXEC,
            0,
            pair.as_mut_ptr(),
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: fresh descriptors that nobody else owns.
    Ok(unsafe { (OwnedFd::from_raw_fd(pair[0]), OwnedFd::from_raw_fd(pair[1])) })
}

/// A pipe (reading end, writing end), both closed on `exec`.
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut pair: [RawFd; 2] = [-1; 2];
    // SAFETY: the array has room for two descriptors.
    if unsafe { libc::pipe2(pair.as_mut_ptr(), libc::O_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: fresh descriptors that nobody else owns.
    Ok(unsafe { (OwnedFd::from_raw_fd(pair[0]), OwnedFd::from_raw_fd(pair[1])) })
}

/// All signals blocked for this thread while the value lives, so that a fresh child never runs a handler of the server.
pub(crate) struct SignalsBlocked(libc::sigset_t);

impl SignalsBlocked {
    pub(crate) fn new() -> Self {
        // SAFETY: both sets are valid for writing; the call affects this thread only.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
            Self(before)
        }
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        // SAFETY: the stored set came from the kernel.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
    }
}

/// Signals as a fresh program expects them: none blocked, none ignored.
pub(crate) fn reset_signals() {
    for signal in 1..=64 {
        // SAFETY: setting the default action is always valid; the kernel refuses the few that cannot be set.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
    // SAFETY: an empty set is valid; affects this thread only.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}

/// Blocks SIGCHLD and answers a descriptor that becomes readable when a child changes.
pub(crate) fn child_signal_descriptor() -> Result<RawFd, Errno> {
    // SAFETY: the set is valid; affects this thread only.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        descriptor(c_long::from(libc::signalfd(
            -1,
            &raw const set,
            libc::SFD_CLOEXEC | libc::SFD_NONBLOCK,
        )))
    }
}

/// Waits until one of two descriptors has something; answers whether the first one was closed by its peer.
pub(crate) fn wait_for_either(lifeline: RawFd, other: RawFd) -> bool {
    let mut wanted = [
        libc::pollfd {
            fd: lifeline,
            events: libc::POLLRDHUP,
            revents: 0,
        },
        libc::pollfd {
            fd: other,
            events: libc::POLLIN,
            revents: 0,
        },
    ];
    // SAFETY: the array has two entries.
    unsafe { libc::poll(wanted.as_mut_ptr(), 2, -1) };
    wanted[0].revents & (libc::POLLRDHUP | libc::POLLHUP | libc::POLLERR | libc::POLLNVAL) != 0
}

/// Reaps one ended child if there is one: its process id and wait status.
pub(crate) fn reap() -> Option<(libc::pid_t, c_int)> {
    let mut status: c_int = 0;
    // SAFETY: the status is valid for writing.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG | libc::__WALL) };
    (pid > 0).then_some((pid, status))
}

/// Reaps one child of ours, waiting for its end; `Ok(false)` when `block` is false and it still runs.
pub(crate) fn wait_for(pidfd: &OwnedFd, block: bool) -> io::Result<bool> {
    let Ok(number) = libc::id_t::try_from(pidfd.as_raw_fd()) else {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    };
    let mut flags = libc::WEXITED | libc::__WALL;
    if !block {
        flags |= libc::WNOHANG;
    }
    loop {
        // SAFETY: all-zero is a valid siginfo, valid for writing; si_pid is set by waitid.
        let (result, pid) = unsafe {
            let mut information: libc::siginfo_t = std::mem::zeroed();
            let result = libc::waitid(libc::P_PIDFD, number, &raw mut information, flags);
            (result, information.si_pid())
        };
        if result == 0 {
            return Ok(pid != 0);
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EINTR) => {}
            Some(libc::ECHILD) => return Ok(true),
            _ => return Err(error),
        }
    }
}

/// Kills the process behind a descriptor; one that ended already is no error.
pub(crate) fn kill(pidfd: &OwnedFd) {
    // SAFETY: the descriptor names exactly the process we started, whatever happened to its number since.
    unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            libc::SIGKILL,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
}

/// Ends this process at once, without destructors.
pub(crate) fn exit_now(code: c_int) -> ! {
    // SAFETY: never returns and runs nothing.
    unsafe { libc::_exit(code) }
}

/// Replaces this process by the program at `path`. Returns only on failure.
pub(crate) fn execute(path: &CStr, arguments: &[*const c_char], environment: &[*const c_char]) -> Errno {
    // SAFETY: both arrays end with a null pointer (made by `plan`), the strings outlive the call.
    unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    errno()
}

/// Replaces this process by the program behind a descriptor. Returns only on failure.
pub(crate) fn execute_descriptor(
    file: RawFd,
    arguments: &[*const c_char],
    environment: &[*const c_char],
) -> Errno {
    // SAFETY: as for `execute`.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            file,
            c"".as_ptr(),
            arguments.as_ptr(),
            environment.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    errno()
}

/// Names this host.
pub(crate) fn set_host_name(name: &CStr) -> Result<(), Errno> {
    // SAFETY: pointer and length describe the string.
    check(c_long::from(unsafe {
        libc::sethostname(name.as_ptr(), name.count_bytes())
    }))
    .map(drop)
}

/// Starts an own session, so that a function cannot signal by process group.
pub(crate) fn new_session() {
    // SAFETY: no arguments; failing (already a leader) changes nothing.
    unsafe { libc::setsid() };
}

/// No group or other permission bits are taken away from what is created from now on.
pub(crate) fn clear_file_mode_mask() {
    // SAFETY: plain number, cannot fail.
    unsafe { libc::umask(0) };
}

/// What function programs expect: files are writable for their owner only.
pub(crate) fn set_usual_file_mode_mask() {
    // SAFETY: plain number, cannot fail.
    unsafe { libc::umask(0o022) };
}

/// Effective user and group of this process.
pub(crate) fn effective_user() -> (u32, u32) {
    // SAFETY: cannot fail.
    unsafe { (libc::geteuid(), libc::getegid()) }
}

/// Highest landlock version the kernel offers, 0 without landlock.
pub(crate) fn landlock_version() -> u32 {
    // SAFETY: a null pointer with size 0 and flag 1 (LANDLOCK_CREATE_RULESET_VERSION) asks for the version only.
    let result = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<c_void>(),
            0usize,
            1u32,
        )
    };
    u32::try_from(result).unwrap_or(0)
}

/// New landlock rule set from its attributes, as long as the kernel version knows them.
pub(crate) fn landlock_create(attributes: &[u64]) -> Result<RawFd, Errno> {
    // SAFETY: pointer and size describe the slice; the kernel reads words.
    descriptor(unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            attributes.as_ptr(),
            std::mem::size_of_val(attributes),
            0u32,
        )
    })
}

/// Allows `access` below the folder `parent`.
pub(crate) fn landlock_allow(rules: RawFd, access: u64, parent: RawFd) -> Result<(), Errno> {
    /// The kernel's `struct landlock_path_beneath_attr`.
    #[repr(C, packed)]
    struct Beneath {
        allowed_access: u64,
        parent: i32,
    }
    let rule = Beneath {
        allowed_access: access,
        parent,
    };
    // SAFETY: 1 is LANDLOCK_RULE_PATH_BENEATH, which reads this structure.
    check(unsafe { libc::syscall(libc::SYS_landlock_add_rule, rules, 1u32, &raw const rule, 0u32) }).map(drop)
}

/// Puts this process under the rule set.
pub(crate) fn landlock_enforce(rules: RawFd) -> Result<(), Errno> {
    // SAFETY: plain numbers.
    check(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules, 0u32) }).map(drop)
}
