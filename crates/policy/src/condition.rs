//! Condition operators: parsed once, then compared with a request's keys.
//!
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Multivalued context keys" (rules 69 to 87).

use std::cmp::Ordering;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

use crate::arn;
use crate::document;
use crate::pattern::{self, Token, plain_tokens};
use crate::template::{Piece, Template};

/// What is compared, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Text { ignore_case: bool },
    Like,
    Numeric(Order),
    Date(Order),
    Boolean,
    Binary,
    Address,
    Arn,
    Null,
}

/// Which orderings satisfy a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn accepts(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering == Ordering::Equal,
            Self::Less => ordering == Ordering::Less,
            Self::LessOrEqual => ordering != Ordering::Greater,
            Self::Greater => ordering == Ordering::Greater,
            Self::GreaterOrEqual => ordering != Ordering::Less,
        }
    }
}

/// How several values of the request are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    None,
    All,
    Any,
}

/// A condition operator with its prefix and suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator {
    quantifier: Quantifier,
    comparison: Comparison,
    negated: bool,
    if_exists: bool,
}

impl Operator {
    /// Reads an operator such as `ForAnyValue:StringNotLikeIfExists`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (quantifier, rest) = match text.split_once(':') {
            Some(("ForAllValues", rest)) => (Quantifier::All, rest),
            Some(("ForAnyValue", rest)) => (Quantifier::Any, rest),
            Some(_) => return None,
            None => (Quantifier::None, text),
        };
        let (name, if_exists) = rest
            .strip_suffix("IfExists")
            .map_or((rest, false), |name| (name, true));
        let text = |ignore_case| Comparison::Text { ignore_case };
        let (comparison, negated) = match name {
            "StringEquals" => (text(false), false),
            "StringNotEquals" => (text(false), true),
            "StringEqualsIgnoreCase" => (text(true), false),
            "StringNotEqualsIgnoreCase" => (text(true), true),
            "StringLike" => (Comparison::Like, false),
            "StringNotLike" => (Comparison::Like, true),
            "NumericEquals" => (Comparison::Numeric(Order::Equal), false),
            "NumericNotEquals" => (Comparison::Numeric(Order::Equal), true),
            "NumericLessThan" => (Comparison::Numeric(Order::Less), false),
            "NumericLessThanEquals" => (Comparison::Numeric(Order::LessOrEqual), false),
            "NumericGreaterThan" => (Comparison::Numeric(Order::Greater), false),
            "NumericGreaterThanEquals" => (Comparison::Numeric(Order::GreaterOrEqual), false),
            "DateEquals" => (Comparison::Date(Order::Equal), false),
            "DateNotEquals" => (Comparison::Date(Order::Equal), true),
            "DateLessThan" => (Comparison::Date(Order::Less), false),
            "DateLessThanEquals" => (Comparison::Date(Order::LessOrEqual), false),
            "DateGreaterThan" => (Comparison::Date(Order::Greater), false),
            "DateGreaterThanEquals" => (Comparison::Date(Order::GreaterOrEqual), false),
            "Bool" => (Comparison::Boolean, false),
            "BinaryEquals" => (Comparison::Binary, false),
            "IpAddress" => (Comparison::Address, false),
            "NotIpAddress" => (Comparison::Address, true),
            "ArnEquals" | "ArnLike" => (Comparison::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Comparison::Arn, true),
            // Rule 71: Null has neither IfExists nor set operators.
            "Null" if !if_exists && quantifier == Quantifier::None => (Comparison::Null, false),
            _ => return None,
        };
        Some(Self {
            quantifier,
            comparison,
            negated,
            if_exists,
        })
    }
}

/// A value of a document, ready to be compared.
#[derive(Debug, Clone)]
enum Expected {
    Text(String),
    Pattern(Vec<Token>),
    /// Text or pattern with policy variables.
    Variable(Template),
    ArnPattern(ArnPattern),
    Number(Decimal),
    Date(Timestamp),
    Boolean(bool),
    Bytes(Vec<u8>),
    Network(IpNet),
    /// Not of the operator's type: equal to nothing.
    Nothing,
}

