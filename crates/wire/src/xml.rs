//! XML documents: read into a small tree and from there by shape, written straight by shape.
//!
//! There are no document types and so no entities but the five that XML itself has; nothing is ever fetched.

use std::borrow::Cow;
use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::{
    Entries, Location, Member, ServiceModel, Shape, ShapeKind, TimestampFormat, Value, WireError, scalar,
};

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 32;
/// Most elements in a document; a list of 10,000 parts has 80,000.
const MAX_ELEMENTS: usize = 200_000;

/// An element: local name, attributes, text without surrounding children, children.
#[derive(Debug, Default)]
pub(crate) struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

/// Reads a document; the result is its root element.
pub(crate) fn parse(bytes: &[u8]) -> Result<Element, WireError> {
    let text = std::str::from_utf8(bytes).map_err(|_| WireError::malformed_xml())?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    let mut count: usize = 0;
    loop {
        let event = reader.read_event().map_err(|_| WireError::malformed_xml())?;
        match event {
            Event::Start(start) | Event::Empty(start) if root.is_some() => {
                drop(start);
                return Err(WireError::malformed_xml());
            }
            Event::Start(start) => {
                count = count.saturating_add(1);
                if open.len() >= MAX_DEPTH || count > MAX_ELEMENTS {
                    return Err(WireError::malformed_xml());
                }
                open.push(element(&start)?);
            }
            Event::Empty(start) => {
                count = count.saturating_add(1);
                if count > MAX_ELEMENTS {
                    return Err(WireError::malformed_xml());
                }
                close(&mut open, &mut root, element(&start)?);
            }
            Event::End(_) => {
                let finished = open.pop().ok_or_else(WireError::malformed_xml)?;
                close(&mut open, &mut root, finished);
            }
            Event::Text(part) => {
                let part = part.xml10_content();
                match open.last_mut() {
                    Some(element) => element.text.push_str(&part),
                    None if part.trim().is_empty() => {}
                    None => return Err(WireError::malformed_xml()),
                }
            }
            Event::CData(part) => match open.last_mut() {
                Some(element) => element.text.push_str(&part.xml10_content()),
                None => return Err(WireError::malformed_xml()),
            },
            Event::GeneralRef(reference) => {
                let letter = match reference.resolve_char_ref() {
                    Ok(Some(letter)) => letter,
                    Ok(None) => match reference.as_ref() {
                        "lt" => '<',
                        "gt" => '>',
                        "amp" => '&',
                        "apos" => '\'',
                        "quot" => '"',
                        _ => return Err(WireError::malformed_xml()),
                    },
                    Err(_) => return Err(WireError::malformed_xml()),
                };
                open.last_mut()
                    .ok_or_else(WireError::malformed_xml)?
                    .text
                    .push(letter);
            }
            Event::DocType(_) => return Err(WireError::malformed_xml()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if !open.is_empty() {
        return Err(WireError::malformed_xml());
    }
    root.ok_or_else(WireError::malformed_xml)
}

fn close(open: &mut [Element], root: &mut Option<Element>, element: Element) {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some(element),
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, WireError> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| WireError::malformed_xml())?;
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|_| WireError::malformed_xml())?;
        attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(Element {
        name: start.local_name().as_ref().to_owned(),
        attributes,
        ..Element::default()
    })
}

/// Reads the document of structure `shape`; `element` is what its root must be called, where that is known.
pub(crate) fn decode(
    model: &'static ServiceModel,
    shape: &'static Shape,
    element: Option<&str>,
    bytes: &[u8],
) -> Result<Value, WireError> {
    let root = parse(bytes)?;
    if element.is_some_and(|element| element != root.name) {
        return Err(WireError::malformed_xml());
    }
    read(model, shape, &root, None)
}

fn read(
    model: &'static ServiceModel,
    shape: &'static Shape,
    element: &Element,
    format: Option<TimestampFormat>,
) -> Result<Value, WireError> {
    match shape.kind {
        ShapeKind::Structure { members, .. } => {
            let mut entries: Entries = Vec::new();
            for member in members.iter().filter(|member| member.location == Location::Body) {
                if let Some(value) = read_member(model, member, element)? {
                    entries.push((Cow::Borrowed(member.name), value));
                }
            }
            Ok(Value::Map(entries))
        }
        ShapeKind::List {
            member,
            location_name,
            ..
        } => {
            let shape = model.require(member)?;
            let name = location_name.unwrap_or("member");
            let elements = element.children.iter().filter(|child| child.name == name);
            elements
                .map(|child| read(model, shape, child, None))
                .collect::<Result<_, _>>()
                .map(Value::List)
        }
        ShapeKind::Map { .. } => {
            let entries: Vec<&Element> = element
                .children
                .iter()
                .filter(|child| child.name == "entry")
                .collect();
            read_entries(model, shape, &entries)
        }
        _ => scalar::parse(shape, &element.text, format, TimestampFormat::Iso8601)
            .ok_or_else(WireError::malformed_xml),
    }
}

fn read_member(
    model: &'static ServiceModel,
    member: &'static Member,
    parent: &Element,
) -> Result<Option<Value>, WireError> {
    let shape = model.require(member.shape)?;
    if member.xml_attribute {
        let found = parent
            .attributes
            .iter()
            .find(|(name, _)| name == member.location_name);
        return Ok(found.and_then(|(_, text)| {
            scalar::parse(shape, text, member.timestamp_format, TimestampFormat::Iso8601)
        }));
    }
    let mut found = parent
        .children
        .iter()
        .filter(|child| child.name == member.location_name)
        .peekable();
    if found.peek().is_none() {
        return Ok(None);
    }
    match shape.kind {
        ShapeKind::List {
            member: element,
            flattened,
            ..
        } if flattened || member.flattened => {
            let shape = model.require(element)?;
            found
                .map(|child| read(model, shape, child, None))
                .collect::<Result<_, _>>()
                .map(Value::List)
                .map(Some)
        }
        ShapeKind::Map { flattened, .. } if flattened || member.flattened => {
            read_entries(model, shape, &found.collect::<Vec<_>>()).map(Some)
        }
        _ => {
            let child = found.next().ok_or_else(WireError::malformed_xml)?;
            // Twice the same element would mean one thing to whoever checks and another to whoever acts.
            if found.next().is_some() {
                return Err(WireError::malformed_xml());
            }
            read(model, shape, child, member.timestamp_format).map(Some)
        }
    }
}

fn read_entries(
    model: &'static ServiceModel,
    shape: &'static Shape,
    found: &[&Element],
) -> Result<Value, WireError> {
    let ShapeKind::Map {
        value,
        key_name,
        value_name,
        ..
    } = shape.kind
    else {
        return Err(WireError::malformed_xml());
    };
    let shape = model.require(value)?;
    let mut entries: Entries = Vec::new();
    for entry in found {
        let part = |name: &str| {
            entry
                .children
                .iter()
                .find(|child| child.name == name)
                .ok_or_else(WireError::malformed_xml)
        };
        let key = part(key_name.unwrap_or("key"))?.text.clone();
        let value = read(model, shape, part(value_name.unwrap_or("value"))?, None)?;
        entries.push((Cow::Owned(key), value));
    }
    let mut keys: Vec<&str> = entries.iter().map(|(key, _)| &**key).collect();
    keys.sort_unstable();
    if keys
        .windows(2)
        .any(|pair| matches!(pair, [left, right] if left == right))
    {
        return Err(WireError::malformed_xml());
    }
    Ok(Value::Map(entries))
}

/// Appends `text` with everything escaped that must be.
pub(crate) fn write_text(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(letter),
            // A carriage return would be read back as a line feed; the rest is how Amazon S3 writes keys with
            // control characters.
            '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "&#x{:x};", u32::from(letter));
            }
            _ => out.push(letter),
        }
    }
}

