//! `PackedPolicySize`: how much of the space for session policies and tags a session uses.
//!
//! STS API Reference, `AssumeRole`: the policies and tags are compressed into a packed binary format with a limit of its
//! own, and the answer gives the percentage used. The format is not documented; here it is DEFLATE over policies, ARNs and
//! tags against 2,048 bytes, which gives the percentages of the reference's examples.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::session::SessionOptions;
use crate::{IdentityError, document, limits};

/// Bytes there are for the packed form.
const SPACE: usize = 2_048;

/// The percentage used; `None` without policies and tags.
pub(crate) fn packed_policy_size(options: &SessionOptions) -> Result<Option<i32>, IdentityError> {
    if options.policy.is_none() && options.policy_arns.is_empty() && options.tags.is_empty() {
        return Ok(None);
    }
    if options.policy_arns.len() > limits::SESSION_MANAGED_POLICIES {
        return Err(IdentityError::LimitExceeded(format!(
            "Cannot exceed quota for PolicyArns: {}",
            limits::SESSION_MANAGED_POLICIES
        )));
    }
    let plain: usize = options.policy.as_deref().map_or(0, document::size)
        + options.policy_arns.iter().map(String::len).sum::<usize>();
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    let mut add = |text: &str| {
        // Writing to memory does not fail.
        let _ = encoder.write_all(text.as_bytes());
        let _ = encoder.write_all(&[0]);
    };
    options
        .policy
        .iter()
        .chain(&options.policy_arns)
        .for_each(|text| add(text));
    for tag in &options.tags {
        add(&tag.key);
        add(&tag.value);
    }
    let packed = encoder.finish().map_or(usize::MAX, |bytes| bytes.len());
    let percentage = packed.saturating_mul(100).div_ceil(SPACE);
    if plain > limits::SESSION_POLICY_SIZE || percentage > 100 {
        let used = percentage.max(plain.saturating_mul(100).div_ceil(limits::SESSION_POLICY_SIZE));
        return Err(IdentityError::PackedPolicyTooLarge(format!(
            "Packed size of session policies and tags consumes {used}% of allotted space."
        )));
    }
    Ok(i32::try_from(percentage).ok())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::Tag;

    #[test]
    fn percentages() {
        assert_eq!(packed_policy_size(&SessionOptions::default()).unwrap(), None);
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Stmt1","Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
        let small = SessionOptions {
            policy: Some(policy.to_owned()),
            ..SessionOptions::default()
        };
        let size = packed_policy_size(&small).unwrap().unwrap();
        assert!((1..=8).contains(&size), "{size}");
        let tags = (0..50_u32)
            .map(|number| {
                Tag::new(
                    format!("key{number}"),
                    format!(
                        "{:x}",
                        u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
                    )
                    .repeat(8),
                )
            })
            .collect();
        let large = SessionOptions {
            tags,
            ..SessionOptions::default()
        };
        assert!(packed_policy_size(&large).unwrap().unwrap() > size);
        let long = SessionOptions {
            policy: Some("x".repeat(2_049)),
            ..SessionOptions::default()
        };
        assert!(matches!(
            packed_policy_size(&long),
            Err(IdentityError::PackedPolicyTooLarge(_))
        ));
    }
}
