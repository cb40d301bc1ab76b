//! What is common to requests: headers that are not served, encryption, access control lists, the expected owner.

use rolecall_service::ServiceError;

use crate::error;

/// Refuses members of an input that are not served, by the name of their header.
macro_rules! refuse {
    ($input:expr, $($member:ident => $header:literal,)*) => {
        $(if $input.$member.is_some() {
            return Err($crate::error::unsupported($header));
        })*
    };
}

/// Refuses encryption with the customer's keys.
macro_rules! refuse_customer_keys {
    ($input:expr) => {
        $crate::request::refuse!($input,
            sse_customer_algorithm => "x-amz-server-side-encryption-customer-algorithm",
            sse_customer_key => "x-amz-server-side-encryption-customer-key",
            sse_customer_key_md5 => "x-amz-server-side-encryption-customer-key-MD5",
            request_payer => "x-amz-request-payer",
        )
    };
}

/// Refuses what no operation that makes an object serves.
macro_rules! refuse_on_write {
    ($input:expr) => {{
        $crate::request::refuse_customer_keys!($input);
        $crate::request::refuse!($input,
            ssekms_key_id => "x-amz-server-side-encryption-aws-kms-key-id",
            ssekms_encryption_context => "x-amz-server-side-encryption-context",
            bucket_key_enabled => "x-amz-server-side-encryption-bucket-key-enabled",
            website_redirect_location => "x-amz-website-redirect-location",
            object_lock_mode => "x-amz-object-lock-mode",
            object_lock_retain_until_date => "x-amz-object-lock-retain-until-date",
            object_lock_legal_hold_status => "x-amz-object-lock-legal-hold",
            object_lock_event_hold => "x-amz-object-lock-event-hold",
            object_lock_event_hold_duration_days => "x-amz-object-lock-event-hold-duration-days",
            object_lock_event_hold_duration_years => "x-amz-object-lock-event-hold-duration-years",
        );
        $crate::request::check_grants(&[
            &$input.grant_full_control,
            &$input.grant_read,
            &$input.grant_read_acp,
            &$input.grant_write_acp,
        ])?;
        $crate::request::check_object_acl($input.acl.as_deref())?;
        $crate::request::check_encryption($input.server_side_encryption.as_deref())?;
    }};
}

pub(crate) use {refuse, refuse_customer_keys, refuse_on_write};

/// The encryption S3 reports for every object. Here it says that the object is as safe as the data folder: the server
/// writes plain files, and whoever wants them encrypted at rest puts the folder on an encrypted disk.
pub(crate) const ENCRYPTION: &str = "AES256";

/// # Errors
/// Encryption other than `AES256` is asked for.
pub(crate) fn check_encryption(asked: Option<&str>) -> Result<(), ServiceError> {
    match asked {
        None | Some(ENCRYPTION) => Ok(()),
        Some(_) => Err(error::unsupported("x-amz-server-side-encryption")),
    }
}

/// Buckets have the object ownership `BucketOwnerEnforced`, as AWS's own since 2023: access control lists that give
/// somebody else something are refused.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>
pub(crate) fn check_object_acl(acl: Option<&str>) -> Result<(), ServiceError> {
    match acl {
        None | Some("private" | "bucket-owner-full-control") => Ok(()),
        Some(_) => Err(acl_not_supported()),
    }
}

/// # Errors
/// A grant is there: see [`check_object_acl`].
pub(crate) fn check_grants(grants: &[&Option<String>]) -> Result<(), ServiceError> {
    if grants.iter().any(|grant| grant.is_some()) {
        return Err(acl_not_supported());
    }
    Ok(())
}

fn acl_not_supported() -> ServiceError {
    error::coded(
        "AccessControlListNotSupported",
        400,
        "The bucket does not allow ACLs",
    )
}

/// # Errors
/// The client expected the bucket to be somebody else's.
pub(crate) fn check_owner(account: &str, expected: Option<&str>) -> Result<(), ServiceError> {
    match expected {
        Some(expected) if expected != account => Err(error::access_denied(None)),
        _ => Ok(()),
    }
}

/// # Errors
/// A version is asked for. Buckets are not versioned, so the only one there is is `null`.
pub(crate) fn check_version(version: Option<&str>) -> Result<(), ServiceError> {
    match version {
        None | Some("null") => Ok(()),
        Some(_) => Err(error::invalid_version()),
    }
}

const STORAGE_CLASSES: [&str; 6] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
];

/// The storage class to keep; `None` for `STANDARD`. It is kept and shown, and changes nothing else. Classes whose
/// objects must be restored before they can be read are refused.
pub(crate) fn storage_class(asked: Option<&str>) -> Result<Option<String>, ServiceError> {
    match asked {
        None | Some("STANDARD") => Ok(None),
        Some(class) if STORAGE_CLASSES.contains(&class) => Ok(Some(class.to_owned())),
        Some(
            "GLACIER" | "DEEP_ARCHIVE" | "OUTPOSTS" | "SNOW" | "EXPRESS_ONEZONE" | "FSX_OPENZFS"
            | "FSX_ONTAP",
        ) => Err(error::unsupported("x-amz-storage-class")),
        Some(_) => Err(error::coded(
            "InvalidStorageClass",
            400,
            "The storage class you specified is not valid",
        )),
    }
}

/// Largest user metadata, names and values together, in bytes.
const LARGEST_METADATA: usize = 2048;

/// # Errors
/// The user metadata is over 2 KB.
pub(crate) fn check_metadata<'a>(
    metadata: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Result<(), ServiceError> {
    let size = metadata
        .into_iter()
        .map(|(name, value)| name.len().saturating_add(value.len()))
        .fold(0, usize::saturating_add);
    if size > LARGEST_METADATA {
        return Err(error::coded(
            "MetadataTooLarge",
            400,
            "Your metadata headers exceed the maximum allowed metadata size",
        )
        .with_field("Size", size.to_string())
        .with_field("MaxSizeAllowed", LARGEST_METADATA.to_string()));
    }
    Ok(())
}
