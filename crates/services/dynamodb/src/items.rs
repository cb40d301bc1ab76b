//! `PutItem`, `GetItem`, `UpdateItem`, `DeleteItem`.

use std::collections::BTreeMap;
use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};
use rolecall_wire::{AttributeValue, IntoValue};

use crate::DynamoDb;
use crate::capacity::{Detail, Meter, Use};
use crate::codec;
use crate::error::{Result, storage, validation};
use crate::expression::{
    Condition, Kind, Placeholders, Projection, Update, legacy, parse_condition, parse_projection,
    parse_update, refuse_mixed,
};
use crate::generated::{
    ConsumedCapacity, DeleteItemInput, DeleteItemOutput, ExpectedAttributeValue, GetItemInput, GetItemOutput,
    ItemCollectionMetrics, PutItemInput, PutItemOutput, UpdateItemInput, UpdateItemOutput,
};
use crate::item::{self, Item};
use crate::metrics;
use crate::state::table_name;
use crate::write::{Action, Failure, Outcome, Write, execute_one};

/// `ReturnValues`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Returned {
    None,
    AllOld,
    UpdatedOld,
    AllNew,
    UpdatedNew,
}

impl Returned {
    fn parse(given: Option<&str>, update: bool) -> Result<Self> {
        Ok(match given {
            None | Some("NONE") => Self::None,
            Some("ALL_OLD") => Self::AllOld,
            Some("UPDATED_OLD") if update => Self::UpdatedOld,
            Some("ALL_NEW") if update => Self::AllNew,
            Some("UPDATED_NEW") if update => Self::UpdatedNew,
            Some("UPDATED_OLD" | "ALL_NEW" | "UPDATED_NEW") => {
                return Err(validation("Return values set to invalid value"));
            }
            Some(_) => {
                return Err(validation(
                    "ReturnValues is not one of NONE, ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATED_NEW",
                ));
            }
        })
    }
}

/// `ReturnValuesOnConditionCheckFailure`: whether the item comes with the error.
pub(crate) fn returns_old_on_failure(given: Option<&str>) -> Result<bool> {
    match given {
        None | Some("NONE") => Ok(false),
        Some("ALL_OLD") => Ok(true),
        Some(_) => Err(validation(
            "ReturnValuesOnConditionCheckFailure is not one of NONE, ALL_OLD",
        )),
    }
}

/// The error of a write that was refused.
fn refused(failure: Failure, with_item: bool) -> ServiceError {
    match failure {
        Failure::Invalid(error) => error,
        Failure::Condition(found) => {
            let error = ServiceError::new(
                "ConditionalCheckFailedException",
                400,
                "The conditional request failed",
            );
            match found {
                Some(found) if with_item => error.with_field("Item", found.into_value()),
                _ => error,
            }
        }
    }
}

/// A condition given as `ConditionExpression` or `Expected`.
struct ConditionInput<'a> {
    expression: Option<&'a str>,
    expected: Option<&'a BTreeMap<String, ExpectedAttributeValue>>,
    operator: Option<&'a str>,
}

impl ConditionInput<'_> {
    fn parse(&self, placeholders: &mut Placeholders<'_>) -> Result<Option<Condition>> {
        if let Some(text) = self.expression {
            return parse_condition(Kind::Condition, text, placeholders).map(Some);
        }
        match self.expected {
            Some(expected) => legacy::expected(expected, self.operator),
            None if self.operator.is_some() => Err(validation(
                "ConditionalOperator cannot be used without Filter or Expected",
            )),
            None => Ok(None),
        }
    }
}

fn capacity(outcome: &Outcome, detail: Detail) -> Option<ConsumedCapacity> {
    let mut meter = Meter::default();
    let units = Use::Write.units(outcome.size);
    meter.table(units);
    for index in &outcome.indexes {
        meter.index(&outcome.table, index, units);
    }
    meter.report(&outcome.table.definition.name, detail, Use::Write)
}

fn collection(
    service: &DynamoDb,
    outcome: &Outcome,
    asked: bool,
    key: &Item,
) -> Result<Option<ItemCollectionMetrics>> {
    if asked {
        metrics::of(service, &outcome.table, key)
    } else {
        Ok(None)
    }
}

