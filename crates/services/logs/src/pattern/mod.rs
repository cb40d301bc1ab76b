//! Filter patterns: which events `FilterLogEvents` answers with.
//!
//! Three languages, told apart by the first character: `{ … }` compares properties of JSON events, `[ … ]`
//! names and compares the fields of space-delimited events, everything else is terms that must or must not
//! occur. Source: CloudWatch Logs User Guide, "Filter pattern syntax for metric filters, subscription
//! filters, filter log events, and Live Tail".

mod comparison;
mod delimited;
mod json;
mod scanner;
mod terms;

use delimited::Delimited;
use json::Json;
use scanner::Scanner;
use terms::Terms;

/// Most regular expressions in one pattern.
const REGULAR_EXPRESSIONS: usize = 2;

/// A pattern that was understood.
#[derive(Debug)]
pub(crate) enum Pattern {
    /// An empty one.
    Everything,
    /// Terms in the message.
    Terms(Terms),
    /// Properties of a JSON message.
    Json(Json),
    /// Fields of a space-delimited message.
    Delimited(Delimited),
}

/// Why a pattern was not understood, as AWS says it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatternError {
    /// A term that would have to be quoted.
    #[error("Invalid filter pattern: Invalid character(s) in term '{0}'")]
    Characters(String),
    /// The closing bracket is missing.
    #[error("Invalid filter pattern: If a filter pattern starts with '{open}' it must end with '{close}'")]
    Unclosed {
        /// The one it starts with.
        open: char,
        /// The one that is missing.
        close: char,
    },
    /// Anything else, with what was expected.
    #[error("Invalid filter pattern: {0}")]
    Syntax(String),
}

impl PatternError {
    fn syntax(message: impl Into<String>) -> Self {
        Self::Syntax(message.into())
    }
}

impl Pattern {
    /// Reads a pattern.
    pub(crate) fn parse(text: &str) -> Result<Self, PatternError> {
        let text = text.trim();
        match text.chars().next() {
            None => Ok(Self::Everything),
            Some('{') => Ok(Self::Json(Json::parse(inside(text, '{', '}')?)?)),
            Some('[') => Ok(Self::Delimited(Delimited::parse(inside(text, '[', ']')?)?)),
            Some(_) => Ok(Self::Terms(Terms::parse(text)?)),
        }
    }

    /// Whether an event with this message is wanted.
    pub(crate) fn matches(&self, message: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Terms(terms) => terms.match_message(message),
            Self::Json(json) => json.match_message(message),
            Self::Delimited(delimited) => delimited.match_message(message),
        }
    }
}

fn inside(text: &str, open: char, close: char) -> Result<&str, PatternError> {
    text.strip_prefix(open)
        .and_then(|rest| rest.strip_suffix(close))
        .ok_or(PatternError::Unclosed { open, close })
}

/// Reads `first (operator next)*`.
fn separated<T>(
    scanner: &mut Scanner<'_>,
    operator: &str,
    mut next: impl FnMut(&mut Scanner<'_>) -> Result<T, PatternError>,
) -> Result<Vec<T>, PatternError> {
    let mut parts = vec![next(scanner)?];
    while scanner.eat(operator) {
        parts.push(next(scanner)?);
    }
    Ok(parts)
}

#[cfg(test)]
mod tests;
