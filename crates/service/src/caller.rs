//! Who makes a request, as authentication found out.

use jiff::Timestamp;
use rolecall_policy::Principal;

/// The authenticated caller of one request. Holds no secret.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The principal that policies name.
    pub principal: Principal,
    /// Access key id of the signature; absent for anonymous callers and AWS services.
    pub access_key_id: Option<String>,
    /// Facts of the temporary session, absent for long-term keys.
    pub session: Option<SessionFacts>,
    /// Principal tags (`aws:PrincipalTag/…`): of the user or role, overlaid by session tags.
    pub tags: Vec<(String, String)>,
    /// The AWS service that makes this call on the principal's behalf, such as `lambda.amazonaws.com`.
    pub invoked_by: Option<&'static str>,
}

/// What a temporary session adds to its principal.
#[derive(Debug, Clone)]
pub struct SessionFacts {
    /// When the credentials were issued (`aws:TokenIssueTime`).
    pub issued_at: Timestamp,
    /// When they end.
    pub expires_at: Timestamp,
    /// `aws:SourceIdentity`, if the session was given one.
    pub source_identity: Option<String>,
    /// Whether the session was made with a multi-factor code (`aws:MultiFactorAuthPresent`).
    pub multi_factor: bool,
    /// Keys of session tags that persist through role chaining.
    pub transitive_tag_keys: Vec<String>,
}

impl Caller {
    /// A caller without any credential.
    pub fn anonymous() -> Self {
        Self {
            principal: Principal::Anonymous,
            access_key_id: None,
            session: None,
            tags: Vec::new(),
            invoked_by: None,
        }
    }
}