/// `PutItem`
pub(crate) async fn put_item(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    mut input: PutItemInput,
    _permit: Permit,
) -> Result<PutItemOutput> {
    let table = table_name(&context, &input.table_name)?.to_owned();
    let returned = Returned::parse(input.return_values.as_deref(), false)?;
    let detail = Detail::parse(input.return_consumed_capacity.as_deref())?;
    let with_metrics = metrics::asked(input.return_item_collection_metrics.as_deref())?;
    let with_item = returns_old_on_failure(input.return_values_on_condition_check_failure.as_deref())?;
    refuse_mixed(
        &[("ConditionExpression", input.condition_expression.is_some())],
        &[
            ("Expected", input.expected.is_some()),
            ("ConditionalOperator", input.conditional_operator.is_some()),
        ],
    )?;
    item::canonicalise_item(&mut input.item)?;
    let mut placeholders = Placeholders::new(
        &[(Kind::Condition, input.condition_expression.as_deref())],
        input.expression_attribute_names.as_ref(),
        input.expression_attribute_values.as_ref(),
    )?;
    let condition = ConditionInput {
        expression: input.condition_expression.as_deref(),
        expected: input.expected.as_ref(),
        operator: input.conditional_operator.as_deref(),
    }
    .parse(&mut placeholders)?;
    placeholders.finish()?;
    let key = if with_metrics {
        input.item.clone()
    } else {
        Item::new()
    };
    let write = Write {
        table,
        action: Action::Put(input.item),
        condition,
    };
    let outcome = execute_one(&service.state, &context.region, write)
        .await
        .map_err(|failure| refused(failure, with_item))?;
    Ok(PutItemOutput {
        consumed_capacity: capacity(&outcome, detail),
        item_collection_metrics: collection(&service, &outcome, with_metrics, &key)?,
        attributes: if returned == Returned::AllOld {
            outcome.before
        } else {
            None
        },
    })
}

/// `DeleteItem`
pub(crate) async fn delete_item(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    mut input: DeleteItemInput,
    _permit: Permit,
) -> Result<DeleteItemOutput> {
    let table = table_name(&context, &input.table_name)?.to_owned();
    let returned = Returned::parse(input.return_values.as_deref(), false)?;
    let detail = Detail::parse(input.return_consumed_capacity.as_deref())?;
    let with_metrics = metrics::asked(input.return_item_collection_metrics.as_deref())?;
    let with_item = returns_old_on_failure(input.return_values_on_condition_check_failure.as_deref())?;
    refuse_mixed(
        &[("ConditionExpression", input.condition_expression.is_some())],
        &[
            ("Expected", input.expected.is_some()),
            ("ConditionalOperator", input.conditional_operator.is_some()),
        ],
    )?;
    item::canonicalise_item(&mut input.key)?;
    let mut placeholders = Placeholders::new(
        &[(Kind::Condition, input.condition_expression.as_deref())],
        input.expression_attribute_names.as_ref(),
        input.expression_attribute_values.as_ref(),
    )?;
    let condition = ConditionInput {
        expression: input.condition_expression.as_deref(),
        expected: input.expected.as_ref(),
        operator: input.conditional_operator.as_deref(),
    }
    .parse(&mut placeholders)?;
    placeholders.finish()?;
    let key = input.key.clone();
    let write = Write {
        table,
        action: Action::Delete(input.key),
        condition,
    };
    let outcome = execute_one(&service.state, &context.region, write)
        .await
        .map_err(|failure| refused(failure, with_item))?;
    Ok(DeleteItemOutput {
        consumed_capacity: capacity(&outcome, detail),
        item_collection_metrics: collection(&service, &outcome, with_metrics, &key)?,
        attributes: if returned == Returned::AllOld {
            outcome.before
        } else {
            None
        },
    })
}

