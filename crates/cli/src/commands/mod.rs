//! One file a command.

pub(crate) mod doctor;
pub(crate) mod env;
pub(crate) mod serve;
pub(crate) mod try_function;
pub(crate) mod version;

use crate::failure::{Context, Failure};

/// Runs a command's asynchronous work.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime of asynchronous tasks")?
        .block_on(work)
}
