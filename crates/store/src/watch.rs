//! Telling services what changed, so that their compiled views follow the store.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};

use crate::Revision;

/// Changes a receiver may fall behind by before it has to reload.
const CAPACITY: usize = 1024;

/// One key of a watched bucket was written or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key, without the bucket.
    pub key: Bytes,
    /// The transaction that did it.
    pub revision: Revision,
    /// Whether the key is gone.
    pub deleted: bool,
}

/// What a [`WatchReceiver`] hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchEvent {
    /// A key changed; by the time this arrives, reads see it.
    Changed(Change),
    /// The receiver fell too far behind and changes were dropped: read the whole bucket again.
    Reload,
}

/// Receives the changes of one bucket from the moment it was made, in the order they were committed.
///
/// Take the receiver first and read the bucket second, then no change is missed. Changes are sent before the commit that
/// made them is answered, so whoever awaited a commit finds its changes with [`try_next`](Self::try_next).
#[derive(Debug)]
pub struct WatchReceiver(broadcast::Receiver<Change>);

impl WatchReceiver {
    /// Waits for the next event; `None` when the store is closed.
    pub async fn next(&mut self) -> Option<WatchEvent> {
        match self.0.recv().await {
            Ok(change) => Some(WatchEvent::Changed(change)),
            Err(RecvError::Lagged(_)) => Some(WatchEvent::Reload),
            Err(RecvError::Closed) => None,
        }
    }

    /// The next event if there already is one.
    pub fn try_next(&mut self) -> Option<WatchEvent> {
        match self.0.try_recv() {
            Ok(change) => Some(WatchEvent::Changed(change)),
            Err(TryRecvError::Lagged(_)) => Some(WatchEvent::Reload),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}

/// Who watches which bucket.
#[derive(Debug, Default)]
pub(crate) struct Watchers(Mutex<HashMap<String, broadcast::Sender<Change>>>);

impl Watchers {
    /// A new receiver of `bucket`'s changes.
    pub(crate) fn subscribe(&self, bucket: &str) -> WatchReceiver {
        let mut senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Buckets can be named after users' tables; those nobody watches any more must not pile up.
        senders.retain(|_, sender| sender.receiver_count() > 0);
        let sender = senders
            .entry(bucket.to_owned())
            .or_insert_with(|| broadcast::channel(CAPACITY).0);
        WatchReceiver(sender.subscribe())
    }

    /// Sends `changes`, pairs of bucket and change, to whoever watches.
    pub(crate) fn publish(&self, changes: Vec<(String, Change)>) {
        if changes.is_empty() {
            return;
        }
        let senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (bucket, change) in changes {
            if let Some(sender) = senders.get(&bucket) {
                // An error only says that the last receiver has gone.
                let _ = sender.send(change);
            }
        }
    }
}
