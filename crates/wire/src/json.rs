//! JSON, read straight into a [`Value`] by shape and written straight from one: no document in between.
//!
//! The words of the errors are those of AWS's own JSON services (`SerializationException`).

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::attribute_value::{AMBIGUOUS, EMPTY};
use crate::{
    Entries, Location, Member, ServiceModel, Shape, ShapeIndex, ShapeKind, TimestampFormat, Value, WireError,
    time,
};

/// Deepest nesting of objects and arrays. DynamoDB's 32 levels of attributes take 67.
const MAX_DEPTH: usize = 128;
/// Deepest nesting of DynamoDB's attribute values: a leaf may be at level 32.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_ATTRIBUTE_DEPTH: usize = 32;

/// Reads a document of structure `shape`. An empty document is an empty structure.
pub(crate) fn decode(
    model: &'static ServiceModel,
    shape: ShapeIndex,
    bytes: &[u8],
) -> Result<Value, WireError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| WireError::serialization("the document is not valid UTF-8"))?;
    let shape = model.require(shape)?;
    let mut parser = Parser {
        model,
        text,
        at: 0,
        depth: 0,
        attribute_depth: 0,
    };
    parser.skip_space();
    if parser.peek().is_none() {
        return Ok(Value::empty());
    }
    let value = parser.value(shape, None)?;
    parser.skip_space();
    if parser.peek().is_some() {
        return Err(unexpected());
    }
    Ok(match value {
        Value::Null => Value::empty(),
        value => value,
    })
}

fn unexpected() -> WireError {
    WireError::serialization("Unexpected token received from parser")
}

