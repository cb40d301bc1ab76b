//! The write-ahead log: what makes a commit durable with one write and one synchronisation.
//!
//! A group of transactions is answered when its outcome (the final puts and removals in the database's table, not the
//! transactions) is on the disk here. The database itself gets the group without synchronisation, so that readers see
//! it, and is synchronised at a checkpoint: when the log has grown, and when the store is closed. Opening replays
//! what the last checkpoint does not have.
//!
//! A record is `length (4) · CRC-32 of the rest (4) · revision before (8) · revision after (8) · writes`, numbers in little endian.
//! A write is `0 · key length (4) · key` for a removal, `1 · key length (4) · value length (4) · key · value` for a put. Reading stops
//! at the first record that is torn, or does not follow the one before it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::folder::file_error;
use crate::{Revision, StoreError};

/// Length, checksum and the two revisions.
const HEADER: usize = 24;
/// Bytes after which the database is synchronised and the log begins anew.
const CHECKPOINT_BYTES: u64 = 4 * 1024 * 1024;
/// Groups after which that happens, however small they are: pages they gave up are free again only then.
const CHECKPOINT_GROUPS: u32 = 1000;

/// One write to the database's table: a key with its value, or a key that is removed.
pub(super) type RawWrite<'a> = (&'a [u8], Option<&'a [u8]>);

/// The outcome of a group: its writes in order.
#[derive(Default)]
pub(super) struct Redo(Vec<u8>);

impl Redo {
    pub(super) fn put(&mut self, key: &[u8], value: &[u8]) {
        self.0.push(1);
        self.length(key);
        self.length(value);
        self.0.extend_from_slice(key);
        self.0.extend_from_slice(value);
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        self.0.push(0);
        self.length(key);
        self.0.extend_from_slice(key);
    }

    fn length(&mut self, bytes: &[u8]) {
        // Keys and values are limited far below this when a transaction is admitted.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_le_bytes());
    }
}

/// A record as it is read back.
pub(super) struct Record {
    /// Revision before the group.
    pub(super) before: Revision,
    /// Revision after it.
    pub(super) after: Revision,
    writes: Vec<u8>,
}

impl Record {
    /// Its writes; an error if they are not readable although the checksum is right.
    pub(super) fn writes(&self) -> Result<Vec<RawWrite<'_>>, StoreError> {
        let mut rest = self.writes.as_slice();
        let mut writes = Vec::new();
        while !rest.is_empty() {
            writes.push(next_write(&mut rest).ok_or_else(|| super::values::damaged("the write-ahead log"))?);
        }
        Ok(writes)
    }
}

fn next_write<'a>(rest: &mut &'a [u8]) -> Option<RawWrite<'a>> {
    let kind = *rest.split_off_first()?;
    let key_length = number(rest)?;
    let value_length = if kind == 1 { Some(number(rest)?) } else { None };
    let key = rest.split_off(..key_length)?;
    let value = match value_length {
        Some(length) => Some(rest.split_off(..length)?),
        None => None,
    };
    (kind <= 1).then_some((key, value))
}

