//! Managed policies: the account's own with their versions, and AWS's from the catalogue.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use jiff::Timestamp;
use rolecall_catalog as catalog;
use rolecall_policy::{CompiledPolicy, DocumentKind};

use crate::records::{Group, ManagedPolicy, PolicyVersion, Role, Tag, User};
use crate::state::{State, Write};
use crate::{Directory, IdKind, IdentityError, PolicyText, check_tags, document, ids, limits, names, time};

/// What ARNs of AWS managed policies begin with.
const AWS_PREFIX: &str = "arn:aws:iam::aws:policy/";

/// A customer managed policy to be made.
#[derive(Debug, Clone, Default)]
pub struct NewPolicy {
    /// Friendly name.
    pub name: String,
    /// `/` when absent.
    pub path: Option<String>,
    /// JSON.
    pub document: String,
    /// At most 1,000 characters.
    pub description: Option<String>,
    /// Tags.
    pub tags: Vec<Tag>,
}

/// A managed policy as a caller sees it, the account's own or AWS's.
#[derive(Debug, Clone)]
pub enum AnyPolicy {
    /// A customer managed policy.
    Customer(Arc<ManagedPolicy>),
    /// An AWS managed policy. Of these the catalogue has the version in force.
    Aws(&'static catalog::ManagedPolicy),
}

impl AnyPolicy {
    /// `ANPA…`
    pub fn id(&self) -> String {
        match self {
            Self::Customer(policy) => policy.id.clone(),
            Self::Aws(policy) => ids::aws_managed_policy_id(&policy.arn()),
        }
    }

    /// Friendly name.
    pub fn name(&self) -> &str {
        match self {
            Self::Customer(policy) => &policy.name,
            Self::Aws(policy) => policy.name(),
        }
    }

    /// Begins and ends with `/`.
    pub fn path(&self) -> &str {
        match self {
            Self::Customer(policy) => &policy.path,
            Self::Aws(policy) => policy.path(),
        }
    }

    /// The ARN.
    pub fn arn(&self) -> String {
        match self {
            Self::Customer(policy) => policy.arn.clone(),
            Self::Aws(policy) => policy.arn(),
        }
    }

    /// `v1` and so on: the version that counts.
    pub fn default_version_id(&self) -> String {
        match self {
            Self::Customer(policy) => format!("v{}", policy.default_version),
            Self::Aws(policy) => policy.default_version.to_owned(),
        }
    }

    /// When it was made.
    pub fn created_at(&self) -> Timestamp {
        match self {
            Self::Customer(policy) => policy.created_at,
            Self::Aws(policy) => catalogue_time(policy.create_date),
        }
    }

    /// When the version that counts was made or chosen.
    pub fn updated_at(&self) -> Timestamp {
        match self {
            Self::Customer(policy) => policy.updated_at,
            Self::Aws(policy) => catalogue_time(policy.update_date),
        }
    }

    /// Tags; AWS's policies have none.
    pub fn tags(&self) -> &[Tag] {
        match self {
            Self::Customer(policy) => &policy.tags,
            Self::Aws(_) => &[],
        }
    }

    /// What the policy was described as when it was made.
    pub fn description(&self) -> Option<&str> {
        match self {
            Self::Customer(policy) => policy.description.as_deref(),
            Self::Aws(_) => None,
        }
    }
}

/// A date of the catalogue; they all parse, so the epoch stands only for a damaged catalogue.
fn catalogue_time(date: &str) -> Timestamp {
    date.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// One version of a managed policy as a caller sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionView {
    /// `v1` and so on.
    pub version_id: String,
    /// Whether it is the one that counts.
    pub is_default: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// JSON.
    pub document: PolicyText,
}

/// How many entities a managed policy is used by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PolicyUse {
    /// Users, groups and roles it is attached to.
    pub attachments: i32,
    /// Users and roles it bounds.
    pub boundaries: i32,
}

