//! Writing items: check and write are one, whatever else goes on.
//!
//! Every write demands of the store that the items it looked at, and the table's definition, are as it saw them;
//! otherwise it looks again. The locks only keep writers of the same item from trying in vain.

use std::collections::BTreeSet;
use std::sync::Arc;

use rolecall_service::ServiceError;
use rolecall_store::{CommitError, Condition as Demand, Transaction};

use crate::codec;
use crate::error::{Result, commit, conflict, storage};
use crate::expression::{self, Condition, Update};
use crate::item::{self, Item};
use crate::state::{State, TABLES};
use crate::table::{Index, Table};

/// How often a write looks again before it gives up.
const ATTEMPTS: usize = 32;

/// What is done to one item.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Replace it.
    Put(Item),
    /// Change it, or make it from its key.
    Update {
        /// Its key.
        key: Item,
        /// The change.
        update: Update,
    },
    /// Delete it.
    Delete(Item),
    /// Look at it only.
    Check(Item),
}

/// An action with its condition. Values are in canonical form.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    /// Name of the table.
    pub(crate) table: String,
    /// What is done.
    pub(crate) action: Action,
    /// What the item must meet before.
    pub(crate) condition: Option<Condition>,
}

/// What one write did.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The table as it was.
    pub(crate) table: Arc<Table>,
    /// The item before.
    pub(crate) before: Option<Item>,
    /// The item after an update.
    pub(crate) after: Option<Item>,
    /// The larger of the sizes before and after, in bytes.
    pub(crate) size: usize,
    /// Indexes that have an entry of the item before or after.
    pub(crate) indexes: Vec<String>,
}

/// Why one write cannot be done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Its condition does not hold; the item as it is.
    Condition(Option<Item>),
    /// It is not valid.
    Invalid(ServiceError),
}

/// Why nothing was written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// Some writes cannot be done; one element a write.
    Refused(Vec<Option<Failure>>),
    /// The whole call cannot.
    Whole(ServiceError),
}

impl From<ServiceError> for WriteError {
    fn from(error: ServiceError) -> Self {
        Self::Whole(error)
    }
}

/// Does all of `writes`, or nothing. No two of them may be for the same item. `along` adds what else is to be
/// committed with them.
pub(crate) async fn execute(
    state: &State,
    region: &str,
    writes: &[Write],
    along: impl Fn(Transaction) -> Transaction + Send + Sync,
) -> std::result::Result<Vec<Outcome>, WriteError> {
    for _ in 0..ATTEMPTS {
        if let Some(outcomes) = attempt(state, region, writes, &along).await? {
            return Ok(outcomes);
        }
    }
    Err(conflict().into())
}

/// One write, with the error its own operation gives.
pub(crate) async fn execute_one(
    state: &State,
    region: &str,
    write: Write,
) -> std::result::Result<Outcome, Failure> {
    match execute(state, region, std::slice::from_ref(&write), |transaction| {
        transaction
    })
    .await
    {
        Ok(mut outcomes) => outcomes.pop().ok_or_else(|| Failure::Invalid(conflict())),
        Err(WriteError::Refused(mut failures)) => Err(failures
            .pop()
            .flatten()
            .unwrap_or_else(|| Failure::Invalid(conflict()))),
        Err(WriteError::Whole(error)) => Err(Failure::Invalid(error)),
    }
}

/// `None` when somebody else was faster.
async fn attempt(
    state: &State,
    region: &str,
    writes: &[Write],
    along: &(impl Fn(Transaction) -> Transaction + Send + Sync),
) -> std::result::Result<Option<Vec<Outcome>>, WriteError> {
    let mut targets = Vec::with_capacity(writes.len());
    let mut failures: Vec<Option<Failure>> = Vec::with_capacity(writes.len());
    for write in writes {
        let table = state.table(region, &write.table)?;
        match key_of(&table, &write.action) {
            Ok(key) => {
                targets.push((table, key));
                failures.push(None);
            }
            Err(error) => {
                targets.push((table, Vec::new()));
                failures.push(Some(Failure::Invalid(error)));
            }
        }
    }
    if failures.iter().any(Option::is_some) {
        return Err(WriteError::Refused(failures));
    }

    let mut tables: Vec<Arc<Table>> = targets.iter().map(|(table, _)| Arc::clone(table)).collect();
    tables.sort_by(|left, right| left.stored_key.cmp(&right.stored_key));
    tables.dedup_by(|left, right| left.stored_key == right.stored_key);
    // Both kinds of locks in ascending order, so that no two writers wait for each other.
    let mut barriers = Vec::with_capacity(tables.len());
    for table in &tables {
        barriers.push(table.shared.barrier.read().await);
    }
    let numbers: BTreeSet<usize> = targets
        .iter()
        .map(|(table, key)| State::stripe_number(table, key))
        .collect();
    let mut locks = Vec::with_capacity(numbers.len());
    for number in numbers {
        if let Some(stripe) = state.stripe(number) {
            locks.push(stripe.lock().await);
        }
    }

    let mut transaction = Transaction::new();
    for table in &tables {
        transaction = transaction.require(
            TABLES,
            table.stored_key.as_bytes(),
            Demand::Revision(table.revision),
        );
    }
    let mut outcomes = Vec::with_capacity(writes.len());
    let mut changed = writes.len() > 1;
    for (position, (write, (table, key))) in writes.iter().zip(&targets).enumerate() {
        let entry = state.store.get(&table.items, key).map_err(storage)?;
        let revision = entry.as_ref().map(|entry| entry.revision);
        let before = entry
            .map(|entry| codec::decode(&entry.value))
            .transpose()
            .map_err(storage)?;
        let staged = Staged { table, key, revision };
        match staged.stage(write, before, transaction) {
            Ok((with, outcome, wrote)) => {
                transaction = with;
                changed |= wrote;
                outcomes.push(outcome);
            }
            Err(failure) => {
                transaction = Transaction::new();
                if let Some(place) = failures.get_mut(position) {
                    *place = Some(failure);
                }
            }
        }
    }
    if failures.iter().any(Option::is_some) {
        return Err(WriteError::Refused(failures));
    }
    if !changed {
        return Ok(Some(outcomes));
    }
    match state.store.commit(along(transaction)).await {
        Ok(_) => Ok(Some(outcomes)),
        Err(CommitError::Conflict { bucket, .. }) => {
            if bucket == TABLES {
                for table in &tables {
                    state.reload(table)?;
                }
            }
            Ok(None)
        }
        Err(error) => Err(commit(error).into()),
    }
}

