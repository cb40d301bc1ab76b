//! What each operation needs.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3", and the section
//! "Permissions" of each operation's page. A bucket that is not there is authorised on the ARN its name gives; that it
//! is missing is said afterwards. `s3:authType`, `s3:signatureversion` and the like come with the request's context.
//!
//! Tags of a bucket are no condition keys, because attribute-based access control is off for buckets unless it is turned on
//! (`PutBucketAbac`, not served).

use std::sync::Arc;

use rolecall_policy::Principal;
use rolecall_service::{Access, AttachedPolicy, Needs, RequestContext, ServiceError};

use crate::catalogue::Bucket;
use crate::copy::{CopySource, replaces};
use crate::generated::{
    self as input, AbortMultipartUploadInput, CompleteMultipartUploadInput, CopyObjectInput,
    CreateBucketInput, CreateMultipartUploadInput, DeleteObjectInput, DeleteObjectTaggingInput,
    DeleteObjectsInput, GetObjectAttributesInput, GetObjectInput, GetObjectTaggingInput, HeadObjectInput,
    ListBucketsInput, ListMultipartUploadsInput, ListObjectsInput, ListObjectsV2Input, ListPartsInput,
    PutObjectInput, PutObjectTaggingInput, UploadPartCopyInput, UploadPartInput,
};
use crate::names::{bucket_arn, object_arn};
use crate::state::ObjectRecord;
use crate::{S3, delete, tags};

type Outcome = Result<Needs, ServiceError>;

/// An operation's bucket with what its accesses have in common.
struct Place<'a> {
    s3: &'a S3,
    name: &'a str,
    bucket: Option<Arc<Bucket>>,
}

impl S3 {
    fn place<'a>(&'a self, name: &'a str) -> Result<Place<'a>, ServiceError> {
        Ok(Place {
            s3: self,
            name,
            bucket: self.catalogue.find(name)?,
        })
    }
}

impl Place<'_> {
    fn policy(&self) -> Option<AttachedPolicy> {
        self.bucket.as_ref()?.policy.clone()
    }

    fn access(&self, action: &'static str, resource: String) -> Access {
        let account = self.s3.options.account.as_str();
        Access::new(action, resource)
            .owned_by(account)
            .with_policy(self.policy())
            .with_key("s3:ResourceAccount", account)
    }

    fn on_bucket(&self, action: &'static str) -> Access {
        self.access(action, bucket_arn(self.name))
    }

    fn on_object(&self, action: &'static str, key: &str) -> Access {
        self.access(action, object_arn(self.name, key))
    }

    /// The object at `key` as it is now; `None` also where there is no bucket.
    fn object(&self, key: &str) -> Result<Option<ObjectRecord>, ServiceError> {
        match &self.bucket {
            Some(bucket) => self.s3.find_object(bucket, key),
            None => Ok(None),
        }
    }

    /// On an object, with its tags as condition keys.
    fn on_existing(&self, action: &'static str, key: &str, object: Option<&ObjectRecord>) -> Access {
        let mut access = self.on_object(action, key);
        for (tag, value) in object.iter().flat_map(|object| &object.tags) {
            access = access.with_key(format!("s3:ExistingObjectTag/{tag}"), value.as_str());
        }
        access
    }

    /// What decides whether a missing key is told: asked only when it is missing.
    fn listing_probe(&self, object: Option<&ObjectRecord>) -> Option<Access> {
        object.is_none().then(|| self.on_bucket("s3:ListBucket").probe())
    }

    /// Reading an object: the action on it, and the probe for a missing one.
    fn reading(
        &self,
        key: &str,
        object: Option<&ObjectRecord>,
        actions: (&'static str, &'static str),
        version: Option<&str>,
    ) -> Vec<Access> {
        let access = self.on_existing(by_version(actions, version), key, object);
        let mut accesses = vec![with_version(access, version)];
        accesses.extend(self.listing_probe(object));
        accesses
    }

    /// `GetObject` and `HeadObject` also tell the number of tags, to those who may read them.
    fn getting(&self, key: &str, version: Option<&str>) -> Result<Vec<Access>, ServiceError> {
        let object = self.object(key)?;
        let object = object.as_ref();
        let mut accesses = self.reading(key, object, GET_OBJECT, version);
        if object.is_some_and(|object| !object.tags.is_empty()) {
            accesses.push(self.on_existing("s3:GetObjectTagging", key, object).probe());
        }
        Ok(accesses)
    }
}

