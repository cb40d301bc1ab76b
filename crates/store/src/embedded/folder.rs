//! The data folder: made private, held by one process.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::StoreError;

/// Longest holder line that is shown to an operator.
const MAX_HOLDER: u64 = 64;

/// A data folder that is ours until this is dropped.
pub(super) struct DataFolder {
    path: PathBuf,
    /// The operating system drops the lock with the file, also when the process is killed.
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if it is not there (mode 0700: it holds secret keys) and locks it.
    pub(super) fn acquire(path: &Path) -> Result<Self, StoreError> {
        if !path.is_dir() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(|error| file_error("create", path, &error))?;
        }
        let lock_path = path.join("lock");
        let mut lock = private_file(&lock_path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse {
                    folder: path.to_owned(),
                    holder: holder(&lock),
                });
            }
            Err(TryLockError::Error(error)) => return Err(file_error("lock", &lock_path, &error)),
        }
        let note = |lock: &mut File| -> io::Result<()> {
            lock.set_len(0)?;
            lock.seek(SeekFrom::Start(0))?;
            write!(lock, "process {}", std::process::id())
        };
        note(&mut lock).map_err(|error| file_error("write", &lock_path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Opens the database file, made with mode 0600 if it is not there.
    pub(super) fn database_file(&self) -> Result<File, StoreError> {
        private_file(&self.path.join("state.redb"))
    }

    /// Opens the write-ahead log, made with mode 0600 if it is not there, and says where it is.
    pub(super) fn log_file(&self) -> Result<(File, PathBuf), StoreError> {
        let path = self.path.join("log");
        Ok((private_file(&path)?, path))
    }

    /// Where the relaxed journals are.
    pub(super) fn journals(&self) -> PathBuf {
        self.path.join("journals")
    }

    /// Makes files created in the folder durable.
    pub(super) fn synchronise(&self) -> Result<(), StoreError> {
        synchronise_folder(&self.path)
    }
}

/// What the holder of the lock wrote about itself.
fn holder(lock: &File) -> String {
    let mut text = String::new();
    match lock.take(MAX_HOLDER).read_to_string(&mut text) {
        Ok(_) if !text.is_empty() => text,
        _ => "another process".to_owned(),
    }
}

fn private_file(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| file_error("open", path, &error))
}

/// Makes creations and deletions in `folder` durable.
pub(super) fn synchronise_folder(folder: &Path) -> Result<(), StoreError> {
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| file_error("synchronise", folder, &error))
}

/// The operating system's refusal, with what was tried.
pub(super) fn file_error(action: &'static str, path: &Path, error: &io::Error) -> StoreError {
    StoreError::File {
        action,
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
