//! Amazon DynamoDB's errors: codes, texts and statuses as its clients know them.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>

use rolecall_service::ServiceError;
use rolecall_store::{CommitError, StoreError};

/// What the operations of this crate answer with.
pub(crate) type Result<T> = std::result::Result<T, ServiceError>;

/// `ValidationException`, 400: the request breaks a rule.
pub(crate) fn validation(message: impl Into<String>) -> ServiceError {
    ServiceError::new("ValidationException", 400, message)
}

/// `ValidationException` for item and index values: `One or more parameter values were invalid: …`.
pub(crate) fn invalid_parameter(message: impl std::fmt::Display) -> ServiceError {
    validation(format!("One or more parameter values were invalid: {message}"))
}

/// A parameter that AWS has and this server does not serve. Never ignored silently.
pub(crate) fn unsupported(parameter: &str) -> ServiceError {
    validation(format!(
        "{parameter} is not supported by this endpoint; leave it out of the request"
    ))
}

/// A data operation on a table that is not there.
pub(crate) fn resource_not_found() -> ServiceError {
    ServiceError::new("ResourceNotFoundException", 400, "Requested resource not found")
}

/// A table operation on a table that is not there.
pub(crate) fn table_not_found(name: &str) -> ServiceError {
    ServiceError::new(
        "ResourceNotFoundException",
        400,
        format!("Requested resource not found: Table: {name} not found"),
    )
}

/// A table or index that is there already, or is busy.
pub(crate) fn in_use(message: impl Into<String>) -> ServiceError {
    ServiceError::new("ResourceInUseException", 400, message)
}

/// Too many of something.
pub(crate) fn limit_exceeded(message: impl Into<String>) -> ServiceError {
    ServiceError::new("LimitExceededException", 400, message)
}

/// Another write to the same items kept getting ahead; the client's SDK retries.
pub(crate) fn conflict() -> ServiceError {
    ServiceError::new(
        "TransactionConflictException",
        400,
        "Transaction is ongoing for the item",
    )
}

/// The store could not read.
pub(crate) fn storage(error: StoreError) -> ServiceError {
    ServiceError::internal(error)
}

/// The store could not write.
pub(crate) fn commit(error: CommitError) -> ServiceError {
    ServiceError::internal(error)
}
