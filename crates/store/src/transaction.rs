//! A transaction: writes that happen together or not at all.

use bytes::Bytes;

use crate::Revision;
use crate::error::StoreError;
use crate::journal::{Durability, Journal, Position};
use crate::limits;
use crate::queue::{Receipt, UnixMillis};

/// What must hold for a key before the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    Any,
    /// The key is not there.
    Absent,
    /// The key is there.
    Present,
    /// The key is there and was last written by this transaction.
    Revision(Revision),
}

impl Condition {
    /// Whether it holds for a key last written at `found`; `None` for a key that is not there.
    pub(crate) fn holds(self, found: Option<Revision>) -> bool {
        match self {
            Condition::Any => true,
            Condition::Absent => found.is_none(),
            Condition::Present => found.is_some(),
            Condition::Revision(revision) => found == Some(revision),
        }
    }
}

/// What must hold before any operation is applied.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    Key {
        bucket: String,
        key: Vec<u8>,
        condition: Condition,
    },
    EmptyPrefix {
        bucket: String,
        prefix: Vec<u8>,
    },
    Held(Receipt),
}

/// One write.
#[derive(Clone)]
pub(crate) enum Operation {
    Put {
        bucket: String,
        key: Vec<u8>,
        value: Bytes,
    },
    Delete {
        bucket: String,
        key: Vec<u8>,
    },
    DeletePrefix {
        bucket: String,
        prefix: Vec<u8>,
    },
    Append {
        journal: String,
        payload: Bytes,
    },
    Truncate {
        journal: String,
        before: Position,
    },
    Enqueue {
        queue: String,
        payload: Bytes,
        not_before: UnixMillis,
    },
    Acknowledge(Receipt),
    Retry {
        receipt: Receipt,
        not_before: UnixMillis,
    },
}

/// Writes to any buckets, journals and queues that are committed together or not at all.
///
/// Every condition, wherever it was added, is judged on the state before the transaction; then the writes are applied in
/// the order they were added. Mistakes in names and sizes are kept and answered by the commit.
#[derive(Clone, Default)]
pub struct Transaction {
    checks: Vec<Check>,
    operations: Vec<Operation>,
    size: usize,
    mistake: Option<StoreError>,
}

