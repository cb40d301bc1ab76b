//! From a request to the operation it asks for.

use crate::message::{decode_segment, parse_parameters};
use crate::{Location, OperationModel, Protocol, Request, Segment, ServiceModel, ShapeKind, WireError};

/// Largest form that is searched for its `Action`.
const MAX_FORM: usize = 16 << 20;

/// Finds the operation that `request` asks for. It may be one that is not [`served`](OperationModel::served).
///
/// # Errors
/// No operation of the service is asked for, in the words of its protocol: `UnknownOperationException`,
/// `InvalidAction`, `MissingAction`, `MethodNotAllowed`.
pub fn route(model: &'static ServiceModel, request: &Request) -> Result<&'static OperationModel, WireError> {
    match model.protocol {
        Protocol::Json => by_target(model, request),
        Protocol::Query => by_action(model, request),
        Protocol::RestJson | Protocol::RestXml => by_path(model, request),
    }
}

fn by_target(model: &'static ServiceModel, request: &Request) -> Result<&'static OperationModel, WireError> {
    let target = request.headers.get("x-amz-target").ok_or_else(|| {
        WireError::new(
            "UnknownOperationException",
            400,
            "the header X-Amz-Target names no operation; send one",
        )
    })?;
    // Only the prefix of the very service the request was signed for counts.
    target
        .strip_prefix(model.target_prefix)
        .and_then(|rest| rest.strip_prefix('.'))
        .and_then(|name| model.operation(name))
        .ok_or_else(|| {
            WireError::new(
                "UnknownOperationException",
                400,
                format!("{} has no operation {target}", model.id),
            )
        })
}

fn by_action(model: &'static ServiceModel, request: &Request) -> Result<&'static OperationModel, WireError> {
    let mut action = None;
    let mut version = None;
    let form = request.body.read_all(MAX_FORM).map_err(|_| {
        WireError::new(
            "RequestEntityTooLarge",
            413,
            format!("a form may have {MAX_FORM} bytes"),
        )
    })?;
    let form = std::str::from_utf8(&form)
        .map_err(|_| WireError::new("MalformedInput", 400, "the form is not valid UTF-8"))?;
    for (name, value) in [form, request.query.as_str()]
        .into_iter()
        .map(parse_parameters)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| WireError::new("MalformedInput", 400, error.to_string()))?
        .into_iter()
        .flatten()
    {
        let known = match name.as_str() {
            "Action" => &mut action,
            "Version" => &mut version,
            _ => continue,
        };
        if known.as_ref().is_some_and(|known| *known != value) {
            return Err(WireError::new(
                "MalformedInput",
                400,
                format!("the parameter {name} is given twice"),
            ));
        }
        *known = Some(value);
    }
    let action = action.ok_or_else(|| {
        WireError::new(
            "MissingAction",
            400,
            "The request is missing an action or a required parameter.",
        )
    })?;
    let version = version.unwrap_or_else(|| model.api_version.to_owned());
    model
        .operation(&action)
        .filter(|_| version == model.api_version)
        .ok_or_else(|| {
            WireError::new(
                "InvalidAction",
                400,
                format!("Could not find operation {action} for version {version}"),
            )
        })
}

fn by_path(model: &'static ServiceModel, request: &Request) -> Result<&'static OperationModel, WireError> {
    let parameters = parse_parameters(&request.query)
        .map_err(|error| WireError::new("InvalidArgument", 400, error.to_string()))?;
    let has = |name: &str, value: Option<&str>| {
        parameters
            .iter()
            .any(|(key, found)| key == name && value.is_none_or(|value| value == found))
    };
    let mut path_known = false;
    let mut best: Option<(usize, &'static OperationModel)> = None;
    for operation in model.operations {
        let Some(literals) = literals_matched(operation.path, &request.path) else {
            continue;
        };
        path_known = true;
        if operation.method != request.method
            || !operation.query.iter().all(|(name, value)| has(name, *value))
            || operation
                .discriminating_header
                .is_some_and(|header| request.headers.get(header).is_none())
        {
            continue;
        }
        // The more an operation demands of a request, the more surely it is the one that is meant.
        let score = literals
            .saturating_mul(16)
            .saturating_add(operation.query.len().saturating_mul(4))
            .saturating_add(usize::from(operation.discriminating_header.is_some()).saturating_mul(2))
            .saturating_add(usize::from(operation.served));
        if best.is_none_or(|(known, _)| score > known) {
            best = Some((score, operation));
        }
    }
    match best {
        Some((_, operation)) => Ok(operation),
        None if path_known || model.protocol == Protocol::RestXml => Err(WireError::new(
            if model.protocol == Protocol::RestXml {
                "MethodNotAllowed"
            } else {
                "UnknownOperationException"
            },
            405,
            "The specified method is not allowed against this resource.",
        )),
        None => Err(WireError::new(
            "UnknownOperationException",
            404,
            format!("{} has no operation at this path", model.id),
        )),
    }
}

/// How many literals of `template` the raw `path` matches, or `None` when it does not match at all.
fn literals_matched(template: &[Segment], path: &str) -> Option<usize> {
    let mut literals: usize = 0;
    walk(template, path, |segment, _| {
        if matches!(segment, Segment::Literal(_)) {
            literals = literals.saturating_add(1);
        }
    })?;
    Some(literals)
}

/// Lays `template` over the raw `path` and gives every segment with its raw text to `visit`.
fn walk<'p>(template: &[Segment], path: &'p str, mut visit: impl FnMut(Segment, &'p str)) -> Option<()> {
    let mut rest = path.strip_prefix('/')?;
    for segment in template {
        if let Segment::Greedy(_) = segment {
            if rest.is_empty() {
                return None;
            }
            visit(*segment, rest);
            return Some(());
        }
        let (part, remainder) = rest.split_once('/').unwrap_or((rest, ""));
        match segment {
            Segment::Literal(literal) if *literal == part => {}
            Segment::Label(_) if !part.is_empty() => {}
            _ => return None,
        }
        visit(*segment, part);
        rest = remainder;
    }
    rest.is_empty().then_some(())
}

/// The decoded labels of `operation` in `path`: label and text.
pub(crate) fn labels(
    operation: &OperationModel,
    path: &str,
) -> Result<Vec<(&'static str, String)>, WireError> {
    let mut raw = Vec::new();
    walk(operation.path, path, |segment, text| match segment {
        Segment::Literal(_) => {}
        Segment::Label(label) | Segment::Greedy(label) => raw.push((label, text)),
    })
    .ok_or_else(|| WireError::new("InvalidURI", 400, "Couldn't parse the specified URI."))?;
    raw.into_iter()
        .map(|(label, text)| {
            decode_segment(text)
                .map(|text| (label, text))
                .ok_or_else(|| WireError::new("InvalidURI", 400, "Couldn't parse the specified URI."))
        })
        .collect()
}

/// Whether the operation's input takes its HTTP body as it is, however large: a streaming payload.
pub fn takes_stream(model: &'static ServiceModel, operation: &OperationModel) -> bool {
    let Some(Some(input)) = operation.input.map(|input| model.shape(input)) else {
        return false;
    };
    let ShapeKind::Structure {
        members,
        payload: Some(payload),
    } = input.kind
    else {
        return false;
    };
    members
        .iter()
        .find(|member| member.name == payload && member.location == Location::Body)
        .and_then(|member| model.shape(member.shape))
        .is_some_and(|shape| matches!(shape.kind, ShapeKind::Blob { streaming: true }))
}
