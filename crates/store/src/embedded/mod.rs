//! The embedded store: redb for state, segment files for relaxed journals, one process a data folder.

mod apply;
mod folder;
mod keys;
mod log;
mod relaxed;
mod values;
mod view;
mod writer;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Builder, Database, ReadableDatabase};
use tokio::sync::{mpsc, oneshot, watch};

use crate::transaction::valid_name;
use crate::watch::Watchers;
use crate::{
    BoxFuture, CommitError, Durability, Entry, EntryRef, Job, Journal, JournalRecord, Position, Reader,
    Revision, ScanRange, Store, StoreError, Transaction, UnixMillis, WatchReceiver,
};
use apply::Applier;
use folder::{DataFolder, file_error, synchronise_folder};
use log::{Log, Record};
use relaxed::RelaxedJournals;
pub use relaxed::segment_records;
use view::{TABLE, View};
use writer::Request;

/// The layout this program writes; see [`keys`].
const FORMAT: u64 = 1;
/// Page cache of a store in memory, whose pages are in memory anyway.
const MEMORY_CACHE: usize = 1024 * 1024;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of database pages kept in memory. The default, 8 MiB, keeps a whole server below 30 MB.
    pub cache_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 8 * 1024 * 1024,
        }
    }
}

/// A [`Store`] inside this process. Dropping it makes everything durable and closes it; snapshots that outlive it
/// answer [`StoreError::Closed`].
pub struct EmbeddedStore {
    shared: Arc<Shared>,
    /// Gone when the store is being closed, which ends the writer.
    requests: Option<mpsc::Sender<Request>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Let go last.
    _folder: Option<DataFolder>,
}

/// What readers, the writer and watchers have in common.
struct Shared {
    view: RwLock<Arc<View>>,
    watchers: Watchers,
    queue_activity: watch::Sender<u64>,
    relaxed: Arc<RelaxedJournals>,
}

impl Shared {
    fn view(&self) -> Arc<View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows a commit to readers, then to watchers: whoever hears of a change can read it.
    fn publish(&self, view: View, applied: apply::Applied) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
        self.watchers.publish(applied.changes);
        if applied.touched_queues {
            self.queue_activity
                .send_modify(|count| *count = count.wrapping_add(1));
        }
    }
}

impl std::fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedStore")
            .field("revision", &self.revision())
            .finish_non_exhaustive()
    }
}

impl EmbeddedStore {
    /// Opens the store in `folder`, which is made if it is not there. Blocks for some milliseconds, also after a crash.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it, [`StoreError::File`] and [`StoreError::Damaged`] when it
    /// cannot be read, [`StoreError::Decode`] when a newer program wrote it.
    pub fn open(folder: &Path, options: &Options) -> Result<Self, StoreError> {
        let folder = DataFolder::acquire(folder)?;
        let file = folder.database_file()?;
        let database = Builder::new()
            .set_cache_size(options.cache_bytes)
            .create_with_backend(FileBackend::new(file).map_err(database_error)?)
            .map_err(database_error)?;
        let (log, path) = folder.log_file()?;
        let log = Log::open(log, &path)?;
        folder.synchronise()?;
        let relaxed = RelaxedJournals::in_files(folder.journals())?;
        Self::start(database, relaxed, Some((folder, log)))
    }

    /// A store that ends with the process and waits for no disk: for tests and short runs.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn in_memory() -> Result<Self, StoreError> {
        let database = Builder::new()
            .set_cache_size(MEMORY_CACHE)
            .create_with_backend(InMemoryBackend::new())
            .map_err(database_error)?;
        Self::start(database, RelaxedJournals::in_memory(), None)
    }

    fn start(
        database: Database,
        relaxed: RelaxedJournals,
        kept: Option<(DataFolder, (Log, Vec<Record>))>,
    ) -> Result<Self, StoreError> {
        let is_durable = kept.is_some();
        let relaxed = Arc::new(relaxed);
        prepare(&database, is_durable)?;
        let (folder, log) = match kept {
            Some((folder, (mut log, records))) => {
                replay(&database, &records)?;
                log.clear()?;
                (Some(folder), Some(log))
            }
            None => (None, None),
        };
        let mut view = View::latest(&database, relaxed.clone())?;
        let format = view.counter(keys::FORMAT)?;
        if format != FORMAT {
            let reason = format!("its layout is {format} and this program reads {FORMAT}");
            return Err(StoreError::Decode {
                what: "the database",
                reason,
            });
        }
        let taken = view.taken_jobs()?;
        if !taken.is_empty() {
            release(&database, is_durable, &taken)?;
            view = View::latest(&database, relaxed.clone())?;
        }
        let shared = Arc::new(Shared {
            view: RwLock::new(Arc::new(view)),
            watchers: Watchers::default(),
            queue_activity: watch::Sender::new(0),
            relaxed,
        });
        let (requests, writer) = writer::start(database, shared.clone(), log)?;
        Ok(Self {
            shared,
            requests: Some(requests),
            writer: Mutex::new(Some(writer)),
            _folder: folder,
        })
    }

    async fn request<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> Request + Send,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or(StoreError::Closed)?;
        requests
            .send(request(answer))
            .await
            .map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        self.requests = None;
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the thread that writes the store panicked");
        }
        self.shared.relaxed.close();
    }
}

