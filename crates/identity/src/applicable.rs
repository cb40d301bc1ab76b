//! Everything that applies to a principal, gathered once and kept until something changes.

use std::sync::{Arc, PoisonError};

use rolecall_policy::{CompiledPolicy, DocumentKind, Policies, Principal};

use crate::records::EntityPolicies;
use crate::session::SessionData;
use crate::state::State;
use crate::{Directory, document};

/// The policies that apply to a principal, apart from those of the resource.
///
/// The default has none: what an AWS service or an anonymous caller has, who are allowed only what a resource policy
/// allows.
#[derive(Debug, Clone, Default)]
pub struct ApplicablePolicies {
    identity: Vec<Arc<CompiledPolicy>>,
    boundary: Option<Arc<CompiledPolicy>>,
    session: Option<Vec<Arc<CompiledPolicy>>>,
}

impl ApplicablePolicies {
    /// As the engine takes them. The caller adds the resource's policy.
    pub fn view(&self) -> Policies<'_> {
        Policies {
            identity: &self.identity,
            boundary: self.boundary.as_deref(),
            session: self.session.as_deref(),
            ..Policies::default()
        }
    }

    /// Identity-based policies: inline and attached ones, of the principal and of its groups.
    pub fn identity(&self) -> &[Arc<CompiledPolicy>] {
        &self.identity
    }

    /// The permissions boundary.
    pub fn boundary(&self) -> Option<&Arc<CompiledPolicy>> {
        self.boundary.as_ref()
    }

    /// Session policies, if the session was given any.
    pub fn session(&self) -> Option<&[Arc<CompiledPolicy>]> {
        self.session.as_deref()
    }

    /// For a principal whose policies cannot be told: an explicit Deny of everything.
    pub(crate) fn denied() -> Arc<Self> {
        Arc::new(Self {
            identity: vec![document::deny_everything()],
            boundary: None,
            session: Some(Vec::new()),
        })
    }

    fn with_session(&self, session: Vec<Arc<CompiledPolicy>>) -> Self {
        Self {
            session: Some(session),
            ..self.clone()
        }
    }
}

impl Directory {
    /// The identity-based policies and the boundary of `principal`. Policies of its session are known only with its
    /// credentials: see [`Directory::policies_for_key`].
    ///
    /// `None` when the principal is not known here: it was deleted (or deleted and made again, rule 37), belongs to another
    /// account, or a policy of it cannot be read. Whoever gets `None` must deny.
    pub fn policies_for(&self, principal: &Principal) -> Option<Arc<ApplicablePolicies>> {
        match principal {
            Principal::Root { account } if account == self.account() => Some(Arc::default()),
            Principal::Service { .. } | Principal::Anonymous => Some(Arc::default()),
            Principal::User {
                account, name, id, ..
            } if account == self.account() => {
                let state = self.state();
                let user = state.users.by_name(name)?;
                if id.as_deref().is_some_and(|id| id != user.id) {
                    return None;
                }
                self.gathered(&state, &user.id)
            }
            Principal::RoleSession {
                account,
                role_name,
                role_id,
                ..
            } if account == self.account() => {
                let state = self.state();
                let role = state.roles.by_name(role_name)?;
                if role_id.as_deref().is_some_and(|id| id != role.id) {
                    return None;
                }
                self.gathered(&state, &role.id)
            }
            _ => None,
        }
    }

    /// Everything that applies to the holder of `key`, session policies included. A principal that is gone is denied
    /// everything by an explicit Deny.
    pub fn policies_for_key(&self, key: &crate::ResolvedKey) -> Arc<ApplicablePolicies> {
        let Some(policies) = self.policies_for(&key.principal) else {
            return ApplicablePolicies::denied();
        };
        match key
            .session
            .as_deref()
            .and_then(|session| self.session_policies(session))
        {
            Some(session) => Arc::new(policies.with_session(session)),
            None => policies,
        }
    }

    /// The session policies of `session`; `None` if it was given none. A managed policy that is gone no longer allows
    /// anything.
    fn session_policies(&self, session: &SessionData) -> Option<Vec<Arc<CompiledPolicy>>> {
        if session.policy.is_none() && session.policy_arns.is_empty() {
            return None;
        }
        let state = self.state();
        let managed = session
            .policy_arns
            .iter()
            .filter_map(|arn| self.compiled_managed(&state, arn));
        Some(session.policy.iter().cloned().chain(managed).collect())
    }

    /// The policies of the user or role `id`, from the state's cache or gathered now.
    fn gathered(&self, state: &State, id: &str) -> Option<Arc<ApplicablePolicies>> {
        if let Some(known) = state
            .applicable
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
        {
            return known.clone();
        }
        let gathered = self.gather(state, id).map(Arc::new);
        let mut cache = state.applicable.lock().unwrap_or_else(PoisonError::into_inner);
        cache.insert(id.to_owned(), gathered.clone());
        gathered
    }

    /// Gathers the policies of the user or role `id`. `None` if one of them cannot be compiled: what it denies is
    /// not known.
    pub(crate) fn gather(&self, state: &State, id: &str) -> Option<ApplicablePolicies> {
        let mut identity = Vec::new();
        let boundary = if let Some(user) = state.users.by_id(id) {
            self.collect(state, &user.policies, &user.arn, &mut identity)?;
            for group in user.groups.iter().filter_map(|id| state.groups.by_id(id)) {
                self.collect(state, &group.policies, &group.arn, &mut identity)?;
            }
            user.boundary.as_deref()
        } else {
            let role = state.roles.by_id(id)?;
            self.collect(state, &role.policies, &role.arn, &mut identity)?;
            role.boundary.as_deref()
        };
        let boundary = match boundary {
            Some(arn) => Some(self.compiled_managed(state, arn)?),
            None => None,
        };
        Some(ApplicablePolicies {
            identity,
            boundary,
            session: None,
        })
    }

    fn collect(
        &self,
        state: &State,
        policies: &EntityPolicies,
        owner_arn: &str,
        into: &mut Vec<Arc<CompiledPolicy>>,
    ) -> Option<()> {
        for (name, text) in &policies.inline {
            into.push(text.compiled(DocumentKind::Identity, || {
                format!("{name} (inline policy of {owner_arn})")
            })?);
        }
        for arn in &policies.attached {
            into.push(self.compiled_managed(state, arn)?);
        }
        Some(())
    }
}
