//! The one writer: a thread that commits whatever transactions wait, in one write to the disk.
//!
//! A synchronisation costs the same for one transaction as for a hundred. While one group is written the next gathers,
//! so nobody waits for company, and the more callers there are the more each synchronisation serves.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use redb::{Database, ReadableTable};
use tokio::sync::{mpsc, oneshot};

use super::apply::{Applied, Applier};
use super::keys;
use super::log::Log;
use super::view::{TABLE, View};
use super::{Shared, database_error};
use crate::{CommitError, Job, Revision, StoreError, Transaction, UnixMillis};

/// Requests that may wait before callers have to.
const WAITING: usize = 1024;
/// Most requests of one group.
const GROUP_REQUESTS: usize = 512;
/// Bytes after which a group is not extended.
const GROUP_BYTES: usize = 16 * 1024 * 1024;

/// One caller's wish and where its answer goes.
pub(super) enum Request {
    Commit {
        transaction: Transaction,
        answer: oneshot::Sender<Result<Revision, CommitError>>,
    },
    Take {
        queue: String,
        now: UnixMillis,
        until: UnixMillis,
        answer: oneshot::Sender<Result<Option<Job>, StoreError>>,
    },
}

/// What a request came to, held back until it is durable.
enum Outcome {
    Commit(
        oneshot::Sender<Result<Revision, CommitError>>,
        Result<Revision, CommitError>,
    ),
    Take(oneshot::Sender<Result<Option<Job>, StoreError>>, Option<Job>),
}

impl Request {
    fn size(&self) -> usize {
        match self {
            Request::Commit { transaction, .. } => transaction.size(),
            Request::Take { .. } => 0,
        }
    }

    fn refuse(self, error: StoreError) {
        // Whoever gave up waiting does not want the answer.
        match self {
            Request::Commit { answer, .. } => drop(answer.send(Err(CommitError::Store(error)))),
            Request::Take { answer, .. } => drop(answer.send(Err(error))),
        }
    }
}

impl Outcome {
    fn answer(self) {
        match self {
            Outcome::Commit(answer, outcome) => drop(answer.send(outcome)),
            Outcome::Take(answer, job) => drop(answer.send(Ok(job))),
        }
    }

    fn refuse(self, error: StoreError) {
        match self {
            Outcome::Commit(answer, _) => drop(answer.send(Err(CommitError::Store(error)))),
            Outcome::Take(answer, _) => drop(answer.send(Err(error))),
        }
    }
}

/// Starts the thread. It ends when every sender is gone, and closes the database then.
pub(super) fn start(
    database: Database,
    shared: Arc<Shared>,
    log: Option<Log>,
) -> Result<(mpsc::Sender<Request>, JoinHandle<()>), StoreError> {
    let (requests, mut waiting) = mpsc::channel::<Request>(WAITING);
    let run = move || {
        let mut writer = Writer {
            database,
            shared,
            log,
            failed: None,
        };
        while let Some(first) = waiting.blocking_recv() {
            let mut size = first.size();
            let mut group = vec![first];
            while group.len() < GROUP_REQUESTS && size < GROUP_BYTES {
                let Ok(request) = waiting.try_recv() else { break };
                size = size.saturating_add(request.size());
                group.push(request);
            }
            writer.serve(group);
            writer.checkpoint(Log::is_due);
        }
        writer.checkpoint(|log| !log.is_empty());
    };
    let thread = thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(run)
        .map_err(|error| StoreError::Stopped(format!("no thread for the writer: {error}")))?;
    Ok((requests, thread))
}

struct Writer {
    database: Database,
    shared: Arc<Shared>,
    /// What makes commits durable; a store in memory has none.
    log: Option<Log>,
    /// After a failed write nobody knows what is on disk, so nothing more is written.
    failed: Option<StoreError>,
}

impl Writer {
    fn serve(&mut self, group: Vec<Request>) {
        if let Some(error) = &self.failed {
            let error = StoreError::Stopped(error.to_string());
            for request in group {
                request.refuse(error.clone());
            }
            return;
        }
        let mut outcomes = Vec::with_capacity(group.len());
        let written = self.write(group, &mut outcomes);
        match written {
            Ok(()) => outcomes.into_iter().for_each(Outcome::answer),
            Err(error) => {
                tracing::error!(%error, "the store stops: a write failed");
                for outcome in outcomes {
                    outcome.refuse(error.clone());
                }
                self.failed = Some(error);
            }
        }
    }

