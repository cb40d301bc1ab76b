//! Names and paths of entities.
//!
//! Source: IAM User Guide, "IAM and AWS STS quotas", section "IAM name requirements". The lengths and characters of
//! names are part of the API's shapes and checked there; here is what only the account can tell.

use crate::IdentityError;

/// The ARN of an entity of `kind` (`user`, `group`, `role`, `policy`).
pub(crate) fn arn(account: &str, kind: &str, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:{kind}{path}{name}")
}

/// The path as given, or `/`.
pub(crate) fn path(path: Option<String>) -> Result<String, IdentityError> {
    let path = path.unwrap_or_else(|| "/".to_owned());
    let is_valid = path.len() <= 512
        && path.starts_with('/')
        && path.ends_with('/')
        && path.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    if is_valid {
        Ok(path)
    } else {
        Err(IdentityError::Validation(
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.".to_owned(),
        ))
    }
}

/// Refuses names that could not be told from a path.
pub(crate) fn check(name: &str, parameter: &str) -> Result<(), IdentityError> {
    let is_valid = !name.is_empty()
        && name.len() <= 128
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte));
    if is_valid {
        Ok(())
    } else {
        Err(IdentityError::Validation(format!(
            "The specified value for {parameter} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
        )))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn paths() {
        assert_eq!(path(None).unwrap(), "/");
        for good in ["/", "/a/", "/division/sub/"] {
            assert_eq!(path(Some(good.to_owned())).unwrap(), good);
        }
        for bad in ["", "a/", "/a", "/ /", "/ä/"] {
            assert!(path(Some(bad.to_owned())).is_err(), "{bad}");
        }
    }

    #[test]
    fn names() {
        assert!(check("a.b+c=d,e@f_g-h", "roleName").is_ok());
        for bad in ["", "a/b", "a b", "ä", "a*"] {
            assert!(check(bad, "roleName").is_err(), "{bad}");
        }
    }
}
