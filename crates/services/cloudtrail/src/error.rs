//! CloudTrail's errors.
//!
//! Source of codes and conditions: CloudTrail API Reference, `LookupEvents`.

use rolecall_service::ServiceError;

pub(crate) fn lookup_attributes(message: impl Into<String>) -> ServiceError {
    ServiceError::new("InvalidLookupAttributesException", 400, message)
}

pub(crate) fn time_range() -> ServiceError {
    ServiceError::new(
        "InvalidTimeRangeException",
        400,
        "The start time must not be after the end time.",
    )
}

pub(crate) fn max_results() -> ServiceError {
    ServiceError::new(
        "InvalidMaxResultsException",
        400,
        "The value for MaxResults must be between 1 and 50.",
    )
}

pub(crate) fn next_token() -> ServiceError {
    ServiceError::new(
        "InvalidNextTokenException",
        400,
        "The NextToken is invalid, or was given with other parameters than those of the request it came from.",
    )
}

pub(crate) fn event_category(category: &str) -> ServiceError {
    ServiceError::new(
        "InvalidEventCategoryException",
        400,
        format!("Events of the category {category} are not recorded by rolecall; leave EventCategory out."),
    )
}

pub(crate) fn not_served(name: &str) -> ServiceError {
    ServiceError::new(
        "NotImplemented",
        501,
        format!("CloudTrail does not serve {name} here."),
    )
}
