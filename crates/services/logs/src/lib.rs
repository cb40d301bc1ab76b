//! Amazon CloudWatch Logs: log groups, log streams and what is written to them.
//!
//! An answered `PutLogEvents` is committed to the store. Time comes from the request's context only, so that
//! every answer follows from state and request.

mod access;
mod error;
mod expiry;
mod filter_log_events;
#[rustfmt::skip]
mod generated;
mod get_log_events;
mod groups;
mod merge;
mod pattern;
mod put_log_events;
mod resource;
mod retention;
mod state;
mod streams;
mod tags;
mod token;
mod turns;

use std::sync::Arc;

use rolecall_service::{
    BoxFuture, Prepared, RequestContext, Service, ServiceError, find_operation, operations,
};
use rolecall_store::{Store, StoreError};
use rolecall_wire::{OperationModel, ServiceModel, Value};

/// CloudWatch Logs of one account.
pub struct Logs {
    store: Arc<dyn Store>,
    expiry: expiry::Expiry,
    turns: turns::Turns,
}

impl Logs {
    /// CloudWatch Logs kept in `store`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open(store: Arc<dyn Store>) -> Result<Arc<Self>, StoreError> {
        store.get(state::GROUPS, b"")?;
        Ok(Arc::new(Self {
            store,
            expiry: expiry::Expiry::default(),
            turns: turns::Turns::default(),
        }))
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }
}

operations! { Logs {
    CreateLogGroup => access::create_log_group, groups::create_log_group;
    DeleteLogGroup => access::delete_log_group, groups::delete_log_group;
    DescribeLogGroups => access::describe_log_groups, groups::describe_log_groups;
    PutRetentionPolicy => access::put_retention_policy, retention::put_retention_policy;
    DeleteRetentionPolicy => access::delete_retention_policy, retention::delete_retention_policy;
    CreateLogStream => access::create_log_stream, streams::create_log_stream;
    DeleteLogStream => access::delete_log_stream, streams::delete_log_stream;
    DescribeLogStreams => access::describe_log_streams, streams::describe_log_streams;
    PutLogEvents => access::put_log_events, put_log_events::put_log_events;
    GetLogEvents => access::get_log_events, get_log_events::get_log_events;
    FilterLogEvents => access::filter_log_events, filter_log_events::filter_log_events;
    TagResource => access::tag_resource, tags::tag_resource;
    UntagResource => access::untag_resource, tags::untag_resource;
    ListTagsForResource => access::list_tags_for_resource, tags::list_tags_for_resource;
    TagLogGroup => access::tag_log_group, tags::tag_log_group;
    UntagLogGroup => access::untag_log_group, tags::untag_log_group;
    ListTagsLogGroup => access::list_tags_log_group, tags::list_tags_log_group;
} }

impl Service for Logs {
    fn model(&self) -> &'static ServiceModel {
        &generated::MODEL
    }

    fn event_source(&self) -> &'static str {
        "logs.amazonaws.com"
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
