//! Member names as messages and events write them.

/// `TableName` → `tableName`: what CloudTrail and validation messages do to a name.
pub(crate) fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_ascii_lowercase().to_string() + letters.as_str()
    })
}
