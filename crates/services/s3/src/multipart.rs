//! Multipart uploads: begin, upload parts, complete, abort.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};
use rolecall_store::{CommitError, Condition, ScanRange, Transaction, codec};

use crate::catalogue::Bucket;
use crate::checksum::{
    Algorithm, Checksum, Kind, claims, combine, given, multipart_etag, refuse_newer, show,
};
use crate::conditions::WriteConditions;
use crate::data::{Written, random_hex};
use crate::generated::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedPart, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    UploadPartInput, UploadPartOutput,
};
use crate::names::check_key;
use crate::objects::{ATTEMPTS, Beside, content_headers, forget_body, object_headers};
use crate::request::{ENCRYPTION, refuse, refuse_customer_keys, refuse_on_write, storage_class};
use crate::state::{
    BODIES, BUCKET_IDS, Data, ObjectRecord, PARTS, PartRecord, PartSummary, UPLOADS, UploadRecord, part_key,
    quoted, upload_key,
};
use crate::{S3, error, tags};

/// Highest number of a part.
const MOST_PARTS: i32 = 10_000;
/// Smallest part but the last, in bytes.
const SMALLEST_PART: u64 = 5 * 1024 * 1024;
/// Largest object, in bytes (50 TB since December 2025 at AWS; here what fits one file of the usual file systems).
const LARGEST_OBJECT: u64 = 5 * 1024 * 1024 * 1024 * 1024;
/// Digits of an upload id. They sort by the time the upload began.
const UPLOAD_ID: usize = 48;

/// The upload id at the end of a key of [`UPLOADS`].
pub(crate) fn upload_id_of(stored_key: &[u8]) -> String {
    let start = stored_key.len().saturating_sub(UPLOAD_ID);
    String::from_utf8_lossy(stored_key.get(start..).unwrap_or_default()).into_owned()
}

/// Which part of which upload.
pub(crate) struct PartTarget<'a> {
    pub(crate) bucket: Arc<Bucket>,
    pub(crate) key: &'a str,
    pub(crate) upload_id: &'a str,
    pub(crate) number: i32,
}

impl S3 {
    /// An upload under way.
    ///
    /// # Errors
    /// There is none of this id for the key.
    pub(crate) fn upload(
        &self,
        bucket: &Bucket,
        key: &str,
        upload_id: &str,
    ) -> Result<UploadRecord, ServiceError> {
        if upload_id.len() != UPLOAD_ID {
            return Err(error::no_such_upload(upload_id));
        }
        self.store
            .get(UPLOADS, &upload_key(&bucket.record.id, key, upload_id))
            .and_then(|entry| entry.map(|entry| entry.decode()).transpose())
            .map_err(error::from_store)?
            .ok_or_else(|| error::no_such_upload(upload_id))
    }

    /// The upload that a part is for.
    ///
    /// # Errors
    /// There is none, or the part's number is out of range.
    pub(crate) fn upload_of(&self, target: &PartTarget<'_>) -> Result<UploadRecord, ServiceError> {
        check_key(target.key)?;
        if !(1..=MOST_PARTS).contains(&target.number) {
            return Err(error::invalid_argument(
                format!("Part number must be an integer between 1 and {MOST_PARTS}, inclusive"),
                "partNumber",
                target.number,
            ));
        }
        self.upload(&target.bucket, target.key, target.upload_id)
    }

    /// Parts of an upload in order, from the one after `after` on, at most `most`.
    pub(crate) fn parts(
        &self,
        upload_id: &str,
        after: i32,
        most: usize,
    ) -> Result<Vec<(i32, PartRecord)>, ServiceError> {
        let range = ScanRange::prefix(upload_id).after(part_key(upload_id, after));
        self.store
            .scan(PARTS, &range, most)
            .map_err(error::from_store)?
            .iter()
            .map(|entry| {
                let number = entry.key.get(upload_id.len()..).unwrap_or_default();
                let number = <[u8; 4]>::try_from(number).map(i32::from_be_bytes);
                Ok((
                    number.map_err(ServiceError::internal)?,
                    entry.decode().map_err(error::from_store)?,
                ))
            })
            .collect()
    }

