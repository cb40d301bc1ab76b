//! Roles, and who may assume them.

use std::sync::Arc;

use jiff::Timestamp;
use rolecall_policy::{
    CompiledPolicy, Context, Decision, DocumentKind, Principal, Request, ResourcePolicy, ResourcePolicyKind,
};

use crate::records::{EntityPolicies, Role, Tag};
use crate::state::{State, Write};
use crate::{Directory, IdKind, IdentityError, PolicyText, check_tags, document, ids, limits, names, time};

/// A role to be made.
#[derive(Debug, Clone, Default)]
pub struct NewRole {
    /// Friendly name.
    pub name: String,
    /// `/` when absent.
    pub path: Option<String>,
    /// The trust policy, JSON.
    pub trust: String,
    /// At most 1,000 characters.
    pub description: Option<String>,
    /// Seconds, 3,600 to 43,200; an hour when absent.
    pub max_session_duration: Option<i32>,
    /// ARN of a managed policy.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: Vec<Tag>,
}

impl Directory {
    /// Makes a role.
    ///
    /// # Errors
    /// The name is taken, an input is invalid, the trust policy is malformed or names a principal of this account that
    /// does not exist, the boundary is no managed policy, or there are too many roles.
    pub async fn create_role(&self, new: NewRole, now: Timestamp) -> Result<Arc<Role>, IdentityError> {
        names::check(&new.name, "roleName")?;
        let path = names::path(new.path)?;
        // The policy engine knows sessions of service-linked roles, which organization policies do not bind, by the name.
        if path.starts_with("/aws-service-role/") || new.name.starts_with("AWSServiceRoleFor") {
            return Err(IdentityError::InvalidInput(
                "The path /aws-service-role/ and names that begin with AWSServiceRoleFor are reserved for service-linked roles, which their services make.".to_owned(),
            ));
        }
        check_tags(&new.tags)?;
        document::check_trust(&new.trust)?;
        let max_session_duration = new.max_session_duration.unwrap_or(3_600);
        check_duration(max_session_duration)?;
        self.change(|state| {
            if state.roles.holder_of(&new.name).is_some() {
                return Err(IdentityError::EntityAlreadyExists(format!(
                    "Role with name {} already exists.",
                    new.name
                )));
            }
            if state.roles.len() >= limits::ROLES {
                return Err(IdentityError::LimitExceeded(format!(
                    "Cannot exceed quota for RolesPerAccount: {}",
                    limits::ROLES
                )));
            }
            Self::check_boundary(state, new.boundary.as_deref())?;
            let role = Arc::new(Role {
                id: ids::unique_id(IdKind::Role)?,
                arn: names::arn(self.account(), "role", &path, &new.name),
                trust: PolicyText::new(self.bind(state, &new.trust)?),
                name: new.name,
                path,
                created_at: time::whole_seconds(now),
                description: new.description,
                max_session_duration,
                tags: new.tags,
                policies: EntityPolicies::default(),
                boundary: new.boundary,
            });
            Ok((vec![Write::Role(Arc::clone(&role))], role))
        })
        .await
    }

    /// The role named `name`.
    ///
    /// # Errors
    /// No such role.
    pub fn role(&self, name: &str) -> Result<Arc<Role>, IdentityError> {
        self.state().role(name).cloned()
    }

    /// The role with this ARN (with its path), if it is of this account and exists.
    pub fn role_by_arn(&self, arn: &str) -> Option<Arc<Role>> {
        self.state().roles.by_arn(arn).cloned()
    }

    /// All roles, by name.
    pub fn roles(&self) -> Vec<Arc<Role>> {
        self.state().roles.iter().cloned().collect()
    }

    /// Changes the description (an empty one removes it) or the longest session; what is `None` stays.
    ///
    /// # Errors
    /// No such role, or an invalid duration.
    pub async fn update_role(
        &self,
        name: &str,
        description: Option<String>,
        max_session_duration: Option<i32>,
    ) -> Result<Arc<Role>, IdentityError> {
        max_session_duration.map_or(Ok(()), check_duration)?;
        self.change(|state| {
            let mut role = Role::clone(state.role(name)?);
            if let Some(description) = description {
                role.description = Some(description).filter(|text| !text.is_empty());
            }
            if let Some(duration) = max_session_duration {
                role.max_session_duration = duration;
            }
            let role = Arc::new(role);
            Ok((vec![Write::Role(Arc::clone(&role))], role))
        })
        .await
    }

    /// Replaces a role's trust policy.
    ///
    /// # Errors
    /// No such role, or the document is malformed or names a principal of this account that does not exist.
    pub async fn update_trust(&self, name: &str, trust: &str) -> Result<(), IdentityError> {
        document::check_trust(trust)?;
        self.change(|state| {
            let mut role = Role::clone(state.role(name)?);
            role.trust = PolicyText::new(self.bind(state, trust)?);
            Ok((vec![Write::Role(Arc::new(role))], ()))
        })
        .await
    }

    /// Deletes a role that has no policies. Its sessions end with it.
    ///
    /// # Errors
    /// No such role, or policies are left.
    pub async fn delete_role(&self, name: &str) -> Result<(), IdentityError> {
        let id = self
            .change(|state| {
                let role = state.role(name)?;
                crate::holders::check_empty(&role.policies)?;
                Ok((vec![Write::DeleteRole(role.id.clone())], role.id.clone()))
            })
            .await?;
        self.forget_use(&id);
        Ok(())
    }

    /// A role's trust policy, compiled. `None` if it cannot be compiled, so that nobody may assume the role.
    pub fn trust_policy(role: &Role) -> Option<Arc<CompiledPolicy>> {
        role.trust
            .compiled(DocumentKind::Trust, || format!("trust policy of {}", role.arn))
    }

    /// A trust policy that trusts nobody: what stands in for the one of a role that does not exist.
    pub fn trust_in_nobody() -> Arc<CompiledPolicy> {
        document::trust_in_nobody()
    }

    /// Whether the AWS service `service` (such as `lambda.amazonaws.com`) may assume the role with this ARN: there is
    /// such a role, and its trust policy allows it.
    pub fn may_assume(&self, service: &str, role_arn: &str) -> bool {
        let Some(role) = self.role_by_arn(role_arn) else {
            return false;
        };
        let Some(trust) = Self::trust_policy(&role) else {
            return false;
        };
        let principal = Principal::Service { name: service.into() };
        let context = Context::default();
        let request = Request {
            principal: &principal,
            action: "sts:AssumeRole",
            resource: role_arn,
            resource_account: Some(self.account()),
            context: &context,
        };
        let policies = rolecall_policy::Policies {
            resource: Some(ResourcePolicy {
                policy: &trust,
                kind: ResourcePolicyKind::Trust,
            }),
            ..rolecall_policy::Policies::default()
        };
        matches!(
            rolecall_policy::decide(&request, &policies),
            Decision::Allow { .. }
        )
    }
}

fn check_duration(seconds: i32) -> Result<(), IdentityError> {
    if (3_600..=43_200).contains(&seconds) {
        Ok(())
    } else {
        Err(IdentityError::Validation(format!(
            "1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between 3600 and 43200"
        )))
    }
}

impl State {
    /// ARN of the user or role with the unique id `id`.
    pub(crate) fn arn_of_id(&self, id: &str) -> Option<&str> {
        self.users
            .by_id(id)
            .map(|user| user.arn.as_str())
            .or_else(|| self.roles.by_id(id).map(|role| role.arn.as_str()))
    }
}
