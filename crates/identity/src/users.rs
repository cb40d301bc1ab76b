//! Users.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::records::{EntityPolicies, Tag, User};
use crate::state::{State, Write};
use crate::{Directory, IdKind, IdentityError, check_tags, ids, limits, names, time};

/// A user to be made.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    /// Friendly name.
    pub name: String,
    /// `/` when absent.
    pub path: Option<String>,
    /// ARN of a managed policy.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: Vec<Tag>,
}

impl Directory {
    /// Makes a user.
    ///
    /// # Errors
    /// The name is taken, an input is invalid, the boundary is no managed policy, or there are too many users.
    pub async fn create_user(&self, new: NewUser, now: Timestamp) -> Result<Arc<User>, IdentityError> {
        names::check(&new.name, "userName")?;
        let path = names::path(new.path)?;
        check_tags(&new.tags)?;
        self.change(|state| {
            check_free(state, &new.name, None)?;
            if state.users.len() >= limits::USERS {
                return Err(IdentityError::LimitExceeded(format!(
                    "Cannot exceed quota for UsersPerAccount: {}",
                    limits::USERS
                )));
            }
            Self::check_boundary(state, new.boundary.as_deref())?;
            let user = Arc::new(User {
                id: ids::unique_id(IdKind::User)?,
                arn: names::arn(self.account(), "user", &path, &new.name),
                name: new.name,
                path,
                created_at: time::whole_seconds(now),
                tags: new.tags,
                policies: EntityPolicies::default(),
                boundary: new.boundary,
                groups: BTreeSet::new(),
            });
            Ok((vec![Write::User(Arc::clone(&user))], user))
        })
        .await
    }

    /// The user named `name`.
    ///
    /// # Errors
    /// No such user.
    pub fn user(&self, name: &str) -> Result<Arc<User>, IdentityError> {
        self.state().user(name).cloned()
    }

    /// All users, by name.
    pub fn users(&self) -> Vec<Arc<User>> {
        self.state().users.iter().cloned().collect()
    }

    /// Renames or moves a user. The unique id, and with it what trust policies say, stays.
    ///
    /// # Errors
    /// No such user, or the new name is taken.
    pub async fn update_user(
        &self,
        name: &str,
        new_name: Option<String>,
        new_path: Option<String>,
    ) -> Result<(), IdentityError> {
        if let Some(new_name) = &new_name {
            names::check(new_name, "newUserName")?;
        }
        let new_path = new_path.map(|path| names::path(Some(path))).transpose()?;
        self.change(|state| {
            let mut user = User::clone(state.user(name)?);
            if let Some(new_name) = new_name {
                check_free(state, &new_name, Some(&user.id))?;
                user.name = new_name;
            }
            if let Some(new_path) = new_path {
                user.path = new_path;
            }
            user.arn = names::arn(self.account(), "user", &user.path, &user.name);
            Ok((vec![Write::User(Arc::new(user))], ()))
        })
        .await
    }

    /// Deletes a user who has nothing left.
    ///
    /// # Errors
    /// No such user, or keys, policies or groups are left.
    pub async fn delete_user(&self, name: &str) -> Result<(), IdentityError> {
        self.change(|state| {
            let user = state.user(name)?;
            crate::holders::check_empty(&user.policies)?;
            if !state.keys_of(&user.id).is_empty() {
                return Err(conflict("Cannot delete entity, must delete access keys first."));
            }
            if !user.groups.is_empty() {
                return Err(conflict(
                    "Cannot delete entity, must remove user from group first.",
                ));
            }
            Ok((vec![Write::DeleteUser(user.id.clone())], ()))
        })
        .await
    }
}

fn check_free(state: &State, name: &str, own_id: Option<&str>) -> Result<(), IdentityError> {
    match state.users.holder_of(name) {
        Some(holder) if Some(holder.id.as_str()) != own_id => Err(IdentityError::EntityAlreadyExists(
            format!("User with name {name} already exists."),
        )),
        _ => Ok(()),
    }
}

fn conflict(message: &str) -> IdentityError {
    IdentityError::DeleteConflict(message.to_owned())
}