const GET_OBJECT: (&str, &str) = ("s3:GetObject", "s3:GetObjectVersion");

fn by_version(actions: (&'static str, &'static str), version: Option<&str>) -> &'static str {
    if version.is_some() { actions.1 } else { actions.0 }
}

fn with_version(access: Access, version: Option<&str>) -> Access {
    optional(access, "s3:versionid", version)
}

fn optional(access: Access, key: &'static str, value: Option<&str>) -> Access {
    match value {
        Some(value) => access.with_key(key, value),
        None => access,
    }
}

/// With the tags a request gives to an object.
fn with_request_tags(mut access: Access, tags: &[(String, String)]) -> Access {
    if tags.is_empty() {
        return access;
    }
    for (key, value) in tags {
        access = access.with_key(format!("s3:RequestObjectTag/{key}"), value.as_str());
    }
    access.with_keys(
        "s3:RequestObjectTagKeys",
        tags.iter().map(|(key, _)| key.clone()).collect(),
    )
}

fn body_tags(set: &[input::Tag]) -> Vec<(String, String)> {
    set.iter()
        .map(|tag| (tag.key.clone(), tag.value.clone()))
        .collect()
}

fn header_tags(header: Option<&str>) -> Result<Vec<(String, String)>, ServiceError> {
    Ok(header.map(tags::from_header).transpose()?.unwrap_or_default())
}

/// `s3:ListAllMyBuckets` has no resource-level permissions.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the table of operations has one signature for all of these"
)]
pub(crate) fn list_buckets(s3: &S3, _: &RequestContext, _: &ListBucketsInput) -> Outcome {
    let account = s3.options.account.as_str();
    Ok(Access::new("s3:ListAllMyBuckets", "*")
        .owned_by(account)
        .with_key("s3:ResourceAccount", account)
        .into())
}

pub(crate) fn create_bucket(s3: &S3, _: &RequestContext, input: &CreateBucketInput) -> Outcome {
    let place = s3.place(&input.bucket)?;
    let configuration = input.create_bucket_configuration.as_ref();
    let constraint = configuration.and_then(|configuration| configuration.location_constraint.as_deref());
    let mut access = place.on_bucket("s3:CreateBucket");
    // A policy on a bucket that is there already is no matter of making one.
    access.resource_policy = None;
    access = optional(access, "s3:locationconstraint", constraint);
    access = optional(access, "s3:x-amz-acl", input.acl.as_deref());
    access = optional(
        access,
        "s3:x-amz-object-ownership",
        input.object_ownership.as_deref(),
    );
    let tags = configuration
        .and_then(|configuration| configuration.tags.as_deref())
        .filter(|tags| !tags.is_empty());
    let Some(tags) = tags else {
        return Ok(access.into());
    };
    let with_tags = |mut access: Access| {
        for tag in tags {
            access = access.with_key(format!("aws:RequestTag/{}", tag.key), tag.value.as_str());
        }
        access.with_keys("aws:TagKeys", tags.iter().map(|tag| tag.key.clone()).collect())
    };
    let mut tagging = place.on_bucket("s3:TagResource");
    tagging.resource_policy = None;
    Ok(vec![with_tags(access), with_tags(tagging)].into())
}

/// Operations on a bucket that need nothing but the action on it.
macro_rules! on_bucket {
    ($($function:ident, $input:ident, $action:literal;)*) => {
        $(pub(crate) fn $function(s3: &S3, _: &RequestContext, input: &input::$input) -> Outcome {
            Ok(s3.place(&input.bucket)?.on_bucket($action).into())
        })*
    };
}

on_bucket! {
    head_bucket, HeadBucketInput, "s3:ListBucket";
    delete_bucket, DeleteBucketInput, "s3:DeleteBucket";
    get_bucket_location, GetBucketLocationInput, "s3:GetBucketLocation";
    get_bucket_policy_status, GetBucketPolicyStatusInput, "s3:GetBucketPolicyStatus";
    put_bucket_tagging, PutBucketTaggingInput, "s3:PutBucketTagging";
    get_bucket_tagging, GetBucketTaggingInput, "s3:GetBucketTagging";
    delete_bucket_tagging, DeleteBucketTaggingInput, "s3:PutBucketTagging";
}

