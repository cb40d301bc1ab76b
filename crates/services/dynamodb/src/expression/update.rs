//! Applying an update to an item.
//!
//! Everything on the right side is read from the item as it was; then `SET`, `REMOVE`, `ADD` and `DELETE` are applied
//! to paths that do not touch each other.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html>

use rolecall_wire::AttributeValue;

use super::evaluate::lookup;
use super::{Element, Path, SetOperand, SetValue, Update};
use crate::error::{Result, validation};
use crate::item::Item;
use crate::number::Number;

/// The item after `update`.
///
/// # Errors
/// `ValidationException` where a path leads nowhere or a value has the wrong type.
pub(crate) fn apply(update: &Update, before: &Item) -> Result<Item> {
    let mut after = before.clone();
    let mut assignments = update
        .set
        .iter()
        .map(|(path, value)| Ok((path, evaluate(value, before)?)))
        .collect::<Result<Vec<_>>>()?;
    // In the order of list positions, so that several new elements are appended in theirs.
    assignments.sort_by_key(|(path, _)| *path);
    for (path, value) in assignments {
        assign(path, value, &mut after)?;
    }
    for (path, value) in &update.add {
        let value = added(lookup(path, before), value)?;
        assign(path, value, &mut after)?;
    }
    let mut removals: Vec<&Path> = update.remove.iter().collect();
    for (path, value) in &update.delete {
        match deleted(lookup(path, before), value)? {
            Deleted::Nothing => check_parent(path, before)?,
            Deleted::All => removals.push(path),
            Deleted::Rest(rest) => assign(path, rest, &mut after)?,
        }
    }
    // From the last list position to the first, so that removing one does not move another.
    removals.sort_unstable();
    for path in removals.into_iter().rev() {
        remove(path, &mut after)?;
    }
    Ok(after)
}

fn invalid_path() -> rolecall_service::ServiceError {
    validation("The document path provided in the update expression is invalid for update")
}

fn incorrect_type() -> rolecall_service::ServiceError {
    validation("An operand in the update expression has an incorrect data type")
}

fn evaluate(value: &SetValue, item: &Item) -> Result<AttributeValue> {
    match value {
        SetValue::Is(operand) => operand_value(operand, item),
        SetValue::Plus(left, right) => {
            let (left, right) = (
                number(&operand_value(left, item)?)?,
                number(&operand_value(right, item)?)?,
            );
            sum(&left, &right)
        }
        SetValue::Minus(left, right) => {
            let (left, right) = (
                number(&operand_value(left, item)?)?,
                number(&operand_value(right, item)?)?,
            );
            sum(&left, &right.negated())
        }
    }
}

fn number(value: &AttributeValue) -> Result<Number> {
    match value {
        AttributeValue::N(text) => Number::parse(text).map_err(|error| validation(error.to_string())),
        _ => Err(incorrect_type()),
    }
}

fn sum(left: &Number, right: &Number) -> Result<AttributeValue> {
    match left.add(right) {
        Ok(sum) => Ok(AttributeValue::N(sum.to_string())),
        Err(error) => Err(validation(error.to_string())),
    }
}

fn operand_value(operand: &SetOperand, item: &Item) -> Result<AttributeValue> {
    match operand {
        SetOperand::Value(value) => Ok(value.clone()),
        SetOperand::Path(path) => lookup(path, item).cloned().ok_or_else(|| {
            validation("The provided expression refers to an attribute that does not exist in the item")
        }),
        SetOperand::IfNotExists(path, value) => match lookup(path, item) {
            Some(found) => Ok(found.clone()),
            None => evaluate(value, item),
        },
        SetOperand::ListAppend(left, right) => match (evaluate(left, item)?, evaluate(right, item)?) {
            (AttributeValue::L(mut left), AttributeValue::L(right)) => {
                left.extend(right);
                Ok(AttributeValue::L(left))
            }
            _ => Err(incorrect_type()),
        },
    }
}

