//! From an operation's output, or an error, to a response.

use bytes::Bytes;

use crate::{
    ByteStream, ErrorResponse, Fault, Headers, Location, Member, OperationModel, Protocol, Response,
    ServiceModel, Shape, ShapeKind, TimestampFormat, Value, WireError, json, scalar, xml,
};

const XML_DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Writes the output of `operation`.
///
/// # Errors
/// The output does not have the model's shape: the service's mistake, to be answered as `InternalFailure`.
pub fn encode(
    model: &'static ServiceModel,
    operation: &'static OperationModel,
    output: Value,
    request_id: &str,
) -> Result<Response, WireError> {
    let mut response = match model.protocol {
        Protocol::Json => {
            let body = match operation.output {
                Some(shape) => json::encode(model, shape, &output)?,
                // An operation without output answers with nothing at all.
                None => Vec::new(),
            };
            document(operation.status_code, json_type(model), body)
        }
        Protocol::Query => query_response(model, operation, &output, request_id)?,
        Protocol::RestJson | Protocol::RestXml => rest(model, operation, output)?,
    };
    if operation.method == "HEAD" {
        response.body = ByteStream::empty();
    }
    finish(model, &mut response, request_id);
    Ok(response)
}

fn document(status: u16, content_type: &str, body: Vec<u8>) -> Response {
    let mut headers = Headers::new();
    headers.append("Content-Type", content_type);
    Response {
        status,
        headers,
        body: ByteStream::Memory(Bytes::from(body)),
    }
}

fn json_type(model: &ServiceModel) -> &'static str {
    match (model.protocol, model.json_version) {
        (Protocol::Json, "1.0") => "application/x-amz-json-1.0",
        (Protocol::Json, _) => "application/x-amz-json-1.1",
        _ => "application/json",
    }
}

/// Headers every answer has.
fn finish(model: &ServiceModel, response: &mut Response, request_id: &str) {
    match model.protocol {
        Protocol::RestXml => {
            response.headers.append("x-amz-request-id", request_id);
            response.headers.append("x-amz-id-2", host_id(request_id));
        }
        _ => response.headers.append("x-amzn-RequestId", request_id),
    }
    // DynamoDB's clients check it:
    // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
    if model.signing_name == "dynamodb"
        && let ByteStream::Memory(body) = &response.body
    {
        response
            .headers
            .append("x-amz-crc32", crc32fast::hash(body).to_string());
    }
}

/// Amazon S3's second request id. Here it says nothing that the first does not.
fn host_id(request_id: &str) -> String {
    format!("rolecall-{request_id}")
}

fn query_response(
    model: &'static ServiceModel,
    operation: &'static OperationModel,
    output: &Value,
    request_id: &str,
) -> Result<Response, WireError> {
    let name = format!("{}Response", operation.name);
    let mut out = String::new();
    xml::open_tag(&mut out, &name, Some(model.xml_namespace));
    if let Some(output_shape) = operation.output
        && let ShapeKind::Structure { members, .. } = model.require(output_shape)?.kind
    {
        if let Some(wrapper) = operation.result_wrapper {
            xml::open_tag(&mut out, wrapper, None);
        }
        xml::write_members(&mut out, model, members, output)?;
        if let Some(wrapper) = operation.result_wrapper {
            xml::close_tag(&mut out, wrapper);
        }
    }
    out.push_str("<ResponseMetadata>");
    xml::write_element(&mut out, "RequestId", request_id);
    out.push_str("</ResponseMetadata>");
    xml::close_tag(&mut out, &name);
    Ok(document(operation.status_code, "text/xml", out.into_bytes()))
}