/// Operations on the bucket policy. The root user of the owning account is not bound by the policy here, so that nobody
/// can lock everybody out. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>
macro_rules! on_policy {
    ($($function:ident, $input:ident, $action:literal;)*) => {
        $(pub(crate) fn $function(s3: &S3, context: &RequestContext, input: &input::$input) -> Outcome {
            let mut access = s3.place(&input.bucket)?.on_bucket($action);
            if matches!(&context.caller.principal, Principal::Root { account } if *account == s3.options.account) {
                access.resource_policy = None;
            }
            Ok(access.into())
        })*
    };
}

on_policy! {
    put_bucket_policy, PutBucketPolicyInput, "s3:PutBucketPolicy";
    get_bucket_policy, GetBucketPolicyInput, "s3:GetBucketPolicy";
    delete_bucket_policy, DeleteBucketPolicyInput, "s3:DeleteBucketPolicy";
}

fn listing(
    place: &Place<'_>,
    action: &'static str,
    prefix: Option<&str>,
    delimiter: Option<&str>,
    most: Option<i32>,
) -> Access {
    let access = optional(place.on_bucket(action), "s3:prefix", prefix);
    let access = optional(access, "s3:delimiter", delimiter);
    match most {
        Some(most) => access.with_key("s3:max-keys", most.to_string()),
        None => access,
    }
}

pub(crate) fn list_objects(s3: &S3, _: &RequestContext, input: &ListObjectsInput) -> Outcome {
    let (prefix, delimiter) = (input.prefix.as_deref(), input.delimiter.as_deref());
    let place = s3.place(&input.bucket)?;
    Ok(listing(&place, "s3:ListBucket", prefix, delimiter, input.max_keys).into())
}

pub(crate) fn list_objects_v2(s3: &S3, _: &RequestContext, input: &ListObjectsV2Input) -> Outcome {
    let (prefix, delimiter) = (input.prefix.as_deref(), input.delimiter.as_deref());
    let place = s3.place(&input.bucket)?;
    Ok(listing(&place, "s3:ListBucket", prefix, delimiter, input.max_keys).into())
}

pub(crate) fn list_multipart_uploads(
    s3: &S3,
    _: &RequestContext,
    input: &ListMultipartUploadsInput,
) -> Outcome {
    Ok(s3
        .place(&input.bucket)?
        .on_bucket("s3:ListBucketMultipartUploads")
        .into())
}

pub(crate) fn get_object(s3: &S3, _: &RequestContext, input: &GetObjectInput) -> Outcome {
    let place = s3.place(&input.bucket)?;
    Ok(place.getting(&input.key, input.version_id.as_deref())?.into())
}

pub(crate) fn head_object(s3: &S3, _: &RequestContext, input: &HeadObjectInput) -> Outcome {
    let place = s3.place(&input.bucket)?;
    Ok(place.getting(&input.key, input.version_id.as_deref())?.into())
}

/// Both `s3:GetObject` and `s3:GetObjectAttributes`.
pub(crate) fn get_object_attributes(
    s3: &S3,
    _: &RequestContext,
    input: &GetObjectAttributesInput,
) -> Outcome {
    let place = s3.place(&input.bucket)?;
    let version = input.version_id.as_deref();
    let object = place.object(&input.key)?;
    let mut accesses = place.reading(&input.key, object.as_ref(), GET_OBJECT, version);
    let action = by_version(
        ("s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"),
        version,
    );
    let access = place.on_existing(action, &input.key, object.as_ref());
    accesses.insert(1, with_version(access, version));
    Ok(accesses.into())
}

pub(crate) fn get_object_tagging(s3: &S3, _: &RequestContext, input: &GetObjectTaggingInput) -> Outcome {
    let actions = ("s3:GetObjectTagging", "s3:GetObjectVersionTagging");
    let place = s3.place(&input.bucket)?;
    let object = place.object(&input.key)?;
    let version = input.version_id.as_deref();
    Ok(place
        .reading(&input.key, object.as_ref(), actions, version)
        .into())
}

pub(crate) fn delete_object_tagging(
    s3: &S3,
    _: &RequestContext,
    input: &DeleteObjectTaggingInput,
) -> Outcome {
    let actions = ("s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging");
    let place = s3.place(&input.bucket)?;
    let object = place.object(&input.key)?;
    let version = input.version_id.as_deref();
    Ok(place
        .reading(&input.key, object.as_ref(), actions, version)
        .into())
}

