//! `TransactGetItems` and `TransactWriteItems`.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};
use rolecall_store::codec::Stored;
use rolecall_store::{Condition as Demand, ScanRange, Store, Transaction, codec as stored_codec};
use rolecall_wire::{AttributeValue, IntoValue};
use serde::{Deserialize, Serialize};

use crate::DynamoDb;
use crate::batch::written;
use crate::capacity::{Detail, Meter, Use};
use crate::codec;
use crate::error::{Result, storage, validation};
use crate::expression::{Kind, Placeholders, parse_condition, parse_update};
use crate::generated::{
    CancellationReason, ItemResponse, TransactGetItemsInput, TransactGetItemsOutput, TransactWriteItem,
    TransactWriteItemsInput, TransactWriteItemsOutput,
};
use crate::item::{self, Item};
use crate::items::{projection, returns_old_on_failure};
use crate::metrics;
use crate::state::table_name;
use crate::write::{Action, Failure, Outcome, Write, WriteError, execute};

/// Most actions of one transaction.
const MAX_ACTIONS: usize = 100;
/// Largest sum of its items, in bytes.
const MAX_SIZE: usize = 4 * 1024 * 1024;
/// Bucket of idempotency tokens.
const TOKENS: &str = "dynamodb.tokens";
/// How long a token is good, in milliseconds: ten minutes after the request finished.
const TOKEN_LIFE: i64 = 10 * 60 * 1000;
/// Ended tokens that one request clears away.
const SWEEP: usize = 20;

/// A request that was done, so that it is not done twice.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    /// Hash of what was asked.
    fingerprint: u64,
    /// Unix milliseconds.
    expires: i64,
}

impl Stored for Token {
    const VERSION: u8 = 1;
}

fn too_many(count: usize) -> Result<()> {
    if count == 0 || count > MAX_ACTIONS {
        return Err(validation(format!(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to {MAX_ACTIONS} and greater than or equal to 1"
        )));
    }
    Ok(())
}

fn repeated() -> ServiceError {
    validation("Transaction request cannot include multiple operations on one item")
}

/// `TransactionCanceledException` with a reason for each action.
fn cancelled(reasons: Vec<CancellationReason>) -> ServiceError {
    let codes: Vec<&str> = reasons
        .iter()
        .map(|reason| reason.code.as_deref().unwrap_or("None"))
        .collect();
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    ServiceError::new("TransactionCanceledException", 400, message)
        .with_field("CancellationReasons", reasons.into_value())
}

fn reason(failure: Option<Failure>, with_item: bool) -> CancellationReason {
    let (code, message, item) = match failure {
        None => ("None", None, None),
        Some(Failure::Condition(found)) => (
            "ConditionalCheckFailed",
            Some("The conditional request failed".to_owned()),
            found.filter(|_| with_item),
        ),
        Some(Failure::Invalid(error)) => ("ValidationError", Some(error.message().to_owned()), None),
    };
    CancellationReason {
        item,
        code: Some(code.to_owned()),
        message,
    }
}

/// `TransactGetItems`
pub(crate) async fn transact_get_items(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    input: TransactGetItemsInput,
    _permit: Permit,
) -> Result<TransactGetItemsOutput> {
    let detail = Detail::parse(input.return_consumed_capacity.as_deref())?;
    too_many(input.transact_items.len())?;
    let snapshot = service.state.store.snapshot();
    let mut seen = BTreeSet::new();
    let mut meters: BTreeMap<String, Meter> = BTreeMap::new();
    let mut responses = Vec::with_capacity(input.transact_items.len());
    let mut size = 0_usize;
    for get in input.transact_items.into_iter().map(|action| action.get) {
        let table = service
            .state
            .table(&context.region, table_name(&context, &get.table_name)?)?;
        let projection = projection(
            get.projection_expression.as_deref(),
            None,
            get.expression_attribute_names.as_ref(),
        )?;
        let mut key = get.key;
        item::canonicalise_item(&mut key)?;
        let stored = table.key_of(&key)?;
        let entry = snapshot.get(&table.items, &stored).map_err(storage)?;
        if !seen.insert((table.definition.id.clone(), stored)) {
            return Err(repeated());
        }
        let found = entry
            .map(|entry| codec::decode(&entry.value))
            .transpose()
            .map_err(storage)?;
        let bytes = found.as_ref().map_or(0, item::item_size);
        size = size.saturating_add(bytes);
        meters
            .entry(table.definition.name.clone())
            .or_default()
            .table(Use::TransactionalRead.units(bytes));
        responses.push(ItemResponse {
            item: found.map(|item| match &projection {
                Some(projection) => projection.project(&item),
                None => item,
            }),
        });
    }
    if size > MAX_SIZE {
        return Err(validation(
            "Collection size of items in the transaction cannot exceed 4MB",
        ));
    }
    let consumed = meters
        .iter()
        .filter_map(|(name, meter)| meter.report(name, detail, Use::TransactionalRead))
        .collect();
    Ok(TransactGetItemsOutput {
        consumed_capacity: (detail != Detail::None).then_some(consumed),
        responses: Some(responses),
    })
}

