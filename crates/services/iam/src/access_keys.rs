//! Access keys.

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::Iam;
use crate::error::{from_identity, validation};
use crate::generated::{
    AccessKey, AccessKeyLastUsed, AccessKeyMetadata, CreateAccessKeyInput, CreateAccessKeyOutput,
    DeleteAccessKeyInput, GetAccessKeyLastUsedInput, GetAccessKeyLastUsedOutput, ListAccessKeysInput,
    ListAccessKeysOutput, UpdateAccessKeyInput,
};
use crate::paging::page;

const ACTIVE: &str = "Active";
const INACTIVE: &str = "Inactive";

fn status(active: bool) -> String {
    if active { ACTIVE } else { INACTIVE }.to_owned()
}

pub(crate) async fn create_access_key(
    iam: Arc<Iam>,
    context: Arc<RequestContext>,
    input: CreateAccessKeyInput,
    _: Permit,
) -> Result<CreateAccessKeyOutput, ServiceError> {
    let user_name = Iam::user_meant(&context, input.user_name.as_deref())?;
    let key = iam
        .directory
        .create_access_key(&user_name, context.time)
        .await
        .map_err(from_identity)?;
    Ok(CreateAccessKeyOutput {
        access_key: AccessKey {
            user_name,
            access_key_id: key.id.clone(),
            status: status(key.active),
            secret_access_key: key.secret.expose().to_owned(),
            create_date: Some(key.created_at),
        },
    })
}

pub(crate) async fn list_access_keys(
    iam: Arc<Iam>,
    context: Arc<RequestContext>,
    input: ListAccessKeysInput,
    _: Permit,
) -> Result<ListAccessKeysOutput, ServiceError> {
    let user_name = Iam::user_meant(&context, input.user_name.as_deref())?;
    let keys = iam.directory.access_keys(&user_name).map_err(from_identity)?;
    let page = page(
        keys,
        |key| format!("{:020}/{}", key.created_at.as_second(), key.id),
        input.marker.as_deref(),
        input.max_items,
    )?
    .map(|key| AccessKeyMetadata {
        user_name: Some(user_name.clone()),
        access_key_id: Some(key.id.clone()),
        status: Some(status(key.active)),
        create_date: Some(key.created_at),
    });
    Ok(ListAccessKeysOutput {
        access_key_metadata: page.items,
        is_truncated: Some(page.is_truncated),
        marker: page.marker,
    })
}

pub(crate) async fn update_access_key(
    iam: Arc<Iam>,
    context: Arc<RequestContext>,
    input: UpdateAccessKeyInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let user_name = Iam::user_meant(&context, input.user_name.as_deref())?;
    let active = match input.status.as_str() {
        ACTIVE => true,
        INACTIVE => false,
        other => {
            return Err(validation(format!(
                "1 validation error detected: Value '{other}' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]"
            )));
        }
    };
    iam.directory
        .set_access_key_active(&user_name, &input.access_key_id, active)
        .await
        .map_err(from_identity)
}

pub(crate) async fn delete_access_key(
    iam: Arc<Iam>,
    context: Arc<RequestContext>,
    input: DeleteAccessKeyInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let user_name = Iam::user_meant(&context, input.user_name.as_deref())?;
    iam.directory
        .delete_access_key(&user_name, &input.access_key_id)
        .await
        .map_err(from_identity)
}

pub(crate) async fn get_access_key_last_used(
    iam: Arc<Iam>,
    _: Arc<RequestContext>,
    input: GetAccessKeyLastUsedInput,
    _: Permit,
) -> Result<GetAccessKeyLastUsedOutput, ServiceError> {
    let user_name = iam
        .directory
        .access_key_owner(&input.access_key_id)
        .map_err(from_identity)?;
    let last_used = match iam.directory.last_used(&input.access_key_id) {
        Some(used) => AccessKeyLastUsed {
            last_used_date: Some(used.at),
            service_name: used.service,
            region: used.region,
        },
        None => AccessKeyLastUsed {
            last_used_date: None,
            service_name: "N/A".to_owned(),
            region: "N/A".to_owned(),
        },
    };
    Ok(GetAccessKeyLastUsedOutput {
        user_name: Some(user_name),
        access_key_last_used: Some(last_used),
    })
}
