//! Where a deployment package comes from: the request itself, or an object in Amazon S3 that the caller may read.

use bytes::Bytes;
use rolecall_service::{RequestContext, ServiceError};
use rolecall_wire::ByteStream;

use crate::Lambda;
use crate::code::Package;
use crate::error::{event_too_large, invalid, user};

/// Largest zip in a request: 50 MB, <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
const MAXIMUM_ZIPPED: usize = 52_428_800;
/// The same in base64, which is what the error speaks of.
const MAXIMUM_ZIPPED_ENCODED: usize = 69_905_067;
/// Largest sum of all packages of an account: 75 GB.
pub(crate) const MAXIMUM_STORAGE: u64 = 80_530_636_800;

/// Where a request says that its package is.
pub(crate) struct Source<'a> {
    pub(crate) zip_file: Option<&'a Bytes>,
    pub(crate) bucket: Option<&'a str>,
    pub(crate) key: Option<&'a str>,
    pub(crate) version: Option<&'a str>,
}

/// Fetches the package, checks it and keeps it.
///
/// # Errors
/// What AWS answers to a package it cannot get or does not take.
pub(crate) async fn fetch(
    lambda: &Lambda,
    context: &RequestContext,
    operation: &'static str,
    source: Source<'_>,
) -> Result<Package, ServiceError> {
    let zip = match source {
        Source {
            zip_file: Some(_),
            bucket: Some(_),
            ..
        } => {
            return Err(invalid(
                "Please do not provide other FunctionCode parameters when providing a ZipFile.",
            ));
        }
        Source {
            zip_file: Some(zip), ..
        } => {
            if zip.len() > MAXIMUM_ZIPPED {
                return Err(event_too_large(MAXIMUM_ZIPPED_ENCODED, operation));
            }
            ByteStream::from(zip.clone())
        }
        Source {
            bucket: Some(bucket),
            key: Some(key),
            version,
            ..
        } => lambda
            .objects
            .get_object(context, bucket, key, version)
            .await
            .map_err(|error| from_s3(&error))?,
        Source { bucket: Some(_), .. } => return Err(invalid("Please provide an S3Key for the S3Bucket.")),
        _ => return Err(invalid("Please provide a source for function code.")),
    };
    let package = lambda.state.code().add(zip).await?;
    let used = lambda.state.fold(0u64, |sum, function| {
        function
            .versions()
            .fold(sum, |sum, version| sum.saturating_add(version.code_size))
    });
    if used.saturating_add(package.size) > MAXIMUM_STORAGE {
        return Err(user(
            "CodeStorageExceededException",
            400,
            "Code storage limit exceeded.",
        ));
    }
    Ok(package)
}

fn from_s3(error: &ServiceError) -> ServiceError {
    let detail = format!(
        "S3 Error Code: {}. S3 Error Message: {}",
        error.code(),
        error.message()
    );
    match error.status() {
        403 => user(
            "AccessDeniedException",
            403,
            format!(
                "Your access has been denied by S3, please make sure your request credentials have permission to \
                 GetObject for the bucket and key. {detail}"
            ),
        ),
        _ => invalid(format!("Error occurred while GetObject. {detail}")),
    }
}
