//! Journals: ordered records that are only ever appended.

use bytes::Bytes;

/// A record's place in its journal. Grows strictly but not by one: after a restart a relaxed journal leaves a gap, so
/// that a position lost in a crash is never given to another record. Only its order has meaning.
pub type Position = u64;

/// When a record is safe from a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Durability {
    /// With the transaction that appends it, before that is answered.
    Transactional,
    /// Within 100 ms after the append.
    Relaxed,
}

/// A journal's name together with the durability of its records; the two kinds have separate names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Journal<'a> {
    /// Its name.
    pub name: &'a str,
    /// How its records are written.
    pub durability: Durability,
}

impl<'a> Journal<'a> {
    /// A journal written by [`Transaction::append`](crate::Transaction::append).
    pub const fn transactional(name: &'a str) -> Self {
        Self {
            name,
            durability: Durability::Transactional,
        }
    }

    /// A journal written by [`Store::append_relaxed`](crate::Store::append_relaxed).
    pub const fn relaxed(name: &'a str) -> Self {
        Self {
            name,
            durability: Durability::Relaxed,
        }
    }
}

/// One record of a journal.
#[derive(Clone, PartialEq, Eq)]
pub struct JournalRecord {
    /// Its place.
    pub position: Position,
    /// What was appended.
    pub payload: Bytes,
}

/// Records are users' events, so only their length is shown.
impl std::fmt::Debug for JournalRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JournalRecord")
            .field("position", &self.position)
            .field("payload_bytes", &self.payload.len())
            .finish()
    }
}