/// Appends `<name>text</name>`.
pub(crate) fn write_element(out: &mut String, name: &str, text: &str) {
    open_tag(out, name, None);
    write_text(out, text);
    close_tag(out, name);
}

pub(crate) fn open_tag(out: &mut String, name: &str, namespace: Option<&str>) {
    out.push('<');
    out.push_str(name);
    if let Some(namespace) = namespace.filter(|namespace| !namespace.is_empty()) {
        out.push_str(" xmlns=\"");
        write_text(out, namespace);
        out.push('"');
    }
    out.push('>');
}

pub(crate) fn close_tag(out: &mut String, name: &str) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Appends the members of a structure that travel in the document.
pub(crate) fn write_members(
    out: &mut String,
    model: &'static ServiceModel,
    members: &'static [Member],
    value: &Value,
) -> Result<(), WireError> {
    for member in members
        .iter()
        .filter(|member| member.location == Location::Body && !member.xml_attribute)
    {
        let Some(inner) = value.get(member.name).filter(|inner| **inner != Value::Null) else {
            continue;
        };
        let shape = model.require(member.shape)?;
        match (shape.kind, inner) {
            (
                ShapeKind::List {
                    member: element,
                    flattened,
                    ..
                },
                Value::List(elements),
            ) if flattened || member.flattened => {
                let shape = model.require(element)?;
                for element in elements {
                    write(out, model, shape, member.location_name, element, None)?;
                }
            }
            (ShapeKind::Map { flattened, .. }, Value::Map(entries)) if flattened || member.flattened => {
                write_entries(out, model, shape, member.location_name, entries)?;
            }
            _ => write(
                out,
                model,
                shape,
                member.location_name,
                inner,
                member.timestamp_format,
            )?,
        }
    }
    Ok(())
}

