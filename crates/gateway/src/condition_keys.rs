//! The global condition keys of a request.
//!
//! Source: IAM User Guide, "AWS global condition context keys". What a key's page says is absent in a situation is absent
//! here: `aws:SourceIp` for a service's own call, `aws:TokenIssueTime` with long-term keys, and so on.

use rolecall_policy::{Context, Principal};
use rolecall_service::{Origin, RequestContext};

/// Keys of the request; those of the principal and of each access are added by the gate and the engine.
pub(crate) fn global(request: &RequestContext) -> Context {
    let mut context = Context::default();
    let mut set = |key: &str, value: String| context.insert(key, vec![value]);
    set(
        "aws:CurrentTime",
        request.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    );
    set("aws:EpochTime", request.time.as_second().to_string());
    set("aws:RequestedRegion", request.region.to_string());
    set("aws:SecureTransport", request.secure_transport.to_string());
    if !request.user_agent.is_empty() {
        set("aws:UserAgent", request.user_agent.clone());
    }
    for (key, value) in &request.request_keys {
        set(key, value.clone());
    }
    let caller = &request.caller;
    match &request.origin {
        Origin::Network { address } => set("aws:SourceIp", address.to_string()),
        Origin::Function { function_arn } => {
            set("aws:SourceIp", std::net::Ipv4Addr::LOCALHOST.to_string());
            set("lambda:SourceFunctionArn", function_arn.to_string());
        }
        Origin::AwsService(_) => {}
    }
    set("aws:ViaAWSService", "false".to_owned());
    if let Principal::Service { name, .. } = &caller.principal {
        set("aws:PrincipalIsAWSService", "true".to_owned());
        set("aws:PrincipalServiceName", name.clone());
        set("aws:PrincipalServiceNamesList", name.clone());
    } else if !matches!(caller.principal, Principal::Anonymous) {
        set("aws:PrincipalIsAWSService", "false".to_owned());
    }
    if let Some(session) = &caller.session {
        set(
            "aws:TokenIssueTime",
            session.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        );
        set("aws:MultiFactorAuthPresent", session.multi_factor.to_string());
        if let Some(identity) = &session.source_identity {
            set("aws:SourceIdentity", identity.clone());
        }
    }
    for (key, value) in &caller.tags {
        set(&format!("aws:PrincipalTag/{key}"), value.clone());
    }
    context
}
