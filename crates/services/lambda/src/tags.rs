//! `TagResource`, `UntagResource`, `ListTags`.

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::generated::{ListTagsInput, ListTagsOutput, TagResourceInput, UntagResourceInput};
use crate::state::Function;
use crate::{Lambda, settings};

const WHOLE_FUNCTION: &str =
    "Tags on function aliases and versions are not supported. Please specify a function ARN.";

pub(crate) async fn tag_resource(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    input: TagResourceInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let writer = lambda.state.writer().await;
    let function = lambda.find_whole(&input.resource, WHOLE_FUNCTION)?;
    let mut changed = Function::clone(&function);
    changed.record.tags.extend(input.tags);
    settings::tags(&changed.record.tags)?;
    writer.put(changed, &[], None).await?;
    Ok(())
}

pub(crate) async fn untag_resource(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    input: UntagResourceInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let writer = lambda.state.writer().await;
    let function = lambda.find_whole(&input.resource, WHOLE_FUNCTION)?;
    let mut changed = Function::clone(&function);
    changed.record.tags.retain(|key, _| !input.tag_keys.contains(key));
    writer.put(changed, &[], None).await?;
    Ok(())
}

pub(crate) async fn list_tags(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    input: ListTagsInput,
    _: Permit,
) -> Result<ListTagsOutput, ServiceError> {
    let function = lambda.find_whole(&input.resource, WHOLE_FUNCTION)?;
    Ok(ListTagsOutput {
        tags: Some(function.record.tags.clone()),
    })
}
