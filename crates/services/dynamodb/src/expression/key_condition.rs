//! Key conditions: which partition, and which range of its sort keys.

use rolecall_wire::AttributeValue;

use super::{Comparator, Condition, Kind, Operand};
use crate::error::{Result, invalid_parameter, validation};
use crate::key;
use crate::table::KeySchema;

/// What a query reads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeyCondition {
    /// Value of the partition key.
    pub(crate) partition: AttributeValue,
    /// Bounds of the sort key.
    pub(crate) sort: Option<SortCondition>,
}

/// Bounds of the sort key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SortCondition {
    /// Compared with one value; never [`Comparator::NotEqual`].
    Compare(Comparator, AttributeValue),
    /// Between two values, both included.
    Between(AttributeValue, AttributeValue),
    /// Begins with a text or bytes.
    BeginsWith(AttributeValue),
}

/// A range of stored keys, both ends as the store wants them.
#[derive(Debug, Default)]
pub(crate) struct KeyRange {
    /// All keys begin with it.
    pub(crate) prefix: Vec<u8>,
    /// Keys from here.
    pub(crate) from: Option<Vec<u8>>,
    /// Keys before this.
    pub(crate) before: Option<Vec<u8>>,
}

impl KeyCondition {
    /// The keys it selects.
    pub(crate) fn range(&self) -> Option<KeyRange> {
        let prefix = key::encode_partition(&self.partition)?;
        let with = |value: &AttributeValue| {
            let mut bytes = prefix.clone();
            key::encode_part(value, &mut bytes)?;
            Some(bytes)
        };
        // In an index the item's own key follows, so the end of "up to this value" is after all its continuations.
        let past = |value: &AttributeValue| with(value).map(following);
        let whole = KeyRange {
            prefix: prefix.clone(),
            ..KeyRange::default()
        };
        Some(match &self.sort {
            None => whole,
            Some(SortCondition::Compare(comparator, value)) => match comparator {
                Comparator::Equal | Comparator::NotEqual => KeyRange {
                    prefix: with(value)?,
                    ..whole
                },
                Comparator::Less => KeyRange {
                    before: Some(with(value)?),
                    ..whole
                },
                Comparator::LessOrEqual => KeyRange {
                    before: Some(past(value)?),
                    ..whole
                },
                Comparator::Greater => KeyRange {
                    from: Some(past(value)?),
                    ..whole
                },
                Comparator::GreaterOrEqual => KeyRange {
                    from: Some(with(value)?),
                    ..whole
                },
            },
            Some(SortCondition::Between(low, high)) => KeyRange {
                from: Some(with(low)?),
                before: Some(past(high)?),
                ..whole
            },
            Some(SortCondition::BeginsWith(value)) => {
                let mut bytes = prefix.clone();
                key::encode_prefix(value, &mut bytes)?;
                KeyRange {
                    prefix: bytes,
                    ..whole
                }
            }
        })
    }
}

/// The first bytes after everything that begins with `bytes`.
fn following(mut bytes: Vec<u8>) -> Vec<u8> {
    while let Some(last) = bytes.pop() {
        if let Some(next) = last.checked_add(1) {
            bytes.push(next);
            break;
        }
    }
    bytes
}

/// Reads a parsed `KeyConditionExpression` for a table or index with keys `schema`.
pub(crate) fn from_expression(condition: &Condition, schema: &KeySchema) -> Result<KeyCondition> {
    let mut parts = Vec::new();
    split(condition, &mut parts)?;
    from_parts(parts, schema)
}

/// A condition on one key attribute.
pub(crate) type Part = (String, SortCondition);

fn unsupported(operator: &str) -> rolecall_service::ServiceError {
    Kind::KeyCondition.error(format_args!(
        "Invalid operator used in KeyConditionExpression: {operator}"
    ))
}