    /// Keeps a part in place of what was uploaded under its number before.
    ///
    /// # Errors
    /// The upload ended meanwhile, or the store fails.
    pub(crate) async fn put_part(
        &self,
        target: &PartTarget<'_>,
        written: Written,
        now: i64,
    ) -> Result<PartRecord, ServiceError> {
        let (md5, checksums, size) = (written.digests.md5, written.digests.all(), written.size);
        let (data, body) = written.into_parts();
        let part = PartRecord {
            size,
            md5,
            modified: now,
            checksums,
            data,
        };
        let value = codec::encode(&part).map_err(error::from_store)?;
        let upload = upload_key(&target.bucket.record.id, target.key, target.upload_id);
        let key = part_key(target.upload_id, target.number);
        for _ in 0..ATTEMPTS {
            let existing = self.store.get(PARTS, &key).map_err(error::from_store)?;
            let (before, condition) = match &existing {
                Some(entry) => (
                    Some(entry.decode::<PartRecord>().map_err(error::from_store)?.data),
                    Condition::Revision(entry.revision),
                ),
                None => (None, Condition::Absent),
            };
            let mut transaction = Transaction::new()
                .require(UPLOADS, upload.clone(), Condition::Present)
                .put(PARTS, key.clone(), value.clone(), condition);
            if let Some((id, bytes)) = &body {
                transaction = transaction.put(BODIES, id.as_str(), bytes.clone(), Condition::Any);
            }
            if let Some(before) = &before {
                transaction = forget_body(transaction, before);
            }
            match self.store.commit(transaction).await {
                Ok(_) => {
                    if let Some(before) = &before {
                        self.data.remove(before);
                    }
                    return Ok(part);
                }
                Err(CommitError::Conflict { bucket: place, .. }) if place == PARTS => {}
                Err(CommitError::Conflict { .. }) => {
                    self.data.remove(&part.data);
                    return Err(error::no_such_upload(target.upload_id));
                }
                Err(other) => return Err(error::from_commit(other)),
            }
        }
        self.data.remove(&part.data);
        Err(error::conflict())
    }
}

/// `CreateMultipartUpload`.
pub(crate) async fn create_multipart_upload(
    s3: Arc<S3>,
    context: Arc<RequestContext>,
    mut input: CreateMultipartUploadInput,
    _: Permit,
) -> Result<CreateMultipartUploadOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    check_key(&input.key)?;
    refuse_on_write!(input);
    let algorithm = input
        .checksum_algorithm
        .as_deref()
        .map(Algorithm::parse)
        .transpose()?;
    let kind = input.checksum_type.as_deref().map(Kind::parse).transpose()?;
    if let (None, Some(_)) = (algorithm, kind) {
        return Err(error::invalid_request(
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
        ));
    }
    let effective = algorithm.unwrap_or(Algorithm::Crc64nvme);
    let kind = kind.unwrap_or(effective.default_kind());
    if !effective.allows(kind) {
        return Err(error::invalid_request(format!(
            "The {} checksum type cannot be used with the {} checksum algorithm.",
            kind.name(),
            effective.name().to_ascii_lowercase()
        )));
    }
    let record = UploadRecord {
        key: input.key.clone(),
        initiated: context.time.as_millisecond(),
        initiator: context.caller.principal.arn(),
        headers: object_headers(content_headers!(input)),
        storage_class: storage_class(input.storage_class.as_deref())?,
        tags: input
            .tagging
            .as_deref()
            .map(tags::from_header)
            .transpose()?
            .unwrap_or_default(),
        algorithm,
        kind,
    };
    let upload_id = format!(
        "{:016x}{}{}",
        record.initiated.unsigned_abs(),
        random_hex().map_err(ServiceError::internal)?,
        random_hex().map_err(ServiceError::internal)?
    );
    let transaction = Transaction::new()
        .require(BUCKET_IDS, bucket.record.id.as_str(), Condition::Present)
        .put(
            UPLOADS,
            upload_key(&bucket.record.id, &input.key, &upload_id),
            codec::encode(&record).map_err(error::from_store)?,
            Condition::Absent,
        );
    match s3.store.commit(transaction).await {
        Ok(_) => {}
        Err(CommitError::Conflict { .. }) => return Err(error::no_such_bucket(&bucket.name)),
        Err(other) => return Err(error::from_commit(other)),
    }
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(upload_id),
        server_side_encryption: Some(ENCRYPTION.to_owned()),
        checksum_algorithm: algorithm.map(|algorithm| algorithm.name().to_owned()),
        checksum_type: algorithm.map(|_| kind.name().to_owned()),
        ..CreateMultipartUploadOutput::default()
    })
}