pub(crate) fn put_object_tagging(s3: &S3, _: &RequestContext, input: &PutObjectTaggingInput) -> Outcome {
    let version = input.version_id.as_deref();
    let place = s3.place(&input.bucket)?;
    let object = place.object(&input.key)?;
    let action = by_version(("s3:PutObjectTagging", "s3:PutObjectVersionTagging"), version);
    let access = place.on_existing(action, &input.key, object.as_ref());
    let access = with_request_tags(access, &body_tags(&input.tagging.tag_set));
    let mut accesses = vec![with_version(access, version)];
    accesses.extend(place.listing_probe(object.as_ref()));
    Ok(accesses.into())
}

/// What the requests that make an object have in common.
struct Making<'a> {
    key: &'a str,
    acl: Option<&'a str>,
    encryption: Option<&'a str>,
    storage_class: Option<&'a str>,
    if_match: Option<&'a str>,
    if_none_match: Option<&'a str>,
    tags: Vec<(String, String)>,
    /// Whether the request itself makes the object (`s3:ObjectCreationOperation`).
    creates: bool,
}

fn making(place: &Place<'_>, making: &Making<'_>, more: impl Fn(Access) -> Access) -> Vec<Access> {
    let with_headers = |access: Access| {
        let access = optional(access, "s3:x-amz-acl", making.acl);
        let access = optional(access, "s3:x-amz-server-side-encryption", making.encryption);
        let access = optional(access, "s3:x-amz-storage-class", making.storage_class);
        let access = optional(access, "s3:if-match", making.if_match);
        let access = optional(access, "s3:if-none-match", making.if_none_match);
        with_request_tags(access, &making.tags)
    };
    let put = place
        .on_object("s3:PutObject", making.key)
        .with_key("s3:ObjectCreationOperation", making.creates.to_string());
    let mut accesses = vec![more(with_headers(put))];
    if !making.tags.is_empty() {
        accesses.push(with_headers(place.on_object("s3:PutObjectTagging", making.key)));
    }
    if making.if_match.is_some() {
        // Whether an ETag is the object's is something only its readers may learn.
        accesses.push(place.on_object("s3:GetObject", making.key));
    }
    accesses
}

pub(crate) fn put_object(s3: &S3, _: &RequestContext, input: &PutObjectInput) -> Outcome {
    let place = s3.place(&input.bucket)?;
    let made = Making {
        key: &input.key,
        acl: input.acl.as_deref(),
        encryption: input.server_side_encryption.as_deref(),
        storage_class: input.storage_class.as_deref(),
        if_match: input.if_match.as_deref(),
        if_none_match: input.if_none_match.as_deref(),
        tags: header_tags(input.tagging.as_deref())?,
        creates: true,
    };
    Ok(making(&place, &made, |access| access).into())
}

pub(crate) fn create_multipart_upload(
    s3: &S3,
    _: &RequestContext,
    input: &CreateMultipartUploadInput,
) -> Outcome {
    let place = s3.place(&input.bucket)?;
    let made = Making {
        key: &input.key,
        acl: input.acl.as_deref(),
        encryption: input.server_side_encryption.as_deref(),
        storage_class: input.storage_class.as_deref(),
        if_match: None,
        if_none_match: None,
        tags: header_tags(input.tagging.as_deref())?,
        creates: false,
    };
    Ok(making(&place, &made, |access| access).into())
}

pub(crate) fn complete_multipart_upload(
    s3: &S3,
    _: &RequestContext,
    input: &CompleteMultipartUploadInput,
) -> Outcome {
    let place = s3.place(&input.bucket)?;
    let made = Making {
        key: &input.key,
        acl: None,
        encryption: None,
        storage_class: None,
        if_match: input.if_match.as_deref(),
        if_none_match: input.if_none_match.as_deref(),
        tags: Vec::new(),
        creates: true,
    };
    Ok(making(&place, &made, |access| access).into())
}

fn part(place: &Place<'_>, key: &str) -> Access {
    place
        .on_object("s3:PutObject", key)
        .with_key("s3:ObjectCreationOperation", "false")
}

pub(crate) fn upload_part(s3: &S3, _: &RequestContext, input: &UploadPartInput) -> Outcome {
    Ok(part(&s3.place(&input.bucket)?, &input.key).into())
}

pub(crate) fn abort_multipart_upload(
    s3: &S3,
    _: &RequestContext,
    input: &AbortMultipartUploadInput,
) -> Outcome {
    Ok(s3
        .place(&input.bucket)?
        .on_object("s3:AbortMultipartUpload", &input.key)
        .into())
}

