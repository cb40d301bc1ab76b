//! The Query protocol's forms: `Tags.member.1.Key=a&Tags.member.1.Value=b`.

use std::borrow::Cow;

use crate::message::parse_parameters;
use crate::{
    Entries, Member, ServiceModel, Shape, ShapeIndex, ShapeKind, TimestampFormat, Value, WireError, scalar,
};

/// Deepest nesting of structures, lists and maps.
const MAX_DEPTH: usize = 16;

/// Reads the parameters of a form and a query string.
pub(crate) fn decode(
    model: &'static ServiceModel,
    shape: ShapeIndex,
    form: &[u8],
    query: &str,
) -> Result<Value, WireError> {
    let form = std::str::from_utf8(form).map_err(|_| malformed("the form is not valid UTF-8"))?;
    let mut parameters = Vec::new();
    for text in [form, query] {
        parameters.extend(parse_parameters(text).map_err(|error| malformed(error.to_string()))?);
    }
    parameters.sort();
    if let Some(pair) = parameters
        .windows(2)
        .find(|pair| matches!(pair, [left, right] if left.0 == right.0))
    {
        let name = pair.first().map(|(name, _)| name.as_str()).unwrap_or_default();
        return Err(malformed(format!("the parameter {name} is given twice")));
    }
    let reader = Reader { model, parameters };
    Ok(reader
        .value(model.require(shape)?, "", None, 0)?
        .unwrap_or_else(Value::empty))
}

fn malformed(message: impl Into<String>) -> WireError {
    WireError::new("MalformedInput", 400, message)
}

struct Reader {
    model: &'static ServiceModel,
    /// Sorted by name.
    parameters: Vec<(String, String)>,
}

impl Reader {
    fn exact(&self, name: &str) -> Option<&str> {
        let position = self
            .parameters
            .binary_search_by(|(key, _)| key.as_str().cmp(name))
            .ok()?;
        self.parameters.get(position).map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is `prefix` or lies below it.
    fn below(&self, prefix: &str) -> bool {
        let dotted = format!("{prefix}.");
        let position = self
            .parameters
            .partition_point(|(key, _)| key.as_str() < dotted.as_str());
        self.exact(prefix).is_some()
            || self
                .parameters
                .get(position)
                .is_some_and(|(key, _)| key.starts_with(&dotted))
    }

    fn value(
        &self,
        shape: &'static Shape,
        prefix: &str,
        member: Option<&Member>,
        depth: usize,
    ) -> Result<Option<Value>, WireError> {
        if depth > MAX_DEPTH {
            return Err(malformed(format!(
                "parameters are nested deeper than {MAX_DEPTH} levels"
            )));
        }
        let deeper = depth.saturating_add(1);
        match shape.kind {
            ShapeKind::Structure { members, .. } => {
                if !prefix.is_empty() && !self.below(prefix) {
                    return Ok(None);
                }
                let mut entries: Entries = Vec::new();
                for member in members {
                    let name = join(prefix, member.location_name);
                    if !self.below(&name) {
                        continue;
                    }
                    let shape = self.model.require(member.shape)?;
                    if let Some(value) = self.value(shape, &name, Some(member), deeper)? {
                        entries.push((Cow::Borrowed(member.name), value));
                    }
                }
                Ok(Some(Value::Map(entries)))
            }
            ShapeKind::List {
                member: element,
                location_name,
                flattened,
            } => {
                let flattened = flattened || member.is_some_and(|member| member.flattened);
                let base = if flattened {
                    prefix.to_owned()
                } else {
                    join(prefix, location_name.unwrap_or("member"))
                };
                let element = self.model.require(element)?;
                let mut elements = Vec::new();
                loop {
                    let name = format!("{base}.{}", elements.len().saturating_add(1));
                    if !self.below(&name) {
                        break;
                    }
                    match self.value(element, &name, None, deeper)? {
                        Some(value) => elements.push(value),
                        None => break,
                    }
                }
                // `TagKeys=` is how clients write an empty list.
                let given = !elements.is_empty() || self.exact(prefix).is_some_and(str::is_empty);
                if !given {
                    return Err(malformed(format!(
                        "the elements of {prefix} are not numbered from 1"
                    )));
                }
                Ok(Some(Value::List(elements)))
            }
            ShapeKind::Map {
                value,
                key_name,
                value_name,
                flattened,
                ..
            } => {
                let base = if flattened {
                    prefix.to_owned()
                } else {
                    join(prefix, "entry")
                };
                let value = self.model.require(value)?;
                let mut entries: Entries = Vec::new();
                loop {
                    let entry = format!("{base}.{}", entries.len().saturating_add(1));
                    let Some(key) = self.exact(&join(&entry, key_name.unwrap_or("key"))) else {
                        break;
                    };
                    let name = join(&entry, value_name.unwrap_or("value"));
                    let Some(value) = self.value(value, &name, None, deeper)? else {
                        break;
                    };
                    if entries.iter().any(|(known, _)| known == key) {
                        return Err(malformed(format!("a key of {prefix} is given twice")));
                    }
                    entries.push((Cow::Owned(key.to_owned()), value));
                }
                Ok(Some(Value::Map(entries)))
            }
            _ => match self.exact(prefix) {
                None => Ok(None),
                Some(text) => {
                    let format = member.and_then(|member| member.timestamp_format);
                    scalar::parse(shape, text, format, TimestampFormat::Iso8601)
                        .map(Some)
                        .ok_or_else(|| malformed(format!("the value of {prefix} is malformed")))
                }
            },
        }
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}.{name}")
    }
}
