//! `GetCallerIdentity`.

use std::sync::Arc;

use rolecall_policy::Principal;
use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::Sts;
use crate::error::access_denied;
use crate::generated::{GetCallerIdentityInput, GetCallerIdentityOutput};

pub(crate) async fn get_caller_identity(
    _: Arc<Sts>,
    context: Arc<RequestContext>,
    _: GetCallerIdentityInput,
    _: Permit,
) -> Result<GetCallerIdentityOutput, ServiceError> {
    let principal = &context.caller.principal;
    let (account, user_id) = match principal {
        Principal::Root { account } => (account.clone(), account.clone()),
        Principal::User {
            account,
            id: Some(id),
            ..
        } => (account.clone(), id.clone()),
        Principal::RoleSession {
            account,
            role_id: Some(role_id),
            session_name,
            ..
        } => (account.clone(), format!("{role_id}:{session_name}")),
        _ => return Err(access_denied("The caller has no identity in this account.")),
    };
    Ok(GetCallerIdentityOutput {
        user_id: Some(user_id),
        account: Some(account),
        arn: Some(principal.arn()),
    })
}
