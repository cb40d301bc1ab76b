//! Permissions boundaries.

use std::sync::Arc;

use rolecall_identity::Bounded;
use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::Iam;
use crate::error::from_identity;
use crate::generated::{
    DeleteRolePermissionsBoundaryInput, DeleteUserPermissionsBoundaryInput, PutRolePermissionsBoundaryInput,
    PutUserPermissionsBoundaryInput,
};

pub(crate) async fn put_user_permissions_boundary(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: PutUserPermissionsBoundaryInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let bounded = Bounded::User(&input.user_name);
    iam.directory
        .set_boundary(bounded, Some(&input.permissions_boundary))
        .await
        .map_err(from_identity)
}

pub(crate) async fn delete_user_permissions_boundary(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: DeleteUserPermissionsBoundaryInput,
    _: Permit,
) -> Result<(), ServiceError> {
    iam.directory
        .set_boundary(Bounded::User(&input.user_name), None)
        .await
        .map_err(from_identity)
}

pub(crate) async fn put_role_permissions_boundary(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: PutRolePermissionsBoundaryInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let bounded = Bounded::Role(&input.role_name);
    iam.directory
        .set_boundary(bounded, Some(&input.permissions_boundary))
        .await
        .map_err(from_identity)
}

pub(crate) async fn delete_role_permissions_boundary(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: DeleteRolePermissionsBoundaryInput,
    _: Permit,
) -> Result<(), ServiceError> {
    iam.directory
        .set_boundary(Bounded::Role(&input.role_name), None)
        .await
        .map_err(from_identity)
}
