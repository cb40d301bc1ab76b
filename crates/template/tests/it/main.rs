//! Templates as a user writes them, through the public API.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first thing that is not as promised"
)]

mod errors;
mod example;
mod hostile;
mod intrinsics;
mod resources;
mod sam;
mod support;
