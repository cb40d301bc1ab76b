//! Documents made ready to decide: patterns and conditions parsed, statements found by the action's service.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::condition::{Condition, Keys};
use crate::document::{Document, Effect, Element, Principals};
use crate::pattern::{ActionPattern, Matched, ResourcePattern};
use crate::principal::{self, Naming, Principal};

/// A compiled policy. Share it in an [`Arc`].
#[derive(Debug)]
pub struct CompiledPolicy {
    label: Arc<str>,
    statements: Vec<CompiledStatement>,
    /// Statements by service prefix of their actions, and those for every service.
    by_service: HashMap<String, Vec<usize>, RandomState>,
    every_service: Vec<usize>,
}

/// Which statement of which policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRef {
    /// The policy's label: its ARN for a managed policy, else what it was compiled under.
    pub policy: Arc<str>,
    /// Position of the statement, from 0.
    pub index: usize,
    /// Its `Sid`.
    pub sid: Option<Arc<str>>,
}

impl fmt::Display for StatementRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} statement {}", self.policy, self.index)?;
        match &self.sid {
            Some(sid) if !sid.is_empty() => write!(formatter, " ({sid})"),
            _ => Ok(()),
        }
    }
}

#[derive(Debug)]
pub(crate) struct CompiledStatement {
    pub(crate) effect: Effect,
    sid: Option<Arc<str>>,
    principal: Option<Element<Principals>>,
    actions: Element<Vec<ActionPattern>>,
    resources: Option<Element<Vec<ResourcePattern>>>,
    pub(crate) conditions: Vec<Condition>,
}

/// What a request looks like to a statement.
pub(crate) struct Subject<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) keys: &'a dyn Keys,
    /// Whether the principal has a permissions boundary (rule 45).
    pub(crate) bounded: bool,
}

/// Which element stopped a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    Action,
    Principal,
    Resource,
    /// The condition at this position.
    Condition(usize),
}

impl CompiledPolicy {
    /// Compiles a document. `label` names the policy in decisions: its ARN, or a name such as `inline policy Orders`.
    pub fn compile(document: &Document, label: impl Into<Arc<str>>) -> Self {
        let variables = document.has_variables();
        let mut policy = Self {
            label: label.into(),
            statements: Vec::with_capacity(document.statements.len()),
            by_service: HashMap::default(),
            every_service: Vec::new(),
        };
        for (index, statement) in document.statements.iter().enumerate() {
            let actions: Vec<ActionPattern> = statement.action.value.iter().map(ActionPattern::new).collect();
            let services: Option<Vec<String>> = if statement.action.negated {
                None
            } else {
                actions.iter().map(ActionPattern::service).collect()
            };
            let conditions: Option<Vec<Condition>> = statement
                .conditions
                .iter()
                .map(|condition| Condition::compile(condition, variables))
                .collect();
            // The parser refuses unknown operators, but a document can be put together by hand: an Allow with such a
            // condition is left out, a Deny applies without it.
            if conditions.is_some() || statement.effect == Effect::Deny {
                policy.index(index, services);
            }
            policy.statements.push(CompiledStatement {
                effect: statement.effect,
                sid: statement.sid.as_deref().map(Arc::from),
                principal: statement.principal.clone(),
                actions: Element {
                    negated: statement.action.negated,
                    value: actions,
                },
                resources: statement.resource.as_ref().map(|resource| Element {
                    negated: resource.negated,
                    value: resource
                        .value
                        .iter()
                        .map(|text| ResourcePattern::new(text, variables))
                        .collect(),
                }),
                conditions: conditions.unwrap_or_else(|| {
                    let known = statement.conditions.iter();
                    known
                        .filter_map(|condition| Condition::compile(condition, variables))
                        .collect()
                }),
            });
        }
        policy
    }

    /// Files a statement under the services of its actions; `None` for every service.
    fn index(&mut self, index: usize, services: Option<Vec<String>>) {
        let Some(mut services) = services else {
            self.every_service.push(index);
            return;
        };
        services.sort_unstable();
        services.dedup();
        for service in services {
            self.by_service.entry(service).or_default().push(index);
        }
    }

    /// The name it reports itself by.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The condition keys its statements read, each once, as written.
    pub fn condition_keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = self
            .statements
            .iter()
            .flat_map(|statement| &statement.conditions)
            .flat_map(Condition::keys)
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    pub(crate) fn reference(&self, index: usize) -> StatementRef {
        StatementRef {
            policy: Arc::clone(&self.label),
            index,
            sid: self
                .statements
                .get(index)
                .and_then(|statement| statement.sid.clone()),
        }
    }

    /// Statements that may match an action of `service` (lower case), with their positions.
    pub(crate) fn candidates<'a>(
        &'a self,
        service: &str,
    ) -> impl Iterator<Item = (usize, &'a CompiledStatement)> + use<'a> {
        let of_service = self.by_service.get(service).map_or(&[][..], Vec::as_slice);
        of_service
            .iter()
            .chain(&self.every_service)
            .filter_map(|index| self.statements.get(*index).map(|statement| (*index, statement)))
    }
}

impl CompiledStatement {
    /// Whether it says whom it is about.
    pub(crate) fn names_principals(&self) -> bool {
        self.principal.is_some()
    }

    /// Whether the statement is about the request, and how it names the principal. Statements of policies that have no
    /// principals are about whoever they are attached to.
    pub(crate) fn applies(&self, subject: &Subject<'_>) -> Result<Naming, Stopped> {
        let action = self
            .actions
            .value
            .iter()
            .any(|pattern| pattern.matches(subject.action));
        if action == self.actions.negated {
            return Err(Stopped::Action);
        }
        let naming = match &self.principal {
            None => Naming::Itself,
            Some(element) => {
                let denies = self.effect == Effect::Deny;
                principal::naming(element, subject.principal, denies, subject.bounded)
                    .ok_or(Stopped::Principal)?
            }
        };
        if let Some(resources) = &self.resources
            && !self.matches_resource(resources, subject)
        {
            return Err(Stopped::Resource);
        }
        for (index, condition) in self.conditions.iter().enumerate() {
            if !condition.holds(subject.keys) {
                return Err(Stopped::Condition(index));
            }
        }
        Ok(naming)
    }

    fn matches_resource(&self, resources: &Element<Vec<ResourcePattern>>, subject: &Subject<'_>) -> bool {
        let value = |key: &str| subject.keys.single(key);
        let mut unresolved = false;
        for pattern in &resources.value {
            match pattern.matches_with(subject.resource, &value) {
                Matched::Yes => return !resources.negated,
                Matched::No => {}
                Matched::Unresolved => unresolved = true,
            }
        }
        if !resources.negated {
            return false;
        }
        // Rule 59: an exclusion that cannot be worked out must not widen an Allow, nor lose a Deny.
        !unresolved || self.effect == Effect::Deny
    }
}