#[derive(Debug, Clone)]
enum ArnPattern {
    Any,
    Segments([Vec<Token>; 6]),
    Malformed,
}

impl ArnPattern {
    fn new(pieces: &[Piece]) -> Self {
        if pieces == [Piece::Many] {
            return Self::Any;
        }
        let mut parts = pieces
            .splitn(6, |piece| *piece == Piece::Character(':'))
            .map(plain_tokens);
        let mut segments: [Vec<Token>; 6] = Default::default();
        for segment in &mut segments {
            let Some(part) = parts.next() else {
                return Self::Malformed;
            };
            *segment = part;
        }
        Self::Segments(segments)
    }

    /// Six segments matched one by one (rule 78).
    fn matches(&self, value: &str) -> bool {
        let Some(segments) = arn::segments(value).filter(|segments| segments.first() == Some(&"arn")) else {
            return false;
        };
        match self {
            Self::Any => true,
            Self::Malformed => false,
            Self::Segments(patterns) => patterns
                .iter()
                .zip(segments)
                .all(|(pattern, segment)| pattern::matches(pattern, segment, false)),
        }
    }
}

/// A condition of a statement, compiled.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    operator: Operator,
    pub(crate) key: Box<str>,
    pub(crate) operator_text: Box<str>,
    expected: Vec<Expected>,
}

/// Gives values of keys, derived ones included.
pub(crate) trait Keys {
    /// The values of a key, if it is there.
    fn values(&self, key: &str, use_values: &mut dyn FnMut(Option<&[&str]>));
    /// The value of a single-valued key, for a policy variable (rule 63).
    fn single(&self, key: &str) -> Option<String>;
}

impl Condition {
    /// Compiles a condition whose operator is known. `variables` says whether `${…}` has meaning.
    pub(crate) fn compile(condition: &document::Condition, variables: bool) -> Option<Self> {
        let operator = Operator::parse(&condition.operator)?;
        let expected = condition
            .values
            .iter()
            .map(|value| expected(operator.comparison, value, variables))
            .collect();
        Some(Self {
            operator,
            key: condition.key.as_str().into(),
            operator_text: condition.operator.as_str().into(),
            expected,
        })
    }

    /// Whether the condition holds.
    pub(crate) fn holds(&self, keys: &dyn Keys) -> bool {
        let mut holds = false;
        keys.values(&self.key, &mut |values| holds = self.holds_for(values, keys));
        holds
    }

    fn holds_for(&self, values: Option<&[&str]>, keys: &dyn Keys) -> bool {
        let Operator {
            quantifier,
            comparison,
            negated,
            if_exists,
        } = self.operator;
        if comparison == Comparison::Null {
            let absent = values.is_none_or(<[&str]>::is_empty);
            return self
                .expected
                .iter()
                .any(|expected| matches!(expected, Expected::Boolean(wanted) if *wanted == absent));
        }
        let values = match values {
            Some(values) if !values.is_empty() => values,
            // Rules 70, 71, 73, 74, 76.
            _ => {
                return if_exists
                    || match quantifier {
                        Quantifier::All => true,
                        Quantifier::Any => false,
                        Quantifier::None => negated,
                    };
            }
        };
        let satisfied = |value: &&str| self.matches_any(value, keys) != negated;
        match quantifier {
            Quantifier::All => matches!(values, [""]) || values.iter().all(satisfied),
            Quantifier::Any => values.iter().any(satisfied),
            Quantifier::None => match values {
                [only] => satisfied(only),
                // Rule 75.
                several => negated && several.iter().all(satisfied),
            },
        }
    }