/// Who uses a managed policy.
#[derive(Debug, Clone, Default)]
pub struct PolicyEntities {
    /// Users, by name.
    pub users: Vec<Arc<User>>,
    /// Groups, by name.
    pub groups: Vec<Arc<Group>>,
    /// Roles, by name.
    pub roles: Vec<Arc<Role>>,
}

/// How a managed policy is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyUsage {
    /// Attached: it grants.
    Permissions,
    /// As a permissions boundary.
    Boundary,
}

impl Directory {
    /// Makes a customer managed policy with version `v1`.
    ///
    /// # Errors
    /// The name is taken, the document is malformed or too long, an input is invalid, or there are too many policies.
    pub async fn create_policy(
        &self,
        new: NewPolicy,
        now: Timestamp,
    ) -> Result<Arc<ManagedPolicy>, IdentityError> {
        names::check(&new.name, "policyName")?;
        let path = names::path(new.path)?;
        check_tags(&new.tags)?;
        document::check_managed(&new.document)?;
        self.change(|state| {
            if state.policies.holder_of(&new.name).is_some() {
                return Err(IdentityError::EntityAlreadyExists(format!(
                    "A policy called {} already exists. Duplicate names are not allowed.",
                    new.name
                )));
            }
            if state.policies.len() >= limits::POLICIES {
                return Err(IdentityError::LimitExceeded(format!(
                    "Cannot exceed quota for PoliciesPerAccount: {}",
                    limits::POLICIES
                )));
            }
            let now = time::whole_seconds(now);
            let policy = Arc::new(ManagedPolicy {
                id: ids::unique_id(IdKind::ManagedPolicy)?,
                arn: names::arn(self.account(), "policy", &path, &new.name),
                name: new.name,
                path,
                description: new.description,
                created_at: now,
                updated_at: now,
                versions: vec![PolicyVersion {
                    number: 1,
                    document: PolicyText::new(new.document),
                    created_at: now,
                }],
                default_version: 1,
                last_version: 1,
                tags: new.tags,
            });
            Ok((vec![Write::Policy(Arc::clone(&policy))], policy))
        })
        .await
    }

    /// The managed policy with this ARN.
    ///
    /// # Errors
    /// No such policy.
    pub fn policy(&self, arn: &str) -> Result<AnyPolicy, IdentityError> {
        if arn.starts_with(AWS_PREFIX) {
            return catalog::managed_policy(arn)
                .map(AnyPolicy::Aws)
                .ok_or_else(|| IdentityError::NoSuchEntity(format!("Policy {arn} was not found.")));
        }
        self.state().policy(arn).cloned().map(AnyPolicy::Customer)
    }

    /// The account's own policies, by name.
    pub fn customer_policies(&self) -> Vec<Arc<ManagedPolicy>> {
        self.state().policies.iter().cloned().collect()
    }

    /// How many entities use each managed policy that is used at all, by ARN.
    pub fn policy_uses(&self) -> HashMap<String, PolicyUse> {
        self.state().policy_uses()
    }

    /// Who uses the policy with this ARN, and as what.
    pub fn entities_for_policy(&self, arn: &str, usage: PolicyUsage) -> PolicyEntities {
        let state = self.state();
        let uses = |attached: &[String], boundary: Option<&str>| match usage {
            PolicyUsage::Permissions => attached.iter().any(|other| other == arn),
            PolicyUsage::Boundary => boundary == Some(arn),
        };
        PolicyEntities {
            users: state
                .users
                .iter()
                .filter(|user| uses(&user.policies.attached, user.boundary.as_deref()))
                .cloned()
                .collect(),
            groups: state
                .groups
                .iter()
                .filter(|group| uses(&group.policies.attached, None))
                .cloned()
                .collect(),
            roles: state
                .roles
                .iter()
                .filter(|role| uses(&role.policies.attached, role.boundary.as_deref()))
                .cloned()
                .collect(),
        }
    }

    /// The versions of a managed policy, newest first.
    ///
    /// # Errors
    /// No such policy.
    pub fn policy_versions(&self, arn: &str) -> Result<Vec<VersionView>, IdentityError> {
        Ok(match self.policy(arn)? {
            AnyPolicy::Customer(policy) => policy
                .versions
                .iter()
                .rev()
                .map(|version| customer_version(&policy, version))
                .collect(),
            AnyPolicy::Aws(policy) => vec![aws_version(policy)],
        })
    }

