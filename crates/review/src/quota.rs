//! IAM's quotas on the size of policies, which decide whether a least policy fits a role as one.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length>

use rolecall_policy::Document;

/// Characters all inline policies of a role may have together, white space left out.
pub const INLINE_ROLE_QUOTA: usize = 10_240;

/// Characters a managed policy may have, white space left out.
pub const MANAGED_POLICY_QUOTA: usize = 6_144;

/// The characters of `document` that count against a quota.
pub(crate) fn size(document: &Document) -> usize {
    Document::size_without_whitespace(&document.to_string())
}