    /// Whether `value` equals any of the document's values, the operator's negation left aside.
    fn matches_any(&self, value: &str, keys: &dyn Keys) -> bool {
        self.expected
            .iter()
            .any(|expected| self.matches(expected, value, keys))
    }

    fn matches(&self, expected: &Expected, value: &str, keys: &dyn Keys) -> bool {
        let ignore_case = self.operator.comparison == Comparison::Text { ignore_case: true };
        match (expected, self.operator.comparison) {
            (Expected::Text(text), _) if ignore_case => equal_ignoring_case(text, value),
            (Expected::Text(text), _) => text == value,
            (Expected::Pattern(tokens), _) => pattern::matches(tokens, value, false),
            // Rule 67: a variable without a value equals nothing, so that negated operators match.
            (Expected::Variable(template), Comparison::Like) => template
                .pieces_with(&|key| keys.single(key))
                .is_some_and(|pieces| pattern::matches(&plain_tokens(&pieces), value, false)),
            (Expected::Variable(template), Comparison::Arn) => template
                .pieces_with(&|key| keys.single(key))
                .is_some_and(|pieces| ArnPattern::new(&pieces).matches(value)),
            (Expected::Variable(template), _) => {
                template.text_with(&|key| keys.single(key)).is_some_and(|text| {
                    if ignore_case {
                        equal_ignoring_case(&text, value)
                    } else {
                        text == value
                    }
                })
            }
            (Expected::ArnPattern(pattern), _) => pattern.matches(value),
            (Expected::Number(number), Comparison::Numeric(order)) => {
                Decimal::parse(value).is_some_and(|value| order.accepts(value.cmp(number)))
            }
            (Expected::Date(date), Comparison::Date(order)) => {
                parse_date(value).is_some_and(|value| order.accepts(value.cmp(date)))
            }
            (Expected::Boolean(wanted), _) => parse_boolean(value) == Some(*wanted),
            (Expected::Bytes(bytes), _) => STANDARD.decode(value).is_ok_and(|value| value == *bytes),
            (Expected::Network(network), _) => value
                .parse::<IpAddr>()
                .is_ok_and(|address| network.contains(&address) || network.contains(&address.to_canonical())),
            (Expected::Number(_) | Expected::Date(_) | Expected::Nothing, _) => false,
        }
    }

    /// The condition keys it reads: its own, and those of its variables.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.key).chain(self.expected.iter().flat_map(|expected| match expected {
            Expected::Variable(template) => template.variables().collect(),
            _ => Vec::new(),
        }))
    }
}

fn expected(comparison: Comparison, value: &str, variables: bool) -> Expected {
    let template = || Template::parse(value, variables);
    match comparison {
        Comparison::Text { .. } => {
            let template = template();
            if template.has_variables() {
                return Expected::Variable(template);
            }
            // Without variables `${*}` still has to become `*`.
            Expected::Text(template.text_with(&|_| None).unwrap_or_default())
        }
        Comparison::Like => {
            let template = template();
            if template.has_variables() {
                return Expected::Variable(template);
            }
            Expected::Pattern(plain_tokens(&template.pieces_with(&|_| None).unwrap_or_default()))
        }
        Comparison::Arn => {
            let template = template();
            if template.has_variables() {
                Expected::Variable(template)
            } else {
                Expected::ArnPattern(ArnPattern::new(
                    &template.pieces_with(&|_| None).unwrap_or_default(),
                ))
            }
        }
        Comparison::Numeric(_) => Decimal::parse(value).map_or(Expected::Nothing, Expected::Number),
        Comparison::Date(_) => parse_date(value).map_or(Expected::Nothing, Expected::Date),
        Comparison::Boolean | Comparison::Null => {
            parse_boolean(value).map_or(Expected::Nothing, Expected::Boolean)
        }
        Comparison::Binary => STANDARD.decode(value).map_or(Expected::Nothing, Expected::Bytes),
        Comparison::Address => parse_network(value).map_or(Expected::Nothing, Expected::Network),
    }
}

