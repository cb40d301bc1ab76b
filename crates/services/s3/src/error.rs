//! Amazon S3's errors: codes, texts, statuses and the members beside them.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>

use std::fmt::Display;

use rolecall_service::ServiceError;
use rolecall_store::{CommitError, StoreError};

fn error(code: &'static str, status: u16, message: impl Into<String>) -> ServiceError {
    ServiceError::new(code, status, message)
}

pub(crate) fn not_served(name: &str) -> ServiceError {
    error(
        "NotImplemented",
        501,
        format!("Amazon S3 does not serve {name} here."),
    )
}

/// A header or parameter whose meaning is not provided here; it is named rather than ignored.
pub(crate) fn unsupported(header: &'static str) -> ServiceError {
    error(
        "NotImplemented",
        501,
        format!("A header you provided implies functionality that is not implemented: {header}"),
    )
    .with_field("Header", header)
}

pub(crate) fn no_such_bucket(bucket: &str) -> ServiceError {
    error("NoSuchBucket", 404, "The specified bucket does not exist").with_field("BucketName", bucket)
}

pub(crate) fn no_such_key(key: &str) -> ServiceError {
    error("NoSuchKey", 404, "The specified key does not exist.").with_field("Key", key)
}

pub(crate) fn no_such_upload(upload_id: &str) -> ServiceError {
    error(
        "NoSuchUpload",
        404,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    )
    .with_field("UploadId", upload_id)
}

pub(crate) fn access_denied(message: Option<&str>) -> ServiceError {
    error("AccessDenied", 403, message.unwrap_or("Access Denied"))
}

pub(crate) fn invalid_argument(message: impl Into<String>, name: &str, value: impl Display) -> ServiceError {
    error("InvalidArgument", 400, message)
        .with_field("ArgumentName", name)
        .with_field("ArgumentValue", value.to_string())
}

pub(crate) fn invalid_request(message: impl Into<String>) -> ServiceError {
    error("InvalidRequest", 400, message)
}

pub(crate) fn invalid_bucket_name(bucket: &str) -> ServiceError {
    error("InvalidBucketName", 400, "The specified bucket is not valid.").with_field("BucketName", bucket)
}

pub(crate) fn precondition_failed(condition: &str) -> ServiceError {
    error(
        "PreconditionFailed",
        412,
        "At least one of the pre-conditions you specified did not hold",
    )
    .with_field("Condition", condition)
}

/// 304: an error on the wire of S3, without a body.
pub(crate) fn not_modified(etag: &str, modified: String) -> ServiceError {
    error("NotModified", 304, "Not Modified")
        .with_header("ETag", format!("\"{etag}\""))
        .with_header("Last-Modified", modified)
}

pub(crate) fn invalid_range(range: &str, size: u64) -> ServiceError {
    error("InvalidRange", 416, "The requested range is not satisfiable")
        .with_field("RangeRequested", range)
        .with_field("ActualObjectSize", size.to_string())
        .with_header("Content-Range", format!("bytes */{size}"))
}

pub(crate) fn key_too_long(size: usize) -> ServiceError {
    error("KeyTooLongError", 400, "Your key is too long")
        .with_field("Size", size.to_string())
        .with_field("MaxSizeAllowed", crate::names::LONGEST_KEY.to_string())
}

pub(crate) fn malformed_xml() -> ServiceError {
    error(
        "MalformedXML",
        400,
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

pub(crate) fn bad_digest(name: &str) -> ServiceError {
    error(
        "BadDigest",
        400,
        format!("The {name} you specified did not match the calculated checksum."),
    )
}

pub(crate) fn invalid_tag(message: impl Into<String>) -> ServiceError {
    error("InvalidTag", 400, message)
}

pub(crate) fn coded(code: &'static str, status: u16, message: impl Into<String>) -> ServiceError {
    error(code, status, message)
}

/// Somebody else kept changing the same key for as long as it was tried.
pub(crate) fn conflict() -> ServiceError {
    error(
        "ConditionalRequestConflict",
        409,
        "The conditional request cannot succeed due to a conflicting operation against this resource.",
    )
}

pub(crate) fn invalid_version() -> ServiceError {
    error("InvalidArgument", 400, "Invalid version id specified").with_field("ArgumentName", "versionId")
}

pub(crate) fn from_store(cause: StoreError) -> ServiceError {
    internal(cause)
}

pub(crate) fn from_io(cause: std::io::Error) -> ServiceError {
    internal(cause)
}

pub(crate) fn from_commit(cause: CommitError) -> ServiceError {
    match cause {
        CommitError::Store(cause) => internal(cause),
        other => internal(other),
    }
}

fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ServiceError {
    ServiceError::internal(cause)
}
