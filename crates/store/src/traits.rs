//! The traits services are written against.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use crate::{
    CommitError, Entry, EntryRef, Job, Journal, JournalRecord, Position, Receipt, Revision, ScanRange,
    StoreError, Transaction, UnixMillis, WatchReceiver,
};

/// A future that can cross threads; it is how an async method stays object-safe.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Reads of buckets and journals. Cheap enough to be called from async code: what is not in memory is one page from disk.
pub trait Reader: Send + Sync {
    /// The entry under `key`; `None` if there is none.
    fn get(&self, bucket: &str, key: &[u8]) -> Result<Option<Entry>, StoreError>;

    /// Visits the entries of `range` in its order, without copying them, until `visit` breaks.
    fn for_each(
        &self,
        bucket: &str,
        range: &ScanRange,
        visit: &mut dyn FnMut(EntryRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// The first `limit` entries of `range` in its order.
    fn scan(&self, bucket: &str, range: &ScanRange, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        if limit == 0 {
            return Ok(entries);
        }
        self.for_each(bucket, range, &mut |entry| {
            entries.push(entry.to_entry());
            if entries.len() < limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(entries)
    }

    /// The first `limit` records at `position` or after it, oldest first. Begin with 0; go on with the last record's
    /// position plus one.
    fn read_from(
        &self,
        journal: Journal<'_>,
        position: Position,
        limit: usize,
    ) -> Result<Vec<JournalRecord>, StoreError>;

    /// The last `limit` records before `position`, newest first. Begin with `Position::MAX`; go on with the last
    /// record's position.
    fn read_reverse(
        &self,
        journal: Journal<'_>,
        before: Position,
        limit: usize,
    ) -> Result<Vec<JournalRecord>, StoreError>;

    /// The last transaction these reads see; 0 before the first.
    fn revision(&self) -> Revision;
}

/// Durable state. Reads see what was last committed; use a [`snapshot`](Self::snapshot) for several that must agree.
pub trait Store: Reader {
    /// The state as it is now, unchanged by later commits. Hold it only for one request: it keeps old pages from being
    /// reused. Relaxed journals are not part of it and are read as they are.
    fn snapshot(&self) -> Arc<dyn Reader>;

    /// Commits all of `transaction` or nothing, and answers when it would survive a power loss; the answer is the
    /// transaction's revision. A reader that starts after the answer sees it. Dropping the future before it is done
    /// leaves open whether it was committed. An empty transaction answers with the current revision.
    fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision, CommitError>>;

    /// Changes of `bucket` from now on.
    fn watch(&self, bucket: &str) -> WatchReceiver;

    /// Takes the job of `queue` that has been due longest at `now`; `None` if none is due. Nobody else is given it
    /// before `visibility` has passed; it comes back then, and at once when the store is opened again.
    fn take(
        &self,
        queue: &str,
        now: UnixMillis,
        visibility: Duration,
    ) -> BoxFuture<'_, Result<Option<Job>, StoreError>>;

    /// When the next job of `queue` is (or was) due, counting taken ones by the end of their visibility; `None` if it
    /// is empty.
    fn next_due(&self, queue: &str) -> Result<Option<UnixMillis>, StoreError>;

    /// Jobs in `queue`, taken ones included.
    fn queue_length(&self, queue: &str) -> Result<usize, StoreError>;

    /// Changes whenever a job of any queue is enqueued, retried or acknowledged: wait for it or for
    /// [`next_due`](Self::next_due), whichever is first, then [`take`](Self::take).
    fn queue_activity(&self) -> watch::Receiver<u64>;

    /// Ends a taken job. The same as a transaction with only [`Transaction::acknowledge`].
    fn acknowledge(&self, receipt: &Receipt) -> BoxFuture<'_, Result<(), CommitError>> {
        let transaction = Transaction::new().acknowledge(receipt);
        Box::pin(async move { self.commit(transaction).await.map(|_| ()) })
    }

    /// Gives a taken job back, due at `not_before`. The same as a transaction with only [`Transaction::retry`].
    fn retry(&self, receipt: &Receipt, not_before: UnixMillis) -> BoxFuture<'_, Result<(), CommitError>> {
        let transaction = Transaction::new().retry(receipt, not_before);
        Box::pin(async move { self.commit(transaction).await.map(|_| ()) })
    }

    /// Appends to a relaxed journal and returns at once; the record can be read immediately and survives a power loss
    /// 100 ms later. After a failed write every further append fails.
    fn append_relaxed(&self, journal: Journal<'_>, payload: Bytes) -> Result<Position, StoreError>;

    /// Waits until everything appended to relaxed journals so far is durable.
    fn flush(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Forgets records with positions below `position`. Exact in a transactional journal; a relaxed one frees space in
    /// whole segments of some megabytes, so newer records that share a segment keep older ones a while longer.
    fn truncate_before(
        &self,
        journal: Journal<'_>,
        position: Position,
    ) -> BoxFuture<'_, Result<(), StoreError>>;
}
