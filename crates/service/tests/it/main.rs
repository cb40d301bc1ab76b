//! The gate: what is asked, what is decided, what is recorded of it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed test may panic")]

mod gate;
mod operations;
