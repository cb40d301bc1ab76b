//! Lambda's errors in AWS's words.
//!
//! Source: AWS Lambda API Reference, "Errors" of each operation; texts as the service answers them.

use rolecall_service::ServiceError;

/// 400 `InvalidParameterValueException`.
pub(crate) fn invalid(message: impl Into<String>) -> ServiceError {
    user("InvalidParameterValueException", 400, message)
}

/// An error whose `Type` member says that the caller can mend it.
pub(crate) fn user(code: &'static str, status: u16, message: impl Into<String>) -> ServiceError {
    ServiceError::new(code, status, message).with_field("Type", "User")
}

/// 404 for a function or version; `arn` as qualified in the request.
pub(crate) fn no_function(arn: &str) -> ServiceError {
    user(
        "ResourceNotFoundException",
        404,
        format!("Function not found: {arn}"),
    )
}

/// 404 for a policy or another part of a function.
pub(crate) fn no_resource() -> ServiceError {
    user(
        "ResourceNotFoundException",
        404,
        "The resource you requested does not exist.",
    )
}

/// 409 for a name that is taken.
pub(crate) fn function_exists(name: &str) -> ServiceError {
    user(
        "ResourceConflictException",
        409,
        format!("Function already exist: {name}"),
    )
}

/// 412 for a `RevisionId` that is not the latest one.
pub(crate) fn wrong_revision() -> ServiceError {
    user(
        "PreconditionFailedException",
        412,
        "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to retrieve \
         the latest RevisionId",
    )
}

/// The role is not there or does not trust Lambda.
pub(crate) fn role_cannot_be_assumed() -> ServiceError {
    invalid("The role defined for the function cannot be assumed by Lambda.")
}

/// A parameter AWS has and rolecall does not serve.
pub(crate) fn not_supported(parameter: &str) -> ServiceError {
    invalid(format!(
        "The parameter {parameter} is not supported by rolecall; leave it out."
    ))
}

/// 413 for an event that is too large.
pub(crate) fn event_too_large(limit: usize, operation: &str) -> ServiceError {
    user(
        "RequestTooLargeException",
        413,
        format!("Request must be smaller than {limit} bytes for the {operation} operation"),
    )
}

/// 501 for an operation without a row in the table.
pub(crate) fn not_served(name: &str) -> ServiceError {
    ServiceError::new(
        "NotImplemented",
        501,
        format!("Lambda does not serve {name} here."),
    )
}
