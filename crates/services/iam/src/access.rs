//! What each operation needs.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access
//! Management". An entity that is not there is authorised on the ARN its name gives; that it is missing is said only
//! afterwards.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the table of operations has one signature for all of these"
)]

use rolecall_identity::{AnyPolicy, Tag};
use rolecall_policy::Principal;
use rolecall_service::{Access, Needs, RequestContext, ServiceError};

use crate::Iam;
use crate::error::validation;
use crate::generated::{
    self as input, AddUserToGroupInput, AttachGroupPolicyInput, AttachRolePolicyInput, AttachUserPolicyInput,
    CreateAccessKeyInput, CreateAccountAliasInput, CreateGroupInput, CreatePolicyInput,
    CreatePolicyVersionInput, CreateRoleInput, CreateUserInput, DeleteAccessKeyInput,
    DeleteAccountAliasInput, DetachGroupPolicyInput, DetachRolePolicyInput, DetachUserPolicyInput,
    GetAccessKeyLastUsedInput, GetAccountAuthorizationDetailsInput, GetUserInput, ListAccessKeysInput,
    ListAccountAliasesInput, ListGroupsInput, ListPoliciesInput, ListRolesInput, ListUsersInput,
    PutRolePermissionsBoundaryInput, PutUserPermissionsBoundaryInput, RemoveUserFromGroupInput,
    TagPolicyInput, TagRoleInput, TagUserInput, UntagPolicyInput, UntagRoleInput, UntagUserInput,
    UpdateAccessKeyInput, UpdateUserInput,
};

type Outcome = Result<Needs, ServiceError>;

impl Iam {
    fn arn(&self, kind: &str, path: Option<&str>, name: &str) -> String {
        format!(
            "arn:aws:iam::{}:{kind}{}{name}",
            self.directory.account(),
            path.unwrap_or("/")
        )
    }

    fn on_user(&self, action: &'static str, name: &str) -> Access {
        match self.directory.user(name) {
            Ok(user) => with_resource_tags(Access::new(action, user.arn.as_str()), &user.tags),
            Err(_) => Access::new(action, self.arn("user", None, name)),
        }
    }

    fn on_role(&self, action: &'static str, name: &str) -> Access {
        match self.directory.role(name) {
            Ok(role) => with_resource_tags(Access::new(action, role.arn.as_str()), &role.tags),
            Err(_) => Access::new(action, self.arn("role", None, name)),
        }
    }

    fn on_group(&self, action: &'static str, name: &str) -> Access {
        match self.directory.group(name) {
            Ok(group) => Access::new(action, group.arn.as_str()),
            Err(_) => Access::new(action, self.arn("group", None, name)),
        }
    }

    fn on_policy(&self, action: &'static str, arn: &str) -> Access {
        match self.directory.policy(arn) {
            Ok(AnyPolicy::Customer(policy)) => with_resource_tags(Access::new(action, arn), &policy.tags),
            _ => Access::new(action, arn),
        }
    }

    /// With `iam:PermissionsBoundary` of the user, for actions that change what the user may do.
    fn on_bounded_user(&self, action: &'static str, name: &str) -> Access {
        let boundary = self
            .directory
            .user(name)
            .ok()
            .and_then(|user| user.boundary.clone());
        with_boundary(self.on_user(action, name), boundary.as_deref())
    }

    fn on_bounded_role(&self, action: &'static str, name: &str) -> Access {
        let boundary = self
            .directory
            .role(name)
            .ok()
            .and_then(|role| role.boundary.clone());
        with_boundary(self.on_role(action, name), boundary.as_deref())
    }

    /// The user an operation is about: the one named, or the caller.
    pub(crate) fn user_meant(context: &RequestContext, name: Option<&str>) -> Result<String, ServiceError> {
        match (name, &context.caller.principal) {
            (Some(name), _) => Ok(name.to_owned()),
            (None, Principal::User { name, .. }) => Ok(name.clone()),
            _ => Err(validation(
                "Must specify userName when calling with non-User credentials",
            )),
        }
    }
}

fn with_resource_tags(mut access: Access, tags: &[Tag]) -> Access {
    for tag in tags {
        access = access.with_key(format!("iam:ResourceTag/{}", tag.key), tag.value.as_str());
    }
    access.with_tags(tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())))
}

fn with_boundary(access: Access, arn: Option<&str>) -> Access {
    match arn {
        Some(arn) => access.with_key("iam:PermissionsBoundary", arn),
        None => access,
    }
}

fn with_request_tags(mut access: Access, tags: Option<&[input::Tag]>) -> Access {
    let Some(tags) = tags.filter(|tags| !tags.is_empty()) else {
        return access;
    };
    for tag in tags {
        access = access.with_key(format!("aws:RequestTag/{}", tag.key), tag.value.as_str());
    }
    access.with_keys("aws:TagKeys", tags.iter().map(|tag| tag.key.clone()).collect())
}

