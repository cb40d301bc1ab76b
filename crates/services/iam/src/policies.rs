//! Managed policies and their versions.

use std::sync::Arc;

use rolecall_catalog as catalog;
use rolecall_identity::{AnyPolicy, NewPolicy, PolicyUsage, PolicyUse};
use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::error::{from_identity, validation};
use crate::generated::{
    CreatePolicyInput, CreatePolicyOutput, CreatePolicyVersionInput, CreatePolicyVersionOutput,
    DeletePolicyInput, DeletePolicyVersionInput, GetPolicyInput, GetPolicyOutput, GetPolicyVersionInput,
    GetPolicyVersionOutput, ListEntitiesForPolicyInput, ListEntitiesForPolicyOutput, ListPoliciesInput,
    ListPoliciesOutput, ListPolicyVersionsInput, ListPolicyVersionsOutput, PolicyGroup, PolicyRole,
    PolicyUser, SetDefaultPolicyVersionInput,
};
use crate::paging::page;
use crate::{Iam, views};

pub(crate) async fn create_policy(
    iam: Arc<Iam>,
    context: Arc<RequestContext>,
    input: CreatePolicyInput,
    _: Permit,
) -> Result<CreatePolicyOutput, ServiceError> {
    let new = NewPolicy {
        name: input.policy_name,
        path: input.path,
        document: input.policy_document,
        description: input.description,
        tags: views::domain_tags(input.tags),
    };
    let policy = iam
        .directory
        .create_policy(new, context.time)
        .await
        .map_err(from_identity)?;
    Ok(CreatePolicyOutput {
        policy: Some(views::policy(&AnyPolicy::Customer(policy), PolicyUse::default())),
    })
}

pub(crate) async fn get_policy(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: GetPolicyInput,
    _: Permit,
) -> Result<GetPolicyOutput, ServiceError> {
    let policy = iam.directory.policy(&input.policy_arn).map_err(from_identity)?;
    let uses = iam
        .directory
        .policy_uses()
        .get(&input.policy_arn)
        .copied()
        .unwrap_or_default();
    Ok(GetPolicyOutput {
        policy: Some(views::policy(&policy, uses)),
    })
}

pub(crate) async fn list_policies(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: ListPoliciesInput,
    _: Permit,
) -> Result<ListPoliciesOutput, ServiceError> {
    let (local, aws) = match input.scope.as_deref() {
        None | Some("All") => (true, true),
        Some("Local") => (true, false),
        Some("AWS") => (false, true),
        Some(other) => {
            return Err(validation(format!(
                "'{other}' is no Scope; use All, AWS or Local."
            )));
        }
    };
    let usage = usage_filter(input.policy_usage_filter.as_deref())?;
    let uses = iam.directory.policy_uses();
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let customer = iam
        .directory
        .customer_policies()
        .into_iter()
        .filter(|_| local)
        .map(AnyPolicy::Customer);
    let managed = catalog::managed_policies()
        .iter()
        .filter(|_| aws)
        .map(AnyPolicy::Aws);
    let policies = customer
        .chain(managed)
        .filter(|policy| policy.path().starts_with(prefix))
        .filter(|policy| {
            let used = uses.get(&policy.arn()).copied().unwrap_or_default();
            let is_wanted = match usage {
                Some(PolicyUsage::Permissions) => used.attachments > 0,
                Some(PolicyUsage::Boundary) => used.boundaries > 0,
                None => true,
            };
            is_wanted && (!input.only_attached.unwrap_or(false) || used.attachments > 0)
        });
    let page = page(policies, AnyPolicy::arn, input.marker.as_deref(), input.max_items)?
        .map(|policy| views::listed_policy(&policy, uses.get(&policy.arn()).copied().unwrap_or_default()));
    Ok(ListPoliciesOutput {
        policies: Some(page.items),
        is_truncated: Some(page.is_truncated),
        marker: page.marker,
    })
}

fn usage_filter(filter: Option<&str>) -> Result<Option<PolicyUsage>, ServiceError> {
    match filter {
        None => Ok(None),
        Some("PermissionsPolicy") => Ok(Some(PolicyUsage::Permissions)),
        Some("PermissionsBoundary") => Ok(Some(PolicyUsage::Boundary)),
        Some(other) => Err(validation(format!(
            "'{other}' is no PolicyUsageFilter; use PermissionsPolicy or PermissionsBoundary."
        ))),
    }
}

pub(crate) async fn delete_policy(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: DeletePolicyInput,
    _: Permit,
) -> Result<(), ServiceError> {
    iam.directory
        .delete_policy(&input.policy_arn)
        .await
        .map_err(from_identity)
}

pub(crate) async fn create_policy_version(
    iam: Arc<Iam>,
    context: Arc<RequestContext>,
    input: CreatePolicyVersionInput,
    _: Permit,
) -> Result<CreatePolicyVersionOutput, ServiceError> {
    let version = iam
        .directory
        .create_policy_version(
            &input.policy_arn,
            &input.policy_document,
            input.set_as_default.unwrap_or(false),
            context.time,
        )
        .await
        .map_err(from_identity)?;
    Ok(CreatePolicyVersionOutput {
        policy_version: Some(views::listed_version(&version)),
    })
}

