//! Items and attribute values: what is allowed, the canonical form, sizes and comparison.
//!
//! Values are brought to a canonical form when they come in (numbers without superfluous zeros, sets sorted), so that
//! two values are equal exactly when their representations are.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rolecall_wire::AttributeValue;

use crate::error::{Result, invalid_parameter, validation};
use crate::number::Number;

/// An item, a key or any other map of attributes.
pub(crate) type Item = BTreeMap<String, AttributeValue>;

/// Largest item in bytes, names included.
pub(crate) const MAX_ITEM_SIZE: usize = 400 * 1024;
/// Deepest nesting of lists and maps.
pub(crate) const MAX_DEPTH: usize = 32;
/// Longest attribute name in bytes.
const MAX_NAME: usize = 65_535;

/// Brings `value` to canonical form.
///
/// # Errors
/// AWS's sentence on what is wrong with it, without a prefix.
pub(crate) fn canonicalise(value: &mut AttributeValue) -> std::result::Result<(), String> {
    canonicalise_at(value, 0)
}

fn canonicalise_at(value: &mut AttributeValue, depth: usize) -> std::result::Result<(), String> {
    if depth > MAX_DEPTH {
        return Err("Nesting Levels have exceeded supported limits".to_owned());
    }
    match value {
        AttributeValue::S(_)
        | AttributeValue::B(_)
        | AttributeValue::Bool(_)
        | AttributeValue::Null(true) => Ok(()),
        AttributeValue::Null(false) => Err(invalid("Null attribute value types must have the value of true")),
        AttributeValue::N(text) => {
            let number = Number::parse(text).map_err(|error| error.to_string())?;
            *text = number.to_string();
            Ok(())
        }
        AttributeValue::Ss(texts) => {
            if texts.is_empty() {
                return Err(invalid("An string set  may not be empty"));
            }
            let before = texts.clone();
            texts.sort_unstable();
            if has_neighbours(texts) {
                return Err(invalid(&format!(
                    "Input collection [{}] contains duplicates.",
                    shortened(&before.join(", "))
                )));
            }
            Ok(())
        }
        AttributeValue::Ns(texts) => {
            if texts.is_empty() {
                return Err(invalid("An number set  may not be empty"));
            }
            let mut numbers = texts
                .iter()
                .map(|text| Number::parse(text).map_err(|error| error.to_string()))
                .collect::<std::result::Result<Vec<_>, _>>()?;
            numbers.sort_unstable();
            if has_neighbours(&numbers) {
                return Err("Input collection contains duplicates".to_owned());
            }
            *texts = numbers.iter().map(ToString::to_string).collect();
            Ok(())
        }
        AttributeValue::Bs(blobs) => {
            if blobs.is_empty() {
                return Err(invalid("Binary sets should not be empty"));
            }
            blobs.sort_unstable();
            if has_neighbours(blobs) {
                return Err(invalid("Input collection of type BS contains duplicates."));
            }
            Ok(())
        }
        AttributeValue::L(elements) => elements
            .iter_mut()
            .try_for_each(|element| canonicalise_at(element, depth.saturating_add(1))),
        AttributeValue::M(entries) => {
            for (name, entry) in entries {
                check_name(name)?;
                canonicalise_at(entry, depth.saturating_add(1))?;
            }
            Ok(())
        }
    }
}

fn check_name(name: &str) -> std::result::Result<(), String> {
    if name.len() > MAX_NAME {
        return Err(invalid(
            "Attribute name is too large, must be less than 65536 bytes",
        ));
    }
    Ok(())
}

fn invalid(message: &str) -> String {
    format!("One or more parameter values were invalid: {message}")
}

fn shortened(text: &str) -> String {
    text.chars().take(256).collect()
}

fn has_neighbours<T: PartialEq>(sorted: &[T]) -> bool {
    sorted.windows(2).any(|pair| pair.first() == pair.get(1))
}

/// Brings every value of an item or a key to canonical form.
pub(crate) fn canonicalise_item(item: &mut Item) -> Result<()> {
    for (name, value) in item.iter_mut() {
        if name.is_empty() {
            return Err(invalid_parameter("Attribute name is empty"));
        }
        check_name(name).map_err(validation)?;
        canonicalise(value).map_err(validation)?;
    }
    Ok(())
}

/// Refuses an item that is over 400 KB or too deep. Call it after updates as well as for items put.
pub(crate) fn check_limits(item: &Item, too_large: &'static str) -> Result<()> {
    if item_size(item) > MAX_ITEM_SIZE {
        return Err(validation(too_large));
    }
    if item.values().any(|value| depth(value) > MAX_DEPTH) {
        return Err(validation("Nesting Levels have exceeded supported limits"));
    }
    Ok(())
}

/// Levels of lists and maps below and including `value`. Bounded because every value's construction is.
fn depth(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::L(elements) => elements.iter().map(depth).max().unwrap_or(0).saturating_add(1),
        AttributeValue::M(entries) => entries.values().map(depth).max().unwrap_or(0).saturating_add(1),
        _ => 0,
    }
}