fn added(found: Option<&AttributeValue>, value: &AttributeValue) -> Result<AttributeValue> {
    let Some(found) = found else {
        return Ok(value.clone());
    };
    Ok(match (found, value) {
        (AttributeValue::N(_), AttributeValue::N(_)) => sum(&number(found)?, &number(value)?)?,
        (AttributeValue::Ss(left), AttributeValue::Ss(right)) => AttributeValue::Ss(union(left, right)),
        (AttributeValue::Bs(left), AttributeValue::Bs(right)) => AttributeValue::Bs(union(left, right)),
        (AttributeValue::Ns(left), AttributeValue::Ns(right)) => {
            let mut all = union(left, right);
            all.sort_by_cached_key(|text| Number::parse(text).unwrap_or_else(|_| Number::zero()));
            AttributeValue::Ns(all)
        }
        _ => return Err(incorrect_type()),
    })
}

fn union<T: Clone + Ord>(left: &[T], right: &[T]) -> Vec<T> {
    let mut all: Vec<T> = left.iter().chain(right).cloned().collect();
    all.sort_unstable();
    all.dedup();
    all
}

enum Deleted {
    Nothing,
    All,
    Rest(AttributeValue),
}

fn deleted(found: Option<&AttributeValue>, value: &AttributeValue) -> Result<Deleted> {
    fn without<T: Clone + Ord>(set: &[T], gone: &[T]) -> Vec<T> {
        let gone: std::collections::BTreeSet<&T> = gone.iter().collect();
        set.iter()
            .filter(|element| !gone.contains(element))
            .cloned()
            .collect()
    }
    let Some(found) = found else {
        return Ok(Deleted::Nothing);
    };
    let (empty, rest) = match (found, value) {
        (AttributeValue::Ss(set), AttributeValue::Ss(gone)) => {
            let rest = without(set, gone);
            (rest.is_empty(), AttributeValue::Ss(rest))
        }
        (AttributeValue::Ns(set), AttributeValue::Ns(gone)) => {
            let rest = without(set, gone);
            (rest.is_empty(), AttributeValue::Ns(rest))
        }
        (AttributeValue::Bs(set), AttributeValue::Bs(gone)) => {
            let rest = without(set, gone);
            (rest.is_empty(), AttributeValue::Bs(rest))
        }
        _ => return Err(incorrect_type()),
    };
    Ok(if empty { Deleted::All } else { Deleted::Rest(rest) })
}

/// What a path's last element is in.
enum Parent<'a> {
    Map(&'a mut Item),
    List(&'a mut Vec<AttributeValue>),
}

fn parent<'a>(path: &Path, item: &'a mut Item) -> Result<Parent<'a>> {
    let Some((_, above)) = path.0.split_last() else {
        return Err(invalid_path());
    };
    let mut place = Parent::Map(item);
    for element in above {
        let value = match (element, place) {
            (Element::Name(name), Parent::Map(entries)) => entries.get_mut(name),
            (Element::Index(index), Parent::List(elements)) => elements.get_mut(*index),
            _ => None,
        };
        place = match value {
            Some(AttributeValue::M(entries)) => Parent::Map(entries),
            Some(AttributeValue::L(elements)) => Parent::List(elements),
            _ => return Err(invalid_path()),
        };
    }
    Ok(place)
}

fn check_parent(path: &Path, item: &Item) -> Result<()> {
    let above = path.0.split_last().map_or(&[][..], |(_, above)| above);
    if above.is_empty() || lookup(&Path(above.to_vec()), item).is_some() {
        Ok(())
    } else {
        Err(invalid_path())
    }
}

fn assign(path: &Path, value: AttributeValue, item: &mut Item) -> Result<()> {
    match (path.0.last(), parent(path, item)?) {
        (Some(Element::Name(name)), Parent::Map(entries)) => {
            entries.insert(name.clone(), value);
            Ok(())
        }
        (Some(Element::Index(index)), Parent::List(elements)) => {
            match elements.get_mut(*index) {
                Some(element) => *element = value,
                None => elements.push(value),
            }
            Ok(())
        }
        _ => Err(invalid_path()),
    }
}

fn remove(path: &Path, item: &mut Item) -> Result<()> {
    match (path.0.last(), parent(path, item)?) {
        (Some(Element::Name(name)), Parent::Map(entries)) => {
            entries.remove(name);
            Ok(())
        }
        (Some(Element::Index(index)), Parent::List(elements)) => {
            if *index < elements.len() {
                elements.remove(*index);
            }
            Ok(())
        }
        _ => Err(invalid_path()),
    }
}
