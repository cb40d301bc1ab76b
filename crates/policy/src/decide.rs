//! The decision: which layers apply to a request, and what they say together.
//!
//! Source: IAM User Guide, "Policy evaluation logic" and "Cross-account policy evaluation logic" (rules 1 to 49).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::arn::Arn;
use crate::choices::RESOURCE_CONTROL_SERVICES;
use crate::compile::{CompiledPolicy, StatementRef, Subject};
use crate::condition::Keys;
use crate::context::Context;
use crate::document::Effect;
use crate::principal::{Naming, Principal};

/// A request to be decided: one action on one resource.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// Such as `s3:GetObject`.
    pub action: &'a str,
    /// The resource's ARN, or `*`.
    pub resource: &'a str,
    /// The account that owns the resource; the principal's when absent.
    pub resource_account: Option<&'a str>,
    /// Condition keys. Those that follow from principal and resource need not be there.
    pub context: &'a Context,
}

/// How a policy attached to a resource counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourcePolicyKind {
    /// An ordinary resource policy.
    Resource,
    /// A role's trust policy: must allow (rule 31).
    Trust,
    /// A KMS key policy: must allow, or delegate to the account (rules 35, 36).
    Key,
}

/// The policy attached to the resource.
#[derive(Debug, Clone, Copy)]
pub struct ResourcePolicy<'a> {
    /// It.
    pub policy: &'a CompiledPolicy,
    /// How it counts.
    pub kind: ResourcePolicyKind,
}

/// Every policy that applies to a request. What is absent does not limit; an empty list of a layer that is there does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policies<'a> {
    /// Identity-based policies of the principal.
    pub identity: &'a [Arc<CompiledPolicy>],
    /// The resource's own.
    pub resource: Option<ResourcePolicy<'a>>,
    /// The principal's permissions boundary.
    pub boundary: Option<&'a CompiledPolicy>,
    /// Policies passed when the session was made.
    pub session: Option<&'a [Arc<CompiledPolicy>]>,
    /// Service control policies of the principal's account, one list a level from the root down; empty outside an organization.
    pub service_control: &'a [Vec<Arc<CompiledPolicy>>],
    /// Resource control policies of the resource's account, likewise.
    pub resource_control: &'a [Vec<Arc<CompiledPolicy>>],
    /// Policies of the VPC endpoint the request came through.
    pub endpoint: Option<&'a [Arc<CompiledPolicy>]>,
    /// Whether the principal's account is the organization's management account (rule 23).
    pub principal_in_management_account: bool,
    /// Whether the resource's account is (rule 27).
    pub resource_in_management_account: bool,
}

/// The kind of policy that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// Identity-based policies.
    Identity,
    /// The resource's policy.
    Resource,
    /// The permissions boundary.
    Boundary,
    /// Session policies.
    Session,
    /// A role's trust policy.
    Trust,
    /// Service control policies.
    ServiceControl,
    /// Resource control policies.
    ResourceControl,
    /// The VPC endpoint's policies.
    Endpoint,
    /// The root user's own account, or an action everybody may do.
    Always,
}

impl Layer {
    /// A short name, for reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Resource => "resource",
            Self::Boundary => "boundary",
            Self::Session => "session",
            Self::Trust => "trust",
            Self::ServiceControl => "scp",
            Self::ResourceControl => "rcp",
            Self::Endpoint => "endpoint",
            Self::Always => "always",
        }
    }

    /// The words of AWS's denial messages: with their article, and without.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Identity | Self::Always => ("an identity-based policy", "identity-based policy"),
            Self::Resource => ("a resource-based policy", "resource-based policy"),
            Self::Boundary => ("a permissions boundary", "permissions boundary"),
            Self::Session => ("a session policy", "session policy"),
            Self::Trust => ("the role trust policy", "role trust policy"),
            Self::ServiceControl => ("a service control policy", "service control policy"),
            Self::ResourceControl => ("a resource control policy", "resource control policy"),
            Self::Endpoint => ("a VPC endpoint policy", "VPC endpoint policy"),
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What was decided, and by what. Only [`decide`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Allowed.
    #[non_exhaustive]
    Allow {
        /// The layer that granted.
        layer: Layer,
        /// The statement that granted; none for the root user.
        statement: Option<StatementRef>,
    },
    /// Denied.
    #[non_exhaustive]
    Deny {
        /// The layer that denied, or that should have allowed and did not.
        layer: Layer,
        /// Whether a Deny statement did it.
        explicit: bool,
        /// That statement.
        statement: Option<StatementRef>,
    },
}

