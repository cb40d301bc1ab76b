//! The kit itself, against a verifier and against a stand-in for the binary.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failing unwrap is the failing test"
)]

mod process;
mod signing;
