//! Conditional requests: reads, copies and writes.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>; order of evaluation: RFC 9110,
//! section 13.2.2.

use jiff::Timestamp;
use rolecall_service::ServiceError;

use crate::error;
use crate::state::ObjectRecord;

/// Conditions of a read; those of a copy's source have the same form.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_field_names, reason = "the names of the headers")]
pub(crate) struct ReadConditions<'a> {
    pub(crate) if_match: Option<&'a str>,
    pub(crate) if_none_match: Option<&'a str>,
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
}

/// What a read's conditions come to.
enum Outcome {
    Proceed,
    NotModified(&'static str),
    Failed(&'static str),
}

impl ReadConditions<'_> {
    fn judge(&self, object: &ObjectRecord) -> Outcome {
        // HTTP dates have whole seconds.
        let modified = object.modified_at().as_second();
        if let Some(wanted) = self.if_match {
            if !matches_any(wanted, &object.etag) {
                return Outcome::Failed("If-Match");
            }
        } else if self
            .if_unmodified_since
            .is_some_and(|since| modified > since.as_second())
        {
            return Outcome::Failed("If-Unmodified-Since");
        }
        if let Some(unwanted) = self.if_none_match {
            if matches_any(unwanted, &object.etag) {
                return Outcome::NotModified("If-None-Match");
            }
        } else if self
            .if_modified_since
            .is_some_and(|since| modified <= since.as_second())
        {
            return Outcome::NotModified("If-Modified-Since");
        }
        Outcome::Proceed
    }

    /// # Errors
    /// 412 or 304.
    pub(crate) fn check(&self, object: &ObjectRecord) -> Result<(), ServiceError> {
        match self.judge(object) {
            Outcome::Proceed => Ok(()),
            Outcome::NotModified(_) => Err(error::not_modified(&object.etag, object.last_modified())),
            Outcome::Failed(condition) => Err(error::precondition_failed(condition)),
        }
    }

    /// # Errors
    /// 412: a copy has no 304.
    pub(crate) fn check_copy(&self, object: &ObjectRecord) -> Result<(), ServiceError> {
        match self.judge(object) {
            Outcome::Proceed => Ok(()),
            Outcome::NotModified(condition) | Outcome::Failed(condition) => Err(error::precondition_failed(
                &format!("x-amz-copy-source-{condition}"),
            )),
        }
    }
}

/// Whether a list of entity tags, or `*`, names `etag`. Quotes and the mark of weak tags do not count.
pub(crate) fn matches_any(header: &str, etag: &str) -> bool {
    header.split(',').any(|tag| {
        let tag = tag.trim();
        let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
        tag == "*" || tag == etag
    })
}

/// Conditions of a write.
#[derive(Debug, Clone, Default)]
pub(crate) struct WriteConditions {
    if_match: Option<String>,
    if_none_match: bool,
}

impl WriteConditions {
    /// # Errors
    /// `If-None-Match` is something else than `*`, or both are there.
    pub(crate) fn new(if_match: Option<&str>, if_none_match: Option<&str>) -> Result<Self, ServiceError> {
        if if_none_match.is_some_and(|value| value.trim_matches('"') != "*") {
            return Err(error::unsupported("If-None-Match"));
        }
        if if_match.is_some() && if_none_match.is_some() {
            return Err(error::unsupported("If-Match"));
        }
        Ok(Self {
            if_match: if_match.map(str::to_owned),
            if_none_match: if_none_match.is_some(),
        })
    }

    /// Judges them on the object that is there.
    ///
    /// # Errors
    /// 412, or 404 for `If-Match` on a key without an object.
    pub(crate) fn check(&self, key: &str, existing: Option<&ObjectRecord>) -> Result<(), ServiceError> {
        if self.if_none_match && existing.is_some() {
            return Err(error::precondition_failed("If-None-Match"));
        }
        match (&self.if_match, existing) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(error::no_such_key(key)),
            (Some(wanted), Some(object)) if matches_any(wanted, &object.etag) => Ok(()),
            (Some(_), Some(_)) => Err(error::precondition_failed("If-Match")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn object() -> ObjectRecord {
        ObjectRecord {
            etag: "abc".to_owned(),
            modified: 1_700_000_000_500,
            ..ObjectRecord::default()
        }
    }

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    #[test]
    fn reads() {
        let none = ReadConditions::default();
        let (before, same) = (at(1_699_999_999), at(1_700_000_000));
        for (conditions, status) in [
            (none, 200),
            (
                ReadConditions {
                    if_match: Some("\"abc\""),
                    ..none
                },
                200,
            ),
            (
                ReadConditions {
                    if_match: Some("\"x\", \"abc\""),
                    ..none
                },
                200,
            ),
            (
                ReadConditions {
                    if_match: Some("*"),
                    ..none
                },
                200,
            ),
            (
                ReadConditions {
                    if_match: Some("x"),
                    ..none
                },
                412,
            ),
            (
                ReadConditions {
                    if_none_match: Some("abc"),
                    ..none
                },
                304,
            ),
            (
                ReadConditions {
                    if_none_match: Some("x"),
                    ..none
                },
                200,
            ),
            (
                ReadConditions {
                    if_modified_since: same,
                    ..none
                },
                304,
            ),
            (
                ReadConditions {
                    if_modified_since: before,
                    ..none
                },
                200,
            ),
            (
                ReadConditions {
                    if_unmodified_since: same,
                    ..none
                },
                200,
            ),
            (
                ReadConditions {
                    if_unmodified_since: before,
                    ..none
                },
                412,
            ),
            // An entity tag outweighs a date.
            (
                ReadConditions {
                    if_match: Some("abc"),
                    if_unmodified_since: before,
                    ..none
                },
                200,
            ),
            (
                ReadConditions {
                    if_none_match: Some("x"),
                    if_modified_since: same,
                    ..none
                },
                200,
            ),
        ] {
            let got = conditions
                .check(&object())
                .map_or_else(|error| error.status(), |()| 200);
            assert_eq!(got, status, "{conditions:?}");
            let copied = conditions
                .check_copy(&object())
                .map_or_else(|error| error.status(), |()| 200);
            assert_eq!(copied, if status == 200 { 200 } else { 412 }, "{conditions:?}");
        }
    }

    #[test]
    fn writes() {
        let status = |if_match, if_none_match, existing: Option<&ObjectRecord>| {
            WriteConditions::new(if_match, if_none_match)
                .and_then(|conditions| conditions.check("key", existing))
                .map_or_else(|error| error.status(), |()| 200)
        };
        let object = object();
        assert_eq!(status(None, None, Some(&object)), 200);
        assert_eq!(status(None, Some("*"), None), 200);
        assert_eq!(status(None, Some("*"), Some(&object)), 412);
        assert_eq!(status(None, Some("abc"), None), 501);
        assert_eq!(status(Some("abc"), None, Some(&object)), 200);
        assert_eq!(status(Some("x"), None, Some(&object)), 412);
        assert_eq!(status(Some("abc"), None, None), 404);
        assert!(WriteConditions::new(Some("a"), Some("*")).unwrap_err().status() == 501);
    }
}
