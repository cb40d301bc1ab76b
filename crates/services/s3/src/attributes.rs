//! `GetObjectAttributes`.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html>

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::checksum::{Checksum, Kind, show};
use crate::generated::{
    self, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts, ObjectPart,
};
use crate::list_objects::page_size;
use crate::names::check_key;
use crate::request::{check_version, refuse_customer_keys};
use crate::state::ObjectRecord;
use crate::{S3, error};

const KNOWN: [&str; 5] = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];

/// `GetObjectAttributes`.
pub(crate) async fn get_object_attributes(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: GetObjectAttributesInput,
    permit: Permit,
) -> Result<GetObjectAttributesOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    refuse_customer_keys!(input);
    check_version(input.version_id.as_deref())?;
    check_key(&input.key)?;
    // A client may put several names into one header.
    let asked: Vec<&str> = input
        .object_attributes
        .iter()
        .flat_map(|names| names.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    if asked.is_empty() || asked.iter().any(|name| !KNOWN.contains(name)) {
        return Err(error::invalid_argument(
            "Invalid attribute name specified.",
            "x-amz-object-attributes",
            asked.join(","),
        ));
    }
    let wants = |name: &str| asked.contains(&name);
    let record = s3.object(&bucket, &input.key, &permit)?;
    let checksum = record.checksum.as_ref().filter(|_| wants("Checksum"));
    let object_parts = if wants("ObjectParts") {
        parts(&record, &input)?
    } else {
        None
    };
    Ok(GetObjectAttributesOutput {
        last_modified: Some(record.modified_at()),
        // Without quotes, unlike everywhere else.
        e_tag: wants("ETag").then(|| record.etag.clone()),
        checksum: checksum.map(shown),
        object_parts,
        storage_class: wants("StorageClass").then(|| record.storage_class().to_owned()),
        object_size: i64::try_from(record.size).ok().filter(|_| wants("ObjectSize")),
        ..GetObjectAttributesOutput::default()
    })
}

fn shown(checksum: &Checksum) -> generated::Checksum {
    let mut shown = generated::Checksum {
        checksum_type: Some(checksum.kind.name().to_owned()),
        ..generated::Checksum::default()
    };
    show!(shown, Some(checksum));
    shown
}

/// The parts of a multipart object. S3 lists them one by one only when each has a checksum of its own.
fn parts(
    record: &ObjectRecord,
    input: &GetObjectAttributesInput,
) -> Result<Option<GetObjectAttributesParts>, ServiceError> {
    if record.parts.is_empty() {
        return Ok(None);
    }
    let most = page_size(input.max_parts, "x-amz-max-parts")?;
    let marker = input.part_number_marker.unwrap_or(0);
    let is_composite = record
        .checksum
        .as_ref()
        .is_some_and(|checksum| checksum.kind == Kind::Composite);
    let total = i32::try_from(record.parts.len()).ok();
    if !is_composite {
        return Ok(Some(GetObjectAttributesParts {
            total_parts_count: total,
            ..GetObjectAttributesParts::default()
        }));
    }
    let wanted = usize::try_from(most).unwrap_or_default();
    let mut rest = record.parts.iter().filter(|part| part.number > marker);
    let page: Vec<_> = rest.by_ref().take(wanted).collect();
    let parts = page
        .iter()
        .map(|part| {
            let mut shown = ObjectPart {
                part_number: Some(part.number),
                size: i64::try_from(part.size).ok(),
                ..ObjectPart::default()
            };
            show!(shown, &part.checksum);
            shown
        })
        .collect();
    Ok(Some(GetObjectAttributesParts {
        total_parts_count: total,
        part_number_marker: Some(marker),
        next_part_number_marker: Some(page.last().map_or(0, |part| part.number)),
        max_parts: Some(most),
        is_truncated: Some(rest.next().is_some()),
        parts: Some(parts),
    }))
}
