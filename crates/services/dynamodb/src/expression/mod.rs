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
