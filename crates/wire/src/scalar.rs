//! Scalars written as text: in headers, query strings, forms and XML.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::{Shape, ShapeKind, TimestampFormat, Value, time};

/// `text` as a value of `shape`; `format` is how the place writes timestamps unless shape or member say otherwise.
/// `None` when it is not one.
pub(crate) fn parse(
    shape: &Shape,
    text: &str,
    member_format: Option<TimestampFormat>,
    format: TimestampFormat,
) -> Option<Value> {
    match shape.kind {
        ShapeKind::String => Some(Value::String(text.to_owned())),
        ShapeKind::Integer => text
            .trim()
            .parse::<i32>()
            .ok()
            .map(|number| Value::Integer(i64::from(number))),
        ShapeKind::Long => text.trim().parse::<i64>().ok().map(Value::Integer),
        ShapeKind::Float | ShapeKind::Double => text.trim().parse::<f64>().ok().map(Value::Float),
        ShapeKind::Boolean if text.trim().eq_ignore_ascii_case("true") => Some(Value::Boolean(true)),
        ShapeKind::Boolean if text.trim().eq_ignore_ascii_case("false") => Some(Value::Boolean(false)),
        ShapeKind::Timestamp { format: own } => {
            time::parse(text.trim(), member_format.or(own).unwrap_or(format)).map(Value::Timestamp)
        }
        ShapeKind::Blob { .. } => STANDARD
            .decode(text.trim().as_bytes())
            .ok()
            .map(|bytes| Value::Blob(Bytes::from(bytes))),
        _ => None,
    }
}

/// The text of a scalar, or `None` when `value` is not of `shape`.
pub(crate) fn print(
    shape: &Shape,
    value: &Value,
    member_format: Option<TimestampFormat>,
    format: TimestampFormat,
) -> Option<String> {
    match (shape.kind, value) {
        (ShapeKind::String, Value::String(text)) => Some(text.clone()),
        (
            ShapeKind::Integer | ShapeKind::Long | ShapeKind::Float | ShapeKind::Double,
            Value::Integer(number),
        ) => Some(number.to_string()),
        (ShapeKind::Float | ShapeKind::Double, Value::Float(number)) => Some(number.to_string()),
        (ShapeKind::Boolean, Value::Boolean(flag)) => Some(flag.to_string()),
        (ShapeKind::Timestamp { format: own }, Value::Timestamp(timestamp)) => {
            Some(time::print(*timestamp, member_format.or(own).unwrap_or(format)))
        }
        (ShapeKind::Blob { .. }, Value::Blob(bytes)) => Some(STANDARD.encode(bytes)),
        _ => None,
    }
}
