//! What each operation needs.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Lambda". A function that is not
//! there is authorised on the ARN its name gives; that it is missing is said only afterwards. An access names the
//! version or alias that the request names, and a policy on `function:f` does not match `function:f:1`.

use std::collections::BTreeMap;
use std::sync::Arc;

use rolecall_policy::{CompiledPolicy, Document, DocumentKind, ResourcePolicyKind};
use rolecall_service::{Access, AttachedPolicy, Needs, RequestContext, ServiceError};

use crate::error::user;
use crate::generated::{
    AddPermissionInput, CreateFunctionInput, DeleteFunctionConcurrencyInput, DeleteFunctionInput,
    GetAccountSettingsInput, GetFunctionCodeSigningConfigInput, GetFunctionConcurrencyInput,
    GetFunctionConfigurationInput, GetFunctionInput, GetPolicyInput, InvokeInput, ListFunctionsInput,
    ListTagsInput, ListVersionsByFunctionInput, PublishVersionInput, PutFunctionConcurrencyInput,
    RemovePermissionInput, TagResourceInput, UntagResourceInput, UpdateFunctionCodeInput,
    UpdateFunctionConfigurationInput,
};
use crate::{Lambda, PRINCIPAL, permissions};

type Outcome = Result<Needs, ServiceError>;

impl Lambda {
    /// `action` on the function or version that a request names.
    fn on_function(
        &self,
        action: &'static str,
        text: &str,
        qualifier: Option<&str>,
    ) -> Result<Access, ServiceError> {
        let name = self.state.name(text, qualifier)?;
        let access = Access::new(action, name.qualified_arn()).owned_by(name.account.as_str());
        if name.arn() != self.state.arn(&name.name) {
            return Ok(access);
        }
        let Some(function) = self.state.function(&name.name) else {
            return Ok(access);
        };
        let tags = function.record.tags.clone();
        let policy = permissions::policy_text(&function, name.qualifier.as_deref())
            .and_then(|text| compile(&text, &name.qualified_arn()));
        Ok(access.with_tags(tags).with_policy(policy))
    }

    /// `iam:PassRole` on the role for a function to be.
    fn pass_role(&self, role: &str, function: &str) -> Result<Access, ServiceError> {
        let account = role.split(':').nth(4).unwrap_or_default();
        if account != self.state.account() {
            return Err(user(
                "AccessDeniedException",
                403,
                "Cross-account pass role is not allowed.",
            ));
        }
        let mut access = Access::new("iam:PassRole", role)
            .with_key("iam:PassedToService", PRINCIPAL)
            .with_key("iam:AssociatedResourceArn", function);
        if let Some(role) = self.directory.role_by_arn(role) {
            for tag in &role.tags {
                access = access.with_key(format!("iam:ResourceTag/{}", tag.key), tag.value.as_str());
            }
            access = access.with_tags(role.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
        }
        Ok(access)
    }
}

/// A policy that cannot be compiled allows nobody: it is not attached.
fn compile(text: &str, arn: &str) -> Option<AttachedPolicy> {
    match Document::parse(text, DocumentKind::Resource) {
        Ok(document) => Some(AttachedPolicy {
            policy: Arc::new(CompiledPolicy::compile(
                &document,
                format!("resource-based policy of {arn}"),
            )),
            kind: ResourcePolicyKind::Resource,
        }),
        Err(error) => {
            tracing::error!(arn, %error, "the resource-based policy of a function is not readable");
            None
        }
    }
}

fn with_request_tags(mut access: Access, tags: &BTreeMap<String, String>) -> Access {
    if tags.is_empty() {
        return access;
    }
    for (key, value) in tags {
        access = access.with_key(format!("aws:RequestTag/{key}"), value.as_str());
    }
    access.with_keys("aws:TagKeys", tags.keys().cloned().collect())
}

pub(crate) fn create_function(lambda: &Lambda, _: &RequestContext, input: &CreateFunctionInput) -> Outcome {
    let arn = lambda.state.name(&input.function_name, None)?.arn();
    let no_tags = BTreeMap::new();
    let tags = input.tags.as_ref().unwrap_or(&no_tags);
    let mut create = with_request_tags(
        lambda.on_function("lambda:CreateFunction", &input.function_name, None)?,
        tags,
    );
    if let Some(layers) = input.layers.as_ref().filter(|layers| !layers.is_empty()) {
        create = create.with_keys("lambda:Layer", layers.clone());
    }
    if let Some(config) = &input.code_signing_config_arn {
        create = create.with_key("lambda:CodeSigningConfigArn", config.as_str());
    }
    let mut accesses = vec![create, lambda.pass_role(&input.role, &arn)?];
    if !tags.is_empty() {
        let tagging = lambda.on_function("lambda:TagResource", &input.function_name, None)?;
        accesses.push(with_request_tags(tagging, tags));
    }
    Ok(accesses.into())
}

pub(crate) fn get_function(lambda: &Lambda, _: &RequestContext, input: &GetFunctionInput) -> Outcome {
    let qualifier = input.qualifier.as_deref();
    Ok(lambda
        .on_function("lambda:GetFunction", &input.function_name, qualifier)?
        .into())
}

pub(crate) fn get_function_configuration(
    lambda: &Lambda,
    _: &RequestContext,
    input: &GetFunctionConfigurationInput,
) -> Outcome {
    let qualifier = input.qualifier.as_deref();
    Ok(lambda
        .on_function("lambda:GetFunctionConfiguration", &input.function_name, qualifier)?
        .into())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the table of operations has one signature for all of these"
)]
pub(crate) fn list_functions(_: &Lambda, _: &RequestContext, _: &ListFunctionsInput) -> Outcome {
    Ok(Access::new("lambda:ListFunctions", "*").into())
}