/// `UploadPart`.
pub(crate) async fn upload_part(
    s3: Arc<S3>,
    context: Arc<RequestContext>,
    mut input: UploadPartInput,
    _: Permit,
) -> Result<UploadPartOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    refuse_customer_keys!(input);
    let claims = claims!(input)?;
    let body = input.body.take().unwrap_or_default();
    let target = PartTarget {
        bucket,
        key: &input.key,
        upload_id: &input.upload_id,
        number: input.part_number,
    };
    let upload = s3.upload_of(&target)?;
    if let (Some(expected), Some(actual)) = (upload.algorithm, claims.algorithm())
        && expected != actual
    {
        return Err(error::invalid_request(format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            expected.name().to_ascii_lowercase(),
            actual.name().to_ascii_lowercase()
        )));
    }
    let mut algorithms = vec![upload.effective_algorithm()];
    algorithms.extend(claims.algorithm());
    let written = s3.data.write(body, algorithms).await?;
    if let Err(refused) = claims.verify(&written.digests) {
        s3.data.remove(&written.data);
        return Err(refused);
    }
    let part = s3
        .put_part(&target, written, context.time.as_millisecond())
        .await?;
    let mut output = UploadPartOutput {
        e_tag: Some(quoted(&part.etag())),
        server_side_encryption: Some(ENCRYPTION.to_owned()),
        ..UploadPartOutput::default()
    };
    show!(
        output,
        claims
            .algorithm()
            .or(upload.algorithm)
            .and_then(|algorithm| part.checksum(algorithm))
    );
    Ok(output)
}