/// One action of a transaction and whether its item comes with a failed condition.
fn read(context: &RequestContext, given: TransactWriteItem) -> Result<(Write, bool)> {
    type Names<'a> = Option<&'a BTreeMap<String, String>>;
    type Values<'a> = Option<&'a BTreeMap<String, AttributeValue>>;
    let condition = |text: Option<&str>, names: Names<'_>, values: Values<'_>| {
        let mut placeholders = Placeholders::new(&[(Kind::Condition, text)], names, values)?;
        let condition = text
            .map(|text| parse_condition(Kind::Condition, text, &mut placeholders))
            .transpose()?;
        placeholders.finish()?;
        Ok::<_, ServiceError>(condition)
    };
    let canonical = |mut item: Item| item::canonicalise_item(&mut item).map(|()| item);
    let table = |given: &str| table_name(context, given).map(str::to_owned);
    match (given.condition_check, given.put, given.delete, given.update) {
        (Some(check), None, None, None) => Ok((
            Write {
                table: table(&check.table_name)?,
                condition: condition(
                    Some(&check.condition_expression),
                    check.expression_attribute_names.as_ref(),
                    check.expression_attribute_values.as_ref(),
                )?,
                action: Action::Check(canonical(check.key)?),
            },
            returns_old_on_failure(check.return_values_on_condition_check_failure.as_deref())?,
        )),
        (None, Some(put), None, None) => Ok((
            Write {
                table: table(&put.table_name)?,
                condition: condition(
                    put.condition_expression.as_deref(),
                    put.expression_attribute_names.as_ref(),
                    put.expression_attribute_values.as_ref(),
                )?,
                action: Action::Put(canonical(put.item)?),
            },
            returns_old_on_failure(put.return_values_on_condition_check_failure.as_deref())?,
        )),
        (None, None, Some(delete), None) => Ok((
            Write {
                table: table(&delete.table_name)?,
                condition: condition(
                    delete.condition_expression.as_deref(),
                    delete.expression_attribute_names.as_ref(),
                    delete.expression_attribute_values.as_ref(),
                )?,
                action: Action::Delete(canonical(delete.key)?),
            },
            returns_old_on_failure(delete.return_values_on_condition_check_failure.as_deref())?,
        )),
        (None, None, None, Some(update)) => {
            let mut placeholders = Placeholders::new(
                &[
                    (Kind::Update, Some(&update.update_expression)),
                    (Kind::Condition, update.condition_expression.as_deref()),
                ],
                update.expression_attribute_names.as_ref(),
                update.expression_attribute_values.as_ref(),
            )?;
            let change = parse_update(&update.update_expression, &mut placeholders)?;
            let condition = update
                .condition_expression
                .as_deref()
                .map(|text| parse_condition(Kind::Condition, text, &mut placeholders))
                .transpose()?;
            placeholders.finish()?;
            let action = Action::Update {
                key: canonical(update.key)?,
                update: change,
            };
            Ok((
                Write {
                    table: table(&update.table_name)?,
                    action,
                    condition,
                },
                returns_old_on_failure(update.return_values_on_condition_check_failure.as_deref())?,
            ))
        }
        _ => Err(validation(
            "TransactItems can only contain one of Check, Put, Update or Delete",
        )),
    }
}

/// `TransactWriteItems`
pub(crate) async fn transact_write_items(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    input: TransactWriteItemsInput,
    _permit: Permit,
) -> Result<TransactWriteItemsOutput> {
    let detail = Detail::parse(input.return_consumed_capacity.as_deref())?;
    let with_metrics = metrics::asked(input.return_item_collection_metrics.as_deref())?;
    too_many(input.transact_items.len())?;
    let (writes, with_items): (Vec<Write>, Vec<bool>) = input
        .transact_items
        .into_iter()
        .map(|given| read(&context, given))
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .unzip();
    check_targets(&service, &context, &writes)?;

    let now = context.time.as_millisecond();
    let token = input
        .client_request_token
        .map(|token| format!("{}/{token}", context.region));
    let mut memory = Memory {
        entries: Vec::new(),
        expired: Vec::new(),
    };
    if let Some(token) = token {
        let fingerprint = fingerprint(&writes);
        if memory.recall(&*service.state.store, token, fingerprint, now)? {
            return Ok(TransactWriteItemsOutput::default());
        }
    }
    let outcomes = execute(&service.state, &context.region, &writes, |transaction| {
        memory.remember(transaction)
    })
    .await
    .map_err(|error| match error {
        WriteError::Whole(error) => error,
        WriteError::Refused(failures) => cancelled(
            failures
                .into_iter()
                .zip(&with_items)
                .map(|(failure, with)| reason(failure, *with))
                .collect(),
        ),
    })?;
    answer(&service, &writes, &outcomes, detail, with_metrics)
}