fn key_of(table: &Table, action: &Action) -> Result<Vec<u8>> {
    match action {
        Action::Put(item) => table.key_of_item(item),
        Action::Delete(key) | Action::Check(key) => table.key_of(key),
        Action::Update { key, update } => {
            for path in update.paths() {
                if table.definition.key.has(path.root()) {
                    return Err(crate::error::invalid_parameter(format_args!(
                        "Cannot update attribute {}. This attribute is part of the key",
                        path.root()
                    )));
                }
            }
            table.key_of(key)
        }
    }
}

/// An item that was looked at.
struct Staged<'a> {
    table: &'a Arc<Table>,
    key: &'a [u8],
    revision: Option<u64>,
}

impl Staged<'_> {
    fn stage(
        &self,
        write: &Write,
        before: Option<Item>,
        mut transaction: Transaction,
    ) -> std::result::Result<(Transaction, Outcome, bool), Failure> {
        if let Some(condition) = &write.condition {
            let holds = match &before {
                Some(item) => expression::matches(condition, item),
                None => expression::matches(condition, &Item::new()),
            };
            if !holds {
                return Err(Failure::Condition(before));
            }
        }
        let demand = self.revision.map_or(Demand::Absent, Demand::Revision);
        let mut after = None;
        let new = match &write.action {
            Action::Put(item) => {
                item::check_limits(item, "Item size has exceeded the maximum allowed size")
                    .map_err(Failure::Invalid)?;
                Some(item)
            }
            Action::Update { key, update } => {
                let changed = match &before {
                    Some(item) => expression::apply(update, item),
                    None => expression::apply(update, key),
                }
                .map_err(Failure::Invalid)?;
                item::check_limits(
                    &changed,
                    "Item size to update has exceeded the maximum allowed size",
                )
                .map_err(Failure::Invalid)?;
                after = Some(changed);
                after.as_ref()
            }
            Action::Delete(_) => None,
            Action::Check(_) => {
                transaction = transaction.require(&self.table.items, self.key, demand);
                let size = before.as_ref().map_or(0, item::item_size);
                let outcome = Outcome {
                    table: Arc::clone(self.table),
                    before,
                    after: None,
                    size,
                    indexes: Vec::new(),
                };
                return Ok((transaction, outcome, false));
            }
        };
        let mut indexes = Vec::new();
        for (index, bucket) in self.table.indexes() {
            let old = match &before {
                Some(item) => self.index_entry(index, item)?,
                None => None,
            };
            let entry = match new {
                Some(item) => self.index_entry(index, item)?,
                None => None,
            };
            if old.is_some() || entry.is_some() {
                indexes.push(index.name.clone());
            }
            // While an index is filled, an unchanged entry may be missing still.
            if old == entry && !index.backfilling {
                continue;
            }
            if let Some(old) = old {
                transaction = transaction.delete(bucket, old, Demand::Any);
            }
            if let Some(entry) = entry {
                transaction = transaction.put(bucket, entry, self.key.to_vec(), Demand::Any);
            }
        }
        let size = before
            .as_ref()
            .map_or(0, item::item_size)
            .max(new.map_or(0, item::item_size));
        let wrote = match new {
            Some(item) => {
                transaction = transaction.put(&self.table.items, self.key, codec::encode(item), demand);
                true
            }
            None if self.revision.is_some() => {
                transaction = transaction.delete(&self.table.items, self.key, demand);
                true
            }
            None => {
                transaction = transaction.require(&self.table.items, self.key, demand);
                false
            }
        };
        Ok((
            transaction,
            Outcome {
                table: Arc::clone(self.table),
                before,
                after,
                size,
                indexes,
            },
            wrote,
        ))
    }

    fn index_entry(&self, index: &Index, item: &Item) -> std::result::Result<Option<Vec<u8>>, Failure> {
        index.entry(item, self.key).map_err(Failure::Invalid)
    }
}
