//! Events as they are written, kept, looked up and forgotten.

#![expect(clippy::unwrap_used, reason = "a failed test may panic")]

mod identities;
mod limits;
mod lookups;
mod retention;
mod support;
