//! Operations of CloudWatch Logs, driven as the gateway drives them: prepare, authorise, run.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test may panic"
)]

mod access;
mod durability;
mod endpoint;
mod events;
mod filter;
mod groups;
mod retention;
mod streams;
mod tags;
