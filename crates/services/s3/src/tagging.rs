//! Tags of buckets and of objects.

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};
use rolecall_store::{CommitError, Condition, Transaction, codec};

use crate::catalogue::Bucket;
use crate::generated::{
    DeleteBucketTaggingInput, DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetBucketTaggingInput,
    GetBucketTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput, PutBucketTaggingInput,
    PutObjectTaggingInput, PutObjectTaggingOutput,
};
use crate::names::check_key;
use crate::objects::ATTEMPTS;
use crate::read::missing;
use crate::request::{check_version, refuse};
use crate::state::{OBJECTS, ObjectRecord, object_key};
use crate::tags::{MOST_BUCKET_TAGS, MOST_OBJECT_TAGS, Tags, from_set, to_set};
use crate::{S3, error};

/// `PutBucketTagging`: replaces all tags.
pub(crate) async fn put_bucket_tagging(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: PutBucketTaggingInput,
    _: Permit,
) -> Result<(), ServiceError> {
    s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    let tags = from_set(&input.tagging.tag_set, MOST_BUCKET_TAGS)?;
    s3.change_bucket(&input.bucket, |record| record.tags.clone_from(&tags))
        .await
}

/// `GetBucketTagging`.
pub(crate) async fn get_bucket_tagging(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: GetBucketTaggingInput,
    _: Permit,
) -> Result<GetBucketTaggingOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    if bucket.record.tags.is_empty() {
        return Err(error::coded("NoSuchTagSet", 404, "The TagSet does not exist")
            .with_field("BucketName", input.bucket));
    }
    Ok(GetBucketTaggingOutput {
        tag_set: to_set(&bucket.record.tags),
    })
}

/// `DeleteBucketTagging`.
pub(crate) async fn delete_bucket_tagging(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: DeleteBucketTaggingInput,
    _: Permit,
) -> Result<(), ServiceError> {
    s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    s3.change_bucket(&input.bucket, |record| record.tags.clear())
        .await
}

impl S3 {
    async fn set_object_tags(
        &self,
        bucket: &Bucket,
        key: &str,
        tags: Tags,
        permit: &Permit,
    ) -> Result<(), ServiceError> {
        let stored_key = object_key(&bucket.record.id, key);
        for _ in 0..ATTEMPTS {
            let entry = self
                .store
                .get(OBJECTS, &stored_key)
                .map_err(error::from_store)?
                .ok_or_else(|| missing(bucket, key, permit))?;
            let mut record: ObjectRecord = entry.decode().map_err(error::from_store)?;
            record.tags.clone_from(&tags);
            let value = codec::encode(&record).map_err(error::from_store)?;
            let transaction = Transaction::new().put(
                OBJECTS,
                stored_key.clone(),
                value,
                Condition::Revision(entry.revision),
            );
            match self.store.commit(transaction).await {
                Ok(_) => return Ok(()),
                Err(CommitError::Conflict { .. }) => {}
                Err(other) => return Err(error::from_commit(other)),
            }
        }
        Err(error::conflict())
    }
}

/// `PutObjectTagging`: replaces all tags.
pub(crate) async fn put_object_tagging(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: PutObjectTaggingInput,
    permit: Permit,
) -> Result<PutObjectTaggingOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    refuse!(input, request_payer => "x-amz-request-payer",);
    check_version(input.version_id.as_deref())?;
    check_key(&input.key)?;
    let tags = from_set(&input.tagging.tag_set, MOST_OBJECT_TAGS)?;
    s3.set_object_tags(&bucket, &input.key, tags, &permit).await?;
    Ok(PutObjectTaggingOutput::default())
}

/// `GetObjectTagging`.
pub(crate) async fn get_object_tagging(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: GetObjectTaggingInput,
    permit: Permit,
) -> Result<GetObjectTaggingOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    refuse!(input, request_payer => "x-amz-request-payer",);
    check_version(input.version_id.as_deref())?;
    check_key(&input.key)?;
    let object = s3.object(&bucket, &input.key, &permit)?;
    Ok(GetObjectTaggingOutput {
        version_id: None,
        tag_set: to_set(&object.tags),
    })
}

/// `DeleteObjectTagging`.
pub(crate) async fn delete_object_tagging(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: DeleteObjectTaggingInput,
    permit: Permit,
) -> Result<DeleteObjectTaggingOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    check_version(input.version_id.as_deref())?;
    check_key(&input.key)?;
    s3.set_object_tags(&bucket, &input.key, Vec::new(), &permit)
        .await?;
    Ok(DeleteObjectTaggingOutput::default())
}
