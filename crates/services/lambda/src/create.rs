//! `CreateFunction`.

use std::collections::BTreeMap;
use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::error::{function_exists, invalid, role_cannot_be_assumed};
use crate::generated::{CreateFunctionInput, FunctionConfiguration};
use crate::package::{self, Source};
use crate::record::{FunctionRecord, VersionRecord};
use crate::state::Function;
use crate::views::{self, ShowArn};
use crate::{Lambda, PRINCIPAL, name, new_revision, settings, versions};

pub(crate) async fn create_function(
    lambda: Arc<Lambda>,
    context: Arc<RequestContext>,
    input: CreateFunctionInput,
    _: Permit,
) -> Result<FunctionConfiguration, ServiceError> {
    let name = lambda.state.name(&input.function_name, None)?;
    lambda.check_place(&name)?;
    if name.qualifier.is_some() {
        return Err(invalid(
            "The function name of a new function has no version; leave the qualifier out.",
        ));
    }
    settings::creation(&input)?;
    settings::code(&input.code)?;
    let (Some(runtime), Some(handler)) = (input.runtime.as_ref(), input.handler.as_ref()) else {
        return Err(invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ));
    };
    let environment = input
        .environment
        .and_then(|environment| environment.variables)
        .unwrap_or_default();
    settings::environment(&environment)?;
    let architecture = settings::architectures(input.architectures.as_deref())?;
    let tags = input.tags.unwrap_or_default();
    settings::tags(&tags)?;
    let log_group = match &input.logging_config {
        Some(logging) => settings::log_group(logging)?,
        None => None,
    };
    lambda.check_runtime(runtime).await?;
    if !lambda.roles.may_assume(PRINCIPAL, &input.role) {
        return Err(role_cannot_be_assumed());
    }
    if lambda.state.function(&name.name).is_some() {
        return Err(function_exists(&name.name));
    }
    let source = Source {
        zip_file: input.code.zip_file.as_ref(),
        bucket: input.code.s3_bucket.as_deref(),
        key: input.code.s3_key.as_deref(),
        version: input.code.s3_object_version.as_deref(),
    };
    let package = package::fetch(&lambda, &context, "CreateFunction", source).await?;
    let latest = Arc::new(VersionRecord {
        version: name::LATEST.to_owned(),
        revision: new_revision()?,
        runtime: runtime.clone(),
        handler: handler.clone(),
        role: input.role,
        description: input.description.unwrap_or_default(),
        timeout: number(input.timeout, 3),
        memory_mb: number(input.memory_size, 128),
        ephemeral_mb: number(input.ephemeral_storage.map(|storage| storage.size), 512),
        environment,
        architecture: architecture.to_owned(),
        log_group,
        code_sha256: package.sha256,
        code_size: package.size,
        last_modified: context.time.as_millisecond(),
    });
    let mut function = Function {
        record: FunctionRecord {
            name: name.name,
            tags,
            reserved_concurrency: None,
            last_version: 0,
            published_revision: None,
            policies: BTreeMap::new(),
        },
        latest,
        published: BTreeMap::new(),
    };
    let shown = if input.publish == Some(true) {
        versions::publish(&mut function, None)?
    } else {
        Arc::clone(&function.latest)
    };
    let writer = lambda.state.writer().await;
    if lambda.state.function(&function.record.name).is_some() {
        return Err(function_exists(&function.record.name));
    }
    let written: Vec<Arc<VersionRecord>> = function.versions().map(Arc::clone).collect();
    let function = writer
        .put(function, &written.iter().collect::<Vec<_>>(), None)
        .await?;
    Ok(views::configuration(
        &lambda.state,
        &function,
        &shown,
        ShowArn::Plain,
    ))
}

impl Lambda {
    /// Whether this machine runs `runtime`; looks for interpreters off the asynchronous threads.
    ///
    /// # Errors
    /// Says what to use or to install.
    pub(crate) async fn check_runtime(&self, runtime: &str) -> Result<(), ServiceError> {
        let machine = Arc::clone(&self.runtime);
        let runtime = runtime.to_owned();
        tokio::task::spawn_blocking(move || settings::runtime(&runtime, &machine).map(drop))
            .await
            .map_err(ServiceError::internal)?
    }
}

/// A number whose range the model has checked.
pub(crate) fn number(value: Option<i32>, default: u32) -> u32 {
    value
        .and_then(|value| u32::try_from(value).ok())
        .unwrap_or(default)
}
