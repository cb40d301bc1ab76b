//! The gate: the one place where a request is authorised.
//!
//! [`authorise`] asks the policy engine about every access of a call and gives a [`Permit`] or a [`Denial`]. There is no
//! other way to a permit, and no permissive mode.

use rolecall_policy::{self as policy, Context, Decision, Policies, Principal, ResourcePolicy};

use crate::{Access, Needs, Requirement};

/// Proof that a call was authorised. Made only by [`authorise`].
#[derive(Debug)]
pub struct Permit {
    decided: Vec<Decided>,
}

impl Permit {
    /// Whether `action` on `resource` was asked for and allowed: how an operation reads the answer to a probe.
    pub fn allows(&self, action: &str, resource: &str) -> bool {
        self.decided.iter().any(|decided| {
            decided.allowed && decided.action.eq_ignore_ascii_case(action) && decided.resource == resource
        })
    }

    /// AWS's sentence for a probe that was denied.
    pub fn denial_of(&self, action: &str, resource: &str) -> Option<&str> {
        self.decided
            .iter()
            .find(|decided| {
                !decided.allowed
                    && decided.action.eq_ignore_ascii_case(action)
                    && decided.resource == resource
            })
            .and_then(|decided| decided.message.as_deref())
    }

    /// Every access that was decided, in the order asked.
    pub fn decided(&self) -> &[Decided] {
        &self.decided
    }

    /// The decisions, for the record.
    pub fn into_decided(self) -> Vec<Decided> {
        self.decided
    }
}

/// One access and how it was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// IAM action.
    pub action: String,
    /// ARN, or `*`.
    pub resource: String,
    /// Whether it is allowed.
    pub allowed: bool,
    /// For a denial: whether a Deny statement caused it.
    pub explicit: bool,
    /// Whether the call could go on without it.
    pub probe: bool,
    /// The layer that decided, in the words of the denial table: `identity`, `resource`, `boundary`, ….
    pub layer: &'static str,
    /// The statement that decided: policy, index, Sid.
    pub statement: Option<String>,
    /// AWS's sentence, for a denial.
    pub message: Option<String>,
}

/// A refusal: the sentence for the caller, and everything that was decided up to it, for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The sentence AWS would say.
    pub message: String,
    /// Decisions up to and including the denied one.
    pub decided: Vec<Decided>,
}

/// Decides everything a call needs.
///
/// `global` holds the request's global condition keys; `policies` are those of the principal (its `resource` part
/// is taken from each access). Allocation beyond the record happens only for denials.
///
/// # Errors
/// The first required access that is not allowed.
pub fn authorise(
    principal: &Principal,
    global: &Context,
    policies: Policies<'_>,
    account: &str,
    needs: Needs,
) -> Result<Permit, Box<Denial>> {
    let accesses = match needs {
        Needs::Always { action } => {
            return Ok(Permit {
                decided: vec![Decided {
                    action: action.to_owned(),
                    resource: "*".to_owned(),
                    allowed: true,
                    explicit: false,
                    probe: false,
                    layer: "always",
                    statement: None,
                    message: None,
                }],
            });
        }
        Needs::Accesses(accesses) => accesses,
    };
    if accesses.is_empty() {
        return Err(Box::new(Denial {
            message: "the operation names no IAM action, so it cannot be authorised; please report this"
                .to_owned(),
            decided: Vec::new(),
        }));
    }
    let mut decided = Vec::with_capacity(accesses.len());
    for access in accesses {
        let outcome = decide(principal, global, policies, account, access);
        let refused = !outcome.allowed && !outcome.probe;
        let message = if refused { outcome.message.clone() } else { None };
        decided.push(outcome);
        if refused {
            return Err(Box::new(Denial {
                message: message.unwrap_or_default(),
                decided,
            }));
        }
    }
    Ok(Permit { decided })
}

fn decide(
    principal: &Principal,
    global: &Context,
    policies: Policies<'_>,
    account: &str,
    access: Access,
) -> Decided {
    let Access {
        action,
        resource,
        resource_account,
        resource_policy,
        context,
        resource_tags,
        requirement,
    } = access;
    let own;
    let context = if context.is_empty() && resource_tags.is_empty() {
        global
    } else {
        own = with_access_keys(global, context, resource_tags);
        &own
    };
    // A shorter-lived copy: the resource's policy lives in the access.
    let policies = Policies {
        resource: resource_policy.as_ref().map(|attached| ResourcePolicy {
            policy: &attached.policy,
            kind: attached.kind,
        }),
        ..policies
    };
    let request = policy::Request {
        principal,
        action: &action,
        resource: &resource,
        resource_account: Some(resource_account.as_deref().unwrap_or(account)),
        context,
    };
    let decision = policy::decide(&request, &policies);
    let probe = requirement == Requirement::Probe;
    let (allowed, explicit, message) = match &decision {
        Decision::Allow { .. } => (true, false, None),
        Decision::Deny { explicit, .. } => (
            false,
            *explicit,
            Some(policy::explain(&request, &policies).message(&request)),
        ),
    };
    Decided {
        layer: decision.layer().name(),
        statement: decision.statement().map(ToString::to_string),
        action: action.into_owned(),
        resource,
        allowed,
        explicit,
        probe,
        message,
    }
}

fn with_access_keys(
    global: &Context,
    keys: Vec<(std::borrow::Cow<'static, str>, Vec<String>)>,
    tags: Vec<(String, String)>,
) -> Context {
    let mut context = global.clone();
    for (key, values) in keys {
        context.insert(&key, values);
    }
    for (key, value) in tags {
        context.insert(&format!("aws:ResourceTag/{key}"), vec![value]);
    }
    context
}
