//! Judges a transaction's conditions and applies its writes inside a write transaction of the database.

use std::ops::Bound;

use bytes::Bytes;
use redb::{ReadableTable, Table};

use super::log::Redo;
use super::view::prefix_bounds;
use super::{database_error, keys, values};
use crate::entry::Bounds;
use crate::transaction::{Check, Operation};
use crate::watch::Change;
use crate::{CommitError, Job, Receipt, Revision, StoreError, Transaction, UnixMillis};

/// One group of transactions on its way into the database.
pub(super) struct Applier<'txn> {
    table: Table<'txn, &'static [u8], &'static [u8]>,
    revision: Revision,
    /// Revision before the group.
    before: Revision,
    redo: Redo,
    changes: Vec<(String, Change)>,
    touched_queues: bool,
    wrote: bool,
}

/// What a group did.
pub(super) struct Applied {
    /// Changed keys with their buckets, in order.
    pub(super) changes: Vec<(String, Change)>,
    /// Whether any queue changed.
    pub(super) touched_queues: bool,
    /// Whether there is anything to commit.
    pub(super) wrote: bool,
    /// Revision before the group.
    pub(super) before: Revision,
    /// Revision after it.
    pub(super) after: Revision,
    /// Every write, for the log.
    pub(super) redo: Redo,
}

impl<'txn> Applier<'txn> {
    /// Goes on after the revision in `table`.
    pub(super) fn new(table: Table<'txn, &'static [u8], &'static [u8]>) -> Result<Self, StoreError> {
        let mut applier = Self {
            table,
            revision: 0,
            before: 0,
            redo: Redo::default(),
            changes: Vec::new(),
            touched_queues: false,
            wrote: false,
        };
        applier.revision = applier.counter(keys::REVISION)?;
        applier.before = applier.revision;
        Ok(applier)
    }

    /// Closes the table and says what was done.
    pub(super) fn finish(mut self) -> Result<Applied, StoreError> {
        if self.wrote {
            self.insert(keys::REVISION, &self.revision.to_be_bytes())?;
        }
        Ok(Applied {
            changes: self.changes,
            touched_queues: self.touched_queues,
            wrote: self.wrote,
            before: self.before,
            after: self.revision,
            redo: self.redo,
        })
    }

    /// Applies one transaction if its conditions hold. The outer error means the database failed and with it the group;
    /// the inner one refuses only this transaction, of which then nothing was written.
    pub(super) fn commit(
        &mut self,
        transaction: &Transaction,
    ) -> Result<Result<Revision, CommitError>, StoreError> {
        for check in transaction.checks() {
            if let Some(refusal) = self.judge(check)? {
                return Ok(Err(refusal));
            }
        }
        if transaction.operations().is_empty() {
            return Ok(Ok(self.revision));
        }
        self.next_revision()?;
        for operation in transaction.operations() {
            self.apply(operation)?;
        }
        Ok(Ok(self.revision))
    }

    /// Hands out the job of `queue` that has been due longest.
    pub(super) fn take(
        &mut self,
        queue: &str,
        now: UnixMillis,
        until: UnixMillis,
    ) -> Result<Option<Job>, StoreError> {
        let (start, end) = prefix_bounds(&keys::due_queue(queue));
        let first = self
            .range(&start, &end)?
            .next()
            .transpose()
            .map_err(database_error)?
            .map(|(key, _)| keys::parse_due(key.value()).ok_or_else(|| values::damaged("a due job")))
            .transpose()?;
        let Some((_, id)) = first.filter(|(due, _)| *due <= now) else {
            return Ok(None);
        };
        let mut job = self.job(queue, id)?.ok_or_else(|| values::damaged("a queue"))?;
        self.next_revision()?;
        job.attempts = job.attempts.saturating_add(1);
        job.is_taken = true;
        let receipt = Receipt {
            queue: queue.to_owned(),
            id,
            attempt: job.attempts,
        };
        self.insert(&keys::taken(&receipt), &[])?;
        self.reschedule(queue, id, &mut job, until)?;
        Ok(Some(Job {
            receipt,
            attempts: job.attempts,
            enqueued_at: job.enqueued_at,
            payload: job.payload,
        }))
    }

