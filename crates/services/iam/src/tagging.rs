//! Tags of users, roles and customer managed policies: the same three operations for each.

use std::sync::Arc;

use rolecall_identity::Tagged;
use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::error::from_identity;
use crate::generated;
use crate::paging::page;
use crate::{Iam, views};

macro_rules! tagging {
    ($($tagged:ident, $field:ident:
        $tag:ident $tag_input:ident,
        $untag:ident $untag_input:ident,
        $list:ident $list_input:ident $list_output:ident;
    )*) => {
        $(
            pub(crate) async fn $tag(
                iam: Arc<Iam>,
                _: Arc<RequestContext>,
                input: generated::$tag_input,
                _: Permit,
            ) -> Result<(), ServiceError> {
                let tags = views::domain_tags(Some(input.tags));
                iam.directory.tag(Tagged::$tagged(&input.$field), &tags).await.map_err(from_identity)
            }

            pub(crate) async fn $untag(
                iam: Arc<Iam>,
                _: Arc<RequestContext>,
                input: generated::$untag_input,
                _: Permit,
            ) -> Result<(), ServiceError> {
                iam.directory.untag(Tagged::$tagged(&input.$field), &input.tag_keys).await.map_err(from_identity)
            }

            pub(crate) async fn $list(
                iam: Arc<Iam>,
                _: Arc<RequestContext>,
                input: generated::$list_input,
                _: Permit,
            ) -> Result<generated::$list_output, ServiceError> {
                let tags = iam.directory.tags(Tagged::$tagged(&input.$field)).map_err(from_identity)?;
                let page = page(tags, |tag| tag.key.to_ascii_lowercase(), input.marker.as_deref(), input.max_items)?
                    .map(|tag| views::tag(&tag));
                Ok(generated::$list_output {
                    tags: page.items,
                    is_truncated: Some(page.is_truncated),
                    marker: page.marker,
                })
            }
        )*
    };
}

tagging! {
    User, user_name:
        tag_user TagUserInput,
        untag_user UntagUserInput,
        list_user_tags ListUserTagsInput ListUserTagsOutput;
    Role, role_name:
        tag_role TagRoleInput,
        untag_role UntagRoleInput,
        list_role_tags ListRoleTagsInput ListRoleTagsOutput;
    Policy, policy_arn:
        tag_policy TagPolicyInput,
        untag_policy UntagPolicyInput,
        list_policy_tags ListPolicyTagsInput ListPolicyTagsOutput;
}
