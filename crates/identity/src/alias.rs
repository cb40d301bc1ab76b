//! The account's alias.

use std::sync::Arc;

use crate::records::AccountSettings;
use crate::state::Write;
use crate::{Directory, IdentityError};

impl Directory {
    /// The account's alias, if it has one.
    pub fn account_alias(&self) -> Option<String> {
        self.state().settings.alias.clone()
    }

    /// Sets the alias; a former one is replaced, because an account has only one.
    ///
    /// # Errors
    /// The alias is malformed.
    pub async fn set_account_alias(&self, alias: &str) -> Result<(), IdentityError> {
        let is_valid = (3..=63).contains(&alias.len())
            && alias
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !alias.starts_with('-')
            && !alias.ends_with('-');
        if !is_valid {
            return Err(IdentityError::Validation(
                "1 validation error detected: Value at 'accountAlias' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$"
                    .to_owned(),
            ));
        }
        self.change(|_| {
            let settings = AccountSettings {
                alias: Some(alias.to_owned()),
            };
            Ok((vec![Write::Settings(Arc::new(settings))], ()))
        })
        .await
    }

    /// Removes the alias.
    ///
    /// # Errors
    /// The account has another alias or none.
    pub async fn delete_account_alias(&self, alias: &str) -> Result<(), IdentityError> {
        self.change(|state| {
            if state.settings.alias.as_deref() != Some(alias) {
                return Err(IdentityError::NoSuchEntity(format!(
                    "The account alias {alias} does not exist."
                )));
            }
            Ok((
                vec![Write::Settings(Arc::new(AccountSettings { alias: None }))],
                (),
            ))
        })
        .await
    }
}
