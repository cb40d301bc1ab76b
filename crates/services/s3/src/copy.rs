//! `CopyObject` and `UploadPartCopy`.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>

use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rolecall_service::{Permit, RequestContext, ServiceError};
use rolecall_wire::ByteStream;

use crate::catalogue::Bucket;
use crate::checksum::{Algorithm, show};
use crate::conditions::{ReadConditions, WriteConditions};
use crate::generated::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopyPartResult, UploadPartCopyInput,
    UploadPartCopyOutput,
};
use crate::multipart::PartTarget;
use crate::names::check_key;
use crate::objects::{Beside, content_headers, object_headers};
use crate::range;
use crate::request::{
    ENCRYPTION, check_owner, check_version, refuse, refuse_customer_keys, refuse_on_write, storage_class,
};
use crate::state::{Data, ObjectRecord, quoted};
use crate::{S3, error, tags};

/// Largest object that can be copied in one request, in bytes.
const LARGEST_COPY: u64 = 5 * 1024 * 1024 * 1024;

/// What `x-amz-copy-source` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopySource {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version: Option<String>,
}

impl CopySource {
    /// Reads the header: percent-encoded `bucket/key`, with or without a slash before it and a version after it.
    ///
    /// # Errors
    /// It is something else.
    pub(crate) fn parse(header: &str) -> Result<Self, ServiceError> {
        let invalid =
            || error::invalid_argument("Invalid copy source object key", "x-amz-copy-source", header);
        if header.starts_with("arn:") {
            return Err(error::unsupported("x-amz-copy-source"));
        }
        let (path, version) = match header.split_once("?versionId=") {
            Some((path, version)) => (path, Some(version.to_owned())),
            None => (header, None),
        };
        let path = percent_decode_str(path).decode_utf8().map_err(|_| invalid())?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        let (bucket, key) = path.split_once('/').ok_or_else(|| {
            error::invalid_argument(
                "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
                "x-amz-copy-source",
                header,
            )
        })?;
        if bucket.is_empty() || key.is_empty() {
            return Err(invalid());
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version,
        })
    }
}

impl S3 {
    fn source_bucket(
        &self,
        source: &CopySource,
        expected_owner: Option<&str>,
    ) -> Result<Arc<Bucket>, ServiceError> {
        check_version(source.version.as_deref())?;
        check_key(&source.key)?;
        let bucket = self.catalogue.get(&source.bucket)?;
        check_owner(&self.options.account, expected_owner)?;
        Ok(bucket)
    }
}

/// Conditions on the source of a copy, from a generated input.
macro_rules! copy_conditions {
    ($input:expr) => {
        ReadConditions {
            if_match: $input.copy_source_if_match.as_deref(),
            if_none_match: $input.copy_source_if_none_match.as_deref(),
            if_modified_since: $input.copy_source_if_modified_since,
            if_unmodified_since: $input.copy_source_if_unmodified_since,
        }
    };
}

/// Refuses a source that is encrypted with the customer's keys.
macro_rules! refuse_source_keys {
    ($input:expr) => {
        refuse!($input,
            copy_source_sse_customer_algorithm => "x-amz-copy-source-server-side-encryption-customer-algorithm",
            copy_source_sse_customer_key => "x-amz-copy-source-server-side-encryption-customer-key",
            copy_source_sse_customer_key_md5 => "x-amz-copy-source-server-side-encryption-customer-key-MD5",
        )
    };
}

/// Whether a directive says `REPLACE`.
pub(crate) fn replaces(directive: Option<&str>, header: &str) -> Result<bool, ServiceError> {
    match directive {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(error::invalid_argument(
            format!("Unknown {header} directive."),
            header,
            other,
        )),
    }
}

