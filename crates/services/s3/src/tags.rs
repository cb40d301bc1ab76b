//! Tags of buckets and objects.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>

use percent_encoding::percent_decode_str;
use rolecall_service::ServiceError;

use crate::error;
use crate::generated::Tag;

/// Most tags of an object.
pub(crate) const MOST_OBJECT_TAGS: usize = 10;
/// Most tags of a bucket.
pub(crate) const MOST_BUCKET_TAGS: usize = 50;

/// Keys and values, in the order given.
pub(crate) type Tags = Vec<(String, String)>;

/// The tags of a request's body.
///
/// # Errors
/// There are too many, a key is there twice, or one is too long or has characters that are not allowed.
pub(crate) fn from_set(set: &[Tag], most: usize) -> Result<Tags, ServiceError> {
    check(
        set.iter()
            .map(|tag| (tag.key.clone(), tag.value.clone()))
            .collect(),
        most,
    )
}

/// The tags of the header `x-amz-tagging`: a query string.
///
/// # Errors
/// As [`from_set`]; or it cannot be decoded.
pub(crate) fn from_header(header: &str) -> Result<Tags, ServiceError> {
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8()
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| {
                error::invalid_argument(
                    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
                    "x-amz-tagging",
                    header,
                )
            })
    };
    let tags = header
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(key)?, decode(value)?))
        })
        .collect::<Result<Tags, ServiceError>>()?;
    check(tags, MOST_OBJECT_TAGS)
}

/// The tags as an answer shows them.
pub(crate) fn to_set(tags: &[(String, String)]) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| Tag {
            key: key.clone(),
            value: value.clone(),
        })
        .collect()
}

fn check(tags: Tags, most: usize) -> Result<Tags, ServiceError> {
    if tags.len() > most {
        return Err(error::coded(
            "BadRequest",
            400,
            if most == MOST_OBJECT_TAGS {
                "Object tags cannot be greater than 10"
            } else {
                "Bucket tag count cannot be greater than 50"
            },
        ));
    }
    for (index, (key, value)) in tags.iter().enumerate() {
        if key.is_empty() || key.chars().count() > 128 || !key.chars().all(is_allowed) {
            return Err(error::invalid_tag("The TagKey you have provided is invalid")
                .with_field("TagKey", key.as_str()));
        }
        if key
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
        {
            return Err(
                error::invalid_tag("System tags cannot be added/updated by requester")
                    .with_field("TagKey", key.as_str()),
            );
        }
        if value.chars().count() > 256 || !value.chars().all(is_allowed) {
            return Err(error::invalid_tag("The TagValue you have provided is invalid")
                .with_field("TagKey", key.as_str())
                .with_field("TagValue", value.as_str()));
        }
        if tags.iter().take(index).any(|(earlier, _)| earlier == key) {
            return Err(
                error::invalid_tag("Cannot provide multiple Tags with the same key")
                    .with_field("TagKey", key.as_str()),
            );
        }
    }
    Ok(tags)
}

fn is_allowed(letter: char) -> bool {
    letter.is_alphanumeric()
        || (letter.is_whitespace() && !letter.is_control())
        || matches!(letter, '+' | '-' | '=' | '.' | '_' | ':' | '/' | '@')
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn headers_are_query_strings() {
        let tags = from_header("team=order%20intake&empty&a+b=%C3%A9").unwrap();
        let expected = [("team", "order intake"), ("empty", ""), ("a b", "é")];
        let got: Vec<(&str, &str)> = tags
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn what_is_refused() {
        let eleven: Vec<String> = (0..11).map(|index| format!("k{index}=v")).collect();
        for (header, code) in [
            ("a=1&a=2".to_owned(), "InvalidTag"),
            ("=1".to_owned(), "InvalidTag"),
            ("aws:x=1".to_owned(), "InvalidTag"),
            ("a=%FF".to_owned(), "InvalidArgument"),
            ("a=<b>".to_owned(), "InvalidTag"),
            (format!("{}=1", "k".repeat(129)), "InvalidTag"),
            (format!("k={}", "v".repeat(257)), "InvalidTag"),
            (eleven.join("&"), "BadRequest"),
        ] {
            assert_eq!(from_header(&header).unwrap_err().code(), code, "{header}");
        }
    }
}