    /// One version of a managed policy.
    ///
    /// # Errors
    /// No such policy or version.
    pub fn policy_version(&self, arn: &str, version_id: &str) -> Result<VersionView, IdentityError> {
        self.policy_versions(arn)?
            .into_iter()
            .find(|version| version.version_id == version_id)
            .ok_or_else(|| no_such_version(arn, version_id))
    }

    /// Adds a version, and makes it the one that counts if `set_as_default`.
    ///
    /// # Errors
    /// No such policy, five versions are there, or the document is malformed or too long.
    pub async fn create_policy_version(
        &self,
        arn: &str,
        text: &str,
        set_as_default: bool,
        now: Timestamp,
    ) -> Result<VersionView, IdentityError> {
        refuse_aws(arn)?;
        document::check_managed(text)?;
        self.change(|state| {
            let mut policy = ManagedPolicy::clone(state.policy(arn)?);
            if policy.versions.len() >= limits::POLICY_VERSIONS {
                return Err(IdentityError::LimitExceeded(
                    "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."
                        .to_owned(),
                ));
            }
            let number = policy.last_version.saturating_add(1);
            let now = time::whole_seconds(now);
            let version = PolicyVersion { number, document: PolicyText::new(text), created_at: now };
            policy.versions.push(version.clone());
            policy.last_version = number;
            if set_as_default {
                policy.default_version = number;
            }
            policy.updated_at = now;
            let view = customer_version(&policy, &version);
            Ok((vec![Write::Policy(Arc::new(policy))], view))
        })
        .await
    }

    /// Makes a version the one that counts.
    ///
    /// # Errors
    /// No such policy or version.
    pub async fn set_default_policy_version(
        &self,
        arn: &str,
        version_id: &str,
        now: Timestamp,
    ) -> Result<(), IdentityError> {
        refuse_aws(arn)?;
        self.change(|state| {
            let mut policy = ManagedPolicy::clone(state.policy(arn)?);
            policy.default_version = version_number(&policy, version_id)?;
            policy.updated_at = time::whole_seconds(now);
            Ok((vec![Write::Policy(Arc::new(policy))], ()))
        })
        .await
    }

    /// Deletes a version that does not count.
    ///
    /// # Errors
    /// No such policy or version, or it is the default.
    pub async fn delete_policy_version(&self, arn: &str, version_id: &str) -> Result<(), IdentityError> {
        refuse_aws(arn)?;
        self.change(|state| {
            let mut policy = ManagedPolicy::clone(state.policy(arn)?);
            let number = version_number(&policy, version_id)?;
            if number == policy.default_version {
                return Err(IdentityError::DeleteConflict(
                    "Cannot delete the default version of a policy.".to_owned(),
                ));
            }
            policy.versions.retain(|version| version.number != number);
            Ok((vec![Write::Policy(Arc::new(policy))], ()))
        })
        .await
    }

    /// Deletes a policy that nobody uses and that has no other version than the default.
    ///
    /// # Errors
    /// No such policy, or it is in use or has more versions.
    pub async fn delete_policy(&self, arn: &str) -> Result<(), IdentityError> {
        refuse_aws(arn)?;
        self.change(|state| {
            let policy = state.policy(arn)?;
            if state.policy_uses().contains_key(arn) {
                return Err(IdentityError::DeleteConflict("Cannot delete a policy attached to entities.".to_owned()));
            }
            if policy.versions.len() > 1 {
                return Err(IdentityError::DeleteConflict(
                    "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy."
                        .to_owned(),
                ));
            }
            Ok((vec![Write::DeletePolicy(policy.id.clone())], ()))
        })
        .await
    }

