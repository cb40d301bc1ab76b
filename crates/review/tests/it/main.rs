//! The review as a whole, from records to a proof, against the real policy engine.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod granted;
mod least;
mod proof;
mod records;
mod usage;
