//! `GetAccountAuthorizationDetails`: the whole account in one listing, which is what reviews read.

use std::collections::HashMap;
use std::sync::Arc;

use rolecall_catalog as catalog;
use rolecall_identity::{self as identity, AnyPolicy, Directory, PolicyUse};
use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::error::{from_identity, validation};
use crate::generated::{
    GetAccountAuthorizationDetailsInput, GetAccountAuthorizationDetailsOutput, GroupDetail,
    ManagedPolicyDetail, RoleDetail, UserDetail,
};
use crate::paging::page;
use crate::{Iam, views};

/// One entity of the listing.
enum Entity {
    User(Arc<identity::User>),
    Group(Arc<identity::Group>),
    Role(Arc<identity::Role>),
    Policy(AnyPolicy),
}

impl Entity {
    fn key(&self) -> String {
        match self {
            Self::User(user) => format!("1/{}", user.name),
            Self::Group(group) => format!("2/{}", group.name),
            Self::Role(role) => format!("3/{}", role.name),
            Self::Policy(policy) => format!("4/{}", policy.arn()),
        }
    }
}

const FILTERS: [&str; 5] = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];

pub(crate) async fn get_account_authorization_details(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: GetAccountAuthorizationDetailsInput,
    _: Permit,
) -> Result<GetAccountAuthorizationDetailsOutput, ServiceError> {
    let filter = input.filter.unwrap_or_default();
    if let Some(unknown) = filter.iter().find(|name| !FILTERS.contains(&name.as_str())) {
        return Err(validation(format!(
            "'{unknown}' is no Filter; use one of {}.",
            FILTERS.join(", ")
        )));
    }
    let is_wanted = |kind: &str| filter.is_empty() || filter.iter().any(|wanted| wanted == kind);
    let directory = &iam.directory;
    let uses = directory.policy_uses();
    let mut entities: Vec<Entity> = Vec::new();
    if is_wanted("User") {
        entities.extend(directory.users().into_iter().map(Entity::User));
    }
    if is_wanted("Group") {
        entities.extend(directory.groups().into_iter().map(Entity::Group));
    }
    if is_wanted("Role") {
        entities.extend(directory.roles().into_iter().map(Entity::Role));
    }
    if is_wanted("LocalManagedPolicy") {
        entities.extend(
            directory
                .customer_policies()
                .into_iter()
                .map(|policy| Entity::Policy(AnyPolicy::Customer(policy))),
        );
    }
    if is_wanted("AWSManagedPolicy") {
        // As AWS answers: only those that are in use.
        let used = uses.keys().filter_map(|arn| catalog::managed_policy(arn));
        entities.extend(used.map(|policy| Entity::Policy(AnyPolicy::Aws(policy))));
    }
    let page = page(entities, Entity::key, input.marker.as_deref(), input.max_items)?;
    let mut output = GetAccountAuthorizationDetailsOutput {
        user_detail_list: Some(Vec::new()),
        group_detail_list: Some(Vec::new()),
        role_detail_list: Some(Vec::new()),
        policies: Some(Vec::new()),
        is_truncated: Some(page.is_truncated),
        marker: page.marker,
    };
    for entity in page.items {
        match entity {
            Entity::User(user) => output
                .user_detail_list
                .get_or_insert_default()
                .push(user_detail(directory, &user)?),
            Entity::Group(group) => output
                .group_detail_list
                .get_or_insert_default()
                .push(group_detail(&group)),
            Entity::Role(role) => output
                .role_detail_list
                .get_or_insert_default()
                .push(role_detail(directory, &role)),
            Entity::Policy(policy) => {
                output
                    .policies
                    .get_or_insert_default()
                    .push(policy_detail(directory, &policy, &uses)?);
            }
        }
    }
    Ok(output)
}

fn user_detail(directory: &Directory, user: &identity::User) -> Result<UserDetail, ServiceError> {
    let groups = directory.groups_of_user(&user.name).map_err(from_identity)?;
    let inline = views::inline_policies(&user.policies);
    Ok(UserDetail {
        path: Some(user.path.clone()),
        user_name: Some(user.name.clone()),
        user_id: Some(user.id.clone()),
        arn: Some(user.arn.clone()),
        create_date: Some(user.created_at),
        user_policy_list: (!inline.is_empty()).then_some(inline),
        group_list: Some(groups.iter().map(|group| group.name.clone()).collect()),
        attached_managed_policies: Some(views::attached_policies(&user.policies)),
        permissions_boundary: views::boundary(user.boundary.as_ref()),
        tags: Some(user.tags.iter().map(views::tag).collect()),
    })
}

fn group_detail(group: &identity::Group) -> GroupDetail {
    GroupDetail {
        path: Some(group.path.clone()),
        group_name: Some(group.name.clone()),
        group_id: Some(group.id.clone()),
        arn: Some(group.arn.clone()),
        create_date: Some(group.created_at),
        group_policy_list: Some(views::inline_policies(&group.policies)),
        attached_managed_policies: Some(views::attached_policies(&group.policies)),
    }
}

fn role_detail(directory: &Directory, role: &identity::Role) -> RoleDetail {
    RoleDetail {
        path: Some(role.path.clone()),
        role_name: Some(role.name.clone()),
        role_id: Some(role.id.clone()),
        arn: Some(role.arn.clone()),
        create_date: Some(role.created_at),
        assume_role_policy_document: Some(views::trust(directory, role)),
        instance_profile_list: Some(Vec::new()),
        role_policy_list: Some(views::inline_policies(&role.policies)),
        attached_managed_policies: Some(views::attached_policies(&role.policies)),
        permissions_boundary: views::boundary(role.boundary.as_ref()),
        tags: Some(role.tags.iter().map(views::tag).collect()),
        role_last_used: Some(views::role_last_used(directory, role)),
    }
}

fn policy_detail(
    directory: &Directory,
    policy: &AnyPolicy,
    uses: &HashMap<String, PolicyUse>,
) -> Result<ManagedPolicyDetail, ServiceError> {
    let arn = policy.arn();
    let versions = directory.policy_versions(&arn).map_err(from_identity)?;
    let used = uses.get(&arn).copied().unwrap_or_default();
    Ok(ManagedPolicyDetail {
        policy_name: Some(policy.name().to_owned()),
        policy_id: Some(policy.id()),
        path: Some(policy.path().to_owned()),
        default_version_id: Some(policy.default_version_id()),
        attachment_count: Some(used.attachments),
        permissions_boundary_usage_count: Some(used.boundaries),
        is_attachable: Some(true),
        description: policy.description().map(str::to_owned),
        create_date: Some(policy.created_at()),
        update_date: Some(policy.updated_at()),
        policy_version_list: Some(versions.iter().map(views::version).collect()),
        arn: Some(arn),
    })
}
