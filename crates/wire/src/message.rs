//! Requests and responses as bytes on a wire, free of any HTTP library.

use std::borrow::Cow;
use std::fmt;

use crate::ByteStream;

/// Header fields in order. Names are compared without regard to case.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(Cow<'static, str>, String)>);

impl Headers {
    /// No headers.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Value of the first field called `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Adds a field, keeping others of that name.
    pub fn append(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// All fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, value.as_str()))
    }

    /// The fields themselves.
    pub fn into_inner(self) -> Vec<(Cow<'static, str>, String)> {
        self.0
    }
}

impl<N: Into<Cow<'static, str>>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        Self(
            fields
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

/// Shows names only: values carry signatures and session tokens.
impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_list()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

/// A request. `path` and `query` are as received: still percent-encoded, the query without its question mark. For
/// Amazon S3 the bucket is in the path: the gateway has turned virtual-host style into path style.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// Method, such as `PUT`.
    pub method: String,
    /// Raw path, beginning with a slash.
    pub path: String,
    /// Raw query string; empty when there is none.
    pub query: String,
    /// Header fields.
    pub headers: Headers,
    /// Body, with any transfer or `aws-chunked` coding removed.
    pub body: ByteStream,
}

/// Hides the query string, which may carry a presigned signature.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &self.headers)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// A response. `Content-Length` is left to whoever sends it, except in answer to `HEAD`, where Amazon S3's output
/// itself has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Header fields.
    pub headers: Headers,
    /// Body; empty in answer to `HEAD`.
    pub body: ByteStream,
}

/// The parameters of a query string or form, decoded: percent-encoding and `+` undone.
///
/// # Errors
/// A name or value is not UTF-8, or there are more than [`MAX_PARAMETERS`].
pub(crate) fn parse_parameters(text: &str) -> Result<Vec<(String, String)>, ParameterError> {
    let mut parameters = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        if parameters.len() >= MAX_PARAMETERS {
            return Err(ParameterError::TooMany);
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        parameters.push((decode_component(name)?, decode_component(value)?));
    }
    Ok(parameters)
}

/// Most parameters a query string or form may have.
pub(crate) const MAX_PARAMETERS: usize = 10_000;

/// A query string or form that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParameterError {
    /// Not UTF-8 after decoding.
    #[error("a parameter is not valid UTF-8; percent-encode UTF-8 bytes")]
    NotUtf8,
    /// Too many.
    #[error("more than {MAX_PARAMETERS} parameters; send fewer")]
    TooMany,
}

fn decode_component(text: &str) -> Result<String, ParameterError> {
    let spaced = if text.contains('+') {
        Cow::Owned(text.replace('+', " "))
    } else {
        Cow::Borrowed(text)
    };
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8()
        .map(Cow::into_owned)
        .map_err(|_| ParameterError::NotUtf8)
}

/// A path segment, decoded. `None` if it is not UTF-8.
pub(crate) fn decode_segment(text: &str) -> Option<String> {
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .ok()
        .map(Cow::into_owned)
}
