//! The account in memory: what is read on every request, and the one way it changes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use rolecall_store::codec::{self, Stored};
use rolecall_store::{Condition, StoreError, Transaction};

use crate::records::{AccessKey, AccountSettings, Group, ManagedPolicy, Role, User};
use crate::{ApplicablePolicies, IdentityError};

/// A record that is found by its id and by its name.
pub(crate) trait Entity: Stored {
    /// Where the store keeps it.
    const BUCKET: &'static str;
    fn id(&self) -> &str;
    fn name(&self) -> &str;
    fn arn(&self) -> &str;
}

macro_rules! entity {
    ($($record:ty => $bucket:literal;)*) => {
        $(impl Entity for $record {
            const BUCKET: &'static str = $bucket;
            fn id(&self) -> &str {
                &self.id
            }
            fn name(&self) -> &str {
                &self.name
            }
            fn arn(&self) -> &str {
                &self.arn
            }
        })*
    };
}

entity! {
    User => "identity.users";
    Group => "identity.groups";
    Role => "identity.roles";
    ManagedPolicy => "identity.policies";
}

pub(crate) const ACCESS_KEYS: &str = "identity.access-keys";
pub(crate) const SETTINGS: &str = "identity.settings";
pub(crate) const LAST_USED: &str = "identity.last-used";

/// Entities of one kind. Names are unique without regard to case but found only as written.
pub(crate) struct Table<T> {
    entities: HashMap<String, Arc<T>>,
    names: BTreeMap<String, String>,
    folded_names: HashMap<String, String>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            entities: HashMap::new(),
            names: BTreeMap::new(),
            folded_names: HashMap::new(),
        }
    }
}

impl<T: Entity> Table<T> {
    pub(crate) fn len(&self) -> usize {
        self.entities.len()
    }

    /// In the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.names.values().filter_map(|id| self.entities.get(id))
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&Arc<T>> {
        self.entities.get(id)
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<&Arc<T>> {
        self.names.get(name).and_then(|id| self.entities.get(id))
    }

    pub(crate) fn by_arn(&self, arn: &str) -> Option<&Arc<T>> {
        let name = arn.rsplit('/').next()?;
        self.by_name(name).filter(|entity| entity.arn() == arn)
    }

    /// Who has `name` or one that differs from it only by case.
    pub(crate) fn holder_of(&self, name: &str) -> Option<&Arc<T>> {
        self.folded_names
            .get(&name.to_ascii_lowercase())
            .and_then(|id| self.entities.get(id))
    }

    pub(crate) fn put(&mut self, entity: Arc<T>) {
        self.remove(entity.id());
        let id = entity.id().to_owned();
        self.names.insert(entity.name().to_owned(), id.clone());
        self.folded_names
            .insert(entity.name().to_ascii_lowercase(), id.clone());
        self.entities.insert(id, entity);
    }

    fn remove(&mut self, id: &str) {
        if let Some(former) = self.entities.remove(id) {
            self.names.remove(former.name());
            self.folded_names.remove(&former.name().to_ascii_lowercase());
        }
    }
}

/// One change of one record.
pub(crate) enum Write {
    User(Arc<User>),
    DeleteUser(String),
    Group(Arc<Group>),
    DeleteGroup(String),
    Role(Arc<Role>),
    DeleteRole(String),
    Policy(Arc<ManagedPolicy>),
    DeletePolicy(String),
    AccessKey(Arc<AccessKey>),
    DeleteAccessKey(String),
    Settings(Arc<AccountSettings>),
}

/// The key of a record of `account`.
pub(crate) fn record_key(account: &str, id: &str) -> String {
    format!("{account}/{id}")
}

fn put<T: Stored>(
    transaction: Transaction,
    bucket: &str,
    account: &str,
    id: &str,
    record: &T,
) -> Result<Transaction, StoreError> {
    Ok(transaction.put(
        bucket,
        record_key(account, id),
        codec::encode(record)?,
        Condition::Any,
    ))
}

fn delete(transaction: Transaction, bucket: &str, account: &str, id: &str) -> Transaction {
    transaction.delete(bucket, record_key(account, id), Condition::Any)
}

impl Write {
    /// Adds the change to the transaction that makes it durable.
    pub(crate) fn record(&self, transaction: Transaction, account: &str) -> Result<Transaction, StoreError> {
        Ok(match self {
            Self::User(user) => put(transaction, User::BUCKET, account, &user.id, &**user)?,
            Self::DeleteUser(id) => delete(transaction, User::BUCKET, account, id),
            Self::Group(group) => put(transaction, Group::BUCKET, account, &group.id, &**group)?,
            Self::DeleteGroup(id) => delete(transaction, Group::BUCKET, account, id),
            Self::Role(role) => put(transaction, Role::BUCKET, account, &role.id, &**role)?,
            Self::DeleteRole(id) => delete(
                delete(transaction, Role::BUCKET, account, id),
                LAST_USED,
                account,
                id,
            ),
            Self::Policy(policy) => put(transaction, ManagedPolicy::BUCKET, account, &policy.id, &**policy)?,
            Self::DeletePolicy(id) => delete(transaction, ManagedPolicy::BUCKET, account, id),
            Self::AccessKey(key) => put(transaction, ACCESS_KEYS, account, &key.id, &**key)?,
            Self::DeleteAccessKey(id) => delete(
                delete(transaction, ACCESS_KEYS, account, id),
                LAST_USED,
                account,
                id,
            ),
            Self::Settings(settings) => put(transaction, SETTINGS, account, "account", &**settings)?,
        })
    }
}

/// Everything of the account, as last committed.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) users: Table<User>,
    pub(crate) groups: Table<Group>,
    pub(crate) roles: Table<Role>,
    pub(crate) policies: Table<ManagedPolicy>,
    pub(crate) keys: HashMap<String, Arc<AccessKey>>,
    pub(crate) settings: Arc<AccountSettings>,
    /// What applies to a user or role, by its id. Filled while this state is borrowed and emptied by every change, so
    /// it can never be older than the state.
    pub(crate) applicable: Mutex<HashMap<String, Option<Arc<ApplicablePolicies>>>>,
}

