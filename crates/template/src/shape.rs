//! The types of properties: what may stand where, and how a scalar becomes the type its place asks for.
//!
//! CloudFormation turns scalars into the type of their property: `MemorySize: '256'` is a number, and `PORT: 8080` in an
//! environment is a string. A property or key a shape does not have is unsupported, not an error.

use serde_json::{Map, Value};

use crate::error::{Problem, TemplateError};
use crate::evaluate::Evaluator;
use crate::node::{Content, Entry, Node, number};
use crate::path::Path;

/// What may stand in a place.
#[derive(Debug)]
pub(crate) enum Shape {
    Text,
    Integer,
    Boolean,
    /// Any JSON, such as a policy document.
    Document,
    /// Where the code of a function is: a local path, or one of the keys.
    TextOr(&'static [(&'static str, Shape)]),
    List(&'static Shape),
    /// Free keys with values that are strings.
    TextMap,
    Object(&'static [(&'static str, Shape)]),
}

use Shape::{Boolean, Integer, List, Object, Text};

pub(crate) type Properties = &'static [(&'static str, Shape)];

pub(crate) const TAGS: Shape = List(&Object(&[("Key", Text), ("Value", Text)]));
pub(crate) const TEXTS: Shape = List(&Text);
pub(crate) const CODE: Shape = Shape::TextOr(&[
    ("ZipFile", Text),
    ("S3Bucket", Text),
    ("S3Key", Text),
    ("S3ObjectVersion", Text),
]);
pub(crate) const INLINE_POLICIES: Shape = List(&Object(&[
    ("PolicyName", Text),
    ("PolicyDocument", Shape::Document),
]));
pub(crate) const ENVIRONMENT: Shape = Object(&[("Variables", Shape::TextMap)]);
pub(crate) const EPHEMERAL_STORAGE: Shape = Object(&[("Size", Integer)]);
pub(crate) const ATTRIBUTE_DEFINITIONS: Shape =
    List(&Object(&[("AttributeName", Text), ("AttributeType", Text)]));
pub(crate) const KEY_SCHEMA: Shape = List(&Object(&[("AttributeName", Text), ("KeyType", Text)]));
pub(crate) const THROUGHPUT: Shape =
    Object(&[("ReadCapacityUnits", Integer), ("WriteCapacityUnits", Integer)]);
pub(crate) const TIME_TO_LIVE: Shape = Object(&[("AttributeName", Text), ("Enabled", TRUTH)]);
const PROJECTION: Shape = Object(&[("ProjectionType", Text), ("NonKeyAttributes", TEXTS)]);
pub(crate) const GLOBAL_INDEXES: Shape = List(&Object(&[
    ("IndexName", Text),
    ("KeySchema", KEY_SCHEMA),
    ("Projection", PROJECTION),
    ("ProvisionedThroughput", THROUGHPUT),
]));
pub(crate) const LOCAL_INDEXES: Shape = List(&Object(&[
    ("IndexName", Text),
    ("KeySchema", KEY_SCHEMA),
    ("Projection", PROJECTION),
]));
pub(crate) const TRUTH: Shape = Boolean;

/// Look a property up.
pub(crate) fn property(properties: Properties, name: &str) -> Option<&'static Shape> {
    properties
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, shape)| shape)
}

impl Shape {
    /// An evaluated node as JSON of this shape. Keys the shape does not have are left out; `Plan` has named them.
    pub(crate) fn json(&self, node: &Node, path: &Path<'_>) -> Result<Value, TemplateError> {
        let scalar = |expected: &str| node.scalar_text().ok_or_else(|| node.wrong_kind(expected, path));
        match self {
            Self::Text => Ok(Value::String(scalar("a string")?.to_owned())),
            Self::TextOr(_) if node.scalar_text().is_some() => {
                Ok(Value::String(scalar("a string")?.to_owned()))
            }
            Self::Integer => {
                let text = scalar("a whole number")?;
                match number(text).filter(|number| number.is_i64() || number.is_u64()) {
                    Some(number) => Ok(Value::Number(number)),
                    None => Err(node.wrong_kind("a whole number", path)),
                }
            }
            Self::Boolean => match scalar("true or false")? {
                text if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
                text if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
                _ => Err(node.wrong_kind("true or false", path)),
            },
            Self::Document => Ok(node.to_json()),
            Self::List(item) => {
                let items = node.as_list(path)?.iter().enumerate();
                items
                    .map(|(index, node)| item.json(node, &path.index(index)))
                    .collect()
            }
            Self::TextMap => {
                let entries = node.as_map(path)?.iter();
                entries
                    .map(|entry| Ok((entry.key.clone(), Text.json(&entry.value, &path.key(&entry.key))?)))
                    .collect()
            }
            Self::Object(properties) | Self::TextOr(properties) => {
                let mut object = Map::new();
                for entry in node.as_map(path)? {
                    if let Some(shape) = property(properties, &entry.key) {
                        object.insert(
                            entry.key.clone(),
                            shape.json(&entry.value, &path.key(&entry.key))?,
                        );
                    }
                }
                Ok(Value::Object(object))
            }
        }
    }

    /// Call `found` with the path and line of every key in `node` that the shape does not have. Seen through are
    /// `Fn::If` and `AWS::NoValue`; values other intrinsic functions will give are not looked at.
    pub(crate) fn unknown_keys<'n>(
        &self,
        node: &'n Node,
        path: &Path<'_>,
        evaluator: &Evaluator<'_>,
        found: &mut dyn FnMut(String, &'n Entry),
    ) -> Result<(), TemplateError> {
        let Some(node) = evaluator.choose(node, path)? else {
            return Ok(());
        };
        if node.intrinsic().is_some() {
            return Ok(());
        }
        match (self, &node.content) {
            (Self::List(item), Content::List(items)) => {
                for (index, node) in items.iter().enumerate() {
                    item.unknown_keys(node, &path.index(index), evaluator, found)?;
                }
            }
            (Self::Object(properties) | Self::TextOr(properties), Content::Map(entries)) => {
                for entry in entries {
                    let path = path.key(&entry.key);
                    match property(properties, &entry.key) {
                        Some(shape) => shape.unknown_keys(&entry.value, &path, evaluator, found)?,
                        None if evaluator.choose(&entry.value, &path)?.is_some() => {
                            found(path.to_string(), entry);
                        }
                        None => {}
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Refuse a value that only one of a few words may be.
pub(crate) fn one_of(node: &Node, path: &Path<'_>, allowed: &[&str]) -> Result<(), TemplateError> {
    match node.scalar_text() {
        Some(text) if allowed.contains(&text) => Ok(()),
        _ => {
            let reason = format!("expected one of {}; choose one", allowed.join(", "));
            Err(node.error(Problem::Value { reason }, path))
        }
    }
}