fn split(condition: &Condition, parts: &mut Vec<Part>) -> Result<()> {
    match condition {
        Condition::And(left, right) => {
            split(left, parts)?;
            split(right, parts)
        }
        Condition::Compare(Comparator::NotEqual, ..) => Err(unsupported("<>")),
        Condition::Compare(comparator, left, right) => {
            let (name, comparator, value) = match (left, right) {
                (Operand::Path(path), Operand::Value(value)) => (path.as_attribute(), *comparator, value),
                (Operand::Value(value), Operand::Path(path)) => {
                    (path.as_attribute(), comparator.mirrored(), value)
                }
                _ => return Err(not_supported()),
            };
            parts.push((
                name.ok_or_else(nested)?.to_owned(),
                SortCondition::Compare(comparator, value.clone()),
            ));
            Ok(())
        }
        Condition::Between(Operand::Path(path), Operand::Value(low), Operand::Value(high)) => {
            let name = path.as_attribute().ok_or_else(nested)?.to_owned();
            parts.push((name, SortCondition::Between(low.clone(), high.clone())));
            Ok(())
        }
        Condition::BeginsWith(Operand::Path(path), Operand::Value(value)) => {
            let name = path.as_attribute().ok_or_else(nested)?.to_owned();
            parts.push((name, SortCondition::BeginsWith(value.clone())));
            Ok(())
        }
        Condition::Or(..) => Err(unsupported("OR")),
        Condition::Not(_) => Err(unsupported("NOT")),
        Condition::In(..) => Err(unsupported("IN")),
        Condition::Exists(_) => Err(unsupported("attribute_exists")),
        Condition::NotExists(_) => Err(unsupported("attribute_not_exists")),
        Condition::TypeIs(..) => Err(unsupported("attribute_type")),
        Condition::Contains(..) => Err(unsupported("contains")),
        Condition::Between(..) | Condition::BeginsWith(..) => Err(not_supported()),
    }
}

fn nested() -> rolecall_service::ServiceError {
    Kind::KeyCondition.error("KeyConditionExpressions cannot have conditions on nested attributes")
}

fn not_supported() -> rolecall_service::ServiceError {
    validation("Query key condition not supported")
}

/// Puts conditions on key attributes together.
pub(crate) fn from_parts(parts: Vec<Part>, schema: &KeySchema) -> Result<KeyCondition> {
    let missed = |name: &str| validation(format!("Query condition missed key schema element: {name}"));
    let mut partition = None;
    let mut sort = None;
    let count = parts.len();
    if !parts.iter().any(|(name, _)| *name == schema.partition.name) {
        return Err(missed(&schema.partition.name));
    }
    for (position, (name, _)) in parts.iter().enumerate() {
        if parts.iter().take(position).any(|(earlier, _)| earlier == name) {
            return Err(
                Kind::KeyCondition.error("KeyConditionExpressions must only contain one condition per key")
            );
        }
    }
    for (name, condition) in parts {
        let attribute = if name == schema.partition.name {
            &schema.partition
        } else if let Some(attribute) = schema.sort.as_ref().filter(|attribute| attribute.name == name) {
            attribute
        } else if count > 2 {
            return Err(validation("Conditions can be of length 1 or 2 only"));
        } else {
            return Err(schema
                .sort
                .as_ref()
                .map_or_else(not_supported, |sort| missed(&sort.name)));
        };
        let values = match &condition {
            SortCondition::Compare(_, value) | SortCondition::BeginsWith(value) => [Some(value), None],
            SortCondition::Between(low, high) => [Some(low), Some(high)],
        };
        for value in values.into_iter().flatten() {
            if value.data_type() != attribute.data_type {
                return Err(invalid_parameter(
                    "Condition parameter type does not match schema type",
                ));
            }
        }
        let empty = values.into_iter().flatten().any(is_empty);
        if empty && !matches!(condition, SortCondition::BeginsWith(_)) {
            return Err(validation(format!(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: {name}"
            )));
        }
        if name == schema.partition.name {
            let SortCondition::Compare(Comparator::Equal, value) = condition else {
                return Err(not_supported());
            };
            partition = Some(value);
        } else {
            sort = Some(condition);
        }
    }
    let partition = partition.ok_or_else(|| missed(&schema.partition.name))?;
    if matches!(sort, Some(SortCondition::BeginsWith(AttributeValue::N(_)))) {
        return Err(not_supported());
    }
    Ok(KeyCondition { partition, sort })
}

fn is_empty(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::S(text) => text.is_empty(),
        AttributeValue::B(bytes) => bytes.is_empty(),
        _ => false,
    }
}