/// `CompleteMultipartUpload`.
pub(crate) async fn complete_multipart_upload(
    s3: Arc<S3>,
    context: Arc<RequestContext>,
    input: CompleteMultipartUploadInput,
    _: Permit,
) -> Result<CompleteMultipartUploadOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    check_key(&input.key)?;
    refuse_customer_keys!(input);
    refuse_newer!(input);
    let conditions = WriteConditions::new(input.if_match.as_deref(), input.if_none_match.as_deref())?;
    let upload = s3.upload(&bucket, &input.key, &input.upload_id)?;
    let wanted = input
        .multipart_upload
        .as_ref()
        .and_then(|upload| upload.parts.as_deref())
        .filter(|parts| !parts.is_empty())
        .ok_or_else(error::malformed_xml)?;
    let most = usize::try_from(MOST_PARTS).unwrap_or(usize::MAX);
    let uploaded = s3.parts(&input.upload_id, 0, most)?;
    let chosen = choose(wanted, &uploaded)?;
    let size = chosen
        .iter()
        .map(|(_, part)| part.size)
        .fold(0, u64::saturating_add);
    if size > LARGEST_OBJECT {
        return Err(error::coded(
            "EntityTooLarge",
            400,
            "Your proposed upload exceeds the maximum allowed object size.",
        ));
    }
    check_object_size(input.mpu_object_size, size)?;
    let checksum = checksum_of(&upload, &chosen)?;
    check_object_checksum(&input, &upload, &checksum)?;
    conditions.check(&input.key, s3.find_object(&bucket, &input.key)?.as_ref())?;
    let mut bodies = Vec::with_capacity(chosen.len());
    for (_, part) in &chosen {
        let body = s3.data.read(&*s3.store, &part.data, part.size)?;
        bodies.push(body.ok_or_else(|| error::no_such_upload(&input.upload_id))?);
    }
    let (data, body) = s3.data.join(bodies).await?;
    let etag = multipart_etag(chosen.iter().map(|(_, part)| part.md5));
    let record = ObjectRecord {
        size,
        etag: etag.clone(),
        modified: context.time.as_millisecond(),
        headers: upload.headers.clone(),
        storage_class: upload.storage_class.clone(),
        tags: upload.tags.clone(),
        checksum: Some(checksum.clone()),
        data,
        parts: chosen
            .iter()
            .map(|(number, part)| PartSummary {
                number: *number,
                size: part.size,
                checksum: part.checksum(upload.effective_algorithm()).cloned(),
            })
            .collect(),
    };
    let beside = Beside {
        body,
        obsolete: uploaded.into_iter().map(|(_, part)| part.data).collect(),
    };
    let stored_upload = upload_key(&bucket.record.id, &input.key, &input.upload_id);
    s3.replace_object(&bucket, &input.key, record, &conditions, beside, |transaction| {
        transaction
            .delete(UPLOADS, stored_upload.clone(), Condition::Present)
            .delete_prefix(PARTS, input.upload_id.as_str())
    })
    .await?;
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!(
            "{}/{}/{}",
            context.endpoint,
            input.bucket,
            crate::list_objects::url_path(&input.key)
        )),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(quoted(&etag)),
        checksum_type: Some(checksum.kind.name().to_owned()),
        server_side_encryption: Some(ENCRYPTION.to_owned()),
        ..CompleteMultipartUploadOutput::default()
    };
    show!(output, Some(&checksum));
    Ok(output)
}

/// The uploaded parts that the client lists.
///
/// # Errors
/// They are not in ascending order, one was not uploaded as listed, or one but the last is too small.
fn choose<'a>(
    wanted: &[CompletedPart],
    uploaded: &'a [(i32, PartRecord)],
) -> Result<Vec<(i32, &'a PartRecord)>, ServiceError> {
    let mut chosen: Vec<(i32, &PartRecord)> = Vec::with_capacity(wanted.len());
    for part in wanted {
        let number = part.part_number.ok_or_else(error::malformed_xml)?;
        if chosen.last().is_some_and(|(before, _)| *before >= number) {
            return Err(error::coded(
                "InvalidPartOrder",
                400,
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
            ));
        }
        let found = uploaded
            .binary_search_by_key(&number, |(number, _)| *number)
            .ok()
            .and_then(|index| uploaded.get(index))
            .map(|(_, record)| record)
            .filter(|record| is_as_listed(part, record))
            .ok_or_else(|| {
                error::coded(
                    "InvalidPart",
                    400,
                    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
                )
                .with_field("PartNumber", number.to_string())
            })?;
        chosen.push((number, found));
    }
    let but_the_last = chosen.split_last().map_or(&[][..], |(_, before)| before);
    if let Some((number, part)) = but_the_last.iter().find(|(_, part)| part.size < SMALLEST_PART) {
        return Err(error::coded(
            "EntityTooSmall",
            400,
            "Your proposed upload is smaller than the minimum allowed size",
        )
        .with_field("ProposedSize", part.size.to_string())
        .with_field("MinSizeAllowed", SMALLEST_PART.to_string())
        .with_field("PartNumber", number.to_string())
        .with_field("ETag", part.etag()));
    }
    Ok(chosen)
}

