//! Records of the domain as the API shows them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rolecall_identity::{self as identity, AnyPolicy, Directory, EntityPolicies, PolicyUse, VersionView};

use crate::generated::{
    AttachedPermissionsBoundary, AttachedPolicy, Group, Policy, PolicyDetail, PolicyVersion, Role,
    RoleLastUsed, Tag, User,
};

/// What RFC 3986 leaves as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A policy document as answers carry it: URL-encoded by RFC 3986.
pub(crate) fn document(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Tags, absent when there are none.
pub(crate) fn tags(tags: &[identity::Tag]) -> Option<Vec<Tag>> {
    (!tags.is_empty()).then(|| tags.iter().map(tag).collect())
}

pub(crate) fn tag(tag: &identity::Tag) -> Tag {
    Tag {
        key: tag.key.clone(),
        value: tag.value.clone(),
    }
}

/// Tags of a request.
pub(crate) fn domain_tags(tags: Option<Vec<Tag>>) -> Vec<identity::Tag> {
    tags.into_iter()
        .flatten()
        .map(|tag| identity::Tag::new(tag.key, tag.value))
        .collect()
}

pub(crate) fn boundary(arn: Option<&String>) -> Option<AttachedPermissionsBoundary> {
    arn.map(|arn| AttachedPermissionsBoundary {
        permissions_boundary_type: Some("PermissionsBoundaryPolicy".to_owned()),
        permissions_boundary_arn: Some(arn.clone()),
    })
}

/// A user with everything `GetUser` shows.
pub(crate) fn user(user: &identity::User) -> User {
    User {
        permissions_boundary: boundary(user.boundary.as_ref()),
        tags: tags(&user.tags),
        ..listed_user(user)
    }
}

/// A user as listings show it, without tags and boundary.
pub(crate) fn listed_user(user: &identity::User) -> User {
    User {
        path: user.path.clone(),
        user_name: user.name.clone(),
        user_id: user.id.clone(),
        arn: user.arn.clone(),
        create_date: user.created_at,
        password_last_used: None,
        permissions_boundary: None,
        tags: None,
    }
}

pub(crate) fn group(group: &identity::Group) -> Group {
    Group {
        path: group.path.clone(),
        group_name: group.name.clone(),
        group_id: group.id.clone(),
        arn: group.arn.clone(),
        create_date: group.created_at,
    }
}

/// A role with everything `GetRole` shows.
pub(crate) fn role(directory: &Directory, role: &identity::Role) -> Role {
    Role {
        permissions_boundary: boundary(role.boundary.as_ref()),
        tags: tags(&role.tags),
        role_last_used: Some(role_last_used(directory, role)),
        ..listed_role(directory, role)
    }
}

/// A role as listings show it, without tags, boundary and last use.
pub(crate) fn listed_role(directory: &Directory, role: &identity::Role) -> Role {
    Role {
        path: role.path.clone(),
        role_name: role.name.clone(),
        role_id: role.id.clone(),
        arn: role.arn.clone(),
        create_date: role.created_at,
        assume_role_policy_document: Some(trust(directory, role)),
        description: role.description.clone(),
        max_session_duration: Some(role.max_session_duration),
        permissions_boundary: None,
        tags: None,
        role_last_used: None,
        source_role_template: None,
    }
}

/// The trust policy, with ARNs where its principals still exist.
pub(crate) fn trust(directory: &Directory, role: &identity::Role) -> String {
    document(&directory.show_principals(role.trust.as_str()))
}

pub(crate) fn role_last_used(directory: &Directory, role: &identity::Role) -> RoleLastUsed {
    match directory.last_used(&role.id) {
        Some(used) => RoleLastUsed {
            last_used_date: Some(used.at),
            region: Some(used.region),
        },
        None => RoleLastUsed {
            last_used_date: None,
            region: None,
        },
    }
}

/// A managed policy with everything `GetPolicy` shows.
pub(crate) fn policy(policy: &AnyPolicy, uses: PolicyUse) -> Policy {
    Policy {
        description: policy.description().map(str::to_owned),
        tags: tags(policy.tags()),
        ..listed_policy(policy, uses)
    }
}

/// A managed policy as listings show it, without tags and description.
pub(crate) fn listed_policy(policy: &AnyPolicy, uses: PolicyUse) -> Policy {
    Policy {
        policy_name: Some(policy.name().to_owned()),
        policy_id: Some(policy.id()),
        arn: Some(policy.arn()),
        path: Some(policy.path().to_owned()),
        default_version_id: Some(policy.default_version_id()),
        attachment_count: Some(uses.attachments),
        permissions_boundary_usage_count: Some(uses.boundaries),
        is_attachable: Some(true),
        description: None,
        create_date: Some(policy.created_at()),
        update_date: Some(policy.updated_at()),
        tags: None,
    }
}

/// A version without its document, as all but `GetPolicyVersion` show it.
pub(crate) fn listed_version(version: &VersionView) -> PolicyVersion {
    PolicyVersion {
        document: None,
        version_id: Some(version.version_id.clone()),
        is_default_version: Some(version.is_default),
        create_date: Some(version.created_at),
    }
}

/// A version with its document.
pub(crate) fn version(version: &VersionView) -> PolicyVersion {
    PolicyVersion {
        document: Some(document(version.document.as_str())),
        ..listed_version(version)
    }
}

/// Name of the managed policy with this ARN: what stands behind the last slash.
pub(crate) fn name_of_policy(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Path of the managed policy with this ARN.
pub(crate) fn path_of_policy(arn: &str) -> &str {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let path = resource.strip_prefix("policy").unwrap_or(resource);
    path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or("/")
}

pub(crate) fn attached_policy(arn: &str) -> AttachedPolicy {
    AttachedPolicy {
        policy_name: Some(name_of_policy(arn).to_owned()),
        policy_arn: Some(arn.to_owned()),
    }
}

pub(crate) fn attached_policies(policies: &EntityPolicies) -> Vec<AttachedPolicy> {
    policies.attached.iter().map(|arn| attached_policy(arn)).collect()
}

pub(crate) fn inline_policies(policies: &EntityPolicies) -> Vec<PolicyDetail> {
    policies
        .inline
        .iter()
        .map(|(name, text)| PolicyDetail {
            policy_name: Some(name.clone()),
            policy_document: Some(document(text.as_str())),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_encoded_by_rfc_3986() {
        assert_eq!(
            document("{\"a\": \"é-._~*\"}"),
            "%7B%22a%22%3A%20%22%C3%A9-._~%2A%22%7D"
        );
    }

    #[test]
    fn names_and_paths_of_arns() {
        for (arn, path, name) in [
            ("arn:aws:iam::aws:policy/ReadOnlyAccess", "/", "ReadOnlyAccess"),
            ("arn:aws:iam::aws:policy/service-role/X", "/service-role/", "X"),
            ("arn:aws:iam::123456789012:policy/a/b/c", "/a/b/", "c"),
        ] {
            assert_eq!((path_of_policy(arn), name_of_policy(arn)), (path, name));
        }
    }
}
