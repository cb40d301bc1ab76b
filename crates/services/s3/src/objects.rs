//! Writing objects: `PutObject`, and the one place where an object's record replaces another.

use std::sync::Arc;

use bytes::Bytes;
use rolecall_service::{Permit, RequestContext, ServiceError};
use rolecall_store::{CommitError, Condition, Transaction, codec};

use crate::catalogue::Bucket;
use crate::checksum::{Algorithm, claims, show};
use crate::conditions::WriteConditions;
use crate::generated::{PutObjectInput, PutObjectOutput};
use crate::names::check_key;
use crate::request::{ENCRYPTION, refuse, refuse_on_write, storage_class};
use crate::state::{BODIES, BUCKET_IDS, ContentHeaders, Data, OBJECTS, ObjectRecord, object_key, quoted};
use crate::{S3, error, tags};

/// How often a change is tried anew when others change the same record at the same time.
pub(crate) const ATTEMPTS: usize = 32;

/// Reads the headers that are kept from a generated input.
macro_rules! content_headers {
    ($input:expr) => {{
        let metadata: Vec<(String, String)> =
            $input.metadata.take().unwrap_or_default().into_iter().collect();
        $crate::request::check_metadata(metadata.iter().map(|(name, value)| (name, value)))?;
        $crate::state::ContentHeaders {
            cache_control: $input.cache_control.take(),
            content_disposition: $input.content_disposition.take(),
            content_encoding: $crate::objects::kept_encoding($input.content_encoding.as_deref()),
            content_language: $input.content_language.take(),
            content_type: $input.content_type.take(),
            expires: $input.expires.take(),
            metadata,
        }
    }};
}

pub(crate) use content_headers;