fn equal_ignoring_case(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        left.eq_ignore_ascii_case(right)
    } else {
        left.to_lowercase() == right.to_lowercase()
    }
}

fn parse_boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// A CIDR block; a bare address is a block of its own (rule 83). Host bits may be set (rule 84).
fn parse_network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .ok()
}

/// W3C ISO 8601 in all its lengths, or epoch seconds (rule 81); four digits are a year (rule 82).
fn parse_date(text: &str) -> Option<Timestamp> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(text) && text.len() != 4 {
        return Timestamp::from_second(text.parse().ok()?).ok();
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    if let Some((date, time)) = text.split_once('T') {
        // Hours and minutes only: 2026-11-24T10:00Z, which needs its seconds.
        let (clock, zone) = time
            .find(['Z', '+', '-'])
            .and_then(|at| time.split_at_checked(at))?;
        return (clock.len() == 5)
            .then(|| format!("{date}T{clock}:00{zone}").parse().ok())
            .flatten();
    }
    let mut parts = text.splitn(3, '-');
    let year = parts
        .next()
        .filter(|part| part.len() == 4 && digits(part))?
        .parse()
        .ok()?;
    let mut part = || -> Option<i8> {
        match parts.next() {
            None => Some(1),
            Some(part) if part.len() == 2 && digits(part) => part.parse().ok(),
            Some(_) => None,
        }
    };
    let date = civil::Date::new(year, part()?, part()?).ok()?;
    TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()
}

/// An exact decimal number: integers and fractions, nothing after them (rule 80).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    /// Without zeros in front.
    whole: String,
    /// Without zeros at the end.
    fraction: String,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
        let valid = !(whole.is_empty() && fraction.is_empty())
            && whole
                .bytes()
                .chain(fraction.bytes())
                .all(|byte| byte.is_ascii_digit());
        if !valid {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let is_zero = whole.is_empty() && fraction.is_empty();
        Some(Self {
            negative: negative && !is_zero,
            whole,
            fraction,
        })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = || {
            self.whole
                .len()
                .cmp(&other.whole.len())
                .then_with(|| self.whole.cmp(&other.whole))
                .then_with(|| self.fraction.cmp(&other.fraction))
        };
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => magnitude(),
            (true, true) => magnitude().reverse(),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_compare_exactly() {
        let order = |left: &str, right: &str| {
            Decimal::parse(left)
                .zip(Decimal::parse(right))
                .map(|(l, r)| l.cmp(&r))
        };
        for (left, right, expected) in [
            ("10", "9", Some(Ordering::Greater)),
            ("1.50", "1.5", Some(Ordering::Equal)),
            ("-2", "-10", Some(Ordering::Greater)),
            ("-0", "0", Some(Ordering::Equal)),
            ("0.1", "0.09", Some(Ordering::Greater)),
            ("9007199254740993", "9007199254740992", Some(Ordering::Greater)),
            ("10abc", "10", None),
            ("", "0", None),
            ("1e3", "1000", None),
        ] {
            assert_eq!(order(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn dates_in_all_lengths() {
        for (left, right) in [
            ("2026-11-24T00:00:00Z", "2026-11-24"),
            ("2026-11-24T10:30Z", "2026-11-24T10:30:00Z"),
            ("2026-11-01", "2026-11"),
            ("2026-01-01", "2026"),
            ("1792800000", "2026-10-24T00:00:00Z"),
            ("2026-11-24T10:00:00+02:00", "2026-11-24T08:00:00.000Z"),
        ] {
            assert!(parse_date(left).is_some(), "{left}");
            assert_eq!(parse_date(left), parse_date(right), "{left} {right}");
        }
        for wrong in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-1-1",
            "-5",
            "2026-11-24T25:00:00Z",
        ] {
            assert_eq!(parse_date(wrong), None, "{wrong}");
        }
    }
}