impl Decision {
    /// Whether it is an Allow.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow { .. })
    }

    /// The layer that decided.
    pub fn layer(&self) -> Layer {
        match self {
            Self::Allow { layer, .. } | Self::Deny { layer, .. } => *layer,
        }
    }

    /// The statement that decided, where one did.
    pub fn statement(&self) -> Option<&StatementRef> {
        match self {
            Self::Allow { statement, .. } | Self::Deny { statement, .. } => statement.as_ref(),
        }
    }

    fn implicit(layer: Layer) -> Self {
        Self::Deny {
            layer,
            explicit: false,
            statement: None,
        }
    }
}

/// The keys a statement sees: the request's, and those that follow from it.
pub(crate) struct RequestKeys<'a> {
    request: &'a Request<'a>,
}

impl<'a> RequestKeys<'a> {
    pub(crate) fn new(request: &'a Request<'a>) -> Self {
        Self { request }
    }

    /// Source of the keys and of when they are absent: IAM User Guide, "AWS global condition context keys". Borrowed
    /// wherever the value stands in the request already.
    fn derived(&self, key: &str) -> Option<Cow<'a, str>> {
        let principal = self.request.principal;
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        if is("aws:PrincipalArn") {
            // Rule 47: the role's ARN for its sessions.
            return match principal {
                Principal::RoleSession { role_arn: arn, .. } | Principal::User { arn, .. } => {
                    Some(arn.into())
                }
                Principal::Root { .. } | Principal::FederatedUser { .. } => Some(principal.arn().into()),
                Principal::Federated { .. } | Principal::Service { .. } | Principal::Anonymous => None,
            };
        }
        if is("aws:PrincipalAccount") {
            // Rule 94.
            return match principal {
                Principal::Anonymous => Some("anonymous".into()),
                _ => principal.account().map(Cow::from),
            };
        }
        if is("aws:PrincipalType") {
            let kind = match principal {
                Principal::Root { .. } => "Account",
                Principal::User { .. } => "User",
                Principal::RoleSession { .. } => "AssumedRole",
                Principal::FederatedUser { .. } => "FederatedUser",
                Principal::Anonymous => "Anonymous",
                Principal::Federated { .. } | Principal::Service { .. } => return None,
            };
            return Some(kind.into());
        }
        if is("aws:username") {
            // Rule 48.
            let Principal::User { name, .. } = principal else {
                return None;
            };
            return Some(name.into());
        }
        if is("aws:userid") {
            return match principal {
                Principal::Root { account } => Some(account.into()),
                Principal::User { id, .. } => id.as_deref().map(Cow::from),
                Principal::RoleSession {
                    role_id,
                    session_name,
                    ..
                } => role_id.as_ref().map(|id| format!("{id}:{session_name}").into()),
                Principal::FederatedUser { account, name, .. } => Some(format!("{account}:{name}").into()),
                Principal::Anonymous => Some("anonymous".into()),
                Principal::Federated { .. } | Principal::Service { .. } => None,
            };
        }
        if is("aws:ResourceAccount") {
            return self
                .request
                .resource_account
                .or(principal.account())
                .map(Cow::from);
        }
        None
    }
}

impl Keys for RequestKeys<'_> {
    fn values(&self, key: &str, use_values: &mut dyn FnMut(Option<&[&str]>)) {
        match self.request.context.get(key) {
            Some([only]) => use_values(Some(&[only.as_str()])),
            Some(several) => {
                let values: Vec<&str> = several.iter().map(String::as_str).collect();
                use_values(Some(&values));
            }
            None => match self.derived(key) {
                Some(value) => use_values(Some(&[&*value])),
                None => use_values(None),
            },
        }
    }

    fn single(&self, key: &str) -> Option<String> {
        match self.request.context.get(key) {
            Some([only]) => Some(only.clone()),
            Some(_) => None,
            None => self.derived(key).map(Cow::into_owned),
        }
    }
}

/// What the statements of a layer say.
#[derive(Default)]
struct Findings {
    denied: Option<StatementRef>,
    /// The Allow that reaches furthest.
    allowed: Option<(Naming, StatementRef)>,
}

impl Findings {
    fn allows(&self) -> bool {
        self.allowed.is_some()
    }

    fn naming(&self) -> Option<Naming> {
        self.allowed.as_ref().map(|(naming, _)| *naming)
    }

    fn statement(self) -> Option<StatementRef> {
        self.allowed.map(|(_, statement)| statement)
    }
}

struct Evaluation<'a> {
    subject: Subject<'a>,
    /// Prefix of the action in lower case.
    service: &'a str,
}

