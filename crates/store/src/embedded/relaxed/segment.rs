//! The segment file: what relaxed journals are on disk.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `RCSEG001` |
//! | 8 | position of the first record, little-endian |
//! | 4 | CRC-32 of the 16 bytes before |
//! | then for every record: 4 | length of the payload, little-endian |
//! | 4 | CRC-32 of the record's position (8 bytes), length (4 bytes) and payload |
//! | length | payload |
//!
//! Positions in a segment have no gaps, so a record's position is not stored; it is in the checksum, so that a record
//! moved or repeated is as invalid as one altered.

use std::io::{self, BufRead, BufReader, Read};

use bytes::Bytes;

use crate::limits::MAX_VALUE;
use crate::{JournalRecord, Position, StoreError};

const MAGIC: &[u8; 8] = b"RCSEG001";
/// Bytes before the first record.
pub(super) const HEADER: usize = 20;
/// Bytes of a record before its payload.
const RECORD_HEADER: usize = 8;

/// The header of a segment whose first record is at `first`.
pub(super) fn header(first: Position) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let (start, checksum) = header.split_at_mut(16);
    let (magic, position) = start.split_at_mut(8);
    magic.copy_from_slice(MAGIC);
    position.copy_from_slice(&first.to_le_bytes());
    checksum.copy_from_slice(&crc32fast::hash(start).to_le_bytes());
    header
}

/// Appends a record to `bytes`. The payload must be within [`MAX_VALUE`].
pub(super) fn push_record(bytes: &mut Vec<u8>, position: Position, length: u32, payload: &[u8]) {
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&checksum(position, length, payload).to_le_bytes());
    bytes.extend_from_slice(payload);
}

/// Bytes a record with `payload` takes.
pub(super) fn record_size(payload: usize) -> u64 {
    u64::try_from(payload.saturating_add(RECORD_HEADER)).unwrap_or(u64::MAX)
}

fn checksum(position: Position, length: u32, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&position.to_le_bytes());
    hasher.update(&length.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// Why reading stopped before the end.
#[derive(Debug)]
pub(super) enum Stop {
    /// The bytes from here on are no record: a torn tail if nothing follows, else damage.
    Invalid(&'static str),
    /// The file could not be read.
    Io(io::Error),
}

/// Reads a segment's header and gives the first record's position.
pub(super) fn read_header(mut source: impl Read) -> Result<Position, Stop> {
    let mut bytes = [0; HEADER];
    source
        .read_exact(&mut bytes)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Stop::Invalid("it is shorter than its header"),
            _ => Stop::Io(error),
        })?;
    let mut position = [0; 8];
    position.copy_from_slice(bytes.get(8..16).unwrap_or_default());
    let first = Position::from_le_bytes(position);
    if bytes != header(first) {
        return Err(Stop::Invalid("its header is not that of a segment"));
    }
    Ok(first)
}

/// Reads records one after another from a source that stands at the beginning of one.
pub(super) struct Records<R> {
    source: BufReader<R>,
    position: Position,
    /// Bytes of whole, valid records read so far.
    valid: u64,
    /// Bytes the source still has, at most.
    remaining: u64,
}

impl<R: Read> Records<R> {
    /// `position` is that of the record `source` stands at; at most `length` bytes are read.
    pub(super) fn new(source: R, position: Position, length: u64) -> Self {
        Self {
            source: BufReader::with_capacity(64 * 1024, source),
            position,
            valid: 0,
            remaining: length,
        }
    }

    /// Bytes of whole, valid records read so far.
    pub(super) fn valid(&self) -> u64 {
        self.valid
    }

