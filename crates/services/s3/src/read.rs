//! `GetObject` and `HeadObject`.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>

use std::sync::Arc;

use jiff::Timestamp;
use rolecall_service::{Permit, RequestContext, ServiceError};
use rolecall_wire::ByteStream;

use crate::catalogue::Bucket;
use crate::checksum::{Checksum, show};
use crate::conditions::ReadConditions;
use crate::generated::{GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput};
use crate::names::{bucket_arn, check_key, object_arn};
use crate::range::{self, Span};
use crate::request::{ENCRYPTION, check_version, refuse_customer_keys};
use crate::state::ObjectRecord;
use crate::{S3, error};

/// How often a read is tried anew when the object is replaced between its record and its bytes.
const ATTEMPTS: usize = 8;

impl S3 {
    /// The object at `key` with its record.
    ///
    /// # Errors
    /// There is none: that is said only to those who may list the bucket, others get 403.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>, Permissions.
    pub(crate) fn object(
        &self,
        bucket: &Bucket,
        key: &str,
        permit: &Permit,
    ) -> Result<ObjectRecord, ServiceError> {
        self.find_object(bucket, key)?
            .ok_or_else(|| missing(bucket, key, permit))
    }

    /// The object at `key` and its bytes.
    ///
    /// # Errors
    /// As [`object`](Self::object).
    pub(crate) fn object_and_body(
        &self,
        bucket: &Bucket,
        key: &str,
        permit: &Permit,
    ) -> Result<(ObjectRecord, ByteStream), ServiceError> {
        for _ in 0..ATTEMPTS {
            let record = self.object(bucket, key, permit)?;
            if let Some(body) = self.data.read(&*self.store, &record.data, record.size)? {
                return Ok((record, body));
            }
        }
        Err(ServiceError::internal(
            "the data of an object is missing; restore the data folder from a backup",
        ))
    }
}

/// The answer when there is no object at `key`.
pub(crate) fn missing(bucket: &Bucket, key: &str, permit: &Permit) -> ServiceError {
    let bucket_arn = bucket_arn(&bucket.name);
    if permit.allows("s3:ListBucket", &bucket_arn) {
        return error::no_such_key(key);
    }
    error::access_denied(permit.denial_of("s3:ListBucket", &bucket_arn))
}

/// The part of an object that is asked for.
struct Selection {
    span: Span,
    content_range: Option<String>,
    checksum: Option<Checksum>,
    parts_count: Option<i32>,
}

fn select(
    record: &ObjectRecord,
    range: Option<&str>,
    part_number: Option<i32>,
) -> Result<Selection, ServiceError> {
    let whole = Span {
        offset: 0,
        length: record.size,
    };
    let Some(number) = part_number else {
        let span = range
            .map(|header| range::parse(header, record.size))
            .transpose()?
            .flatten();
        return Ok(Selection {
            span: span.unwrap_or(whole),
            content_range: span.map(|span| span.content_range(record.size)),
            checksum: record.checksum.clone().filter(|_| span.is_none()),
            parts_count: None,
        });
    };
    if range.is_some() {
        return Err(error::invalid_request(
            "Cannot specify both Range header and partNumber query parameter",
        ));
    }
    let invalid = || {
        error::coded(
            "InvalidPartNumber",
            416,
            "The requested partnumber is not satisfiable",
        )
        .with_field("PartNumberRequested", number.to_string())
        .with_field("ActualPartCount", record.parts.len().max(1).to_string())
    };
    if !(1..=10_000).contains(&number) {
        return Err(error::invalid_argument(
            "Part number must be an integer between 1 and 10000, inclusive",
            "partNumber",
            number,
        ));
    }
    let index = usize::try_from(number).unwrap_or_default().saturating_sub(1);
    let (span, checksum) = if record.parts.is_empty() && index == 0 {
        (whole, record.checksum.clone())
    } else {
        let part = record.parts.get(index).ok_or_else(invalid)?;
        let offset = record
            .parts
            .iter()
            .take(index)
            .map(|part| part.size)
            .fold(0, u64::saturating_add);
        let span = Span {
            offset,
            length: part.size,
        };
        (span, part.checksum.clone())
    };
    Ok(Selection {
        span,
        content_range: (span.length > 0).then(|| span.content_range(record.size)),
        checksum,
        parts_count: i32::try_from(record.parts.len()).ok().filter(|count| *count > 0),
    })
}

fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Fills the members that the outputs of both operations have.
macro_rules! describe {
    ($output:ident, $record:expr, $selection:expr, $input:expr, $permit:expr) => {{
        let record: &ObjectRecord = $record;
        let headers = &record.headers;
        let overridden =
            |given: &Option<String>, kept: &Option<String>| given.clone().or_else(|| kept.clone());
        let may_see_tags = $permit.allows("s3:GetObjectTagging", &object_arn(&$input.bucket, &$input.key));
        let checksum = $selection
            .checksum
            .as_ref()
            .filter(|_| $input.checksum_mode.as_deref() == Some("ENABLED"));
        let mut output = $output {
            accept_ranges: Some("bytes".to_owned()),
            last_modified: Some(record.modified_at()),
            content_length: i64::try_from($selection.span.length).ok(),
            content_range: $selection.content_range.clone(),
            e_tag: Some(record.quoted_etag()),
            checksum_type: checksum.map(|checksum| checksum.kind.name().to_owned()),
            cache_control: overridden(&$input.response_cache_control, &headers.cache_control),
            content_disposition: overridden(
                &$input.response_content_disposition,
                &headers.content_disposition,
            ),
            content_encoding: overridden(&$input.response_content_encoding, &headers.content_encoding),
            content_language: overridden(&$input.response_content_language, &headers.content_language),
            content_type: overridden(&$input.response_content_type, &headers.content_type),
            expires: $input
                .response_expires
                .map(http_date)
                .or_else(|| headers.expires.clone()),
            server_side_encryption: Some(ENCRYPTION.to_owned()),
            metadata: (!headers.metadata.is_empty()).then(|| headers.metadata.iter().cloned().collect()),
            storage_class: record.storage_class.clone(),
            parts_count: $selection.parts_count,
            tag_count: i32::try_from(record.tags.len())
                .ok()
                .filter(|count| *count > 0 && may_see_tags),
            ..$output::default()
        };
        show!(output, checksum);
        output
    }};
}

/// Checks what `GetObject` and `HeadObject` have in common.
macro_rules! check_read {
    ($input:expr, $context:expr) => {{
        refuse_customer_keys!($input);
        check_version($input.version_id.as_deref())?;
        check_key(&$input.key)?;
        let overrides = $input.response_cache_control.is_some()
            || $input.response_content_disposition.is_some()
            || $input.response_content_encoding.is_some()
            || $input.response_content_language.is_some()
            || $input.response_content_type.is_some()
            || $input.response_expires.is_some();
        if overrides && matches!($context.caller.principal, rolecall_policy::Principal::Anonymous) {
            return Err(error::invalid_request(
                "Request specific response headers cannot be used for anonymous GET requests.",
            ));
        }
        ReadConditions {
            if_match: $input.if_match.as_deref(),
            if_none_match: $input.if_none_match.as_deref(),
            if_modified_since: $input.if_modified_since,
            if_unmodified_since: $input.if_unmodified_since,
        }
    }};
}

/// `GetObject`.
pub(crate) async fn get_object(
    s3: Arc<S3>,
    context: Arc<RequestContext>,
    input: GetObjectInput,
    permit: Permit,
) -> Result<GetObjectOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    let conditions = check_read!(input, context);
    let (record, body) = s3.object_and_body(&bucket, &input.key, &permit)?;
    conditions.check(&record)?;
    let selection = select(&record, input.range.as_deref(), input.part_number)?;
    let body = body
        .slice(selection.span.offset, selection.span.length)
        .ok_or_else(|| ServiceError::internal("an object is shorter than its record says"))?;
    let mut output = describe!(GetObjectOutput, &record, selection, input, permit);
    output.body = Some(body);
    Ok(output)
}

/// `HeadObject`.
pub(crate) async fn head_object(
    s3: Arc<S3>,
    context: Arc<RequestContext>,
    input: HeadObjectInput,
    permit: Permit,
) -> Result<HeadObjectOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    let conditions = check_read!(input, context);
    let record = s3.object(&bucket, &input.key, &permit)?;
    conditions.check(&record)?;
    let selection = select(&record, input.range.as_deref(), input.part_number)?;
    Ok(describe!(HeadObjectOutput, &record, selection, input, permit))
}