/// Operations on one user, role, group or policy that need nothing but the action on it.
macro_rules! on_one {
    ($method:ident, $field:ident: $($function:ident, $input:ident, $action:literal;)*) => {
        $(pub(crate) fn $function(iam: &Iam, _: &RequestContext, input: &input::$input) -> Outcome {
            Ok(iam.$method($action, &input.$field).into())
        })*
    };
}

on_one! { on_user, user_name:
    delete_user, DeleteUserInput, "iam:DeleteUser";
    list_user_tags, ListUserTagsInput, "iam:ListUserTags";
    list_groups_for_user, ListGroupsForUserInput, "iam:ListGroupsForUser";
    list_attached_user_policies, ListAttachedUserPoliciesInput, "iam:ListAttachedUserPolicies";
    get_user_policy, GetUserPolicyInput, "iam:GetUserPolicy";
    list_user_policies, ListUserPoliciesInput, "iam:ListUserPolicies";
}

on_one! { on_bounded_user, user_name:
    put_user_policy, PutUserPolicyInput, "iam:PutUserPolicy";
    delete_user_policy, DeleteUserPolicyInput, "iam:DeleteUserPolicy";
    delete_user_permissions_boundary, DeleteUserPermissionsBoundaryInput, "iam:DeleteUserPermissionsBoundary";
}

on_one! { on_role, role_name:
    get_role, GetRoleInput, "iam:GetRole";
    update_role, UpdateRoleInput, "iam:UpdateRole";
    update_role_description, UpdateRoleDescriptionInput, "iam:UpdateRoleDescription";
    update_assume_role_policy, UpdateAssumeRolePolicyInput, "iam:UpdateAssumeRolePolicy";
    delete_role, DeleteRoleInput, "iam:DeleteRole";
    list_role_tags, ListRoleTagsInput, "iam:ListRoleTags";
    list_instance_profiles_for_role, ListInstanceProfilesForRoleInput, "iam:ListInstanceProfilesForRole";
    list_attached_role_policies, ListAttachedRolePoliciesInput, "iam:ListAttachedRolePolicies";
    get_role_policy, GetRolePolicyInput, "iam:GetRolePolicy";
    list_role_policies, ListRolePoliciesInput, "iam:ListRolePolicies";
}

on_one! { on_bounded_role, role_name:
    put_role_policy, PutRolePolicyInput, "iam:PutRolePolicy";
    delete_role_policy, DeleteRolePolicyInput, "iam:DeleteRolePolicy";
    delete_role_permissions_boundary, DeleteRolePermissionsBoundaryInput, "iam:DeleteRolePermissionsBoundary";
}

on_one! { on_group, group_name:
    get_group, GetGroupInput, "iam:GetGroup";
    delete_group, DeleteGroupInput, "iam:DeleteGroup";
    list_attached_group_policies, ListAttachedGroupPoliciesInput, "iam:ListAttachedGroupPolicies";
    put_group_policy, PutGroupPolicyInput, "iam:PutGroupPolicy";
    get_group_policy, GetGroupPolicyInput, "iam:GetGroupPolicy";
    delete_group_policy, DeleteGroupPolicyInput, "iam:DeleteGroupPolicy";
    list_group_policies, ListGroupPoliciesInput, "iam:ListGroupPolicies";
}

on_one! { on_policy, policy_arn:
    get_policy, GetPolicyInput, "iam:GetPolicy";
    delete_policy, DeletePolicyInput, "iam:DeletePolicy";
    get_policy_version, GetPolicyVersionInput, "iam:GetPolicyVersion";
    list_policy_versions, ListPolicyVersionsInput, "iam:ListPolicyVersions";
    set_default_policy_version, SetDefaultPolicyVersionInput, "iam:SetDefaultPolicyVersion";
    delete_policy_version, DeletePolicyVersionInput, "iam:DeletePolicyVersion";
    list_policy_tags, ListPolicyTagsInput, "iam:ListPolicyTags";
    list_entities_for_policy, ListEntitiesForPolicyInput, "iam:ListEntitiesForPolicy";
}

/// Attaching and detaching: `iam:PolicyARN` says what.
macro_rules! attaching {
    ($($function:ident, $input:ident, $method:ident, $field:ident, $action:literal;)*) => {
        $(pub(crate) fn $function(iam: &Iam, _: &RequestContext, input: &$input) -> Outcome {
            Ok(iam.$method($action, &input.$field).with_key("iam:PolicyARN", input.policy_arn.as_str()).into())
        })*
    };
}