struct Parser<'a> {
    model: &'static ServiceModel,
    text: &'a str,
    at: usize,
    depth: usize,
    attribute_depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn advance(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.advance();
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), WireError> {
        self.skip_space();
        if self.peek() == Some(byte) {
            self.advance();
            return Ok(());
        }
        Err(unexpected())
    }

    fn word(&mut self, word: &'static str) -> Result<(), WireError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.starts_with(word) {
            self.at = self.at.saturating_add(word.len());
            return Ok(());
        }
        Err(unexpected())
    }

    fn enter(&mut self) -> Result<(), WireError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(WireError::serialization(format!(
                "the document is nested deeper than {MAX_DEPTH} levels"
            )));
        }
        self.advance();
        Ok(())
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.advance();
    }

    /// After an element: whether another follows. Consumes the comma, or the closing byte by leaving.
    fn another(&mut self, close: u8) -> Result<bool, WireError> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.advance();
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.leave();
                Ok(false)
            }
            _ => Err(unexpected()),
        }
    }

    fn value(&mut self, shape: &'static Shape, format: Option<TimestampFormat>) -> Result<Value, WireError> {
        self.skip_space();
        let first = self.peek().ok_or_else(unexpected)?;
        if first == b'n' {
            self.word("null")?;
            return Ok(Value::Null);
        }
        match (shape.kind, first) {
            (ShapeKind::Structure { members, .. }, b'{') => self.structure(shape, members),
            (ShapeKind::Map { value, .. }, b'{') => self.map(value),
            (ShapeKind::List { member, .. }, b'[') => self.list(member),
            (ShapeKind::String, b'"') => Ok(Value::String(self.string()?.into_owned())),
            (ShapeKind::Blob { .. }, b'"') => {
                let text = self.string()?;
                STANDARD
                    .decode(text.as_bytes())
                    .map(|bytes| Value::Blob(Bytes::from(bytes)))
                    .map_err(|_| {
                        WireError::serialization(
                            "Invalid Base64 data: encode with padding and the standard alphabet",
                        )
                    })
            }
            (ShapeKind::Boolean, b't') => self.word("true").map(|()| Value::Boolean(true)),
            (ShapeKind::Boolean, b'f') => self.word("false").map(|()| Value::Boolean(false)),
            (ShapeKind::Integer, b'-' | b'0'..=b'9') => {
                let text = self.number()?;
                text.parse::<i32>()
                    .map(|number| Value::Integer(i64::from(number)))
                    .map_err(|_| WireError::serialization("NUMBER_VALUE cannot be converted to Integer"))
            }
            (ShapeKind::Long, b'-' | b'0'..=b'9') => {
                let text = self.number()?;
                text.parse::<i64>()
                    .map(Value::Integer)
                    .map_err(|_| WireError::serialization("NUMBER_VALUE cannot be converted to Long"))
            }
            (ShapeKind::Float | ShapeKind::Double, b'-' | b'0'..=b'9') => match self.number()?.parse::<f64>()
            {
                Ok(number) if number.is_finite() => Ok(Value::Float(number)),
                _ => Err(WireError::serialization(
                    "NUMBER_VALUE cannot be converted to Double",
                )),
            },
            (ShapeKind::Float | ShapeKind::Double, b'"') => match &*self.string()? {
                "NaN" => Ok(Value::Float(f64::NAN)),
                "Infinity" => Ok(Value::Float(f64::INFINITY)),
                "-Infinity" => Ok(Value::Float(f64::NEG_INFINITY)),
                _ => Err(WireError::serialization(
                    "STRING_VALUE cannot be converted to Double",
                )),
            },
            (ShapeKind::Timestamp { .. }, b'-' | b'0'..=b'9') => time::parse_seconds(self.number()?)
                .map(Value::Timestamp)
                .ok_or_else(|| WireError::serialization("NUMBER_VALUE cannot be converted to Timestamp")),
            (ShapeKind::Timestamp { format: own }, b'"') => {
                let format = format.or(own).unwrap_or(TimestampFormat::Iso8601);
                time::parse(&self.string()?, format)
                    .map(Value::Timestamp)
                    .ok_or_else(|| WireError::serialization("STRING_VALUE cannot be converted to Timestamp"))
            }
            (kind, first) => Err(mismatch(kind, first)),
        }
    }

    fn structure(&mut self, shape: &'static Shape, members: &'static [Member]) -> Result<Value, WireError> {
        if shape.exactly_one {
            self.attribute_depth = self.attribute_depth.saturating_add(1);
            if self.attribute_depth > MAX_ATTRIBUTE_DEPTH {
                return Err(WireError::validation(
                    self.model,
                    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond \
                     supported limit",
                ));
            }
        }
        let mut entries: Entries = Vec::new();
        self.enter()?;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.leave();
        } else {
            loop {
                self.skip_space();
                let name = self.string()?;
                self.expect(b':')?;
                let member = members
                    .iter()
                    .find(|member| member.location == Location::Body && member.location_name == name);
                match member {
                    None => self.skip_value()?,
                    Some(member) => {
                        let value = self.value(self.model.require(member.shape)?, member.timestamp_format)?;
                        if value != Value::Null {
                            if entries.iter().any(|(key, _)| key == member.name) {
                                return Err(duplicate());
                            }
                            entries.push((Cow::Borrowed(member.name), value));
                        }
                    }
                }
                if !self.another(b'}')? {
                    break;
                }
            }
        }
        if shape.exactly_one {
            self.attribute_depth = self.attribute_depth.saturating_sub(1);
            match entries.len() {
                0 => return Err(WireError::validation(self.model, EMPTY)),
                1 => {}
                _ => return Err(WireError::validation(self.model, AMBIGUOUS)),
            }
        }
        Ok(Value::Map(entries))
    }

    fn map(&mut self, value: ShapeIndex) -> Result<Value, WireError> {
        let shape = self.model.require(value)?;
        let mut entries: Entries = Vec::new();
        self.enter()?;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.leave();
            return Ok(Value::Map(entries));
        }
        loop {
            self.skip_space();
            let key = self.string()?.into_owned();
            self.expect(b':')?;
            let value = self.element(shape)?;
            entries.push((Cow::Owned(key), value));
            if !self.another(b'}')? {
                break;
            }
        }
        // A key that comes twice would mean one thing to whoever checks and another to whoever acts.
        let distinct: HashSet<&str> = entries.iter().map(|(key, _)| &**key).collect();
        if distinct.len() != entries.len() {
            return Err(duplicate());
        }
        Ok(Value::Map(entries))
    }

    fn list(&mut self, member: ShapeIndex) -> Result<Value, WireError> {
        let shape = self.model.require(member)?;
        let mut elements = Vec::new();
        self.enter()?;
        self.skip_space();
        if self.peek() == Some(b']') {
            self.leave();
            return Ok(Value::List(elements));
        }
        loop {
            elements.push(self.element(shape)?);
            if !self.another(b']')? {
                return Ok(Value::List(elements));
            }
        }
    }

    /// A value of a list or map, where none may be null.
    fn element(&mut self, shape: &'static Shape) -> Result<Value, WireError> {
        match self.value(shape, None)? {
            Value::Null if shape.exactly_one => Err(WireError::validation(self.model, EMPTY)),
            Value::Null => Err(WireError::serialization(
                "null is not allowed as an element of a list or map",
            )),
            value => Ok(value),
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, WireError> {
        if self.peek() != Some(b'"') {
            return Err(unexpected());
        }
        self.advance();
        let mut built: Option<String> = None;
        let mut start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let part = self.text.get(start..self.at).unwrap_or_default();
                    self.advance();
                    return Ok(match built {
                        None => Cow::Borrowed(part),
                        Some(mut text) => {
                            text.push_str(part);
                            Cow::Owned(text)
                        }
                    });
                }
                Some(b'\\') => {
                    let part = self.text.get(start..self.at).unwrap_or_default();
                    self.advance();
                    let letter = self.escape()?;
                    let text = built.get_or_insert_default();
                    text.push_str(part);
                    text.push(letter);
                    start = self.at;
                }
                Some(0..=0x1F) | None => return Err(unexpected()),
                Some(_) => self.advance(),
            }
        }
    }

    fn escape(&mut self) -> Result<char, WireError> {
        let escaped = self.peek().ok_or_else(unexpected)?;
        self.advance();
        Ok(match escaped {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{C}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.code_unit()?;
                let code = match first {
                    0xD800..=0xDBFF => {
                        self.word("\\u")?;
                        let second = self.code_unit()?;
                        if !(0xDC00..=0xDFFF).contains(&second) {
                            return Err(unexpected());
                        }
                        0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
                    }
                    code => code,
                };
                char::from_u32(code).ok_or_else(unexpected)?
            }
            _ => return Err(unexpected()),
        })
    }

    fn code_unit(&mut self) -> Result<u32, WireError> {
        let end = self.at.saturating_add(4);
        let digits = self.text.get(self.at..end).ok_or_else(unexpected)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(unexpected());
        }
        self.at = end;
        u32::from_str_radix(digits, 16).map_err(|_| unexpected())
    }

    /// A number token in JSON's grammar.
    fn number(&mut self) -> Result<&'a str, WireError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.advance();
        }
        match self.peek() {
            Some(b'0') => self.advance(),
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(unexpected()),
        }
        if self.peek() == Some(b'.') {
            self.advance();
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.advance();
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.advance();
            }
            self.digits()?;
        }
        if matches!(
            self.peek(),
            Some(b'0'..=b'9' | b'.' | b'+' | b'-' | b'a'..=b'z' | b'A'..=b'Z')
        ) {
            return Err(unexpected());
        }
        self.text.get(start..self.at).ok_or_else(unexpected)
    }

    fn digits(&mut self) -> Result<(), WireError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(unexpected());
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.advance();
        }
        Ok(())
    }

    /// Passes over the value of an unknown member. Recursion is bounded by [`MAX_DEPTH`].
    fn skip_value(&mut self) -> Result<(), WireError> {
        self.skip_space();
        match self.peek().ok_or_else(unexpected)? {
            b'"' => self.string().map(drop),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            b'-' | b'0'..=b'9' => self.number().map(drop),
            open @ (b'{' | b'[') => {
                let close = if open == b'{' { b'}' } else { b']' };
                self.enter()?;
                self.skip_space();
                if self.peek() == Some(close) {
                    self.leave();
                    return Ok(());
                }
                loop {
                    if open == b'{' {
                        self.skip_space();
                        self.string()?;
                        self.expect(b':')?;
                    }
                    self.skip_value()?;
                    if !self.another(close)? {
                        return Ok(());
                    }
                }
            }
            _ => Err(unexpected()),
        }
    }
}

