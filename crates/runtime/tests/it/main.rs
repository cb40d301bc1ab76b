//! Real functions in real sandboxes, with AWS's own runtime client.
//!
//! Installing that client needs a package index at the first run; it is kept in the temporary folder for the next.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod events;
mod harm;
mod invoking;
mod support;
