//! The directory's promises on a real store: what it refuses, what survives a restart, and who gets which policies.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed test may panic")]

mod applicable;
mod entities;
mod keys;
mod policies;
mod sessions;
mod trust;

use std::sync::Arc;

use jiff::Timestamp;
use rolecall_identity::{
    Directory, DirectoryOptions, IdentityError, NewPolicy, NewRole, NewUser, Role, RootCredentials, Secret,
    User,
};
use rolecall_policy::{Context, Principal, Request, decide};
use rolecall_store::{EmbeddedStore, Store};

const ACCOUNT: &str = "123456789012";
const LAMBDA_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// Runs `future` to its end.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

fn root_credentials() -> RootCredentials {
    RootCredentials {
        access_key_id: "AKIAROOTROOTROOTROOT".to_owned(),
        secret: Secret::new("root-secret"),
    }
}

async fn open(store: Arc<dyn Store>) -> Arc<Directory> {
    let options = DirectoryOptions {
        root_credentials: Some(root_credentials()),
    };
    Directory::open(store, ACCOUNT, options).await.unwrap()
}

async fn directory() -> Arc<Directory> {
    open(Arc::new(EmbeddedStore::in_memory().unwrap())).await
}

async fn user(directory: &Directory, name: &str) -> Arc<User> {
    let new = NewUser {
        name: name.to_owned(),
        ..NewUser::default()
    };
    directory.create_user(new, now()).await.unwrap()
}

async fn role(directory: &Directory, name: &str, trust: &str) -> Result<Arc<Role>, IdentityError> {
    let new = NewRole {
        name: name.to_owned(),
        trust: trust.to_owned(),
        ..NewRole::default()
    };
    directory.create_role(new, now()).await
}

/// Makes a managed policy and gives its ARN.
async fn policy(directory: &Directory, name: &str, text: &str) -> String {
    let new = NewPolicy {
        name: name.to_owned(),
        document: text.to_owned(),
        ..NewPolicy::default()
    };
    directory.create_policy(new, now()).await.unwrap().arn.clone()
}

/// A policy with one statement on every resource.
fn statement(effect: &str, action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}","Action":"{action}","Resource":"*"}}}}"#
    )
}

/// Whether `principal` may do `action` by its own policies.
fn allows(directory: &Directory, principal: &Principal, action: &str) -> bool {
    let Some(policies) = directory.policies_for(principal) else {
        return false;
    };
    decides(&policies, principal, action)
}

fn decides(policies: &rolecall_identity::ApplicablePolicies, principal: &Principal, action: &str) -> bool {
    let context = Context::new();
    let request = Request {
        principal,
        action,
        resource: "arn:aws:s3:::bucket/key",
        resource_account: Some(ACCOUNT),
        context: &context,
    };
    decide(&request, &policies.view()).is_allowed()
}

fn principal(user: &User) -> Principal {
    Principal::User {
        account: ACCOUNT.to_owned(),
        arn: user.arn.clone(),
        name: user.name.clone(),
        id: Some(user.id.clone()),
    }
}