fn duplicate() -> WireError {
    WireError::serialization("a key occurs more than once in an object")
}

fn mismatch(kind: ShapeKind, first: u8) -> WireError {
    let wanted = match kind {
        ShapeKind::Structure { .. } | ShapeKind::Map { .. } => "structure or map",
        ShapeKind::List { .. } => "list",
        ShapeKind::String => "String",
        ShapeKind::Blob { .. } => "ByteBuffer",
        ShapeKind::Integer => "Integer",
        ShapeKind::Long => "Long",
        ShapeKind::Float | ShapeKind::Double => "Double",
        ShapeKind::Boolean => "Boolean",
        ShapeKind::Timestamp { .. } => "Timestamp",
    };
    let found = match first {
        b'{' => return WireError::serialization("Start of structure or map found where not expected."),
        b'[' => return WireError::serialization("Start of list found where not expected"),
        b'"' => "STRING_VALUE",
        b't' => "TRUE_VALUE",
        b'f' => "FALSE_VALUE",
        b'-' | b'0'..=b'9' => "NUMBER_VALUE",
        _ => return unexpected(),
    };
    WireError::serialization(format!("{found} cannot be converted to {wanted}"))
}

/// Writes `value` as a document of shape `shape`.
pub(crate) fn encode(
    model: &'static ServiceModel,
    shape: ShapeIndex,
    value: &Value,
) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::with_capacity(256);
    write(&mut out, model, model.require(shape)?, value, None)?;
    Ok(out)
}

