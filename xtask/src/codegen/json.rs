//! JSON that keeps the order of an object's members, which is the order of XML elements and struct fields.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Outcome;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Boolean(bool),
    Number(serde_json::Number),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        Ok(serde_json::from_str(text)?)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Self::Object(entries) => entries
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    pub(crate) fn field(&self, name: &str) -> Outcome<&Json> {
        self.get(name)
            .ok_or_else(|| format!("member `{name}` is missing").into())
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Self::String(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn required_text(&self, name: &str) -> Outcome<&str> {
        self.text(name)
            .ok_or_else(|| format!("text member `{name}` is missing").into())
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name) == Some(&Self::Boolean(true))
    }

    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Some(Self::Number(number)) => number.as_i64(),
            _ => None,
        }
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        match self.get(name) {
            Some(Self::Array(elements)) => elements
                .iter()
                .filter_map(|element| match element {
                    Self::String(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn elements(&self, name: &str) -> &[Json] {
        match self.get(name) {
            Some(Self::Array(elements)) => elements,
            _ => &[],
        }
    }

    pub(crate) fn entries(&self) -> Outcome<&[(String, Json)]> {
        match self {
            Self::Object(entries) => Ok(entries),
            _ => Err("expected an object".into()),
        }
    }

    /// Applies a JSON merge patch (RFC 7396).
    pub(crate) fn merge(&mut self, patch: &Json) {
        let Self::Object(changes) = patch else {
            *self = patch.clone();
            return;
        };
        if !matches!(self, Self::Object(_)) {
            *self = Self::Object(Vec::new());
        }
        let Self::Object(entries) = self else { return };
        for (key, change) in changes {
            let position = entries.iter().position(|(name, _)| name == key);
            match (position, change) {
                (Some(position), Self::Null) => drop(entries.remove(position)),
                (None, Self::Null) => {}
                (Some(position), _) => {
                    if let Some((_, entry)) = entries.get_mut(position) {
                        entry.merge(change);
                    }
                }
                (None, _) => {
                    let mut entry = Self::Null;
                    entry.merge(change);
                    entries.push((key.clone(), entry));
                }
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(serde_json::Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = access.next_element()? {
            elements.push(element);
        }
        Ok(Json::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Json::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::Json;

    #[test]
    fn merge_patch_adds_changes_and_removes() {
        let mut document = Json::parse(r#"{"b": {"x": 1, "y": 2}, "a": 3}"#).unwrap();
        document.merge(
            &Json::parse(r#"{"b": {"x": null, "y": 4, "z": {"n": null, "m": 5}}, "a": null}"#).unwrap(),
        );
        assert_eq!(
            document,
            Json::parse(r#"{"b": {"y": 4, "z": {"m": 5}}}"#).unwrap()
        );
    }
}
