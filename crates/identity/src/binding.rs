//! Binding the principals of a policy to unique ids when it is saved, and showing them as ARNs when it is read.
//!
//! IAM User Guide, "AWS JSON policy elements: Principal", sections on role and user principals.

use std::convert::Infallible;

use crate::principals::{RewriteError, rewrite};
use crate::state::State;
use crate::{Directory, IdentityError};

impl Directory {
    /// The trust or resource policy `text` with this account's users and roles replaced by their unique ids. Use it
    /// before a policy is stored; the text must be valid JSON.
    ///
    /// # Errors
    /// The policy names a user, role or unique id of this account that does not exist, or a group.
    pub fn bind_principals(&self, text: &str) -> Result<String, IdentityError> {
        self.bind(&self.state(), text)
    }

    /// The stored policy `text` as it is shown: unique ids of existing users and roles are ARNs again, those of deleted
    /// ones stay ids.
    pub fn show_principals(&self, text: &str) -> String {
        let state = self.state();
        let shown = rewrite(text, &mut |principal| {
            Ok::<_, Infallible>(state.arn_of_id(principal).map(str::to_owned))
        });
        shown.unwrap_or_else(|_| text.to_owned())
    }

    pub(crate) fn bind(&self, state: &State, text: &str) -> Result<String, IdentityError> {
        rewrite(text, &mut |principal| self.bind_principal(state, principal)).map_err(|error| match error {
            RewriteError::NotJson => {
                IdentityError::MalformedPolicyDocument("This policy contains invalid Json".to_owned())
            }
            RewriteError::Refused(error) => error,
        })
    }

    fn bind_principal(&self, state: &State, principal: &str) -> Result<Option<String>, IdentityError> {
        if principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Some(format!("arn:aws:iam::{principal}:root")));
        }
        let invalid = || {
            let shown = serde_json::Value::String(principal.to_owned());
            IdentityError::MalformedPolicyDocument(format!("Invalid principal in policy: \"AWS\":{shown}"))
        };
        if let Some(entity) = self.own_entity(principal) {
            let id = match entity.split_once('/') {
                Some(("user", _)) => state.users.by_arn(principal).map(|user| user.id.clone()),
                Some(("role", _)) => state.roles.by_arn(principal).map(|role| role.id.clone()),
                _ if entity == "root" => return Ok(None),
                _ => None,
            };
            return id.map(Some).ok_or_else(invalid);
        }
        let is_unique_id =
            principal.starts_with("AIDA") || principal.starts_with("AROA") || principal.starts_with("AGPA");
        if is_unique_id && state.arn_of_id(principal).is_none() {
            return Err(invalid());
        }
        Ok(None)
    }

    /// The part of an IAM ARN of this account after the account.
    fn own_entity<'a>(&self, arn: &'a str) -> Option<&'a str> {
        arn.strip_prefix("arn:aws:iam::")?
            .strip_prefix(self.account())?
            .strip_prefix(':')
    }
}
