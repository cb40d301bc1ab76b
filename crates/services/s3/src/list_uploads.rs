//! `ListParts` and `ListMultipartUploads`.

use std::ops::ControlFlow;
use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};
use rolecall_store::{ScanRange, codec};

use crate::checksum::show;
use crate::error;
use crate::generated::{
    Initiator, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput,
    MultipartUpload, Part,
};
use crate::list_objects::{Encoding, page_size};
use crate::listing::group_of;
use crate::multipart::upload_id_of;
use crate::names::check_key;
use crate::request::{refuse, refuse_customer_keys};
use crate::state::{UPLOADS, UploadRecord, quoted, timestamp, upload_key, upload_key_prefix, upload_prefix};
use crate::{S3, checksum::Algorithm};

fn initiator(upload: &UploadRecord) -> Initiator {
    Initiator {
        id: Some(upload.initiator.clone()),
        display_name: upload.initiator.rsplit(['/', ':']).next().map(str::to_owned),
    }
}

fn class_of(upload: &UploadRecord) -> String {
    upload
        .storage_class
        .clone()
        .unwrap_or_else(|| "STANDARD".to_owned())
}

/// `ListParts`.
pub(crate) async fn list_parts(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: ListPartsInput,
    _: Permit,
) -> Result<ListPartsOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    refuse_customer_keys!(input);
    check_key(&input.key)?;
    let most = page_size(input.max_parts, "max-parts")?;
    let upload = s3.upload(&bucket, &input.key, &input.upload_id)?;
    let marker = input.part_number_marker.unwrap_or(0);
    if marker < 0 {
        return Err(error::invalid_argument(
            "Argument part-number-marker must be an integer between 0 and 2147483647",
            "part-number-marker",
            marker,
        ));
    }
    let wanted = usize::try_from(most).unwrap_or_default();
    let mut parts = s3.parts(&input.upload_id, marker, wanted.saturating_add(1))?;
    let is_truncated = parts.len() > wanted;
    parts.truncate(wanted);
    let shown = parts
        .iter()
        .map(|(number, part)| {
            let mut shown = Part {
                part_number: Some(*number),
                last_modified: Some(timestamp(part.modified)),
                e_tag: Some(quoted(&part.etag())),
                size: i64::try_from(part.size).ok(),
                ..Part::default()
            };
            show!(
                shown,
                upload.algorithm.and_then(|algorithm| part.checksum(algorithm))
            );
            shown
        })
        .collect();
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: Some(marker),
        next_part_number_marker: Some(parts.last().map_or(0, |(number, _)| *number)),
        max_parts: Some(most),
        is_truncated: Some(is_truncated),
        parts: (!parts.is_empty()).then_some(shown),
        initiator: Some(initiator(&upload)),
        owner: Some(s3.owner()),
        storage_class: Some(class_of(&upload)),
        checksum_algorithm: upload.algorithm.map(|algorithm| algorithm.name().to_owned()),
        checksum_type: upload.algorithm.map(|_| upload.kind.name().to_owned()),
        ..ListPartsOutput::default()
    })
}

/// `ListMultipartUploads`: by key, then by the time they began.
pub(crate) async fn list_multipart_uploads(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: ListMultipartUploadsInput,
    _: Permit,
) -> Result<ListMultipartUploadsOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    refuse!(input, request_payer => "x-amz-request-payer",);
    let encoding = Encoding::new(input.encoding_type.as_deref())?;
    let most = page_size(input.max_uploads, "max-uploads")?;
    let wanted = usize::try_from(most).unwrap_or_default();
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = input
        .delimiter
        .as_deref()
        .filter(|delimiter| !delimiter.is_empty());
    let key_marker = input.key_marker.as_deref().unwrap_or_default();
    let id_marker = input.upload_id_marker.as_deref().unwrap_or_default();
    let id = bucket.record.id.as_str();
    let mut range = ScanRange::prefix(upload_key_prefix(id, prefix));
    if !key_marker.is_empty() {
        range = range.after(if id_marker.is_empty() {
            // Behind every upload of that key: ids are digits and letters.
            let mut last = upload_prefix(id, key_marker);
            last.push(u8::MAX);
            last
        } else {
            upload_key(id, key_marker, id_marker)
        });
    }
    let passed = delimiter.and_then(|delimiter| group_of(key_marker, prefix, delimiter));
    let mut uploads: Vec<(String, UploadRecord)> = Vec::new();
    let mut groups: Vec<String> = Vec::new();
    let mut failed = None;
    let mut is_truncated = false;
    // What was shown last: a key and an id, or a group and no id.
    let mut last: Option<(String, Option<String>)> = None;
    s3.store
        .for_each(UPLOADS, &range, &mut |entry| {
            let record: UploadRecord = match codec::decode(entry.value) {
                Ok(record) => record,
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            };
            let group = delimiter.and_then(|delimiter| group_of(&record.key, prefix, delimiter));
            if group
                .as_ref()
                .is_some_and(|group| groups.last() == Some(group) || passed.as_ref() == Some(group))
            {
                return ControlFlow::Continue(());
            }
            if uploads.len().saturating_add(groups.len()) >= wanted {
                is_truncated = wanted > 0;
                return ControlFlow::Break(());
            }
            if let Some(group) = group {
                last = Some((group.clone(), None));
                groups.push(group);
            } else {
                let upload_id = upload_id_of(entry.key);
                last = Some((record.key.clone(), Some(upload_id.clone())));
                uploads.push((upload_id, record));
            }
            ControlFlow::Continue(())
        })
        .map_err(error::from_store)?;
    if let Some(failed) = failed {
        return Err(error::from_store(failed));
    }
    let owner = s3.owner();
    let shown = uploads
        .iter()
        .map(|(upload_id, upload)| MultipartUpload {
            upload_id: Some(upload_id.clone()),
            key: Some(encoding.apply(&upload.key)),
            initiated: Some(timestamp(upload.initiated)),
            storage_class: Some(class_of(upload)),
            owner: Some(owner.clone()),
            initiator: Some(initiator(upload)),
            checksum_algorithm: upload.algorithm.map(Algorithm::name).map(str::to_owned),
            checksum_type: upload.algorithm.map(|_| upload.kind.name().to_owned()),
            version_id: None,
        })
        .collect();
    let next = last.filter(|_| is_truncated);
    Ok(ListMultipartUploadsOutput {
        key_marker: Some(encoding.apply(key_marker)),
        upload_id_marker: Some(id_marker.to_owned()),
        next_key_marker: next.as_ref().map(|(key, _)| encoding.apply(key)),
        next_upload_id_marker: next.and_then(|(_, id)| id),
        prefix: Some(encoding.apply(prefix)),
        delimiter: encoding.apply_to(delimiter),
        max_uploads: Some(most),
        is_truncated: Some(is_truncated),
        uploads: (!uploads.is_empty()).then_some(shown),
        common_prefixes: encoding.prefixes(&groups),
        bucket: Some(input.bucket),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}
