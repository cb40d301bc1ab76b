//! Buckets: make, find, list, delete.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rolecall_service::{Permit, RequestContext, ServiceError};
use rolecall_store::{CommitError, Condition, ScanRange, Transaction, codec};

use crate::catalogue::Bucket;
use crate::data::random_hex;
use crate::generated::{
    self, CreateBucketInput, CreateBucketOutput, DeleteBucketInput, GetBucketLocationInput,
    GetBucketLocationOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput, ListBucketsOutput, Owner,
};
use crate::names::{bucket_arn, is_bucket_name};
use crate::request::{check_grants, check_owner, refuse};
use crate::state::{BUCKET_IDS, BUCKETS, BucketRecord, OBJECTS, PARTS, PartRecord, UPLOADS, timestamp};
use crate::{S3, error, tags};

const LARGEST_PAGE: i32 = 10_000;

impl S3 {
    /// The bucket an operation is about, when it exists and belongs to whom the client expects.
    pub(crate) fn bucket(
        &self,
        name: &str,
        expected_owner: Option<&str>,
    ) -> Result<Arc<Bucket>, ServiceError> {
        let bucket = self.catalogue.get(name)?;
        check_owner(&self.options.account, expected_owner)?;
        Ok(bucket)
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner {
            display_name: None,
            id: Some(self.owner.clone()),
        }
    }

    /// Changes a bucket's record.
    pub(crate) async fn change_bucket(
        &self,
        name: &str,
        change: impl Fn(&mut BucketRecord),
    ) -> Result<(), ServiceError> {
        for _ in 0..crate::objects::ATTEMPTS {
            let entry = self
                .store
                .get(BUCKETS, name.as_bytes())
                .map_err(error::from_store)?
                .ok_or_else(|| error::no_such_bucket(name))?;
            let mut record: BucketRecord = entry.decode().map_err(error::from_store)?;
            change(&mut record);
            let value = codec::encode(&record).map_err(error::from_store)?;
            let transaction =
                Transaction::new().put(BUCKETS, name, value, Condition::Revision(entry.revision));
            match self.store.commit(transaction).await {
                Ok(_) => return Ok(()),
                Err(CommitError::Conflict { .. }) => {}
                Err(other) => return Err(error::from_commit(other)),
            }
        }
        Err(operation_aborted())
    }
}

fn operation_aborted() -> ServiceError {
    error::coded(
        "OperationAborted",
        409,
        "A conflicting conditional operation is currently in progress against this resource. Please try again.",
    )
}

/// `CreateBucket`.
pub(crate) async fn create_bucket(
    s3: Arc<S3>,
    context: Arc<RequestContext>,
    input: CreateBucketInput,
    _: Permit,
) -> Result<CreateBucketOutput, ServiceError> {
    if !is_bucket_name(&input.bucket) {
        return Err(error::invalid_bucket_name(&input.bucket));
    }
    if input.object_lock_enabled_for_bucket == Some(true) {
        return Err(error::unsupported("x-amz-bucket-object-lock-enabled"));
    }
    refuse!(input, bucket_namespace => "x-amz-bucket-namespace",);
    if input
        .object_ownership
        .as_deref()
        .is_some_and(|ownership| ownership != "BucketOwnerEnforced")
    {
        return Err(error::unsupported("x-amz-object-ownership"));
    }
    check_grants(&[
        &input.grant_full_control,
        &input.grant_read,
        &input.grant_read_acp,
        &input.grant_write,
        &input.grant_write_acp,
    ])?;
    if input.acl.as_deref().is_some_and(|acl| acl != "private") {
        return Err(error::coded(
            "InvalidBucketAclWithObjectOwnership",
            400,
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        ));
    }
    let configuration = input.create_bucket_configuration.unwrap_or_default();
    if configuration.location.is_some() || configuration.bucket.is_some() {
        return Err(error::unsupported("CreateBucketConfiguration.Bucket"));
    }
    let region = region_of_new(&context.region, configuration.location_constraint.as_deref())?;
    let tags = tags::from_set(
        configuration.tags.as_deref().unwrap_or_default(),
        tags::MOST_BUCKET_TAGS,
    )?;
    let answer = CreateBucketOutput {
        location: Some(format!("/{}", input.bucket)),
        bucket_arn: Some(bucket_arn(&input.bucket)),
    };
    let id = random_hex().map_err(ServiceError::internal)?;
    let record = BucketRecord {
        id: id.clone(),
        created: context.time.as_millisecond(),
        region,
        policy: None,
        tags,
    };
    let transaction = Transaction::new()
        .put(
            BUCKETS,
            input.bucket.as_str(),
            codec::encode(&record).map_err(error::from_store)?,
            Condition::Absent,
        )
        .put(BUCKET_IDS, id, input.bucket.clone(), Condition::Absent);
    match s3.store.commit(transaction).await {
        Ok(_) => Ok(answer),
        // AWS's own exception: in us-east-1 making a bucket one has is no error.
        Err(CommitError::Conflict { .. }) if &*context.region == "us-east-1" => Ok(answer),
        Err(CommitError::Conflict { .. }) => Err(error::coded(
            "BucketAlreadyOwnedByYou",
            409,
            "Your previous request to create the named bucket succeeded and you already own it.",
        )
        .with_field("BucketName", input.bucket)),
        Err(other) => Err(error::from_commit(other)),
    }
}

