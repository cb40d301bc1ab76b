//! What a role used, what it was granted, the least it needs, and how that is proved.
//!
//! The stages follow each other and each is a module:
//!
//! 1. [`usage`] reads the trail: every access of a role's sessions, in order, denials apart.
//! 2. [`granted`] counts what the attached policies allow, against the catalogue of all actions.
//! 3. [`least_policy`] writes the policy that allows what was used and nothing else, within IAM's quotas.
//! 4. [`removals`] takes each action away in turn, so that running again can show that each is needed.
//! 5. [`Proof`] holds what those runs showed, and says whether it is a proof.
//!
//! Pure: no input or output. Running the workload again is the caller's part.

mod call;
mod generalise;
mod granted;
mod least;
mod proof;
mod quota;
mod removals;
mod sid;
mod usage;

pub use call::{Call, Undecided};
pub use generalise::resource_pattern;
pub use granted::{Granted, ServiceCount, granted};
pub use least::{LeastPolicy, LeastPolicyError, LeastPolicyOptions, Placement, least_policy};
pub use proof::{Proof, ProofVerdict, RemovalOutcome};
pub use quota::{INLINE_ROLE_QUOTA, MANAGED_POLICY_QUOTA};
pub use removals::{Removal, removals};
pub use rolecall_trail::Verdict;
pub use usage::{Usage, usage};