pub(crate) fn update_function_code(
    lambda: &Lambda,
    _: &RequestContext,
    input: &UpdateFunctionCodeInput,
) -> Outcome {
    Ok(lambda
        .on_function("lambda:UpdateFunctionCode", &input.function_name, None)?
        .into())
}

pub(crate) fn update_function_configuration(
    lambda: &Lambda,
    _: &RequestContext,
    input: &UpdateFunctionConfigurationInput,
) -> Outcome {
    let mut update = lambda.on_function("lambda:UpdateFunctionConfiguration", &input.function_name, None)?;
    if let Some(layers) = input.layers.as_ref().filter(|layers| !layers.is_empty()) {
        update = update.with_keys("lambda:Layer", layers.clone());
    }
    let mut accesses = vec![update];
    if let Some(role) = &input.role {
        let arn = lambda.state.name(&input.function_name, None)?.arn();
        accesses.push(lambda.pass_role(role, &arn)?);
    }
    Ok(accesses.into())
}

pub(crate) fn delete_function(lambda: &Lambda, _: &RequestContext, input: &DeleteFunctionInput) -> Outcome {
    let qualifier = input.qualifier.as_deref();
    Ok(lambda
        .on_function("lambda:DeleteFunction", &input.function_name, qualifier)?
        .into())
}

pub(crate) fn invoke(lambda: &Lambda, _: &RequestContext, input: &InvokeInput) -> Outcome {
    let qualifier = input.qualifier.as_deref();
    Ok(lambda
        .on_function("lambda:InvokeFunction", &input.function_name, qualifier)?
        .into())
}

pub(crate) fn publish_version(lambda: &Lambda, _: &RequestContext, input: &PublishVersionInput) -> Outcome {
    Ok(lambda
        .on_function("lambda:PublishVersion", &input.function_name, None)?
        .into())
}

pub(crate) fn list_versions_by_function(
    lambda: &Lambda,
    _: &RequestContext,
    input: &ListVersionsByFunctionInput,
) -> Outcome {
    Ok(lambda
        .on_function("lambda:ListVersionsByFunction", &input.function_name, None)?
        .into())
}

