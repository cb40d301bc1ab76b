//! S3 as its callers see it: through prepare, the gate, and run.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed test may panic")]

mod access;
mod client;
mod files;
mod listing;
mod multipart;
mod objects;
mod policy;

/// Runs `future` to its end.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
