//! Tags of log groups, by ARN and, as the older operations have it, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};
use rolecall_store::{Condition, Transaction, codec};

use crate::generated::{
    ListTagsForResourceInput, ListTagsForResourceOutput, ListTagsLogGroupInput, ListTagsLogGroupOutput,
    TagLogGroupInput, TagResourceInput, UntagLogGroupInput, UntagResourceInput,
};
use crate::resource::GroupName;
use crate::state::{self, ATTEMPTS, GROUPS, GroupRecord};
use crate::{Logs, error};

/// Most tags of a log group.
const MAXIMUM: usize = 50;

impl Logs {
    /// Changes a group's record, again if somebody else changes it at the same time.
    pub(crate) async fn update_group(
        &self,
        context: &RequestContext,
        name: &GroupName,
        change: impl Fn(&mut GroupRecord) -> Result<(), ServiceError>,
    ) -> Result<(), ServiceError> {
        for _ in 0..ATTEMPTS {
            let group = state::group(self.store(), context, name)?;
            let mut record = group.record;
            change(&mut record)?;
            let value = codec::encode(&record).map_err(error::store)?;
            let condition = Condition::Revision(group.revision);
            let transaction = Transaction::new().put(GROUPS, state::group_key(name), value, condition);
            if error::won(self.store().commit(transaction).await)? {
                return Ok(());
            }
        }
        Err(error::aborted())
    }

    async fn tag(
        &self,
        context: &RequestContext,
        name: &GroupName,
        tags: BTreeMap<String, String>,
        resource: &str,
    ) -> Result<(), ServiceError> {
        self.update_group(context, name, |group| {
            group.tags.extend(tags.clone());
            if group.tags.len() > MAXIMUM {
                return Err(ServiceError::new(
                    "TooManyTagsException",
                    400,
                    format!("A resource can have no more than {MAXIMUM} tags."),
                )
                .with_field("resourceName", resource));
            }
            Ok(())
        })
        .await
    }

    async fn untag(
        &self,
        context: &RequestContext,
        name: &GroupName,
        keys: &[String],
    ) -> Result<(), ServiceError> {
        self.update_group(context, name, |group| {
            group.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        })
        .await
    }
}

/// The group an ARN names; the tagging operations call it a resource when it is not there.
fn tagged(logs: &Logs, context: &RequestContext, arn: &str) -> Result<GroupName, ServiceError> {
    let name = GroupName::tagged(arn)?;
    let is_here = *name.account == *context.account && *name.region == *context.region;
    if !is_here || state::find_group(logs.store(), &name)?.is_none() {
        return Err(error::no_resource());
    }
    Ok(name)
}

pub(crate) async fn tag_resource(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: TagResourceInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let name = tagged(&logs, &context, &input.resource_arn)?;
    logs.tag(&context, &name, input.tags, &input.resource_arn).await
}

pub(crate) async fn untag_resource(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: UntagResourceInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let name = tagged(&logs, &context, &input.resource_arn)?;
    logs.untag(&context, &name, &input.tag_keys).await
}

pub(crate) async fn list_tags_for_resource(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: ListTagsForResourceInput,
    _: Permit,
) -> Result<ListTagsForResourceOutput, ServiceError> {
    let name = tagged(&logs, &context, &input.resource_arn)?;
    let group = state::group(logs.store(), &context, &name)?.record;
    Ok(ListTagsForResourceOutput {
        tags: Some(group.tags),
    })
}

pub(crate) async fn tag_log_group(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: TagLogGroupInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let name = GroupName::own(&context, &input.log_group_name);
    logs.tag(&context, &name, input.tags, &input.log_group_name).await
}

pub(crate) async fn untag_log_group(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: UntagLogGroupInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let name = GroupName::own(&context, &input.log_group_name);
    logs.untag(&context, &name, &input.tags).await
}

pub(crate) async fn list_tags_log_group(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: ListTagsLogGroupInput,
    _: Permit,
) -> Result<ListTagsLogGroupOutput, ServiceError> {
    let name = GroupName::own(&context, &input.log_group_name);
    let group = state::group(logs.store(), &context, &name)?.record;
    Ok(ListTagsLogGroupOutput {
        tags: Some(group.tags),
    })
}
