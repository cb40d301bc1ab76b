//! AWS Identity and Access Management: users, groups, roles, access keys and policies of one account.
//!
//! The domain is in `rolecall-identity`; here its operations get their requests, permissions and answers.

mod access;
mod access_keys;
mod account;
mod boundaries;
mod details;
mod error;
#[rustfmt::skip]
mod generated;
mod groups;
mod held_policies;
mod paging;
mod policies;
mod roles;
mod tagging;
mod users;
mod views;

use std::sync::Arc;

use rolecall_identity::Directory;
use rolecall_policy::Principal;
use rolecall_service::{
    BoxFuture, Prepared, RequestContext, Service, ServiceError, find_operation, operations,
};
use rolecall_wire::{OperationModel, ServiceModel, Value};

/// IAM of one account.
pub struct Iam {
    directory: Arc<Directory>,
}

impl Iam {
    /// IAM over the account's directory.
    pub fn new(directory: Arc<Directory>) -> Arc<Self> {
        Arc::new(Self { directory })
    }
}

operations! { Iam {
    CreateUser => access::create_user, users::create_user;
    GetUser => access::get_user, users::get_user;
    ListUsers => access::list_users, users::list_users;
    UpdateUser => access::update_user, users::update_user;
    DeleteUser => access::delete_user, users::delete_user;
    TagUser => access::tag_user, tagging::tag_user;
    UntagUser => access::untag_user, tagging::untag_user;
    ListUserTags => access::list_user_tags, tagging::list_user_tags;
    ListGroupsForUser => access::list_groups_for_user, users::list_groups_for_user;
    PutUserPermissionsBoundary => access::put_user_permissions_boundary, boundaries::put_user_permissions_boundary;
    DeleteUserPermissionsBoundary => access::delete_user_permissions_boundary, boundaries::delete_user_permissions_boundary;
    AttachUserPolicy => access::attach_user_policy, held_policies::attach_user_policy;
    DetachUserPolicy => access::detach_user_policy, held_policies::detach_user_policy;
    ListAttachedUserPolicies => access::list_attached_user_policies, held_policies::list_attached_user_policies;
    PutUserPolicy => access::put_user_policy, held_policies::put_user_policy;
    GetUserPolicy => access::get_user_policy, held_policies::get_user_policy;
    DeleteUserPolicy => access::delete_user_policy, held_policies::delete_user_policy;
    ListUserPolicies => access::list_user_policies, held_policies::list_user_policies;

    CreateAccessKey => access::create_access_key, access_keys::create_access_key;
    ListAccessKeys => access::list_access_keys, access_keys::list_access_keys;
    UpdateAccessKey => access::update_access_key, access_keys::update_access_key;
    DeleteAccessKey => access::delete_access_key, access_keys::delete_access_key;
    GetAccessKeyLastUsed => access::get_access_key_last_used, access_keys::get_access_key_last_used;

    CreateGroup => access::create_group, groups::create_group;
    GetGroup => access::get_group, groups::get_group;
    ListGroups => access::list_groups, groups::list_groups;
    DeleteGroup => access::delete_group, groups::delete_group;
    AddUserToGroup => access::add_user_to_group, groups::add_user_to_group;
    RemoveUserFromGroup => access::remove_user_from_group, groups::remove_user_from_group;
    AttachGroupPolicy => access::attach_group_policy, held_policies::attach_group_policy;
    DetachGroupPolicy => access::detach_group_policy, held_policies::detach_group_policy;
    ListAttachedGroupPolicies => access::list_attached_group_policies, held_policies::list_attached_group_policies;
    PutGroupPolicy => access::put_group_policy, held_policies::put_group_policy;
    GetGroupPolicy => access::get_group_policy, held_policies::get_group_policy;
    DeleteGroupPolicy => access::delete_group_policy, held_policies::delete_group_policy;
    ListGroupPolicies => access::list_group_policies, held_policies::list_group_policies;

    CreateRole => access::create_role, roles::create_role;
    GetRole => access::get_role, roles::get_role;
    ListRoles => access::list_roles, roles::list_roles;
    UpdateRole => access::update_role, roles::update_role;
    UpdateRoleDescription => access::update_role_description, roles::update_role_description;
    UpdateAssumeRolePolicy => access::update_assume_role_policy, roles::update_assume_role_policy;
    DeleteRole => access::delete_role, roles::delete_role;
    TagRole => access::tag_role, tagging::tag_role;
    UntagRole => access::untag_role, tagging::untag_role;
    ListRoleTags => access::list_role_tags, tagging::list_role_tags;
    ListInstanceProfilesForRole => access::list_instance_profiles_for_role, roles::list_instance_profiles_for_role;
    PutRolePermissionsBoundary => access::put_role_permissions_boundary, boundaries::put_role_permissions_boundary;
    DeleteRolePermissionsBoundary => access::delete_role_permissions_boundary, boundaries::delete_role_permissions_boundary;
    AttachRolePolicy => access::attach_role_policy, held_policies::attach_role_policy;
    DetachRolePolicy => access::detach_role_policy, held_policies::detach_role_policy;
    ListAttachedRolePolicies => access::list_attached_role_policies, held_policies::list_attached_role_policies;
    PutRolePolicy => access::put_role_policy, held_policies::put_role_policy;
    GetRolePolicy => access::get_role_policy, held_policies::get_role_policy;
    DeleteRolePolicy => access::delete_role_policy, held_policies::delete_role_policy;
    ListRolePolicies => access::list_role_policies, held_policies::list_role_policies;

    CreatePolicy => access::create_policy, policies::create_policy;
    GetPolicy => access::get_policy, policies::get_policy;
    ListPolicies => access::list_policies, policies::list_policies;
    DeletePolicy => access::delete_policy, policies::delete_policy;
    CreatePolicyVersion => access::create_policy_version, policies::create_policy_version;
    GetPolicyVersion => access::get_policy_version, policies::get_policy_version;
    ListPolicyVersions => access::list_policy_versions, policies::list_policy_versions;
    SetDefaultPolicyVersion => access::set_default_policy_version, policies::set_default_policy_version;
    DeletePolicyVersion => access::delete_policy_version, policies::delete_policy_version;
    TagPolicy => access::tag_policy, tagging::tag_policy;
    UntagPolicy => access::untag_policy, tagging::untag_policy;
    ListPolicyTags => access::list_policy_tags, tagging::list_policy_tags;
    ListEntitiesForPolicy => access::list_entities_for_policy, policies::list_entities_for_policy;

    GetAccountAuthorizationDetails => access::get_account_authorization_details, details::get_account_authorization_details;
    GetAccountSummary => access::get_account_summary, account::get_account_summary;
    CreateAccountAlias => access::create_account_alias, account::create_account_alias;
    ListAccountAliases => access::list_account_aliases, account::list_account_aliases;
    DeleteAccountAlias => access::delete_account_alias, account::delete_account_alias;
} }

impl Service for Iam {
    fn model(&self) -> &'static ServiceModel {
        &generated::MODEL
    }

    fn event_source(&self) -> &'static str {
        "iam.amazonaws.com"
    }

    fn prepare(
        self: Arc<Self>,
        operation: &'static OperationModel,
        input: Value,
        context: Arc<RequestContext>,
    ) -> BoxFuture<'static, Result<Prepared, ServiceError>> {
        Box::pin(async move {
            if is_session_of_user(&context) {
                return Err(error::session_refused());
            }
            match find_operation(OPERATIONS, operation.name) {
                Some(entry) => (entry.prepare)(self, input, context),
                None => Err(error::not_served(operation.name)),
            }
        })
    }
}

/// Credentials of `GetSessionToken` cannot call IAM unless they were made with a multi-factor code (STS API Reference,
/// `GetSessionToken`).
fn is_session_of_user(context: &RequestContext) -> bool {
    let is_user = matches!(
        context.caller.principal,
        Principal::User { .. } | Principal::Root { .. }
    );
    is_user
        && context
            .caller
            .session
            .as_ref()
            .is_some_and(|session| !session.multi_factor)
}
