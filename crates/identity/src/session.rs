//! Credentials: who an access key stands for, and issuing temporary ones.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rolecall_policy::{CompiledPolicy, DocumentKind, Principal};

use crate::records::{Role, Tag, User};
use crate::tags::overlay;
use crate::token::{Payload, Subject, TokenTag};
use crate::{Directory, IdKind, IdentityError, KeyError, PolicyText, Secret, document, ids, packed, time};

/// An access key that was found, and whom it stands for. `Debug` hides the secret.
#[derive(Debug, Clone)]
pub struct ResolvedKey {
    /// The key's id.
    pub access_key_id: String,
    /// What the signature must have been made with.
    pub secret: Secret,
    /// Whom policies see.
    pub principal: Principal,
    /// Principal tags: of the user or role, overlaid by session tags.
    pub tags: Vec<(String, String)>,
    /// For temporary credentials.
    pub session: Option<Arc<SessionData>>,
    /// Under which id [`Directory::record_use`] notes the use: the access key, or the role of a session. Sessions of
    /// users are not noted.
    pub usage_id: Option<String>,
}

/// What is known of a temporary session.
#[derive(Debug, Clone)]
pub struct SessionData {
    /// When the credentials were issued.
    pub issued_at: Timestamp,
    /// When they end.
    pub expires_at: Timestamp,
    /// `sts:SourceIdentity`.
    pub source_identity: Option<String>,
    /// Whether a multi-factor code was given.
    pub multi_factor: bool,
    /// Keys of session tags that persist through role chaining.
    pub transitive_tag_keys: Vec<String>,
    /// The session's own tags.
    pub tags: Vec<Tag>,
    /// The inline session policy.
    pub policy: Option<Arc<CompiledPolicy>>,
    /// ARNs of managed session policies.
    pub policy_arns: Vec<String>,
    subject: Subject,
}

/// Whom temporary credentials are issued for.
#[derive(Debug, Clone, Copy)]
pub enum SessionFor<'a> {
    /// A role session with this name (`AssumeRole`).
    Role {
        /// The role.
        role: &'a Role,
        /// The session's name, 2 to 64 characters.
        session_name: &'a str,
    },
    /// A user, by name (`GetSessionToken`).
    User(&'a str),
    /// The root user (`GetSessionToken`).
    Root,
}

/// What temporary credentials are issued with.
#[derive(Debug, Clone, Default)]
pub struct SessionOptions {
    /// Seconds they live. The caller has checked it against the limits of its operation.
    pub duration_seconds: i32,
    /// Inline session policy, JSON.
    pub policy: Option<String>,
    /// ARNs of managed session policies.
    pub policy_arns: Vec<String>,
    /// Session tags.
    pub tags: Vec<Tag>,
    /// Keys of tags that persist through role chaining.
    pub transitive_tag_keys: Vec<String>,
    /// `sts:SourceIdentity`.
    pub source_identity: Option<String>,
    /// Whether a multi-factor code was given.
    pub multi_factor: bool,
}

/// Temporary credentials. `Debug` hides the secrets.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// `ASIA…`
    pub access_key_id: String,
    /// The secret access key.
    pub secret: Secret,
    /// The session token.
    pub session_token: Secret,
    /// When they end.
    pub expires_at: Timestamp,
    /// Whom policies see.
    pub principal: Principal,
    /// Percentage of the space for session policies and tags that is used; absent when there are none.
    pub packed_policy_size: Option<i32>,
}

/// A role session that Lambda acts as, without credentials.
#[derive(Debug, Clone)]
pub struct RoleSession {
    /// Whom policies see.
    pub principal: Principal,
    /// The role's tags.
    pub tags: Vec<(String, String)>,
}

/// Sessions whose token was verified before, so that their policy is compiled once. Keyed by the token's tag, which only
/// the server can make; an entry is used only after the token was verified again.
#[derive(Default)]
pub(crate) struct SessionCache(Mutex<HashMap<TokenTag, Arc<SessionData>>>);

/// Sessions kept at once.
const KEPT_SESSIONS: usize = 1024;

impl SessionCache {
    fn get(&self, tag: &TokenTag) -> Option<Arc<SessionData>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(tag)
            .cloned()
    }

    fn insert(&self, tag: TokenTag, session: Arc<SessionData>) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= KEPT_SESSIONS {
            sessions.clear();
        }
        sessions.insert(tag, session);
    }
}

