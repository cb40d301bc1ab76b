//! The parameters that expressions replaced, brought to the same syntax.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html>

use std::collections::BTreeMap;

use rolecall_wire::AttributeValue;

use super::key_condition::{Part, SortCondition};
use super::{Comparator, Condition, Operand, Path, SetOperand, SetValue, Update};
use crate::error::{Result, invalid_parameter, validation};
use crate::generated::{AttributeValueUpdate, Condition as Given, ExpectedAttributeValue};
use crate::item;

/// `Expected` with its `ConditionalOperator`.
pub(crate) fn expected(
    expected: &BTreeMap<String, ExpectedAttributeValue>,
    operator: Option<&str>,
) -> Result<Option<Condition>> {
    let conditions = expected
        .iter()
        .map(|(name, given)| {
            if let Some(comparison) = &given.comparison_operator {
                if given.exists.is_some() {
                    return Err(invalid_parameter(format_args!(
                        "Exists and ComparisonOperator cannot be used together for Attribute: {name}"
                    )));
                }
                let values = match (&given.value, &given.attribute_value_list) {
                    (Some(value), None) => std::slice::from_ref(value),
                    (None, Some(values)) => values.as_slice(),
                    (None, None) => &[],
                    (Some(_), Some(_)) => {
                        return Err(invalid_parameter(format_args!(
                            "Value and AttributeValueList cannot be used together for Attribute: {name}"
                        )));
                    }
                };
                return comparison_condition(name, comparison, values);
            }
            match (&given.value, given.exists) {
                (Some(value), None | Some(true)) => {
                    comparison_condition(name, "EQ", std::slice::from_ref(value))
                }
                (None, Some(false)) => Ok(Condition::NotExists(Path::attribute(name))),
                (None, Some(true) | None) => Err(invalid_parameter(format_args!(
                    "Value must be provided when Exists is {} for Attribute: {name}",
                    if given.exists.is_some() { "true" } else { "null" }
                ))),
                (Some(_), Some(false)) => Err(invalid_parameter(format_args!(
                    "Value cannot be used when Exists is false for Attribute: {name}"
                ))),
            }
        })
        .collect::<Result<Vec<_>>>()?;
    combined(conditions, operator)
}

/// `QueryFilter` or `ScanFilter` with its `ConditionalOperator`.
pub(crate) fn filter(given: &BTreeMap<String, Given>, operator: Option<&str>) -> Result<Option<Condition>> {
    let conditions = given
        .iter()
        .map(|(name, condition)| {
            let values = condition.attribute_value_list.as_deref().unwrap_or_default();
            comparison_condition(name, &condition.comparison_operator, values)
        })
        .collect::<Result<Vec<_>>>()?;
    combined(conditions, operator)
}

/// `KeyConditions`.
pub(crate) fn key_conditions(given: &BTreeMap<String, Given>) -> Result<Vec<Part>> {
    given
        .iter()
        .map(|(name, condition)| {
            let operator = condition.comparison_operator.as_str();
            let values = canonical(condition.attribute_value_list.as_deref().unwrap_or_default())?;
            check_count(operator, values.len())?;
            let mut values = values.into_iter();
            let (first, second) = (values.next(), values.next());
            let comparator = match operator {
                "EQ" => Comparator::Equal,
                "LT" => Comparator::Less,
                "LE" => Comparator::LessOrEqual,
                "GT" => Comparator::Greater,
                "GE" => Comparator::GreaterOrEqual,
                _ => {
                    return match (operator, first, second) {
                        ("BEGINS_WITH", Some(value), _) => {
                            Ok((name.clone(), SortCondition::BeginsWith(value)))
                        }
                        ("BETWEEN", Some(low), Some(high)) => {
                            Ok((name.clone(), SortCondition::Between(low, high)))
                        }
                        _ => Err(validation(
                            "Attempted conditional constraint is not an indexable operation",
                        )),
                    };
                }
            };
            let value = first.ok_or_else(|| wrong_count(operator))?;
            Ok((name.clone(), SortCondition::Compare(comparator, value)))
        })
        .collect()
}

