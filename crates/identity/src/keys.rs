//! Access keys of users.

use std::sync::Arc;

use jiff::Timestamp;

use crate::records::AccessKey;
use crate::state::Write;
use crate::{Directory, IdKind, IdentityError, ids, limits, time};

impl Directory {
    /// Makes an access key for the user named `user_name`. The record holds the secret, which is shown this once.
    ///
    /// # Errors
    /// No such user; two keys are there.
    pub async fn create_access_key(
        &self,
        user_name: &str,
        now: Timestamp,
    ) -> Result<Arc<AccessKey>, IdentityError> {
        self.change(|state| {
            let user = state.user(user_name)?;
            if state.keys_of(&user.id).len() >= limits::ACCESS_KEYS_PER_USER {
                return Err(IdentityError::LimitExceeded(format!(
                    "Cannot exceed quota for AccessKeysPerUser: {}",
                    limits::ACCESS_KEYS_PER_USER
                )));
            }
            let mut id = ids::access_key_id(IdKind::AccessKey, self.account())?;
            while state.keys.contains_key(&id) {
                id = ids::access_key_id(IdKind::AccessKey, self.account())?;
            }
            let key = Arc::new(AccessKey {
                id,
                user_id: user.id.clone(),
                secret: ids::secret_access_key()?,
                active: true,
                created_at: time::whole_seconds(now),
            });
            Ok((vec![Write::AccessKey(Arc::clone(&key))], key))
        })
        .await
    }

    /// The user's access keys, oldest first.
    ///
    /// # Errors
    /// No such user.
    pub fn access_keys(&self, user_name: &str) -> Result<Vec<Arc<AccessKey>>, IdentityError> {
        let state = self.state();
        let user = state.user(user_name)?;
        Ok(state.keys_of(&user.id).into_iter().cloned().collect())
    }

    /// Name of the user who has the access key `id`.
    ///
    /// # Errors
    /// No such key.
    pub fn access_key_owner(&self, id: &str) -> Result<String, IdentityError> {
        let state = self.state();
        state
            .keys
            .get(id)
            .and_then(|key| state.users.by_id(&key.user_id))
            .map(|user| user.name.clone())
            .ok_or_else(|| no_such_key(id))
    }

    /// Switches a key on or off.
    ///
    /// # Errors
    /// No such user, or the user has no such key.
    pub async fn set_access_key_active(
        &self,
        user_name: &str,
        id: &str,
        active: bool,
    ) -> Result<(), IdentityError> {
        self.change(|state| {
            let user = state.user(user_name)?;
            let key = state
                .keys
                .get(id)
                .filter(|key| key.user_id == user.id)
                .ok_or_else(|| no_such_key(id))?;
            let key = AccessKey {
                active,
                ..AccessKey::clone(key)
            };
            Ok((vec![Write::AccessKey(Arc::new(key))], ()))
        })
        .await
    }

    /// Deletes a key.
    ///
    /// # Errors
    /// No such user, or the user has no such key.
    pub async fn delete_access_key(&self, user_name: &str, id: &str) -> Result<(), IdentityError> {
        self.change(|state| {
            let user = state.user(user_name)?;
            if state.keys.get(id).is_none_or(|key| key.user_id != user.id) {
                return Err(no_such_key(id));
            }
            Ok((vec![Write::DeleteAccessKey(id.to_owned())], ()))
        })
        .await?;
        self.forget_use(id);
        Ok(())
    }
}

fn no_such_key(id: &str) -> IdentityError {
    IdentityError::NoSuchEntity(format!("The Access Key with id {id} cannot be found."))
}
