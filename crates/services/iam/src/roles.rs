//! Roles.

use std::sync::Arc;

use rolecall_identity::NewRole;
use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::error::from_identity;
use crate::generated::{
    CreateRoleInput, CreateRoleOutput, DeleteRoleInput, GetRoleInput, GetRoleOutput,
    ListInstanceProfilesForRoleInput, ListInstanceProfilesForRoleOutput, ListRolesInput, ListRolesOutput,
    Role, UpdateAssumeRolePolicyInput, UpdateRoleDescriptionInput, UpdateRoleDescriptionOutput,
    UpdateRoleInput, UpdateRoleOutput,
};
use crate::paging::page;
use crate::{Iam, views};

pub(crate) async fn create_role(
    iam: Arc<Iam>,
    context: Arc<RequestContext>,
    input: CreateRoleInput,
    _: Permit,
) -> Result<CreateRoleOutput, ServiceError> {
    let new = NewRole {
        name: input.role_name,
        path: input.path,
        trust: input.assume_role_policy_document,
        description: input.description,
        max_session_duration: input.max_session_duration,
        boundary: input.permissions_boundary,
        tags: views::domain_tags(input.tags),
    };
    let role = iam
        .directory
        .create_role(new, context.time)
        .await
        .map_err(from_identity)?;
    let role = Role {
        role_last_used: None,
        ..views::role(&iam.directory, &role)
    };
    Ok(CreateRoleOutput { role })
}

pub(crate) async fn get_role(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: GetRoleInput,
    _: Permit,
) -> Result<GetRoleOutput, ServiceError> {
    let role = iam.directory.role(&input.role_name).map_err(from_identity)?;
    Ok(GetRoleOutput {
        role: views::role(&iam.directory, &role),
    })
}

pub(crate) async fn list_roles(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: ListRolesInput,
    _: Permit,
) -> Result<ListRolesOutput, ServiceError> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let roles = iam
        .directory
        .roles()
        .into_iter()
        .filter(|role| role.path.starts_with(prefix));
    let page = page(
        roles,
        |role| role.name.clone(),
        input.marker.as_deref(),
        input.max_items,
    )?
    .map(|role| views::listed_role(&iam.directory, &role));
    Ok(ListRolesOutput {
        roles: page.items,
        is_truncated: Some(page.is_truncated),
        marker: page.marker,
    })
}

pub(crate) async fn update_role(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: UpdateRoleInput,
    _: Permit,
) -> Result<UpdateRoleOutput, ServiceError> {
    iam.directory
        .update_role(&input.role_name, input.description, input.max_session_duration)
        .await
        .map_err(from_identity)?;
    Ok(UpdateRoleOutput {})
}

pub(crate) async fn update_role_description(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: UpdateRoleDescriptionInput,
    _: Permit,
) -> Result<UpdateRoleDescriptionOutput, ServiceError> {
    let role = iam
        .directory
        .update_role(&input.role_name, Some(input.description), None)
        .await
        .map_err(from_identity)?;
    Ok(UpdateRoleDescriptionOutput {
        role: Some(views::role(&iam.directory, &role)),
    })
}

pub(crate) async fn update_assume_role_policy(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: UpdateAssumeRolePolicyInput,
    _: Permit,
) -> Result<(), ServiceError> {
    iam.directory
        .update_trust(&input.role_name, &input.policy_document)
        .await
        .map_err(from_identity)
}

pub(crate) async fn delete_role(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: DeleteRoleInput,
    _: Permit,
) -> Result<(), ServiceError> {
    iam.directory
        .delete_role(&input.role_name)
        .await
        .map_err(from_identity)
}

/// Always empty: instance profiles are for EC2, which is not served. Tools ask before they delete a role.
pub(crate) async fn list_instance_profiles_for_role(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: ListInstanceProfilesForRoleInput,
    _: Permit,
) -> Result<ListInstanceProfilesForRoleOutput, ServiceError> {
    iam.directory.role(&input.role_name).map_err(from_identity)?;
    Ok(ListInstanceProfilesForRoleOutput {
        instance_profiles: Vec::new(),
        is_truncated: Some(false),
        marker: None,
    })
}
