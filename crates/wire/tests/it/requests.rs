//! What botocore 1.44.5 sends (`fixtures/requests.json`) is routed to its operation and decoded to the parameters
//! that were given to it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rolecall_wire::{Value, decode, route};
use serde_json::{Value as Json, json};

use crate::models;

/// As the fixtures write values.
fn shown(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(flag) => json!(flag),
        Value::Integer(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::String(text) => json!(text),
        Value::Blob(bytes) => json!({ "$bytes": STANDARD.encode(bytes) }),
        Value::Stream(stream) => json!({ "$bytes": STANDARD.encode(stream.read_all(1 << 20).unwrap()) }),
        Value::Timestamp(time) => json!({ "$time": time.as_second() }),
        Value::List(elements) => elements.iter().map(shown).collect(),
        Value::Map(entries) => Json::Object(
            entries
                .iter()
                .map(|(key, value)| (key.to_string(), shown(value)))
                .collect(),
        ),
    }
}

#[test]
fn what_botocore_sends_is_understood() {
    let cases: Vec<Json> = serde_json::from_str(include_str!("../fixtures/requests.json")).unwrap();
    assert!(cases.len() > 25);
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let headers: Vec<(&str, &str)> = case["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, v)| (name.as_str(), v.as_str().unwrap()))
            .collect();
        let body = STANDARD.decode(text("body")).unwrap();
        let request = models::request(text("method"), text("path"), text("query"), &headers, &body);
        let model = models::model(text("service"));
        let name = text("operation");
        let operation = route(model, &request).unwrap();
        assert_eq!(operation.name, name);
        let mut found = shown(&decode(model, operation, &request).unwrap());
        // What the client adds by itself.
        let expected = case["expected"].as_object().unwrap();
        found.as_object_mut().unwrap().retain(|key, _| {
            expected.contains_key(key)
                || !(key.starts_with("Checksum")
                    || ["EncodingType", "ContentType", "ChecksumMode"].contains(&key.as_str()))
        });
        assert_eq!(found, case["expected"], "{name}");
    }
}
