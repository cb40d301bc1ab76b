//! The request's condition keys and their values.

/// Condition keys of a request. Names are compared without regard to case (rule 62), tag keys in them too (rule 87).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    entries: Vec<(String, Vec<String>)>,
}

impl Context {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key, replacing what it had. A key that may have several values gets them all at once.
    pub fn insert(&mut self, key: &str, values: Vec<String>) {
        match self
            .entries
            .iter_mut()
            .find(|(have, _)| have.eq_ignore_ascii_case(key))
        {
            Some((_, old)) => *old = values,
            None => self.entries.push((key.to_owned(), values)),
        }
    }

    /// With a single-valued key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.insert(key, vec![value.into()]);
        self
    }

    /// The values of a key, if it is there.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.entries
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(key))
            .map(|(_, values)| values.as_slice())
    }

    /// All keys with their values, in the order set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.entries
            .iter()
            .map(|(key, values)| (key.as_str(), values.as_slice()))
    }
}
