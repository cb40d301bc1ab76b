//! Space-delimited patterns: `[ip, user, ..., status = 4* && status != 404, bytes > 1000]`.
//!
//! A message is cut at spaces; what stands between square brackets or quotation marks is one field. Without
//! an ellipsis the message must have as many fields as the pattern.

use super::comparison::Comparison;
use super::scanner::Scanner;
use super::{PatternError, separated};

/// What ends a bare value or a name.
const STOPS: [char; 3] = [',', '&', '|'];
/// What ends a field's name.
const NAME_STOPS: [char; 8] = [',', '&', '|', '=', '!', '<', '>', '"'];

/// Conditions by position.
#[derive(Debug)]
pub(crate) struct Delimited {
    /// From the first field on.
    first: Vec<Field>,
    /// Up to the last field; present when the pattern has an ellipsis.
    last: Option<Vec<Field>>,
}

/// Alternatives, each of conditions that must hold together; without any the field may be anything.
#[derive(Debug)]
struct Field(Vec<Vec<Comparison>>);

impl Field {
    fn matches(&self, value: &str) -> bool {
        let holds =
            |together: &Vec<Comparison>| together.iter().all(|comparison| comparison.matches_text(value));
        self.0.is_empty() || self.0.iter().any(holds)
    }
}

impl Delimited {
    pub(super) fn parse(text: &str) -> Result<Self, PatternError> {
        let mut scanner = Scanner::new(text);
        let mut delimited = Self {
            first: Vec::new(),
            last: None,
        };
        loop {
            if scanner.eat("...") {
                if delimited.last.replace(Vec::new()).is_some() {
                    return Err(PatternError::syntax("only one ellipsis is supported"));
                }
            } else {
                let field = field(&mut scanner)?;
                delimited
                    .last
                    .as_mut()
                    .unwrap_or(&mut delimited.first)
                    .push(field);
            }
            if scanner.is_at_end() {
                return Ok(delimited);
            }
            if !scanner.eat(",") {
                return Err(PatternError::syntax(format!(
                    "unexpected {:?} in a space-delimited pattern",
                    scanner.rest()
                )));
            }
        }
    }

    pub(super) fn match_message(&self, message: &str) -> bool {
        let fields = split(message);
        let ends = self.last.as_deref().unwrap_or_default();
        let named = self.first.len().saturating_add(ends.len());
        let fits = if self.last.is_some() {
            fields.len() >= named
        } else {
            fields.len() == named
        };
        fits && self
            .first
            .iter()
            .zip(&fields)
            .all(|(field, value)| field.matches(value))
            && ends
                .iter()
                .rev()
                .zip(fields.iter().rev())
                .all(|(field, value)| field.matches(value))
    }
}

fn field(scanner: &mut Scanner<'_>) -> Result<Field, PatternError> {
    let name = scanner.word(&NAME_STOPS);
    if name.is_empty() {
        // An empty place between commas is a field that may be anything.
        let is_empty = scanner.is_at_end() || scanner.rest().starts_with(',');
        return if is_empty {
            Ok(Field(Vec::new()))
        } else {
            Err(PatternError::syntax("a field has no name"))
        };
    }
    if !name
        .chars()
        .all(|next| next.is_alphanumeric() || "_-$.".contains(next))
    {
        return Err(PatternError::Characters(name.to_owned()));
    }
    let Some(first) = Comparison::parse(scanner, &STOPS)? else {
        return Ok(Field(Vec::new()));
    };
    let mut first = Some(first);
    separated(scanner, "||", |scanner| {
        separated(scanner, "&&", |scanner| match first.take() {
            Some(first) => Ok(first),
            None => again(scanner, name),
        })
    })
    .map(Field)
}

/// A further comparison of the field that is already named.
fn again(scanner: &mut Scanner<'_>, name: &str) -> Result<Comparison, PatternError> {
    if scanner.word(&NAME_STOPS) != name {
        return Err(PatternError::syntax(format!(
            "conditions joined to those of {name} must name it again"
        )));
    }
    Comparison::parse(scanner, &STOPS)?.ok_or_else(|| PatternError::syntax(format!("{name} is not compared")))
}

/// The fields of a message.
fn split(message: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = message.trim();
    while let Some(first) = rest.chars().next() {
        let close = match first {
            '[' => Some(']'),
            '"' => Some('"'),
            _ => None,
        };
        let enclosed = close.and_then(|close| rest.get(1..)?.split_once(close));
        let (field, remaining) =
            enclosed.unwrap_or_else(|| rest.split_once(char::is_whitespace).unwrap_or((rest, "")));
        fields.push(field);
        rest = remaining.trim_start();
    }
    fields
}
