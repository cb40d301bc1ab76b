//! The template as a tree in which everything knows where it stands.
//!
//! Evaluation turns nodes into nodes, so that an error in a property's type can still name line and column.

use serde_json::Value;

use crate::error::{Position, Problem, TemplateError};
use crate::path::Path;

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) content: Content,
    pub(crate) at: Position,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Null,
    Bool(bool),
    /// A number as written, because `1.10` turned into text must stay `1.10`.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value, in the order of the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: Position,
    pub(crate) value: Node,
}

impl Node {
    pub(crate) fn text(text: impl Into<String>, at: Position) -> Self {
        Self {
            content: Content::Text(text.into()),
            at,
        }
    }

    pub(crate) fn list(items: Vec<Node>, at: Position) -> Self {
        Self {
            content: Content::List(items),
            at,
        }
    }

    /// A map whose keys stand where it stands itself.
    pub(crate) fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Node)>, at: Position) -> Self {
        let entries = entries
            .into_iter()
            .map(|(key, value)| Entry {
                key: key.into(),
                at,
                value,
            })
            .collect();
        Self {
            content: Content::Map(entries),
            at,
        }
    }

    /// JSON as nodes that all stand at `at`: for data that is not in the template's text.
    pub(crate) fn from_json(value: &Value, at: Position) -> Self {
        let content = match value {
            Value::Null => Content::Null,
            Value::Bool(value) => Content::Bool(*value),
            Value::Number(value) => Content::Number(value.to_string()),
            Value::String(value) => Content::Text(value.clone()),
            Value::Array(items) => {
                Content::List(items.iter().map(|item| Self::from_json(item, at)).collect())
            }
            Value::Object(entries) => {
                return Self::map(
                    entries
                        .iter()
                        .map(|(key, value)| (key.clone(), Self::from_json(value, at))),
                    at,
                );
            }
        };
        Self { content, at }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self.content {
            Content::Null => "null",
            Content::Bool(_) => "a boolean",
            Content::Number(_) => "a number",
            Content::Text(_) => "a string",
            Content::List(_) => "a list",
            Content::Map(_) => match self.intrinsic() {
                Some(_) => "an intrinsic function",
                None => "a map",
            },
        }
    }

    pub(crate) fn error(&self, problem: Problem, path: &Path<'_>) -> TemplateError {
        TemplateError::new(problem, path, self.at)
    }

    pub(crate) fn wrong_kind(&self, expected: impl Into<String>, path: &Path<'_>) -> TemplateError {
        self.error(
            Problem::WrongKind {
                expected: expected.into(),
                found: self.kind(),
            },
            path,
        )
    }

    pub(crate) fn as_map(&self, path: &Path<'_>) -> Result<&[Entry], TemplateError> {
        match &self.content {
            Content::Map(entries) => Ok(entries),
            _ => Err(self.wrong_kind("a map", path)),
        }
    }

    pub(crate) fn as_list(&self, path: &Path<'_>) -> Result<&[Node], TemplateError> {
        match &self.content {
            Content::List(items) => Ok(items),
            _ => Err(self.wrong_kind("a list", path)),
        }
    }

    pub(crate) fn as_text(&self, path: &Path<'_>) -> Result<&str, TemplateError> {
        match &self.content {
            Content::Text(text) => Ok(text),
            _ => Err(self.wrong_kind("a string", path)),
        }
    }

    /// A scalar as CloudFormation turns it into a string; `None` for lists, maps and null.
    pub(crate) fn scalar_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) | Content::Number(text) => Some(text),
            Content::Bool(true) => Some("true"),
            Content::Bool(false) => Some("false"),
            Content::Null | Content::List(_) | Content::Map(_) => None,
        }
    }

    /// The value of `key` if this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match &self.content {
            Content::Map(entries) => entries
                .iter()
                .find(|entry| entry.key == key)
                .map(|entry| &entry.value),
            _ => None,
        }
    }

    /// The function's name and argument if this is an intrinsic function: a map with that one key.
    pub(crate) fn intrinsic(&self) -> Option<(&str, &Node)> {
        match &self.content {
            Content::Map(entries) => match entries.as_slice() {
                [entry] if entry.key == "Ref" || entry.key.starts_with("Fn::") => {
                    Some((&entry.key, &entry.value))
                }
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn is_no_value(&self) -> bool {
        matches!(self.intrinsic(), Some(("Ref", Node { content: Content::Text(name), .. })) if name == "AWS::NoValue")
    }

    /// This value, free of intrinsic functions, as plain JSON.
    pub(crate) fn to_json(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(value) => Value::Bool(*value),
            Content::Number(text) => number(text).map_or_else(|| Value::String(text.clone()), Value::Number),
            Content::Text(text) => Value::String(text.clone()),
            Content::List(items) => items.iter().map(Node::to_json).collect(),
            Content::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.value.to_json()))
                    .collect(),
            ),
        }
    }
}

/// A number as JSON, if `text` is a decimal one; YAML's `+1`, `.5` and `1.` included.
pub(crate) fn number(text: &str) -> Option<serde_json::Number> {
    if let Ok(value) = text.parse::<i64>() {
        return Some(value.into());
    }
    if let Ok(value) = text.parse::<u64>() {
        return Some(value.into());
    }
    if !text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
    {
        return None;
    }
    text.parse::<f64>().ok().and_then(serde_json::Number::from_f64)
}
