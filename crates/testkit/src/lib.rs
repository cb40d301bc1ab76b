//! For tests only: the built binary in a scratch folder, and requests that are signed rightly or in a chosen wrong way.
//!
//! SDKs only send what is well-formed. What a hostile or broken client sends needs a builder that stops nobody:
//! [`RawRequest`]. [`ServerProcess`] is the real binary, so that a test can take it down with SIGKILL and look at what
//! is left.

mod credentials;
mod request;
mod server;

pub use credentials::TestCredentials;
pub use request::{RawRequest, RawResponse, SendError, Signing, Spoil, send_bytes};
pub use server::{ServerError, ServerOptions, ServerProcess};
