//! A request with its policies as the case files and the random tests write it: plain JSON, kept beside its compiled form.

use std::sync::Arc;

use rolecall_policy::{
    CompiledPolicy, Context, Decision, Document, DocumentKind, Explanation, Policies, Principal, Request,
    ResourcePolicy, ResourcePolicyKind, decide, explain,
};
use serde_json::Value;

/// Everything a decision needs, owned.
pub(crate) struct Setting {
    pub(crate) principal: Principal,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) resource_account: Option<String>,
    pub(crate) context: Context,
    identity: Vec<Arc<CompiledPolicy>>,
    resource_policy: Option<Arc<CompiledPolicy>>,
    boundary: Option<Arc<CompiledPolicy>>,
    session: Option<Vec<Arc<CompiledPolicy>>>,
    service_control: Vec<Vec<Arc<CompiledPolicy>>>,
    resource_control: Vec<Vec<Arc<CompiledPolicy>>>,
    endpoint: Option<Vec<Arc<CompiledPolicy>>>,
    principal_in_management_account: bool,
    resource_in_management_account: bool,
}

impl Setting {
    /// Reads a case: the members are those of `rolecall decide`.
    pub(crate) fn new(case: &Value) -> Self {
        let text = |name: &str| case.get(name).and_then(Value::as_str).map(str::to_owned);
        let flag = |name: &str| case.get(name).and_then(Value::as_bool).unwrap_or(false);
        let action = text("action").unwrap();
        let resource_kind = if action.starts_with("sts:AssumeRole") {
            DocumentKind::Trust
        } else {
            DocumentKind::Resource
        };
        let list = |name: &str, kind| case.get(name).map(|documents| policies(documents, kind));
        let levels = |name: &str, kind| {
            let levels = case.get(name).and_then(Value::as_array).into_iter().flatten();
            levels.map(|level| policies(level, kind)).collect()
        };
        let mut context = Context::new();
        for (key, value) in case
            .get("context")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            context.insert(key, texts(value));
        }
        Self {
            principal: principal(case.get("principal").unwrap()),
            action,
            resource: text("resource").unwrap(),
            resource_account: text("resourceAccount"),
            context,
            identity: list("identityPolicies", DocumentKind::Identity).unwrap_or_default(),
            resource_policy: case
                .get("resourcePolicy")
                .map(|document| policy(document, resource_kind)),
            boundary: case
                .get("boundary")
                .map(|document| policy(document, DocumentKind::Boundary)),
            session: list("sessionPolicies", DocumentKind::Session).or_else(|| {
                let one = case.get("sessionPolicy")?;
                Some(vec![policy(one, DocumentKind::Session)])
            }),
            service_control: levels("scps", DocumentKind::ServiceControl),
            resource_control: levels("rcps", DocumentKind::ResourceControl),
            endpoint: list("endpointPolicies", DocumentKind::Endpoint),
            principal_in_management_account: flag("managementAccount"),
            resource_in_management_account: flag("resourceInManagementAccount"),
        }
    }

    fn with<T>(&self, then: impl FnOnce(&Request<'_>, &Policies<'_>) -> T) -> T {
        let request = Request {
            principal: &self.principal,
            action: &self.action,
            resource: &self.resource,
            resource_account: self.resource_account.as_deref(),
            context: &self.context,
        };
        let kind = if self.action.starts_with("sts:AssumeRole") {
            ResourcePolicyKind::Trust
        } else if self.action.starts_with("kms:") {
            ResourcePolicyKind::Key
        } else {
            ResourcePolicyKind::Resource
        };
        let policies = Policies {
            identity: &self.identity,
            resource: self
                .resource_policy
                .as_deref()
                .map(|policy| ResourcePolicy { policy, kind }),
            boundary: self.boundary.as_deref(),
            session: self.session.as_deref(),
            service_control: &self.service_control,
            resource_control: &self.resource_control,
            endpoint: self.endpoint.as_deref(),
            principal_in_management_account: self.principal_in_management_account,
            resource_in_management_account: self.resource_in_management_account,
        };
        then(&request, &policies)
    }

    pub(crate) fn decide(&self) -> Decision {
        self.with(decide)
    }

    pub(crate) fn explain(&self) -> Explanation {
        self.with(explain)
    }

    /// The sentence of a denial.
    pub(crate) fn message(&self) -> String {
        self.with(|request, policies| explain(request, policies).message(request))
    }
}

pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values
            .iter()
            .map(|value| value.as_str().unwrap().to_owned())
            .collect(),
        Value::String(text) => vec![text.clone()],
        other => panic!("{other} is no text"),
    }
}

fn policy(document: &Value, kind: DocumentKind) -> Arc<CompiledPolicy> {
    let text = document.to_string();
    let document = Document::parse(&text, kind).unwrap_or_else(|error| panic!("{error}: {text}"));
    Arc::new(CompiledPolicy::compile(&document, format!("{kind:?}")))
}

fn policies(documents: &Value, kind: DocumentKind) -> Vec<Arc<CompiledPolicy>> {
    documents
        .as_array()
        .unwrap()
        .iter()
        .map(|document| policy(document, kind))
        .collect()
}

fn principal(value: &Value) -> Principal {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    match text("type").as_deref() {
        Some("Anonymous") => return Principal::Anonymous,
        Some("Federated") => {
            return Principal::Federated {
                provider: text("provider").unwrap(),
            };
        }
        Some(other) => panic!("unknown type of principal {other}"),
        None => {}
    }
    let arn = value.as_str().map_or_else(|| text("arn").unwrap(), str::to_owned);
    let mut principal = Principal::parse(&arn).unwrap_or_else(|| panic!("{arn} is no principal"));
    match &mut principal {
        Principal::User { id, .. } => *id = text("id"),
        Principal::RoleSession {
            role_arn, role_id, ..
        } => {
            *role_id = text("id");
            if let Some(arn) = text("roleArn") {
                *role_arn = arn;
            }
        }
        Principal::FederatedUser { user_arn, .. } => {
            if let Some(arn) = text("userArn") {
                *user_arn = arn;
            }
        }
        _ => {}
    }
    principal
}
