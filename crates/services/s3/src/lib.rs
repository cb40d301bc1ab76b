//! Amazon S3: buckets and objects of one account.
//!
//! Metadata is in the store, large bodies are files (see `data`). Buckets are those AWS makes by default: not versioned,
//! object ownership `BucketOwnerEnforced`, Block Public Access on. An operation, header or parameter that would need more is
//! refused by name.

mod access;
mod attributes;
mod bucket_policy;
mod buckets;
mod catalogue;
mod checksum;
mod conditions;
mod copy;
mod data;
mod delete;
mod error;
#[rustfmt::skip]
mod generated;
mod list_objects;
mod list_uploads;
mod listing;
mod multipart;
mod names;
mod objects;
mod range;
mod read;
mod request;
mod state;
mod tagging;
mod tags;

use std::path::PathBuf;
use std::sync::Arc;

use rolecall_identity::Directory;
use rolecall_service::{
    BoxFuture, Prepared, RequestContext, Service, ServiceError, find_operation, operations,
};
use rolecall_store::Store;
use rolecall_wire::{OperationModel, ServiceModel, Value};
use sha2::Digest as _;

use crate::catalogue::Catalogue;
use crate::data::DataFolder;

/// What S3 needs to know beside its state.
#[derive(Debug, Clone)]
pub struct S3Options {
    /// Folder for the files of objects, on the same file system as the gateway's spool, so that a spooled body need not be
    /// copied.
    pub data: PathBuf,
    /// Region of the endpoint.
    pub region: String,
    /// Account that owns the buckets, twelve digits.
    pub account: String,
}

/// Why S3 could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder for objects cannot be used.
    #[error("cannot use {folder} for objects: {cause}; check that it belongs to this user")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The operating system's answer.
        cause: std::io::Error,
    },
    /// The stored buckets cannot be read.
    #[error("{0}")]
    State(String),
}

/// Amazon S3 of one account.
pub struct S3 {
    options: S3Options,
    store: Arc<dyn Store>,
    directory: Arc<Directory>,
    catalogue: Catalogue,
    data: Arc<DataFolder>,
    owner: String,
}

impl S3 {
    /// S3 over the state in `store` and the files in [`S3Options::data`]. Files that a crash left behind are removed in the
    /// background. Call it inside a Tokio runtime.
    ///
    /// # Errors
    /// The folder cannot be used, or a stored bucket cannot be read.
    #[expect(
        clippy::unused_async,
        reason = "opening may wait for the disk in a later version"
    )]
    pub async fn open(
        options: S3Options,
        store: Arc<dyn Store>,
        directory: Arc<Directory>,
    ) -> Result<Arc<Self>, OpenError> {
        let data = DataFolder::open(options.data.clone()).map_err(|cause| OpenError::Folder {
            folder: options.data.clone(),
            cause,
        })?;
        let catalogue =
            Catalogue::open(Arc::clone(&store)).map_err(|cause| OpenError::State(cause.to_string()))?;
        let (swept, swept_store) = (Arc::clone(&data), Arc::clone(&store));
        tokio::task::spawn_blocking(move || match swept.sweep(&*swept_store) {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "removed data files that belong to no object"),
            Err(error) => tracing::warn!(%error, "data files that belong to no object were not removed"),
        });
        Ok(Arc::new(Self {
            owner: canonical_id(&options.account),
            options,
            store,
            directory,
            catalogue,
            data,
        }))
    }
}

/// The account's canonical user id: 64 hexadecimal digits that always belong to the same account.
fn canonical_id(account: &str) -> String {
    hex::encode(sha2::Sha256::digest(account.as_bytes()))
}

operations! { S3 {
    ListBuckets => access::list_buckets, buckets::list_buckets;
    CreateBucket => access::create_bucket, buckets::create_bucket;
    HeadBucket => access::head_bucket, buckets::head_bucket;
    DeleteBucket => access::delete_bucket, buckets::delete_bucket;
    GetBucketLocation => access::get_bucket_location, buckets::get_bucket_location;
    PutBucketPolicy => access::put_bucket_policy, bucket_policy::put_bucket_policy;
    GetBucketPolicy => access::get_bucket_policy, bucket_policy::get_bucket_policy;
    DeleteBucketPolicy => access::delete_bucket_policy, bucket_policy::delete_bucket_policy;
    GetBucketPolicyStatus => access::get_bucket_policy_status, bucket_policy::get_bucket_policy_status;
    PutBucketTagging => access::put_bucket_tagging, tagging::put_bucket_tagging;
    GetBucketTagging => access::get_bucket_tagging, tagging::get_bucket_tagging;
    DeleteBucketTagging => access::delete_bucket_tagging, tagging::delete_bucket_tagging;

    ListObjects => access::list_objects, list_objects::list_objects;
    ListObjectsV2 => access::list_objects_v2, list_objects::list_objects_v2;
    PutObject => access::put_object, objects::put_object;
    GetObject => access::get_object, read::get_object;
    HeadObject => access::head_object, read::head_object;
    GetObjectAttributes => access::get_object_attributes, attributes::get_object_attributes;
    CopyObject => access::copy_object, copy::copy_object;
    DeleteObject => access::delete_object, delete::delete_object;
    DeleteObjects => access::delete_objects, delete::delete_objects;
    PutObjectTagging => access::put_object_tagging, tagging::put_object_tagging;
    GetObjectTagging => access::get_object_tagging, tagging::get_object_tagging;
    DeleteObjectTagging => access::delete_object_tagging, tagging::delete_object_tagging;

    CreateMultipartUpload => access::create_multipart_upload, multipart::create_multipart_upload;
    UploadPart => access::upload_part, multipart::upload_part;
    UploadPartCopy => access::upload_part_copy, copy::upload_part_copy;
    CompleteMultipartUpload => access::complete_multipart_upload, multipart::complete_multipart_upload;
    AbortMultipartUpload => access::abort_multipart_upload, multipart::abort_multipart_upload;
    ListParts => access::list_parts, list_uploads::list_parts;
    ListMultipartUploads => access::list_multipart_uploads, list_uploads::list_multipart_uploads;
} }

impl Service for S3 {
    fn model(&self) -> &'static ServiceModel {
        &generated::MODEL
    }

    fn event_source(&self) -> &'static str {
        "s3.amazonaws.com"
    }

    fn prepare(
        self: Arc<Self>,
        operation: &'static OperationModel,
        input: Value,
        context: Arc<RequestContext>,
    ) -> BoxFuture<'static, Result<Prepared, ServiceError>> {
        Box::pin(async move {
            match find_operation(OPERATIONS, operation.name) {
                Some(entry) => (entry.prepare)(self, input, context),
                None => Err(error::not_served(operation.name)),
            }
        })
    }
}