impl Evaluation<'_> {
    fn look(&self, policy: &CompiledPolicy, of_resource: bool, findings: &mut Findings) {
        for (index, statement) in policy.candidates(self.service) {
            let wanted = match statement.effect {
                Effect::Deny => findings.denied.is_none(),
                Effect::Allow => findings.naming().is_none_or(|naming| naming < Naming::Itself),
            };
            // In a resource's policy a grant to nobody in particular is no grant to everybody.
            let grants_to_nobody =
                of_resource && statement.effect == Effect::Allow && !statement.names_principals();
            if !wanted || grants_to_nobody {
                continue;
            }
            let Ok(naming) = statement.applies(&self.subject) else {
                continue;
            };
            match statement.effect {
                Effect::Deny => findings.denied = Some(policy.reference(index)),
                Effect::Allow if findings.naming().is_none_or(|have| have < naming) => {
                    findings.allowed = Some((naming, policy.reference(index)));
                }
                Effect::Allow => {}
            }
        }
    }

    fn of(&self, policies: &[Arc<CompiledPolicy>]) -> Findings {
        let mut findings = Findings::default();
        for policy in policies {
            self.look(policy, false, &mut findings);
        }
        findings
    }

    fn of_one(&self, policy: &CompiledPolicy, of_resource: bool) -> Findings {
        let mut findings = Findings::default();
        self.look(policy, of_resource, &mut findings);
        findings
    }
}

/// Decides a request.
pub fn decide(request: &Request<'_>, policies: &Policies<'_>) -> Decision {
    // Rule 39.
    if request.action.eq_ignore_ascii_case("sts:GetCallerIdentity")
        && *request.principal != Principal::Anonymous
    {
        return Decision::Allow {
            layer: Layer::Always,
            statement: None,
        };
    }
    let prefix = request.action.split(':').next().unwrap_or_default();
    let lowered;
    let service = if prefix.bytes().any(|byte| byte.is_ascii_uppercase()) {
        lowered = prefix.to_ascii_lowercase();
        lowered.as_str()
    } else {
        prefix
    };
    let keys = RequestKeys::new(request);
    let evaluation = Evaluation {
        subject: Subject {
            principal: request.principal,
            action: request.action,
            resource: request.resource,
            keys: &keys,
            bounded: policies.boundary.is_some(),
        },
        service,
    };
    layered(request, policies, &evaluation)
}

fn layered(request: &Request<'_>, policies: &Policies<'_>, evaluation: &Evaluation<'_>) -> Decision {
    let deny = |layer, statement| Decision::Deny {
        layer,
        explicit: true,
        statement: Some(statement),
    };
    let principal = request.principal;
    let organization_binds = principal.account().is_some()
        && !principal.is_service_linked()
        && !policies.principal_in_management_account;

    // Rules 21 to 24: every level of the organization must allow.
    let mut short_of: Option<Layer> = None;
    if organization_binds {
        for level in policies.service_control {
            let findings = evaluation.of(level);
            if let Some(statement) = findings.denied {
                return deny(Layer::ServiceControl, statement);
            }
            if !findings.allows() {
                short_of = short_of.or(Some(Layer::ServiceControl));
            }
        }
    }
    // Rules 26 to 28: resource control policies only deny.
    let resource_control_binds = !policies.resource_in_management_account
        && !principal.is_service_linked()
        && RESOURCE_CONTROL_SERVICES.contains(&evaluation.service);
    if resource_control_binds {
        for level in policies.resource_control {
            if let Some(statement) = evaluation.of(level).denied {
                return deny(Layer::ResourceControl, statement);
            }
        }
    }
    // Rule 30.
    if let Some(endpoint) = policies.endpoint {
        let findings = evaluation.of(endpoint);
        if let Some(statement) = findings.denied {
            return deny(Layer::Endpoint, statement);
        }
        if !findings.allows() {
            short_of = short_of.or(Some(Layer::Endpoint));
        }
    }
    let kind = match policies.resource {
        Some(resource) => Some(resource.kind),
        None => required_kind(request, evaluation.service),
    };
    let resource_layer = if kind == Some(ResourcePolicyKind::Trust) {
        Layer::Trust
    } else {
        Layer::Resource
    };
    let mut resource = policies
        .resource
        .map(|resource| evaluation.of_one(resource.policy, true))
        .unwrap_or_default();
    if let Some(statement) = resource.denied.take() {
        return deny(resource_layer, statement);
    }
    let mut limits = Limits {
        boundary: true,
        session: true,
    };
    if let Some(boundary) = policies.boundary {
        let findings = evaluation.of_one(boundary, false);
        limits.boundary = findings.allows();
        if let Some(statement) = findings.denied {
            return deny(Layer::Boundary, statement);
        }
    }
    if let Some(session) = policies.session {
        let findings = evaluation.of(session);
        limits.session = findings.allows();
        if let Some(statement) = findings.denied {
            return deny(Layer::Session, statement);
        }
    } else if matches!(principal, Principal::FederatedUser { .. }) {
        // Rule 13: without a session policy a federated user has no identity permissions.
        limits.session = false;
    }
    let mut identity = evaluation.of(policies.identity);
    if let Some(statement) = identity.denied.take() {
        return deny(Layer::Identity, statement);
    }
    if let Some(layer) = short_of {
        return Decision::implicit(layer);
    }
    granted(request, kind, resource_layer, resource, identity, limits)
}