fn check_targets(service: &DynamoDb, context: &RequestContext, writes: &[Write]) -> Result<()> {
    let mut seen = BTreeSet::new();
    let mut size = 0_usize;
    for write in writes {
        let table = service.state.table(&context.region, &write.table)?;
        let named = written(&write.action);
        size = size.saturating_add(item::item_size(named));
        // A key that does not fit the schema is a reason of the cancellation, found later.
        let key = table.primary_key(named);
        if let Ok(key) = table.key_of(&key)
            && !seen.insert((table.definition.id.clone(), key))
        {
            return Err(repeated());
        }
    }
    if size > MAX_SIZE {
        return Err(validation(
            "Collection size of items in the transaction cannot exceed 4MB",
        ));
    }
    Ok(())
}

fn answer(
    service: &DynamoDb,
    writes: &[Write],
    outcomes: &[Outcome],
    detail: Detail,
    with_metrics: bool,
) -> Result<TransactWriteItemsOutput> {
    let mut meters: BTreeMap<String, Meter> = BTreeMap::new();
    let mut collections: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (write, outcome) in writes.iter().zip(outcomes) {
        let meter = meters.entry(write.table.clone()).or_default();
        let units = Use::TransactionalWrite.units(outcome.size);
        meter.table(units);
        for index in &outcome.indexes {
            meter.index(&outcome.table, index, units);
        }
        if with_metrics
            && !matches!(write.action, Action::Check(_))
            && let Some(found) = metrics::of(service, &outcome.table, written(&write.action))?
        {
            collections.entry(write.table.clone()).or_default().push(found);
        }
    }
    let consumed = meters
        .iter()
        .filter_map(|(name, meter)| meter.report(name, detail, Use::TransactionalWrite))
        .collect();
    Ok(TransactWriteItemsOutput {
        consumed_capacity: (detail != Detail::None).then_some(consumed),
        item_collection_metrics: (!collections.is_empty()).then_some(collections),
    })
}

/// Hash of what a transaction does.
fn fingerprint(writes: &[Write]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for write in writes {
        write.table.hash(&mut hasher);
        std::mem::discriminant(&write.action).hash(&mut hasher);
        codec::encode(written(&write.action)).hash(&mut hasher);
        if let Action::Update { update, .. } = &write.action {
            format!("{update:?}").hash(&mut hasher);
        }
        format!("{:?}", write.condition).hash(&mut hasher);
    }
    hasher.finish()
}

/// What is put beside a transaction so that it is done only once.
struct Memory {
    entries: Vec<(String, bytes::Bytes, Demand)>,
    expired: Vec<bytes::Bytes>,
}

impl Memory {
    /// Whether the request was done already.
    ///
    /// # Errors
    /// `IdempotentParameterMismatchException` if another one was, under the same token.
    fn recall(&mut self, store: &dyn Store, token: String, fingerprint: u64, now: i64) -> Result<bool> {
        let found = store.get(TOKENS, token.as_bytes()).map_err(storage)?;
        let mut demand = Demand::Absent;
        if let Some(entry) = found {
            let known: Token = entry.decode().map_err(storage)?;
            if known.expires > now {
                if known.fingerprint == fingerprint {
                    return Ok(true);
                }
                return Err(ServiceError::new(
                    "IdempotentParameterMismatchException",
                    400,
                    "The client token matches a previous request, but the request parameters are different",
                ));
            }
            demand = Demand::Revision(entry.revision);
        }
        for entry in store.scan(TOKENS, &ScanRange::all(), SWEEP).map_err(storage)? {
            let known: Token = entry.decode().map_err(storage)?;
            if known.expires <= now && *entry.key != *token.as_bytes() {
                self.expired.push(entry.key);
            }
        }
        let value = stored_codec::encode(&Token {
            fingerprint,
            expires: now.saturating_add(TOKEN_LIFE),
        });
        self.entries.push((token, value.map_err(storage)?, demand));
        Ok(false)
    }

    fn remember(&self, mut transaction: Transaction) -> Transaction {
        for key in &self.expired {
            transaction = transaction.delete(TOKENS, key.to_vec(), Demand::Any);
        }
        for (token, value, demand) in &self.entries {
            transaction = transaction.put(TOKENS, token.as_bytes(), value.clone(), *demand);
        }
        transaction
    }
}