/// `aws-chunked` says how the request was sent and is not kept.
pub(crate) fn kept_encoding(header: Option<&str>) -> Option<String> {
    let kept: Vec<&str> = header?
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

/// What happens to the store beside the object's record.
#[derive(Default)]
pub(crate) struct Beside {
    /// A small body, under its id.
    pub(crate) body: Option<(String, Bytes)>,
    /// Bodies that are no longer needed.
    pub(crate) obsolete: Vec<Data>,
}

/// With the deletion of a body that is kept in the store.
pub(crate) fn forget_body(transaction: Transaction, data: &Data) -> Transaction {
    match data {
        Data::Stored(id) => transaction.delete(BODIES, id.as_str(), Condition::Any),
        Data::Empty | Data::File(_) => transaction,
    }
}

impl S3 {
    /// The object at `key`, if there is one.
    pub(crate) fn find_object(
        &self,
        bucket: &Bucket,
        key: &str,
    ) -> Result<Option<ObjectRecord>, ServiceError> {
        self.store
            .get(OBJECTS, &object_key(&bucket.record.id, key))
            .and_then(|entry| entry.map(|entry| entry.decode()).transpose())
            .map_err(error::from_store)
    }

    /// Puts `record` at `key` in place of what is there, if `conditions` hold then, in one transaction with what
    /// `more` adds. Everything the record names must be durable already; on failure its file is removed.
    pub(crate) async fn replace_object(
        &self,
        bucket: &Bucket,
        key: &str,
        record: ObjectRecord,
        conditions: &WriteConditions,
        beside: Beside,
        more: impl Fn(Transaction) -> Transaction,
    ) -> Result<(), ServiceError> {
        let outcome = self
            .try_replacing(bucket, key, &record, conditions, &beside, more)
            .await;
        match &outcome {
            Ok(replaced) => {
                for data in beside.obsolete.iter().chain(replaced) {
                    self.data.remove(data);
                }
            }
            Err(refused) if refused.status() < 500 => self.data.remove(&record.data),
            // What the store did is not certain; if the file belongs to nothing, the next start sweeps it.
            Err(_) => {}
        }
        outcome.map(drop)
    }

    async fn try_replacing(
        &self,
        bucket: &Bucket,
        key: &str,
        record: &ObjectRecord,
        conditions: &WriteConditions,
        beside: &Beside,
        more: impl Fn(Transaction) -> Transaction,
    ) -> Result<Option<Data>, ServiceError> {
        let stored_key = object_key(&bucket.record.id, key);
        let value = codec::encode(record).map_err(error::from_store)?;
        for _ in 0..ATTEMPTS {
            let existing = self.store.get(OBJECTS, &stored_key).map_err(error::from_store)?;
            let (before, condition) = match &existing {
                Some(entry) => (
                    Some(entry.decode::<ObjectRecord>().map_err(error::from_store)?),
                    Condition::Revision(entry.revision),
                ),
                None => (None, Condition::Absent),
            };
            conditions.check(key, before.as_ref())?;
            let mut transaction = Transaction::new()
                .require(BUCKET_IDS, bucket.record.id.as_str(), Condition::Present)
                .put(OBJECTS, stored_key.clone(), value.clone(), condition);
            if let Some((id, bytes)) = &beside.body {
                transaction = transaction.put(BODIES, id.as_str(), bytes.clone(), Condition::Any);
            }
            let before = before.map(|before| before.data);
            for data in beside.obsolete.iter().chain(&before) {
                transaction = forget_body(transaction, data);
            }
            match self.store.commit(more(transaction)).await {
                Ok(_) => return Ok(before),
                Err(CommitError::Conflict { bucket: place, .. }) if place == BUCKET_IDS => {
                    return Err(error::no_such_bucket(&bucket.name));
                }
                Err(CommitError::Conflict { bucket: place, .. }) if place == OBJECTS => {}
                Err(CommitError::Conflict { .. }) => return Err(error::no_such_upload("")),
                Err(other) => return Err(error::from_commit(other)),
            }
        }
        Err(error::conflict())
    }
}

/// `PutObject`.
pub(crate) async fn put_object(
    s3: Arc<S3>,
    context: Arc<RequestContext>,
    mut input: PutObjectInput,
    _: Permit,
) -> Result<PutObjectOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    check_key(&input.key)?;
    refuse_on_write!(input);
    refuse!(input, write_offset_bytes => "x-amz-write-offset-bytes",);
    let claims = claims!(input)?;
    let conditions = WriteConditions::new(input.if_match.as_deref(), input.if_none_match.as_deref())?;
    conditions.check(&input.key, s3.find_object(&bucket, &input.key)?.as_ref())?;
    let headers = object_headers(content_headers!(input));
    let storage_class = storage_class(input.storage_class.as_deref())?;
    let tags = input
        .tagging
        .as_deref()
        .map(tags::from_header)
        .transpose()?
        .unwrap_or_default();
    let algorithm = claims.algorithm().unwrap_or(Algorithm::Crc64nvme);
    let body = input.body.take().unwrap_or_default();
    let written = s3.data.write(body, vec![algorithm]).await?;
    if let Err(error) = claims.verify(&written.digests) {
        s3.data.remove(&written.data);
        return Err(error);
    }
    let checksum = written.digests.checksum(algorithm);
    let etag = hex::encode(written.digests.md5);
    let size = written.size;
    let (data, body) = written.into_parts();
    let record = ObjectRecord {
        size,
        etag: etag.clone(),
        modified: context.time.as_millisecond(),
        headers,
        storage_class,
        tags,
        checksum: checksum.clone(),
        data,
        parts: Vec::new(),
    };
    let beside = Beside {
        body,
        obsolete: Vec::new(),
    };
    s3.replace_object(&bucket, &input.key, record, &conditions, beside, |transaction| {
        transaction
    })
    .await?;
    let mut output = PutObjectOutput {
        e_tag: Some(quoted(&etag)),
        server_side_encryption: Some(ENCRYPTION.to_owned()),
        checksum_type: checksum.as_ref().map(|checksum| checksum.kind.name().to_owned()),
        ..PutObjectOutput::default()
    };
    show!(output, &checksum);
    Ok(output)
}

/// The headers as they are kept: an object without a type is `binary/octet-stream`.
pub(crate) fn object_headers(mut headers: ContentHeaders) -> ContentHeaders {
    headers
        .content_type
        .get_or_insert_with(|| "binary/octet-stream".to_owned());
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_chunked_is_not_kept() {
        let kept = |header: &str| kept_encoding(Some(header));
        assert_eq!(kept("aws-chunked"), None);
        assert_eq!(kept("gzip,aws-chunked").as_deref(), Some("gzip"));
        assert_eq!(kept("gzip").as_deref(), Some("gzip"));
        assert_eq!(kept_encoding(None), None);
    }
}