    /// The default version of the managed policy with this ARN, compiled; `None` if there is none or it cannot be
    /// compiled.
    pub(crate) fn compiled_managed(&self, state: &State, arn: &str) -> Option<Arc<CompiledPolicy>> {
        if arn.starts_with(AWS_PREFIX) {
            return self.compiled_aws_managed(arn);
        }
        let policy = state.policies.by_arn(arn)?;
        policy
            .version(policy.default_version)?
            .document
            .compiled(DocumentKind::Identity, || arn.to_owned())
    }

    fn compiled_aws_managed(&self, arn: &str) -> Option<Arc<CompiledPolicy>> {
        let mut compiled = self.aws_managed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(policy) = compiled.get(arn) {
            return Some(Arc::clone(policy));
        }
        let text = catalog::managed_policy(arn)?.document();
        let policy = PolicyText::new(text).compiled(DocumentKind::Identity, || arn.to_owned())?;
        compiled.insert(arn.to_owned(), Arc::clone(&policy));
        Some(policy)
    }

    pub(crate) fn check_attachable(state: &State, arn: &str) -> Result<(), IdentityError> {
        if exists(state, arn) {
            Ok(())
        } else {
            Err(IdentityError::NoSuchEntity(format!(
                "Policy {arn} does not exist or is not attachable."
            )))
        }
    }

    pub(crate) fn check_boundary(state: &State, arn: Option<&str>) -> Result<(), IdentityError> {
        match arn {
            Some(arn) if !exists(state, arn) => Err(IdentityError::NoSuchEntity(format!(
                "Scope ARN: {arn} does not exist or is not attachable."
            ))),
            _ => Ok(()),
        }
    }
}

impl State {
    fn policy_uses(&self) -> HashMap<String, PolicyUse> {
        let mut uses: HashMap<String, PolicyUse> = HashMap::new();
        let attached = self
            .users
            .iter()
            .flat_map(|user| &user.policies.attached)
            .chain(self.groups.iter().flat_map(|group| &group.policies.attached))
            .chain(self.roles.iter().flat_map(|role| &role.policies.attached));
        for arn in attached {
            let policy = uses.entry(arn.clone()).or_default();
            policy.attachments = policy.attachments.saturating_add(1);
        }
        let bounding = self
            .users
            .iter()
            .filter_map(|user| user.boundary.as_ref())
            .chain(self.roles.iter().filter_map(|role| role.boundary.as_ref()));
        for arn in bounding {
            let policy = uses.entry(arn.clone()).or_default();
            policy.boundaries = policy.boundaries.saturating_add(1);
        }
        uses
    }
}

fn exists(state: &State, arn: &str) -> bool {
    if arn.starts_with(AWS_PREFIX) {
        catalog::managed_policy(arn).is_some()
    } else {
        state.policies.by_arn(arn).is_some()
    }
}

fn refuse_aws(arn: &str) -> Result<(), IdentityError> {
    if arn.starts_with(AWS_PREFIX) {
        Err(IdentityError::UnmodifiableEntity(format!(
            "Policy {arn} is managed by AWS and cannot be changed."
        )))
    } else {
        Ok(())
    }
}

fn no_such_version(arn: &str, version_id: &str) -> IdentityError {
    IdentityError::NoSuchEntity(format!(
        "Policy {arn} version {version_id} does not exist or is not attachable."
    ))
}

fn version_number(policy: &ManagedPolicy, version_id: &str) -> Result<u32, IdentityError> {
    policy
        .versions
        .iter()
        .find(|version| version.version_id() == version_id)
        .map(|version| version.number)
        .ok_or_else(|| no_such_version(&policy.arn, version_id))
}

fn customer_version(policy: &ManagedPolicy, version: &PolicyVersion) -> VersionView {
    VersionView {
        version_id: version.version_id(),
        is_default: version.number == policy.default_version,
        created_at: version.created_at,
        document: version.document.clone(),
    }
}

fn aws_version(policy: &catalog::ManagedPolicy) -> VersionView {
    VersionView {
        version_id: policy.default_version.to_owned(),
        is_default: true,
        created_at: catalogue_time(policy.update_date),
        document: PolicyText::new(policy.document()),
    }
}
