//! Inputs and outputs as CloudTrail events show them.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>

use serde_json::{Map, Number, Value as Json};

use crate::names::lower_first;
use crate::{ServiceModel, ShapeIndex, ShapeKind, Value};

/// What stands in for a sensitive value.
pub const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// `value` of the shape `shape` for `requestParameters` or `responseElements`: first letters of member names in
/// lower case, times as `Nov 24, 2026, 1:02:03 AM`, sensitive values replaced by [`HIDDEN`], bodies and blobs left
/// out. What the model does not know is left out as well.
pub fn redact(model: &'static ServiceModel, shape: ShapeIndex, value: &Value) -> Json {
    walk(model, shape, value).unwrap_or(Json::Null)
}

fn walk(model: &'static ServiceModel, index: ShapeIndex, value: &Value) -> Option<Json> {
    let shape = model.shape(index)?;
    if matches!(shape.kind, ShapeKind::Blob { .. }) {
        return None;
    }
    if shape.sensitive {
        return Some(Json::from(HIDDEN));
    }
    match (shape.kind, value) {
        (ShapeKind::Structure { members, .. }, Value::Map(_)) => {
            let mut object = Map::new();
            for member in members {
                if let Some(shown) = value
                    .get(member.name)
                    .and_then(|inner| walk(model, member.shape, inner))
                {
                    object.insert(lower_first(member.name), shown);
                }
            }
            Some(Json::Object(object))
        }
        (
            ShapeKind::Map {
                key, value: inner, ..
            },
            Value::Map(entries),
        ) => {
            if model.shape(key)?.sensitive {
                return Some(Json::from(HIDDEN));
            }
            let shown = entries
                .iter()
                .filter_map(|(key, entry)| Some((key.to_string(), walk(model, inner, entry)?)));
            Some(Json::Object(shown.collect()))
        }
        (ShapeKind::List { member, .. }, Value::List(elements)) => Some(
            elements
                .iter()
                .filter_map(|element| walk(model, member, element))
                .collect(),
        ),
        (_, Value::Boolean(flag)) => Some(Json::from(*flag)),
        (_, Value::Integer(number)) => Some(Json::from(*number)),
        (_, Value::Float(number)) => Number::from_f64(*number).map(Json::Number),
        (_, Value::String(text)) => Some(Json::from(text.as_str())),
        (_, Value::Timestamp(timestamp)) => Some(Json::from(
            timestamp.strftime("%b %-d, %Y, %-I:%M:%S %p").to_string(),
        )),
        _ => None,
    }
}
