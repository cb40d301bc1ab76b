//! From a request to the operation's input.

use std::borrow::Cow;

use bytes::Bytes;

use crate::message::parse_parameters;
use crate::route::labels;
use crate::validate::validate;
use crate::{
    Entries, Location, Member, OperationModel, Protocol, Request, ServiceModel, Shape, ShapeIndex, ShapeKind,
    TimestampFormat, Value, WireError, json, query, scalar, xml,
};

/// Largest document. Lambda's is what `CreateFunction` may carry: 50 MB of code in base64.
fn document_limit(model: &ServiceModel) -> usize {
    match model.protocol {
        Protocol::RestJson => 70_167_211,
        Protocol::Json | Protocol::Query | Protocol::RestXml => 16 << 20,
    }
}

/// Reads the input of `operation` and checks it against the model. An operation without input gives an empty map.
///
/// # Errors
/// The request is malformed (`SerializationException`, `MalformedXML`, `MalformedInput`), too large, or breaks a
/// constraint of the model (the service's validation code).
pub fn decode(
    model: &'static ServiceModel,
    operation: &'static OperationModel,
    request: &Request,
) -> Result<Value, WireError> {
    let Some(input) = operation.input else {
        return Ok(Value::empty());
    };
    let shape = model.require(input)?;
    let value = match model.protocol {
        Protocol::Json => json::decode(model, input, &document(model, operation, request)?)?,
        Protocol::Query => query::decode(
            model,
            input,
            &document(model, operation, request)?,
            &request.query,
        )?,
        Protocol::RestJson | Protocol::RestXml => rest(model, operation, input, shape, request)?,
    };
    validate(model, shape, &value)?;
    Ok(value)
}

fn document(model: &ServiceModel, operation: &OperationModel, request: &Request) -> Result<Bytes, WireError> {
    let limit = document_limit(model);
    if request.body.len() > limit as u64 {
        return Err(WireError::new(
            "RequestEntityTooLargeException",
            413,
            format!(
                "Request must be smaller than {limit} bytes for the {} operation",
                operation.name
            ),
        ));
    }
    request
        .body
        .read_all(limit)
        .map_err(|_| WireError::new("InternalFailure", 500, "the spooled request body cannot be read"))
}

fn rest(
    model: &'static ServiceModel,
    operation: &'static OperationModel,
    input: ShapeIndex,
    shape: &'static Shape,
    request: &Request,
) -> Result<Value, WireError> {
    let ShapeKind::Structure { members, payload } = shape.kind else {
        return Ok(Value::empty());
    };
    let labels = labels(operation, &request.path)?;
    let parameters =
        parse_parameters(&request.query).map_err(|error| malformed_argument(model, error.to_string()))?;
    let mut entries: Entries = Vec::new();
    for member in members {
        let inner = model.require(member.shape)?;
        let value = match member.location {
            Location::Body | Location::StatusCode => None,
            Location::Uri => labels
                .iter()
                .find(|(label, _)| *label == member.location_name)
                .map(|(_, text)| bound(model, member, inner, text, TimestampFormat::Iso8601))
                .transpose()?,
            Location::QueryString => from_query(model, member, inner, &parameters)?,
            Location::Header => from_header(model, member, inner, request)?,
            Location::Headers => prefixed_headers(member, request),
        };
        if let Some(value) = value {
            entries.push((Cow::Borrowed(member.name), value));
        }
    }
    match payload {
        Some(payload) => {
            let member = members.iter().find(|member| member.name == payload);
            if let Some(member) = member
                && let Some(value) = body(model, operation, member, request)?
            {
                entries.push((Cow::Borrowed(member.name), value));
            }
        }
        None if members.iter().any(|member| member.location == Location::Body) => {
            let document = document(model, operation, request)?;
            let value = match model.protocol {
                Protocol::RestXml if document.is_empty() => Value::empty(),
                Protocol::RestXml => xml::decode(model, shape, operation.input_element, &document)?,
                _ => json::decode(model, input, &document)?,
            };
            if let Value::Map(found) = value {
                entries.extend(found);
            }
        }
        None => {}
    }
    Ok(Value::Map(entries))
}