fn rest(
    model: &'static ServiceModel,
    operation: &'static OperationModel,
    output: Value,
) -> Result<Response, WireError> {
    let mut response = Response {
        status: operation.status_code,
        headers: Headers::new(),
        body: ByteStream::empty(),
    };
    let Some(index) = operation.output else {
        return Ok(response);
    };
    let shape = model.require(index)?;
    let ShapeKind::Structure { members, payload } = shape.kind else {
        return Ok(response);
    };
    for member in members {
        let Some(value) = output.get(member.name) else {
            continue;
        };
        match member.location {
            Location::Header => append_header(model, &mut response.headers, member, value)?,
            Location::Headers => append_prefixed(&mut response.headers, member, value),
            Location::StatusCode => {
                if let Value::Integer(status) = value {
                    response.status =
                        u16::try_from(*status).map_err(|_| WireError::unencodable(shape, value))?;
                }
            }
            Location::Body | Location::Uri | Location::QueryString => {}
        }
    }
    if model.protocol == Protocol::RestXml && response.headers.get("content-range").is_some() {
        // Amazon S3 answers a part of an object with 206, which its model does not say.
        response.status = 206;
    }
    let mut content_type = None;
    match payload.and_then(|payload| members.iter().find(|member| member.name == payload)) {
        Some(member) => {
            if let Some(value) = take(output, member.name) {
                (response.body, content_type) = payload_body(model, member, value)?;
            }
        }
        None if !members.iter().any(|member| member.location == Location::Body) => {}
        None if model.protocol == Protocol::RestXml => {
            response.body = ByteStream::from(rest_xml_document(model, operation, members, &output)?);
            content_type = Some("application/xml");
        }
        None => {
            response.body = ByteStream::from(json::encode(model, index, &output)?);
            content_type = Some("application/json");
        }
    }
    if let Some(content_type) = content_type.filter(|_| response.headers.get("content-type").is_none()) {
        response.headers.append("Content-Type", content_type);
    }
    Ok(response)
}

fn take(output: Value, name: &str) -> Option<Value> {
    match output {
        Value::Map(entries) => entries
            .into_iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value),
        _ => None,
    }
}

type Body = (ByteStream, Option<&'static str>);

fn payload_body(
    model: &'static ServiceModel,
    member: &'static Member,
    value: Value,
) -> Result<Body, WireError> {
    let shape = model.require(member.shape)?;
    Ok(match (shape.kind, value) {
        (ShapeKind::Blob { .. }, Value::Stream(stream)) => (stream, None),
        // What a function answers; Lambda says so whatever it is.
        (ShapeKind::Blob { .. }, Value::Blob(bytes)) if model.protocol == Protocol::RestJson => {
            (ByteStream::Memory(bytes), Some("application/json"))
        }
        (ShapeKind::Blob { .. }, Value::Blob(bytes)) => (ByteStream::Memory(bytes), None),
        // The only text body there is, a bucket policy, is JSON.
        (ShapeKind::String, Value::String(text)) => (ByteStream::from(text), Some("application/json")),
        (ShapeKind::Structure { members, .. }, value) if model.protocol == Protocol::RestXml => {
            let mut out = String::from(XML_DECLARATION);
            xml::open_tag(&mut out, member.location_name, Some(model.xml_namespace));
            xml::write_members(&mut out, model, members, &value)?;
            xml::close_tag(&mut out, member.location_name);
            (ByteStream::from(out), Some("application/xml"))
        }
        (ShapeKind::Structure { .. }, value) => (
            ByteStream::from(json::encode(model, member.shape, &value)?),
            Some("application/json"),
        ),
        (_, value) => return Err(WireError::unencodable(shape, &value)),
    })
}

fn rest_xml_document(
    model: &'static ServiceModel,
    operation: &'static OperationModel,
    members: &'static [Member],
    output: &Value,
) -> Result<String, WireError> {
    let mut out = String::from(XML_DECLARATION);
    if operation.output_unwrapped
        && let Some(member) = members.iter().find(|member| member.location == Location::Body)
    {
        xml::open_tag(&mut out, member.location_name, Some(model.xml_namespace));
        if let Some(value) = output.get(member.name) {
            let shape = model.require(member.shape)?;
            let text = scalar::print(shape, value, member.timestamp_format, TimestampFormat::Iso8601)
                .ok_or_else(|| WireError::unencodable(shape, value))?;
            xml::write_text(&mut out, &text);
        }
        xml::close_tag(&mut out, member.location_name);
        return Ok(out);
    }
    let default = format!("{}Result", operation.name);
    let name = operation.output_element.unwrap_or(&default);
    xml::open_tag(&mut out, name, Some(model.xml_namespace));
    xml::write_members(&mut out, model, members, output)?;
    xml::close_tag(&mut out, name);
    Ok(out)
}

fn append_header(
    model: &'static ServiceModel,
    headers: &mut Headers,
    member: &'static Member,
    value: &Value,
) -> Result<(), WireError> {
    let shape = model.require(member.shape)?;
    let print = |shape: &'static Shape, value: &Value| {
        scalar::print(shape, value, member.timestamp_format, TimestampFormat::Rfc822)
            .ok_or_else(|| WireError::unencodable(shape, value))
    };
    let text = match (shape.kind, value) {
        (_, Value::Null) => return Ok(()),
        (ShapeKind::List { member: element, .. }, Value::List(elements)) => {
            let element = model.require(element)?;
            elements
                .iter()
                .map(|value| print(element, value))
                .collect::<Result<Vec<_>, _>>()?
                .join(",")
        }
        _ => print(shape, value)?,
    };
    headers.append(member.location_name, header_safe(&text));
    Ok(())
}

