//! `AssumeRole`.
//!
//! Source: STS API Reference, `AssumeRole`; IAM User Guide, "Methods to assume a role" (role chaining) and "Pass session
//! tags in AWS STS".

use std::sync::Arc;

use rolecall_identity::{Credentials, SessionFor, SessionOptions, check_tags};
use rolecall_policy::Principal;
use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::error::{access_denied, from_identity, validation};
use crate::generated::{self, AssumeRoleInput, AssumeRoleOutput, AssumedRoleUser};
use crate::{Sts, access};

const DEFAULT_SECONDS: i32 = 3_600;
const SHORTEST_SECONDS: i32 = 900;
const LONGEST_CHAINED_SECONDS: i32 = 3_600;

pub(crate) async fn assume_role(
    sts: Arc<Sts>,
    context: Arc<RequestContext>,
    input: AssumeRoleInput,
    _: Permit,
) -> Result<AssumeRoleOutput, ServiceError> {
    refuse_multi_factor(input.serial_number.as_deref(), input.token_code.as_deref())?;
    if input
        .provided_contexts
        .as_ref()
        .is_some_and(|contexts| !contexts.is_empty())
    {
        return Err(validation(
            "ProvidedContexts is not supported by this endpoint; leave it out.",
        ));
    }
    if input.minimum_session_token_size.is_some() {
        return Err(validation(
            "MinimumSessionTokenSize is not supported by this endpoint; leave it out.",
        ));
    }
    let role = sts.directory.role_by_arn(&input.role_arn).ok_or_else(|| {
        // The permit was given a moment ago, so the role was deleted in between.
        access_denied(format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
            context.caller.principal.arn(),
            input.role_arn
        ))
    })?;
    let seconds = input.duration_seconds.unwrap_or(DEFAULT_SECONDS);
    if seconds < SHORTEST_SECONDS {
        return Err(validation(format!(
            "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to {SHORTEST_SECONDS}"
        )));
    }
    if matches!(context.caller.principal, Principal::RoleSession { .. }) && seconds > LONGEST_CHAINED_SECONDS
    {
        return Err(validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    if seconds > role.max_session_duration {
        return Err(validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    check_session_tags(&context, &input)?;
    let options = SessionOptions {
        duration_seconds: seconds,
        policy_arns: input
            .policy_arns
            .iter()
            .flatten()
            .filter_map(|descriptor| descriptor.arn.clone())
            .collect(),
        tags: access::session_tags(&context, &input),
        transitive_tag_keys: access::transitive_keys(&context, &input),
        source_identity: access::source_identity(&context, &input).map(str::to_owned),
        multi_factor: false,
        policy: input.policy,
    };
    let source_identity = options.source_identity.clone();
    let session_for = SessionFor::Role {
        role: &role,
        session_name: &input.role_session_name,
    };
    let issued = sts
        .directory
        .issue_session(session_for, options, context.time)
        .map_err(from_identity)?;
    Ok(AssumeRoleOutput {
        credentials: Some(credentials(&issued)),
        assumed_role_user: Some(AssumedRoleUser {
            assumed_role_id: format!("{}:{}", role.id, input.role_session_name),
            arn: issued.principal.arn(),
        }),
        packed_policy_size: issued.packed_policy_size,
        source_identity,
        ..AssumeRoleOutput::default()
    })
}

/// Rules of session tags and of what a session inherits.
fn check_session_tags(context: &RequestContext, input: &AssumeRoleInput) -> Result<(), ServiceError> {
    let asked: Vec<_> = input
        .tags
        .iter()
        .flatten()
        .map(|tag| rolecall_identity::Tag::new(tag.key.clone(), tag.value.clone()))
        .collect();
    check_tags(&asked).map_err(from_identity)?;
    check_tags(&access::session_tags(context, input)).map_err(from_identity)?;
    for key in input.transitive_tag_keys.iter().flatten() {
        if !asked.iter().any(|tag| tag.key.eq_ignore_ascii_case(key)) {
            return Err(validation(format!(
                "The specified transitive tag key {key} must be included in the requested tags."
            )));
        }
    }
    for (key, _) in access::inherited(context) {
        if asked.iter().any(|tag| tag.key.eq_ignore_ascii_case(key)) {
            return Err(validation(format!(
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session: {key}"
            )));
        }
    }
    let own = context
        .caller
        .session
        .as_ref()
        .and_then(|session| session.source_identity.as_deref());
    if let (Some(own), Some(asked)) = (own, input.source_identity.as_deref())
        && own != asked
    {
        return Err(validation(
            "The source identity of the calling session cannot be changed.",
        ));
    }
    Ok(())
}

/// There are no MFA devices here, so no code can be right.
pub(crate) fn refuse_multi_factor(
    serial_number: Option<&str>,
    token_code: Option<&str>,
) -> Result<(), ServiceError> {
    if serial_number.is_some() || token_code.is_some() {
        return Err(access_denied(
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
        ));
    }
    Ok(())
}

pub(crate) fn credentials(issued: &Credentials) -> generated::Credentials {
    generated::Credentials {
        access_key_id: issued.access_key_id.clone(),
        secret_access_key: issued.secret.expose().to_owned(),
        session_token: issued.session_token.expose().to_owned(),
        expiration: issued.expires_at,
    }
}
