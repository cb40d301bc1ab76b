//! Turns of those who write to one stream.
//!
//! A write names the revision of the stream it read, so of several at the same time one succeeds and the
//! others begin anew. Within this process they wait for each other instead, which is faster and fair.

use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::{Mutex, MutexGuard};

/// Streams share this many locks; sharing one costs waiting, nothing else.
const LOCKS: usize = 64;

/// Locks by the hash of a stream's name.
#[derive(Debug)]
pub(crate) struct Turns([Mutex<()>; LOCKS]);

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl Turns {
    /// Waits until it is this caller's turn to write to the stream of the group with this key; the turn ends
    /// when the answer is dropped.
    pub(crate) async fn of(&self, group: &[u8], stream: &str) -> Option<MutexGuard<'_, ()>> {
        let mut hasher = DefaultHasher::new();
        (group, stream).hash(&mut hasher);
        let count = u64::try_from(LOCKS).unwrap_or(1);
        let index = usize::try_from(hasher.finish() % count).unwrap_or(0);
        match self.0.get(index) {
            Some(lock) => Some(lock.lock().await),
            None => None,
        }
    }
}
