//! The verifier against botocore, AWS's published examples, itself, and hostile input.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failing unwrap is the failing test"
)]

mod botocore;
mod errors;
mod hostile;
mod round_trip;
mod streaming;
mod support;
