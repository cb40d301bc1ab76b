//! Groups.

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::error::from_identity;
use crate::generated::{
    AddUserToGroupInput, CreateGroupInput, CreateGroupOutput, DeleteGroupInput, GetGroupInput,
    GetGroupOutput, ListGroupsInput, ListGroupsOutput, RemoveUserFromGroupInput,
};
use crate::paging::page;
use crate::{Iam, views};

pub(crate) async fn create_group(
    iam: Arc<Iam>,
    context: Arc<RequestContext>,
    input: CreateGroupInput,
    _: Permit,
) -> Result<CreateGroupOutput, ServiceError> {
    let group = iam
        .directory
        .create_group(input.group_name, input.path, context.time)
        .await
        .map_err(from_identity)?;
    Ok(CreateGroupOutput {
        group: views::group(&group),
    })
}

pub(crate) async fn get_group(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: GetGroupInput,
    _: Permit,
) -> Result<GetGroupOutput, ServiceError> {
    let group = iam.directory.group(&input.group_name).map_err(from_identity)?;
    let users = iam
        .directory
        .users_in_group(&input.group_name)
        .map_err(from_identity)?;
    let page = page(
        users,
        |user| user.name.clone(),
        input.marker.as_deref(),
        input.max_items,
    )?
    .map(|user| views::listed_user(&user));
    Ok(GetGroupOutput {
        group: views::group(&group),
        users: page.items,
        is_truncated: Some(page.is_truncated),
        marker: page.marker,
    })
}

pub(crate) async fn list_groups(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: ListGroupsInput,
    _: Permit,
) -> Result<ListGroupsOutput, ServiceError> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let groups = iam
        .directory
        .groups()
        .into_iter()
        .filter(|group| group.path.starts_with(prefix));
    let page = page(
        groups,
        |group| group.name.clone(),
        input.marker.as_deref(),
        input.max_items,
    )?
    .map(|group| views::group(&group));
    Ok(ListGroupsOutput {
        groups: page.items,
        is_truncated: Some(page.is_truncated),
        marker: page.marker,
    })
}

pub(crate) async fn delete_group(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: DeleteGroupInput,
    _: Permit,
) -> Result<(), ServiceError> {
    iam.directory
        .delete_group(&input.group_name)
        .await
        .map_err(from_identity)
}

pub(crate) async fn add_user_to_group(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: AddUserToGroupInput,
    _: Permit,
) -> Result<(), ServiceError> {
    iam.directory
        .add_user_to_group(&input.group_name, &input.user_name)
        .await
        .map_err(from_identity)
}

pub(crate) async fn remove_user_from_group(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: RemoveUserFromGroupInput,
    _: Permit,
) -> Result<(), ServiceError> {
    iam.directory
        .remove_user_from_group(&input.group_name, &input.user_name)
        .await
        .map_err(from_identity)
}
