//! Checks a decoded input against the constraints of its shape, with AWS's own sentences.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html> (`ValidationError`); the sentences are
//! those that AWS's services share.

use std::fmt::Write as _;

use crate::names::lower_first;
use crate::{Location, Member, Protocol, ServiceModel, Shape, ShapeKind, Value, WireError};

/// Most violations that one message lists.
const MAX_VIOLATIONS: usize = 50;
/// Most characters of a value that a message quotes.
const MAX_QUOTED: usize = 1_024;

/// Checks `value` against `shape`.
pub(crate) fn validate(
    model: &'static ServiceModel,
    shape: &'static Shape,
    value: &Value,
) -> Result<(), WireError> {
    if !shape.constrained {
        return Ok(());
    }
    let mut check = Check {
        model,
        violations: Vec::new(),
        missing: None,
    };
    check.value(shape, value, &mut String::new())?;
    if let (false, Some(member)) = (model.validation.constraints, check.missing) {
        return Err(missing_plainly(model, member));
    }
    let count = check.violations.len();
    if count == 0 {
        return Ok(());
    }
    let noun = if count == 1 { "error" } else { "errors" };
    Err(WireError::validation(
        model,
        format!(
            "{count} validation {noun} detected: {}",
            check.violations.join("; ")
        ),
    ))
}

/// The answer of a service that has no generic validation.
fn missing_plainly(model: &ServiceModel, member: &Member) -> WireError {
    match (member.location, model.protocol) {
        (Location::Body, Protocol::RestXml) => WireError::malformed_xml(),
        _ => WireError::validation(
            model,
            format!("The request must have a value for {}", member.location_name),
        ),
    }
}

struct Check {
    model: &'static ServiceModel,
    violations: Vec<String>,
    missing: Option<&'static Member>,
}

impl Check {
    fn violation(&mut self, shape: &Shape, value: &Value, path: &str, constraint: &str) {
        if self.violations.len() >= MAX_VIOLATIONS || !self.model.validation.constraints {
            return;
        }
        let mut text = String::from("Value ");
        // AWS leaves the value of a sensitive member out.
        if !shape.sensitive {
            let mut quoted = String::new();
            quote(&mut quoted, value);
            let quoted: String = quoted.chars().take(MAX_QUOTED).collect();
            let _ = write!(text, "'{quoted}' ");
        }
        let _ = write!(text, "at '{path}' failed to satisfy constraint: {constraint}");
        self.violations.push(text);
    }

