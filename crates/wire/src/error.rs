//! What is wrong with a request, in AWS's words, and the errors a service answers with.

use std::borrow::Cow;
use std::fmt;

use crate::{ServiceModel, Shape, Value};

/// Why a request could not be routed or decoded. Code, message and status are what the caller sees.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct WireError {
    code: Cow<'static, str>,
    status: u16,
    message: String,
}

impl WireError {
    /// An error with AWS's code and message.
    pub fn new(code: impl Into<Cow<'static, str>>, status: u16, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            status,
            message: message.into(),
        }
    }

    /// A JSON document that is malformed or has the wrong types.
    pub(crate) fn serialization(message: impl Into<String>) -> Self {
        Self::new("SerializationException", 400, message)
    }

    /// An XML document that is malformed or does not follow the schema.
    pub(crate) fn malformed_xml() -> Self {
        Self::new(
            "MalformedXML",
            400,
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    }

    /// An input that breaks the model's constraints.
    pub(crate) fn validation(model: &ServiceModel, message: impl Into<String>) -> Self {
        Self::new(model.validation.code, 400, message)
    }

    /// A service's own output does not have its model's shape.
    pub(crate) fn unencodable(shape: &Shape, value: &Value) -> Self {
        Self::new(
            "InternalFailure",
            500,
            format!(
                "the answer cannot be encoded: `{}` is a {}",
                shape.name,
                value.kind()
            ),
        )
    }

    /// AWS's error code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The sentence the caller reads.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }
}

/// Who is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller.
    Sender,
    /// The service.
    Receiver,
}

/// An error on its way to the caller.
#[derive(Clone, PartialEq)]
pub struct ErrorResponse {
    /// AWS's code, such as `NoSuchEntity`.
    pub code: Cow<'static, str>,
    /// The sentence the caller reads.
    pub message: String,
    /// HTTP status.
    pub status: u16,
    /// Who is at fault.
    pub fault: Fault,
    /// What Amazon S3 writes in `Resource`: the request's path.
    pub resource: Option<String>,
    /// Further members of the error's shape.
    pub fields: Vec<(Cow<'static, str>, Value)>,
    /// Further header fields, such as `Retry-After`.
    pub headers: Vec<(Cow<'static, str>, String)>,
}

impl ErrorResponse {
    /// An error without further members; the fault follows from the status.
    pub fn new(code: impl Into<Cow<'static, str>>, status: u16, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            status,
            fault: if status < 500 {
                Fault::Sender
            } else {
                Fault::Receiver
            },
            resource: None,
            fields: Vec::new(),
            headers: Vec::new(),
        }
    }
}

impl From<WireError> for ErrorResponse {
    fn from(error: WireError) -> Self {
        Self::new(error.code, error.status, error.message)
    }
}

/// Shows code, status and the names of further members; the message may quote input.
impl fmt::Debug for ErrorResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ErrorResponse")
            .field("code", &self.code)
            .field("status", &self.status)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}
