//! Relaxed journals: appends that are durable within 100 ms without waiting for the disk.
//!
//! They are files of their own and not part of the database, because an append to a file costs a copy, and one
//! synchronisation serves every append of the interval.

mod file;
mod flusher;
mod segment;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::limits::MAX_VALUE;
use crate::transaction::{valid_name, within};
use crate::{JournalRecord, Position, StoreError};
use file::FileJournal;
use flusher::Flusher;
pub use segment::segment_records;

/// Longest folder name a journal may have; file systems allow 255 bytes.
const MAX_FOLDER_NAME: usize = 250;

/// Every relaxed journal of a store.
pub(super) struct RelaxedJournals(Kind);

/// Where the journals are.
enum Kind {
    /// In files.
    Files {
        /// The folder of journals' folders.
        folder: PathBuf,
        journals: Journals,
        flusher: Flusher,
    },
    /// In memory only.
    Memory(Mutex<HashMap<String, Vec<JournalRecord>>>),
}

/// Journals opened so far.
type Journals = Arc<Mutex<HashMap<String, Arc<Mutex<FileJournal>>>>>;

impl RelaxedJournals {
    /// Journals in files below `folder`; each is opened when it is first used.
    pub(super) fn in_files(folder: PathBuf) -> Result<Self, StoreError> {
        let journals = Journals::default();
        let flusher = Flusher::start(journals.clone())?;
        Ok(Self(Kind::Files {
            folder,
            journals,
            flusher,
        }))
    }

    /// Journals that end with the process.
    pub(super) fn in_memory() -> Self {
        Self(Kind::Memory(Mutex::default()))
    }

    /// See [`Store::append_relaxed`](crate::Store::append_relaxed).
    pub(super) fn append(&self, name: &str, payload: Bytes) -> Result<Position, StoreError> {
        within("journal record", payload.len(), MAX_VALUE)?;
        let too_large = StoreError::TooLarge {
            what: "journal record",
            size: payload.len(),
            limit: MAX_VALUE,
        };
        let length = u32::try_from(payload.len()).map_err(|_| too_large)?;
        match &self.0 {
            Kind::Files { flusher, .. } => {
                let journal = self.journal(name)?;
                let position = lock(&journal).append(&payload, length)?;
                flusher.wake();
                Ok(position)
            }
            Kind::Memory(journals) => {
                valid_name(name)?;
                let mut journals = lock(journals);
                let records = journals.entry(name.to_owned()).or_default();
                let position = records
                    .last()
                    .map_or(0, |record| record.position.saturating_add(1));
                records.push(JournalRecord { position, payload });
                Ok(position)
            }
        }
    }

    /// See [`Reader::read_from`](crate::Reader::read_from).
    pub(super) fn read_from(
        &self,
        name: &str,
        position: Position,
        limit: usize,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        match &self.0 {
            Kind::Files { .. } => {
                let journal = self.journal(name)?;
                let segments = lock(&journal).readable()?;
                segments.read_from(position, limit)
            }
            Kind::Memory(journals) => Ok(lock(journals).get(name).map_or_else(Vec::new, |records| {
                let begin = records.partition_point(|record| record.position < position);
                records.iter().skip(begin).take(limit).cloned().collect()
            })),
        }
    }

    /// See [`Reader::read_reverse`](crate::Reader::read_reverse).
    pub(super) fn read_reverse(
        &self,
        name: &str,
        before: Position,
        limit: usize,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        match &self.0 {
            Kind::Files { .. } => {
                let journal = self.journal(name)?;
                let segments = lock(&journal).readable()?;
                segments.read_reverse(before, limit)
            }
            Kind::Memory(journals) => Ok(lock(journals).get(name).map_or_else(Vec::new, |records| {
                let end = records.partition_point(|record| record.position < before);
                records.iter().take(end).rev().take(limit).cloned().collect()
            })),
        }
    }

    /// See [`Store::truncate_before`](crate::Store::truncate_before).
    pub(super) fn truncate_before(&self, name: &str, position: Position) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Files { .. } => {
                let journal = self.journal(name)?;
                lock(&journal).truncate_before(position)
            }
            Kind::Memory(journals) => {
                if let Some(records) = lock(journals).get_mut(name) {
                    // The last record stays, because the next position is derived from it.
                    let obsolete = records.partition_point(|record| record.position < position);
                    records.drain(..obsolete.min(records.len().saturating_sub(1)));
                }
                Ok(())
            }
        }
    }

    /// Answers when everything appended so far is durable.
    pub(super) fn flush(&self) -> oneshot::Receiver<Result<(), StoreError>> {
        match &self.0 {
            Kind::Files { flusher, .. } => flusher.flush(),
            Kind::Memory(_) => {
                let (answer, answered) = oneshot::channel();
                // The receiver is still in this function.
                let _ = answer.send(Ok(()));
                answered
            }
        }
    }

    /// Makes everything durable and takes no more.
    pub(super) fn close(&self) {
        if let Kind::Files { flusher, .. } = &self.0 {
            flusher.close();
        }
    }

    fn journal(&self, name: &str) -> Result<Arc<Mutex<FileJournal>>, StoreError> {
        valid_name(name)?;
        let Kind::Files {
            folder,
            journals,
            flusher,
        } = &self.0
        else {
            return Err(StoreError::Closed);
        };
        if flusher.is_closed() {
            return Err(StoreError::Closed);
        }
        let mut journals = lock(journals);
        if let Some(journal) = journals.get(name) {
            return Ok(journal.clone());
        }
        let journal = Arc::new(Mutex::new(FileJournal::open(folder.join(folder_name(name)?))?));
        journals.insert(name.to_owned(), journal.clone());
        Ok(journal)
    }
}

/// Takes a lock whatever became of its last holder: the data behind these locks is whole at every step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder name that no other journal has: everything but letters, digits, `-` and `_` is escaped.
fn folder_name(journal: &str) -> Result<String, StoreError> {
    use std::fmt::Write;
    let mut name = String::with_capacity(journal.len());
    for byte in journal.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            name.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(name, "%{byte:02X}");
        }
    }
    within("escaped journal name", name.len(), MAX_FOLDER_NAME)?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]
    use super::*;

    #[test]
    fn folder_names_stay_in_their_folder_and_apart() {
        for (journal, folder) in [
            ("data-events", "data-events"),
            ("..", "%2E%2E"),
            ("a/../../b", "a%2F%2E%2E%2F%2E%2E%2Fb"),
            ("a%2Fb", "a%252Fb"),
            ("é", "%C3%A9"),
        ] {
            assert_eq!(folder_name(journal).unwrap(), folder);
        }
        assert!(matches!(
            folder_name(&"/".repeat(100)),
            Err(StoreError::TooLarge { .. })
        ));
    }
}