impl State {
    pub(crate) fn apply(&mut self, write: Write) {
        match write {
            Write::User(user) => self.users.put(user),
            Write::DeleteUser(id) => self.users.remove(&id),
            Write::Group(group) => self.groups.put(group),
            Write::DeleteGroup(id) => self.groups.remove(&id),
            Write::Role(role) => self.roles.put(role),
            Write::DeleteRole(id) => self.roles.remove(&id),
            Write::Policy(policy) => self.policies.put(policy),
            Write::DeletePolicy(id) => self.policies.remove(&id),
            Write::AccessKey(key) => {
                self.keys.insert(key.id.clone(), key);
            }
            Write::DeleteAccessKey(id) => {
                self.keys.remove(&id);
            }
            Write::Settings(settings) => self.settings = settings,
        }
    }

    pub(crate) fn user(&self, name: &str) -> Result<&Arc<User>, IdentityError> {
        self.users
            .by_name(name)
            .ok_or_else(|| IdentityError::NoSuchEntity(format!("The user with name {name} cannot be found.")))
    }

    pub(crate) fn group(&self, name: &str) -> Result<&Arc<Group>, IdentityError> {
        self.groups.by_name(name).ok_or_else(|| {
            IdentityError::NoSuchEntity(format!("The group with name {name} cannot be found."))
        })
    }

    pub(crate) fn role(&self, name: &str) -> Result<&Arc<Role>, IdentityError> {
        self.roles
            .by_name(name)
            .ok_or_else(|| IdentityError::NoSuchEntity(format!("The role with name {name} cannot be found.")))
    }

    pub(crate) fn policy(&self, arn: &str) -> Result<&Arc<ManagedPolicy>, IdentityError> {
        self.policies
            .by_arn(arn)
            .ok_or_else(|| IdentityError::NoSuchEntity(format!("Policy {arn} was not found.")))
    }

    /// The user's access keys, oldest first.
    pub(crate) fn keys_of(&self, user_id: &str) -> Vec<&Arc<AccessKey>> {
        let mut keys: Vec<_> = self.keys.values().filter(|key| key.user_id == user_id).collect();
        keys.sort_by(|left, right| (left.created_at, &left.id).cmp(&(right.created_at, &right.id)));
        keys
    }
}
