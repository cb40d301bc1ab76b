//! Tags: rules they obey everywhere in IAM and STS.
//!
//! Source: IAM User Guide, "Tags for AWS Identity and Access Management resources" (keys are not case-sensitive but
//! keep their case; at most 50; the prefix `aws:` is reserved).

use std::sync::Arc;

use crate::records::{ManagedPolicy, Role, Tag, User};
use crate::state::{State, Write};
use crate::{Directory, IdentityError, limits};

/// What can carry tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tagged<'a> {
    /// A user by name.
    User(&'a str),
    /// A role by name.
    Role(&'a str),
    /// A customer managed policy by ARN.
    Policy(&'a str),
}

/// Checks tags as given in one request.
///
/// # Errors
/// Too many, a key twice, or a reserved key.
pub fn check_tags(tags: &[Tag]) -> Result<(), IdentityError> {
    if tags.len() > limits::TAGS {
        return Err(too_many());
    }
    for (position, tag) in tags.iter().enumerate() {
        if tags
            .iter()
            .take(position)
            .any(|earlier| earlier.key.eq_ignore_ascii_case(&tag.key))
        {
            return Err(IdentityError::InvalidInput(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.".to_owned(),
            ));
        }
        if tag
            .key
            .get(..4)
            .is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
        {
            return Err(IdentityError::InvalidInput(
                "Tag keys that begin with 'aws:' are reserved for system use.".to_owned(),
            ));
        }
        if tag.key.is_empty() || tag.key.chars().count() > 128 || tag.value.chars().count() > 256 {
            return Err(IdentityError::Validation(
                "A tag key must have 1 to 128 characters and a tag value at most 256.".to_owned(),
            ));
        }
    }
    Ok(())
}

fn too_many() -> IdentityError {
    IdentityError::LimitExceeded("The number of tags has reached the maximum limit.".to_owned())
}

/// `tags` with `changes` laid over them.
pub(crate) fn overlay(tags: &[Tag], changes: &[Tag]) -> Vec<Tag> {
    let mut tags = tags.to_vec();
    for change in changes {
        match tags
            .iter_mut()
            .find(|tag| tag.key.eq_ignore_ascii_case(&change.key))
        {
            Some(tag) => *tag = change.clone(),
            None => tags.push(change.clone()),
        }
    }
    tags
}

fn change(
    state: &State,
    tagged: Tagged<'_>,
    edit: impl FnOnce(&mut Vec<Tag>),
) -> Result<Write, IdentityError> {
    Ok(match tagged {
        Tagged::User(name) => {
            let mut user = User::clone(state.user(name)?);
            edit(&mut user.tags);
            Write::User(Arc::new(user))
        }
        Tagged::Role(name) => {
            let mut role = Role::clone(state.role(name)?);
            edit(&mut role.tags);
            Write::Role(Arc::new(role))
        }
        Tagged::Policy(arn) => {
            let mut policy = ManagedPolicy::clone(state.policy(arn)?);
            edit(&mut policy.tags);
            Write::Policy(Arc::new(policy))
        }
    })
}

fn current<'a>(state: &'a State, tagged: Tagged<'_>) -> Result<&'a [Tag], IdentityError> {
    Ok(match tagged {
        Tagged::User(name) => &state.user(name)?.tags,
        Tagged::Role(name) => &state.role(name)?.tags,
        Tagged::Policy(arn) => &state.policy(arn)?.tags,
    })
}

impl Directory {
    /// The tags of `tagged`, in the order they were set.
    ///
    /// # Errors
    /// No such entity.
    pub fn tags(&self, tagged: Tagged<'_>) -> Result<Vec<Tag>, IdentityError> {
        Ok(current(&self.state(), tagged)?.to_vec())
    }

    /// Sets tags.
    ///
    /// # Errors
    /// No such entity, or the tags break a rule.
    pub async fn tag(&self, tagged: Tagged<'_>, tags: &[Tag]) -> Result<(), IdentityError> {
        check_tags(tags)?;
        self.change(|state| {
            let tags = overlay(current(state, tagged)?, tags);
            if tags.len() > limits::TAGS {
                return Err(too_many());
            }
            Ok((vec![change(state, tagged, |current| *current = tags)?], ()))
        })
        .await
    }

    /// Removes tags; keys that are not there do not matter.
    ///
    /// # Errors
    /// No such entity.
    pub async fn untag(&self, tagged: Tagged<'_>, keys: &[String]) -> Result<(), IdentityError> {
        self.change(|state| {
            let write = change(state, tagged, |tags| {
                tags.retain(|tag| !keys.iter().any(|key| key.eq_ignore_ascii_case(&tag.key)));
            })?;
            Ok((vec![write], ()))
        })
        .await
    }
}