/// Appends `value` as the element `name`.
pub(crate) fn write(
    out: &mut String,
    model: &'static ServiceModel,
    shape: &'static Shape,
    name: &str,
    value: &Value,
    format: Option<TimestampFormat>,
) -> Result<(), WireError> {
    match (shape.kind, value) {
        (ShapeKind::Structure { members, .. }, Value::Map(_)) => {
            out.push('<');
            out.push_str(name);
            for member in members.iter().filter(|member| member.xml_attribute) {
                let Some(inner) = value.get(member.name) else {
                    continue;
                };
                let shape = model.require(member.shape)?;
                let text = scalar::print(shape, inner, member.timestamp_format, TimestampFormat::Iso8601)
                    .ok_or_else(|| WireError::unencodable(shape, inner))?;
                if let Some((prefix, _)) = member.location_name.split_once(':') {
                    out.push_str(" xmlns:");
                    out.push_str(prefix);
                    out.push_str("=\"http://www.w3.org/2001/XMLSchema-instance\"");
                }
                out.push(' ');
                out.push_str(member.location_name);
                out.push_str("=\"");
                write_text(out, &text);
                out.push('"');
            }
            out.push('>');
            write_members(out, model, members, value)?;
            close_tag(out, name);
        }
        (
            ShapeKind::List {
                member,
                location_name,
                ..
            },
            Value::List(elements),
        ) => {
            let shape = model.require(member)?;
            open_tag(out, name, None);
            for element in elements {
                write(
                    out,
                    model,
                    shape,
                    location_name.unwrap_or("member"),
                    element,
                    None,
                )?;
            }
            close_tag(out, name);
        }
        (ShapeKind::Map { .. }, Value::Map(entries)) => {
            open_tag(out, name, None);
            write_entries(out, model, shape, "entry", entries)?;
            close_tag(out, name);
        }
        _ => {
            let text = scalar::print(shape, value, format, TimestampFormat::Iso8601)
                .ok_or_else(|| WireError::unencodable(shape, value))?;
            write_element(out, name, &text);
        }
    }
    Ok(())
}

fn write_entries(
    out: &mut String,
    model: &'static ServiceModel,
    shape: &'static Shape,
    name: &str,
    entries: &[(Cow<'static, str>, Value)],
) -> Result<(), WireError> {
    let ShapeKind::Map {
        value,
        key_name,
        value_name,
        ..
    } = shape.kind
    else {
        return Ok(());
    };
    let inner = model.require(value)?;
    for (key, value) in entries {
        open_tag(out, name, None);
        write_element(out, key_name.unwrap_or("key"), key);
        write(out, model, inner, value_name.unwrap_or("value"), value, None)?;
        close_tag(out, name);
    }
    Ok(())
}
