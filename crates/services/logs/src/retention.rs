//! `PutRetentionPolicy`, `DeleteRetentionPolicy`.

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::generated::{DeleteRetentionPolicyInput, PutRetentionPolicyInput};
use crate::resource::GroupName;
use crate::{Logs, error};

/// What `retentionInDays` may be. Source: CloudWatch Logs API Reference, `PutRetentionPolicy`.
const ALLOWED_DAYS: [i32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

pub(crate) async fn put_retention_policy(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: PutRetentionPolicyInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let days = input.retention_in_days;
    if !ALLOWED_DAYS.contains(&days) {
        let allowed: Vec<String> = ALLOWED_DAYS.iter().map(ToString::to_string).collect();
        return Err(error::invalid_parameter(format!(
            "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: \
             Member must satisfy enum value set: [{}]",
            allowed.join(", ")
        )));
    }
    let name = GroupName::own(&context, &input.log_group_name);
    logs.update_group(&context, &name, |group| {
        group.retention_days = Some(days);
        Ok(())
    })
    .await?;
    logs.expire_now(&context);
    Ok(())
}

pub(crate) async fn delete_retention_policy(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: DeleteRetentionPolicyInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let name = GroupName::own(&context, &input.log_group_name);
    logs.update_group(&context, &name, |group| {
        group.retention_days = None;
        Ok(())
    })
    .await
}
