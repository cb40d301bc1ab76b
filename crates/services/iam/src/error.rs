//! Errors of the domain as IAM answers them.

use rolecall_identity::IdentityError;
use rolecall_service::ServiceError;

pub(crate) fn from_identity(error: IdentityError) -> ServiceError {
    if error.is_internal() {
        return ServiceError::internal(error);
    }
    ServiceError::new(error.code(), error.status(), error.to_string())
}

pub(crate) fn validation(message: impl Into<String>) -> ServiceError {
    ServiceError::new("ValidationError", 400, message)
}

pub(crate) fn not_served(name: &str) -> ServiceError {
    ServiceError::new("NotImplemented", 501, format!("IAM does not serve {name} here."))
}

pub(crate) fn session_refused() -> ServiceError {
    ServiceError::new(
        "InvalidClientTokenId",
        403,
        "The security token included in the request is invalid",
    )
}
