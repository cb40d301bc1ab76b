//! Comparing one value of an event with one of the pattern; the same in JSON and in space-delimited patterns.

use regex::Regex;

use super::PatternError;
use super::scanner::Scanner;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Longer ones first, so that `<` does not hide `<=`.
const OPERATORS: [(&str, Operator); 6] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// The right side.
#[derive(Debug)]
enum Operand {
    /// A number without quotation marks; as text it is compared with what is not a number.
    Number(f64, Text),
    Text(Text),
    Regular(Regex),
}

/// Text that may begin and end with `*`; anywhere else an asterisk is itself.
#[derive(Debug)]
struct Text {
    any_before: bool,
    middle: String,
    any_after: bool,
}

impl Text {
    fn new(text: &str) -> Self {
        let (any_before, rest) = text.strip_prefix('*').map_or((false, text), |rest| (true, rest));
        let (any_after, middle) = rest.strip_suffix('*').map_or((false, rest), |rest| (true, rest));
        // A lone asterisk has no second end and matches everything.
        let any_after = any_after || text == "*";
        Self {
            any_before,
            middle: middle.to_owned(),
            any_after,
        }
    }

    fn matches(&self, value: &str) -> bool {
        match (self.any_before, self.any_after) {
            (false, false) => value == self.middle,
            (false, true) => value.starts_with(&self.middle),
            (true, false) => value.ends_with(&self.middle),
            (true, true) => value.contains(&self.middle),
        }
    }
}

/// `operator value`.
#[derive(Debug)]
pub(super) struct Comparison {
    operator: Operator,
    operand: Operand,
}

impl Comparison {
    /// Reads operator and value; `None` if no operator comes next. A bare value ends at white space or one of
    /// `stops`.
    pub(super) fn parse(scanner: &mut Scanner<'_>, stops: &[char]) -> Result<Option<Self>, PatternError> {
        let Some(operator) = OPERATORS
            .iter()
            .find(|(sign, _)| scanner.eat(sign))
            .map(|(_, operator)| *operator)
        else {
            return Ok(None);
        };
        let operand = operand(scanner, stops)?;
        let compares_order = !matches!(operator, Operator::Equal | Operator::NotEqual);
        if compares_order && !matches!(operand, Operand::Number(..)) {
            return Err(PatternError::syntax("<, <=, > and >= need a number"));
        }
        Ok(Some(Self { operator, operand }))
    }

    /// Compares text of an event.
    pub(super) fn matches_text(&self, value: &str) -> bool {
        match &self.operand {
            Operand::Number(number, text) => match value.parse::<f64>() {
                Ok(value) => self.matches_order(value, *number),
                Err(_) => self.matches_equality(text.matches(value)),
            },
            Operand::Text(text) => self.matches_equality(text.matches(value)),
            Operand::Regular(expression) => self.matches_equality(expression.is_match(value)),
        }
    }

    fn matches_equality(&self, equal: bool) -> bool {
        match self.operator {
            Operator::Equal => equal,
            Operator::NotEqual => !equal,
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => false,
        }
    }

    #[expect(clippy::float_cmp, reason = "the pattern language compares numbers exactly")]
    fn matches_order(&self, value: f64, number: f64) -> bool {
        match self.operator {
            Operator::Equal => value == number,
            Operator::NotEqual => value != number,
            Operator::Less => value < number,
            Operator::LessOrEqual => value <= number,
            Operator::Greater => value > number,
            Operator::GreaterOrEqual => value >= number,
        }
    }
}

fn operand(scanner: &mut Scanner<'_>, stops: &[char]) -> Result<Operand, PatternError> {
    if let Some(text) = scanner.quoted()? {
        return Ok(Operand::Text(Text::new(&text)));
    }
    if let Some(expression) = scanner.regular_expression()? {
        return Ok(Operand::Regular(expression));
    }
    let word = scanner.word(stops);
    if word.is_empty() {
        return Err(PatternError::syntax(
            "a comparison has no value on its right side",
        ));
    }
    let is_plain = |next: char| next.is_alphanumeric() || "_-+.:/*".contains(next);
    if !word.chars().all(is_plain) {
        return Err(PatternError::Characters(word.to_owned()));
    }
    let looks_numeric = word
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    match word.parse() {
        Ok(number) if looks_numeric => Ok(Operand::Number(number, Text::new(word))),
        _ => Ok(Operand::Text(Text::new(word))),
    }
}
