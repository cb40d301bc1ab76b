//! `DeleteObject` and `DeleteObjects`.
//!
//! Deleting what is not there succeeds, as in S3.

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};
use rolecall_store::{CommitError, Condition, Transaction};

use crate::catalogue::Bucket;
use crate::conditions::matches_any;
use crate::generated::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, Error,
    ObjectIdentifier,
};
use crate::names::{check_key, object_arn};
use crate::objects::{ATTEMPTS, forget_body};
use crate::request::{check_version, refuse};
use crate::state::{Data, OBJECTS, ObjectRecord, object_key};
use crate::{S3, error};

/// Most keys of one `DeleteObjects`.
const MOST_KEYS: usize = 1000;

/// `DeleteObject`.
pub(crate) async fn delete_object(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: DeleteObjectInput,
    _: Permit,
) -> Result<DeleteObjectOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    refuse!(input,
        mfa => "x-amz-mfa",
        request_payer => "x-amz-request-payer",
        bypass_governance_retention => "x-amz-bypass-governance-retention",
        if_match_last_modified_time => "x-amz-if-match-last-modified-time",
        if_match_size => "x-amz-if-match-size",
    );
    check_version(input.version_id.as_deref())?;
    check_key(&input.key)?;
    s3.delete_one(&bucket, &input.key, input.if_match.as_deref())
        .await?;
    Ok(DeleteObjectOutput::default())
}

impl S3 {
    async fn delete_one(
        &self,
        bucket: &Bucket,
        key: &str,
        if_match: Option<&str>,
    ) -> Result<(), ServiceError> {
        let stored_key = object_key(&bucket.record.id, key);
        for _ in 0..ATTEMPTS {
            let Some(entry) = self.store.get(OBJECTS, &stored_key).map_err(error::from_store)? else {
                return if_match.map_or(Ok(()), |_| Err(error::no_such_key(key)));
            };
            let record: ObjectRecord = entry.decode().map_err(error::from_store)?;
            if if_match.is_some_and(|wanted| !matches_any(wanted, &record.etag)) {
                return Err(error::precondition_failed("If-Match"));
            }
            let transaction =
                Transaction::new().delete(OBJECTS, stored_key.clone(), Condition::Revision(entry.revision));
            match self.store.commit(forget_body(transaction, &record.data)).await {
                Ok(_) => {
                    self.data.remove(&record.data);
                    return Ok(());
                }
                Err(CommitError::Conflict { .. }) => {}
                Err(other) => return Err(error::from_commit(other)),
            }
        }
        Err(error::conflict())
    }

    /// Deletes keys in one transaction. `false` when somebody else changed one of them meanwhile.
    async fn delete_together(&self, bucket: &Bucket, keys: &[&str]) -> Result<bool, ServiceError> {
        let mut transaction = Transaction::new();
        let mut bodies: Vec<Data> = Vec::new();
        for key in keys {
            let stored_key = object_key(&bucket.record.id, key);
            if let Some(entry) = self.store.get(OBJECTS, &stored_key).map_err(error::from_store)? {
                let record: ObjectRecord = entry.decode().map_err(error::from_store)?;
                transaction = transaction.delete(OBJECTS, stored_key, Condition::Revision(entry.revision));
                transaction = forget_body(transaction, &record.data);
                bodies.push(record.data);
            }
        }
        match self.store.commit(transaction).await {
            Ok(_) => {
                for data in &bodies {
                    self.data.remove(data);
                }
                Ok(true)
            }
            Err(CommitError::Conflict { .. }) => Ok(false),
            Err(other) => Err(error::from_commit(other)),
        }
    }
}

/// `DeleteObjects`. A key that is denied is an error in the answer, not of the request.
pub(crate) async fn delete_objects(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: DeleteObjectsInput,
    permit: Permit,
) -> Result<DeleteObjectsOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    refuse!(input,
        mfa => "x-amz-mfa",
        request_payer => "x-amz-request-payer",
        bypass_governance_retention => "x-amz-bypass-governance-retention",
    );
    check_count(&input.delete.objects)?;
    let mut errors = Vec::new();
    let mut allowed: Vec<&ObjectIdentifier> = Vec::new();
    // Accesses were asked for in the order of the keys.
    for (object, decided) in input.delete.objects.iter().zip(permit.decided()) {
        let arn = object_arn(&input.bucket, &object.key);
        if object.e_tag.is_some() && !permit.allows("s3:GetObject", &arn) {
            let refused = error::access_denied(permit.denial_of("s3:GetObject", &arn));
            errors.push(failure(object, &refused));
        } else if decided.allowed && decided.resource == arn {
            match check_one(object) {
                Ok(()) => allowed.push(object),
                Err(refused) => errors.push(failure(object, &refused)),
            }
        } else {
            errors.push(failure(object, &error::access_denied(decided.message.as_deref())));
        }
    }
    let plain: Vec<&str> = allowed
        .iter()
        .filter(|object| object.e_tag.is_none())
        .map(|object| object.key.as_str())
        .collect();
    let is_done = unique(&plain) && s3.delete_together(&bucket, &plain).await?;
    let mut deleted = Vec::new();
    for object in allowed {
        let outcome = if is_done && object.e_tag.is_none() {
            Ok(())
        } else {
            s3.delete_one(&bucket, &object.key, object.e_tag.as_deref()).await
        };
        match outcome {
            Ok(()) => deleted.push(DeletedObject {
                key: Some(object.key.clone()),
                version_id: object.version_id.clone(),
                ..DeletedObject::default()
            }),
            Err(refused) => errors.push(failure(object, &refused)),
        }
    }
    let is_quiet = input.delete.quiet.unwrap_or(false);
    Ok(DeleteObjectsOutput {
        deleted: (!is_quiet && !deleted.is_empty()).then_some(deleted),
        request_charged: None,
        errors: (!errors.is_empty()).then_some(errors),
    })
}

/// # Errors
/// There is no key, or there are too many.
pub(crate) fn check_count(objects: &[ObjectIdentifier]) -> Result<(), ServiceError> {
    if objects.is_empty() || objects.len() > MOST_KEYS {
        return Err(error::malformed_xml());
    }
    Ok(())
}

fn check_one(object: &ObjectIdentifier) -> Result<(), ServiceError> {
    if object.last_modified_time.is_some() {
        return Err(error::unsupported("LastModifiedTime"));
    }
    if object.size.is_some() {
        return Err(error::unsupported("Size"));
    }
    check_key(&object.key)?;
    check_version(object.version_id.as_deref())
}

fn unique(keys: &[&str]) -> bool {
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair.first() != pair.last())
}

fn failure(object: &ObjectIdentifier, refused: &ServiceError) -> Error {
    Error {
        key: Some(object.key.clone()),
        version_id: object.version_id.clone(),
        code: Some(refused.code().to_owned()),
        message: Some(refused.message().to_owned()),
    }
}