/// `UpdateItem`
pub(crate) async fn update_item(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    mut input: UpdateItemInput,
    _permit: Permit,
) -> Result<UpdateItemOutput> {
    let table = table_name(&context, &input.table_name)?.to_owned();
    let returned = Returned::parse(input.return_values.as_deref(), true)?;
    let detail = Detail::parse(input.return_consumed_capacity.as_deref())?;
    let with_metrics = metrics::asked(input.return_item_collection_metrics.as_deref())?;
    let with_item = returns_old_on_failure(input.return_values_on_condition_check_failure.as_deref())?;
    refuse_mixed(
        &[
            ("UpdateExpression", input.update_expression.is_some()),
            ("ConditionExpression", input.condition_expression.is_some()),
        ],
        &[
            ("AttributeUpdates", input.attribute_updates.is_some()),
            ("Expected", input.expected.is_some()),
            ("ConditionalOperator", input.conditional_operator.is_some()),
        ],
    )?;
    item::canonicalise_item(&mut input.key)?;
    let mut placeholders = Placeholders::new(
        &[
            (Kind::Update, input.update_expression.as_deref()),
            (Kind::Condition, input.condition_expression.as_deref()),
        ],
        input.expression_attribute_names.as_ref(),
        input.expression_attribute_values.as_ref(),
    )?;
    let update = match (&input.update_expression, &input.attribute_updates) {
        (Some(text), _) => parse_update(text, &mut placeholders)?,
        (None, Some(updates)) => legacy::attribute_updates(updates)?,
        (None, None) => Update::default(),
    };
    let condition = ConditionInput {
        expression: input.condition_expression.as_deref(),
        expected: input.expected.as_ref(),
        operator: input.conditional_operator.as_deref(),
    }
    .parse(&mut placeholders)?;
    placeholders.finish()?;
    let touched = Projection::new(update.paths());
    let key = input.key.clone();
    let write = Write {
        table,
        action: Action::Update {
            key: input.key,
            update,
        },
        condition,
    };
    let outcome = execute_one(&service.state, &context.region, write)
        .await
        .map_err(|failure| refused(failure, with_item))?;
    let consumed_capacity = capacity(&outcome, detail);
    let item_collection_metrics = collection(&service, &outcome, with_metrics, &key)?;
    let attributes = match returned {
        Returned::None => None,
        Returned::AllOld => outcome.before,
        Returned::AllNew => outcome.after,
        Returned::UpdatedOld => outcome.before.map(|item| touched.project(&item)),
        Returned::UpdatedNew => outcome.after.map(|item| touched.project(&item)),
    };
    Ok(UpdateItemOutput {
        attributes: attributes.filter(|attributes| !attributes.is_empty()),
        consumed_capacity,
        item_collection_metrics,
    })
}

/// What part of an item is wanted: `ProjectionExpression` or `AttributesToGet`; `None` for all of it.
pub(crate) fn projection(
    expression: Option<&str>,
    attributes: Option<&[String]>,
    names: Option<&BTreeMap<String, String>>,
) -> Result<Option<Projection>> {
    refuse_mixed(
        &[("ProjectionExpression", expression.is_some())],
        &[("AttributesToGet", attributes.is_some())],
    )?;
    let mut placeholders = Placeholders::new(&[(Kind::Projection, expression)], names, None)?;
    let paths = match (expression, attributes) {
        (Some(text), _) => Some(parse_projection(text, &mut placeholders)?),
        (None, Some(attributes)) => Some(legacy::attributes_to_get(attributes)?),
        (None, None) => None,
    };
    placeholders.finish()?;
    Ok(paths.map(|paths| Projection::new(&paths)))
}

/// `GetItem`
pub(crate) async fn get_item(
    service: Arc<DynamoDb>,
    context: Arc<RequestContext>,
    mut input: GetItemInput,
    _permit: Permit,
) -> Result<GetItemOutput> {
    let name = table_name(&context, &input.table_name)?;
    let detail = Detail::parse(input.return_consumed_capacity.as_deref())?;
    item::canonicalise_item(&mut input.key)?;
    let projection = projection(
        input.projection_expression.as_deref(),
        input.attributes_to_get.as_deref(),
        input.expression_attribute_names.as_ref(),
    )?;
    let table = service.state.table(&context.region, name)?;
    let key = table.key_of(&input.key)?;
    let found = read(&service, &table.items, &key)?;
    let kind = if input.consistent_read == Some(true) {
        Use::ConsistentRead
    } else {
        Use::Read
    };
    let mut meter = Meter::default();
    meter.table(kind.units(found.as_ref().map_or(0, item::item_size)));
    Ok(GetItemOutput {
        consumed_capacity: meter.report(&table.definition.name, detail, kind),
        item: found.map(|item| match &projection {
            Some(projection) => projection.project(&item),
            None => item,
        }),
    })
}

fn read(service: &DynamoDb, bucket: &str, key: &[u8]) -> Result<Option<BTreeMap<String, AttributeValue>>> {
    let entry = service.state.store.get(bucket, key).map_err(storage)?;
    entry
        .map(|entry| codec::decode(&entry.value))
        .transpose()
        .map_err(storage)
}
