//! The stages of a request, and the connections they come over.
//!
//! [`stages`] has them as one visible list: accept, identify, verify, decode, prepare, authorise, dispatch, record,
//! encode. What AWS services do among themselves ([`internal`]) takes the same way from `prepare` on.

mod authenticate;
mod body;
mod calls;
mod condition_keys;
mod gateway;
mod host;
mod identify;
mod impatient;
mod internal;
mod message;
mod record;
mod server;
mod stages;
mod unserved;

pub use gateway::{Gateway, GatewayOptions};
pub use internal::{InternalCaller, Ports};
pub use server::{EnvironmentEndpoint, serve};