/// Size of an item as DynamoDB counts it, in bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
pub(crate) fn item_size(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value_size(value))
        .sum()
}

/// Size of one value, in bytes.
pub(crate) fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(text) => number_size(text),
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(texts) => texts.iter().map(|text| number_size(text)).sum(),
        AttributeValue::Bs(blobs) => blobs.iter().map(bytes::Bytes::len).sum(),
        AttributeValue::Null(_) | AttributeValue::Bool(_) => 1,
        AttributeValue::L(elements) => {
            3 + elements
                .iter()
                .map(|element| 1 + value_size(element))
                .sum::<usize>()
        }
        AttributeValue::M(entries) => {
            3 + entries
                .iter()
                .map(|(name, entry)| 1 + name.len() + value_size(entry))
                .sum::<usize>()
        }
    }
}

fn number_size(text: &str) -> usize {
    Number::parse(text).map_or(text.len(), |number| number.size())
}

/// Order of two values of the same scalar type; `None` for other types, which are never less or greater.
pub(crate) fn compare(left: &AttributeValue, right: &AttributeValue) -> Option<Ordering> {
    match (left, right) {
        (AttributeValue::S(left), AttributeValue::S(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
        (AttributeValue::B(left), AttributeValue::B(right)) => Some(left.cmp(right)),
        (AttributeValue::N(left), AttributeValue::N(right)) => {
            Some(Number::parse(left).ok()?.cmp(&Number::parse(right).ok()?))
        }
        _ => None,
    }
}

/// Whether `container` contains `value`: a substring, or an element of a set or list.
pub(crate) fn contains(container: &AttributeValue, value: &AttributeValue) -> bool {
    match (container, value) {
        (AttributeValue::S(text), AttributeValue::S(part)) => text.contains(part.as_str()),
        (AttributeValue::B(bytes), AttributeValue::B(part)) => {
            part.is_empty() || bytes.windows(part.len()).any(|window| window == part)
        }
        (AttributeValue::Ss(texts), AttributeValue::S(text))
        | (AttributeValue::Ns(texts), AttributeValue::N(text)) => texts.contains(text),
        (AttributeValue::Bs(blobs), AttributeValue::B(bytes)) => blobs.contains(bytes),
        (AttributeValue::L(elements), value) => elements.contains(value),
        _ => false,
    }
}

/// Whether `value` begins with `prefix`; only texts and bytes do.
pub(crate) fn begins_with(value: &AttributeValue, prefix: &AttributeValue) -> bool {
    match (value, prefix) {
        (AttributeValue::S(text), AttributeValue::S(prefix)) => text.starts_with(prefix.as_str()),
        (AttributeValue::B(bytes), AttributeValue::B(prefix)) => bytes.starts_with(prefix),
        _ => false,
    }
}

/// A value as AWS's messages write it, such as `{S:abc}`.
pub(crate) fn display(value: &AttributeValue) -> String {
    match value {
        AttributeValue::S(text) => format!("{{S:{}}}", shortened(text)),
        AttributeValue::N(text) => format!("{{N:{text}}}"),
        other => format!("{{{}}}", other.data_type()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]
    use super::*;

    #[test]
    fn sets_are_sorted_and_hold_no_duplicates() {
        let mut value = AttributeValue::Ns(vec!["10".into(), "9".into(), "1e1".into()]);
        assert!(canonicalise(&mut value).unwrap_err().contains("duplicates"));
        let mut value = AttributeValue::Ns(vec!["10".into(), "9.0".into()]);
        canonicalise(&mut value).unwrap();
        assert_eq!(value, AttributeValue::Ns(vec!["9".into(), "10".into()]));
        let mut empty = AttributeValue::Ss(Vec::new());
        assert!(
            canonicalise(&mut empty)
                .unwrap_err()
                .ends_with("An string set  may not be empty")
        );
        let mut twice = AttributeValue::Ss(vec!["a".into(), "a".into()]);
        assert!(
            canonicalise(&mut twice)
                .unwrap_err()
                .ends_with("Input collection [a, a] contains duplicates.")
        );
    }

    #[test]
    fn different_types_are_not_ordered() {
        let (text, number) = (AttributeValue::S("1".into()), AttributeValue::N("1".into()));
        assert_eq!(compare(&text, &number), None);
        assert_eq!(
            compare(&AttributeValue::N("10".into()), &AttributeValue::N("9".into())),
            Some(Ordering::Greater)
        );
    }

    #[test]
    fn sizes_follow_the_documentation() {
        let item = Item::from([
            ("id".to_owned(), AttributeValue::S("abc".into())),
            ("flag".to_owned(), AttributeValue::Bool(true)),
            (
                "list".to_owned(),
                AttributeValue::L(vec![AttributeValue::S("x".into())]),
            ),
        ]);
        assert_eq!(item_size(&item), 2 + 3 + 4 + 1 + 4 + 3 + 2);
    }
}