/// The region of a bucket made through the endpoint of `region`.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>, `LocationConstraint`.
fn region_of_new(region: &str, constraint: Option<&str>) -> Result<String, ServiceError> {
    let incompatible = |named: &str| {
        error::coded(
            "IllegalLocationConstraintException",
            400,
            format!(
                "The {named} location constraint is incompatible for the region specific endpoint this request was sent to."
            ),
        )
    };
    match constraint.filter(|constraint| !constraint.is_empty()) {
        None if region == "us-east-1" => Ok(region.to_owned()),
        None => Err(incompatible("unspecified")),
        Some("EU") if matches!(region, "us-east-1" | "eu-west-1") => Ok("eu-west-1".to_owned()),
        Some(constraint) if constraint == "us-east-1" || !is_region(constraint) => Err(error::coded(
            "InvalidLocationConstraint",
            400,
            "The specified location-constraint is not valid",
        )
        .with_field("LocationConstraint", constraint)),
        Some(constraint) if region == "us-east-1" || region == constraint => Ok(constraint.to_owned()),
        Some(constraint) => Err(incompatible(constraint)),
    }
}

/// Whether this has the form of a region's name, such as `eu-central-1`.
fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let words = parts.split_last().is_some_and(|(number, words)| {
        number.parse::<u8>().is_ok()
            && words
                .iter()
                .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
    });
    words && (3..=4).contains(&parts.len())
}

/// `HeadBucket`.
pub(crate) async fn head_bucket(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: HeadBucketInput,
    _: Permit,
) -> Result<HeadBucketOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    Ok(HeadBucketOutput {
        bucket_arn: Some(bucket_arn(&bucket.name)),
        bucket_region: Some(bucket.record.region.clone()),
        access_point_alias: Some(false),
        ..HeadBucketOutput::default()
    })
}

/// `GetBucketLocation`: nothing for us-east-1.
pub(crate) async fn get_bucket_location(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: GetBucketLocationInput,
    _: Permit,
) -> Result<GetBucketLocationOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    let region = bucket.record.region.clone();
    Ok(GetBucketLocationOutput {
        location_constraint: (region != "us-east-1").then_some(region),
    })
}