pub(crate) fn add_permission(lambda: &Lambda, _: &RequestContext, input: &AddPermissionInput) -> Outcome {
    let mut access = lambda
        .on_function(
            "lambda:AddPermission",
            &input.function_name,
            input.qualifier.as_deref(),
        )?
        .with_key("lambda:Principal", input.principal.as_str());
    if let Some(kind) = &input.function_url_auth_type {
        access = access.with_key("lambda:FunctionUrlAuthType", kind.as_str());
    }
    Ok(access.into())
}

pub(crate) fn remove_permission(
    lambda: &Lambda,
    _: &RequestContext,
    input: &RemovePermissionInput,
) -> Outcome {
    let qualifier = input.qualifier.as_deref();
    let mut access = lambda.on_function("lambda:RemovePermission", &input.function_name, qualifier)?;
    let statement = lambda
        .find(&input.function_name, qualifier)
        .ok()
        .and_then(|(function, _)| {
            let name = lambda.state.name(&input.function_name, qualifier).ok()?;
            permissions::statement_keys(
                &lambda.directory,
                &function,
                name.qualifier.as_deref(),
                &input.statement_id,
            )
        });
    if let Some(keys) = statement {
        access = access.with_key("lambda:Principal", keys.principal);
        if let Some(kind) = keys.url_auth_type {
            access = access.with_key("lambda:FunctionUrlAuthType", kind);
        }
    }
    Ok(access.into())
}

pub(crate) fn get_policy(lambda: &Lambda, _: &RequestContext, input: &GetPolicyInput) -> Outcome {
    let qualifier = input.qualifier.as_deref();
    Ok(lambda
        .on_function("lambda:GetPolicy", &input.function_name, qualifier)?
        .into())
}

pub(crate) fn tag_resource(lambda: &Lambda, _: &RequestContext, input: &TagResourceInput) -> Outcome {
    let access = lambda.on_function("lambda:TagResource", &input.resource, None)?;
    Ok(with_request_tags(access, &input.tags).into())
}

pub(crate) fn untag_resource(lambda: &Lambda, _: &RequestContext, input: &UntagResourceInput) -> Outcome {
    Ok(lambda
        .on_function("lambda:UntagResource", &input.resource, None)?
        .with_keys("aws:TagKeys", input.tag_keys.clone())
        .into())
}

pub(crate) fn list_tags(lambda: &Lambda, _: &RequestContext, input: &ListTagsInput) -> Outcome {
    Ok(lambda
        .on_function("lambda:ListTags", &input.resource, None)?
        .into())
}

pub(crate) fn put_function_concurrency(
    lambda: &Lambda,
    _: &RequestContext,
    input: &PutFunctionConcurrencyInput,
) -> Outcome {
    Ok(lambda
        .on_function("lambda:PutFunctionConcurrency", &input.function_name, None)?
        .into())
}

pub(crate) fn get_function_concurrency(
    lambda: &Lambda,
    _: &RequestContext,
    input: &GetFunctionConcurrencyInput,
) -> Outcome {
    Ok(lambda
        .on_function("lambda:GetFunctionConcurrency", &input.function_name, None)?
        .into())
}

pub(crate) fn delete_function_concurrency(
    lambda: &Lambda,
    _: &RequestContext,
    input: &DeleteFunctionConcurrencyInput,
) -> Outcome {
    Ok(lambda
        .on_function("lambda:DeleteFunctionConcurrency", &input.function_name, None)?
        .into())
}

pub(crate) fn get_function_code_signing_config(
    lambda: &Lambda,
    _: &RequestContext,
    input: &GetFunctionCodeSigningConfigInput,
) -> Outcome {
    Ok(lambda
        .on_function("lambda:GetFunctionCodeSigningConfig", &input.function_name, None)?
        .into())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the table of operations has one signature for all of these"
)]
pub(crate) fn get_account_settings(_: &Lambda, _: &RequestContext, _: &GetAccountSettingsInput) -> Outcome {
    Ok(Access::new("lambda:GetAccountSettings", "*").into())
}
