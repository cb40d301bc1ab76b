//! What each operation needs.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Security Token Service".

#![expect(
    clippy::unnecessary_wraps,
    reason = "the table of operations has one signature for all of these"
)]

use rolecall_identity::{Directory, Tag};
use rolecall_policy::{Principal, ResourcePolicyKind};
use rolecall_service::{Access, AttachedPolicy, Needs, RequestContext, ServiceError};

use crate::Sts;
use crate::error::access_denied;
use crate::generated::{AssumeRoleInput, GetCallerIdentityInput, GetSessionTokenInput};

/// Allowed to everybody, even against a Deny (rule 39).
pub(crate) fn get_caller_identity(
    _: &Sts,
    _: &RequestContext,
    _: &GetCallerIdentityInput,
) -> Result<Needs, ServiceError> {
    Ok(Needs::Always {
        action: "sts:GetCallerIdentity",
    })
}

/// IAM User Guide, "Granting permissions to create temporary security credentials": no permissions are needed, and
/// policies cannot control it. Sessions cannot call it.
pub(crate) fn get_session_token(
    _: &Sts,
    context: &RequestContext,
    _: &GetSessionTokenInput,
) -> Result<Needs, ServiceError> {
    if context.caller.session.is_some() {
        return Err(access_denied(
            "Cannot call GetSessionToken with session credentials",
        ));
    }
    Ok(Needs::Always {
        action: "sts:GetSessionToken",
    })
}

/// The role's trust policy decides with the caller's own policies. A role that does not exist trusts nobody, so that
/// the answer does not tell whether it is there.
pub(crate) fn assume_role(
    sts: &Sts,
    context: &RequestContext,
    input: &AssumeRoleInput,
) -> Result<Needs, ServiceError> {
    if matches!(context.caller.principal, Principal::Root { .. }) {
        return Err(access_denied("Roles may not be assumed by root accounts."));
    }
    let role = sts.directory.role_by_arn(&input.role_arn);
    let policy = role
        .as_deref()
        .and_then(Directory::trust_policy)
        .unwrap_or_else(Directory::trust_in_nobody);
    let trust = AttachedPolicy {
        policy,
        kind: ResourcePolicyKind::Trust,
    };
    let account = input.role_arn.split(':').nth(4).unwrap_or_default();
    let role_tags: Vec<(String, String)> = role
        .iter()
        .flat_map(|role| &role.tags)
        .map(|tag| (tag.key.clone(), tag.value.clone()))
        .collect();
    let tags = session_tags(context, input);
    let transitive = transitive_keys(context, input);
    let source_identity = source_identity(context, input);
    let access = |action: &'static str| {
        let mut access = Access::new(action, input.role_arn.as_str())
            .owned_by(account)
            .with_policy(Some(trust.clone()))
            .with_tags(role_tags.iter().cloned())
            .with_key("sts:RoleSessionName", input.role_session_name.as_str());
        for (key, value) in &role_tags {
            access = access.with_key(format!("iam:ResourceTag/{key}"), value.as_str());
        }
        if let Some(external_id) = &input.external_id {
            access = access.with_key("sts:ExternalId", external_id.as_str());
        }
        if let Some(source_identity) = source_identity {
            access = access.with_key("sts:SourceIdentity", source_identity);
        }
        if !tags.is_empty() {
            access = access.with_keys("aws:TagKeys", tags.iter().map(|tag| tag.key.clone()).collect());
        }
        for tag in &tags {
            access = access.with_key(format!("aws:RequestTag/{}", tag.key), tag.value.as_str());
        }
        if !transitive.is_empty() {
            access = access.with_keys("sts:TransitiveTagKeys", transitive.clone());
        }
        access
    };
    let mut accesses = vec![access("sts:AssumeRole")];
    if !tags.is_empty() {
        accesses.push(access("sts:TagSession"));
    }
    if source_identity.is_some() {
        accesses.push(access("sts:SetSourceIdentity"));
    }
    Ok(accesses.into())
}

/// Tags of the new session: those asked for, and the transitive ones of the caller's own session.
pub(crate) fn session_tags(context: &RequestContext, input: &AssumeRoleInput) -> Vec<Tag> {
    let asked = input
        .tags
        .iter()
        .flatten()
        .map(|tag| Tag::new(tag.key.clone(), tag.value.clone()));
    let mut tags: Vec<Tag> = asked.collect();
    for (key, value) in inherited(context) {
        if !tags.iter().any(|tag| tag.key.eq_ignore_ascii_case(key)) {
            tags.push(Tag::new(key, value));
        }
    }
    tags
}

/// Keys of the tags that will persist through the next role.
pub(crate) fn transitive_keys(context: &RequestContext, input: &AssumeRoleInput) -> Vec<String> {
    let mut keys: Vec<String> = input.transitive_tag_keys.iter().flatten().cloned().collect();
    for (key, _) in inherited(context) {
        if !keys.iter().any(|known| known.eq_ignore_ascii_case(key)) {
            keys.push(key.to_owned());
        }
    }
    keys
}

/// The source identity of the new session: the caller's own persists.
pub(crate) fn source_identity<'a>(
    context: &'a RequestContext,
    input: &'a AssumeRoleInput,
) -> Option<&'a str> {
    let own = context
        .caller
        .session
        .as_ref()
        .and_then(|session| session.source_identity.as_deref());
    own.or(input.source_identity.as_deref())
}

/// The caller's session tags that are transitive.
pub(crate) fn inherited(context: &RequestContext) -> impl Iterator<Item = (&str, &str)> {
    let keys = context
        .caller
        .session
        .as_ref()
        .map_or(&[][..], |session| session.transitive_tag_keys.as_slice());
    context
        .caller
        .tags
        .iter()
        .filter(|(key, _)| keys.iter().any(|transitive| transitive.eq_ignore_ascii_case(key)))
        .map(|(key, value)| (key.as_str(), value.as_str()))
}
