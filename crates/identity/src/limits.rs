//! Quotas of IAM and STS.
//!
//! Source: IAM User Guide, "IAM and AWS STS quotas" (default values; sizes do not count white space).

/// Characters of a managed policy.
pub const MANAGED_POLICY_SIZE: usize = 6_144;
/// Characters of all inline policies of a user together.
pub const USER_INLINE_SIZE: usize = 2_048;
/// Characters of all inline policies of a group together.
pub const GROUP_INLINE_SIZE: usize = 5_120;
/// Characters of all inline policies of a role together.
pub const ROLE_INLINE_SIZE: usize = 10_240;
/// Characters of a role's trust policy.
pub const TRUST_POLICY_SIZE: usize = 2_048;
/// Characters of an inline session policy together with the managed ones' ARNs.
pub const SESSION_POLICY_SIZE: usize = 2_048;
/// Managed policies of one session.
pub const SESSION_MANAGED_POLICIES: usize = 10;
/// Managed policies attached to one user, group or role.
pub const ATTACHED_POLICIES: usize = 10;
/// Versions of a managed policy.
pub const POLICY_VERSIONS: usize = 5;
/// Access keys of a user.
pub const ACCESS_KEYS_PER_USER: usize = 2;
/// Groups a user can be in.
pub const GROUPS_PER_USER: usize = 10;
/// Tags of one entity, and of one session.
pub const TAGS: usize = 50;
/// Users of an account.
pub const USERS: usize = 5_000;
/// Groups of an account.
pub const GROUPS: usize = 300;
/// Roles of an account.
pub const ROLES: usize = 1_000;
/// Customer managed policies of an account.
pub const POLICIES: usize = 1_500;