/// `DeleteBucket`. Uploads under way do not keep a bucket; they end with it.
pub(crate) async fn delete_bucket(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: DeleteBucketInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    let id = bucket.record.id.as_str();
    let uploads = s3
        .store
        .scan(UPLOADS, &ScanRange::prefix(id), usize::MAX)
        .map_err(error::from_store)?;
    let mut files = Vec::new();
    let mut transaction = Transaction::new()
        .require_empty(OBJECTS, id)
        .delete(BUCKET_IDS, id, Condition::Present)
        .delete(BUCKETS, bucket.name.as_str(), Condition::Present)
        .delete_prefix(UPLOADS, id);
    for upload in &uploads {
        let upload_id = crate::multipart::upload_id_of(&upload.key);
        let parts = s3
            .store
            .scan(PARTS, &ScanRange::prefix(upload_id.as_str()), usize::MAX)
            .map_err(error::from_store)?;
        for part in parts {
            files.push(part.decode::<PartRecord>().map_err(error::from_store)?.data);
        }
        transaction = transaction.delete_prefix(PARTS, upload_id);
    }
    for data in &files {
        transaction = crate::objects::forget_body(transaction, data);
    }
    match s3.store.commit(transaction).await {
        Ok(_) => {
            for data in &files {
                s3.data.remove(data);
            }
            Ok(())
        }
        Err(CommitError::Conflict { bucket: place, .. }) if place == OBJECTS => Err(error::coded(
            "BucketNotEmpty",
            409,
            "The bucket you tried to delete is not empty",
        )
        .with_field("BucketName", input.bucket)),
        Err(CommitError::Conflict { .. }) => Err(error::no_such_bucket(&input.bucket)),
        Err(other) => Err(error::from_commit(other)),
    }
}

/// `ListBuckets`.
pub(crate) async fn list_buckets(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: ListBucketsInput,
    _: Permit,
) -> Result<ListBucketsOutput, ServiceError> {
    let most = input.max_buckets.unwrap_or(LARGEST_PAGE);
    if !(1..=LARGEST_PAGE).contains(&most) {
        return Err(error::invalid_argument(
            format!("Argument max-buckets must be an integer between 1 and {LARGEST_PAGE}"),
            "max-buckets",
            most,
        ));
    }
    let after = input
        .continuation_token
        .as_deref()
        .filter(|token| !token.is_empty())
        .map(|token| {
            URL_SAFE_NO_PAD
                .decode(token)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| {
                    error::invalid_argument(
                        "The continuation token provided is incorrect",
                        "continuation-token",
                        token,
                    )
                })
        })
        .transpose()?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let mut found = s3.catalogue.all()?;
    found.retain(|bucket| {
        bucket.name.starts_with(prefix)
            && after.as_ref().is_none_or(|after| bucket.name > *after)
            && input
                .bucket_region
                .as_ref()
                .is_none_or(|region| bucket.record.region == *region)
    });
    let most = usize::try_from(most).unwrap_or(1);
    let is_truncated = found.len() > most;
    found.truncate(most);
    let is_paged = input.max_buckets.is_some() || input.prefix.is_some() || input.bucket_region.is_some();
    let buckets = found
        .iter()
        .map(|bucket| generated::Bucket {
            name: Some(bucket.name.clone()),
            creation_date: Some(timestamp(bucket.record.created)),
            bucket_region: is_paged.then(|| bucket.record.region.clone()),
            bucket_arn: Some(bucket_arn(&bucket.name)),
        })
        .collect();
    Ok(ListBucketsOutput {
        buckets: Some(buckets),
        owner: Some(s3.owner()),
        continuation_token: found
            .last()
            .filter(|_| is_truncated)
            .map(|last| URL_SAFE_NO_PAD.encode(&last.name)),
        prefix: input.prefix,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_of_new_buckets() {
        for (endpoint, constraint, expected) in [
            ("us-east-1", None, Ok("us-east-1")),
            ("us-east-1", Some(""), Ok("us-east-1")),
            ("us-east-1", Some("eu-central-1"), Ok("eu-central-1")),
            ("us-east-1", Some("EU"), Ok("eu-west-1")),
            ("us-east-1", Some("us-east-1"), Err("InvalidLocationConstraint")),
            ("us-east-1", Some("nowhere"), Err("InvalidLocationConstraint")),
            ("eu-central-1", None, Err("IllegalLocationConstraintException")),
            ("eu-central-1", Some("eu-central-1"), Ok("eu-central-1")),
            (
                "eu-central-1",
                Some("eu-west-1"),
                Err("IllegalLocationConstraintException"),
            ),
        ] {
            let got = region_of_new(endpoint, constraint);
            let got = got.as_deref().map_err(ServiceError::code);
            assert_eq!(got, expected, "{endpoint} {constraint:?}");
        }
    }
}
