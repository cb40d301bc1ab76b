//! What can go wrong with the store, in words an operator can act on.

use std::path::PathBuf;

/// The store itself could not do what was asked. Cloneable, because one failed write is the answer to every
/// transaction of its group.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has the data folder open.
    #[error("data folder {folder} is in use by {holder}; stop it or choose another folder with --data")]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// Who holds it, such as `process 4711`.
        holder: String,
    },
    /// The operating system refused a file operation.
    #[error(
        "cannot {action} {path}: {reason}; check that the disk has space and that the folder belongs to this user"
    )]
    File {
        /// What was tried, as a verb: `open`, `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's words.
        reason: String,
    },
    /// A file does not hold what was written to it.
    #[error("{what} is damaged: {reason}; restore the data folder from a backup")]
    Damaged {
        /// The file, or the record in it.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The database refused.
    #[error("database error: {0}; restart the server, and check the disk if it comes back")]
    Database(String),
    /// A write failed earlier, so the state on disk is not certain and nothing more is written.
    #[error("the store stopped after a failed write ({0}); repair the cause and restart the server")]
    Stopped(String),
    /// The store was closed.
    #[error("the store is closed; the server is stopping, so try again when it is back")]
    Closed,
    /// A size is over its bound in [`limits`](crate::limits).
    #[error("{what} is {size} large and at most {limit} are allowed; split it")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// Its size in bytes, or its count.
        size: usize,
        /// The bound.
        limit: usize,
    },
    /// A name of a bucket, queue or journal is empty or contains a zero byte.
    #[error(
        "{0:?} cannot name a bucket, queue or journal; use a name that is not empty and has no zero byte"
    )]
    Name(String),
    /// A journal was used in a durability it does not have.
    #[error("journal {0:?} does not have the durability this call gives; use the other append")]
    WrongDurability(String),
    /// A stored value cannot be decoded.
    #[error(
        "stored value {what} cannot be read: {reason}; it may come from a newer version, so use that one"
    )]
    Decode {
        /// The type that was expected.
        what: &'static str,
        /// Why it is not one.
        reason: String,
    },
}

/// Why a transaction was not committed. In either case nothing of it is there.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommitError {
    /// A condition does not hold: somebody else was faster. Read again and decide anew.
    #[error("condition on {} in bucket {bucket:?} does not hold; read it again and retry", key.escape_ascii())]
    Conflict {
        /// The bucket of the condition.
        bucket: String,
        /// Its key, or prefix for [`Transaction::require_empty`](crate::Transaction::require_empty).
        key: Vec<u8>,
        /// The revision the key has; `None` if it is absent.
        found: Option<u64>,
    },
    /// A job is no longer held under this receipt: it was acknowledged, or its visibility timed out and another has it.
    #[error(
        "job {id} of queue {queue:?} is no longer held under this receipt; drop the work, another taker has it"
    )]
    ReceiptExpired {
        /// The queue.
        queue: String,
        /// The job.
        id: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
