//! The head of a request as it came off the wire, with the limits every later step relies on.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::error::AuthError;

/// The most headers a request may have.
pub const MAX_HEADERS: usize = 256;
/// The most bytes that the names and values of all headers may have together. S3 allows 8 KiB in general and 2 KiB of
/// user metadata; session tokens of STS need several KiB.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;
/// The most bytes of a raw path. S3 keys have at most 1,024 bytes, thrice that when percent-encoded.
pub const MAX_PATH_BYTES: usize = 16 * 1024;
/// The most bytes of a raw query string. A presigned URL carries a session token.
pub const MAX_QUERY_BYTES: usize = 64 * 1024;
/// The most parameters in a query string.
pub(crate) const MAX_QUERY_PARAMETERS: usize = 1024;

/// What the signature covers besides the body, exactly as received: nothing decoded, nothing normalised.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The raw path, starting with `/`.
    pub path: &'a str,
    /// The raw query string without the `?`; empty if there is none.
    pub query: &'a str,
    /// Names in any case, values as bytes, in order of arrival; a name may repeat.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> RequestHead<'a> {
    /// Refuses what exceeds a limit or could make two different requests have one canonical form.
    pub(crate) fn check(&self) -> Result<(), AuthError> {
        let printable = |text: &str| text.bytes().all(|byte| byte > b' ' && byte != 0x7f);
        if self.path.len() > MAX_PATH_BYTES || self.query.len() > MAX_QUERY_BYTES {
            return Err(AuthError::Refused("The request URI is too long."));
        }
        if !printable(self.method) || !printable(self.path) || !printable(self.query) {
            return Err(AuthError::Refused(
                "The request line contains control characters or spaces.",
            ));
        }
        if self.headers.len() > MAX_HEADERS {
            return Err(AuthError::Refused("The request has too many headers."));
        }
        let mut total = 0_usize;
        for (name, value) in self.headers {
            total = total.saturating_add(name.len()).saturating_add(value.len());
            if value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
                return Err(AuthError::Refused("A header value contains a line break."));
            }
        }
        if total > MAX_HEADER_BYTES {
            return Err(AuthError::Refused("The request's headers are too large."));
        }
        if self.query.bytes().filter(|byte| *byte == b'&').count() >= MAX_QUERY_PARAMETERS {
            return Err(AuthError::Refused("The request has too many query parameters."));
        }
        Ok(())
    }

    /// Every value of a header.
    pub(crate) fn header_values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    /// The value of a header that must not repeat, without surrounding white space.
    pub(crate) fn single_header(&self, name: &str) -> Result<Option<&'a str>, AuthError> {
        let mut values = self.header_values(name);
        let Some(first) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(AuthError::Refused(
                "A header of the signature is given more than once.",
            ));
        }
        std::str::from_utf8(first)
            .map(|text| Some(text.trim()))
            .map_err(|_| AuthError::Refused("A header of the signature is not valid UTF-8."))
    }

    /// Raw name and value of every query parameter; a parameter without `=` has an empty value.
    pub(crate) fn query_pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }
}

/// Decodes a query component as services do: `+` is a space, `%XX` a byte.
pub(crate) fn decode_component(raw: &str) -> Cow<'_, [u8]> {
    if raw.contains('+') {
        let spaced = raw.replace('+', "%20");
        Cow::Owned(percent_decode(spaced.as_bytes()).collect())
    } else {
        percent_decode(raw.as_bytes()).into()
    }
}