impl Directory {
    /// Finds whom an access key stands for at `now`.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn resolve_key(
        &self,
        access_key_id: &str,
        session_token: Option<&str>,
        now: Timestamp,
    ) -> Result<ResolvedKey, KeyError> {
        if access_key_id.starts_with(IdKind::TemporaryKey.prefix()) {
            return self.resolve_temporary(access_key_id, session_token.ok_or(KeyError::MissingToken)?, now);
        }
        if session_token.is_some() {
            return Err(KeyError::InvalidToken);
        }
        if let Some(root) = self
            .root
            .as_ref()
            .filter(|root| root.access_key_id == access_key_id)
        {
            return Ok(ResolvedKey {
                access_key_id: root.access_key_id.clone(),
                secret: root.secret.clone(),
                principal: self.root_principal(),
                tags: Vec::new(),
                session: None,
                usage_id: Some(root.access_key_id.clone()),
            });
        }
        let state = self.state();
        let key = state.keys.get(access_key_id).ok_or(KeyError::UnknownKey)?;
        let user = state.users.by_id(&key.user_id).ok_or(KeyError::UnknownKey)?;
        if !key.active {
            return Err(KeyError::InactiveKey);
        }
        Ok(ResolvedKey {
            access_key_id: key.id.clone(),
            secret: key.secret.clone(),
            principal: self.user_principal(user),
            tags: pairs(&user.tags),
            session: None,
            usage_id: Some(key.id.clone()),
        })
    }

    fn resolve_temporary(
        &self,
        access_key_id: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<ResolvedKey, KeyError> {
        let (payload, secret, tag) = self.signer.verify(token, access_key_id, now)?;
        if payload.account != self.account() {
            return Err(KeyError::InvalidToken);
        }
        let session = if let Some(session) = self.sessions.get(&tag) {
            session
        } else {
            let session = Arc::new(session_data(payload).ok_or(KeyError::InvalidToken)?);
            self.sessions.insert(tag, Arc::clone(&session));
            session
        };
        let state = self.state();
        let (principal, own_tags, usage_id) = match &session.subject {
            Subject::Role { id, session_name } => {
                let role = state.roles.by_id(id).ok_or(KeyError::InvalidToken)?;
                (
                    self.session_principal(role, session_name),
                    role.tags.as_slice(),
                    Some(role.id.clone()),
                )
            }
            Subject::User { id } => {
                let user = state.users.by_id(id).ok_or(KeyError::InvalidToken)?;
                (self.user_principal(user), user.tags.as_slice(), None)
            }
            Subject::Root => (self.root_principal(), &[][..], None),
        };
        Ok(ResolvedKey {
            access_key_id: access_key_id.to_owned(),
            secret,
            principal,
            tags: pairs(&overlay(own_tags, &session.tags)),
            session: Some(session),
            usage_id,
        })
    }

    /// Issues temporary credentials. Nothing is stored.
    ///
    /// # Errors
    /// No such user; a session policy is malformed, too long, or not there; policies and tags together are too large.
    pub fn issue_session(
        &self,
        session_for: SessionFor<'_>,
        options: SessionOptions,
        now: Timestamp,
    ) -> Result<Credentials, IdentityError> {
        if let Some(policy) = &options.policy {
            document::check_session(policy)?;
        }
        let packed_policy_size = packed::packed_policy_size(&options)?;
        let (subject, principal) = {
            let state = self.state();
            for arn in &options.policy_arns {
                if self.compiled_managed(&state, arn).is_none() {
                    return Err(IdentityError::MalformedPolicyDocument(format!(
                        "Policy {arn} does not exist or is not attachable."
                    )));
                }
            }
            match session_for {
                SessionFor::Role { role, session_name } => (
                    Subject::Role {
                        id: role.id.clone(),
                        session_name: session_name.to_owned(),
                    },
                    self.session_principal(role, session_name),
                ),
                SessionFor::User(name) => {
                    let user = state.user(name)?;
                    (Subject::User { id: user.id.clone() }, self.user_principal(user))
                }
                SessionFor::Root => (Subject::Root, self.root_principal()),
            }
        };
        let issued = time::whole_seconds(now);
        let expires = Timestamp::from_second(
            issued
                .as_second()
                .saturating_add(i64::from(options.duration_seconds)),
        )
        .map_err(|_| IdentityError::Validation("The session would end after the end of time.".to_owned()))?;
        let access_key_id = ids::access_key_id(IdKind::TemporaryKey, self.account())?;
        let payload = Payload {
            account: self.account().to_owned(),
            key: access_key_id.clone(),
            nonce: ids::nonce()?,
            subject,
            issued,
            expires,
            mfa: options.multi_factor,
            source_identity: options.source_identity,
            tags: options.tags,
            transitive: options.transitive_tag_keys,
            policy: options.policy,
            policy_arns: options.policy_arns,
        };
        let (secret, session_token) = self
            .signer
            .issue(&payload)
            .map_err(|_| IdentityError::Validation("The session cannot be written as a token.".to_owned()))?;
        Ok(Credentials {
            access_key_id,
            secret,
            session_token,
            expires_at: expires,
            principal,
            packed_policy_size,
        })
    }

    /// The session of the role with this ARN that Lambda acts as when it writes a function's log.
    pub fn role_session(&self, role_arn: &str, session_name: &str) -> Option<RoleSession> {
        let role = self.role_by_arn(role_arn)?;
        Some(RoleSession {
            principal: self.session_principal(&role, session_name),
            tags: pairs(&role.tags),
        })
    }

    fn root_principal(&self) -> Principal {
        Principal::Root {
            account: self.account().to_owned(),
        }
    }

    fn user_principal(&self, user: &User) -> Principal {
        Principal::User {
            account: self.account().to_owned(),
            arn: user.arn.clone(),
            name: user.name.clone(),
            id: Some(user.id.clone()),
        }
    }

    fn session_principal(&self, role: &Role, session_name: &str) -> Principal {
        Principal::RoleSession {
            account: self.account().to_owned(),
            role_arn: role.arn.clone(),
            role_name: role.name.clone(),
            role_id: Some(role.id.clone()),
            session_name: session_name.to_owned(),
        }
    }
}

fn pairs(tags: &[Tag]) -> Vec<(String, String)> {
    tags.iter()
        .map(|tag| (tag.key.clone(), tag.value.clone()))
        .collect()
}

/// What a verified token says. `None` if its policy cannot be compiled, which was checked when it was issued.
fn session_data(payload: Payload) -> Option<SessionData> {
    let policy = match payload.policy {
        Some(text) => {
            let label = || format!("session policy of {}", payload.key);
            Some(PolicyText::new(text).compiled(DocumentKind::Session, label)?)
        }
        None => None,
    };
    Some(SessionData {
        issued_at: payload.issued,
        expires_at: payload.expires,
        source_identity: payload.source_identity,
        multi_factor: payload.mfa,
        transitive_tag_keys: payload.transitive,
        tags: payload.tags,
        policy,
        policy_arns: payload.policy_arns,
        subject: payload.subject,
    })
}
