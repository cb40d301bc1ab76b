//! Landlock: a second rule set for files, independent of mounts. What may be written is named, all else may not,
//! even if a mount should turn out writable.
//!
//! Rights and structure are those of the kernel's `Documentation/userspace-api/landlock.rst`.

use std::ffi::CStr;

use crate::sys::{self, Errno};

/// Writing to, truncating, making and removing files of every kind: what is forbidden outside the writable folders.
const CHANGES: u64 = WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_ALL;
const WRITE_FILE: u64 = 1 << 1;
const REMOVE_DIR: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
/// Character device, folder, regular file, socket, fifo, block device, symbolic link: bits 6 to 12.
const MAKE_ALL: u64 = 0b111_1111 << 6;
/// Linking and renaming across folders, since version 2.
const REFER: u64 = 1 << 13;
/// Since version 3.
const TRUNCATE: u64 = 1 << 14;
/// No abstract unix sockets and no signals to the outside, since version 6.
const SCOPES: u64 = 0b11;

/// Where functions may change files.
const WRITABLE: [&CStr; 2] = [c"/tmp", c"/dev/shm"];
/// Where existing files (devices, a process's own settings) may be written.
const WRITABLE_FILES: [&CStr; 2] = [c"/dev", c"/proc"];

/// Puts the calling process, already in its new root, under the rules; safe after fork.
pub(crate) fn enforce(version: u32) -> Result<(), Errno> {
    let mut changes = CHANGES;
    if version >= 2 {
        changes |= REFER;
    }
    if version >= 3 {
        changes |= TRUNCATE;
    }
    let attributes: [u64; 3] = [changes, 0, SCOPES];
    // A kernel refuses attributes it does not know, so the structure is cut to its version.
    let known = match version {
        0..=3 => 1,
        4..=5 => 2,
        _ => 3,
    };
    let rules = sys::landlock_create(attributes.get(..known).unwrap_or(&attributes))?;
    let result = allow_all(rules, changes).and_then(|()| sys::landlock_enforce(rules));
    sys::close(rules);
    result
}

fn allow_all(rules: i32, changes: u64) -> Result<(), Errno> {
    for folder in WRITABLE {
        allow(rules, changes, folder)?;
    }
    for folder in WRITABLE_FILES {
        allow(rules, changes & (WRITE_FILE | TRUNCATE), folder)?;
    }
    Ok(())
}

fn allow(rules: i32, access: u64, folder: &CStr) -> Result<(), Errno> {
    let parent = sys::open_path(folder)?;
    let result = sys::landlock_allow(rules, access, parent);
    sys::close(parent);
    result
}
