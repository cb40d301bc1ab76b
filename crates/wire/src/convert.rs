//! Between [`Value`] and the generated structures.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;

use crate::value::Entries;
use crate::{ByteStream, Value};

/// A value that does not have the type a structure wants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", if path.is_empty() { "input" } else { path })]
pub struct ConversionError {
    path: String,
    problem: Cow<'static, str>,
}

impl ConversionError {
    /// An error about the value itself; the path is filled in on the way up.
    pub fn new(problem: impl Into<Cow<'static, str>>) -> Self {
        Self {
            path: String::new(),
            problem: problem.into(),
        }
    }

    /// `expected` was wanted, `found` is there.
    pub fn mismatch(expected: &'static str, found: &Value) -> Self {
        Self::new(format!("expected {expected}, found {}", found.kind()))
    }

    /// Says which member, key or position the value has in its parent.
    #[must_use]
    pub fn within(mut self, parent: &str) -> Self {
        self.path = if self.path.is_empty() {
            parent.to_owned()
        } else {
            format!("{parent}.{}", self.path)
        };
        self
    }

    /// Where: member names from the outside in, joined by dots; empty for the value itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong there.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

/// Made from a decoded value.
pub trait FromValue: Sized {
    /// Converts.
    ///
    /// # Errors
    /// The value has another type, lacks a required member, or a number does not fit.
    fn from_value(value: Value) -> Result<Self, ConversionError>;
}

/// Turned into a value for encoding.
pub trait IntoValue {
    /// Converts.
    fn into_value(self) -> Value;
}

macro_rules! same {
    ($($type:ty, $variant:ident, $expected:literal;)*) => {
        $(impl FromValue for $type {
            fn from_value(value: Value) -> Result<Self, ConversionError> {
                match value {
                    Value::$variant(inner) => Ok(inner),
                    other => Err(ConversionError::mismatch($expected, &other)),
                }
            }
        }
        impl IntoValue for $type {
            fn into_value(self) -> Value {
                Value::$variant(self)
            }
        })*
    };
}

same! {
    bool, Boolean, "boolean";
    i64, Integer, "integer";
    String, String, "string";
    Bytes, Blob, "blob";
    Timestamp, Timestamp, "timestamp";
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        Ok(value)
    }
}

impl IntoValue for Value {
    fn into_value(self) -> Value {
        self
    }
}

impl FromValue for ByteStream {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        match value {
            Value::Stream(stream) => Ok(stream),
            Value::Blob(bytes) => Ok(Self::Memory(bytes)),
            other => Err(ConversionError::mismatch("stream", &other)),
        }
    }
}

impl IntoValue for ByteStream {
    fn into_value(self) -> Value {
        Value::Stream(self)
    }
}

impl FromValue for i32 {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        match value {
            Value::Integer(number) => {
                Self::try_from(number).map_err(|_| ConversionError::new("number does not fit 32 bits"))
            }
            other => Err(ConversionError::mismatch("integer", &other)),
        }
    }
}

impl IntoValue for i32 {
    fn into_value(self) -> Value {
        Value::Integer(i64::from(self))
    }
}

impl FromValue for f64 {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        match value {
            Value::Float(number) => Ok(number),
            other => Err(ConversionError::mismatch("float", &other)),
        }
    }
}

impl IntoValue for f64 {
    fn into_value(self) -> Value {
        Value::Float(self)
    }
}

/// The input or output of an operation that has none.
impl FromValue for () {
    fn from_value(_: Value) -> Result<Self, ConversionError> {
        Ok(())
    }
}

impl IntoValue for () {
    fn into_value(self) -> Value {
        Value::empty()
    }
}

impl<T: FromValue> FromValue for Box<T> {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        T::from_value(value).map(Self::new)
    }
}

impl<T: IntoValue> IntoValue for Box<T> {
    fn into_value(self) -> Value {
        (*self).into_value()
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        match value {
            Value::List(elements) => elements
                .into_iter()
                .enumerate()
                .map(|(position, element)| {
                    T::from_value(element).map_err(|error| error.within(&position.to_string()))
                })
                .collect(),
            other => Err(ConversionError::mismatch("list", &other)),
        }
    }
}

impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(IntoValue::into_value).collect())
    }
}

impl<T: FromValue> FromValue for BTreeMap<String, T> {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        match value {
            Value::Map(entries) => entries
                .into_iter()
                .map(|(key, entry)| match T::from_value(entry) {
                    Ok(converted) => Ok((key.into_owned(), converted)),
                    Err(error) => Err(error.within(&key)),
                })
                .collect(),
            other => Err(ConversionError::mismatch("map", &other)),
        }
    }
}

impl<T: IntoValue> IntoValue for BTreeMap<String, T> {
    fn into_value(self) -> Value {
        Value::Map(
            self.into_iter()
                .map(|(key, value)| (Cow::Owned(key), value.into_value()))
                .collect(),
        )
    }
}

/// Reads the members of a structure; generated code is written against it.
pub struct Fields {
    entries: Entries,
}

impl Fields {
    /// # Errors
    /// `value` is no structure.
    pub fn new(value: Value) -> Result<Self, ConversionError> {
        match value {
            Value::Map(entries) => Ok(Self { entries }),
            other => Err(ConversionError::mismatch("structure", &other)),
        }
    }

    /// Takes the member `name` out, if it is there.
    ///
    /// # Errors
    /// It has another type.
    pub fn optional<T: FromValue>(&mut self, name: &'static str) -> Result<Option<T>, ConversionError> {
        match self.take(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => T::from_value(value).map(Some).map_err(|error| error.within(name)),
        }
    }

    /// Takes the member `name` out.
    ///
    /// # Errors
    /// It is missing or has another type.
    pub fn required<T: FromValue>(&mut self, name: &'static str) -> Result<T, ConversionError> {
        self.optional(name)?
            .ok_or_else(|| ConversionError::new("required, but missing").within(name))
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let position = self.entries.iter().position(|(key, _)| key == name)?;
        Some(self.entries.swap_remove(position).1)
    }
}

/// Collects the members of a structure; generated code is written against it.
pub struct Members {
    entries: Entries,
}

impl Members {
    /// Room for `capacity` members.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            entries: Vec::with_capacity(capacity),
        }
    }

    /// Adds a member.
    pub fn put(&mut self, name: &'static str, value: impl IntoValue) {
        self.entries.push((Cow::Borrowed(name), value.into_value()));
    }

    /// Adds a member that is there.
    pub fn put_optional(&mut self, name: &'static str, value: Option<impl IntoValue>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// The structure.
    pub fn into_value(self) -> Value {
        Value::Map(self.entries)
    }
}

/// Stands for a sensitive member in `Debug` output.
pub struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[hidden]")
    }
}