    /// Makes every job a former process had taken due at once.
    pub(super) fn release_taken(&mut self, taken: &[Vec<u8>]) -> Result<(), StoreError> {
        for key in taken {
            let (queue, id) = keys::parse_taken(key).ok_or_else(|| values::damaged("a taken job"))?;
            self.remove(key)?;
            if let Some(mut job) = self.job(queue, id)? {
                job.is_taken = false;
                self.reschedule(queue, id, &mut job, UnixMillis(0))?;
            }
        }
        Ok(())
    }

    /// Writes again what the log has and the database lost.
    pub(super) fn replay(&mut self, record: &super::log::Record) -> Result<(), StoreError> {
        for (key, value) in record.writes()? {
            match value {
                Some(value) => self.insert(key, value)?,
                None => drop(self.remove(key)?),
            }
        }
        self.revision = record.after;
        Ok(())
    }

    /// The revision that was reached.
    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    fn judge(&self, check: &Check) -> Result<Option<CommitError>, StoreError> {
        Ok(match check {
            Check::Key {
                bucket,
                key,
                condition,
            } => {
                let found = match self.get(&keys::entry(bucket, key))? {
                    Some(stored) => Some(values::split_entry(stored.value())?.0),
                    None => None,
                };
                (!condition.holds(found)).then(|| CommitError::Conflict {
                    bucket: bucket.clone(),
                    key: key.clone(),
                    found,
                })
            }
            Check::EmptyPrefix { bucket, prefix } => {
                let (start, end) = prefix_bounds(&keys::entry(bucket, prefix));
                match self
                    .range(&start, &end)?
                    .next()
                    .transpose()
                    .map_err(database_error)?
                {
                    Some((_, stored)) => Some(CommitError::Conflict {
                        bucket: bucket.clone(),
                        key: prefix.clone(),
                        found: Some(values::split_entry(stored.value())?.0),
                    }),
                    None => None,
                }
            }
            Check::Held(receipt) => {
                let job = self.job(&receipt.queue, receipt.id)?;
                let is_held = job.is_some_and(|job| job.is_taken && job.attempts == receipt.attempt);
                (!is_held).then(|| CommitError::ReceiptExpired {
                    queue: receipt.queue.clone(),
                    id: receipt.id,
                })
            }
        })
    }

    fn apply(&mut self, operation: &Operation) -> Result<(), StoreError> {
        match operation {
            Operation::Put { bucket, key, value } => {
                let stored = [&self.revision.to_be_bytes()[..], value].concat();
                self.insert(&keys::entry(bucket, key), &stored)?;
                self.changed(bucket, Bytes::copy_from_slice(key), false);
            }
            Operation::Delete { bucket, key } => {
                if self.remove(&keys::entry(bucket, key))? {
                    self.changed(bucket, Bytes::copy_from_slice(key), true);
                }
            }
            Operation::DeletePrefix { bucket, prefix } => {
                let space = keys::bucket(bucket).len();
                for key in self.remove_range(prefix_bounds(&keys::entry(bucket, prefix)))? {
                    self.changed(bucket, Bytes::from(key).slice(space..), true);
                }
            }
            Operation::Append { journal, payload } => {
                let counter = keys::journal_end(journal);
                let position = self.counter(&counter)?;
                self.insert(&keys::record(journal, position), payload)?;
                self.insert(&counter, &increment(position)?.to_be_bytes())?;
            }
            Operation::Truncate { journal, before } => {
                let first = Bound::Included(keys::record(journal, 0));
                self.remove_range((first, Bound::Excluded(keys::record(journal, *before))))?;
            }
            Operation::Enqueue {
                queue,
                payload,
                not_before,
            } => {
                let id = increment(self.counter(keys::LAST_JOB)?)?;
                self.insert(keys::LAST_JOB, &id.to_be_bytes())?;
                let job = values::StoredJob {
                    due: *not_before,
                    enqueued_at: UnixMillis::now(),
                    attempts: 0,
                    is_taken: false,
                    payload: payload.clone(),
                };
                self.insert(&keys::job(queue, id), &job.encode())?;
                self.insert(&keys::due(queue, *not_before, id), &[])?;
                self.touched_queues = true;
            }
            Operation::Acknowledge(receipt) => {
                if let Some(job) = self.held_job(receipt)? {
                    self.remove(&keys::taken(receipt))?;
                    self.remove(&keys::due(&receipt.queue, job.due, receipt.id))?;
                    self.remove(&keys::job(&receipt.queue, receipt.id))?;
                }
            }
            Operation::Retry { receipt, not_before } => {
                if let Some(mut job) = self.held_job(receipt)? {
                    self.remove(&keys::taken(receipt))?;
                    job.is_taken = false;
                    self.reschedule(&receipt.queue, receipt.id, &mut job, *not_before)?;
                }
            }
        }
        Ok(())
    }

