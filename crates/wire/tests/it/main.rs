//! The codecs against what AWS's own client sends, against hostile input, and against themselves.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod hostile;
mod models;
mod requests;
mod responses;
mod round_trip;