fn is_as_listed(listed: &CompletedPart, record: &PartRecord) -> bool {
    let has_etag = listed
        .e_tag
        .as_deref()
        .is_some_and(|etag| etag.trim_matches('"') == record.etag());
    has_etag
        && given!(listed).into_iter().all(|(algorithm, value)| {
            value.is_none_or(|value| {
                record
                    .checksum(algorithm)
                    .is_some_and(|checksum| checksum.value == value)
            })
        })
}

fn check_object_size(claimed: Option<i64>, size: u64) -> Result<(), ServiceError> {
    if claimed.is_some_and(|claimed| u64::try_from(claimed) != Ok(size)) {
        return Err(error::invalid_request(
            "The provided 'x-amz-mp-object-size' header value does not match what was computed.",
        ));
    }
    Ok(())
}

fn checksum_of(upload: &UploadRecord, parts: &[(i32, &PartRecord)]) -> Result<Checksum, ServiceError> {
    let algorithm = upload.effective_algorithm();
    let values: Option<Vec<(&str, u64)>> = parts
        .iter()
        .map(|(_, part)| Some((part.checksum(algorithm)?.value.as_str(), part.size)))
        .collect();
    values
        .and_then(|values| combine(algorithm, upload.kind, &values))
        .ok_or_else(|| ServiceError::internal("the checksum of a part is missing"))
}

/// # Errors
/// The client expects another checksum of the whole object, or of another type.
fn check_object_checksum(
    input: &CompleteMultipartUploadInput,
    upload: &UploadRecord,
    checksum: &Checksum,
) -> Result<(), ServiceError> {
    let kind = input.checksum_type.as_deref().map(Kind::parse).transpose()?;
    if kind.is_some_and(|kind| kind != upload.kind) {
        return Err(error::invalid_request(format!(
            "The upload was created using the {} checksum type. The complete request must use the same checksum type.",
            upload.kind.name()
        )));
    }
    let plain = |value: &str| value.split('-').next().unwrap_or_default().to_owned();
    for (algorithm, value) in given!(input) {
        let Some(value) = value else { continue };
        if algorithm != checksum.algorithm {
            return Err(error::invalid_request(format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                checksum.algorithm.name().to_ascii_lowercase(),
                algorithm.name().to_ascii_lowercase()
            )));
        }
        if plain(value) != plain(&checksum.value) {
            return Err(error::bad_digest(algorithm.name()));
        }
    }
    Ok(())
}

/// `AbortMultipartUpload`.
pub(crate) async fn abort_multipart_upload(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: AbortMultipartUploadInput,
    _: Permit,
) -> Result<AbortMultipartUploadOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    refuse!(input,
        request_payer => "x-amz-request-payer",
        if_match_initiated_time => "x-amz-if-match-initiated-time",
    );
    check_key(&input.key)?;
    s3.upload(&bucket, &input.key, &input.upload_id)?;
    let stored_upload = upload_key(&bucket.record.id, &input.key, &input.upload_id);
    let most = usize::try_from(MOST_PARTS).unwrap_or(usize::MAX);
    let bodies: Vec<Data> = s3
        .parts(&input.upload_id, 0, most)?
        .into_iter()
        .map(|(_, part)| part.data)
        .collect();
    let ended = Transaction::new()
        .delete(UPLOADS, stored_upload, Condition::Present)
        .delete_prefix(PARTS, input.upload_id.as_str());
    match s3.store.commit(bodies.iter().fold(ended, forget_body)).await {
        Ok(_) => {}
        Err(CommitError::Conflict { .. }) => return Err(error::no_such_upload(&input.upload_id)),
        Err(other) => return Err(error::from_commit(other)),
    }
    for data in &bodies {
        s3.data.remove(data);
    }
    Ok(AbortMultipartUploadOutput::default())
}