    /// The job of a receipt that was judged to be held; `None` when an earlier operation of the same transaction has
    /// already ended it.
    fn held_job(&mut self, receipt: &Receipt) -> Result<Option<values::StoredJob>, StoreError> {
        self.touched_queues = true;
        let job = self.job(&receipt.queue, receipt.id)?;
        Ok(job.filter(|job| job.is_taken && job.attempts == receipt.attempt))
    }

    fn reschedule(
        &mut self,
        queue: &str,
        id: u64,
        job: &mut values::StoredJob,
        due: UnixMillis,
    ) -> Result<(), StoreError> {
        self.remove(&keys::due(queue, job.due, id))?;
        job.due = due;
        self.insert(&keys::due(queue, due, id), &[])?;
        self.insert(&keys::job(queue, id), &job.encode())
    }

    fn job(&self, queue: &str, id: u64) -> Result<Option<values::StoredJob>, StoreError> {
        self.get(&keys::job(queue, id))?
            .map(|stored| values::StoredJob::decode(stored.value()))
            .transpose()
    }

    fn changed(&mut self, bucket: &str, key: Bytes, deleted: bool) {
        self.changes.push((
            bucket.to_owned(),
            Change {
                key,
                revision: self.revision,
                deleted,
            },
        ));
    }

    fn next_revision(&mut self) -> Result<(), StoreError> {
        self.revision = increment(self.revision)?;
        self.wrote = true;
        Ok(())
    }

    fn counter(&self, key: &[u8]) -> Result<u64, StoreError> {
        self.get(key)?
            .map_or(Ok(0), |stored| values::number(stored.value()))
    }

    fn get(&self, key: &[u8]) -> Result<Option<redb::AccessGuard<'_, &'static [u8]>>, StoreError> {
        self.table.get(key).map_err(database_error)
    }

    fn range(
        &self,
        start: &Bound<Vec<u8>>,
        end: &Bound<Vec<u8>>,
    ) -> Result<redb::Range<'_, &'static [u8], &'static [u8]>, StoreError> {
        let bounds = (start.as_ref().map(Vec::as_slice), end.as_ref().map(Vec::as_slice));
        self.table.range::<&[u8]>(bounds).map_err(database_error)
    }

    fn insert(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.wrote = true;
        self.redo.put(key, value);
        self.table.insert(key, value).map_err(database_error)?;
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<bool, StoreError> {
        self.wrote = true;
        self.redo.remove(key);
        Ok(self.table.remove(key).map_err(database_error)?.is_some())
    }

    /// Removes a range and returns its keys.
    fn remove_range(&mut self, (start, end): Bounds) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut removed = Vec::new();
        for item in self.range(&start, &end)? {
            removed.push(item.map_err(database_error)?.0.value().to_vec());
        }
        for key in &removed {
            self.remove(key)?;
        }
        Ok(removed)
    }
}

fn increment(counter: u64) -> Result<u64, StoreError> {
    counter.checked_add(1).ok_or_else(|| values::damaged("a counter"))
}
