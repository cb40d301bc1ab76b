//! AWS Security Token Service: who am I, and temporary credentials.

mod access;
mod assume_role;
mod error;
#[rustfmt::skip]
mod generated;
mod identity;
mod session_token;

use std::sync::Arc;

use rolecall_identity::Directory;
use rolecall_service::{
    BoxFuture, Prepared, RequestContext, Service, ServiceError, find_operation, operations,
};
use rolecall_wire::{OperationModel, ServiceModel, Value};

/// STS of one account.
pub struct Sts {
    directory: Arc<Directory>,
}

impl Sts {
    /// STS over the account's directory.
    pub fn new(directory: Arc<Directory>) -> Arc<Self> {
        Arc::new(Self { directory })
    }
}

operations! { Sts {
    AssumeRole => access::assume_role, assume_role::assume_role;
    GetCallerIdentity => access::get_caller_identity, identity::get_caller_identity;
    GetSessionToken => access::get_session_token, session_token::get_session_token;
} }

impl Service for Sts {
    fn model(&self) -> &'static ServiceModel {
        &generated::MODEL
    }

    fn event_source(&self) -> &'static str {
        "sts.amazonaws.com"
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