attaching! {
    attach_user_policy, AttachUserPolicyInput, on_bounded_user, user_name, "iam:AttachUserPolicy";
    detach_user_policy, DetachUserPolicyInput, on_bounded_user, user_name, "iam:DetachUserPolicy";
    attach_role_policy, AttachRolePolicyInput, on_bounded_role, role_name, "iam:AttachRolePolicy";
    detach_role_policy, DetachRolePolicyInput, on_bounded_role, role_name, "iam:DetachRolePolicy";
    attach_group_policy, AttachGroupPolicyInput, on_group, group_name, "iam:AttachGroupPolicy";
    detach_group_policy, DetachGroupPolicyInput, on_group, group_name, "iam:DetachGroupPolicy";
}

/// Tagging and untagging.
macro_rules! tagging {
    ($($tag:ident, $tag_input:ident, $tag_action:literal, $untag:ident, $untag_input:ident, $untag_action:literal, $method:ident, $field:ident;)*) => {
        $(pub(crate) fn $tag(iam: &Iam, _: &RequestContext, input: &$tag_input) -> Outcome {
            Ok(with_request_tags(iam.$method($tag_action, &input.$field), Some(&input.tags)).into())
        }

        pub(crate) fn $untag(iam: &Iam, _: &RequestContext, input: &$untag_input) -> Outcome {
            Ok(iam.$method($untag_action, &input.$field).with_keys("aws:TagKeys", input.tag_keys.clone()).into())
        })*
    };
}

tagging! {
    tag_user, TagUserInput, "iam:TagUser", untag_user, UntagUserInput, "iam:UntagUser", on_user, user_name;
    tag_role, TagRoleInput, "iam:TagRole", untag_role, UntagRoleInput, "iam:UntagRole", on_role, role_name;
    tag_policy, TagPolicyInput, "iam:TagPolicy", untag_policy, UntagPolicyInput, "iam:UntagPolicy", on_policy, policy_arn;
}

/// Making something with tags needs the permission to tag it, too (IAM User Guide, "Tag IAM users" and its siblings).
fn creating(create: Access, tag_action: &'static str, tags: Option<&[input::Tag]>) -> Outcome {
    let create = with_request_tags(create, tags);
    if tags.is_none_or(<[_]>::is_empty) {
        return Ok(create.into());
    }
    let tag = with_request_tags(Access::new(tag_action, create.resource.as_str()), tags);
    Ok(vec![create, tag].into())
}

pub(crate) fn create_user(iam: &Iam, _: &RequestContext, input: &CreateUserInput) -> Outcome {
    let access = Access::new(
        "iam:CreateUser",
        iam.arn("user", input.path.as_deref(), &input.user_name),
    );
    creating(
        with_boundary(access, input.permissions_boundary.as_deref()),
        "iam:TagUser",
        input.tags.as_deref(),
    )
}

pub(crate) fn create_role(iam: &Iam, _: &RequestContext, input: &CreateRoleInput) -> Outcome {
    let access = Access::new(
        "iam:CreateRole",
        iam.arn("role", input.path.as_deref(), &input.role_name),
    );
    creating(
        with_boundary(access, input.permissions_boundary.as_deref()),
        "iam:TagRole",
        input.tags.as_deref(),
    )
}

pub(crate) fn create_policy(iam: &Iam, _: &RequestContext, input: &CreatePolicyInput) -> Outcome {
    let access = Access::new(
        "iam:CreatePolicy",
        iam.arn("policy", input.path.as_deref(), &input.policy_name),
    );
    creating(access, "iam:TagPolicy", input.tags.as_deref())
}

pub(crate) fn create_group(iam: &Iam, _: &RequestContext, input: &CreateGroupInput) -> Outcome {
    Ok(Access::new(
        "iam:CreateGroup",
        iam.arn("group", input.path.as_deref(), &input.group_name),
    )
    .into())
}

/// With a version that is made the default at once the caller changes what the policy grants, so that
/// `iam:CreatePolicyVersion` alone decides, as in AWS.
pub(crate) fn create_policy_version(
    iam: &Iam,
    _: &RequestContext,
    input: &CreatePolicyVersionInput,
) -> Outcome {
    Ok(iam.on_policy("iam:CreatePolicyVersion", &input.policy_arn).into())
}

pub(crate) fn get_user(iam: &Iam, context: &RequestContext, input: &GetUserInput) -> Outcome {
    if input.user_name.is_none() && matches!(context.caller.principal, Principal::Root { .. }) {
        return Ok(Access::new("iam:GetUser", iam.directory.root_arn()).into());
    }
    let name = Iam::user_meant(context, input.user_name.as_deref())?;
    Ok(iam.on_user("iam:GetUser", &name).into())
}