pub(crate) async fn get_policy_version(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: GetPolicyVersionInput,
    _: Permit,
) -> Result<GetPolicyVersionOutput, ServiceError> {
    let version = iam
        .directory
        .policy_version(&input.policy_arn, &input.version_id)
        .map_err(from_identity)?;
    Ok(GetPolicyVersionOutput {
        policy_version: Some(views::version(&version)),
    })
}

pub(crate) async fn list_policy_versions(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: ListPolicyVersionsInput,
    _: Permit,
) -> Result<ListPolicyVersionsOutput, ServiceError> {
    let versions = iam
        .directory
        .policy_versions(&input.policy_arn)
        .map_err(from_identity)?;
    // Newest first: the key counts down.
    let key = |version: &rolecall_identity::VersionView| {
        let number: u32 = version.version_id.trim_start_matches('v').parse().unwrap_or(0);
        format!("{:010}", u32::MAX.saturating_sub(number))
    };
    let page = page(versions, key, input.marker.as_deref(), input.max_items)?
        .map(|version| views::listed_version(&version));
    Ok(ListPolicyVersionsOutput {
        versions: Some(page.items),
        is_truncated: Some(page.is_truncated),
        marker: page.marker,
    })
}

pub(crate) async fn set_default_policy_version(
    iam: Arc<Iam>,
    context: Arc<RequestContext>,
    input: SetDefaultPolicyVersionInput,
    _: Permit,
) -> Result<(), ServiceError> {
    iam.directory
        .set_default_policy_version(&input.policy_arn, &input.version_id, context.time)
        .await
        .map_err(from_identity)
}

pub(crate) async fn delete_policy_version(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: DeletePolicyVersionInput,
    _: Permit,
) -> Result<(), ServiceError> {
    iam.directory
        .delete_policy_version(&input.policy_arn, &input.version_id)
        .await
        .map_err(from_identity)
}

/// One entity that uses a policy.
enum Entity {
    Group(PolicyGroup),
    Role(PolicyRole),
    User(PolicyUser),
}

impl Entity {
    fn key(&self) -> String {
        let (kind, name) = match self {
            Self::Group(group) => ("group", &group.group_name),
            Self::Role(role) => ("role", &role.role_name),
            Self::User(user) => ("user", &user.user_name),
        };
        format!("{kind}/{}", name.as_deref().unwrap_or_default())
    }
}

pub(crate) async fn list_entities_for_policy(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: ListEntitiesForPolicyInput,
    _: Permit,
) -> Result<ListEntitiesForPolicyOutput, ServiceError> {
    iam.directory.policy(&input.policy_arn).map_err(from_identity)?;
    let usage = usage_filter(input.policy_usage_filter.as_deref())?;
    let filter = input.entity_filter.as_deref();
    if !matches!(filter, None | Some("User" | "Role" | "Group")) {
        // A managed policy of its own is never attached to a policy; the other values AWS's model lists name policies.
        return Err(validation("EntityFilter must be User, Role or Group."));
    }
    let is_wanted = |kind: &str| filter.is_none_or(|filter| filter == kind);
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let usages = usage.map_or_else(
        || vec![PolicyUsage::Permissions, PolicyUsage::Boundary],
        |usage| vec![usage],
    );
    let mut found: Vec<Entity> = Vec::new();
    for usage in usages {
        let entities = iam.directory.entities_for_policy(&input.policy_arn, usage);
        let groups = entities
            .groups
            .iter()
            .filter(|group| is_wanted("Group") && group.path.starts_with(prefix));
        found.extend(groups.map(|group| {
            Entity::Group(PolicyGroup {
                group_name: Some(group.name.clone()),
                group_id: Some(group.id.clone()),
            })
        }));
        let roles = entities
            .roles
            .iter()
            .filter(|role| is_wanted("Role") && role.path.starts_with(prefix));
        found.extend(roles.map(|role| {
            Entity::Role(PolicyRole {
                role_name: Some(role.name.clone()),
                role_id: Some(role.id.clone()),
            })
        }));
        let users = entities
            .users
            .iter()
            .filter(|user| is_wanted("User") && user.path.starts_with(prefix));
        found.extend(users.map(|user| {
            Entity::User(PolicyUser {
                user_name: Some(user.name.clone()),
                user_id: Some(user.id.clone()),
            })
        }));
    }
    // The same policy can be attached to an entity and bound it.
    found.sort_by_key(Entity::key);
    found.dedup_by_key(|entity| entity.key());
    let page = page(found, Entity::key, input.marker.as_deref(), input.max_items)?;
    let (mut groups, mut roles, mut users) = (Vec::new(), Vec::new(), Vec::new());
    for entity in page.items {
        match entity {
            Entity::Group(group) => groups.push(group),
            Entity::Role(role) => roles.push(role),
            Entity::User(user) => users.push(user),
        }
    }
    Ok(ListEntitiesForPolicyOutput {
        policy_groups: Some(groups),
        policy_users: Some(users),
        policy_roles: Some(roles),
        is_truncated: Some(page.is_truncated),
        marker: page.marker,
    })
}