/// The policy that the resource has without fail and that must allow (rules 31, 35): nobody gave it, so it allows nothing.
fn required_kind(request: &Request<'_>, service: &str) -> Option<ResourcePolicyKind> {
    let name = request.action.split(':').nth(1).unwrap_or_default();
    let assumes_role = || {
        let start = name.get(.."AssumeRole".len()).unwrap_or_default();
        start.eq_ignore_ascii_case("AssumeRole")
    };
    let is_of_key = || {
        Arn::parse(request.resource)
            .is_some_and(|arn| arn.service == "kms" && arn.resource.starts_with("key/"))
    };
    match service {
        "sts" if assumes_role() => Some(ResourcePolicyKind::Trust),
        "kms" if is_of_key() => Some(ResourcePolicyKind::Key),
        _ => None,
    }
}

/// What boundary and session policy let through.
#[derive(Clone, Copy)]
struct Limits {
    boundary: bool,
    session: bool,
}

impl Limits {
    fn hold(self) -> bool {
        self.boundary && self.session
    }

    /// The layer that stops what an identity policy allows.
    fn stopping(self) -> Layer {
        if self.boundary {
            Layer::Session
        } else {
            Layer::Boundary
        }
    }
}

/// No Deny applies: is there an Allow that counts?
fn granted(
    request: &Request<'_>,
    kind: Option<ResourcePolicyKind>,
    resource_layer: Layer,
    resource: Findings,
    identity: Findings,
    limits: Limits,
) -> Decision {
    let allow = |layer, statement| Decision::Allow { layer, statement };
    let principal = request.principal;
    let naming = resource.naming();
    let Some(account) = principal.account() else {
        // Rule 49; and anonymous callers, whom only the resource's policy can let in.
        return match naming {
            Some(Naming::Itself | Naming::Everyone) => allow(resource_layer, resource.statement()),
            _ => Decision::implicit(resource_layer),
        };
    };
    let is_root = matches!(principal, Principal::Root { .. });
    let identity_allows = is_root || identity.allows();
    // Rule 2: the root user has full access to its own account.
    let identity_statement = |identity: Findings| {
        if is_root {
            (Layer::Always, None)
        } else {
            (Layer::Identity, identity.statement())
        }
    };
    let resource_account = request.resource_account.unwrap_or(account);
    let needs_resource = matches!(kind, Some(ResourcePolicyKind::Trust | ResourcePolicyKind::Key));

    if account != resource_account {
        // Rules 4, 5, 6, 19: both accounts must allow, and the limits of the principal's hold.
        return if !identity_allows {
            Decision::implicit(Layer::Identity)
        } else if !limits.hold() {
            Decision::implicit(limits.stopping())
        } else if naming.is_none() {
            Decision::implicit(resource_layer)
        } else {
            allow(resource_layer, resource.statement())
        };
    }

    let direct = match naming {
        None | Some(Naming::Account) => false,
        // Rule 33: in a trust policy nothing goes past the boundary; rules 9 and 12.
        Some(_) if kind == Some(ResourcePolicyKind::Trust) => limits.hold(),
        Some(Naming::Issuer) => limits.hold(),
        // Rules 8, 10, 11, 12.
        Some(Naming::Everyone | Naming::Itself) => true,
    };
    if direct {
        return allow(resource_layer, resource.statement());
    }
    if needs_resource && naming.is_none() {
        // Rules 31, 35: an identity policy alone is not enough.
        return Decision::implicit(resource_layer);
    }
    if !identity_allows {
        let stopped_grant = matches!(naming, Some(Naming::Issuer | Naming::Everyone | Naming::Itself));
        return Decision::implicit(if stopped_grant && !limits.hold() {
            limits.stopping()
        } else {
            Layer::Identity
        });
    }
    if !limits.hold() {
        return Decision::implicit(limits.stopping());
    }
    let (layer, statement) = identity_statement(identity);
    allow(layer, statement)
}