/// Writes one value of shape `shape`.
pub(crate) fn write(
    out: &mut Vec<u8>,
    model: &'static ServiceModel,
    shape: &'static Shape,
    value: &Value,
    format: Option<TimestampFormat>,
) -> Result<(), WireError> {
    match (shape.kind, value) {
        (_, Value::Null) => out.extend_from_slice(b"null"),
        (ShapeKind::Structure { members, .. }, Value::Map(entries)) => {
            out.push(b'{');
            let mut first = true;
            for (name, value) in entries {
                let member = members
                    .iter()
                    .find(|member| member.name == name && member.location == Location::Body);
                let (Some(member), false) = (member, *value == Value::Null) else {
                    continue;
                };
                if !first {
                    out.push(b',');
                }
                first = false;
                write_text(out, member.location_name);
                out.push(b':');
                write(
                    out,
                    model,
                    model.require(member.shape)?,
                    value,
                    member.timestamp_format,
                )?;
            }
            out.push(b'}');
        }
        (ShapeKind::Map { value: shape, .. }, Value::Map(entries)) => {
            let shape = model.require(shape)?;
            out.push(b'{');
            for (position, (key, value)) in entries.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write_text(out, key);
                out.push(b':');
                write(out, model, shape, value, None)?;
            }
            out.push(b'}');
        }
        (ShapeKind::List { member, .. }, Value::List(elements)) => {
            let shape = model.require(member)?;
            out.push(b'[');
            for (position, element) in elements.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write(out, model, shape, element, None)?;
            }
            out.push(b']');
        }
        (ShapeKind::String, Value::String(text)) => write_text(out, text),
        (ShapeKind::Boolean, Value::Boolean(flag)) => {
            out.extend_from_slice(if *flag { b"true" } else { b"false" });
        }
        (ShapeKind::Integer | ShapeKind::Long, Value::Integer(number)) => {
            // Writing to a vector cannot fail.
            let _ = write!(out, "{number}");
        }
        (ShapeKind::Float | ShapeKind::Double, Value::Integer(number)) => {
            let _ = write!(out, "{number}");
        }
        (ShapeKind::Float | ShapeKind::Double, Value::Float(number)) => {
            if number.is_nan() {
                out.extend_from_slice(b"\"NaN\"");
            } else if number.is_infinite() {
                out.extend_from_slice(if *number > 0.0 {
                    b"\"Infinity\""
                } else {
                    b"\"-Infinity\""
                });
            } else {
                let _ = write!(out, "{number:?}");
            }
        }
        (ShapeKind::Blob { .. }, Value::Blob(bytes)) => {
            out.push(b'"');
            out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
            out.push(b'"');
        }
        (ShapeKind::Timestamp { format: own }, Value::Timestamp(timestamp)) => {
            match format.or(own).unwrap_or(TimestampFormat::UnixTimestamp) {
                TimestampFormat::UnixTimestamp => {
                    out.extend_from_slice(time::print(*timestamp, TimestampFormat::UnixTimestamp).as_bytes());
                }
                format => write_text(out, &time::print(*timestamp, format)),
            }
        }
        _ => return Err(WireError::unencodable(shape, value)),
    }
    Ok(())
}

/// A JSON string with everything escaped that must be.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut start = 0;
    let bytes = text.as_bytes();
    for (position, byte) in bytes.iter().enumerate() {
        if !matches!(byte, b'"' | b'\\' | 0..=0x1F | 0x7F) {
            continue;
        }
        out.extend_from_slice(bytes.get(start..position).unwrap_or_default());
        start = position.saturating_add(1);
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => {
                let _ = write!(out, "\\u{control:04x}");
            }
        }
    }
    out.extend_from_slice(bytes.get(start..).unwrap_or_default());
    out.push(b'"');
}
