//! Accounts, users, roles, keys and sessions, and every policy that applies to a principal.
//!
//! A [`Directory`] is one account. It answers three questions on every request, from memory:
//!
//! 1. Whose key is this? [`Directory::resolve_key`] gives the secret to check the signature with, the principal, and
//!    what is known of its session.
//! 2. What applies to the caller? [`Directory::policies_for_key`] gives its identity-based policies, boundary and session
//!    policies, compiled once and shared.
//! 3. May this service assume this role? [`Directory::may_assume`].
//!
//! The rest is what the services IAM and STS are made of: users, groups, roles, access keys, managed policies with
//! versions, inline policies, tags. Every change is committed to the store before it is seen or answered.
//!
//! Temporary credentials are not stored at all: the session token carries what the session is, authenticated with a key
//! kept in the store. Trust policies are stored with the unique ids of this account's principals in place of their
//! ARNs, as AWS does, so that a principal that was deleted and made again is another one.

mod alias;
mod applicable;
mod binding;
mod directory;
mod document;
mod error;
mod groups;
mod holders;
mod ids;
mod keys;
pub mod limits;
mod managed;
mod names;
mod packed;
mod principals;
mod records;
mod roles;
mod rules;
mod secret;
mod session;
mod state;
mod tags;
mod time;
mod token;
mod usage;
mod users;

pub use applicable::ApplicablePolicies;
pub use directory::{Directory, DirectoryOptions, RootCredentials};
pub use document::PolicyText;
pub use error::{IdentityError, KeyError};
pub use holders::{Bounded, Holder};
pub use ids::IdKind;
pub use managed::{AnyPolicy, NewPolicy, PolicyEntities, PolicyUsage, PolicyUse, VersionView};
pub use records::{
    AccessKey, AccountSettings, EntityPolicies, Group, LastUsed, ManagedPolicy, PolicyVersion, Role, Tag,
    User,
};
pub use roles::NewRole;
pub use secret::Secret;
pub use session::{Credentials, ResolvedKey, RoleSession, SessionData, SessionFor, SessionOptions};
pub use tags::{Tagged, check_tags};
pub use users::NewUser;
