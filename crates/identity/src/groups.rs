//! Groups and who is in them.

use std::sync::Arc;

use jiff::Timestamp;

use crate::records::{EntityPolicies, Group, User};
use crate::state::Write;
use crate::{Directory, IdKind, IdentityError, ids, limits, names, time};

impl Directory {
    /// Makes a group.
    ///
    /// # Errors
    /// The name is taken or invalid, or there are too many groups.
    pub async fn create_group(
        &self,
        name: String,
        path: Option<String>,
        now: Timestamp,
    ) -> Result<Arc<Group>, IdentityError> {
        names::check(&name, "groupName")?;
        let path = names::path(path)?;
        self.change(|state| {
            if state.groups.holder_of(&name).is_some() {
                return Err(IdentityError::EntityAlreadyExists(format!(
                    "Group with name {name} already exists."
                )));
            }
            if state.groups.len() >= limits::GROUPS {
                return Err(IdentityError::LimitExceeded(format!(
                    "Cannot exceed quota for GroupsPerAccount: {}",
                    limits::GROUPS
                )));
            }
            let group = Arc::new(Group {
                id: ids::unique_id(IdKind::Group)?,
                arn: names::arn(self.account(), "group", &path, &name),
                name,
                path,
                created_at: time::whole_seconds(now),
                policies: EntityPolicies::default(),
            });
            Ok((vec![Write::Group(Arc::clone(&group))], group))
        })
        .await
    }

    /// The group named `name`.
    ///
    /// # Errors
    /// No such group.
    pub fn group(&self, name: &str) -> Result<Arc<Group>, IdentityError> {
        self.state().group(name).cloned()
    }

    /// All groups, by name.
    pub fn groups(&self) -> Vec<Arc<Group>> {
        self.state().groups.iter().cloned().collect()
    }

    /// The users in a group, by name.
    ///
    /// # Errors
    /// No such group.
    pub fn users_in_group(&self, name: &str) -> Result<Vec<Arc<User>>, IdentityError> {
        let state = self.state();
        let group = state.group(name)?;
        Ok(state
            .users
            .iter()
            .filter(|user| user.groups.contains(&group.id))
            .cloned()
            .collect())
    }

    /// The groups a user is in, by name.
    ///
    /// # Errors
    /// No such user.
    pub fn groups_of_user(&self, name: &str) -> Result<Vec<Arc<Group>>, IdentityError> {
        let state = self.state();
        let user = state.user(name)?;
        Ok(state
            .groups
            .iter()
            .filter(|group| user.groups.contains(&group.id))
            .cloned()
            .collect())
    }

    /// Adds a user to a group; nothing changes if the user is in it.
    ///
    /// # Errors
    /// No such group or user, or the user is in too many groups.
    pub async fn add_user_to_group(&self, group_name: &str, user_name: &str) -> Result<(), IdentityError> {
        self.change(|state| {
            let group = state.group(group_name)?;
            let mut user = User::clone(state.user(user_name)?);
            if user.groups.insert(group.id.clone()) && user.groups.len() > limits::GROUPS_PER_USER {
                return Err(IdentityError::LimitExceeded(format!(
                    "Cannot exceed quota for GroupsPerUser: {}",
                    limits::GROUPS_PER_USER
                )));
            }
            Ok((vec![Write::User(Arc::new(user))], ()))
        })
        .await
    }

    /// Takes a user out of a group.
    ///
    /// # Errors
    /// No such group or user, or the user is not in it.
    pub async fn remove_user_from_group(
        &self,
        group_name: &str,
        user_name: &str,
    ) -> Result<(), IdentityError> {
        self.change(|state| {
            let group = state.group(group_name)?;
            let mut user = User::clone(state.user(user_name)?);
            if !user.groups.remove(&group.id) {
                return Err(IdentityError::NoSuchEntity(format!(
                    "User {user_name} not in group {group_name}"
                )));
            }
            Ok((vec![Write::User(Arc::new(user))], ()))
        })
        .await
    }

    /// Deletes a group that has no users and no policies.
    ///
    /// # Errors
    /// No such group, or users or policies are left.
    pub async fn delete_group(&self, name: &str) -> Result<(), IdentityError> {
        self.change(|state| {
            let group = state.group(name)?;
            if state.users.iter().any(|user| user.groups.contains(&group.id)) {
                return Err(IdentityError::DeleteConflict(
                    "Cannot delete entity, must remove users from group first.".to_owned(),
                ));
            }
            crate::holders::check_empty(&group.policies)?;
            Ok((vec![Write::DeleteGroup(group.id.clone())], ()))
        })
        .await
    }
}
