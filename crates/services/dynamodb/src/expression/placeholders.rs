//! `ExpressionAttributeNames` and `ExpressionAttributeValues`: what they may hold, and that each is used.

use std::collections::{BTreeMap, BTreeSet};

use rolecall_wire::AttributeValue;

use super::Kind;
use crate::error::{Result, validation};
use crate::item::{self, Item};

/// Largest sum of the values' sizes, in bytes.
const MAX_VALUES_SIZE: usize = 2 * 1024 * 1024;
/// Longest placeholder with its first character.
const MAX_PLACEHOLDER: usize = 255;

/// An expression parameter of a request.
pub(crate) type Given<'a> = (Kind, Option<&'a str>);

/// The names and values of one request.
#[derive(Debug, Default)]
pub(crate) struct Placeholders<'a> {
    names: Option<&'a BTreeMap<String, String>>,
    values: Item,
    used_names: BTreeSet<String>,
    used_values: BTreeSet<String>,
}

impl<'a> Placeholders<'a> {
    /// Checks names and values of a request that can have the expressions `given`.
    ///
    /// # Errors
    /// They are malformed, or there is no expression to use them.
    pub(crate) fn new(
        given: &[Given<'_>],
        names: Option<&'a BTreeMap<String, String>>,
        values: Option<&BTreeMap<String, AttributeValue>>,
    ) -> Result<Self> {
        let none = given.iter().all(|(_, text)| text.is_none());
        if none && names.is_some() {
            return Err(validation(
                "ExpressionAttributeNames can only be specified when using expressions",
            ));
        }
        let with_values: Vec<&Given<'_>> = given
            .iter()
            .filter(|(kind, _)| *kind != Kind::Projection)
            .collect();
        if values.is_some() && with_values.iter().all(|(_, text)| text.is_none()) {
            let kinds: Vec<&str> = with_values.iter().map(|(kind, _)| kind.name()).collect();
            return Err(validation(format!(
                "ExpressionAttributeValues can only be specified when using expressions: {} {} null",
                kinds.join(" and "),
                if kinds.len() > 1 { "are" } else { "is" }
            )));
        }
        for (kind, text) in given {
            if text.is_some_and(|text| text.trim().is_empty()) {
                return Err(kind.error("The expression can not be empty;"));
            }
        }
        check_keys("ExpressionAttributeNames", '#', names.map(|names| names.keys()))?;
        check_keys(
            "ExpressionAttributeValues",
            ':',
            values.map(|values| values.keys()),
        )?;
        let mut values = values.cloned().unwrap_or_default();
        for (key, value) in &mut values {
            item::canonicalise(value).map_err(|problem| {
                validation(format!(
                    "ExpressionAttributeValues contains invalid value: {problem} for key {key}"
                ))
            })?;
        }
        if item::item_size(&values) > MAX_VALUES_SIZE {
            return Err(validation("ExpressionAttributeValues exceeds max size"));
        }
        Ok(Self {
            names,
            values,
            used_names: BTreeSet::new(),
            used_values: BTreeSet::new(),
        })
    }

    /// The attribute name behind `#name`.
    pub(crate) fn name(&mut self, kind: Kind, placeholder: &str) -> Result<String> {
        let Some(name) = self.names.and_then(|names| names.get(placeholder)) else {
            return Err(kind.error(format_args!(
                "An expression attribute name used in the document path is not defined; attribute name: {placeholder}"
            )));
        };
        self.used_names.insert(placeholder.to_owned());
        Ok(name.clone())
    }

    /// The value behind `:value`.
    pub(crate) fn value(&mut self, kind: Kind, placeholder: &str) -> Result<AttributeValue> {
        let Some(value) = self.values.get(placeholder) else {
            return Err(kind.error(format_args!(
                "An expression attribute value used in expression is not defined; attribute value: {placeholder}"
            )));
        };
        self.used_values.insert(placeholder.to_owned());
        Ok(value.clone())
    }

    /// Call it when every expression was parsed.
    ///
    /// # Errors
    /// A name or value was not used.
    pub(crate) fn finish(self) -> Result<()> {
        let unused = |parameter: &str, keys: Vec<&String>| {
            if keys.is_empty() {
                return Ok(());
            }
            let keys: Vec<&str> = keys.into_iter().map(String::as_str).collect();
            Err(validation(format!(
                "Value provided in {parameter} unused in expressions: keys: {{{}}}",
                keys.join(", ")
            )))
        };
        unused(
            "ExpressionAttributeNames",
            self.names
                .into_iter()
                .flat_map(|names| names.keys())
                .filter(|key| !self.used_names.contains(*key))
                .collect(),
        )?;
        unused(
            "ExpressionAttributeValues",
            self.values
                .keys()
                .filter(|key| !self.used_values.contains(*key))
                .collect(),
        )
    }
}

fn check_keys<'k>(
    parameter: &str,
    first: char,
    keys: Option<impl ExactSizeIterator<Item = &'k String>>,
) -> Result<()> {
    let Some(keys) = keys else { return Ok(()) };
    if keys.len() == 0 {
        return Err(validation(format!("{parameter} must not be empty")));
    }
    for key in keys {
        let rest = key.strip_prefix(first).unwrap_or("");
        let word = rest
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if rest.is_empty() || !word || key.len() > MAX_PLACEHOLDER {
            let shown: String = key.chars().take(MAX_PLACEHOLDER).collect();
            return Err(validation(format!(
                "{parameter} contains invalid key: Syntax error; key: \"{shown}\""
            )));
        }
    }
    Ok(())
}

/// Refuses a request that has both expressions and the parameters they replace.
pub(crate) fn refuse_mixed(expressions: &[(&str, bool)], legacy: &[(&str, bool)]) -> Result<()> {
    let present = |list: &[(&str, bool)]| -> Vec<String> {
        list.iter()
            .filter(|(_, given)| *given)
            .map(|(name, _)| (*name).to_owned())
            .collect()
    };
    let (expressions, legacy) = (present(expressions), present(legacy));
    if expressions.is_empty() || legacy.is_empty() {
        return Ok(());
    }
    Err(validation(format!(
        "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {{{}}} Expression parameters: {{{}}}",
        legacy.join(", "),
        expressions.join(", ")
    )))
}
