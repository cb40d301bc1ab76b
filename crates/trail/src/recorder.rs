//! Keeps records in the store's journal, in the order the requests ended.

use std::sync::Arc;

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
}

impl Recorder {
    /// The trail kept in `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
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
