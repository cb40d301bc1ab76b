//! Lambda as its callers see it: through prepare, the gate, and run.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed test may panic")]

mod access;
mod functions;
mod invoking;
mod permissions;
mod world;

/// Runs `future` to its end.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
