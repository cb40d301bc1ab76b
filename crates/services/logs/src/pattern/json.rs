//! JSON patterns: `{ ($.status >= 500 || $.error IS TRUE) && $.user.roles[*] = "adm*" }`.
//!
//! A comparison needs a value to compare: it does not hold, not even with `!=`, where the selector finds
//! nothing, an object or an array. Source: "JSON special considerations" on the page named in the parent
//! module.

use serde_json::Value;

use super::comparison::Comparison;
use super::scanner::Scanner;
use super::{PatternError, separated};

/// How deep parentheses may be nested.
const DEPTH: usize = 64;

/// What ends a bare value.
const STOPS: [char; 4] = [')', '&', '|', '('];

/// A condition on a JSON message.
#[derive(Debug)]
pub(crate) struct Json(Condition);

#[derive(Debug)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Test(Selector, Test),
}

#[derive(Debug)]
enum Test {
    Compares(Comparison),
    IsNull,
    Is(bool),
    Exists,
    DoesNotExist,
}

/// Steps from the root.
#[derive(Debug)]
struct Selector(Vec<Step>);

#[derive(Debug)]
enum Step {
    Property(String),
    Element(usize),
    EveryElement,
}

impl Json {
    pub(super) fn parse(text: &str) -> Result<Self, PatternError> {
        let mut scanner = Scanner::new(text);
        let condition = any(&mut scanner, 0)?;
        if scanner.is_at_end() {
            Ok(Self(condition))
        } else {
            Err(PatternError::syntax(format!(
                "unexpected {:?} in a JSON pattern",
                scanner.rest()
            )))
        }
    }

    /// A message that is not JSON does not match.
    pub(super) fn match_message(&self, message: &str) -> bool {
        serde_json::from_str(message).is_ok_and(|value: Value| self.0.holds(&value))
    }
}

impl Condition {
    fn holds(&self, root: &Value) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(root)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(root)),
            Self::Test(selector, test) => {
                let found = selector.find(root);
                match test {
                    Test::Compares(comparison) => found.iter().any(|value| compares(comparison, value)),
                    Test::IsNull => found.iter().any(|value| value.is_null()),
                    Test::Is(wanted) => found.iter().any(|value| value.as_bool() == Some(*wanted)),
                    Test::Exists => !found.is_empty(),
                    Test::DoesNotExist => found.is_empty(),
                }
            }
        }
    }
}

fn compares(comparison: &Comparison, value: &Value) -> bool {
    match value {
        Value::String(text) => comparison.matches_text(text),
        Value::Number(number) => comparison.matches_text(&number.to_string()),
        Value::Bool(truth) => comparison.matches_text(if *truth { "true" } else { "false" }),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

impl Selector {
    fn find<'a>(&self, root: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![root];
        for step in &self.0 {
            found = found
                .into_iter()
                .flat_map(|value| match step {
                    Step::Property(name) => value
                        .as_object()
                        .and_then(|object| object.get(name))
                        .into_iter()
                        .collect(),
                    Step::Element(index) => value
                        .as_array()
                        .and_then(|array| array.get(*index))
                        .into_iter()
                        .collect(),
                    Step::EveryElement => value
                        .as_array()
                        .map(|array| array.iter().collect::<Vec<_>>())
                        .unwrap_or_default(),
                })
                .collect();
        }
        found
    }
}

fn any(scanner: &mut Scanner<'_>, depth: usize) -> Result<Condition, PatternError> {
    separated(scanner, "||", |scanner| all(scanner, depth)).map(Condition::Any)
}

fn all(scanner: &mut Scanner<'_>, depth: usize) -> Result<Condition, PatternError> {
    separated(scanner, "&&", |scanner| single(scanner, depth)).map(Condition::All)
}

fn single(scanner: &mut Scanner<'_>, depth: usize) -> Result<Condition, PatternError> {
    if !scanner.eat("(") {
        let selector = selector(scanner)?;
        return test(scanner).map(|test| Condition::Test(selector, test));
    }
    if depth >= DEPTH {
        return Err(PatternError::syntax(format!(
            "parentheses are nested more than {DEPTH} deep"
        )));
    }
    let condition = any(scanner, depth.saturating_add(1))?;
    if scanner.eat(")") {
        Ok(condition)
    } else {
        Err(PatternError::syntax("a parenthesis is not closed"))
    }
}

fn test(scanner: &mut Scanner<'_>) -> Result<Test, PatternError> {
    if scanner.eat_word("IS") {
        return match () {
            () if scanner.eat_word("NULL") => Ok(Test::IsNull),
            () if scanner.eat_word("TRUE") => Ok(Test::Is(true)),
            () if scanner.eat_word("FALSE") => Ok(Test::Is(false)),
            () => Err(PatternError::syntax("IS must be followed by NULL, TRUE or FALSE")),
        };
    }
    if scanner.eat_word("NOT") {
        return if scanner.eat_word("EXISTS") {
            Ok(Test::DoesNotExist)
        } else {
            Err(PatternError::syntax("NOT must be followed by EXISTS"))
        };
    }
    if scanner.eat_word("EXISTS") {
        return Ok(Test::Exists);
    }
    let comparison = Comparison::parse(scanner, &STOPS)?;
    comparison.map(Test::Compares).ok_or_else(|| {
        PatternError::syntax("a selector must be followed by =, !=, <, <=, >, >=, IS, EXISTS or NOT EXISTS")
    })
}

fn selector(scanner: &mut Scanner<'_>) -> Result<Selector, PatternError> {
    if !scanner.eat("$") {
        return Err(PatternError::syntax(
            "a JSON pattern compares selectors, which begin with $",
        ));
    }
    let mut steps = Vec::new();
    loop {
        if scanner.eat("[") {
            steps.push(bracket(scanner)?);
        } else if scanner.eat(".") {
            if scanner.eat("[") {
                steps.push(bracket(scanner)?);
                continue;
            }
            let name = scanner.run(|next| next.is_alphanumeric() || next == '-' || next == '_');
            if name.is_empty() {
                return Err(PatternError::syntax("a selector has an empty property name"));
            }
            steps.push(Step::Property(name.to_owned()));
        } else if steps.is_empty() {
            return Err(PatternError::syntax(
                "a selector must name a property, such as $.eventName",
            ));
        } else {
            return Ok(Selector(steps));
        }
    }
}

/// `0]`, `*]`, `'name']` or `"name"]`.
fn bracket(scanner: &mut Scanner<'_>) -> Result<Step, PatternError> {
    let step = if scanner.eat("*") {
        Step::EveryElement
    } else if scanner.eat("'") {
        let name = scanner.run(|next| next != '\'').to_owned();
        if !scanner.eat("'") {
            return Err(PatternError::syntax(
                "a property name in quotation marks is not closed",
            ));
        }
        Step::Property(name)
    } else if let Some(name) = scanner.quoted()? {
        Step::Property(name)
    } else {
        let index = scanner.word(&[']']);
        let index = index
            .parse()
            .map_err(|_| PatternError::syntax(format!("{index:?} is not an array index")))?;
        Step::Element(index)
    };
    if scanner.eat("]") {
        Ok(step)
    } else {
        Err(PatternError::syntax("a bracket in a selector is not closed"))
    }
}
