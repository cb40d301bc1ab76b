//! `GetFunction`, `GetFunctionConfiguration`, `ListFunctions`.

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::Lambda;
use crate::generated::{
    Concurrency, FunctionCodeLocation, FunctionCodeLocationError, FunctionConfiguration,
    GetFunctionConfigurationInput, GetFunctionInput, GetFunctionOutput, ListFunctionsInput,
    ListFunctionsOutput,
};
use crate::name::LATEST;
use crate::views::{self, ShowArn};

/// Most functions or versions in one answer.
pub(crate) const PAGE: usize = 50;

/// The code itself cannot be downloaded from this endpoint, which `Code.Error` says where AWS gives a presigned URL.
pub(crate) async fn get_function(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    input: GetFunctionInput,
    permit: Permit,
) -> Result<GetFunctionOutput, ServiceError> {
    drop(permit);
    let qualifier = input.qualifier.as_deref();
    let (function, version) = lambda.find(&input.function_name, qualifier)?;
    let show = lambda.shown_arn(&input.function_name, qualifier)?;
    let configuration = views::configuration(&lambda.state, &function, &version, show);
    Ok(GetFunctionOutput {
        configuration: Some(configuration),
        code: Some(FunctionCodeLocation {
            repository_type: Some("S3".to_owned()),
            error: Some(FunctionCodeLocationError {
                error_code: Some("NotImplemented".to_owned()),
                message: Some(
                    "rolecall serves no download of deployment packages; use the one you deployed".to_owned(),
                ),
            }),
            ..FunctionCodeLocation::default()
        }),
        tags: views::tags(&function.record.tags),
        tags_error: None,
        concurrency: function
            .record
            .reserved_concurrency
            .and_then(|reserved| i32::try_from(reserved).ok())
            .map(|reserved| Concurrency {
                reserved_concurrent_executions: Some(reserved),
            }),
    })
}

pub(crate) async fn get_function_configuration(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    input: GetFunctionConfigurationInput,
    _: Permit,
) -> Result<FunctionConfiguration, ServiceError> {
    let qualifier = input.qualifier.as_deref();
    let (function, version) = lambda.find(&input.function_name, qualifier)?;
    let show = lambda.shown_arn(&input.function_name, qualifier)?;
    Ok(views::configuration(&lambda.state, &function, &version, show))
}

impl Lambda {
    /// An answer's ARN names the version if the request does.
    fn shown_arn(&self, name: &str, qualifier: Option<&str>) -> Result<ShowArn, ServiceError> {
        Ok(match self.state.name(name, qualifier)?.qualifier {
            Some(_) => ShowArn::Qualified,
            None => ShowArn::Plain,
        })
    }
}

/// The marker is the name of the last function of the page before.
pub(crate) async fn list_functions(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    input: ListFunctionsInput,
    _: Permit,
) -> Result<ListFunctionsOutput, ServiceError> {
    // `MasterRegion` is about Lambda@Edge replicas, of which there are none.
    if input
        .master_region
        .as_deref()
        .is_some_and(|region| region != "ALL" && region != lambda.state.region())
    {
        return Ok(ListFunctionsOutput {
            next_marker: None,
            functions: Some(Vec::new()),
        });
    }
    let every_version = input.function_version.is_some();
    let size = page_size(input.max_items);
    let functions = lambda.state.functions_after(
        input.marker.as_deref().unwrap_or_default(),
        size.saturating_add(1),
    );
    let next_marker = (functions.len() > size)
        .then(|| {
            functions
                .get(size.saturating_sub(1))
                .map(|function| function.record.name.clone())
        })
        .flatten();
    let mut shown = Vec::new();
    for function in functions.iter().take(size) {
        if every_version {
            shown.extend(
                function.versions().map(|version| {
                    views::configuration(&lambda.state, function, version, ShowArn::Qualified)
                }),
            );
        } else if let Some(version) = function.version(Some(LATEST)) {
            shown.push(views::configuration(
                &lambda.state,
                function,
                version,
                ShowArn::Plain,
            ));
        }
    }
    Ok(ListFunctionsOutput {
        next_marker,
        functions: Some(shown),
    })
}

/// `MaxItems` as it is served: answers hold at most 50.
pub(crate) fn page_size(wanted: Option<i32>) -> usize {
    wanted
        .and_then(|wanted| usize::try_from(wanted).ok())
        .map_or(PAGE, |wanted| wanted.clamp(1, PAGE))
}