/// `CopyObject`.
pub(crate) async fn copy_object(
    s3: Arc<S3>,
    context: Arc<RequestContext>,
    mut input: CopyObjectInput,
    permit: Permit,
) -> Result<CopyObjectOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    check_key(&input.key)?;
    refuse_on_write!(input);
    refuse_source_keys!(input);
    refuse!(input, annotation_directive => "x-amz-annotation-directive",);
    let source = CopySource::parse(&input.copy_source)?;
    let source_bucket = s3.source_bucket(&source, input.expected_source_bucket_owner.as_deref())?;
    let replaces_headers = replaces(input.metadata_directive.as_deref(), "x-amz-metadata-directive")?;
    let replaces_tags = replaces(input.tagging_directive.as_deref(), "x-amz-tagging-directive")?;
    let chosen = input
        .checksum_algorithm
        .as_deref()
        .map(Algorithm::parse)
        .transpose()?;
    let changes_itself = replaces_headers
        || replaces_tags
        || input.storage_class.is_some()
        || input.server_side_encryption.is_some();
    if source.bucket == input.bucket && source.key == input.key && !changes_itself {
        return Err(error::invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    let conditions = WriteConditions::new(input.if_match.as_deref(), input.if_none_match.as_deref())?;
    let headers = content_headers!(input);
    let new_class = storage_class(input.storage_class.as_deref())?;
    let new_tags = input
        .tagging
        .as_deref()
        .filter(|_| replaces_tags)
        .map(tags::from_header)
        .transpose()?
        .unwrap_or_default();
    let (from, body) = s3.object_and_body(&source_bucket, &source.key, &permit)?;
    copy_conditions!(input).check_copy(&from)?;
    if from.size > LARGEST_COPY {
        return Err(error::invalid_request(format!(
            "The specified copy source is larger than the maximum allowable size for a copy source: {LARGEST_COPY}"
        )));
    }
    if !replaces_tags && !from.tags.is_empty() && !may_copy_tags(&permit, &source) {
        // The tags came after the request was authorised, so nobody asked whether they may be copied.
        return Err(error::conflict());
    }
    let headers = if replaces_headers {
        object_headers(headers)
    } else {
        from.headers.clone()
    };
    let copied = s3.copy_body(&from, body, chosen).await?;
    let record = ObjectRecord {
        size: from.size,
        etag: copied.etag,
        modified: context.time.as_millisecond(),
        headers,
        storage_class: new_class,
        tags: if replaces_tags { new_tags } else { from.tags },
        checksum: copied.checksum,
        data: copied.data,
        parts: Vec::new(),
    };
    let mut result = CopyObjectResult {
        e_tag: Some(record.quoted_etag()),
        last_modified: Some(record.modified_at()),
        checksum_type: record
            .checksum
            .as_ref()
            .map(|checksum| checksum.kind.name().to_owned()),
        ..CopyObjectResult::default()
    };
    show!(result, &record.checksum);
    let beside = Beside {
        body: copied.body,
        obsolete: Vec::new(),
    };
    s3.replace_object(&bucket, &input.key, record, &conditions, beside, |transaction| {
        transaction
    })
    .await?;
    Ok(CopyObjectOutput {
        copy_object_result: Some(result),
        server_side_encryption: Some(ENCRYPTION.to_owned()),
        copy_source_version_id: source.version,
        ..CopyObjectOutput::default()
    })
}

fn may_copy_tags(permit: &Permit, source: &CopySource) -> bool {
    let arn = crate::names::object_arn(&source.bucket, &source.key);
    permit.allows("s3:GetObjectTagging", &arn) || permit.allows("s3:GetObjectVersionTagging", &arn)
}

/// A copy's bytes and what they come to.
struct Copied {
    data: Data,
    body: Option<(String, bytes::Bytes)>,
    etag: String,
    checksum: Option<crate::checksum::Checksum>,
}

impl S3 {
    /// Another body with the bytes of `from`. What a copy of a multipart object comes to must be computed anew, because
    /// the copy has no parts; otherwise the bytes need not be read unless another checksum is wanted.
    async fn copy_body(
        &self,
        from: &ObjectRecord,
        body: ByteStream,
        chosen: Option<Algorithm>,
    ) -> Result<Copied, ServiceError> {
        let kept = from.checksum.clone().filter(|checksum| {
            checksum.kind == crate::checksum::Kind::FullObject
                && chosen.is_none_or(|chosen| chosen == checksum.algorithm)
        });
        if let (true, Some(checksum)) = (from.parts.is_empty(), kept)
            && let Some((data, body)) = self.data.duplicate(&*self.store, &from.data)?
        {
            return Ok(Copied {
                data,
                body,
                etag: from.etag.clone(),
                checksum: Some(checksum),
            });
        }
        let algorithm = chosen
            .or(from.checksum.as_ref().map(|checksum| checksum.algorithm))
            .unwrap_or(Algorithm::Crc64nvme);
        let written = self.data.write(body, vec![algorithm]).await?;
        let (etag, checksum) = (
            hex::encode(written.digests.md5),
            written.digests.checksum(algorithm),
        );
        let (data, body) = written.into_parts();
        Ok(Copied {
            data,
            body,
            etag,
            checksum,
        })
    }
}

/// `UploadPartCopy`.
pub(crate) async fn upload_part_copy(
    s3: Arc<S3>,
    context: Arc<RequestContext>,
    input: UploadPartCopyInput,
    permit: Permit,
) -> Result<UploadPartCopyOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    refuse_customer_keys!(input);
    refuse_source_keys!(input);
    let target = PartTarget {
        bucket,
        key: &input.key,
        upload_id: &input.upload_id,
        number: input.part_number,
    };
    let upload = s3.upload_of(&target)?;
    let source = CopySource::parse(&input.copy_source)?;
    let source_bucket = s3.source_bucket(&source, input.expected_source_bucket_owner.as_deref())?;
    let (from, body) = s3.object_and_body(&source_bucket, &source.key, &permit)?;
    copy_conditions!(input).check_copy(&from)?;
    let body = match input.copy_source_range.as_deref() {
        None => body,
        Some(header) => {
            let span = range::parse_copy(header, from.size)?;
            body.slice(span.offset, span.length)
                .ok_or_else(|| ServiceError::internal("an object is shorter than its record says"))?
        }
    };
    let algorithm = upload.effective_algorithm();
    let written = s3.data.write(body, vec![algorithm]).await?;
    let part = s3
        .put_part(&target, written, context.time.as_millisecond())
        .await?;
    let mut result = CopyPartResult {
        e_tag: Some(quoted(&part.etag())),
        last_modified: Some(crate::state::timestamp(part.modified)),
        ..CopyPartResult::default()
    };
    show!(
        result,
        upload.algorithm.and_then(|algorithm| part.checksum(algorithm))
    );
    Ok(UploadPartCopyOutput {
        copy_part_result: Some(result),
        server_side_encryption: Some(ENCRYPTION.to_owned()),
        copy_source_version_id: source.version,
        ..UploadPartCopyOutput::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources() {
        for (header, expected) in [
            ("orders/a/b.json", Some(("orders", "a/b.json", None))),
            ("/orders/a", Some(("orders", "a", None))),
            ("orders%2Fa%20b", Some(("orders", "a b", None))),
            ("orders/a?versionId=null", Some(("orders", "a", Some("null")))),
            ("orders/a%3FversionId=1", Some(("orders", "a?versionId=1", None))),
            ("orders//a", Some(("orders", "/a", None))),
            ("orders", None),
            ("orders/", None),
            ("//a", None),
            ("orders/%ff", None),
            ("arn:aws:s3:us-east-1:123456789012:accesspoint/x/object/y", None),
        ] {
            let got = CopySource::parse(header).ok();
            let got = got.as_ref().map(|source| {
                (
                    source.bucket.as_str(),
                    source.key.as_str(),
                    source.version.as_deref(),
                )
            });
            assert_eq!(got, expected, "{header}");
        }
    }
}
