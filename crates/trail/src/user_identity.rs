//! `userIdentity`: the caller as CloudTrail describes it.
//!
//! Source: CloudTrail User Guide, "CloudTrail userIdentity element".

use rolecall_policy::Principal;
use rolecall_service::{Caller, SessionFacts};
use serde::{Deserialize, Serialize};

/// Who made a request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserIdentity {
    /// `Root`, `IAMUser`, `AssumedRole`, `FederatedUser`, `AWSService`, `AWSAccount`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Unique id; `AROA…:session` for a role session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<String>,
    /// ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Access key id of the signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// Friendly name of a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// Where temporary credentials came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_context: Option<SessionContext>,
    /// The AWS service that made the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoked_by: Option<String>,
}

/// Where temporary credentials came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionContext {
    /// The role, user or root the session was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_issuer: Option<SessionIssuer>,
    /// When and how.
    pub attributes: SessionAttributes,
    /// `sts:SourceIdentity` of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
}

/// The role, user or root a session was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionIssuer {
    /// `Role`, `User` or `Root`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Unique id.
    pub principal_id: String,
    /// ARN, with its path.
    pub arn: String,
    /// Account.
    pub account_id: String,
    /// Name of the role or user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
}

/// When and how a session was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionAttributes {
    /// When, as `2026-11-24T00:17:57Z`.
    pub creation_date: String,
    /// `"true"` or `"false"`.
    pub mfa_authenticated: String,
}
