//! The error a service answers with, as AWS's protocols carry it.

use std::borrow::Cow;
use std::fmt;

use rolecall_wire::Value;

/// An error as the caller sees it: AWS's code, the message, the HTTP status, and the modelled extra members.
///
/// One pointer wide, because it stands in the `Err` of every operation.
pub struct ServiceError(Box<Inner>);

struct Inner {
    code: Cow<'static, str>,
    message: String,
    status: u16,
    fields: Vec<(Cow<'static, str>, Value)>,
    headers: Vec<(&'static str, String)>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ServiceError {
    /// An error with AWS's `code`, the HTTP `status` its model gives, and the `message` shown to the caller.
    pub fn new(code: impl Into<Cow<'static, str>>, status: u16, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code: code.into(),
            message: message.into(),
            status,
            fields: Vec::new(),
            headers: Vec::new(),
            source: None,
        }))
    }

    /// The answer when rolecall itself failed (a full disk, a broken file): 500, cause kept for the log only.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut error = Self::new(
            "InternalFailure",
            500,
            "The request processing has failed because of an internal error; the server's log has the cause.",
        );
        error.0.source = Some(source.into());
        error
    }

    /// Adds a member that the error's shape models, such as `Reason` of a throttle.
    #[must_use]
    pub fn with_field(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.fields.push((Cow::Borrowed(name), value.into()));
        self
    }

    /// Adds a response header, such as `Retry-After`.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    /// AWS's error code, such as `ResourceNotFoundException`.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The sentence the caller reads.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// HTTP status.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The modelled members beside code and message.
    pub fn fields(&self) -> &[(Cow<'static, str>, Value)] {
        &self.0.fields
    }

    /// Extra response headers.
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.0.headers
    }

    /// What went wrong inside, for the server's log; never shown to a caller.
    pub fn internal_cause(&self) -> Option<&(dyn std::error::Error + Send + Sync)> {
        self.0.source.as_deref()
    }
}

impl fmt::Debug for ServiceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ServiceError")
            .field("code", &self.0.code)
            .field("status", &self.0.status)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.0.code, self.0.message)
    }
}

impl std::error::Error for ServiceError {}
