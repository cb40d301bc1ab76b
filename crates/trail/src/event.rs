//! CloudTrail's record, field for field.
//!
//! Source of the fields and limits: CloudTrail User Guide, "CloudTrail record contents" (event version 1.11).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::UserIdentity;

/// The schema version of the events written here.
pub const EVENT_VERSION: &str = "1.11";

/// Longest `errorCode`, `errorMessage` and `userAgent`, in bytes; longer ones are cut.
const SHORT_FIELD_LIMIT: usize = 1024;

/// Longest `requestParameters` and `responseElements`, in bytes of JSON; longer ones are left out, as AWS does.
const LONG_FIELD_LIMIT: usize = 100 * 1024;

/// One CloudTrail event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Schema version, `1.11`.
    pub event_version: String,
    /// Who asked.
    pub user_identity: UserIdentity,
    /// When, as `2026-11-24T00:17:57Z`.
    pub event_time: String,
    /// Service, such as `lambda.amazonaws.com`.
    pub event_source: String,
    /// The operation under CloudTrail's name, such as `CreateFunction20150331`.
    pub event_name: String,
    /// Region of the request.
    pub aws_region: String,
    /// Peer address, or the name of the AWS service that asked.
    #[serde(rename = "sourceIPAddress")]
    pub source_ip_address: String,
    /// `User-Agent`, or the name of the AWS service that asked.
    pub user_agent: String,
    /// AWS's error code, when the call failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The message the caller saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// Input, without secrets and payloads.
    pub request_parameters: Option<Value>,
    /// Output of calls that change something, without secrets and payloads.
    pub response_elements: Option<Value>,
    /// Facts beside the request, such as bytes transferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_event_data: Option<Value>,
    /// The answer's request id.
    #[serde(rename = "requestID")]
    pub request_id: String,
    /// A UUID of this event's own.
    #[serde(rename = "eventID")]
    pub event_id: String,
    /// Whether the operation changes nothing.
    pub read_only: bool,
    /// Resources the call was about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<EventResource>,
    /// `AwsApiCall`.
    pub event_type: String,
    /// Whether this is a management event.
    pub management_event: bool,
    /// The account the event belongs to.
    pub recipient_account_id: String,
    /// Management or data.
    pub event_category: EventCategory,
}

/// CloudTrail's categories of events that are recorded here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventCategory {
    /// Operations on resources; what `LookupEvents` shows.
    Management,
    /// Operations in a resource: objects, items, invokes, log lines.
    Data,
}

/// A resource of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventResource {
    /// Owner.
    #[serde(rename = "accountId", default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Type, such as `AWS::S3::Object`.
    #[serde(rename = "type")]
    pub kind: String,
    /// ARN.
    #[serde(rename = "ARN")]
    pub arn: String,
}

/// What rolecall keeps of one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// CloudTrail's event.
    pub event: Event,
    /// Every access the call needed, in the order asked.
    pub accesses: Vec<Access>,
}

/// One access of a request and how it was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// IAM action.
    pub action: String,
    /// ARN, or `*`.
    pub resource: String,
    /// Allowed or denied.
    pub verdict: Verdict,
    /// Whether the call could go on without it ([`rolecall_service::Requirement::Probe`]).
    #[serde(default)]
    pub probe: bool,
    /// The layer that decided, such as `identity`.
    pub layer: String,
    /// The statement that decided, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// AWS's sentence, for a denial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How an access was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Some policy allows it and none denies it.
    Allowed,
    /// No policy allows it.
    ImplicitlyDenied,
    /// A policy denies it.
    ExplicitlyDenied,
}

impl Event {
    /// Cuts fields to CloudTrail's limits. Every event passes here before it is kept.
    #[must_use]
    pub fn within_limits(mut self) -> Self {
        truncate(&mut self.user_agent, SHORT_FIELD_LIMIT);
        for field in [&mut self.error_code, &mut self.error_message]
            .into_iter()
            .flatten()
        {
            truncate(field, SHORT_FIELD_LIMIT);
        }
        for field in [&mut self.request_parameters, &mut self.response_elements] {
            let too_long = field
                .as_ref()
                .is_some_and(|value| json_length_exceeds(value, LONG_FIELD_LIMIT));
            if too_long {
                *field = None;
            }
        }
        self
    }
}

impl Event {
    /// The name `LookupEvents` shows: the user's, or the session's for a role.
    pub fn username(&self) -> Option<&str> {
        let identity = &self.user_identity;
        match identity.kind.as_str() {
            "Root" => Some("root"),
            "AssumedRole" => identity
                .principal_id
                .as_deref()?
                .split_once(':')
                .map(|(_, session)| session),
            _ => identity.user_name.as_deref(),
        }
    }
}

impl EventResource {
    /// The last part of the ARN: bucket, function, role or table name.
    pub fn name(&self) -> &str {
        let resource = self.arn.splitn(6, ':').nth(5).unwrap_or(&self.arn);
        match self.kind.as_str() {
            "AWS::S3::Object" => resource,
            "AWS::Logs::LogGroup" => resource.trim_start_matches("log-group:").trim_end_matches(":*"),
            _ => resource.rsplit(['/', ':']).next().unwrap_or(resource),
        }
    }
}

fn truncate(text: &mut String, limit: usize) {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
    }
}

/// Whether `value` printed as JSON is longer than `limit` bytes, without printing it.
fn json_length_exceeds(value: &Value, limit: usize) -> bool {
    struct Counter {
        left: usize,
    }
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.left = self
                .left
                .checked_sub(bytes.len())
                .ok_or(std::io::ErrorKind::WriteZero)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(Counter { left: limit }, value).is_err()
}
