//! Signature Version 2 as presigned URLs of S3 use it. boto3 still makes these by default.
//!
//! See [REST authentication](https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html).

use std::collections::BTreeMap;

use crate::canonical::extend_folded;
use crate::request::{RequestHead, decode_component};

/// Query parameters that name a subresource or change the answer and are therefore signed. In order.
const SUBRESOURCES: [&str; 39] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "partNumber",
    "policy",
    "policyStatus",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
];

/// The string to sign. `expires` is in seconds since the epoch; `bucket` is given for virtual-hosted requests, whose
/// path lacks it.
pub(crate) fn string_to_sign(head: &RequestHead<'_>, expires: i64, bucket: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(head.method.as_bytes());
    out.push(b'\n');
    for name in ["content-md5", "content-type"] {
        extend_header_or_parameter(head, name, &mut out);
        out.push(b'\n');
    }
    out.extend_from_slice(expires.to_string().as_bytes());
    out.push(b'\n');
    extend_amz_headers(head, &mut out);
    if let Some(bucket) = bucket {
        out.push(b'/');
        out.extend_from_slice(bucket.as_bytes());
    }
    out.extend_from_slice(if head.path.is_empty() {
        b"/"
    } else {
        head.path.as_bytes()
    });
    extend_subresources(head, &mut out);
    out
}

/// A client that presigns puts the headers it signed into the query, for the browser cannot send them.
fn extend_header_or_parameter(head: &RequestHead<'_>, name: &str, out: &mut Vec<u8>) {
    if let Some((_, value)) = head.query_pairs().find(|(have, _)| *have == name) {
        out.extend_from_slice(&decode_component(value));
    } else if let Some(value) = head.header_values(name).next() {
        out.extend_from_slice(value.trim_ascii());
    }
}

fn extend_amz_headers(head: &RequestHead<'_>, out: &mut Vec<u8>) {
    let mut headers: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (name, value) in head.headers {
        let name = name.to_ascii_lowercase();
        if name.starts_with("x-amz-") {
            let joined = headers.entry(name).or_default();
            if !joined.is_empty() {
                joined.push(b',');
            }
            extend_folded(value, joined);
        }
    }
    for (name, value) in head.query_pairs() {
        if name.starts_with("x-amz-") && !headers.contains_key(name) {
            headers.insert(name.to_owned(), decode_component(value).trim_ascii().to_vec());
        }
    }
    for (name, value) in headers {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        // A line break decoded from the query would let one value pose as two headers.
        out.extend(value.into_iter().map(|byte| {
            if byte == b'\n' || byte == b'\r' {
                b' '
            } else {
                byte
            }
        }));
        out.push(b'\n');
    }
}

fn extend_subresources(head: &RequestHead<'_>, out: &mut Vec<u8>) {
    let mut separator = b'?';
    for wanted in SUBRESOURCES {
        for pair in head.query.split('&') {
            let (name, value) = pair
                .split_once('=')
                .map_or((pair, None), |(name, value)| (name, Some(value)));
            if name != wanted {
                continue;
            }
            out.push(separator);
            separator = b'&';
            out.extend_from_slice(name.as_bytes());
            if let Some(value) = value {
                out.push(b'=');
                out.extend_from_slice(&decode_component(value));
            }
        }
    }
}
