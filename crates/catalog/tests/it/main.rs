//! The catalogue against facts that can be looked up elsewhere.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod actions;
mod embedded;
mod operations;
mod patterns;
mod public_data;
