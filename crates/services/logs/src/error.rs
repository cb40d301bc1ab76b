//! CloudWatch Logs' errors in AWS's words.
//!
//! Source: CloudWatch Logs API Reference, "Errors" of each operation; texts as the service answers them.

use rolecall_service::ServiceError;
use rolecall_store::{CommitError, StoreError};

/// 400 `InvalidParameterException`.
pub(crate) fn invalid_parameter(message: impl Into<String>) -> ServiceError {
    ServiceError::new("InvalidParameterException", 400, message)
}

/// 400 `ResourceNotFoundException` for a log group.
pub(crate) fn no_log_group() -> ServiceError {
    ServiceError::new(
        "ResourceNotFoundException",
        400,
        "The specified log group does not exist.",
    )
}

/// 400 `ResourceNotFoundException` for a log stream.
pub(crate) fn no_log_stream() -> ServiceError {
    ServiceError::new(
        "ResourceNotFoundException",
        400,
        "The specified log stream does not exist.",
    )
}

/// 400 `ResourceNotFoundException` for what tags were asked of.
pub(crate) fn no_resource() -> ServiceError {
    ServiceError::new(
        "ResourceNotFoundException",
        400,
        "The specified resource does not exist.",
    )
}

/// 400 `ResourceAlreadyExistsException` for a log group.
pub(crate) fn log_group_exists() -> ServiceError {
    ServiceError::new(
        "ResourceAlreadyExistsException",
        400,
        "The specified log group already exists",
    )
}

/// 400 `ResourceAlreadyExistsException` for a log stream.
pub(crate) fn log_stream_exists() -> ServiceError {
    ServiceError::new(
        "ResourceAlreadyExistsException",
        400,
        "The specified log stream already exists",
    )
}

/// 400 `OperationAbortedException`: others changed the same thing again and again.
pub(crate) fn aborted() -> ServiceError {
    ServiceError::new(
        "OperationAbortedException",
        400,
        "Multiple concurrent requests to update the same resource were in conflict.",
    )
}

/// A parameter AWS has and rolecall does not serve.
pub(crate) fn not_supported(parameter: &str) -> ServiceError {
    invalid_parameter(format!(
        "The parameter {parameter} is not supported by rolecall; leave it out."
    ))
}

/// 501 for an operation without a row in the table.
pub(crate) fn not_served(name: &str) -> ServiceError {
    ServiceError::new(
        "NotImplemented",
        501,
        format!("CloudWatch Logs does not serve {name} here."),
    )
}

/// The store failed.
pub(crate) fn store(error: StoreError) -> ServiceError {
    ServiceError::internal(error)
}

/// Turns a commit into: done, or lost to a concurrent change.
pub(crate) fn won<T>(outcome: Result<T, CommitError>) -> Result<bool, ServiceError> {
    match outcome {
        Ok(_) => Ok(true),
        Err(CommitError::Conflict { .. }) => Ok(false),
        Err(error) => Err(ServiceError::internal(error)),
    }
}
