//! The gateway over a loopback connection, with the services behind it, driven by hand-made requests.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed test may panic")]

mod authentication;
mod bodies;
mod conditions;
mod connections;
mod endpoint;
mod events;
mod internal;
mod routing;
mod sessions;

/// Runs a test on a runtime of its own, with threads, as the server has them.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
