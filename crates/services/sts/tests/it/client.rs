//! A caller of the service: prepare, gate, run, as the gateway does it.

use std::sync::Arc;

use jiff::Timestamp;
use rolecall_identity::{
    ApplicablePolicies, Directory, DirectoryOptions, Holder, NewRole, NewUser, ResolvedKey, Role,
    RootCredentials, Secret,
};
use rolecall_policy::{Context, Principal};
use rolecall_service::{Caller, Origin, RequestContext, Service, SessionFacts, gate};
use rolecall_service_sts::Sts;
use rolecall_store::EmbeddedStore;
use rolecall_wire::Value;

pub(crate) const ACCOUNT: &str = "123456789012";
const ROOT: &str = "AKIAROOTROOTROOTROOT";

/// STS and somebody who calls it.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) directory: Arc<Directory>,
    caller: Arc<Caller>,
    policies: Arc<ApplicablePolicies>,
    time: Timestamp,
}

impl Client {
    /// The root user of a new account.
    pub(crate) async fn root() -> Self {
        let root = RootCredentials {
            access_key_id: ROOT.to_owned(),
            secret: Secret::new("secret"),
        };
        let store = Arc::new(EmbeddedStore::in_memory().unwrap());
        let options = DirectoryOptions {
            root_credentials: Some(root),
        };
        let directory = Directory::open(store, ACCOUNT, options).await.unwrap();
        let key = directory.resolve_key(ROOT, None, now()).unwrap();
        Self {
            caller: Arc::new(caller(&key)),
            policies: directory.policies_for_key(&key),
            directory,
            time: now(),
        }
    }

    /// A new user with one inline policy, or none.
    pub(crate) async fn user(&self, name: &str, policy: Option<&str>) -> Self {
        let new = NewUser {
            name: name.to_owned(),
            ..NewUser::default()
        };
        self.directory.create_user(new, now()).await.unwrap();
        if let Some(policy) = policy {
            self.directory
                .put_inline_policy(Holder::User(name), "policy", policy)
                .await
                .unwrap();
        }
        let key = self.directory.create_access_key(name, now()).await.unwrap();
        self.with_key(&key.id, None)
    }

    pub(crate) async fn role(&self, name: &str, trust: &str) -> Arc<Role> {
        let new = NewRole {
            name: name.to_owned(),
            trust: trust.to_owned(),
            ..NewRole::default()
        };
        self.directory.create_role(new, now()).await.unwrap()
    }

    /// An AWS service.
    pub(crate) fn service(&self, name: &'static str) -> Self {
        let caller = Caller {
            principal: Principal::Service {
                name: name.to_owned(),
            },
            access_key_id: None,
            session: None,
            tags: Vec::new(),
            invoked_by: Some(name),
        };
        Self {
            caller: Arc::new(caller),
            policies: Arc::default(),
            ..self.clone()
        }
    }

    pub(crate) fn with_key(&self, id: &str, token: Option<&str>) -> Self {
        let key = self.directory.resolve_key(id, token, now()).unwrap();
        Self {
            caller: Arc::new(caller(&key)),
            policies: self.directory.policies_for_key(&key),
            ..self.clone()
        }
    }

    /// Whoever the `Credentials` of an answer belong to.
    pub(crate) fn with_credentials(&self, answer: &Value) -> Self {
        let token = text(answer, "Credentials.SessionToken");
        self.with_key(&text(answer, "Credentials.AccessKeyId"), Some(&token))
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Makes a call; the error is code and message, `AccessDenied` for a denial of the gate.
    pub(crate) async fn call(&self, operation: &str, input: Value) -> Result<Value, (String, String)> {
        let service = Sts::new(Arc::clone(&self.directory));
        let operation = service
            .model()
            .operations
            .iter()
            .find(|candidate| candidate.name == operation)
            .unwrap();
        let context = RequestContext {
            request_id: "11111111-2222-4333-8444-555555555555".to_owned(),
            account: ACCOUNT.into(),
            region: "us-east-1".into(),
            caller: Arc::clone(&self.caller),
            time: self.time,
            origin: Origin::Network {
                address: [127, 0, 0, 1].into(),
            },
            user_agent: "test".to_owned(),
            secure_transport: false,
            endpoint: "http://127.0.0.1:4566".into(),
            request_keys: Vec::new(),
        };
        let error =
            |error: rolecall_service::ServiceError| (error.code().to_owned(), error.message().to_owned());
        let prepared = service
            .prepare(operation, input, Arc::new(context))
            .await
            .map_err(error)?;
        let mut global = Context::new();
        for (key, value) in &self.caller.tags {
            global.insert(&format!("aws:PrincipalTag/{key}"), vec![value.clone()]);
        }
        let permit = gate::authorise(
            &self.caller.principal,
            &global,
            self.policies.view(),
            ACCOUNT,
            prepared.needs,
        )
        .map_err(|denial| ("AccessDenied".to_owned(), denial.message))?;
        prepared.call.run(permit).await.map_err(error)
    }

    /// `AssumeRole` with a session name of `s` and further members.
    pub(crate) async fn assume<const N: usize>(
        &self,
        role_arn: &str,
        members: [(&'static str, Value); N],
    ) -> Result<Value, (String, String)> {
        let mut entries = vec![
            ("RoleArn".into(), role_arn.into()),
            ("RoleSessionName".into(), "s".into()),
        ];
        entries.extend(members.into_iter().map(|(name, value)| (name.into(), value)));
        self.call("AssumeRole", Value::Map(entries)).await
    }
}

fn caller(key: &ResolvedKey) -> Caller {
    Caller {
        principal: key.principal.clone(),
        access_key_id: Some(key.access_key_id.clone()),
        session: key.session.as_ref().map(|session| SessionFacts {
            issued_at: session.issued_at,
            expires_at: session.expires_at,
            source_identity: session.source_identity.clone(),
            multi_factor: session.multi_factor,
            transitive_tag_keys: session.transitive_tag_keys.clone(),
        }),
        tags: key.tags.clone(),
        invoked_by: None,
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

/// A list of tags.
pub(crate) fn tags<const N: usize>(tags: [(&str, &str); N]) -> Value {
    let tag = |(key, value): (&str, &str)| {
        Value::Map(vec![("Key".into(), key.into()), ("Value".into(), value.into())])
    };
    Value::List(tags.into_iter().map(tag).collect())
}

/// The string at `path`, member names separated by dots.
pub(crate) fn text(value: &Value, path: &str) -> String {
    member(value, path)
        .as_str()
        .unwrap_or_else(|| panic!("{path} is no string"))
        .to_owned()
}

pub(crate) fn member<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(value, |value, step| {
        value
            .get(step)
            .unwrap_or_else(|| panic!("{path}: no member {step}"))
    })
}
