//! Whether an item meets a condition.

use std::borrow::Cow;
use std::cmp::Ordering;

use rolecall_wire::AttributeValue;

use super::{Comparator, Condition, Element, Operand, Path};
use crate::item::{self, Item};

/// What `item` has at `path`.
pub(super) fn lookup<'a>(path: &Path, item: &'a Item) -> Option<&'a AttributeValue> {
    let mut elements = path.0.iter();
    let Some(Element::Name(root)) = elements.next() else {
        return None;
    };
    elements.try_fold(item.get(root)?, |value, element| match (element, value) {
        (Element::Name(name), AttributeValue::M(entries)) => entries.get(name),
        (Element::Index(index), AttributeValue::L(elements)) => elements.get(*index),
        _ => None,
    })
}

/// Whether `item` meets `condition`. An item that does not exist is an empty one.
pub(crate) fn matches(condition: &Condition, item: &Item) -> bool {
    match condition {
        Condition::And(left, right) => matches(left, item) && matches(right, item),
        Condition::Or(left, right) => matches(left, item) || matches(right, item),
        Condition::Not(inner) => !matches(inner, item),
        Condition::Compare(comparator, left, right) => compare(
            *comparator,
            resolve(left, item).as_deref(),
            resolve(right, item).as_deref(),
        ),
        Condition::Between(value, low, high) => {
            let value = resolve(value, item);
            compare(
                Comparator::GreaterOrEqual,
                value.as_deref(),
                resolve(low, item).as_deref(),
            ) && compare(
                Comparator::LessOrEqual,
                value.as_deref(),
                resolve(high, item).as_deref(),
            )
        }
        Condition::In(value, list) => {
            let value = resolve(value, item);
            list.iter().any(|operand| {
                compare(
                    Comparator::Equal,
                    value.as_deref(),
                    resolve(operand, item).as_deref(),
                )
            })
        }
        Condition::Exists(path) => lookup(path, item).is_some(),
        Condition::NotExists(path) => lookup(path, item).is_none(),
        Condition::TypeIs(path, name) => lookup(path, item).is_some_and(|value| value.data_type() == name),
        Condition::BeginsWith(value, prefix) => both(value, prefix, item, item::begins_with),
        Condition::Contains(container, value) => both(container, value, item, item::contains),
    }
}

fn both(
    left: &Operand,
    right: &Operand,
    item: &Item,
    test: fn(&AttributeValue, &AttributeValue) -> bool,
) -> bool {
    match (resolve(left, item), resolve(right, item)) {
        (Some(left), Some(right)) => test(&left, &right),
        _ => false,
    }
}

/// A missing value is equal to nothing, so it is unequal to everything.
fn compare(comparator: Comparator, left: Option<&AttributeValue>, right: Option<&AttributeValue>) -> bool {
    let (Some(left), Some(right)) = (left, right) else {
        return comparator == Comparator::NotEqual;
    };
    match comparator {
        Comparator::Equal => left == right,
        Comparator::NotEqual => left != right,
        Comparator::Less => item::compare(left, right) == Some(Ordering::Less),
        Comparator::LessOrEqual => item::compare(left, right).is_some_and(Ordering::is_le),
        Comparator::Greater => item::compare(left, right) == Some(Ordering::Greater),
        Comparator::GreaterOrEqual => item::compare(left, right).is_some_and(Ordering::is_ge),
    }
}

fn resolve<'a>(operand: &'a Operand, item: &'a Item) -> Option<Cow<'a, AttributeValue>> {
    match operand {
        Operand::Path(path) => lookup(path, item).map(Cow::Borrowed),
        Operand::Value(value) => Some(Cow::Borrowed(value)),
        Operand::Size(path) => {
            let size = match lookup(path, item)? {
                AttributeValue::S(text) => text.chars().count(),
                AttributeValue::B(bytes) => bytes.len(),
                AttributeValue::Ss(texts) | AttributeValue::Ns(texts) => texts.len(),
                AttributeValue::Bs(blobs) => blobs.len(),
                AttributeValue::M(entries) => entries.len(),
                AttributeValue::L(elements) => elements.len(),
                AttributeValue::N(_) | AttributeValue::Bool(_) | AttributeValue::Null(_) => return None,
            };
            Some(Cow::Owned(AttributeValue::N(size.to_string())))
        }
    }
}
