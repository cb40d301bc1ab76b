//! DynamoDB's `AttributeValue`, as the union it is.
//!
//! AWS's model writes it as a structure of ten optional members of which exactly one is set. An enumeration says
//! so, and is a fraction of the size.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{ConversionError, FromValue, IntoValue, Value};

/// The value of an item's attribute.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeValue {
    /// Text.
    S(String),
    /// A number in decimal notation, not checked here.
    N(String),
    /// Bytes.
    B(Bytes),
    /// A set of texts.
    Ss(Vec<String>),
    /// A set of numbers.
    Ns(Vec<String>),
    /// A set of bytes.
    Bs(Vec<Bytes>),
    /// A map.
    M(BTreeMap<String, AttributeValue>),
    /// A list.
    L(Vec<AttributeValue>),
    /// Null, where `true`.
    Null(bool),
    /// Truth value.
    Bool(bool),
}

/// What DynamoDB says of `{}`.
pub(crate) const EMPTY: &str =
    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
/// What DynamoDB says of two members.
pub(crate) const AMBIGUOUS: &str = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes";

impl AttributeValue {
    /// Name of its data type: `S`, `N`, `B`, `SS`, `NS`, `BS`, `M`, `L`, `NULL` or `BOOL`.
    pub fn data_type(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Ss(_) => "SS",
            Self::Ns(_) => "NS",
            Self::Bs(_) => "BS",
            Self::M(_) => "M",
            Self::L(_) => "L",
            Self::Null(_) => "NULL",
            Self::Bool(_) => "BOOL",
        }
    }
}

impl FromValue for AttributeValue {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        let Value::Map(entries) = value else {
            return Err(ConversionError::mismatch("attribute value", &value));
        };
        let mut entries = entries.into_iter();
        let Some((name, value)) = entries.next() else {
            return Err(ConversionError::new(EMPTY));
        };
        if entries.next().is_some() {
            return Err(ConversionError::new(AMBIGUOUS));
        }
        match &*name {
            "S" => String::from_value(value).map(Self::S),
            "N" => String::from_value(value).map(Self::N),
            "B" => Bytes::from_value(value).map(Self::B),
            "SS" => Vec::from_value(value).map(Self::Ss),
            "NS" => Vec::from_value(value).map(Self::Ns),
            "BS" => Vec::from_value(value).map(Self::Bs),
            "M" => BTreeMap::from_value(value).map(Self::M),
            "L" => Vec::from_value(value).map(Self::L),
            "NULL" => bool::from_value(value).map(Self::Null),
            "BOOL" => bool::from_value(value).map(Self::Bool),
            _ => Err(ConversionError::new(EMPTY)),
        }
        .map_err(|error| error.within(&name))
    }
}

impl IntoValue for AttributeValue {
    fn into_value(self) -> Value {
        let name = self.data_type();
        let value = match self {
            Self::S(text) | Self::N(text) => Value::String(text),
            Self::B(bytes) => Value::Blob(bytes),
            Self::Ss(texts) | Self::Ns(texts) => texts.into_value(),
            Self::Bs(blobs) => blobs.into_value(),
            Self::M(entries) => entries.into_value(),
            Self::L(elements) => elements.into_value(),
            Self::Null(flag) | Self::Bool(flag) => Value::Boolean(flag),
        };
        Value::Map(vec![(Cow::Borrowed(name), value)])
    }
}