pub(crate) fn list_parts(s3: &S3, _: &RequestContext, input: &ListPartsInput) -> Outcome {
    Ok(s3
        .place(&input.bucket)?
        .on_object("s3:ListMultipartUploadParts", &input.key)
        .into())
}

/// `s3:GetObject` on the source and `s3:PutObject` on the target; with tags also `s3:GetObjectTagging` and
/// `s3:PutObjectTagging`.
pub(crate) fn copy_object(s3: &S3, _: &RequestContext, input: &CopyObjectInput) -> Outcome {
    let source = CopySource::parse(&input.copy_source)?;
    let version = source.version.as_deref();
    let from = s3.place(&source.bucket)?;
    let object = from.object(&source.key)?;
    let mut accesses = from.reading(&source.key, object.as_ref(), GET_OBJECT, version);
    let copied = object
        .as_ref()
        .map(|object| object.tags.clone())
        .unwrap_or_default();
    let tags = if replaces(input.tagging_directive.as_deref(), "x-amz-tagging-directive")? {
        header_tags(input.tagging.as_deref())?
    } else {
        if !copied.is_empty() {
            let action = by_version(("s3:GetObjectTagging", "s3:GetObjectVersionTagging"), version);
            let access = from.on_existing(action, &source.key, object.as_ref());
            accesses.push(with_version(access, version));
        }
        copied
    };
    let place = s3.place(&input.bucket)?;
    let made = Making {
        key: &input.key,
        acl: input.acl.as_deref(),
        encryption: input.server_side_encryption.as_deref(),
        storage_class: input.storage_class.as_deref(),
        if_match: input.if_match.as_deref(),
        if_none_match: input.if_none_match.as_deref(),
        tags,
        creates: true,
    };
    accesses.extend(making(&place, &made, |access| {
        let access = access.with_key("s3:x-amz-copy-source", input.copy_source.as_str());
        optional(
            access,
            "s3:x-amz-metadata-directive",
            input.metadata_directive.as_deref(),
        )
    }));
    Ok(accesses.into())
}

pub(crate) fn upload_part_copy(s3: &S3, _: &RequestContext, input: &UploadPartCopyInput) -> Outcome {
    let source = CopySource::parse(&input.copy_source)?;
    let version = source.version.as_deref();
    let from = s3.place(&source.bucket)?;
    let object = from.object(&source.key)?;
    let mut accesses = from.reading(&source.key, object.as_ref(), GET_OBJECT, version);
    let access = part(&s3.place(&input.bucket)?, &input.key);
    accesses.push(access.with_key("s3:x-amz-copy-source", input.copy_source.as_str()));
    Ok(accesses.into())
}

const DELETE_OBJECT: (&str, &str) = ("s3:DeleteObject", "s3:DeleteObjectVersion");

pub(crate) fn delete_object(s3: &S3, _: &RequestContext, input: &DeleteObjectInput) -> Outcome {
    let place = s3.place(&input.bucket)?;
    let version = input.version_id.as_deref();
    let access = place.on_object(by_version(DELETE_OBJECT, version), &input.key);
    let access = optional(access, "s3:if-match", input.if_match.as_deref());
    let mut accesses = vec![with_version(access, version)];
    if input.if_match.is_some() {
        accesses.push(place.on_object("s3:GetObject", &input.key));
    }
    Ok(accesses.into())
}

/// One question a key, in the order of the keys: a denied one is an error in the answer. Behind them come those for keys that
/// are deleted only if their `ETag` matches.
pub(crate) fn delete_objects(s3: &S3, _: &RequestContext, input: &DeleteObjectsInput) -> Outcome {
    delete::check_count(&input.delete.objects)?;
    let place = s3.place(&input.bucket)?;
    let mut accesses: Vec<Access> = input
        .delete
        .objects
        .iter()
        .map(|object| {
            let version = object.version_id.as_deref();
            let access = place.on_object(by_version(DELETE_OBJECT, version), &object.key);
            let access = optional(access, "s3:if-match", object.e_tag.as_deref());
            with_version(access, version).probe()
        })
        .collect();
    let conditional = input
        .delete
        .objects
        .iter()
        .filter(|object| object.e_tag.is_some());
    accesses.extend(conditional.map(|object| place.on_object("s3:GetObject", &object.key).probe()));
    Ok(accesses.into())
}
