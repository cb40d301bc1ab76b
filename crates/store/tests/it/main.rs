//! The store's promises, kept across reopening and `kill -9`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed test may panic")]

mod buckets;
mod crash;
mod folder;
mod journals;
mod log;
mod model;
mod queues;

use rolecall_store::{EmbeddedStore, Options};
use std::path::Path;

/// The store in `folder`.
fn open(folder: &Path) -> EmbeddedStore {
    EmbeddedStore::open(folder, &Options::default()).unwrap()
}

/// Runs `future` to its end.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
