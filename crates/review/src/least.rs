//! The least policy: what was used, action by action, on the resources it was used on.

use std::collections::{BTreeMap, BTreeSet};

use rolecall_policy::{Arn, Document, Statement};
use serde::Serialize;

use crate::call::Call;
use crate::generalise::resource_patterns;
use crate::quota::{INLINE_ROLE_QUOTA, MANAGED_POLICY_QUOTA, size};
use crate::sid::Sids;
use crate::usage::Usage;

/// The sizes a least policy must keep to, in characters without white space. IAM's own by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeastPolicyOptions {
    /// Up to this size it is one document, for an inline policy.
    pub inline_quota: usize,
    /// Above, it is several of at most this size each, for managed policies: inline policies share one quota.
    pub managed_quota: usize,
}

impl Default for LeastPolicyOptions {
    fn default() -> Self {
        Self {
            inline_quota: INLINE_ROLE_QUOTA,
            managed_quota: MANAGED_POLICY_QUOTA,
        }
    }
}

/// The policy that allows what was used and nothing beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeastPolicy {
    /// One document, or several when one would be larger than IAM takes; none when nothing was used.
    pub documents: Vec<Document>,
    /// How they are attached to the role.
    pub placement: Placement,
    /// The different actions it names, sorted.
    pub actions: BTreeSet<String>,
    /// Actions that were used and are not in it on some resource, because that resource's own policy grants them.
    pub granted_by_resources: BTreeSet<String>,
}

/// How the documents of a least policy are attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Placement {
    /// As one inline policy of the role.
    Inline,
    /// As one managed policy each.
    Managed,
}

/// Why no least policy could be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeastPolicyError {
    /// A single action on a single resource is larger than a policy may be.
    #[error(
        "allowing {action} on a resource of {length} characters needs more than the {quota} that a policy may have; \
         use shorter names, or write this statement by hand with a wildcard"
    )]
    TooLarge {
        /// The action.
        action: String,
        /// Characters of the resource's ARN.
        length: usize,
        /// The quota.
        quota: usize,
    },
}

/// Writes the least policy for what was used.
///
/// Every action is named in full, never by a pattern. Resources are generalised as
/// [`resource_pattern`](crate::resource_pattern) says. Actions of one service that were used on the same resources share
/// a statement; statements are ordered by service and resource, so the same usage gives the same text. What AWS Lambda
/// did with the role's permissions, such as writing the log, is in it like everything else the role did.
///
/// Not in it are denied accesses, probes the result did not depend on (see [`usage`](crate::usage())), and accesses that
/// a resource's own policy grants within the account.
///
/// # Errors
/// A single action and resource do not fit in a policy.
pub fn least_policy(usage: &Usage, options: LeastPolicyOptions) -> Result<LeastPolicy, LeastPolicyError> {
    let (elsewhere, needed): (Vec<&Call>, Vec<&Call>) = usage
        .used()
        .partition(|call| is_granted_by_resource(call, &usage.role));
    let groups = groups(&needed);
    let documents = documents(&groups, options)?;
    Ok(LeastPolicy {
        placement: if documents.len() > 1 {
            Placement::Managed
        } else {
            Placement::Inline
        },
        documents,
        actions: needed.iter().map(|call| call.action.clone()).collect(),
        granted_by_resources: elsewhere.iter().map(|call| call.action.clone()).collect(),
    })
}

/// Whether the resource's policy alone let the call through: it does within one account, while both sides must allow
/// across accounts (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>).
fn is_granted_by_resource(call: &Call, role: &str) -> bool {
    let account = |text| {
        Arn::parse(text)
            .map(|arn| arn.account)
            .filter(|account| !account.is_empty())
    };
    let is_other_account = match (account(&call.resource), account(role)) {
        (Some(resource), Some(role)) => resource != role,
        _ => false,
    };
    matches!(call.layer.as_str(), "resource" | "trust") && !is_other_account
}

/// Actions of one service that are needed on the same resources.
struct Group {
    service: String,
    actions: Vec<String>,
    resources: Vec<String>,
}

fn groups(needed: &[&Call]) -> Vec<Group> {
    let mut resources: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for call in needed {
        resources
            .entry(call.action.as_str())
            .or_default()
            .insert(call.resource.as_str());
    }
    let mut groups: BTreeMap<(&str, BTreeSet<String>), Vec<String>> = BTreeMap::new();
    for (action, resources) in resources {
        let service = action.split(':').next().unwrap_or_default();
        groups
            .entry((service, resource_patterns(resources)))
            .or_default()
            .push(action.to_owned());
    }
    groups
        .into_iter()
        .map(|((service, resources), actions)| Group {
            service: service.to_owned(),
            actions,
            resources: resources.into_iter().collect(),
        })
        .collect()
}

fn documents(groups: &[Group], options: LeastPolicyOptions) -> Result<Vec<Document>, LeastPolicyError> {
    let mut sids = Sids::default();
    let whole: Vec<Statement> = groups
        .iter()
        .map(|group| {
            statement(
                &mut sids,
                &group.service,
                group.actions.clone(),
                group.resources.clone(),
            )
        })
        .collect();
    if whole.is_empty() {
        return Ok(Vec::new());
    }
    let whole = Document::new(whole);
    if size(&whole) <= options.inline_quota {
        return Ok(vec![whole]);
    }
    let mut sids = Sids::default();
    let mut documents: Vec<Document> = Vec::new();
    for group in groups {
        for part in parts(&mut sids, group, options.managed_quota)? {
            // First fit in order, so that what belongs together stays together.
            if let Some(last) = documents.last_mut() {
                last.statements.push(part.clone());
                if size(last) <= options.managed_quota {
                    continue;
                }
                last.statements.pop();
            }
            documents.push(Document::new(vec![part]));
        }
    }
    Ok(documents)
}

fn statement(sids: &mut Sids, service: &str, actions: Vec<String>, resources: Vec<String>) -> Statement {
    let sid = sids.name(service, resources.first().map(String::as_str).unwrap_or_default());
    Statement::allow(Some(sid), actions, resources)
}

/// The statements of a group, each small enough for a document of its own: halves of halves, by resources while there are
/// several, then by actions.
fn parts(sids: &mut Sids, group: &Group, quota: usize) -> Result<Vec<Statement>, LeastPolicyError> {
    let mut done = Vec::new();
    let mut waiting = vec![(group.actions.as_slice(), group.resources.as_slice())];
    while let Some((actions, resources)) = waiting.pop() {
        let candidate = Statement::allow(Some(LONGEST_SID.to_owned()), actions.to_vec(), resources.to_vec());
        if size(&Document::new(vec![candidate])) <= quota {
            done.push(statement(
                sids,
                &group.service,
                actions.to_vec(),
                resources.to_vec(),
            ));
        } else if resources.len() > 1 {
            let (first, second) = resources.split_at(resources.len() / 2);
            waiting.push((actions, second));
            waiting.push((actions, first));
        } else if actions.len() > 1 {
            let (first, second) = actions.split_at(actions.len() / 2);
            waiting.push((second, resources));
            waiting.push((first, resources));
        } else {
            return Err(LeastPolicyError::TooLarge {
                action: actions.first().cloned().unwrap_or_default(),
                length: resources.first().map_or(0, |resource| resource.chars().count()),
                quota,
            });
        }
    }
    Ok(done)
}

/// As long as a Sid can become, number included, so that naming a statement cannot make it too large.
const LONGEST_SID: &str = "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX";
