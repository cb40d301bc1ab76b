//! How buckets, journals and queues share the one table of the database.
//!
//! One table, because a table of its own costs a page and a look-up for every bucket, and services make buckets by the
//! hundred (one for each DynamoDB table). A stored key is one byte saying what it is, the name, a zero byte (names have
//! none), and the rest. Numbers are big-endian, so that their order is the order of the bytes.

use crate::{Position, Receipt, UnixMillis};

const META: u8 = 0;
const ENTRY: u8 = 1;
const JOURNAL: u8 = 2;
const JOB: u8 = 3;
const DUE: u8 = 4;
const TAKEN: u8 = 5;

/// Holds the version of this layout, as one big-endian u64, like all of these.
pub(super) const FORMAT: &[u8] = b"\0format";
/// Holds the last revision.
pub(super) const REVISION: &[u8] = b"\0revision";
/// Holds the last job number.
pub(super) const LAST_JOB: &[u8] = b"\0last-job";

fn space(kind: u8, name: &str) -> Vec<u8> {
    [&[kind], name.as_bytes(), &[0]].concat()
}

/// What every stored key of `bucket` begins with.
pub(super) fn bucket(bucket: &str) -> Vec<u8> {
    space(ENTRY, bucket)
}

/// The stored key of a bucket's key.
pub(super) fn entry(name: &str, key: &[u8]) -> Vec<u8> {
    let mut stored = bucket(name);
    stored.extend_from_slice(key);
    stored
}

/// Holds the position after the last record of `journal`, which must be known when all records are truncated.
pub(super) fn journal_end(journal: &str) -> Vec<u8> {
    [&[META], &b"journal\0"[..], journal.as_bytes()].concat()
}

/// The stored key of a journal's record.
pub(super) fn record(journal: &str, position: Position) -> Vec<u8> {
    with_number(space(JOURNAL, journal), position)
}

/// The stored key of a job.
pub(super) fn job(queue: &str, id: u64) -> Vec<u8> {
    with_number(space(JOB, queue), id)
}

/// What every due key of `queue` begins with.
pub(super) fn due_queue(queue: &str) -> Vec<u8> {
    space(DUE, queue)
}

/// The stored key that orders a job by when it is due.
pub(super) fn due(queue: &str, due: UnixMillis, id: u64) -> Vec<u8> {
    with_number(with_number(due_queue(queue), due.0), id)
}

/// What the keys that mark taken jobs begin with.
pub(super) const TAKEN_SPACE: &[u8] = &[TAKEN];

/// The stored key that says a job is taken.
pub(super) fn taken(receipt: &Receipt) -> Vec<u8> {
    with_number(space(TAKEN, &receipt.queue), receipt.id)
}

/// Queue and job of a taken key.
pub(super) fn parse_taken(stored: &[u8]) -> Option<(&str, u64)> {
    let (rest, id) = split_number(stored)?;
    let name = rest.strip_prefix(&[TAKEN])?.strip_suffix(&[0])?;
    Some((std::str::from_utf8(name).ok()?, id))
}

/// When and which job of a due key.
pub(super) fn parse_due(stored: &[u8]) -> Option<(UnixMillis, u64)> {
    let (rest, id) = split_number(stored)?;
    let (_, due) = split_number(rest)?;
    Some((UnixMillis(due), id))
}

/// Splits the number off the end of a stored key.
pub(super) fn split_number(stored: &[u8]) -> Option<(&[u8], u64)> {
    let (rest, number) = stored.split_last_chunk::<8>()?;
    Some((rest, u64::from_be_bytes(*number)))
}

fn with_number(mut key: Vec<u8>, number: u64) -> Vec<u8> {
    key.extend_from_slice(&number.to_be_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_parse_back() {
        let receipt = Receipt {
            queue: "invokes".to_owned(),
            id: 0x0102,
            attempt: 1,
        };
        assert_eq!(parse_taken(&taken(&receipt)), Some(("invokes", 0x0102)));
        assert_eq!(parse_due(&due("q", UnixMillis(7), 9)), Some((UnixMillis(7), 9)));
        assert_eq!(
            split_number(&record("j", 5)).map(|(_, position)| position),
            Some(5)
        );
        assert_eq!(parse_taken(b"short"), None);
    }

    #[test]
    fn names_do_not_run_into_each_other() {
        assert!(!entry("ab", b"c").starts_with(&bucket("a")));
        assert_ne!(entry("a", b"bc"), entry("ab", b"c"));
    }
}
