//! Policies of users, groups and roles: attached, inline, and the permissions boundary.

use std::sync::Arc;

use crate::records::{EntityPolicies, Group, Role, User};
use crate::state::{State, Write};
use crate::{Directory, IdentityError, PolicyText, document, limits, names};

/// What policies can be attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder<'a> {
    /// A user by name.
    User(&'a str),
    /// A group by name.
    Group(&'a str),
    /// A role by name.
    Role(&'a str),
}

impl Holder<'_> {
    fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Group(_) => "group",
            Self::Role(_) => "role",
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::User(name) | Self::Group(name) | Self::Role(name) => name,
        }
    }

    fn attachment_quota(self) -> &'static str {
        match self {
            Self::User(_) => "PoliciesPerUser",
            Self::Group(_) => "PoliciesPerGroup",
            Self::Role(_) => "PoliciesPerRole",
        }
    }

    fn inline_quota(self) -> usize {
        match self {
            Self::User(_) => limits::USER_INLINE_SIZE,
            Self::Group(_) => limits::GROUP_INLINE_SIZE,
            Self::Role(_) => limits::ROLE_INLINE_SIZE,
        }
    }
}

/// What can have a permissions boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounded<'a> {
    /// A user by name.
    User(&'a str),
    /// A role by name.
    Role(&'a str),
}

fn policies<'a>(state: &'a State, holder: Holder<'_>) -> Result<&'a EntityPolicies, IdentityError> {
    Ok(match holder {
        Holder::User(name) => &state.user(name)?.policies,
        Holder::Group(name) => &state.group(name)?.policies,
        Holder::Role(name) => &state.role(name)?.policies,
    })
}

fn edit(
    state: &State,
    holder: Holder<'_>,
    edit: impl FnOnce(&mut EntityPolicies) -> Result<(), IdentityError>,
) -> Result<Write, IdentityError> {
    Ok(match holder {
        Holder::User(name) => {
            let mut user = User::clone(state.user(name)?);
            edit(&mut user.policies)?;
            Write::User(Arc::new(user))
        }
        Holder::Group(name) => {
            let mut group = Group::clone(state.group(name)?);
            edit(&mut group.policies)?;
            Write::Group(Arc::new(group))
        }
        Holder::Role(name) => {
            let mut role = Role::clone(state.role(name)?);
            edit(&mut role.policies)?;
            Write::Role(Arc::new(role))
        }
    })
}

/// What must hold before an entity is deleted.
pub(crate) fn check_empty(policies: &EntityPolicies) -> Result<(), IdentityError> {
    if !policies.attached.is_empty() {
        return Err(IdentityError::DeleteConflict(
            "Cannot delete entity, must detach all policies first.".to_owned(),
        ));
    }
    if !policies.inline.is_empty() {
        return Err(IdentityError::DeleteConflict(
            "Cannot delete entity, must delete policies first.".to_owned(),
        ));
    }
    Ok(())
}

impl Directory {
    /// Attaches a managed policy; nothing changes if it is attached.
    ///
    /// # Errors
    /// No such entity or policy, or ten policies are attached.
    pub async fn attach_policy(&self, holder: Holder<'_>, policy_arn: &str) -> Result<(), IdentityError> {
        self.change(|state| {
            let current = policies(state, holder)?;
            Self::check_attachable(state, policy_arn)?;
            if current.attached.iter().any(|arn| arn == policy_arn) {
                return Ok((Vec::new(), ()));
            }
            if current.attached.len() >= limits::ATTACHED_POLICIES {
                return Err(IdentityError::LimitExceeded(format!(
                    "Cannot exceed quota for {}: {}",
                    holder.attachment_quota(),
                    limits::ATTACHED_POLICIES
                )));
            }
            let write = edit(state, holder, |policies| {
                policies.attached.push(policy_arn.to_owned());
                Ok(())
            })?;
            Ok((vec![write], ()))
        })
        .await
    }

    /// Detaches a managed policy.
    ///
    /// # Errors
    /// No such entity, or the policy is not attached to it.
    pub async fn detach_policy(&self, holder: Holder<'_>, policy_arn: &str) -> Result<(), IdentityError> {
        self.change(|state| {
            let write = edit(state, holder, |policies| {
                let before = policies.attached.len();
                policies.attached.retain(|arn| arn != policy_arn);
                if policies.attached.len() == before {
                    return Err(IdentityError::NoSuchEntity(format!(
                        "Policy {policy_arn} was not found."
                    )));
                }
                Ok(())
            })?;
            Ok((vec![write], ()))
        })
        .await
    }

    /// The policies of a user, group or role.
    ///
    /// # Errors
    /// No such entity.
    pub fn policies_held(&self, holder: Holder<'_>) -> Result<EntityPolicies, IdentityError> {
        policies(&self.state(), holder).cloned()
    }

    /// Sets the inline policy `name`.
    ///
    /// # Errors
    /// No such entity, a malformed document, or too much text in all inline policies of the entity together.
    pub async fn put_inline_policy(
        &self,
        holder: Holder<'_>,
        name: &str,
        text: &str,
    ) -> Result<(), IdentityError> {
        names::check(name, "policyName")?;
        let size = document::check_identity(text)?;
        self.change(|state| {
            let current = policies(state, holder)?;
            let others: usize = current
                .inline
                .iter()
                .filter(|(other, _)| other.as_str() != name)
                .map(|(_, policy)| document::size(policy.as_str()))
                .sum();
            if others.saturating_add(size) > holder.inline_quota() {
                return Err(IdentityError::LimitExceeded(format!(
                    "Maximum policy size of {} bytes exceeded for {} {}",
                    holder.inline_quota(),
                    holder.kind(),
                    holder.name()
                )));
            }
            let write = edit(state, holder, |policies| {
                policies.inline.insert(name.to_owned(), PolicyText::new(text));
                Ok(())
            })?;
            Ok((vec![write], ()))
        })
        .await
    }

    /// The inline policy `name`.
    ///
    /// # Errors
    /// No such entity, or it has no such policy.
    pub fn inline_policy(&self, holder: Holder<'_>, name: &str) -> Result<PolicyText, IdentityError> {
        policies(&self.state(), holder)?
            .inline
            .get(name)
            .cloned()
            .ok_or_else(|| no_such_inline(holder, name))
    }

    /// Deletes the inline policy `name`.
    ///
    /// # Errors
    /// No such entity, or it has no such policy.
    pub async fn delete_inline_policy(&self, holder: Holder<'_>, name: &str) -> Result<(), IdentityError> {
        self.change(|state| {
            let write = edit(state, holder, |policies| {
                policies
                    .inline
                    .remove(name)
                    .map(|_| ())
                    .ok_or_else(|| no_such_inline(holder, name))
            })?;
            Ok((vec![write], ()))
        })
        .await
    }

    /// Sets or removes the permissions boundary.
    ///
    /// # Errors
    /// No such entity or policy.
    pub async fn set_boundary(
        &self,
        bounded: Bounded<'_>,
        policy_arn: Option<&str>,
    ) -> Result<(), IdentityError> {
        self.change(|state| {
            let boundary = policy_arn.map(str::to_owned);
            let write = match bounded {
                Bounded::User(name) => {
                    let user = User::clone(state.user(name)?);
                    Write::User(Arc::new(User { boundary, ..user }))
                }
                Bounded::Role(name) => {
                    let role = Role::clone(state.role(name)?);
                    Write::Role(Arc::new(Role { boundary, ..role }))
                }
            };
            Self::check_boundary(state, policy_arn)?;
            Ok((vec![write], ()))
        })
        .await
    }
}

fn no_such_inline(holder: Holder<'_>, name: &str) -> IdentityError {
    IdentityError::NoSuchEntity(format!(
        "The {} policy with name {name} cannot be found.",
        holder.kind()
    ))
}
