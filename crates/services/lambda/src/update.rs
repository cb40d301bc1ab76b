//! `UpdateFunctionCode`, `UpdateFunctionConfiguration`.

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::create::number;
use crate::error::{role_cannot_be_assumed, wrong_revision};
use crate::generated::{FunctionConfiguration, UpdateFunctionCodeInput, UpdateFunctionConfigurationInput};
use crate::package::{self, Source};
use crate::record::VersionRecord;
use crate::state::Function;
use crate::versions::{self, WHOLE_FUNCTION};
use crate::views::{self, ShowArn};
use crate::{Lambda, PRINCIPAL, new_revision, settings};

pub(crate) async fn update_function_code(
    lambda: Arc<Lambda>,
    context: Arc<RequestContext>,
    input: UpdateFunctionCodeInput,
    _: Permit,
) -> Result<FunctionConfiguration, ServiceError> {
    let function = lambda.find_whole(&input.function_name, WHOLE_FUNCTION)?;
    settings::code_update(&input)?;
    let architecture = settings::architectures(input.architectures.as_deref())?;
    check_revision(&function, input.revision_id.as_ref())?;
    let source = Source {
        zip_file: input.zip_file.as_ref(),
        bucket: input.s3_bucket.as_deref(),
        key: input.s3_key.as_deref(),
        version: input.s3_object_version.as_deref(),
    };
    let package = package::fetch(&lambda, &context, "UpdateFunctionCode", source).await?;
    let dry_run = input.dry_run == Some(true);
    let publish = input.publish == Some(true) && !dry_run;
    let writer = lambda.state.writer().await;
    // It may have changed while the package was fetched.
    let function = lambda.find_whole(&input.function_name, WHOLE_FUNCTION)?;
    check_revision(&function, input.revision_id.as_ref())?;
    let mut latest = VersionRecord::clone(&function.latest);
    latest.code_sha256 = package.sha256;
    latest.code_size = package.size;
    architecture.clone_into(&mut latest.architecture);
    latest.last_modified = context.time.as_millisecond();
    latest.revision = new_revision()?;
    let mut changed = Function::clone(&function);
    changed.latest = Arc::new(latest);
    if dry_run {
        return Ok(views::configuration(
            &lambda.state,
            &changed,
            &changed.latest,
            ShowArn::Plain,
        ));
    }
    let shown = if publish {
        versions::publish(&mut changed, None)?
    } else {
        Arc::clone(&changed.latest)
    };
    let latest = Arc::clone(&changed.latest);
    let written = if publish {
        vec![&latest, &shown]
    } else {
        vec![&latest]
    };
    let function = writer.put(changed, &written, None).await?;
    lambda.runtime.retire(&lambda.state.arn(&function.record.name));
    Ok(views::configuration(
        &lambda.state,
        &function,
        &shown,
        ShowArn::Plain,
    ))
}

pub(crate) async fn update_function_configuration(
    lambda: Arc<Lambda>,
    context: Arc<RequestContext>,
    input: UpdateFunctionConfigurationInput,
    _: Permit,
) -> Result<FunctionConfiguration, ServiceError> {
    let function = lambda.find_whole(&input.function_name, WHOLE_FUNCTION)?;
    settings::update(&input)?;
    check_revision(&function, input.revision_id.as_ref())?;
    let environment = input
        .environment
        .map(|environment| environment.variables.unwrap_or_default());
    if let Some(environment) = &environment {
        settings::environment(environment)?;
    }
    let log_group = input
        .logging_config
        .as_ref()
        .map(settings::log_group)
        .transpose()?;
    if let Some(runtime) = &input.runtime {
        lambda.check_runtime(runtime).await?;
    }
    if let Some(role) = &input.role
        && !lambda.roles.may_assume(PRINCIPAL, role)
    {
        return Err(role_cannot_be_assumed());
    }
    let writer = lambda.state.writer().await;
    // It may have changed since it was looked up first.
    let function = lambda.find_whole(&input.function_name, WHOLE_FUNCTION)?;
    check_revision(&function, input.revision_id.as_ref())?;
    let mut latest = VersionRecord::clone(&function.latest);
    latest.timeout = number(input.timeout, latest.timeout);
    latest.memory_mb = number(input.memory_size, latest.memory_mb);
    latest.ephemeral_mb = number(
        input.ephemeral_storage.map(|storage| storage.size),
        latest.ephemeral_mb,
    );
    set(&mut latest.role, input.role);
    set(&mut latest.handler, input.handler);
    set(&mut latest.description, input.description);
    set(&mut latest.runtime, input.runtime);
    set(&mut latest.environment, environment);
    set(&mut latest.log_group, log_group);
    latest.last_modified = context.time.as_millisecond();
    latest.revision = new_revision()?;
    let latest = Arc::new(latest);
    let mut changed = Function::clone(&function);
    changed.latest = Arc::clone(&latest);
    let function = writer.put(changed, &[&latest], None).await?;
    lambda.runtime.retire(&lambda.state.arn(&function.record.name));
    Ok(views::configuration(
        &lambda.state,
        &function,
        &latest,
        ShowArn::Plain,
    ))
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn check_revision(function: &Function, expected: Option<&String>) -> Result<(), ServiceError> {
    if expected.is_some_and(|expected| *expected != function.latest.revision) {
        return Err(wrong_revision());
    }
    Ok(())
}
