//! The canonical request: the one form of a request that both sides hash.
//!
//! Paths differ by service. S3 takes the path as it is and encodes it once, since every byte of an object key counts.
//! The others remove dot segments and repeated slashes, then encode the already encoded path once more.
//! See [Create a canonical request](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#create-canonical-request).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::{Digest, Sha256};

use crate::error::AuthError;
use crate::request::{RequestHead, decode_component};

/// Everything but RFC 3986's unreserved characters.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// As [`COMPONENT`], but a slash separates segments.
const PATH: &AsciiSet = &COMPONENT.remove(b'/');

/// How path and query enter the canonical request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UriForm {
    /// Decoded and encoded again, which is what AWS documents.
    Normalised,
    /// As they were sent. Clients that sign what they send and encode unusually (such as `%2f`) need this. It binds
    /// the request at least as tightly.
    AsSent,
}

/// Writes the canonical request without the last line, which is the payload's hash.
pub(crate) fn canonical_request(
    head: &RequestHead<'_>,
    signed_headers: &[String],
    s3: bool,
    form: UriForm,
    payload_hash: &str,
) -> Result<Vec<u8>, AuthError> {
    let mut out = Vec::with_capacity(512 + head.path.len() + head.query.len());
    out.extend_from_slice(head.method.as_bytes());
    out.push(b'\n');
    canonical_path(head.path, s3, form, &mut out);
    out.push(b'\n');
    canonical_query(head, form, &mut out);
    out.push(b'\n');
    canonical_headers(head, signed_headers, &mut out)?;
    out.push(b'\n');
    for (index, name) in signed_headers.iter().enumerate() {
        if index > 0 {
            out.push(b';');
        }
        out.extend_from_slice(name.as_bytes());
    }
    out.push(b'\n');
    out.extend_from_slice(payload_hash.as_bytes());
    Ok(out)
}

/// The string to sign of a request.
pub(crate) fn string_to_sign(timestamp: &str, scope: &str, canonical_request: &[u8]) -> Vec<u8> {
    let hash = hex_lower(&Sha256::digest(canonical_request));
    let mut out = Vec::with_capacity(160);
    for part in ["AWS4-HMAC-SHA256\n", timestamp, "\n", scope, "\n", &hash] {
        out.extend_from_slice(part.as_bytes());
    }
    out
}

/// Lower-case hexadecimal.
pub(crate) fn hex_lower(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

fn canonical_path(path: &str, s3: bool, form: UriForm, out: &mut Vec<u8>) {
    if path.is_empty() {
        out.push(b'/');
        return;
    }
    match (s3, form) {
        (true, UriForm::AsSent) => out.extend_from_slice(path.as_bytes()),
        (true, UriForm::Normalised) => {
            let decoded: Vec<u8> = percent_decode_str(path).collect();
            extend_encoded(&decoded, PATH, out);
        }
        (false, UriForm::AsSent) => extend_encoded(path.as_bytes(), PATH, out),
        (false, UriForm::Normalised) => extend_encoded(remove_dot_segments(path).as_bytes(), PATH, out),
    }
}

/// RFC 3986, section 5.2.4, and no empty segments.
fn remove_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let mut out = String::with_capacity(path.len() + 1);
    for segment in &kept {
        out.push('/');
        out.push_str(segment);
    }
    if out.is_empty() || path.ends_with('/') {
        out.push('/');
    }
    out
}

fn canonical_query(head: &RequestHead<'_>, form: UriForm, out: &mut Vec<u8>) {
    if head.query.is_empty() {
        return;
    }
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = head
        .query_pairs()
        // The signature cannot sign itself.
        .filter(|(name, _)| *name != "X-Amz-Signature")
        .map(|(name, value)| (query_component(name, form), query_component(value, form)))
        .collect();
    pairs.sort_unstable();
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value);
    }
}

fn query_component(raw: &str, form: UriForm) -> Vec<u8> {
    if form == UriForm::AsSent || raw.bytes().all(is_unreserved) {
        return raw.as_bytes().to_vec();
    }
    let mut out = Vec::with_capacity(raw.len() + 8);
    extend_encoded(&decode_component(raw), COMPONENT, &mut out);
    out
}

fn canonical_headers(
    head: &RequestHead<'_>,
    signed_headers: &[String],
    out: &mut Vec<u8>,
) -> Result<(), AuthError> {
    for name in signed_headers {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        let mut found = false;
        for value in head.header_values(name) {
            if found {
                out.push(b',');
            }
            extend_folded(value, out);
            found = true;
        }
        if !found {
            // What is not there cannot have been signed.
            return Err(AuthError::SignatureMismatch);
        }
        out.push(b'\n');
    }
    Ok(())
}

/// Trims, and makes every run of white space inside one space.
pub(crate) fn extend_folded(value: &[u8], out: &mut Vec<u8>) {
    let mut first = true;
    for word in value
        .split(|byte| matches!(byte, b' ' | b'\t'))
        .filter(|word| !word.is_empty())
    {
        if !first {
            out.push(b' ');
        }
        out.extend_from_slice(word);
        first = false;
    }
}

fn extend_encoded(bytes: &[u8], set: &'static AsciiSet, out: &mut Vec<u8>) {
    for piece in percent_encode(bytes, set) {
        out.extend_from_slice(piece.as_bytes());
    }
}

/// Encodes one query name or value.
pub(crate) fn encode_component(text: &str) -> String {
    percent_encode(text.as_bytes(), COMPONENT).to_string()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_segments_and_repeated_slashes_go() {
        for (path, want) in [
            ("/", "/"),
            ("//", "/"),
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/../..", "/"),
            ("/a//b/", "/a/b/"),
            ("/a/..", "/"),
            ("/./", "/"),
        ] {
            assert_eq!(remove_dot_segments(path), want, "{path}");
        }
    }

    #[test]
    fn paths_by_service() {
        for (path, s3, want) in [
            ("/a%20b/c", true, "/a%20b/c"),
            ("/a%20b/c", false, "/a%2520b/c"),
            ("/a//../b", true, "/a//../b"),
            ("/a:b", true, "/a%3Ab"),
            ("/a%3ab", true, "/a%3Ab"),
            ("", true, "/"),
            ("", false, "/"),
        ] {
            let mut out = Vec::new();
            canonical_path(path, s3, UriForm::Normalised, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), want, "{path} {s3}");
        }
    }

    #[test]
    fn white_space_folds() {
        let mut out = Vec::new();
        extend_folded(b"  a   b\t c ", &mut out);
        assert_eq!(out, b"a b c");
    }
}
