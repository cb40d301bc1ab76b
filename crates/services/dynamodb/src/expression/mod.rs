//! Expressions: condition, filter, key condition, projection and update, and the older parameters they replace.
//!
//! ```text
//! text ─▶ lexer ─▶ parser (placeholders resolved, rules checked) ─▶ syntax ─▶ evaluate / update / projection
//! legacy parameters ────────────────────────────────────────────────▲
//! ```
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html>

mod evaluate;
mod lexer;
mod parser;
mod placeholders;
mod projection;
mod reserved;
mod syntax;
mod update;

pub(crate) mod key_condition;
pub(crate) mod legacy;

pub(crate) use evaluate::matches;
pub(crate) use parser::{parse_condition, parse_projection, parse_update};
pub(crate) use placeholders::{Placeholders, refuse_mixed};
pub(crate) use projection::Projection;
pub(crate) use syntax::{
    Comparator, Condition, Element, Operand, Path, Section, SetOperand, SetValue, Update,
};
pub(crate) use update::apply;

/// Which parameter an expression stands in, as error messages name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `ConditionExpression`
    Condition,
    /// `FilterExpression`
    Filter,
    /// `KeyConditionExpression`
    KeyCondition,
    /// `ProjectionExpression`
    Projection,
    /// `UpdateExpression`
    Update,
}

impl Kind {
    /// The parameter's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Condition => "ConditionExpression",
            Self::Filter => "FilterExpression",
            Self::KeyCondition => "KeyConditionExpression",
            Self::Projection => "ProjectionExpression",
            Self::Update => "UpdateExpression",
        }
    }

    /// `ValidationException` about an expression of this kind.
    pub(crate) fn error(self, problem: impl std::fmt::Display) -> rolecall_service::ServiceError {
        crate::error::validation(format!("Invalid {}: {problem}", self.name()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use rolecall_wire::AttributeValue;

    use super::*;
    use crate::item::Item;

    /// Texts that look like expressions, and some that do not.
    fn texts() -> impl Strategy<Value = String> {
        let words = prop::sample::select(vec![
            "a",
            "b.c",
            "l[1]",
            "#n",
            ":v",
            ":n",
            "=",
            "<>",
            "<",
            "<=",
            "(",
            ")",
            "[",
            "]",
            ",",
            ".",
            "+",
            "-",
            "AND",
            "OR",
            "NOT",
            "BETWEEN",
            "IN",
            "size(",
            "attribute_exists(",
            "contains(a, ",
            "begins_with(a, :v)",
            "attribute_type(",
            "SET",
            "REMOVE",
            "ADD",
            "DELETE",
            "if_not_exists(",
            "list_append(",
            "name",
            "0",
            "99999999999999999999999",
            "é",
            "\u{0}",
        ]);
        prop_oneof![
            prop::collection::vec(words, 0..40).prop_map(|words| words.join(" ")),
            ".{0,60}"
        ]
    }

    proptest! {
        #[test]
        fn parsing_and_evaluating_never_panics(text in texts()) {
            let names = BTreeMap::from([("#n".to_owned(), "n".to_owned())]);
            let values = BTreeMap::from([
                (":v".to_owned(), AttributeValue::S("x".to_owned())),
                (":n".to_owned(), AttributeValue::N("1".to_owned())),
            ]);
            let item = Item::from([
                ("a".to_owned(), AttributeValue::S("x".to_owned())),
                ("l".to_owned(), AttributeValue::L(vec![AttributeValue::N("1".to_owned())])),
                ("n".to_owned(), AttributeValue::N("1".to_owned())),
            ]);
            if let Ok(mut placeholders) = Placeholders::new(&[(Kind::Update, Some(&text))], Some(&names), Some(&values)) {
                if let Ok(condition) = parse_condition(Kind::Condition, &text, &mut placeholders) {
                    let negated = Condition::Not(Box::new(condition.clone()));
                    prop_assert_ne!(matches(&condition, &item), matches(&negated, &item));
                }
                if let Ok(paths) = parse_projection(&text, &mut placeholders) {
                    let _ = Projection::new(&paths).project(&item);
                }
                if let Ok(update) = parse_update(&text, &mut placeholders) {
                    let _ = apply(&update, &item);
                }
            }
        }
    }
}
