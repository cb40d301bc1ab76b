//! How many actions the attached policies grant, and how many of them were used.

use std::collections::{BTreeMap, BTreeSet};

use rolecall_catalog as catalog;
use rolecall_policy::{ActionPattern, Document, Effect, Statement};

use crate::Usage;

/// What the attached policies grant, as names of actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The different actions granted on at least one resource, sorted.
    pub actions: BTreeSet<String>,
    /// Those of them that were used.
    pub used: BTreeSet<String>,
}

/// Granted and used actions of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCount {
    /// The prefix of its actions, such as `s3`.
    pub service: String,
    /// How many of its actions are granted.
    pub granted: usize,
    /// How many of those were used.
    pub used: usize,
}

/// Counts what the identity-based `policies` of a role grant inside its permissions `boundary`, if it has one, and which
/// of that was used.
///
/// Patterns, also those of `NotAction`, are expanded against the catalogue of AWS's actions. An action counts as granted
/// when some statement allows it on some resource under some condition, unless another denies it on every resource
/// without any condition. That is the reach of the policies, not a decision about one request.
///
/// An action the catalogue does not know counts when it was used and a statement allows it.
pub fn granted(policies: &[Document], boundary: Option<&Document>, usage: &Usage) -> Granted {
    let used = usage.used_actions();
    let unknown: Vec<&str> = used
        .iter()
        .copied()
        .filter(|action| catalog::action_name(action).is_none())
        .collect();
    let mut actions = reach(policies, &unknown);
    if let Some(boundary) = boundary {
        let limit = reach(std::slice::from_ref(boundary), &unknown);
        actions.retain(|action| limit.contains(action));
    }
    let is_used = |action: &&&str| used.iter().any(|used| used.eq_ignore_ascii_case(action));
    let used = actions
        .iter()
        .filter(is_used)
        .map(|action| (*action).to_owned())
        .collect();
    Granted {
        actions: actions.into_iter().map(str::to_owned).collect(),
        used,
    }
}

/// What the policies allow somewhere and do not deny everywhere, of the catalogue and of `unknown`.
fn reach<'a>(policies: &[Document], unknown: &[&'a str]) -> BTreeSet<&'a str> {
    let statements = || policies.iter().flat_map(|policy| &policy.statements);
    let mut actions = BTreeSet::new();
    for statement in statements().filter(|statement| statement.effect == Effect::Allow) {
        actions.extend(actions_of(statement, unknown));
    }
    for statement in statements().filter(|statement| statement.effect == Effect::Deny && is_total(statement))
    {
        for action in actions_of(statement, unknown) {
            actions.remove(action);
        }
    }
    actions
}

/// Whether a statement is about every resource, whatever the request.
fn is_total(statement: &Statement) -> bool {
    let names_all = statement
        .resource
        .as_ref()
        .is_none_or(|resource| !resource.negated && resource.value.iter().any(|pattern| pattern == "*"));
    names_all && statement.conditions.is_empty()
}

/// The actions a statement is about.
fn actions_of<'a>(statement: &Statement, unknown: &[&'a str]) -> BTreeSet<&'a str> {
    let patterns = &statement.action.value;
    let listed: BTreeSet<&str> = catalog::matching(patterns.iter()).into_iter().collect();
    let known = catalog::all_actions().iter().copied();
    let is_listed = |action: &str| {
        patterns
            .iter()
            .any(|pattern| ActionPattern::new(pattern).matches(action))
    };
    let negated = statement.action.negated;
    known
        .filter(|action| listed.contains(action) != negated)
        .chain(
            unknown
                .iter()
                .copied()
                .filter(|action| is_listed(action) != negated),
        )
        .collect()
}

impl Granted {
    /// How many actions are granted that were not used.
    pub fn unused(&self) -> usize {
        self.actions.len().saturating_sub(self.used.len())
    }

    /// The counts by service, the one with most granted actions first.
    pub fn by_service(&self) -> Vec<ServiceCount> {
        let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for action in &self.actions {
            let (service, _) = action.split_once(':').unwrap_or((action, ""));
            let (granted, used) = counts.entry(service).or_default();
            *granted += 1;
            *used += usize::from(self.used.contains(action));
        }
        let mut counts: Vec<ServiceCount> = counts
            .into_iter()
            .map(|(service, (granted, used))| ServiceCount {
                service: service.to_owned(),
                granted,
                used,
            })
            .collect();
        // Stable, so that services with equal counts stay in the order of their names.
        counts.sort_by_key(|count| std::cmp::Reverse(count.granted));
        counts
    }
}
