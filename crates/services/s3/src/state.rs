//! What the service keeps: records of buckets, objects, uploads and parts.
//!
//! | store bucket | key | value |
//! |---|---|---|
//! | `s3.buckets` | bucket name | [`BucketRecord`] |
//! | `s3.bucket-ids` | bucket id | the name: there exactly as long as the bucket, so that a write can demand it |
//! | `s3.objects` | bucket id, object key | [`ObjectRecord`] |
//! | `s3.uploads` | bucket id, object key (escaped), upload id | [`UploadRecord`] |
//! | `s3.parts` | upload id, part number | [`PartRecord`] |
//! | `s3.bodies` | data id | bytes of a small body |
//!
//! Bucket ids have a fixed length and are never used again, so the keys of one bucket are one range, in the order of the
//! bytes of the object keys: the order S3 lists in.

use jiff::Timestamp;
use rolecall_store::codec::Stored;
use serde::{Deserialize, Serialize};

use crate::checksum::{Algorithm, Checksum, Kind};
use crate::tags::Tags;

pub(crate) const BUCKETS: &str = "s3.buckets";
pub(crate) const BUCKET_IDS: &str = "s3.bucket-ids";
pub(crate) const OBJECTS: &str = "s3.objects";
pub(crate) const UPLOADS: &str = "s3.uploads";
pub(crate) const PARTS: &str = "s3.parts";
pub(crate) const BODIES: &str = "s3.bodies";

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BucketRecord {
    /// 16 hexadecimal digits.
    pub(crate) id: String,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    pub(crate) region: String,
    /// The bucket policy with this account's principals bound to their unique ids.
    pub(crate) policy: Option<String>,
    pub(crate) tags: Tags,
}

impl Stored for BucketRecord {
    const VERSION: u8 = 1;
}

/// Where the bytes of an object or part are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Data {
    #[default]
    Empty,
    /// In the store, under this id.
    Stored(String),
    /// In a file of this id.
    File(String),
}

/// Headers that are kept with an object and given back with it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct ContentHeaders {
    pub(crate) cache_control: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) expires: Option<String>,
    pub(crate) metadata: Vec<(String, String)>,
}

/// One part of a completed multipart object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartSummary {
    pub(crate) number: i32,
    pub(crate) size: u64,
    pub(crate) checksum: Option<Checksum>,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct ObjectRecord {
    pub(crate) size: u64,
    /// Without quotes.
    pub(crate) etag: String,
    /// Milliseconds since 1970.
    pub(crate) modified: i64,
    pub(crate) headers: ContentHeaders,
    /// `None` is `STANDARD`.
    pub(crate) storage_class: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) checksum: Option<Checksum>,
    pub(crate) data: Data,
    /// Parts in order, for objects that were uploaded in parts.
    pub(crate) parts: Vec<PartSummary>,
}

impl Stored for ObjectRecord {
    const VERSION: u8 = 1;
}

impl ObjectRecord {
    pub(crate) fn modified_at(&self) -> Timestamp {
        timestamp(self.modified)
    }

    /// As the header of that name has it.
    pub(crate) fn last_modified(&self) -> String {
        self.modified_at()
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string()
    }

    pub(crate) fn quoted_etag(&self) -> String {
        quoted(&self.etag)
    }

    pub(crate) fn storage_class(&self) -> &str {
        self.storage_class.as_deref().unwrap_or("STANDARD")
    }
}

/// A multipart upload under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UploadRecord {
    pub(crate) key: String,
    /// Milliseconds since 1970.
    pub(crate) initiated: i64,
    /// ARN of who began it.
    pub(crate) initiator: String,
    pub(crate) headers: ContentHeaders,
    pub(crate) storage_class: Option<String>,
    pub(crate) tags: Tags,
    /// What the client chose; S3 computes CRC64NVME of the whole object when it chose nothing.
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) kind: Kind,
}

impl Stored for UploadRecord {
    const VERSION: u8 = 1;
}

impl UploadRecord {
    pub(crate) fn effective_algorithm(&self) -> Algorithm {
        self.algorithm.unwrap_or(Algorithm::Crc64nvme)
    }
}

/// A part of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartRecord {
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
    /// Milliseconds since 1970.
    pub(crate) modified: i64,
    pub(crate) checksums: Vec<Checksum>,
    pub(crate) data: Data,
}

impl Stored for PartRecord {
    const VERSION: u8 = 1;
}

impl PartRecord {
    pub(crate) fn etag(&self) -> String {
        hex::encode(self.md5)
    }

    pub(crate) fn checksum(&self, algorithm: Algorithm) -> Option<&Checksum> {
        self.checksums
            .iter()
            .find(|checksum| checksum.algorithm == algorithm)
    }
}

pub(crate) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

pub(crate) fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Key of an object in [`OBJECTS`].
pub(crate) fn object_key(bucket_id: &str, key: &str) -> Vec<u8> {
    [bucket_id.as_bytes(), key.as_bytes()].concat()
}

/// What the keys of a key's uploads in [`UPLOADS`] begin with. Zero bytes are escaped so that the end of a key sorts
/// before everything that goes on.
pub(crate) fn upload_prefix(bucket_id: &str, key: &str) -> Vec<u8> {
    let mut encoded = upload_key_prefix(bucket_id, key);
    encoded.extend([0, 1]);
    encoded
}

/// What the keys of the uploads of all keys that begin with `prefix` begin with.
pub(crate) fn upload_key_prefix(bucket_id: &str, prefix: &str) -> Vec<u8> {
    let mut encoded = bucket_id.as_bytes().to_vec();
    for byte in prefix.bytes() {
        encoded.push(byte);
        if byte == 0 {
            encoded.push(0xff);
        }
    }
    encoded
}

/// Key of an upload in [`UPLOADS`].
pub(crate) fn upload_key(bucket_id: &str, key: &str, upload_id: &str) -> Vec<u8> {
    let mut encoded = upload_prefix(bucket_id, key);
    encoded.extend(upload_id.as_bytes());
    encoded
}

/// Key of a part in [`PARTS`].
pub(crate) fn part_key(upload_id: &str, number: i32) -> Vec<u8> {
    let mut encoded = upload_id.as_bytes().to_vec();
    encoded.extend(number.to_be_bytes());
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_sort_by_key_then_id() {
        let mut keys = [
            upload_key("b", "a/b", "1"),
            upload_key("b", "a\0b", "1"),
            upload_key("b", "a", "2"),
            upload_key("b", "a", "1"),
        ];
        keys.sort();
        assert_eq!(
            keys,
            [
                upload_key("b", "a", "1"),
                upload_key("b", "a", "2"),
                upload_key("b", "a\0b", "1"),
                upload_key("b", "a/b", "1"),
            ]
        );
        assert!(upload_key("b", "a\0b", "1").starts_with(&upload_key_prefix("b", "a\0")));
    }
}
