//! Amazon DynamoDB: tables, items, indexes, expressions, transactions.
//!
//! Items live in the store, one bucket a table, under keys that sort as DynamoDB sorts ([`key`]); an index is a bucket
//! of entries that lead to items, written in the same transaction ([`write`]). Every write demands of the store that
//! what it looked at is unchanged, so a condition and its write are one.

mod access;
mod batch;
mod capacity;
mod codec;
mod describe;
mod error;
mod expression;
#[rustfmt::skip]
mod generated;
mod index_writer;
mod item;
mod items;
mod key;
mod metrics;
mod number;
mod page;
mod query;
mod schema;
mod settings;
mod state;
mod statistics;
mod table;
mod tables;
mod transact;
mod write;

use std::sync::Arc;

use rolecall_service::{
    BoxFuture, Prepared, RequestContext, Service, ServiceError, find_operation, operations,
};
use rolecall_store::{Store, StoreError};
use rolecall_wire::{OperationModel, ServiceModel, Value};
use tokio::sync::OnceCell;

use crate::state::State;

/// DynamoDB of one account, in every region that is asked for.
pub struct DynamoDb {
    state: State,
    /// Set when indexes that a stop left unfinished have been filled.
    resumed: OnceCell<()>,
}

impl DynamoDb {
    /// DynamoDB over `store`.
    ///
    /// # Errors
    /// The definitions of the tables cannot be read.
    pub fn open(store: Arc<dyn Store>) -> Result<Arc<Self>, StoreError> {
        Ok(Arc::new(Self {
            state: State::load(store)?,
            resumed: OnceCell::new(),
        }))
    }

    /// Fills indexes that were being filled when the server stopped. The first call waits for it, so that no item is
    /// written meanwhile.
    async fn resume(&self) -> Result<(), ServiceError> {
        self.resumed
            .get_or_try_init(|| async {
                for table in self.state.unfinished() {
                    index_writer::fill(self, table).await?;
                }
                Ok(())
            })
            .await
            .copied()
    }
}

operations! { DynamoDb {
    BatchGetItem => access::batch_get_item, batch::batch_get_item;
    BatchWriteItem => access::batch_write_item, batch::batch_write_item;
    CreateTable => access::create_table, tables::create_table;
    DeleteItem => access::delete_item, items::delete_item;
    DeleteTable => access::delete_table, tables::delete_table;
    DescribeContinuousBackups => access::describe_continuous_backups, settings::describe_continuous_backups;
    DescribeEndpoints => access::describe_endpoints, settings::describe_endpoints;
    DescribeLimits => access::describe_limits, settings::describe_limits;
    DescribeTable => access::describe_table, tables::describe_table;
    DescribeTimeToLive => access::describe_time_to_live, settings::describe_time_to_live;
    GetItem => access::get_item, items::get_item;
    ListTables => access::list_tables, tables::list_tables;
    ListTagsOfResource => access::list_tags_of_resource, settings::list_tags_of_resource;
    PutItem => access::put_item, items::put_item;
    Query => access::query, query::query;
    Scan => access::scan, query::scan;
    TagResource => access::tag_resource, settings::tag_resource;
    TransactGetItems => access::transact_get_items, transact::transact_get_items;
    TransactWriteItems => access::transact_write_items, transact::transact_write_items;
    UntagResource => access::untag_resource, settings::untag_resource;
    UpdateItem => access::update_item, items::update_item;
    UpdateTable => access::update_table, tables::update_table;
    UpdateTimeToLive => access::update_time_to_live, settings::update_time_to_live;
} }

impl Service for DynamoDb {
    fn model(&self) -> &'static ServiceModel {
        &generated::MODEL
    }

    fn event_source(&self) -> &'static str {
        "dynamodb.amazonaws.com"
    }

    fn prepare(
        self: Arc<Self>,
        operation: &'static OperationModel,
        input: Value,
        context: Arc<RequestContext>,
    ) -> BoxFuture<'static, Result<Prepared, ServiceError>> {
        Box::pin(async move {
            self.resume().await?;
            match find_operation(OPERATIONS, operation.name) {
                Some(entry) => (entry.prepare)(self, input, context),
                None => Err(ServiceError::new(
                    "NotImplemented",
                    501,
                    format!("DynamoDB does not serve {} here.", operation.name),
                )),
            }
        })
    }
}
