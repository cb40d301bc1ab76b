//! The directory of one account: opening it, reading it, and the one way it changes.
//!
//! A change is planned on the state as last committed, committed to the store, and only then seen by readers. Changes
//! are made one after the other, so a plan's checks still hold when it is committed.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use rolecall_policy::CompiledPolicy;
use rolecall_store::codec::{self, Stored};
use rolecall_store::{Condition, ScanRange, Store, StoreError, Transaction};

use crate::records::{AccessKey, AccountSettings, LastUsed, ServerKey};
use crate::session::SessionCache;
use crate::state::{ACCESS_KEYS, Entity, LAST_USED, SETTINGS, State, Table, Write, record_key};
use crate::token::Signer;
use crate::usage::UsageCell;
use crate::{IdentityError, Secret, ids};

const SERVER_KEY: &str = "identity.server-key";

/// The root user's long-term credentials.
#[derive(Debug, Clone)]
pub struct RootCredentials {
    /// `AKIA…`
    pub access_key_id: String,
    /// The secret access key.
    pub secret: Secret,
}

impl RootCredentials {
    /// New random credentials for the root user of `account`.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn generate(account: &str) -> Result<Self, IdentityError> {
        Ok(Self {
            access_key_id: ids::access_key_id(crate::IdKind::AccessKey, account)?,
            secret: ids::secret_access_key()?,
        })
    }
}

/// How a directory is opened.
#[derive(Debug, Clone, Default)]
pub struct DirectoryOptions {
    /// Credentials of the root user; without them nobody can sign as root.
    pub root_credentials: Option<RootCredentials>,
}

/// Users, groups, roles, policies, keys and sessions of one account.
pub struct Directory {
    account: Arc<str>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) root: Option<RootCredentials>,
    pub(crate) signer: Signer,
    pub(crate) writer: Arc<tokio::sync::Mutex<()>>,
    pub(crate) usage: UsageCell,
    pub(crate) sessions: SessionCache,
    /// Compiled AWS managed policies, each once, by ARN. They never change.
    pub(crate) aws_managed: Mutex<HashMap<String, Arc<CompiledPolicy>>>,
    state: Arc<RwLock<State>>,
}

impl Directory {
    /// Opens the directory of `account` (twelve digits): reads everything into memory, and makes the key that session
    /// tokens are signed with if there is none yet.
    ///
    /// # Errors
    /// The account id is malformed, the store failed, or a record cannot be read.
    pub async fn open(
        store: Arc<dyn Store>,
        account: impl Into<Arc<str>>,
        options: DirectoryOptions,
    ) -> Result<Arc<Self>, IdentityError> {
        let account = account.into();
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(IdentityError::Validation(format!(
                "{account:?} is no account id, give twelve digits"
            )));
        }
        let state = load(store.as_ref(), &account)?;
        let usage = UsageCell::default();
        load_bucket::<LastUsed>(store.as_ref(), LAST_USED, &account, |id, last| {
            usage.load(id, last);
        })?;
        let key = server_key(store.as_ref(), &account).await?;
        let signer = Signer::new(&key).map_err(|_| IdentityError::Randomness)?;
        Ok(Arc::new(Self {
            account,
            store,
            root: options.root_credentials,
            signer,
            writer: Arc::default(),
            usage,
            sessions: SessionCache::default(),
            aws_managed: Mutex::default(),
            state: Arc::new(RwLock::new(state)),
        }))
    }

    /// The account, twelve digits.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The account, shared.
    pub fn shared_account(&self) -> Arc<str> {
        Arc::clone(&self.account)
    }

    /// ARN of the account's root user.
    pub fn root_arn(&self) -> String {
        format!("arn:aws:iam::{}:root", self.account)
    }

    /// Whether the root user has an access key.
    pub fn has_root_credentials(&self) -> bool {
        self.root.is_some()
    }

    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        // A panic while the state was written cannot leave it torn in a way that matters: every write is one insertion
        // or removal of a whole record.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change: `plan` checks it against the current state and says what is written.
    ///
    /// Once planned, it runs to its end even if the caller goes away: what is committed is always seen.
    pub(crate) async fn change<T>(
        &self,
        plan: impl FnOnce(&State) -> Result<(Vec<Write>, T), IdentityError>,
    ) -> Result<T, IdentityError> {
        let writer = Arc::clone(&self.writer).lock_owned().await;
        let (writes, outcome) = plan(&self.state())?;
        if writes.is_empty() {
            return Ok(outcome);
        }
        let mut transaction = Transaction::new();
        for write in &writes {
            transaction = write.record(transaction, &self.account)?;
        }
        let (store, state) = (Arc::clone(&self.store), Arc::clone(&self.state));
        let committing = tokio::spawn(async move {
            let _writer = writer;
            store.commit(transaction).await?;
            let mut state = state.write().unwrap_or_else(PoisonError::into_inner);
            for write in writes {
                state.apply(write);
            }
            state
                .applicable
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner)
                .clear();
            Ok::<_, IdentityError>(())
        });
        committing.await.map_err(|_| IdentityError::Interrupted)??;
        Ok(outcome)
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Directory")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

fn load(store: &dyn Store, account: &str) -> Result<State, StoreError> {
    let mut state = State::default();
    load_table(store, account, &mut state.users)?;
    load_table(store, account, &mut state.groups)?;
    load_table(store, account, &mut state.roles)?;
    load_table(store, account, &mut state.policies)?;
    load_bucket::<AccessKey>(store, ACCESS_KEYS, account, |id, key| {
        state.keys.insert(id, Arc::new(key));
    })?;
    load_bucket::<AccountSettings>(store, SETTINGS, account, |_, settings| {
        state.settings = Arc::new(settings);
    })?;
    Ok(state)
}

fn load_table<T: Entity>(store: &dyn Store, account: &str, table: &mut Table<T>) -> Result<(), StoreError> {
    load_bucket::<T>(store, T::BUCKET, account, |_, entity| table.put(Arc::new(entity)))
}

/// Hands every record of the account in `bucket` to `take`, with its id.
fn load_bucket<T: Stored>(
    store: &dyn Store,
    bucket: &str,
    account: &str,
    mut take: impl FnMut(String, T),
) -> Result<(), StoreError> {
    let prefix = record_key(account, "");
    let mut outcome = Ok(());
    store.for_each(
        bucket,
        &ScanRange::prefix(prefix.as_bytes()),
        &mut |entry| match codec::decode::<T>(entry.value) {
            Ok(record) => {
                let id = entry.key.get(prefix.len()..).unwrap_or_default();
                take(String::from_utf8_lossy(id).into_owned(), record);
                ControlFlow::Continue(())
            }
            Err(error) => {
                outcome = Err(error);
                ControlFlow::Break(())
            }
        },
    )?;
    outcome
}

async fn server_key(store: &dyn Store, account: &str) -> Result<ServerKey, IdentityError> {
    let key = record_key(account, "session-tokens");
    if let Some(entry) = store.get(SERVER_KEY, key.as_bytes())? {
        return Ok(entry.decode()?);
    }
    let made = ServerKey(ids::server_key()?);
    store
        .commit(Transaction::new().put(SERVER_KEY, key, codec::encode(&made)?, Condition::Absent))
        .await?;
    Ok(made)
}