    /// The position of the record that is read next.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// The next record; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<JournalRecord>, Stop> {
        if self.remaining == 0 || self.source.fill_buf().map_err(Stop::Io)?.is_empty() {
            return Ok(None);
        }
        let mut number = [0; 4];
        self.fill(&mut number)?;
        let length = u32::from_le_bytes(number);
        self.fill(&mut number)?;
        let expected = u32::from_le_bytes(number);
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        if size > MAX_VALUE {
            return Err(Stop::Invalid("a record is longer than any can be"));
        }
        if u64::from(length) > self.remaining {
            return Err(Stop::Invalid("a record is longer than the rest of the segment"));
        }
        let mut payload = vec![0; size];
        self.fill(&mut payload)?;
        if checksum(self.position, length, &payload) != expected {
            return Err(Stop::Invalid("a record does not have its checksum"));
        }
        let record = JournalRecord {
            position: self.position,
            payload: Bytes::from(payload),
        };
        self.position = self
            .position
            .checked_add(1)
            .ok_or(Stop::Invalid("positions are used up"))?;
        self.valid = self.valid.saturating_add(record_size(size));
        Ok(Some(record))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Stop> {
        let wanted = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.remaining = self
            .remaining
            .checked_sub(wanted)
            .ok_or(Stop::Invalid("a record is cut off"))?;
        self.source.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Stop::Invalid("a record is cut off"),
            _ => Stop::Io(error),
        })
    }
}

/// The records of a whole segment and how many of its bytes are valid; what is behind them is a torn tail. Takes any
/// bytes: damage is an answer, never a panic.
///
/// # Errors
/// [`StoreError::Damaged`] if the bytes do not begin with a segment's header.
pub fn segment_records(bytes: &[u8]) -> Result<(Vec<JournalRecord>, usize), StoreError> {
    let damaged = |stop: Stop| StoreError::Damaged {
        what: "a journal segment".to_owned(),
        reason: match stop {
            Stop::Invalid(reason) => reason.to_owned(),
            Stop::Io(error) => error.to_string(),
        },
    };
    let first = read_header(bytes).map_err(damaged)?;
    let body = bytes.get(HEADER..).unwrap_or_default();
    let mut reader = Records::new(body, first, u64::try_from(body.len()).unwrap_or(u64::MAX));
    let mut records = Vec::new();
    while let Ok(Some(record)) = reader.next() {
        records.push(record);
    }
    let valid = usize::try_from(reader.valid()).unwrap_or(usize::MAX);
    Ok((records, valid.saturating_add(HEADER)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]
    use super::*;
    use proptest::prelude::*;

    fn segment(first: Position, payloads: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = header(first).to_vec();
        for (position, payload) in (first..).zip(payloads) {
            push_record(
                &mut bytes,
                position,
                u32::try_from(payload.len()).unwrap(),
                payload,
            );
        }
        bytes
    }

    proptest! {
        #[test]
        fn records_come_back_and_any_damage_ends_them(
            first in 0..u64::MAX / 2,
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..6),
            place in any::<prop::sample::Index>(),
            flip in 1..=u8::MAX,
        ) {
            let mut bytes = segment(first, &payloads);
            let (records, valid) = segment_records(&bytes).unwrap();
            prop_assert_eq!(valid, bytes.len());
            let found: Vec<_> = records.iter().map(|record| record.payload.to_vec()).collect();
            prop_assert_eq!(&found, &payloads);
            prop_assert!(records.iter().map(|record| record.position).eq((first..).take(payloads.len())));

            let place = place.index(bytes.len());
            bytes[place] ^= flip;
            match segment_records(&bytes) {
                Ok((survivors, valid)) => {
                    prop_assert!(place >= valid, "byte {} of {} valid ones was altered", place, valid);
                    prop_assert_eq!(&survivors[..], &records[..survivors.len()]);
                }
                Err(_) => prop_assert!(place < HEADER),
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), with_header in any::<bool>()) {
            let bytes = if with_header { [&header(u64::MAX)[..], &bytes].concat() } else { bytes };
            if let Ok((_, valid)) = segment_records(&bytes) {
                prop_assert!(valid <= bytes.len());
            }
        }
    }
}