fn number(rest: &mut &[u8]) -> Option<usize> {
    let bytes: [u8; 4] = rest.split_off(..4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

/// The log of an open store.
pub(super) struct Log {
    file: File,
    path: PathBuf,
    length: u64,
    groups: u32,
}

impl Log {
    /// Opens the log and reads the records in it, up to the first that is not whole.
    pub(super) fn open(mut file: File, path: &Path) -> Result<(Self, Vec<Record>), StoreError> {
        let mut content = Vec::new();
        file.read_to_end(&mut content)
            .map_err(|error| file_error("read", path, &error))?;
        let records = records(&content);
        let log = Self {
            file,
            path: path.to_owned(),
            length: content.len() as u64,
            groups: 0,
        };
        Ok((log, records))
    }

    /// Makes the outcome of a group durable.
    pub(super) fn append(
        &mut self,
        before: Revision,
        after: Revision,
        redo: &Redo,
    ) -> Result<(), StoreError> {
        let mut record = Vec::with_capacity(HEADER.saturating_add(redo.0.len()));
        let length = u32::try_from(redo.0.len()).map_err(|_| super::values::damaged("a group"))?;
        record.extend_from_slice(&length.to_le_bytes());
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&before.to_le_bytes());
        hasher.update(&after.to_le_bytes());
        hasher.update(&redo.0);
        record.extend_from_slice(&hasher.finalize().to_le_bytes());
        record.extend_from_slice(&before.to_le_bytes());
        record.extend_from_slice(&after.to_le_bytes());
        record.extend_from_slice(&redo.0);
        self.file
            .write_all(&record)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| file_error("write", &self.path, &error))?;
        self.length = self.length.saturating_add(record.len() as u64);
        self.groups = self.groups.saturating_add(1);
        Ok(())
    }

    /// Whether the database should be synchronised now.
    pub(super) fn is_due(&self) -> bool {
        self.length >= CHECKPOINT_BYTES || self.groups >= CHECKPOINT_GROUPS
    }

    /// Whether the database has everything.
    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Begins anew, after the database was synchronised. Records that a crash brings back are recognised by their
    /// revisions.
    pub(super) fn clear(&mut self) -> Result<(), StoreError> {
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .map_err(|error| file_error("empty", &self.path, &error))?;
        self.length = 0;
        self.groups = 0;
        Ok(())
    }
}

/// The whole records at the beginning of `content`.
pub(super) fn records(content: &[u8]) -> Vec<Record> {
    let mut rest = content;
    let mut records: Vec<Record> = Vec::new();
    while let Some(record) = next_record(&mut rest) {
        if records.last().is_some_and(|last| record.before != last.after) {
            break;
        }
        records.push(record);
    }
    records
}

fn next_record(rest: &mut &[u8]) -> Option<Record> {
    let length = number(rest)?;
    let checksum: [u8; 4] = rest.split_off(..4)?.try_into().ok()?;
    let covered = rest.split_off(..length.checked_add(16)?)?;
    if crc32fast::hash(covered).to_le_bytes() != checksum {
        return None;
    }
    let mut fields = covered;
    let before = u64::from_le_bytes(fields.split_off(..8)?.try_into().ok()?);
    let after = u64::from_le_bytes(fields.split_off(..8)?.try_into().ok()?);
    (before < after).then(|| Record {
        before,
        after,
        writes: fields.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]
    use super::*;

    fn written(folder: &Path, groups: u64) -> Vec<u8> {
        let path = folder.join("log");
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .unwrap();
        let (mut log, records) = Log::open(file, &path).unwrap();
        assert!(records.is_empty() && log.is_empty());
        for revision in 0..groups {
            let mut redo = Redo::default();
            redo.put(b"key", &revision.to_le_bytes());
            redo.remove(b"other");
            log.append(revision, revision + 1, &redo).unwrap();
        }
        std::fs::read(&path).unwrap()
    }

    #[test]
    fn records_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let records = records(&written(folder.path(), 3));
        assert_eq!(records.len(), 3);
        let expected: Vec<RawWrite<'_>> = vec![(b"key", Some(&[2, 0, 0, 0, 0, 0, 0, 0])), (b"other", None)];
        assert_eq!(records[2].writes().unwrap(), expected);
        assert_eq!((records[2].before, records[2].after), (2, 3));
    }

    #[test]
    fn a_tail_torn_anywhere_leaves_the_records_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let whole = written(folder.path(), 3);
        let two = whole.len() / 3 * 2;
        for end in two..whole.len() {
            assert_eq!(records(&whole[..end]).len(), 2, "{end}");
        }
        for changed in two..whole.len() {
            let mut damaged = whole.clone();
            damaged[changed] ^= 1;
            assert_eq!(records(&damaged).len(), 2, "{changed}");
        }
    }

    #[test]
    fn records_of_an_earlier_log_are_not_taken_for_newer_ones() {
        let folder = tempfile::tempdir().unwrap();
        let old = written(folder.path(), 3);
        let record = old.len() / 3;
        let mut mixed = old[record * 2..].to_vec();
        mixed.extend_from_slice(&old[..record]);
        assert_eq!(records(&mixed).len(), 1);
    }
}
