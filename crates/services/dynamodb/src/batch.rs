//! `BatchGetItem` and `BatchWriteItem`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rolecall_service::{Permit, RequestContext};

use crate::DynamoDb;
use crate::capacity::{Detail, Meter, Use};
use crate::codec;
use crate::error::{Result, storage, validation};
use crate::generated::{
    BatchGetItemInput, BatchGetItemOutput, BatchWriteItemInput, BatchWriteItemOutput, KeysAndAttributes,
};
use crate::item::{self, Item};
use crate::items::projection;
use crate::metrics;
use crate::state::table_name;
use crate::write::{Action, Failure, Write, WriteError, execute};

/// Most keys of one `BatchGetItem`.
const MAX_GETS: usize = 100;
/// Most requests of one `BatchWriteItem`.
const MAX_WRITES: usize = 25;
/// Bytes after which remaining keys are left to the next call.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

fn duplicates() -> rolecall_service::ServiceError {
    validation("Provided list of item keys contains duplicates")
}

/// `BatchGetItem`
pub(crate) async fn batch_get_item(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    input: BatchGetItemInput,
    _permit: Permit,
) -> Result<BatchGetItemOutput> {
    let detail = Detail::parse(input.return_consumed_capacity.as_deref())?;
    if input
        .request_items
        .values()
        .map(|request| request.keys.len())
        .sum::<usize>()
        > MAX_GETS
    {
        return Err(validation("Too many items requested for the BatchGetItem call"));
    }
    let snapshot = service.state.store.snapshot();
    let mut responses = BTreeMap::new();
    let mut unprocessed = BTreeMap::new();
    let mut consumed = Vec::new();
    let mut size = 0_usize;
    for (given_name, mut request) in input.request_items {
        let table = service
            .state
            .table(&context.region, table_name(&context, &given_name)?)?;
        let projection = projection(
            request.projection_expression.as_deref(),
            request.attributes_to_get.as_deref(),
            request.expression_attribute_names.as_ref(),
        )?;
        let kind = if request.consistent_read == Some(true) {
            Use::ConsistentRead
        } else {
            Use::Read
        };
        let mut keys = Vec::with_capacity(request.keys.len());
        let mut seen = BTreeSet::new();
        for mut key in std::mem::take(&mut request.keys) {
            item::canonicalise_item(&mut key)?;
            let stored = table.key_of(&key)?;
            if !seen.insert(stored.clone()) {
                return Err(duplicates());
            }
            keys.push((key, stored));
        }
        let mut meter = Meter::default();
        let mut found = Vec::with_capacity(keys.len());
        let mut left = Vec::new();
        for (key, stored) in keys {
            if size > MAX_ANSWER {
                left.push(key);
                continue;
            }
            let Some(entry) = snapshot.get(&table.items, &stored).map_err(storage)? else {
                meter.table(kind.units(0));
                continue;
            };
            let item = codec::decode(&entry.value).map_err(storage)?;
            let bytes = item::item_size(&item);
            size = size.saturating_add(bytes);
            meter.table(kind.units(bytes));
            found.push(match &projection {
                Some(projection) => projection.project(&item),
                None => item,
            });
        }
        consumed.extend(meter.report(&table.definition.name, detail, kind));
        if !left.is_empty() {
            unprocessed.insert(
                given_name.clone(),
                KeysAndAttributes {
                    keys: left,
                    ..request
                },
            );
        }
        responses.insert(given_name, found);
    }
    Ok(BatchGetItemOutput {
        responses: Some(responses),
        unprocessed_keys: Some(unprocessed),
        consumed_capacity: (detail != Detail::None).then_some(consumed),
    })
}

/// `BatchWriteItem`. All of a batch is written together, which AWS does not promise but allows.
pub(crate) async fn batch_write_item(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    input: BatchWriteItemInput,
    _permit: Permit,
) -> Result<BatchWriteItemOutput> {
    let detail = Detail::parse(input.return_consumed_capacity.as_deref())?;
    let with_metrics = metrics::asked(input.return_item_collection_metrics.as_deref())?;
    if input.request_items.values().map(Vec::len).sum::<usize>() > MAX_WRITES {
        return Err(validation("Too many items requested for the BatchWriteItem call"));
    }
    let mut writes = Vec::new();
    let mut seen = BTreeSet::new();
    for (given_name, requests) in input.request_items {
        let table = service
            .state
            .table(&context.region, table_name(&context, &given_name)?)?;
        for request in requests {
            let (action, key) = match (request.put_request, request.delete_request) {
                (Some(mut put), None) => {
                    item::canonicalise_item(&mut put.item)?;
                    let key = table.key_of_item(&put.item)?;
                    (Action::Put(put.item), key)
                }
                (None, Some(mut delete)) => {
                    item::canonicalise_item(&mut delete.key)?;
                    let key = table.key_of(&delete.key)?;
                    (Action::Delete(delete.key), key)
                }
                _ => {
                    return Err(validation(
                        "Supplied WriteRequest must contain exactly one of PutRequest and DeleteRequest",
                    ));
                }
            };
            if !seen.insert((table.definition.id.clone(), key)) {
                return Err(duplicates());
            }
            writes.push(Write {
                table: table.definition.name.clone(),
                action,
                condition: None,
            });
        }
    }
    let outcomes = match execute(&service.state, &context.region, &writes, |transaction| {
        transaction
    })
    .await
    {
        Ok(outcomes) => outcomes,
        Err(WriteError::Whole(error)) => return Err(error),
        Err(WriteError::Refused(failures)) => {
            let first = failures.into_iter().flatten().find_map(|failure| match failure {
                Failure::Invalid(error) => Some(error),
                Failure::Condition(_) => None,
            });
            return Err(first.unwrap_or_else(crate::error::conflict));
        }
    };
    let mut meters: BTreeMap<String, Meter> = BTreeMap::new();
    let mut collections: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (write, outcome) in writes.iter().zip(&outcomes) {
        let meter = meters.entry(write.table.clone()).or_default();
        let units = Use::Write.units(outcome.size);
        meter.table(units);
        for index in &outcome.indexes {
            meter.index(&outcome.table, index, units);
        }
        if with_metrics && let Some(found) = metrics::of(&service, &outcome.table, written(&write.action))? {
            collections.entry(write.table.clone()).or_default().push(found);
        }
    }
    let consumed = meters
        .iter()
        .filter_map(|(name, meter)| meter.report(name, detail, Use::Write))
        .collect();
    Ok(BatchWriteItemOutput {
        unprocessed_items: Some(BTreeMap::new()),
        item_collection_metrics: (!collections.is_empty()).then_some(collections),
        consumed_capacity: (detail != Detail::None).then_some(consumed),
    })
}

/// The item or key that a write names.
pub(crate) fn written(action: &Action) -> &Item {
    match action {
        Action::Put(item) | Action::Delete(item) | Action::Check(item) => item,
        Action::Update { key, .. } => key,
    }
}
