//! What each operation needs.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS CloudTrail":
//! `LookupEvents` has no resource-level permissions and no condition keys of its own.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the table of operations has one signature for all of these"
)]

use rolecall_service::{Access, Needs, RequestContext, ServiceError};

use crate::CloudTrail;
use crate::generated::LookupEventsInput;

pub(crate) fn lookup_events(
    _: &CloudTrail,
    _: &RequestContext,
    _: &LookupEventsInput,
) -> Result<Needs, ServiceError> {
    Ok(Access::new("cloudtrail:LookupEvents", "*").into())
}
