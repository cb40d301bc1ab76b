//! Real programs in real sandboxes. Every test needs user namespaces; where the machine refuses them the tests fail with
//! the layer's name rather than pass untested.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod harm;
mod lifecycle;
mod support;
