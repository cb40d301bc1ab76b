//! How entries and jobs look as bytes of the database.

use bytes::{BufMut, Bytes, BytesMut};

use crate::{Revision, StoreError, UnixMillis};

/// A stored value does not have the shape this layout gives it.
pub(super) fn damaged(what: &str) -> StoreError {
    StoreError::Damaged {
        what: "the database".to_owned(),
        reason: format!("{what} has an unexpected shape"),
    }
}

/// Splits a stored entry into the revision that wrote it and its value.
pub(super) fn split_entry(stored: &[u8]) -> Result<(Revision, &[u8]), StoreError> {
    let (revision, value) = stored
        .split_first_chunk::<8>()
        .ok_or_else(|| damaged("an entry"))?;
    Ok((u64::from_be_bytes(*revision), value))
}

/// Reads a counter.
pub(super) fn number(stored: &[u8]) -> Result<u64, StoreError> {
    let bytes = stored.try_into().map_err(|_| damaged("a counter"))?;
    Ok(u64::from_be_bytes(bytes))
}

/// A job as it is stored: three numbers, a flag, then the payload.
pub(super) struct StoredJob {
    /// When it can be taken (again).
    pub(super) due: UnixMillis,
    /// When it was enqueued.
    pub(super) enqueued_at: UnixMillis,
    /// How often it was taken.
    pub(super) attempts: u32,
    /// Whether somebody has it now.
    pub(super) is_taken: bool,
    /// What was enqueued.
    pub(super) payload: Bytes,
}

impl StoredJob {
    /// As bytes of the database.
    pub(super) fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.payload.len().saturating_add(21));
        bytes.put_u64(self.due.0);
        bytes.put_u64(self.enqueued_at.0);
        bytes.put_u32(self.attempts);
        bytes.put_u8(u8::from(self.is_taken));
        bytes.put_slice(&self.payload);
        bytes.freeze()
    }

    /// From bytes of the database.
    pub(super) fn decode(stored: &[u8]) -> Result<Self, StoreError> {
        Self::split(stored).ok_or_else(|| damaged("a job"))
    }

    fn split(stored: &[u8]) -> Option<Self> {
        let (due, rest) = stored.split_first_chunk::<8>()?;
        let (enqueued_at, rest) = rest.split_first_chunk::<8>()?;
        let (attempts, rest) = rest.split_first_chunk::<4>()?;
        let (is_taken, payload) = rest.split_first()?;
        Some(Self {
            due: UnixMillis(u64::from_be_bytes(*due)),
            enqueued_at: UnixMillis(u64::from_be_bytes(*enqueued_at)),
            attempts: u32::from_be_bytes(*attempts),
            is_taken: *is_taken != 0,
            payload: Bytes::copy_from_slice(payload),
        })
    }
}
