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

impl UserIdentity {
    /// Describes the caller of a request to `account`.
    pub fn of(caller: &Caller, account: &str) -> Self {
        let principal = &caller.principal;
        let mut identity = Self {
            account_id: principal.account().map(str::to_owned),
            access_key_id: caller.access_key_id.clone(),
            invoked_by: caller.invoked_by.map(str::to_owned),
            session_context: session_context(caller),
            ..Self::default()
        };
        match principal {
            Principal::Root { account } => {
                identity.kind = "Root".into();
                identity.principal_id = Some(account.clone());
                identity.arn = Some(principal.arn());
            }
            Principal::User { name, id, .. } => {
                identity.kind = "IAMUser".into();
                identity.principal_id.clone_from(id);
                identity.arn = Some(principal.arn());
                identity.user_name = Some(name.clone());
            }
            Principal::RoleSession {
                role_id,
                session_name,
                ..
            } => {
                identity.kind = "AssumedRole".into();
                identity.principal_id = role_id.as_ref().map(|id| format!("{id}:{session_name}"));
                identity.arn = Some(principal.arn());
            }
            Principal::FederatedUser { account, name, .. } => {
                identity.kind = "FederatedUser".into();
                identity.principal_id = Some(format!("{account}:{name}"));
                identity.arn = Some(principal.arn());
            }
            Principal::Federated { provider } => {
                identity.kind = "WebIdentityUser".into();
                identity.principal_id = Some(provider.clone());
            }
            Principal::Service { name } => {
                identity.kind = "AWSService".into();
                identity.invoked_by = Some(name.clone());
            }
            Principal::Anonymous => {
                identity.kind = "AWSAccount".into();
                identity.principal_id = Some(String::new());
                identity.account_id = Some("anonymous".to_owned());
            }
        }
        // A caller from another account is shown to this one as an account only.
        if principal.account().is_some_and(|own| own != account) {
            identity.kind = "AWSAccount".into();
            identity.user_name = None;
            identity.arn = None;
            identity.session_context = None;
        }
        identity
    }
}

fn session_context(caller: &Caller) -> Option<SessionContext> {
    let SessionFacts {
        issued_at,
        multi_factor,
        source_identity,
        ..
    } = caller.session.as_ref()?;
    let session_issuer = match &caller.principal {
        Principal::RoleSession {
            account,
            role_arn,
            role_name,
            role_id,
            ..
        } => Some(SessionIssuer {
            kind: "Role".to_owned(),
            principal_id: role_id.clone().unwrap_or_default(),
            arn: role_arn.clone(),
            account_id: account.clone(),
            user_name: Some(role_name.clone()),
        }),
        Principal::FederatedUser {
            account, user_arn, ..
        } => Some(SessionIssuer {
            kind: "IAMUser".to_owned(),
            principal_id: String::new(),
            arn: user_arn.clone(),
            account_id: account.clone(),
            user_name: user_arn.rsplit('/').next().map(str::to_owned),
        }),
        _ => None,
    };
    Some(SessionContext {
        session_issuer,
        attributes: SessionAttributes {
            creation_date: issued_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            mfa_authenticated: multi_factor.to_string(),
        },
        source_identity: source_identity.clone(),
    })
}
