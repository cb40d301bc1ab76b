//! What the service keeps: table definitions in memory and in the store, items in the store only.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use rolecall_service::RequestContext;
use rolecall_store::{ScanRange, Store, StoreError};
use tokio::sync::Mutex;

use crate::error::{Result, resource_not_found, storage, validation};
use crate::table::{Definition, Shared, Table, stored_key};

/// Bucket of table definitions.
pub(crate) const TABLES: &str = "dynamodb.tables";
/// Locks that writers of items share; two items rarely meet on one.
const STRIPES: usize = 256;
/// Longest table or index name.
const MAX_NAME: usize = 255;

/// Tables, their items and the locks that keep a check and its write together.
pub(crate) struct State {
    /// Where everything is.
    pub(crate) store: Arc<dyn Store>,
    /// By region and name.
    tables: RwLock<BTreeMap<String, Arc<Table>>>,
    stripes: Vec<Mutex<()>>,
}

impl State {
    /// Reads the definitions of all tables.
    pub(crate) fn load(store: Arc<dyn Store>) -> std::result::Result<Self, StoreError> {
        let mut tables = BTreeMap::new();
        for entry in store.scan(TABLES, &ScanRange::all(), usize::MAX)? {
            let definition: Definition = entry.decode()?;
            let table = Table::new(definition, entry.revision, Arc::new(Shared::default()));
            tables.insert(table.stored_key.clone(), Arc::new(table));
        }
        let stripes = std::iter::repeat_with(|| Mutex::new(())).take(STRIPES).collect();
        Ok(Self {
            store,
            tables: RwLock::new(tables),
            stripes,
        })
    }

    /// The table, if there is one.
    pub(crate) fn find(&self, region: &str, name: &str) -> Option<Arc<Table>> {
        self.tables
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&stored_key(region, name))
            .cloned()
    }

    /// The table.
    ///
    /// # Errors
    /// `ResourceNotFoundException` as data operations have it.
    pub(crate) fn table(&self, region: &str, name: &str) -> Result<Arc<Table>> {
        self.find(region, name).ok_or_else(resource_not_found)
    }

    /// Every table of a region, by name.
    pub(crate) fn tables_of(&self, region: &str) -> Vec<Arc<Table>> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        let prefix = stored_key(region, "");
        tables
            .range(prefix.clone()..)
            .take_while(|(key, _)| key.starts_with(&prefix))
            .map(|(_, table)| Arc::clone(table))
            .collect()
    }

    /// Tables with an index that is not filled yet.
    pub(crate) fn unfinished(&self) -> Vec<Arc<Table>> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        let backfilling =
            |table: &&Arc<Table>| table.definition.indexes.iter().any(|index| index.backfilling);
        tables.values().filter(backfilling).map(Arc::clone).collect()
    }

    /// Shows what was just committed.
    pub(crate) fn publish(&self, table: Table) -> Arc<Table> {
        let table = Arc::new(table);
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let newer = tables
            .get(&table.stored_key)
            .is_some_and(|shown| shown.revision > table.revision);
        if !newer {
            tables.insert(table.stored_key.clone(), Arc::clone(&table));
        }
        table
    }

    /// Forgets a table that was deleted, unless it has been made again.
    pub(crate) fn forget(&self, table: &Table) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        if tables
            .get(&table.stored_key)
            .is_some_and(|shown| shown.definition.id == table.definition.id)
        {
            tables.remove(&table.stored_key);
        }
    }

    /// Reads a table's definition anew, after a commit found it changed.
    pub(crate) fn reload(&self, stale: &Table) -> Result<()> {
        let Some(entry) = self
            .store
            .get(TABLES, stale.stored_key.as_bytes())
            .map_err(storage)?
        else {
            self.forget(stale);
            return Ok(());
        };
        let definition: Definition = entry.decode().map_err(storage)?;
        let shared = if definition.id == stale.definition.id {
            Arc::clone(&stale.shared)
        } else {
            Arc::new(Shared::default())
        };
        self.publish(Table::new(definition, entry.revision, shared));
        Ok(())
    }

    /// The lock of an item; always take several in ascending order of their numbers.
    pub(crate) fn stripe(&self, number: usize) -> Option<&Mutex<()>> {
        self.stripes.get(number)
    }

    /// Number of an item's lock.
    pub(crate) fn stripe_number(table: &Table, key: &[u8]) -> usize {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(table.definition.id.as_bytes());
        hasher.update(key);
        usize::try_from(hasher.finalize()).unwrap_or(0) % STRIPES
    }
}

/// The ARN of a table in the request's region.
pub(crate) fn table_arn(context: &RequestContext, name: &str) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    format!(
        "arn:aws:dynamodb:{}:{}:table/{name}",
        context.region, context.account
    )
}

/// The name in a `TableName` parameter, which may be an ARN of this account and region.
///
/// # Errors
/// The name is malformed, or the table is elsewhere.
pub(crate) fn table_name<'a>(context: &RequestContext, given: &'a str) -> Result<&'a str> {
    if !given.starts_with("arn:") {
        check_name(given)?;
        return Ok(given);
    }
    let mut parts = given.splitn(6, ':').skip(2);
    let (Some("dynamodb"), Some(region), Some(account), Some(resource)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(validation("Invalid table ARN"));
    };
    let Some(name) = resource.strip_prefix("table/").filter(|name| !name.contains('/')) else {
        return Err(validation("Invalid table ARN"));
    };
    if region != &*context.region || account != &*context.account {
        return Err(resource_not_found());
    }
    check_name(name)?;
    Ok(name)
}

/// Refuses a malformed name of a table or index.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let characters = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    if (3..=MAX_NAME).contains(&name.len()) && characters {
        return Ok(());
    }
    Err(validation(
        "Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'",
    ))
}
