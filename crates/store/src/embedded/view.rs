//! Reads of one committed state.

use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use bytes::Bytes;
use redb::{ReadOnlyTable, ReadableDatabase, TableDefinition};

use super::relaxed::RelaxedJournals;
use super::{database_error, keys, values};
use crate::entry::Bounds;
use crate::transaction::valid_name;
use crate::{
    Durability, Entry, EntryRef, Journal, JournalRecord, Position, Reader, Revision, ScanRange, StoreError,
    UnixMillis,
};

/// The one table.
pub(super) const TABLE: TableDefinition<'static, &'static [u8], &'static [u8]> =
    TableDefinition::new("rolecall");

/// Sees a stored key and its value, and says whether to go on.
type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, StoreError> + 'a;

/// The state as one commit left it. redb keeps its pages as long as the table handle lives.
pub(super) struct View {
    table: ReadOnlyTable<&'static [u8], &'static [u8]>,
    revision: Revision,
    relaxed: Arc<RelaxedJournals>,
}

impl View {
    /// The state `database` has now.
    pub(super) fn latest(
        database: &redb::Database,
        relaxed: Arc<RelaxedJournals>,
    ) -> Result<Self, StoreError> {
        let table = database
            .begin_read()
            .map_err(database_error)?
            .open_table(TABLE)
            .map_err(database_error)?;
        let mut view = Self {
            table,
            revision: 0,
            relaxed,
        };
        view.revision = view.counter(keys::REVISION)?;
        Ok(view)
    }

    /// A counter; 0 if it was never written.
    pub(super) fn counter(&self, key: &[u8]) -> Result<u64, StoreError> {
        match self.table.get(key).map_err(database_error)? {
            Some(stored) => values::number(stored.value()),
            None => Ok(0),
        }
    }

    /// Keys that mark taken jobs.
    pub(super) fn taken_jobs(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut taken = Vec::new();
        self.visit(&prefix_bounds(keys::TAKEN_SPACE), false, &mut |key, _| {
            taken.push(key.to_vec());
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(taken)
    }

    /// When the first job of `queue` is due.
    pub(super) fn next_due(&self, queue: &str) -> Result<Option<UnixMillis>, StoreError> {
        valid_name(queue)?;
        let mut next = None;
        self.visit(&prefix_bounds(&keys::due_queue(queue)), false, &mut |key, _| {
            next = Some(
                keys::parse_due(key)
                    .ok_or_else(|| values::damaged("a due job"))?
                    .0,
            );
            Ok(ControlFlow::Break(()))
        })?;
        Ok(next)
    }

    /// How many jobs `queue` has.
    pub(super) fn queue_length(&self, queue: &str) -> Result<usize, StoreError> {
        valid_name(queue)?;
        let mut length = 0_usize;
        self.visit(&prefix_bounds(&keys::due_queue(queue)), false, &mut |_, _| {
            length = length.saturating_add(1);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(length)
    }

    fn visit(&self, bounds: &Bounds, reverse: bool, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let bounds = (
            bounds.0.as_ref().map(Vec::as_slice),
            bounds.1.as_ref().map(Vec::as_slice),
        );
        let mut range = self.table.range::<&[u8]>(bounds).map_err(database_error)?;
        while let Some(item) = if reverse { range.next_back() } else { range.next() } {
            let (key, value) = item.map_err(database_error)?;
            if visit(key.value(), value.value())?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn records(
        &self,
        bounds: &Bounds,
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        let mut records = Vec::new();
        if limit == 0 {
            return Ok(records);
        }
        self.visit(bounds, reverse, &mut |key, payload| {
            let (_, position) = keys::split_number(key).ok_or_else(|| values::damaged("a journal record"))?;
            records.push(JournalRecord {
                position,
                payload: Bytes::copy_from_slice(payload),
            });
            Ok(if records.len() < limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            })
        })?;
        Ok(records)
    }
}

/// Bounds of the stored keys that begin with `prefix`.
pub(super) fn prefix_bounds(prefix: &[u8]) -> Bounds {
    let end = crate::entry::following(prefix).map_or(Bound::Unbounded, Bound::Excluded);
    (Bound::Included(prefix.to_vec()), end)
}

impl Reader for View {
    fn get(&self, bucket: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        valid_name(bucket)?;
        let Some(stored) = self
            .table
            .get(keys::entry(bucket, key).as_slice())
            .map_err(database_error)?
        else {
            return Ok(None);
        };
        let (revision, value) = values::split_entry(stored.value())?;
        Ok(Some(EntryRef { key, value, revision }.to_entry()))
    }

    fn for_each(
        &self,
        bucket: &str,
        range: &ScanRange,
        visit: &mut dyn FnMut(EntryRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        valid_name(bucket)?;
        let space = keys::bucket(bucket);
        let Some(bounds) = range.stored_bounds(&space) else {
            return Ok(());
        };
        self.visit(&bounds, range.is_reversed(), &mut |key, stored| {
            let key = key
                .strip_prefix(space.as_slice())
                .ok_or_else(|| values::damaged("a key"))?;
            let (revision, value) = values::split_entry(stored)?;
            Ok(visit(EntryRef { key, value, revision }))
        })
    }

    fn read_from(
        &self,
        journal: Journal<'_>,
        position: Position,
        limit: usize,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        valid_name(journal.name)?;
        match journal.durability {
            Durability::Relaxed => self.relaxed.read_from(journal.name, position, limit),
            Durability::Transactional => {
                let first = keys::record(journal.name, position);
                let last = keys::record(journal.name, Position::MAX);
                self.records(&(Bound::Included(first), Bound::Included(last)), false, limit)
            }
        }
    }

    fn read_reverse(
        &self,
        journal: Journal<'_>,
        before: Position,
        limit: usize,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        valid_name(journal.name)?;
        match journal.durability {
            Durability::Relaxed => self.relaxed.read_reverse(journal.name, before, limit),
            Durability::Transactional if before == 0 => Ok(Vec::new()),
            Durability::Transactional => {
                let first = keys::record(journal.name, 0);
                let last = keys::record(journal.name, before);
                self.records(&(Bound::Included(first), Bound::Excluded(last)), true, limit)
            }
        }
    }

    fn revision(&self) -> Revision {
        self.revision
    }
}
