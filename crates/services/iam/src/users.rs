//! Users.

use std::sync::Arc;

use jiff::Timestamp;
use rolecall_identity::NewUser;
use rolecall_policy::Principal;
use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::error::from_identity;
use crate::generated::{
    CreateUserInput, CreateUserOutput, DeleteUserInput, GetUserInput, GetUserOutput, ListGroupsForUserInput,
    ListGroupsForUserOutput, ListUsersInput, ListUsersOutput, UpdateUserInput, User,
};
use crate::paging::page;
use crate::{Iam, views};

pub(crate) async fn create_user(
    iam: Arc<Iam>,
    context: Arc<RequestContext>,
    input: CreateUserInput,
    _: Permit,
) -> Result<CreateUserOutput, ServiceError> {
    let new = NewUser {
        name: input.user_name,
        path: input.path,
        boundary: input.permissions_boundary,
        tags: views::domain_tags(input.tags),
    };
    let user = iam
        .directory
        .create_user(new, context.time)
        .await
        .map_err(from_identity)?;
    Ok(CreateUserOutput {
        user: Some(views::user(&user)),
    })
}

pub(crate) async fn get_user(
    iam: Arc<Iam>,
    context: Arc<RequestContext>,
    input: GetUserInput,
    _: Permit,
) -> Result<GetUserOutput, ServiceError> {
    if input.user_name.is_none() && matches!(context.caller.principal, Principal::Root { .. }) {
        return Ok(GetUserOutput { user: root(&iam) });
    }
    let name = Iam::user_meant(&context, input.user_name.as_deref())?;
    let user = iam.directory.user(&name).map_err(from_identity)?;
    Ok(GetUserOutput {
        user: views::user(&user),
    })
}

/// The root user, who has no name, no path and no date of its own.
fn root(iam: &Iam) -> User {
    User {
        path: "/".to_owned(),
        user_name: "root".to_owned(),
        user_id: iam.directory.account().to_owned(),
        arn: iam.directory.root_arn(),
        create_date: Timestamp::UNIX_EPOCH,
        password_last_used: None,
        permissions_boundary: None,
        tags: None,
    }
}

pub(crate) async fn list_users(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: ListUsersInput,
    _: Permit,
) -> Result<ListUsersOutput, ServiceError> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let users = iam
        .directory
        .users()
        .into_iter()
        .filter(|user| user.path.starts_with(prefix));
    let page = page(
        users,
        |user| user.name.clone(),
        input.marker.as_deref(),
        input.max_items,
    )?
    .map(|user| views::listed_user(&user));
    Ok(ListUsersOutput {
        users: page.items,
        is_truncated: Some(page.is_truncated),
        marker: page.marker,
    })
}

pub(crate) async fn update_user(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: UpdateUserInput,
    _: Permit,
) -> Result<(), ServiceError> {
    iam.directory
        .update_user(&input.user_name, input.new_user_name, input.new_path)
        .await
        .map_err(from_identity)
}

pub(crate) async fn delete_user(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: DeleteUserInput,
    _: Permit,
) -> Result<(), ServiceError> {
    iam.directory
        .delete_user(&input.user_name)
        .await
        .map_err(from_identity)
}

pub(crate) async fn list_groups_for_user(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: ListGroupsForUserInput,
    _: Permit,
) -> Result<ListGroupsForUserOutput, ServiceError> {
    let groups = iam
        .directory
        .groups_of_user(&input.user_name)
        .map_err(from_identity)?;
    let page = page(
        groups,
        |group| group.name.clone(),
        input.marker.as_deref(),
        input.max_items,
    )?
    .map(|group| views::group(&group));
    Ok(ListGroupsForUserOutput {
        groups: page.items,
        is_truncated: Some(page.is_truncated),
        marker: page.marker,
    })
}
