//! `PublishVersion`, `ListVersionsByFunction`.

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::error::{invalid, not_supported, wrong_revision};
use crate::generated::{
    FunctionConfiguration, ListVersionsByFunctionInput, ListVersionsByFunctionOutput, PublishVersionInput,
};
use crate::read::page_size;
use crate::record::VersionRecord;
use crate::state::Function;
use crate::views::{self, ShowArn, code_sha256};
use crate::{Lambda, new_revision};

/// Why an operation takes no version.
pub(crate) const WHOLE_FUNCTION: &str = "This operation is permitted on Lambda functions only. Aliases and versions do \
     not support this operation. Please specify either a function name or an unqualified function ARN.";

pub(crate) async fn publish_version(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    input: PublishVersionInput,
    _: Permit,
) -> Result<FunctionConfiguration, ServiceError> {
    if input.publish_to.as_deref().is_some_and(|place| !place.is_empty()) {
        return Err(not_supported("PublishTo"));
    }
    let writer = lambda.state.writer().await;
    let function = lambda.find_whole(&input.function_name, WHOLE_FUNCTION)?;
    if input
        .revision_id
        .as_ref()
        .is_some_and(|revision| *revision != function.latest.revision)
    {
        return Err(wrong_revision());
    }
    let current = code_sha256(&function.latest.code_sha256);
    if let Some(expected) = input.code_sha256.filter(|expected| *expected != current) {
        return Err(invalid(format!(
            "CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST ({current}). Please try again \
             with the CodeSHA256 in $LATEST."
        )));
    }
    let mut changed = Function::clone(&function);
    let version = publish(&mut changed, input.description)?;
    let function = writer.put(changed, &[&version], None).await?;
    Ok(views::configuration(
        &lambda.state,
        &function,
        &version,
        ShowArn::Qualified,
    ))
}

/// Adds a version that is as `$LATEST` is now, or gives the last one if nothing has changed since.
///
/// # Errors
/// The kernel has no random numbers.
pub(crate) fn publish(
    function: &mut Function,
    description: Option<String>,
) -> Result<Arc<VersionRecord>, ServiceError> {
    let unchanged = function.record.published_revision.as_ref() == Some(&function.latest.revision);
    if unchanged && let Some(last) = function.published.get(&function.record.last_version) {
        return Ok(Arc::clone(last));
    }
    let number = function.record.last_version.saturating_add(1);
    let mut version = VersionRecord::clone(&function.latest);
    version.version = number.to_string();
    version.revision = new_revision()?;
    if let Some(description) = description {
        version.description = description;
    }
    let version = Arc::new(version);
    function.published.insert(number, Arc::clone(&version));
    function.record.last_version = number;
    function.record.published_revision = Some(function.latest.revision.clone());
    Ok(version)
}

/// The marker is the number of the last version of the page before, 0 for `$LATEST`.
pub(crate) async fn list_versions_by_function(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    input: ListVersionsByFunctionInput,
    _: Permit,
) -> Result<ListVersionsByFunctionOutput, ServiceError> {
    let function = lambda.find_whole(&input.function_name, WHOLE_FUNCTION)?;
    let after: Option<u64> = input
        .marker
        .as_deref()
        .map(|marker| {
            marker
                .parse()
                .map_err(|_| invalid("The Marker is not one that this operation gave."))
        })
        .transpose()?;
    let size = page_size(input.max_items);
    let versions: Vec<&Arc<VersionRecord>> = function
        .versions()
        .filter(|version| match (after, version.version.parse::<u64>()) {
            (None, _) => true,
            (Some(after), Ok(number)) => number > after,
            (Some(_), Err(_)) => false,
        })
        .take(size.saturating_add(1))
        .collect();
    let next_marker = (versions.len() > size)
        .then(|| versions.get(size.saturating_sub(1)))
        .flatten()
        .map(|version| version.version.parse::<u64>().unwrap_or_default().to_string());
    let shown = versions
        .iter()
        .take(size)
        .map(|version| views::configuration(&lambda.state, &function, version, ShowArn::Qualified))
        .collect();
    Ok(ListVersionsByFunctionOutput {
        next_marker,
        versions: Some(shown),
    })
}