/// `AttributeUpdates`.
pub(crate) fn attribute_updates(given: &BTreeMap<String, AttributeValueUpdate>) -> Result<Update> {
    let mut update = Update::default();
    for (name, change) in given {
        let path = Path::attribute(name);
        let value = change
            .value
            .clone()
            .map(|mut value| item::canonicalise(&mut value).map(|()| value).map_err(validation))
            .transpose()?;
        match (change.action.as_deref().unwrap_or("PUT"), value) {
            ("PUT", Some(value)) => update.set.push((path, SetValue::Is(SetOperand::Value(value)))),
            ("ADD", Some(value)) => match value {
                AttributeValue::N(_)
                | AttributeValue::Ss(_)
                | AttributeValue::Ns(_)
                | AttributeValue::Bs(_) => {
                    update.add.push((path, value));
                }
                AttributeValue::L(_) => {
                    let empty = SetValue::Is(SetOperand::Value(AttributeValue::L(Vec::new())));
                    let found = SetValue::Is(SetOperand::IfNotExists(path.clone(), Box::new(empty)));
                    let added = SetValue::Is(SetOperand::Value(value));
                    update.set.push((
                        path,
                        SetValue::Is(SetOperand::ListAppend(Box::new(found), Box::new(added))),
                    ));
                }
                other => {
                    return Err(invalid_parameter(format_args!(
                        "Action ADD is not supported for the type {}",
                        other.data_type()
                    )));
                }
            },
            ("DELETE", None) => update.remove.push(path),
            ("DELETE", Some(value)) => match value {
                AttributeValue::Ss(_) | AttributeValue::Ns(_) | AttributeValue::Bs(_) => {
                    update.delete.push((path, value));
                }
                other => {
                    return Err(invalid_parameter(format_args!(
                        "Action DELETE is not supported for the type {}",
                        other.data_type()
                    )));
                }
            },
            (action, None) => {
                return Err(invalid_parameter(format_args!(
                    "Only DELETE action is allowed when no attribute value is specified, found {action}"
                )));
            }
            (action, Some(_)) => return Err(invalid_parameter(format_args!("Unknown action {action}"))),
        }
    }
    Ok(update)
}

/// `AttributesToGet`.
pub(crate) fn attributes_to_get(names: &[String]) -> Result<Vec<Path>> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(invalid_parameter(format_args!(
                "Duplicate value in attribute name: {name}"
            )));
        }
    }
    Ok(names.iter().map(Path::attribute).collect())
}

fn canonical(values: &[AttributeValue]) -> Result<Vec<AttributeValue>> {
    values
        .iter()
        .map(|value| {
            let mut value = value.clone();
            item::canonicalise(&mut value).map_err(validation)?;
            Ok(value)
        })
        .collect()
}

fn wrong_count(operator: &str) -> rolecall_service::ServiceError {
    invalid_parameter(format_args!(
        "Invalid number of argument(s) for the {operator} ComparisonOperator"
    ))
}

fn check_count(operator: &str, count: usize) -> Result<()> {
    let fits = match operator {
        "NULL" | "NOT_NULL" => count == 0,
        "BETWEEN" => count == 2,
        "IN" => count > 0,
        _ => count == 1,
    };
    if fits { Ok(()) } else { Err(wrong_count(operator)) }
}

fn comparison_condition(name: &str, operator: &str, values: &[AttributeValue]) -> Result<Condition> {
    check_count(operator, values.len())?;
    let path = Path::attribute(name);
    let left = Operand::Path(path.clone());
    let mut values = canonical(values)?.into_iter().map(Operand::Value);
    match operator {
        "NULL" => return Ok(Condition::NotExists(path)),
        "NOT_NULL" => return Ok(Condition::Exists(path)),
        "IN" => return Ok(Condition::In(left, values.collect())),
        _ => {}
    }
    let first = values.next().ok_or_else(|| wrong_count(operator))?;
    let comparator = match operator {
        "EQ" => Comparator::Equal,
        "NE" => Comparator::NotEqual,
        "LT" => Comparator::Less,
        "LE" => Comparator::LessOrEqual,
        "GT" => Comparator::Greater,
        "GE" => Comparator::GreaterOrEqual,
        "BEGINS_WITH" => return Ok(Condition::BeginsWith(left, first)),
        "CONTAINS" => return Ok(Condition::Contains(left, first)),
        "NOT_CONTAINS" => {
            let contains = Condition::Contains(left, first);
            return Ok(Condition::And(
                Box::new(Condition::Exists(path)),
                Box::new(Condition::Not(Box::new(contains))),
            ));
        }
        "BETWEEN" => {
            let second = values.next().ok_or_else(|| wrong_count(operator))?;
            return Ok(Condition::Between(left, first, second));
        }
        _ => {
            return Err(validation(format!(
                "Unsupported operator on ComparisonOperator: {operator}"
            )));
        }
    };
    Ok(Condition::Compare(comparator, left, first))
}

/// Joins conditions in a balanced tree, so that many of them do not nest deeply.
fn combined(mut conditions: Vec<Condition>, operator: Option<&str>) -> Result<Option<Condition>> {
    let all = match operator.unwrap_or("AND") {
        "AND" => true,
        "OR" => false,
        other => return Err(validation(format!("Unknown ConditionalOperator: {other}"))),
    };
    while conditions.len() > 1 {
        let mut joined = Vec::with_capacity(conditions.len().div_ceil(2));
        let mut rest = conditions.into_iter();
        while let Some(left) = rest.next() {
            joined.push(match rest.next() {
                Some(right) if all => Condition::And(Box::new(left), Box::new(right)),
                Some(right) => Condition::Or(Box::new(left), Box::new(right)),
                None => left,
            });
        }
        conditions = joined;
    }
    Ok(conditions.pop())
}
