//! Names of buckets and keys of objects.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>

use rolecall_service::ServiceError;

use crate::error;

/// Longest key of an object, in bytes of UTF-8.
pub(crate) const LONGEST_KEY: usize = 1024;

const RESERVED_PREFIXES: [&str; 4] = ["xn--", "sthree-", "amzn-s3-demo-", "aws:"];
const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// Whether a new bucket may have this name.
pub(crate) fn is_bucket_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends_well = |byte: Option<&u8>| byte.is_some_and(|byte| allowed(*byte));
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| allowed(*byte) || matches!(byte, b'-' | b'.'))
        && ends_well(bytes.first())
        && ends_well(bytes.last())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

/// # Errors
/// The key is empty or longer than [`LONGEST_KEY`].
pub(crate) fn check_key(key: &str) -> Result<(), ServiceError> {
    if key.len() > LONGEST_KEY {
        return Err(error::key_too_long(key.len()));
    }
    if key.is_empty() {
        return Err(error::invalid_argument("Key must not be empty", "key", ""));
    }
    Ok(())
}

/// ARN of a bucket.
pub(crate) fn bucket_arn(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}")
}

/// ARN of an object.
pub(crate) fn object_arn(bucket: &str, key: &str) -> String {
    format!("arn:aws:s3:::{bucket}/{key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names() {
        for name in ["orders", "my.orders", "a-b-1", "123", &"a".repeat(63)] {
            assert!(is_bucket_name(name), "{name}");
        }
        for name in [
            "",
            "ab",
            "Orders",
            "my_orders",
            "-orders",
            "orders-",
            ".orders",
            "my..orders",
            "192.168.5.4",
            "xn--orders",
            "orders-s3alias",
            "órdenes",
            &"a".repeat(64),
        ] {
            assert!(!is_bucket_name(name), "{name}");
        }
    }

    #[test]
    fn keys_are_counted_in_bytes() {
        assert!(check_key(&"é".repeat(512)).is_ok());
        assert_eq!(
            check_key(&"é".repeat(513))
                .err()
                .map(|error| error.code().to_owned()),
            Some("KeyTooLongError".to_owned())
        );
        assert!(check_key("").is_err());
    }
}
