//! Why a request was decided as it was: the statement that decided, those that almost did, and AWS's sentence.

use crate::compile::{CompiledPolicy, StatementRef, Stopped, Subject};
use crate::decide::{Decision, Layer, Policies, Request, RequestKeys, ResourcePolicyKind, decide};
use crate::document::Effect;

/// A decision with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What was decided.
    pub decision: Decision,
    /// Statements whose action matched and that another element stopped.
    pub near_misses: Vec<NearMiss>,
}

/// A statement that almost applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// The layer its policy is in.
    pub layer: Layer,
    /// Whether it would have allowed or denied.
    pub effect: Effect,
    /// Which one.
    pub statement: StatementRef,
    /// What stopped it.
    pub stopped_by: StoppedBy,
}

/// The element that stopped a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoppedBy {
    /// It names other principals.
    Principal,
    /// It names other resources.
    Resource,
    /// A condition does not hold.
    Condition {
        /// The operator as written.
        operator: String,
        /// The key as written.
        key: String,
    },
}

/// Decides and says why.
pub fn explain(request: &Request<'_>, policies: &Policies<'_>) -> Explanation {
    let keys = RequestKeys::new(request);
    let subject = Subject {
        principal: request.principal,
        action: request.action,
        resource: request.resource,
        keys: &keys,
        bounded: policies.boundary.is_some(),
    };
    let mut near_misses = Vec::new();
    let mut look = |layer, policy: &CompiledPolicy| collect(layer, policy, &subject, &mut near_misses);
    for policy in policies.service_control.iter().flatten() {
        look(Layer::ServiceControl, policy);
    }
    for policy in policies.resource_control.iter().flatten() {
        look(Layer::ResourceControl, policy);
    }
    for policy in policies.endpoint.into_iter().flatten() {
        look(Layer::Endpoint, policy);
    }
    if let Some(resource) = policies.resource {
        let layer = if resource.kind == ResourcePolicyKind::Trust {
            Layer::Trust
        } else {
            Layer::Resource
        };
        look(layer, resource.policy);
    }
    if let Some(boundary) = policies.boundary {
        look(Layer::Boundary, boundary);
    }
    for policy in policies.session.into_iter().flatten() {
        look(Layer::Session, policy);
    }
    for policy in policies.identity {
        look(Layer::Identity, policy);
    }
    Explanation {
        decision: decide(request, policies),
        near_misses,
    }
}

fn collect(layer: Layer, policy: &CompiledPolicy, subject: &Subject<'_>, near_misses: &mut Vec<NearMiss>) {
    let service = subject
        .action
        .split(':')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    for (index, statement) in policy.candidates(&service) {
        let stopped_by = match statement.applies(subject) {
            Ok(_) | Err(Stopped::Action) => continue,
            Err(Stopped::Principal) => StoppedBy::Principal,
            Err(Stopped::Resource) => StoppedBy::Resource,
            Err(Stopped::Condition(position)) => match statement.conditions.get(position) {
                Some(condition) => StoppedBy::Condition {
                    operator: condition.operator_text.to_string(),
                    key: condition.key.to_string(),
                },
                None => continue,
            },
        };
        let statement_ref = policy.reference(index);
        near_misses.push(NearMiss {
            layer,
            effect: statement.effect,
            statement: statement_ref,
            stopped_by,
        });
    }
}

impl Explanation {
    /// The sentence AWS answers a denied request with; empty for an allowed one.
    ///
    /// Source: IAM User Guide, "Access denied error messages".
    pub fn message(&self, request: &Request<'_>) -> String {
        let Decision::Deny {
            layer,
            explicit,
            statement,
        } = &self.decision
        else {
            return String::new();
        };
        let (with_article, plain) = layer.words();
        let action = request.action;
        let reason = if *explicit {
            // Since 2026 a policy that has an ARN is named to callers of its account.
            let account = request.principal.account();
            let is_own = account.is_some()
                && request
                    .resource_account
                    .is_none_or(|owner| account == Some(owner));
            let named = statement
                .as_ref()
                .filter(|statement| is_own && statement.policy.starts_with("arn:"))
                .map(|statement| format!(": {}", statement.policy))
                .unwrap_or_default();
            format!("with an explicit deny in {with_article}{named}")
        } else {
            format!("because no {plain} allows the {action} action")
        };
        format!(
            "User: {} is not authorized to perform: {action} on resource: {} {reason}",
            request.principal.arn(),
            request.resource
        )
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use std::sync::Arc;

    use super::*;
    use crate::{Context, Document, DocumentKind, Principal};

    const POLICY: &str = "arn:aws:iam::123456789012:policy/NoOrders";

    /// What is said of a denial by the policy with that label, the resource being of `owner`.
    fn said(label: &str, owner: Option<&str>) -> String {
        let text = r#"{"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}"#;
        let document = Document::parse(text, DocumentKind::Identity).unwrap();
        let identity = [Arc::new(CompiledPolicy::compile(&document, label))];
        let principal = Principal::parse("arn:aws:iam::123456789012:user/ann").unwrap();
        let context = Context::new();
        let request = Request {
            principal: &principal,
            action: "s3:GetObject",
            resource: "arn:aws:s3:::orders/1.json",
            resource_account: owner,
            context: &context,
        };
        let policies = Policies {
            identity: &identity,
            ..Policies::default()
        };
        explain(&request, &policies).message(&request)
    }

    #[test]
    fn a_policy_with_an_arn_is_named_in_its_account() {
        let end = "with an explicit deny in an identity-based policy";
        assert!(said(POLICY, None).ends_with(&format!("{end}: {POLICY}")));
        assert!(said(POLICY, Some("123456789012")).ends_with(&format!("{end}: {POLICY}")));
        assert!(said(POLICY, Some("210987654321")).ends_with(end));
        assert!(said("inline policy NoOrders", None).ends_with(end));
    }
}