fn append_prefixed(headers: &mut Headers, member: &'static Member, value: &Value) {
    for (key, value) in value.as_map().unwrap_or_default() {
        if let Some(text) = value.as_str() {
            headers.append(
                header_safe(&format!("{}{key}", member.location_name)),
                header_safe(text),
            );
        }
    }
}

/// Without line breaks and other control characters: nothing a caller stored can begin a header of its own.
fn header_safe(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

/// Writes an error as the service's protocol does. `operation` is the one asked for, where that is known. Fields
/// that the error's shape does not have, or that have another type there, are left out.
pub fn encode_error(
    model: &'static ServiceModel,
    operation: Option<&'static OperationModel>,
    error: &ErrorResponse,
    request_id: &str,
) -> Response {
    let mut response = match model.protocol {
        Protocol::Json | Protocol::RestJson => json_error(model, error),
        Protocol::Query => query_error(model, error, request_id),
        Protocol::RestXml => rest_xml_error(model, error, request_id),
    };
    if operation.is_some_and(|operation| operation.method == "HEAD") || error.status == 304 {
        response.body = ByteStream::empty();
    }
    for (name, value) in &error.headers {
        response.headers.append(header_safe(name), header_safe(value));
    }
    finish(model, &mut response, request_id);
    response
}

fn error_members(model: &'static ServiceModel, code: &str) -> &'static [Member] {
    match model
        .error(code)
        .and_then(|known| model.shape(known.shape))
        .map(|shape| shape.kind)
    {
        Some(ShapeKind::Structure { members, .. }) => members,
        _ => &[],
    }
}

fn json_error(model: &'static ServiceModel, error: &ErrorResponse) -> Response {
    let members = error_members(model, &error.code);
    let mut out = vec![b'{'];
    let mut written: Vec<&str> = Vec::new();
    let mut headers = Headers::new();
    if model.protocol == Protocol::Json {
        let framework = matches!(
            &*error.code,
            "SerializationException" | "UnknownOperationException" | "ValidationException"
        );
        let namespace = match (model.error_namespace, framework) {
            ("", _) => String::new(),
            (_, true) if error.code == "ValidationException" => "com.amazon.coral.validate#".to_owned(),
            (_, true) => "com.amazon.coral.service#".to_owned(),
            (namespace, false) => format!("{namespace}#"),
        };
        out.extend_from_slice(b"\"__type\":");
        json::write_text(&mut out, &format!("{namespace}{}", error.code));
        out.push(b',');
    }
    let message = members
        .iter()
        .find(|member| member.name.eq_ignore_ascii_case("message"))
        .map_or("message", |member| member.location_name);
    json::write_text(&mut out, message);
    out.push(b':');
    json::write_text(&mut out, &error.message);
    for member in members {
        let given = error
            .fields
            .iter()
            .find(|(name, _)| name == member.name)
            .map(|(_, value)| value);
        let own_type = (member.name == "Type").then(|| {
            Value::from(match error.fault {
                Fault::Sender => "User",
                Fault::Receiver => "Service",
            })
        });
        let (Some(value), Some(shape)) = (given.or(own_type.as_ref()), model.shape(member.shape)) else {
            continue;
        };
        if member.location == Location::Header {
            if let Some(text) = scalar::print(shape, value, member.timestamp_format, TimestampFormat::Rfc822)
            {
                headers.append(member.location_name, header_safe(&text));
            }
            continue;
        }
        let mut encoded = Vec::new();
        if json::write(&mut encoded, model, shape, value, member.timestamp_format).is_ok() {
            out.push(b',');
            json::write_text(&mut out, member.location_name);
            out.push(b':');
            out.extend_from_slice(&encoded);
            written.push(member.name);
        }
    }
    out.push(b'}');
    let mut response = document(error.status, json_type(model), out);
    for (name, value) in headers.into_inner() {
        response.headers.append(name, value);
    }
    if model.protocol == Protocol::RestJson {
        response
            .headers
            .append("x-amzn-ErrorType", header_safe(&error.code));
    }
    response
}

/// The error's further members as XML elements.
fn xml_fields(out: &mut String, model: &'static ServiceModel, error: &ErrorResponse) {
    let members = error_members(model, &error.code);
    for (name, value) in &error.fields {
        match members.iter().find(|member| member.name == name) {
            Some(member) => {
                let mut encoded = String::new();
                let shape = model.shape(member.shape);
                if shape.is_some_and(|shape| {
                    xml::write(
                        &mut encoded,
                        model,
                        shape,
                        member.location_name,
                        value,
                        member.timestamp_format,
                    )
                    .is_ok()
                }) {
                    out.push_str(&encoded);
                }
            }
            // Amazon S3's errors have members that its model does not list: BucketName, Key, ArgumentName.
            None => {
                if let (Some(text), true) = (value.as_str(), is_element_name(name)) {
                    xml::write_element(out, name, text);
                }
            }
        }
    }
}

fn is_element_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn query_error(model: &'static ServiceModel, error: &ErrorResponse, request_id: &str) -> Response {
    let mut out = String::new();
    xml::open_tag(&mut out, "ErrorResponse", Some(model.xml_namespace));
    out.push_str("<Error>");
    let fault = match error.fault {
        Fault::Sender => "Sender",
        Fault::Receiver => "Receiver",
    };
    xml::write_element(&mut out, "Type", fault);
    xml::write_element(&mut out, "Code", &error.code);
    xml::write_element(&mut out, "Message", &error.message);
    xml_fields(&mut out, model, error);
    out.push_str("</Error>");
    xml::write_element(&mut out, "RequestId", request_id);
    out.push_str("</ErrorResponse>");
    document(error.status, "text/xml", out.into_bytes())
}

fn rest_xml_error(model: &'static ServiceModel, error: &ErrorResponse, request_id: &str) -> Response {
    let mut out = String::from(XML_DECLARATION);
    out.push_str("<Error>");
    xml::write_element(&mut out, "Code", &error.code);
    xml::write_element(&mut out, "Message", &error.message);
    xml_fields(&mut out, model, error);
    if let Some(resource) = &error.resource {
        xml::write_element(&mut out, "Resource", resource);
    }
    xml::write_element(&mut out, "RequestId", request_id);
    xml::write_element(&mut out, "HostId", &host_id(request_id));
    out.push_str("</Error>");
    document(error.status, "application/xml", out.into_bytes())
}