    /// Synchronises the database and empties the log, if it is `wanted`.
    fn checkpoint(&mut self, wanted: impl FnOnce(&Log) -> bool) {
        let Some(log) = self
            .log
            .as_mut()
            .filter(|log| self.failed.is_none() && wanted(log))
        else {
            return;
        };
        if let Err(error) = synchronise(&self.database).and_then(|()| log.clear()) {
            tracing::error!(%error, "the store stops: a checkpoint failed");
            self.failed = Some(error);
        }
    }

    /// Writes a group. Every request ends in `outcomes` or is refused.
    fn write(&mut self, group: Vec<Request>, outcomes: &mut Vec<Outcome>) -> Result<(), StoreError> {
        let mut group = group.into_iter();
        let prepared = self.apply_all(&mut group, outcomes);
        if let Err(error) = &prepared {
            group.for_each(|request| request.refuse(error.clone()));
        }
        let (transaction, applied) = prepared?;
        if !applied.wrote {
            return transaction.abort().map_err(database_error);
        }
        if let Some(log) = &mut self.log {
            log.append(applied.before, applied.after, &applied.redo)?;
        }
        transaction.commit().map_err(database_error)?;
        self.shared.publish(
            View::latest(&self.database, self.shared.relaxed.clone())?,
            applied,
        );
        Ok(())
    }

    fn apply_all(
        &self,
        group: &mut std::vec::IntoIter<Request>,
        outcomes: &mut Vec<Outcome>,
    ) -> Result<(redb::WriteTransaction, Applied), StoreError> {
        let transaction = begin_volatile(&self.database)?;
        let mut applier = Applier::new(transaction.open_table(TABLE).map_err(database_error)?)?;
        for request in group {
            match request {
                Request::Commit { transaction, answer } => match applier.commit(&transaction) {
                    Ok(outcome) => outcomes.push(Outcome::Commit(answer, outcome)),
                    Err(error) => {
                        Request::Commit { transaction, answer }.refuse(error.clone());
                        return Err(error);
                    }
                },
                Request::Take {
                    queue,
                    now,
                    until,
                    answer,
                } => match applier.take(&queue, now, until) {
                    Ok(job) => outcomes.push(Outcome::Take(answer, job)),
                    Err(error) => {
                        Request::Take {
                            queue,
                            now,
                            until,
                            answer,
                        }
                        .refuse(error.clone());
                        return Err(error);
                    }
                },
            }
        }
        let applied = applier.finish()?;
        Ok((transaction, applied))
    }
}

/// Begins a write that is made durable by the log, or lives in memory only.
fn begin_volatile(database: &Database) -> Result<redb::WriteTransaction, StoreError> {
    let mut transaction = database.begin_write().map_err(database_error)?;
    transaction
        .set_durability(redb::Durability::None)
        .map_err(database_error)?;
    Ok(transaction)
}

/// Makes everything committed so far durable in the database itself.
pub(super) fn synchronise(database: &Database) -> Result<(), StoreError> {
    let transaction = begin(database, true)?;
    {
        let mut table = transaction.open_table(TABLE).map_err(database_error)?;
        // A write that changes nothing, so that there is something to commit.
        let revision = table
            .get(keys::REVISION)
            .map_err(database_error)?
            .map(|stored| stored.value().to_vec());
        if let Some(revision) = revision {
            table
                .insert(keys::REVISION, revision.as_slice())
                .map_err(database_error)?;
        }
    }
    transaction.commit().map_err(database_error)
}

/// Begins a write that will survive a power loss and need no repair after one. Quick repair commits in two phases,
/// which also keeps a user who controls what is written, and when we crash, from forging a half-written commit.
pub(super) fn begin(database: &Database, is_durable: bool) -> Result<redb::WriteTransaction, StoreError> {
    let mut transaction = database.begin_write().map_err(database_error)?;
    transaction
        .set_durability(redb::Durability::Immediate)
        .map_err(database_error)?;
    transaction.set_quick_repair(is_durable);
    Ok(transaction)
}
