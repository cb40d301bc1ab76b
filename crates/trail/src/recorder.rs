//! Keeps records in the store's journal, in the order the requests ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use rolecall_store::{Journal, Position, Store, StoreError};

use crate::Record;

/// All records share one journal, so that their order is one order.
const JOURNAL: Journal<'static> = Journal::relaxed("trail");

/// When a record is safe from a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Before the caller has its answer: for management events that describe a change.
    BeforeAnswer,
    /// Within 100 ms: for reads and data events.
    Soon,
}

/// How old an event is when it is taken out of the trail: nobody can look it up any more since a day.
const KEPT: SignedDuration = SignedDuration::from_hours(91 * 24);

/// Records one step of [`Recorder::prune`] looks at.
const PRUNING_STEP: usize = 256;

/// How far a step of [`Recorder::prune`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pruned {
    /// Nothing older is left.
    Everything,
    /// There may be more.
    Some,
}

/// The one field of a record that its age is told by.
#[derive(serde::Deserialize)]
struct Dated {
    event: DatedEvent,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct DatedEvent {
    event_time: String,
}

/// The trail could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum TrailError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record could not be turned into or read from JSON.
    #[error("an event at position {position:?} of the trail is not readable: {source}")]
    Unreadable {
        /// Where it is; absent for one that is being written.
        position: Option<Position>,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// Writes and reads the trail.
#[derive(Clone)]
pub struct Recorder {
    store: Arc<dyn Store>,
    /// Where pruning goes on: the store frees whole segments, so what is before may still be there.
    pruned: Arc<AtomicU64>,
}

impl Recorder {
    /// The trail kept in `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            pruned: Arc::default(),
        }
    }

    /// Appends a record.
    ///
    /// # Errors
    /// The store cannot write; with [`Durability::BeforeAnswer`] the caller must then not be told of success.
    pub async fn record(&self, record: &Record, durability: Durability) -> Result<Position, TrailError> {
        let payload = serde_json::to_vec(record).map_err(|source| TrailError::Unreadable {
            position: None,
            source,
        })?;
        let position = self.store.append_relaxed(JOURNAL, payload.into())?;
        if durability == Durability::BeforeAnswer {
            self.store.flush().await?;
        }
        Ok(position)
    }

    /// Takes events out that are too old to be looked up (CloudTrail's event history has 90 days), oldest first. One step
    /// looks at some hundred records; call it again after [`Pruned::Some`]. The store frees whole segments of some
    /// megabytes, so the youngest of the old ones stay a while longer.
    ///
    /// # Errors
    /// The store cannot read or write, or a record is damaged; nothing younger is then taken out.
    pub async fn prune(&self, now: Timestamp) -> Result<Pruned, TrailError> {
        let oldest = now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
        let start = self.pruned.load(Ordering::Relaxed);
        let records = self.store.read_from(JOURNAL, start, PRUNING_STEP)?;
        let looked_at = records.len();
        let mut old = 0;
        let mut position = start;
        for raw in records {
            let dated: Dated =
                serde_json::from_slice(&raw.payload).map_err(|source| TrailError::Unreadable {
                    position: Some(raw.position),
                    source,
                })?;
            // A time that cannot be read is no reason to forget an event.
            let time = dated.event.event_time.parse::<Timestamp>();
            if time.is_err() || time.is_ok_and(|time| time >= oldest) {
                break;
            }
            old += 1;
            position = raw.position.saturating_add(1);
        }
        if old == 0 {
            return Ok(Pruned::Everything);
        }
        self.store.truncate_before(JOURNAL, position).await?;
        self.pruned.fetch_max(position, Ordering::Relaxed);
        Ok(if old == looked_at {
            Pruned::Some
        } else {
            Pruned::Everything
        })
    }

    /// Up to `limit` records from `position` on, oldest first.
    ///
    /// # Errors
    /// The store cannot read, or a record is damaged.
    pub fn read_from(&self, position: Position, limit: usize) -> Result<Vec<(Position, Record)>, TrailError> {
        decode(self.store.read_from(JOURNAL, position, limit)?)
    }

    /// Up to `limit` records before `position`, newest first.
    ///
    /// # Errors
    /// The store cannot read, or a record is damaged.
    pub fn read_reverse(
        &self,
        before: Position,
        limit: usize,
    ) -> Result<Vec<(Position, Record)>, TrailError> {
        decode(self.store.read_reverse(JOURNAL, before, limit)?)
    }
}

fn decode(records: Vec<rolecall_store::JournalRecord>) -> Result<Vec<(Position, Record)>, TrailError> {
    records
        .into_iter()
        .map(|raw| {
            serde_json::from_slice(&raw.payload)
                .map(|record| (raw.position, record))
                .map_err(|source| TrailError::Unreadable {
                    position: Some(raw.position),
                    source,
                })
        })
        .collect()
}
