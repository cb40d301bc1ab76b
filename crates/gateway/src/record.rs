//! Stage eight, record: one CloudTrail event for every request.

use rolecall_catalog as catalog;
use rolecall_service::{Decided, Origin, RequestContext, Service, ServiceError, TrailResource};
use rolecall_trail::{
    Access, EVENT_VERSION, Event, EventCategory, EventResource, Record, UserIdentity, Verdict,
};
use rolecall_wire::{ErrorResponse, OperationModel, ServiceModel, Value, redact};

/// How a request ended, for its event.
pub(crate) struct Outcome {
    error: Option<(String, String)>,
    elements: Option<serde_json::Value>,
    decided: Vec<Decided>,
    resources: Vec<TrailResource>,
}

impl Outcome {
    pub(crate) fn succeeded(
        elements: Option<serde_json::Value>,
        decided: Vec<Decided>,
        resources: Vec<TrailResource>,
    ) -> Self {
        Self {
            error: None,
            elements,
            decided,
            resources,
        }
    }

    pub(crate) fn failed(error: &ServiceError, decided: Vec<Decided>, resources: Vec<TrailResource>) -> Self {
        let error = Some((error.code().to_owned(), error.message().to_owned()));
        Self {
            error,
            elements: None,
            decided,
            resources,
        }
    }

    pub(crate) fn refused(error: &ErrorResponse) -> Self {
        let error = Some((error.code.to_string(), error.message.clone()));
        Self {
            error,
            elements: None,
            decided: Vec::new(),
            resources: Vec::new(),
        }
    }
}

/// Payloads that AWS's models do not mark as such, as (signing name, operation, member of the input). CloudTrail records
/// who wrote to which log stream, not what.
///
/// Source: CloudWatch Logs User Guide, "Logging CloudWatch Logs API and console operations in AWS CloudTrail".
const PAYLOADS: [(&str, &str, &str); 1] = [("logs", "PutLogEvents", "logEvents")];

/// `requestParameters`: the input without secrets and payloads.
pub(crate) fn parameters(
    model: &'static ServiceModel,
    operation: &OperationModel,
    input: &Value,
) -> Option<serde_json::Value> {
    let mut shown = redact(model, operation.input?, input);
    for (service, name, member) in PAYLOADS {
        if (service, name) == (model.signing_name, operation.name)
            && let Some(members) = shown.as_object_mut()
        {
            members.remove(member);
        }
    }
    Some(shown).filter(|value| !is_empty(value))
}

/// `responseElements`: the output of a call that changes something, without secrets and payloads.
pub(crate) fn elements(
    model: &'static ServiceModel,
    operation: &OperationModel,
    output: &Value,
) -> Option<serde_json::Value> {
    if catalog::read_only(model.signing_name, operation.name) {
        return None;
    }
    operation
        .output
        .map(|shape| redact(model, shape, output))
        .filter(|value| !is_empty(value))
}

fn is_empty(value: &serde_json::Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// Builds the record. The flag says whether it is a management event that describes a change, which must be durable
/// before the answer.
pub(crate) fn build(
    service: &dyn Service,
    operation: &'static OperationModel,
    context: &RequestContext,
    parameters: Option<serde_json::Value>,
    outcome: Outcome,
) -> (Record, bool) {
    let name = service.model().signing_name;
    let read_only = catalog::read_only(name, operation.name);
    let category = match catalog::event_category(name, operation.name) {
        catalog::EventCategory::Management => EventCategory::Management,
        catalog::EventCategory::Data => EventCategory::Data,
    };
    let is_change = !read_only && category == EventCategory::Management && outcome.error.is_none();
    let (source_ip_address, user_agent) = source(context);
    let (error_code, error_message) = outcome.error.unzip();
    let event = Event {
        event_version: EVENT_VERSION.to_owned(),
        user_identity: UserIdentity::of(&context.caller, &context.account),
        event_time: context.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        event_source: service.event_source().to_owned(),
        event_name: catalog::operation_event_name(name, operation.name).to_owned(),
        aws_region: context.region.to_string(),
        source_ip_address,
        user_agent,
        error_code,
        error_message,
        request_parameters: parameters,
        response_elements: outcome.elements,
        additional_event_data: None,
        request_id: context.request_id.clone(),
        event_id: new_id(),
        read_only,
        resources: outcome
            .resources
            .into_iter()
            .map(|resource| EventResource {
                account_id: Some(context.account.to_string()),
                kind: resource.kind.to_owned(),
                arn: resource.arn,
            })
            .collect(),
        event_type: "AwsApiCall".to_owned(),
        management_event: category == EventCategory::Management,
        recipient_account_id: context.account.to_string(),
        event_category: category,
    };
    let accesses = outcome.decided.into_iter().map(access_of).collect();
    (
        Record {
            event: event.within_limits(),
            accesses,
        },
        is_change,
    )
}

/// `sourceIPAddress` and `userAgent`: the peer's, or the name of the AWS service that asks.
pub(crate) fn source(context: &RequestContext) -> (String, String) {
    match (&context.origin, context.caller.invoked_by) {
        (&Origin::AwsService(service), _) | (_, Some(service)) => (service.to_owned(), service.to_owned()),
        (Origin::Network { address }, None) => (address.to_string(), context.user_agent.clone()),
        (Origin::Function { .. }, None) => (
            std::net::Ipv4Addr::LOCALHOST.to_string(),
            context.user_agent.clone(),
        ),
    }
}

fn access_of(decided: Decided) -> Access {
    Access {
        verdict: match (decided.allowed, decided.explicit) {
            (true, _) => Verdict::Allowed,
            (false, false) => Verdict::ImplicitlyDenied,
            (false, true) => Verdict::ExplicitlyDenied,
        },
        action: decided.action,
        resource: decided.resource,
        probe: decided.probe,
        layer: decided.layer.to_owned(),
        statement: decided.statement,
        message: decided.message,
    }
}

/// A version 4 UUID. If the system has no randomness to give, the id is made of the time, which is unique enough for
/// an id and secret nowhere.
pub(crate) fn new_id() -> String {
    let mut bytes = [0_u8; 16];
    if getrandom::fill(&mut bytes).is_err() {
        bytes = u128::from_ne_bytes(bytes)
            .wrapping_add(now_nanoseconds())
            .to_be_bytes();
    }
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let text = hex::encode(bytes);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}

fn now_nanoseconds() -> u128 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_nanos())
}
