//! One access of a call, as the review sees it.

use rolecall_trail::{Access, Event, Record, Verdict};

/// One action on one resource that a call asked for, and how it was decided.
///
/// A call that needs several actions, as `CopyObject` does, is several of these with the same
/// [`request_id`](Self::request_id).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When the request was made, as `2026-11-24T00:17:57Z`.
    pub time: String,
    /// The service that was called, such as `s3`: the event source without `.amazonaws.com`.
    pub service: String,
    /// The operation under CloudTrail's name, such as `CopyObject`.
    pub operation: String,
    /// The IAM action, such as `s3:GetObject`.
    pub action: String,
    /// The resource's ARN, or `*`.
    pub resource: String,
    /// Allowed or denied.
    pub verdict: Verdict,
    /// The layer of policies that decided, such as `identity` or `boundary`.
    pub layer: String,
    /// The statement that decided, where one did.
    pub statement: Option<String>,
    /// The sentence AWS says, for a denial.
    pub message: Option<String>,
    /// Whether the call could go on without this access.
    pub probe: bool,
    /// Whether the call's result depended on this access. Always so for an access that is required; see
    /// [`usage`](crate::usage()) for a probe.
    pub decisive: bool,
    /// The error code the call ended with; `None` when it succeeded.
    pub error_code: Option<String>,
    /// The AWS service that made the call with the role's permissions, such as `lambda.amazonaws.com` for the log
    /// lines of a function; `None` for the function's own calls.
    pub invoked_by: Option<String>,
    /// The request's id, the same for all accesses of one request.
    pub request_id: String,
}

impl Call {
    /// Whether the access was allowed and the call needed it: what counts as use.
    pub fn is_use(&self) -> bool {
        self.decisive && self.verdict == Verdict::Allowed
    }

    /// Whether the access was denied and the call suffered from it.
    pub fn is_denial(&self) -> bool {
        self.decisive && self.verdict != Verdict::Allowed
    }

    /// The accesses of one record, in the order they were decided.
    pub(crate) fn of_record(record: &Record) -> impl Iterator<Item = Self> {
        let Record { event, accesses } = record;
        let is_all_probes = accesses.iter().all(|access| access.probe);
        accesses.iter().map(move |access| Self {
            time: event.event_time.clone(),
            service: service_of(event),
            operation: event.event_name.clone(),
            action: access.action.clone(),
            resource: access.resource.clone(),
            verdict: access.verdict,
            layer: access.layer.clone(),
            statement: access.statement.clone(),
            message: access.message.clone(),
            probe: access.probe,
            decisive: !access.probe || is_all_probes || probe_decided(access, event),
            error_code: event.error_code.clone(),
            invoked_by: invoked_by(event),
            request_id: event.request_id.clone(),
        })
    }
}

/// A call that failed before any access was decided: its input was malformed, or the operation is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// When the request was made, as `2026-11-24T00:17:57Z`.
    pub time: String,
    /// The service that was called, such as `s3`.
    pub service: String,
    /// The operation under CloudTrail's name.
    pub operation: String,
    /// The error code the call ended with.
    pub error_code: Option<String>,
    /// The message the caller saw.
    pub message: Option<String>,
}

impl Undecided {
    pub(crate) fn of_event(event: &Event) -> Self {
        Self {
            time: event.event_time.clone(),
            service: service_of(event),
            operation: event.event_name.clone(),
            error_code: event.error_code.clone(),
            message: event.error_message.clone(),
        }
    }
}

fn service_of(event: &Event) -> String {
    let source = event.event_source.as_str();
    source.strip_suffix(".amazonaws.com").unwrap_or(source).to_owned()
}

/// CloudTrail names a service that calls for somebody in `invokedBy`, and also as the source of the request.
fn invoked_by(event: &Event) -> Option<String> {
    let source = event.source_ip_address.as_str();
    event
        .user_identity
        .invoked_by
        .clone()
        .or_else(|| source.ends_with(".amazonaws.com").then(|| source.to_owned()))
}

/// Whether a probe chose the answer: allowed, it turned a refusal into a "not found"; denied, the other way round.
fn probe_decided(access: &Access, event: &Event) -> bool {
    let Some(code) = event.error_code.as_deref() else {
        return false;
    };
    if access.verdict == Verdict::Allowed {
        is_not_found(code)
    } else {
        is_access_denied(code)
    }
}

/// The codes by which services say that something does not exist; HEAD requests of Amazon S3 have the status only.
fn is_not_found(code: &str) -> bool {
    code == "404" || code.starts_with("NoSuch") || code.contains("NotFound")
}

/// The codes by which services say that a call is not allowed; HEAD requests of Amazon S3 have the status only.
fn is_access_denied(code: &str) -> bool {
    code == "403"
        || code == "Forbidden"
        || code.contains("AccessDenied")
        || code.contains("UnauthorizedOperation")
}
