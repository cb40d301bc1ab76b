//! The `Range` header.
//!
//! RFC 9110, section 14; S3 serves one range a request and answers with the whole object when it cannot read the header.

use rolecall_service::ServiceError;

use crate::error;

/// A part of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

impl Span {
    /// Value of `Content-Range` for an object of `size` bytes.
    pub(crate) fn content_range(self, size: u64) -> String {
        let last = self.offset.saturating_add(self.length).saturating_sub(1);
        format!("bytes {}-{last}/{size}", self.offset)
    }
}

/// The part of an object of `size` bytes that `header` asks for; `None` for all of it.
///
/// # Errors
/// The range begins beyond the end.
pub(crate) fn parse(header: &str, size: u64) -> Result<Option<Span>, ServiceError> {
    let Some((first, last)) = header
        .strip_prefix("bytes=")
        .filter(|ranges| !ranges.contains(','))
        .and_then(|range| range.trim().split_once('-'))
    else {
        return Ok(None);
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let unsatisfiable = || error::invalid_range(header, size);
    let end = match (number(first), number(last)) {
        // The last so many bytes.
        (None, Some(suffix)) if first.is_empty() => {
            if suffix == 0 || size == 0 {
                return Err(unsatisfiable());
            }
            return Ok(Some(Span {
                offset: size.saturating_sub(suffix),
                length: suffix.min(size),
            }));
        }
        (Some(_), None) if last.is_empty() => u64::MAX,
        (Some(first), Some(last)) if first <= last => last,
        _ => return Ok(None),
    };
    let offset = number(first).unwrap_or(u64::MAX);
    if offset >= size {
        return Err(unsatisfiable());
    }
    let end = end.saturating_add(1).min(size);
    Ok(Some(Span {
        offset,
        length: end.saturating_sub(offset),
    }))
}

/// The part that `x-amz-copy-source-range` asks for, which must be `bytes=first-last` within the object.
///
/// # Errors
/// It is not.
pub(crate) fn parse_copy(header: &str, size: u64) -> Result<Span, ServiceError> {
    let malformed = || {
        error::invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
            "x-amz-copy-source-range",
            header,
        )
    };
    let (first, last) = header
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .ok_or_else(malformed)?;
    let (first, last): (u64, u64) = (
        first.parse().map_err(|_| malformed())?,
        last.parse().map_err(|_| malformed())?,
    );
    if first > last {
        return Err(malformed());
    }
    if last >= size {
        return Err(error::invalid_argument(
            format!("Range specified is not valid for source object of size: {size}"),
            "x-amz-copy-source-range",
            header,
        ));
    }
    Ok(Span {
        offset: first,
        length: last.saturating_sub(first).saturating_add(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let span = |offset, length| Ok(Some(Span { offset, length }));
        for (header, expected) in [
            ("bytes=0-0", span(0, 1)),
            ("bytes=2-4", span(2, 3)),
            ("bytes=2-", span(2, 8)),
            ("bytes=9-99", span(9, 1)),
            ("bytes=-3", span(7, 3)),
            ("bytes=-99", span(0, 10)),
            ("bytes=0-18446744073709551615", span(0, 10)),
            ("bytes=0-99999999999999999999999", span(0, 10)),
            ("bytes=4-2", Ok(None)),
            ("bytes=0-1,3-4", Ok(None)),
            ("bytes=a-b", Ok(None)),
            ("bytes=-", Ok(None)),
            ("bytes=+1-2", Ok(None)),
            ("rows=0-1", Ok(None)),
            ("bytes=10-", Err(416)),
            ("bytes=-0", Err(416)),
        ] {
            let got = parse(header, 10).map_err(|error| error.status());
            assert_eq!(got, expected, "{header}");
        }
        assert!(parse("bytes=0-", 0).is_err());
    }

    #[test]
    fn copy_ranges_are_exact() {
        assert_eq!(
            parse_copy("bytes=1-3", 4).ok(),
            Some(Span { offset: 1, length: 3 })
        );
        for header in ["bytes=0-4", "bytes=3-1", "bytes=1-", "bytes=-1", "1-2", ""] {
            assert!(parse_copy(header, 4).is_err(), "{header}");
        }
    }

    #[test]
    fn content_range() {
        assert_eq!(Span { offset: 2, length: 3 }.content_range(10), "bytes 2-4/10");
    }
}
