//! Tests of the engine as its users see it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

mod assembled;
mod cases;
mod conditions;
mod corpus;
mod documents;
mod hostile;
mod laws;
mod naive;
mod patterns;
mod random;
mod setting;