/// The user as it is and as it will be (IAM API Reference, `UpdateUser`: permissions on both are needed).
pub(crate) fn update_user(iam: &Iam, _: &RequestContext, input: &UpdateUserInput) -> Outcome {
    let current = iam.on_user("iam:UpdateUser", &input.user_name);
    let own_path = iam
        .directory
        .user(&input.user_name)
        .ok()
        .map(|user| user.path.clone());
    let path = input.new_path.clone().or(own_path);
    let name = input.new_user_name.as_deref().unwrap_or(&input.user_name);
    let future = Access::new("iam:UpdateUser", iam.arn("user", path.as_deref(), name));
    if future.resource == current.resource {
        return Ok(current.into());
    }
    Ok(vec![current, future].into())
}

pub(crate) fn put_user_permissions_boundary(
    iam: &Iam,
    _: &RequestContext,
    input: &PutUserPermissionsBoundaryInput,
) -> Outcome {
    let access = iam.on_user("iam:PutUserPermissionsBoundary", &input.user_name);
    Ok(with_boundary(access, Some(&input.permissions_boundary)).into())
}

pub(crate) fn put_role_permissions_boundary(
    iam: &Iam,
    _: &RequestContext,
    input: &PutRolePermissionsBoundaryInput,
) -> Outcome {
    let access = iam.on_role("iam:PutRolePermissionsBoundary", &input.role_name);
    Ok(with_boundary(access, Some(&input.permissions_boundary)).into())
}

pub(crate) fn add_user_to_group(iam: &Iam, _: &RequestContext, input: &AddUserToGroupInput) -> Outcome {
    Ok(iam.on_group("iam:AddUserToGroup", &input.group_name).into())
}

pub(crate) fn remove_user_from_group(
    iam: &Iam,
    _: &RequestContext,
    input: &RemoveUserFromGroupInput,
) -> Outcome {
    Ok(iam.on_group("iam:RemoveUserFromGroup", &input.group_name).into())
}

/// Operations on the access keys of a user, by default the caller.
macro_rules! on_keys {
    ($($function:ident, $input:ident, $action:literal;)*) => {
        $(pub(crate) fn $function(iam: &Iam, context: &RequestContext, input: &$input) -> Outcome {
            let name = Iam::user_meant(context, input.user_name.as_deref())?;
            Ok(iam.on_user($action, &name).into())
        })*
    };
}

on_keys! {
    create_access_key, CreateAccessKeyInput, "iam:CreateAccessKey";
    list_access_keys, ListAccessKeysInput, "iam:ListAccessKeys";
    update_access_key, UpdateAccessKeyInput, "iam:UpdateAccessKey";
    delete_access_key, DeleteAccessKeyInput, "iam:DeleteAccessKey";
}

/// On the user who has the key. Only who may ask about every user learns that there is no such key.
pub(crate) fn get_access_key_last_used(
    iam: &Iam,
    _: &RequestContext,
    input: &GetAccessKeyLastUsedInput,
) -> Outcome {
    const ACTION: &str = "iam:GetAccessKeyLastUsed";
    Ok(match iam.directory.access_key_owner(&input.access_key_id) {
        Ok(name) => iam.on_user(ACTION, &name).into(),
        Err(_) => Access::new(ACTION, "*").into(),
    })
}

/// Listings by path: the resource is the path.
macro_rules! on_path {
    ($($function:ident, $input:ident, $action:literal, $kind:literal;)*) => {
        $(pub(crate) fn $function(iam: &Iam, _: &RequestContext, input: &$input) -> Outcome {
            Ok(Access::new($action, iam.arn($kind, input.path_prefix.as_deref(), "")).into())
        })*
    };
}

on_path! {
    list_users, ListUsersInput, "iam:ListUsers", "user";
    list_roles, ListRolesInput, "iam:ListRoles", "role";
    list_groups, ListGroupsInput, "iam:ListGroups", "group";
}

/// Actions without resource-level permissions.
macro_rules! on_everything {
    ($($function:ident, $input:ty, $action:literal;)*) => {
        $(pub(crate) fn $function(_: &Iam, _: &RequestContext, _: &$input) -> Outcome {
            Ok(Access::new($action, "*").into())
        })*
    };
}

on_everything! {
    list_policies, ListPoliciesInput, "iam:ListPolicies";
    get_account_authorization_details, GetAccountAuthorizationDetailsInput, "iam:GetAccountAuthorizationDetails";
    get_account_summary, (), "iam:GetAccountSummary";
    create_account_alias, CreateAccountAliasInput, "iam:CreateAccountAlias";
    list_account_aliases, ListAccountAliasesInput, "iam:ListAccountAliases";
    delete_account_alias, DeleteAccountAliasInput, "iam:DeleteAccountAlias";
}
