//! Attached and inline policies of users, groups and roles: the same seven operations for each.

use std::sync::Arc;

use rolecall_identity::{EntityPolicies, Holder};
use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::error::from_identity;
use crate::generated::{self, AttachedPolicy};
use crate::paging::{Page, page};
use crate::{Iam, views};

fn attached(
    policies: &EntityPolicies,
    prefix: Option<&str>,
    marker: Option<&str>,
    max_items: Option<i32>,
) -> Result<Page<AttachedPolicy>, ServiceError> {
    let prefix = prefix.unwrap_or("/");
    let arns = policies
        .attached
        .iter()
        .filter(|arn| views::path_of_policy(arn).starts_with(prefix));
    Ok(page(arns, |arn| (*arn).clone(), marker, max_items)?.map(|arn| views::attached_policy(arn)))
}

macro_rules! held_policies {
    ($($holder:ident, $field:ident:
        $attach:ident $attach_input:ident,
        $detach:ident $detach_input:ident,
        $list_attached:ident $list_attached_input:ident $list_attached_output:ident,
        $put:ident $put_input:ident,
        $get:ident $get_input:ident $get_output:ident,
        $delete:ident $delete_input:ident,
        $list:ident $list_input:ident $list_output:ident;
    )*) => {
        $(
            pub(crate) async fn $attach(
                iam: Arc<Iam>,
                _: Arc<RequestContext>,
                input: generated::$attach_input,
                _: Permit,
            ) -> Result<(), ServiceError> {
                let holder = Holder::$holder(&input.$field);
                iam.directory.attach_policy(holder, &input.policy_arn).await.map_err(from_identity)
            }

            pub(crate) async fn $detach(
                iam: Arc<Iam>,
                _: Arc<RequestContext>,
                input: generated::$detach_input,
                _: Permit,
            ) -> Result<(), ServiceError> {
                let holder = Holder::$holder(&input.$field);
                iam.directory.detach_policy(holder, &input.policy_arn).await.map_err(from_identity)
            }

            pub(crate) async fn $list_attached(
                iam: Arc<Iam>,
                _: Arc<RequestContext>,
                input: generated::$list_attached_input,
                _: Permit,
            ) -> Result<generated::$list_attached_output, ServiceError> {
                let held = iam.directory.policies_held(Holder::$holder(&input.$field)).map_err(from_identity)?;
                let prefix = input.path_prefix.as_deref();
                let page = attached(&held, prefix, input.marker.as_deref(), input.max_items)?;
                Ok(generated::$list_attached_output {
                    attached_policies: Some(page.items),
                    is_truncated: Some(page.is_truncated),
                    marker: page.marker,
                })
            }

            pub(crate) async fn $put(
                iam: Arc<Iam>,
                _: Arc<RequestContext>,
                input: generated::$put_input,
                _: Permit,
            ) -> Result<(), ServiceError> {
                let holder = Holder::$holder(&input.$field);
                iam.directory
                    .put_inline_policy(holder, &input.policy_name, &input.policy_document)
                    .await
                    .map_err(from_identity)
            }

            pub(crate) async fn $get(
                iam: Arc<Iam>,
                _: Arc<RequestContext>,
                input: generated::$get_input,
                _: Permit,
            ) -> Result<generated::$get_output, ServiceError> {
                let holder = Holder::$holder(&input.$field);
                let text = iam.directory.inline_policy(holder, &input.policy_name).map_err(from_identity)?;
                Ok(generated::$get_output {
                    $field: input.$field,
                    policy_name: input.policy_name,
                    policy_document: views::document(text.as_str()),
                })
            }

            pub(crate) async fn $delete(
                iam: Arc<Iam>,
                _: Arc<RequestContext>,
                input: generated::$delete_input,
                _: Permit,
            ) -> Result<(), ServiceError> {
                let holder = Holder::$holder(&input.$field);
                iam.directory.delete_inline_policy(holder, &input.policy_name).await.map_err(from_identity)
            }

            pub(crate) async fn $list(
                iam: Arc<Iam>,
                _: Arc<RequestContext>,
                input: generated::$list_input,
                _: Permit,
            ) -> Result<generated::$list_output, ServiceError> {
                let held = iam.directory.policies_held(Holder::$holder(&input.$field)).map_err(from_identity)?;
                let page = page(held.inline.into_keys(), String::clone, input.marker.as_deref(), input.max_items)?;
                Ok(generated::$list_output {
                    policy_names: page.items,
                    is_truncated: Some(page.is_truncated),
                    marker: page.marker,
                })
            }
        )*
    };
}

held_policies! {
    User, user_name:
        attach_user_policy AttachUserPolicyInput,
        detach_user_policy DetachUserPolicyInput,
        list_attached_user_policies ListAttachedUserPoliciesInput ListAttachedUserPoliciesOutput,
        put_user_policy PutUserPolicyInput,
        get_user_policy GetUserPolicyInput GetUserPolicyOutput,
        delete_user_policy DeleteUserPolicyInput,
        list_user_policies ListUserPoliciesInput ListUserPoliciesOutput;
    Group, group_name:
        attach_group_policy AttachGroupPolicyInput,
        detach_group_policy DetachGroupPolicyInput,
        list_attached_group_policies ListAttachedGroupPoliciesInput ListAttachedGroupPoliciesOutput,
        put_group_policy PutGroupPolicyInput,
        get_group_policy GetGroupPolicyInput GetGroupPolicyOutput,
        delete_group_policy DeleteGroupPolicyInput,
        list_group_policies ListGroupPoliciesInput ListGroupPoliciesOutput;
    Role, role_name:
        attach_role_policy AttachRolePolicyInput,
        detach_role_policy DetachRolePolicyInput,
        list_attached_role_policies ListAttachedRolePoliciesInput ListAttachedRolePoliciesOutput,
        put_role_policy PutRolePolicyInput,
        get_role_policy GetRolePolicyInput GetRolePolicyOutput,
        delete_role_policy DeleteRolePolicyInput,
        list_role_policies ListRolePoliciesInput ListRolePoliciesOutput;
}
