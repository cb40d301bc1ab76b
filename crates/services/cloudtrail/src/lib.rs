//! AWS CloudTrail: who did what, from the trail that every request of the endpoint is recorded in.

mod access;
mod error;
#[rustfmt::skip]
mod generated;
mod lookup_events;
mod token;

use std::sync::Arc;

use rolecall_service::{
    BoxFuture, Prepared, RequestContext, Service, ServiceError, find_operation, operations,
};
use rolecall_trail::Recorder;
use rolecall_wire::{OperationModel, ServiceModel, Value};

/// CloudTrail of one account.
pub struct CloudTrail {
    recorder: Recorder,
}

impl CloudTrail {
    /// CloudTrail over the account's trail.
    pub fn new(recorder: Recorder) -> Arc<Self> {
        Arc::new(Self { recorder })
    }
}

operations! { CloudTrail {
    LookupEvents => access::lookup_events, lookup_events::lookup_events;
} }

impl Service for CloudTrail {
    fn model(&self) -> &'static ServiceModel {
        &generated::MODEL
    }

    fn event_source(&self) -> &'static str {
        "cloudtrail.amazonaws.com"
    }

    fn prepare(
        self: Arc<Self>,
        operation: &'static OperationModel,
        input: Value,
        context: Arc<RequestContext>,
    ) -> BoxFuture<'static, Result<Prepared, ServiceError>> {
        Box::pin(async move {
            match find_operation(OPERATIONS, operation.name) {
                Some(entry) => (entry.prepare)(self, input, context),
                None => Err(error::not_served(operation.name)),
            }
        })
    }
}
