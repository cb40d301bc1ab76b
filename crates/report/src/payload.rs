//! A function's answer, kept as the text it was, so that members stay in the order the function gave them.

use serde::Serialize;
use serde_json::value::RawValue;

/// A JSON value as it was written.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Payload(Box<RawValue>);

impl Payload {
    /// Takes the bytes of an answer. What is no JSON becomes a JSON string; an empty answer becomes `null`.
    pub fn new(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let text = if text.trim().is_empty() {
            "null"
        } else {
            text.trim()
        };
        let raw = RawValue::from_string(text.to_owned())
            .or_else(|_| serde_json::value::to_raw_value(text))
            .unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self(raw)
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}
