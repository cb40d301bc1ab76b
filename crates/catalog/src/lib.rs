//! Facts about AWS: actions, resource types, condition keys, managed policies, and what `CloudTrail` calls things.
//!
//! The facts come from pinned packages (see [`versions`]) through `tools/catalog/generate.py`, and lie compressed in
//! `data/`. Two files there are written by hand, each row with its source: `events.json` (how `CloudTrail` names and sorts
//! an operation, and the IAM actions it needs where its name does not say so) and `global-condition-keys.json`.
//!
//! Nothing is unpacked before it is asked for, and then only the part asked for: the names of all actions are one part,
//! each service is one, each managed policy document is one. Parts stay in memory once unpacked, documents do not.
//!
//! Names are compared as IAM compares them, without regard to case, and come back as AWS writes them.
//!
//! What the catalogue does not know it says it does not know (`None`, or nothing): AWS adds actions every week, so a
//! name that is not here may still exist. A caller must not take that for a permission.

mod glob;
mod global_keys;
mod managed;
mod names;
mod operations;
mod packed;
mod patterns;
mod service;
mod versions;

pub use managed::{ManagedPolicy, managed_policies, managed_policy};
pub use names::{action_name, all_actions, count_matching, expand, matching};
pub use operations::{
    EventCategory, OperationActions, event_category, event_to_action, operation_actions,
    operation_event_name, read_only,
};
pub use patterns::shortest_patterns;
pub use service::{
    AccessLevel, Action, ActionResource, ConditionKey, ConditionKeyType, ResourceType, Service, action,
    condition_key, dependent_actions, resource_type, service, service_prefixes,
};
pub use versions::{Package, versions};
