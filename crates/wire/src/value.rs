//! The one value every protocol decodes to and encodes from.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;

use crate::ByteStream;

/// What a map or a structure holds, in order. Keys of structures are the model's member names.
pub type Entries = Vec<(Cow<'static, str>, Value)>;

/// A value of a service's data.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// JSON's `null`, where it carries meaning (a sparse list); an absent member is simply not there.
    Null,
    /// Truth value.
    Boolean(bool),
    /// 32-bit or 64-bit integer.
    Integer(i64),
    /// Floating point.
    Float(f64),
    /// Text.
    String(String),
    /// Bytes in memory.
    Blob(Bytes),
    /// A point in time.
    Timestamp(Timestamp),
    /// A list.
    List(Vec<Value>),
    /// A map, or a structure by member name.
    Map(Entries),
    /// Bytes that may be in a file.
    Stream(ByteStream),
}

impl Value {
    /// A structure or map without entries.
    pub const fn empty() -> Self {
        Self::Map(Vec::new())
    }

    /// The member or entry `name`, if this is a map that has it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Map(entries) => entries
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements, if this is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The entries, if this is a map.
    pub fn as_map(&self) -> Option<&[(Cow<'static, str>, Value)]> {
        match self {
            Self::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// What it is, in the words of an error message.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Integer(_) => "integer",
            Self::Float(_) => "float",
            Self::String(_) => "string",
            Self::Blob(_) => "blob",
            Self::Timestamp(_) => "timestamp",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Stream(_) => "stream",
        }
    }
}

/// Shows the structure but no content: a value has no shape here, so what is sensitive cannot be told.
impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null | Self::Boolean(_) | Self::Integer(_) | Self::Float(_) | Self::Timestamp(_) => {
                formatter.write_str(self.kind())
            }
            Self::String(text) => write!(formatter, "string({} bytes)", text.len()),
            Self::Blob(bytes) => write!(formatter, "blob({} bytes)", bytes.len()),
            Self::Stream(stream) => write!(formatter, "stream({} bytes)", stream.len()),
            Self::List(elements) => formatter.debug_list().entries(elements).finish(),
            Self::Map(entries) => formatter
                .debug_map()
                .entries(entries.iter().map(|(key, value)| (key, value)))
                .finish(),
        }
    }
}

macro_rules! from {
    ($($source:ty => |$value:ident| $made:expr;)*) => {
        $(impl From<$source> for Value {
            fn from($value: $source) -> Self {
                $made
            }
        })*
    };
}

from! {
    bool => |value| Self::Boolean(value);
    i32 => |value| Self::Integer(i64::from(value));
    i64 => |value| Self::Integer(value);
    u32 => |value| Self::Integer(i64::from(value));
    f64 => |value| Self::Float(value);
    String => |value| Self::String(value);
    &str => |value| Self::String(value.to_owned());
    Bytes => |value| Self::Blob(value);
    Timestamp => |value| Self::Timestamp(value);
    ByteStream => |value| Self::Stream(value);
    Vec<Value> => |value| Self::List(value);
    Entries => |value| Self::Map(value);
}