    fn value(&mut self, shape: &'static Shape, value: &Value, path: &mut String) -> Result<(), WireError> {
        if !shape.constrained {
            return Ok(());
        }
        for broken in broken_constraints(shape, value) {
            self.violation(shape, value, path, &broken);
        }
        match (shape.kind, value) {
            (ShapeKind::Structure { members, .. }, Value::Map(_)) => {
                for member in members {
                    let length = path.len();
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(&lower_first(member.name));
                    match value.get(member.name) {
                        Some(inner) => self.value(self.model.require(member.shape)?, inner, path)?,
                        None if member.required => {
                            self.missing.get_or_insert(member);
                            if self.violations.len() < MAX_VIOLATIONS {
                                self.violations.push(format!(
                                    "Value null at '{path}' failed to satisfy constraint: Member must not be null"
                                ));
                            }
                        }
                        None => {}
                    }
                    path.truncate(length);
                }
            }
            (ShapeKind::List { member, .. }, Value::List(elements)) => {
                let inner = self.model.require(member)?;
                if is_composite(inner) {
                    for (position, element) in elements.iter().enumerate() {
                        let length = path.len();
                        let _ = write!(path, ".{}.member", position.saturating_add(1));
                        self.value(inner, element, path)?;
                        path.truncate(length);
                    }
                } else if elements
                    .iter()
                    .any(|element| !broken_constraints(inner, element).is_empty())
                {
                    self.violation(
                        shape,
                        value,
                        path,
                        &format!("Member must satisfy constraint: {}", all(inner)),
                    );
                }
            }
            (
                ShapeKind::Map {
                    key, value: inner, ..
                },
                Value::Map(entries),
            ) => {
                let key = self.model.require(key)?;
                let inner = self.model.require(inner)?;
                let breaks_key = |name: &str| !broken_constraints(key, &Value::from(name)).is_empty();
                if key.constrained && entries.iter().any(|(name, _)| breaks_key(name)) {
                    self.violation(
                        shape,
                        value,
                        path,
                        &format!("Map keys must satisfy constraint: {}", all(key)),
                    );
                }
                if entries
                    .iter()
                    .any(|(_, entry)| !broken_constraints(inner, entry).is_empty())
                {
                    self.violation(
                        shape,
                        value,
                        path,
                        &format!("Map value must satisfy constraint: {}", all(inner)),
                    );
                } else if is_composite(inner) && inner.constrained {
                    for (name, entry) in entries {
                        let length = path.len();
                        let _ = write!(path, ".{name}.member");
                        self.value(inner, entry, path)?;
                        path.truncate(length);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn is_composite(shape: &Shape) -> bool {
    matches!(
        shape.kind,
        ShapeKind::Structure { .. } | ShapeKind::List { .. } | ShapeKind::Map { .. }
    )
}

/// Length or value as the constraint measures it.
fn measure(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => i64::try_from(text.chars().count()).ok(),
        Value::Blob(bytes) => i64::try_from(bytes.len()).ok(),
        Value::Stream(stream) => i64::try_from(stream.len()).ok(),
        Value::List(elements) => i64::try_from(elements.len()).ok(),
        Value::Map(entries) => i64::try_from(entries.len()).ok(),
        Value::Integer(number) => Some(*number),
        _ => None,
    }
}

/// The constraints of `shape` itself that `value` breaks.
fn broken_constraints(shape: &Shape, value: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    if !shape.constrained {
        return broken;
    }
    if let Value::String(text) = value {
        if !shape.values.is_empty() && !shape.values.contains(&text.as_str()) {
            broken.push(enumeration(shape));
        }
        // The length bounds what the pattern has to look at.
        let fits = shape
            .maximum
            .is_none_or(|maximum| measure(value).is_some_and(|length| length <= maximum));
        if let Some(pattern) = shape.pattern.filter(|pattern| fits && !pattern.matches(text)) {
            broken.push(format!(
                "Member must satisfy regular expression pattern: {}",
                pattern.as_str()
            ));
        }
    }
    // A structure has no bounds; a float is compared as one.
    let (too_small, too_large) = match value {
        Value::Float(number) => {
            #[expect(clippy::cast_precision_loss, reason = "bounds of models are small")]
            let beyond = |bound: Option<i64>, above: bool| {
                bound.is_some_and(|bound| {
                    if above {
                        *number > bound as f64
                    } else {
                        *number < bound as f64
                    }
                })
            };
            (beyond(shape.minimum, false), beyond(shape.maximum, true))
        }
        _ => match measure(value) {
            None => (false, false),
            Some(measured) => (
                shape.minimum.is_some_and(|minimum| measured < minimum),
                shape.maximum.is_some_and(|maximum| measured > maximum),
            ),
        },
    };
    if too_large && let Some(maximum) = shape.maximum {
        broken.push(bound(shape, "less", maximum));
    }
    if too_small && let Some(minimum) = shape.minimum {
        broken.push(bound(shape, "greater", minimum));
    }
    broken
}

fn enumeration(shape: &Shape) -> String {
    format!(
        "Member must satisfy enum value set: [{}]",
        shape.values.join(", ")
    )
}

fn bound(shape: &Shape, direction: &str, bound: i64) -> String {
    let measured = match shape.kind {
        ShapeKind::Integer | ShapeKind::Long | ShapeKind::Float | ShapeKind::Double => "value",
        _ => "length",
    };
    format!("Member must have {measured} {direction} than or equal to {bound}")
}

/// All constraints of an element, as AWS lists them when one of them is broken.
fn all(shape: &Shape) -> String {
    let mut constraints = Vec::new();
    if let Some(maximum) = shape.maximum {
        constraints.push(bound(shape, "less", maximum));
    }
    if let Some(minimum) = shape.minimum {
        constraints.push(bound(shape, "greater", minimum));
    }
    if !shape.values.is_empty() {
        constraints.push(enumeration(shape));
    }
    if let Some(pattern) = shape.pattern {
        constraints.push(format!(
            "Member must satisfy regular expression pattern: {}",
            pattern.as_str()
        ));
    }
    format!("[{}]", constraints.join(", "))
}

/// A value as AWS's messages print it: `[a, b]`, `{key=value}`.
fn quote(out: &mut String, value: &Value) {
    if out.len() > MAX_QUOTED.saturating_mul(4) {
        return;
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Integer(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Float(number) => {
            let _ = write!(out, "{number:?}");
        }
        Value::String(text) => out.push_str(text),
        Value::Timestamp(timestamp) => {
            let _ = write!(out, "{timestamp}");
        }
        Value::Blob(bytes) => {
            let _ = write!(out, "java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", bytes.len());
        }
        Value::Stream(stream) => {
            let _ = write!(out, "{} bytes", stream.len());
        }
        Value::List(elements) => {
            out.push('[');
            for (position, element) in elements.iter().enumerate() {
                if position > 0 {
                    out.push_str(", ");
                }
                quote(out, element);
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for (position, (name, entry)) in entries.iter().enumerate() {
                if position > 0 {
                    out.push_str(", ");
                }
                let _ = write!(out, "{name}=");
                quote(out, entry);
            }
            out.push('}');
        }
    }
}
