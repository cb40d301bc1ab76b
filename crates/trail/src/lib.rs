//! The trail: one CloudTrail event for every request, allowed or denied, with the decisions behind it.
//!
//! [`Event`] is CloudTrail's own record (schema 1.11). A [`Record`] is what rolecall keeps of a request: the event,
//! and beside it every access that was asked for, with the layer and the statement that decided. CloudTrail's
//! clients see the event only; `rolecall try` and the review read both.

mod event;
mod lookup;
mod recorder;
mod user_identity;

pub use event::{Access, EVENT_VERSION, Event, EventCategory, EventResource, Record, Verdict};
pub use lookup::{LookupAttribute, LookupFilter, LookupPage, TokenError, lookup};
pub use recorder::{Durability, Pruned, Recorder, TrailError};
pub use user_identity::{SessionAttributes, SessionContext, SessionIssuer, UserIdentity};