/// The member that is the whole body.
fn body(
    model: &'static ServiceModel,
    operation: &'static OperationModel,
    member: &'static Member,
    request: &Request,
) -> Result<Option<Value>, WireError> {
    let shape = model.require(member.shape)?;
    if matches!(shape.kind, ShapeKind::Blob { streaming: true }) {
        return Ok(Some(Value::Stream(request.body.clone())));
    }
    let document = document(model, operation, request)?;
    if document.is_empty() {
        return Ok(None);
    }
    match shape.kind {
        ShapeKind::Blob { .. } => Ok(Some(Value::Blob(document))),
        ShapeKind::String => String::from_utf8(document.into())
            .map(|text| Some(Value::String(text)))
            .map_err(|_| malformed_argument(model, "the body is not valid UTF-8")),
        _ if model.protocol == Protocol::RestXml => {
            xml::decode(model, shape, Some(member.location_name), &document).map(Some)
        }
        _ => json::decode(model, member.shape, &document).map(Some),
    }
}

fn malformed_argument(model: &ServiceModel, message: impl Into<String>) -> WireError {
    match model.protocol {
        Protocol::RestXml => WireError::new("InvalidArgument", 400, message),
        _ => WireError::serialization(message),
    }
}

/// A scalar out of a label, a query parameter or a header.
fn bound(
    model: &ServiceModel,
    member: &Member,
    shape: &Shape,
    text: &str,
    format: TimestampFormat,
) -> Result<Value, WireError> {
    scalar::parse(shape, text, member.timestamp_format, format).ok_or_else(|| {
        let name = member.location_name;
        let message = match shape.kind {
            ShapeKind::Integer | ShapeKind::Long => {
                format!("Provided {name} not an integer or within integer range")
            }
            _ => format!("The value of {name} is malformed"),
        };
        malformed_argument(model, message)
    })
}

fn from_query(
    model: &'static ServiceModel,
    member: &Member,
    shape: &'static Shape,
    parameters: &[(String, String)],
) -> Result<Option<Value>, WireError> {
    let mut texts = parameters
        .iter()
        .filter(|(name, _)| name == member.location_name)
        .map(|(_, text)| text.as_str())
        .peekable();
    if texts.peek().is_none() {
        return Ok(None);
    }
    if let ShapeKind::List { member: element, .. } = shape.kind {
        let element = model.require(element)?;
        return texts
            .map(|text| bound(model, member, element, text, TimestampFormat::Iso8601))
            .collect::<Result<_, _>>()
            .map(Value::List)
            .map(Some);
    }
    let text = texts.next().unwrap_or_default();
    if texts.next().is_some() {
        return Err(malformed_argument(
            model,
            format!("the parameter {} is given twice", member.location_name),
        ));
    }
    bound(model, member, shape, text, TimestampFormat::Iso8601).map(Some)
}

fn from_header(
    model: &'static ServiceModel,
    member: &Member,
    shape: &'static Shape,
    request: &Request,
) -> Result<Option<Value>, WireError> {
    let Some(text) = request.headers.get(member.location_name) else {
        return Ok(None);
    };
    if let ShapeKind::List { member: element, .. } = shape.kind {
        let element = model.require(element)?;
        return text
            .split(',')
            .map(|part| bound(model, member, element, part.trim(), TimestampFormat::Rfc822))
            .collect::<Result<_, _>>()
            .map(Value::List)
            .map(Some);
    }
    let value = bound(model, member, shape, text, TimestampFormat::Rfc822);
    // RFC 9110, 13.1.3: a condition whose date is malformed is ignored.
    if value.is_err()
        && matches!(shape.kind, ShapeKind::Timestamp { .. })
        && member.location_name.to_ascii_lowercase().contains("if-")
    {
        return Ok(None);
    }
    value.map(Some)
}

/// All headers that begin with the member's prefix, such as `x-amz-meta-`; names in lower case without it.
fn prefixed_headers(member: &Member, request: &Request) -> Option<Value> {
    let mut entries: Entries = Vec::new();
    for (name, text) in request.headers.iter() {
        let name = name.to_ascii_lowercase();
        let Some(key) = name.strip_prefix(&member.location_name.to_ascii_lowercase()) else {
            continue;
        };
        // Amazon S3 joins repeated metadata headers.
        match entries.iter_mut().find(|(known, _)| known == key) {
            Some((_, Value::String(known))) => {
                known.push(',');
                known.push_str(text);
            }
            _ => entries.push((Cow::Owned(key.to_owned()), Value::from(text))),
        }
    }
    (!entries.is_empty()).then_some(Value::Map(entries))
}