/// Brings the database to where the log was. Records it has already are passed over; a gap means that it is damaged.
fn replay(database: &Database, records: &[Record]) -> Result<(), StoreError> {
    if records.is_empty() {
        return Ok(());
    }
    let transaction = writer::begin(database, true)?;
    let mut applier = Applier::new(transaction.open_table(TABLE).map_err(database_error)?)?;
    for record in records {
        if record.after <= applier.revision() {
            continue;
        }
        if record.before != applier.revision() {
            return Err(values::damaged("the write-ahead log"));
        }
        applier.replay(record)?;
    }
    applier.finish()?;
    transaction.commit().map_err(database_error)
}

/// Makes the table of a new database.
fn prepare(database: &Database, is_durable: bool) -> Result<(), StoreError> {
    match database.begin_read().map_err(database_error)?.open_table(TABLE) {
        Ok(_) => return Ok(()),
        Err(redb::TableError::TableDoesNotExist(_)) => {}
        Err(error) => return Err(database_error(error)),
    }
    let transaction = writer::begin(database, is_durable)?;
    {
        let mut table = transaction.open_table(TABLE).map_err(database_error)?;
        table
            .insert(keys::FORMAT, &FORMAT.to_be_bytes()[..])
            .map_err(database_error)?;
    }
    transaction.commit().map_err(database_error)
}

/// Gives back the jobs of the process that had the store before.
fn release(database: &Database, is_durable: bool, taken: &[Vec<u8>]) -> Result<(), StoreError> {
    let transaction = writer::begin(database, is_durable)?;
    let mut applier = apply::Applier::new(transaction.open_table(TABLE).map_err(database_error)?)?;
    applier.release_taken(taken)?;
    applier.finish()?;
    transaction.commit().map_err(database_error)
}

/// redb's many error types as one.
fn database_error(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Corrupted(reason) => StoreError::Damaged {
            what: "the database".to_owned(),
            reason,
        },
        redb::Error::DatabaseClosed => StoreError::Closed,
        other => StoreError::Database(other.to_string()),
    }
}

impl Reader for EmbeddedStore {
    fn get(&self, bucket: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        self.shared.view().get(bucket, key)
    }

    fn for_each(
        &self,
        bucket: &str,
        range: &ScanRange,
        visit: &mut dyn FnMut(EntryRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.shared.view().for_each(bucket, range, visit)
    }

    fn read_from(
        &self,
        journal: Journal<'_>,
        position: Position,
        limit: usize,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        self.shared.view().read_from(journal, position, limit)
    }

    fn read_reverse(
        &self,
        journal: Journal<'_>,
        before: Position,
        limit: usize,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        self.shared.view().read_reverse(journal, before, limit)
    }

    fn revision(&self) -> Revision {
        self.shared.view().revision()
    }
}

impl Store for EmbeddedStore {
    fn snapshot(&self) -> Arc<dyn Reader> {
        self.shared.view()
    }

    fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision, CommitError>> {
        Box::pin(async move {
            transaction.validate()?;
            if transaction.is_empty() {
                return Ok(self.revision());
            }
            self.request(|answer| Request::Commit { transaction, answer })
                .await?
        })
    }

    fn watch(&self, bucket: &str) -> WatchReceiver {
        self.shared.watchers.subscribe(bucket)
    }

    fn take(
        &self,
        queue: &str,
        now: UnixMillis,
        visibility: Duration,
    ) -> BoxFuture<'_, Result<Option<Job>, StoreError>> {
        let queue = queue.to_owned();
        Box::pin(async move {
            // An empty queue is the common case and needs no writer.
            if self.next_due(&queue)?.is_none_or(|due| due > now) {
                return Ok(None);
            }
            let until = now.after(visibility);
            self.request(|answer| Request::Take {
                queue,
                now,
                until,
                answer,
            })
            .await?
        })
    }

    fn next_due(&self, queue: &str) -> Result<Option<UnixMillis>, StoreError> {
        self.shared.view().next_due(queue)
    }

    fn queue_length(&self, queue: &str) -> Result<usize, StoreError> {
        self.shared.view().queue_length(queue)
    }

    fn queue_activity(&self) -> watch::Receiver<u64> {
        self.shared.queue_activity.subscribe()
    }

    fn append_relaxed(&self, journal: Journal<'_>, payload: Bytes) -> Result<Position, StoreError> {
        valid_name(journal.name)?;
        if journal.durability != Durability::Relaxed {
            return Err(StoreError::WrongDurability(journal.name.to_owned()));
        }
        self.shared.relaxed.append(journal.name, payload)
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        let answered = self.shared.relaxed.flush();
        Box::pin(async move { answered.await.map_err(|_| StoreError::Closed)? })
    }

    fn truncate_before(
        &self,
        journal: Journal<'_>,
        position: Position,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        let name = journal.name.to_owned();
        Box::pin(async move {
            match journal.durability {
                Durability::Relaxed => self.shared.relaxed.truncate_before(&name, position),
                Durability::Transactional => {
                    let truncation = Transaction::new().truncate(Journal::transactional(&name), position);
                    match self.commit(truncation).await {
                        Ok(_) => Ok(()),
                        Err(CommitError::Store(error)) => Err(error),
                        // It demands nothing that could conflict.
                        Err(error) => Err(StoreError::Database(error.to_string())),
                    }
                }
            }
        })
    }
}