/// Values may be secrets, so only counts are shown.
impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction")
            .field("checks", &self.checks.len())
            .field("operations", &self.operations.len())
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Transaction {
    /// An empty transaction.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes `value` under `key` if `condition` holds.
    #[must_use]
    pub fn put(
        mut self,
        bucket: &str,
        key: impl Into<Vec<u8>>,
        value: impl Into<Bytes>,
        condition: Condition,
    ) -> Self {
        let (key, value) = (key.into(), value.into());
        self.admit(bucket, &key, value.len());
        self.check(bucket, &key, condition);
        self.operations.push(Operation::Put {
            bucket: bucket.to_owned(),
            key,
            value,
        });
        self
    }

    /// Deletes `key` if `condition` holds. With [`Condition::Any`] a key that is not there is no error.
    #[must_use]
    pub fn delete(mut self, bucket: &str, key: impl Into<Vec<u8>>, condition: Condition) -> Self {
        let key = key.into();
        self.admit(bucket, &key, 0);
        self.check(bucket, &key, condition);
        self.operations.push(Operation::Delete {
            bucket: bucket.to_owned(),
            key,
        });
        self
    }

    /// Deletes every key that begins with `prefix`; with an empty prefix the whole bucket.
    #[must_use]
    pub fn delete_prefix(mut self, bucket: &str, prefix: impl Into<Vec<u8>>) -> Self {
        let prefix = prefix.into();
        self.admit(bucket, &prefix, 0);
        self.operations.push(Operation::DeletePrefix {
            bucket: bucket.to_owned(),
            prefix,
        });
        self
    }

    /// Demands `condition` of a key without writing it.
    #[must_use]
    pub fn require(mut self, bucket: &str, key: impl Into<Vec<u8>>, condition: Condition) -> Self {
        let key = key.into();
        self.admit(bucket, &key, 0);
        self.check(bucket, &key, condition);
        self
    }

    /// Demands that no key begins with `prefix`: deleting an S3 bucket only when it is empty, say.
    #[must_use]
    pub fn require_empty(mut self, bucket: &str, prefix: impl Into<Vec<u8>>) -> Self {
        let prefix = prefix.into();
        self.admit(bucket, &prefix, 0);
        self.checks.push(Check::EmptyPrefix {
            bucket: bucket.to_owned(),
            prefix,
        });
        self
    }

    /// Appends `payload` to a transactional journal, so that it is there exactly if the rest of the transaction is.
    #[must_use]
    pub fn append(mut self, journal: Journal<'_>, payload: impl Into<Bytes>) -> Self {
        let payload = payload.into();
        self.admit_journal(journal, payload.len());
        self.operations.push(Operation::Append {
            journal: journal.name.to_owned(),
            payload,
        });
        self
    }

    /// Forgets a transactional journal's records with positions below `before`.
    #[must_use]
    pub fn truncate(mut self, journal: Journal<'_>, before: Position) -> Self {
        self.admit_journal(journal, 0);
        self.operations.push(Operation::Truncate {
            journal: journal.name.to_owned(),
            before,
        });
        self
    }

    /// Adds a job to a queue, to be taken at `not_before` or later.
    #[must_use]
    pub fn enqueue(mut self, queue: &str, payload: impl Into<Bytes>, not_before: UnixMillis) -> Self {
        let payload = payload.into();
        self.admit(queue, &[], payload.len());
        self.operations.push(Operation::Enqueue {
            queue: queue.to_owned(),
            payload,
            not_before,
        });
        self
    }

    /// Ends a taken job. In one transaction with what the job did, its effect happens exactly once.
    #[must_use]
    pub fn acknowledge(mut self, receipt: &Receipt) -> Self {
        self.admit(&receipt.queue, &[], 0);
        self.checks.push(Check::Held(receipt.clone()));
        self.operations.push(Operation::Acknowledge(receipt.clone()));
        self
    }

    /// Gives a taken job back, to be taken again at `not_before` or later.
    #[must_use]
    pub fn retry(mut self, receipt: &Receipt, not_before: UnixMillis) -> Self {
        self.admit(&receipt.queue, &[], 0);
        self.checks.push(Check::Held(receipt.clone()));
        self.operations.push(Operation::Retry {
            receipt: receipt.clone(),
            not_before,
        });
        self
    }

    /// Whether it would write nothing and demand nothing.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.checks.is_empty()
    }

    /// Bytes of keys and values.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn checks(&self) -> &[Check] {
        &self.checks
    }

    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The first mistake made in building it.
    pub(crate) fn validate(&self) -> Result<(), StoreError> {
        if let Some(mistake) = &self.mistake {
            return Err(mistake.clone());
        }
        let count = self.operations.len().saturating_add(self.checks.len());
        within(
            "number of operations in the transaction",
            count,
            limits::MAX_OPERATIONS,
        )?;
        within("transaction", self.size, limits::MAX_TRANSACTION)
    }

    fn check(&mut self, bucket: &str, key: &[u8], condition: Condition) {
        if condition != Condition::Any {
            self.checks.push(Check::Key {
                bucket: bucket.to_owned(),
                key: key.to_vec(),
                condition,
            });
        }
    }

    fn admit(&mut self, name: &str, key: &[u8], value: usize) {
        self.size = self.size.saturating_add(key.len()).saturating_add(value);
        let verdict = valid_name(name)
            .and_then(|()| within("key", key.len(), limits::MAX_KEY))
            .and_then(|()| within("value", value, limits::MAX_VALUE));
        if let Err(mistake) = verdict {
            self.mistake.get_or_insert(mistake);
        }
    }

    fn admit_journal(&mut self, journal: Journal<'_>, payload: usize) {
        self.admit(journal.name, &[], payload);
        if journal.durability != Durability::Transactional {
            self.mistake
                .get_or_insert(StoreError::WrongDurability(journal.name.to_owned()));
        }
    }
}

/// Refuses names the key encoding cannot hold apart.
pub(crate) fn valid_name(name: &str) -> Result<(), StoreError> {
    within("name", name.len(), limits::MAX_NAME)?;
    if name.is_empty() || name.contains('\0') {
        return Err(StoreError::Name(name.to_owned()));
    }
    Ok(())
}

/// Refuses a `size` over `limit`.
pub(crate) fn within(what: &'static str, size: usize, limit: usize) -> Result<(), StoreError> {
    if size > limit {
        return Err(StoreError::TooLarge { what, size, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mistake_is_kept() {
        let long = "x".repeat(limits::MAX_KEY + 1);
        let transaction =
            Transaction::new()
                .put("roles", long, "", Condition::Any)
                .put("", "key", "", Condition::Any);
        assert!(matches!(
            transaction.validate(),
            Err(StoreError::TooLarge { what: "key", .. })
        ));
        for name in ["", "a\0b"] {
            let transaction = Transaction::new().put(name, "key", "", Condition::Any);
            assert!(
                matches!(transaction.validate(), Err(StoreError::Name(_))),
                "{name:?}"
            );
        }
        let transaction = Transaction::new().append(Journal::relaxed("data"), "event");
        assert!(matches!(
            transaction.validate(),
            Err(StoreError::WrongDurability(_))
        ));
    }

    #[test]
    fn debug_hides_values() {
        let transaction = Transaction::new().put("keys", "AKIA1", "wJalrXUtnFEMI", Condition::Any);
        assert!(!format!("{transaction:?}").contains("wJalr"));
    }
}
