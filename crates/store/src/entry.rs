//! What a bucket holds and how a part of it is named.

use std::ops::Bound;

use bytes::Bytes;

/// Counts committed transactions, from 1, over the whole store. Grows strictly; an entry's revision is that of the
/// transaction that last wrote it, so an entry that was deleted and made again never has its old revision back.
pub type Revision = u64;

/// One key of a bucket with its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key, without the bucket.
    pub key: Bytes,
    /// The value as it was put.
    pub value: Bytes,
    /// The transaction that last wrote it.
    pub revision: Revision,
}

/// Values may be secrets (access keys), so only their length is shown.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("key", &self.key)
            .field("value_bytes", &self.value.len())
            .field("revision", &self.revision)
            .finish()
    }
}

/// An [`Entry`] borrowed from the store for the length of a visit.
#[derive(Clone, Copy)]
pub struct EntryRef<'a> {
    /// The key, without the bucket.
    pub key: &'a [u8],
    /// The value as it was put.
    pub value: &'a [u8],
    /// The transaction that last wrote it.
    pub revision: Revision,
}

impl EntryRef<'_> {
    /// Copies it out of the store.
    pub fn to_entry(&self) -> Entry {
        Entry {
            key: Bytes::copy_from_slice(self.key),
            value: Bytes::copy_from_slice(self.value),
            revision: self.revision,
        }
    }
}

/// The two ends of a range of stored keys.
pub(crate) type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// Which keys of a bucket, and in which direction. Keys are ordered as byte strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanRange {
    prefix: Vec<u8>,
    start: Bound<Vec<u8>>,
    end: Bound<Vec<u8>>,
    reverse: bool,
}

impl ScanRange {
    /// Every key.
    pub fn all() -> Self {
        Self {
            prefix: Vec::new(),
            start: Bound::Unbounded,
            end: Bound::Unbounded,
            reverse: false,
        }
    }

    /// Keys that begin with `prefix`.
    pub fn prefix(prefix: impl Into<Vec<u8>>) -> Self {
        Self {
            prefix: prefix.into(),
            ..Self::all()
        }
    }

    /// Only keys equal to or after `key`.
    #[must_use]
    pub fn from(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.start = Bound::Included(key.into());
        self
    }

    /// Only keys after `key`: the next page of a listing that ended there.
    #[must_use]
    pub fn after(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.start = Bound::Excluded(key.into());
        self
    }

    /// Only keys equal to or before `key`.
    #[must_use]
    pub fn through(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.end = Bound::Included(key.into());
        self
    }

    /// Only keys before `key`.
    #[must_use]
    pub fn before(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.end = Bound::Excluded(key.into());
        self
    }

    /// From the last key to the first. Bounds keep their meaning: [`before`](Self::before) still names the upper end.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        self.reverse = true;
        self
    }

    /// Whether the scan runs from the last key to the first.
    pub fn is_reversed(&self) -> bool {
        self.reverse
    }

    /// Whether `key` is in the range.
    pub fn contains(&self, key: &[u8]) -> bool {
        let after_start = match &self.start {
            Bound::Included(start) => key >= start.as_slice(),
            Bound::Excluded(start) => key > start.as_slice(),
            Bound::Unbounded => true,
        };
        let before_end = match &self.end {
            Bound::Included(end) => key <= end.as_slice(),
            Bound::Excluded(end) => key < end.as_slice(),
            Bound::Unbounded => true,
        };
        key.starts_with(&self.prefix) && after_start && before_end
    }

    /// The range as bounds over stored keys, where every key of the bucket is preceded by `space`; `None` when it is
    /// empty. `space` must not be all 0xFF.
    pub(crate) fn stored_bounds(&self, space: &[u8]) -> Option<Bounds> {
        let stored = |key: &[u8]| [space, key].concat();
        let prefix = stored(&self.prefix);
        let mut start = Bound::Included(prefix.clone());
        let mut end = following(&prefix).map_or(Bound::Unbounded, Bound::Excluded);
        match &self.start {
            Bound::Included(key) if stored(key) > prefix => start = Bound::Included(stored(key)),
            Bound::Excluded(key) if stored(key) >= prefix => start = Bound::Excluded(stored(key)),
            _ => {}
        }
        // At equal keys the prefix's own end is the tighter one, because it excludes.
        let is_tighter = |key: &[u8]| match &end {
            Bound::Excluded(limit) | Bound::Included(limit) => stored(key) < *limit,
            Bound::Unbounded => true,
        };
        match &self.end {
            Bound::Included(key) if is_tighter(key) => end = Bound::Included(stored(key)),
            Bound::Excluded(key) if is_tighter(key) => end = Bound::Excluded(stored(key)),
            _ => {}
        }
        let is_empty = match (&start, &end) {
            (Bound::Included(low), Bound::Included(high)) => low > high,
            (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => {
                low >= high
            }
            (_, Bound::Unbounded) | (Bound::Unbounded, _) => false,
        };
        (!is_empty).then_some((start, end))
    }
}

/// The first byte string after every one that begins with `prefix`; `None` when there is none.
pub(crate) fn following(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut next: Vec<u8> = prefix.iter().take(last.saturating_add(1)).copied().collect();
    if let Some(byte) = next.last_mut() {
        *byte = byte.saturating_add(1);
    }
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn following_skips_what_has_no_successor() {
        for (prefix, expected) in [
            (&b"a"[..], Some(&b"b"[..])),
            (b"a\xff", Some(b"b")),
            (b"a\xff\x01\xff\xff", Some(b"a\xff\x02")),
            (b"\xff\xff", None),
            (b"", None),
        ] {
            assert_eq!(following(prefix).as_deref(), expected, "{prefix:?}");
        }
    }

    #[test]
    fn debug_hides_the_value() {
        let entry = Entry {
            key: "AKIA1".into(),
            value: "wJalrXUtnFEMI".into(),
            revision: 3,
        };
        let shown = format!("{entry:?}");
        assert!(shown.contains("AKIA1") && !shown.contains("wJalr"), "{shown}");
    }
}
