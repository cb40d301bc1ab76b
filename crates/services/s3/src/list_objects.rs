//! `ListObjects` and `ListObjectsV2`.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::generated::{
    CommonPrefix, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object, Owner,
};
use crate::listing::{After, Page, Query, group_of, list};
use crate::request::refuse;
use crate::state::ObjectRecord;
use crate::{S3, error};

/// Most entries of a page.
pub(crate) const LARGEST_PAGE: i32 = 1000;

/// How names are written in the answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Encoding(bool);

impl Encoding {
    /// # Errors
    /// Another encoding than `url` is asked for.
    pub(crate) fn new(asked: Option<&str>) -> Result<Self, ServiceError> {
        match asked {
            None => Ok(Self(false)),
            Some("url") => Ok(Self(true)),
            Some(other) => Err(error::invalid_argument(
                "Invalid Encoding Method specified in Request",
                "encoding-type",
                other,
            )),
        }
    }

    pub(crate) fn apply(self, text: &str) -> String {
        const KEPT: &AsciiSet = &NON_ALPHANUMERIC
            .remove(b'-')
            .remove(b'_')
            .remove(b'.')
            .remove(b'*')
            .remove(b'/')
            .remove(b' ');
        if self.0 {
            utf8_percent_encode(text, KEPT).to_string().replace(' ', "+")
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn apply_to(self, text: Option<&str>) -> Option<String> {
        text.map(|text| self.apply(text))
    }

    pub(crate) fn prefixes(self, prefixes: &[String]) -> Option<Vec<CommonPrefix>> {
        let shown = prefixes.iter().map(|prefix| CommonPrefix {
            prefix: Some(self.apply(prefix)),
        });
        (!prefixes.is_empty()).then(|| shown.collect())
    }
}

/// A key as it stands in the path of a URL.
pub(crate) fn url_path(key: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~')
        .remove(b'/');
    utf8_percent_encode(key, KEPT).to_string()
}

/// The size of a page: at most [`LARGEST_PAGE`].
///
/// # Errors
/// It is negative.
pub(crate) fn page_size(asked: Option<i32>, argument: &str) -> Result<i32, ServiceError> {
    match asked {
        None => Ok(LARGEST_PAGE),
        Some(most) if most < 0 => Err(error::invalid_argument(
            format!("Argument {argument} must be an integer between 0 and 2147483647"),
            argument,
            most,
        )),
        Some(most) => Ok(most.min(LARGEST_PAGE)),
    }
}

fn objects(page: &Page, encoding: Encoding, owner: Option<&Owner>) -> Option<Vec<Object>> {
    let shown = page
        .objects
        .iter()
        .map(|(key, record)| object(key, record, encoding, owner));
    (!page.objects.is_empty()).then(|| shown.collect())
}

fn object(key: &str, record: &ObjectRecord, encoding: Encoding, owner: Option<&Owner>) -> Object {
    let checksum = record.checksum.as_ref();
    Object {
        key: Some(encoding.apply(key)),
        last_modified: Some(record.modified_at()),
        e_tag: Some(record.quoted_etag()),
        checksum_algorithm: checksum.map(|checksum| vec![checksum.algorithm.name().to_owned()]),
        checksum_type: checksum.map(|checksum| checksum.kind.name().to_owned()),
        size: i64::try_from(record.size).ok(),
        storage_class: Some(record.storage_class().to_owned()),
        owner: owner.cloned(),
        restore_status: None,
    }
}

fn not_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

impl S3 {
    fn page(
        &self,
        bucket: &str,
        expected_owner: Option<&str>,
        query: Query<'_>,
    ) -> Result<Page, ServiceError> {
        let bucket = self.bucket(bucket, expected_owner)?;
        let query = Query {
            bucket_id: &bucket.record.id,
            ..query
        };
        list(&*self.store.snapshot(), &query).map_err(error::from_store)
    }
}

/// `ListObjects`.
pub(crate) async fn list_objects(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: ListObjectsInput,
    _: Permit,
) -> Result<ListObjectsOutput, ServiceError> {
    refuse!(input,
        request_payer => "x-amz-request-payer",
        optional_object_attributes => "x-amz-optional-object-attributes",
    );
    let encoding = Encoding::new(input.encoding_type.as_deref())?;
    let most = page_size(input.max_keys, "max-keys")?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = not_empty(input.delimiter.as_deref());
    // A marker that is a common prefix, as `NextMarker` gives it, stands for its whole group.
    let after = not_empty(input.marker.as_deref()).map(|marker| {
        match delimiter.and_then(|delimiter| group_of(marker, prefix, delimiter)) {
            Some(group) if group == marker => After::Group(group),
            _ => After::Key(marker.to_owned()),
        }
    });
    let query = Query {
        bucket_id: "",
        prefix,
        delimiter,
        after,
        most: usize::try_from(most).unwrap_or_default(),
    };
    let page = s3.page(&input.bucket, input.expected_bucket_owner.as_deref(), query)?;
    let owner = s3.owner();
    let next = match &page.next {
        Some(After::Key(key) | After::Group(key)) if delimiter.is_some() => Some(encoding.apply(key)),
        _ => None,
    };
    Ok(ListObjectsOutput {
        is_truncated: Some(page.next.is_some()),
        marker: Some(encoding.apply(input.marker.as_deref().unwrap_or_default())),
        next_marker: next,
        contents: objects(&page, encoding, Some(&owner)),
        name: Some(input.bucket.clone()),
        prefix: Some(encoding.apply(prefix)),
        delimiter: encoding.apply_to(delimiter),
        max_keys: Some(most),
        common_prefixes: encoding.prefixes(&page.common_prefixes),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}

/// `ListObjectsV2`.
pub(crate) async fn list_objects_v2(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: ListObjectsV2Input,
    _: Permit,
) -> Result<ListObjectsV2Output, ServiceError> {
    refuse!(input,
        request_payer => "x-amz-request-payer",
        optional_object_attributes => "x-amz-optional-object-attributes",
    );
    let encoding = Encoding::new(input.encoding_type.as_deref())?;
    let most = page_size(input.max_keys, "max-keys")?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = not_empty(input.delimiter.as_deref());
    let after = match input.continuation_token.as_deref() {
        Some(token) => Some(from_token(token)?),
        None => not_empty(input.start_after.as_deref()).map(|key| After::Key(key.to_owned())),
    };
    let query = Query {
        bucket_id: "",
        prefix,
        delimiter,
        after,
        most: usize::try_from(most).unwrap_or_default(),
    };
    let page = s3.page(&input.bucket, input.expected_bucket_owner.as_deref(), query)?;
    let owner = input.fetch_owner.unwrap_or(false).then(|| s3.owner());
    Ok(ListObjectsV2Output {
        is_truncated: Some(page.next.is_some()),
        contents: objects(&page, encoding, owner.as_ref()),
        name: Some(input.bucket.clone()),
        prefix: Some(encoding.apply(prefix)),
        delimiter: encoding.apply_to(delimiter),
        max_keys: Some(most),
        common_prefixes: encoding.prefixes(&page.common_prefixes),
        encoding_type: input.encoding_type,
        key_count: i32::try_from(page.count()).ok(),
        next_continuation_token: page.next.as_ref().map(to_token),
        continuation_token: input.continuation_token,
        start_after: encoding.apply_to(input.start_after.as_deref()),
        request_charged: None,
    })
}

fn to_token(after: &After) -> String {
    let (kind, text) = match after {
        After::Key(key) => ('k', key),
        After::Group(group) => ('g', group),
    };
    URL_SAFE_NO_PAD.encode(format!("{kind}{text}"))
}

fn from_token(token: &str) -> Result<After, ServiceError> {
    let decoded = URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded.as_deref().and_then(|text| text.split_at_checked(1)) {
        Some(("k", key)) => Ok(After::Key(key.to_owned())),
        Some(("g", group)) if !group.is_empty() => Ok(After::Group(group.to_owned())),
        _ => Err(error::invalid_argument(
            "The continuation token provided is incorrect",
            "continuation-token",
            token,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_as_queries() {
        let url = Encoding(true);
        assert_eq!(url.apply("a b/ü+&.txt"), "a+b/%C3%BC%2B%26.txt");
        assert_eq!(Encoding(false).apply("a b"), "a b");
    }

    #[test]
    fn tokens_come_back_and_forged_ones_do_not_pass() {
        for after in [After::Key("ü/a".to_owned()), After::Group("ü/".to_owned())] {
            assert_eq!(from_token(&to_token(&after)).ok(), Some(after));
        }
        for token in ["", "!", "eA", "Zw", "_w"] {
            assert!(from_token(token).is_err(), "{token}");
        }
    }
}
