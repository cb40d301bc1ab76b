//! When access keys and roles were last used.
//!
//! Kept in memory and written now and then: losing the last minute of it in a crash is what AWS promises, too (IAM User
//! Guide, "Refining permissions using last accessed information": usually within four hours).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rolecall_store::{Condition, Transaction, codec};

use crate::records::LastUsed;
use crate::state::{LAST_USED, record_key};
use crate::{Directory, IdentityError, time};

/// Last uses by access key id or role id.
#[derive(Default)]
pub(crate) struct Usage {
    last: HashMap<String, LastUsed>,
    changed: HashSet<String>,
}

/// [`Usage`] behind its lock.
#[derive(Default)]
pub(crate) struct UsageCell(Mutex<Usage>);

impl UsageCell {
    fn lock(&self) -> MutexGuard<'_, Usage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn load(&self, id: String, last: LastUsed) {
        self.lock().last.insert(id, last);
    }
}

impl Directory {
    /// Notes that the long-term key or the role `id` (`AKIA…`, `AROA…`) was used for a call to `service` (its signing
    /// name) in `region`.
    pub fn record_use(&self, id: &str, service: &str, region: &str, now: Timestamp) {
        let used = LastUsed {
            at: time::whole_seconds(now),
            service: service.to_owned(),
            region: region.to_owned(),
        };
        let mut usage = self.usage.lock();
        if usage.last.get(id) == Some(&used) {
            return;
        }
        usage.last.insert(id.to_owned(), used);
        usage.changed.insert(id.to_owned());
    }

    /// When the access key or role `id` was last used, if it was.
    pub fn last_used(&self, id: &str) -> Option<LastUsed> {
        self.usage.lock().last.get(id).cloned()
    }

    /// Forgets a deleted key or role.
    pub(crate) fn forget_use(&self, id: &str) {
        let mut usage = self.usage.lock();
        usage.last.remove(id);
        usage.changed.remove(id);
    }

    /// Writes what changed since the last time.
    ///
    /// # Errors
    /// The store failed; what changed is then written the next time.
    pub async fn persist_usage(&self) -> Result<(), IdentityError> {
        // Under the writer's lock, so that a record deleted meanwhile is not written again.
        let _writer = self.writer.lock().await;
        let changed: Vec<(String, LastUsed)> = {
            let usage = self.usage.lock();
            usage
                .changed
                .iter()
                .filter_map(|id| usage.last.get(id).map(|last| (id.clone(), last.clone())))
                .collect()
        };
        if changed.is_empty() {
            return Ok(());
        }
        let mut transaction = Transaction::new();
        for (id, last) in &changed {
            if self.has_key_or_role(id) {
                transaction = transaction.put(
                    LAST_USED,
                    record_key(self.account(), id),
                    codec::encode(last)?,
                    Condition::Any,
                );
            }
        }
        self.store.commit(transaction).await?;
        let mut usage = self.usage.lock();
        for (id, written) in changed {
            if usage.last.get(&id) == Some(&written) {
                usage.changed.remove(&id);
            }
        }
        Ok(())
    }

    fn has_key_or_role(&self, id: &str) -> bool {
        let state = self.state();
        state.keys.contains_key(id)
            || state.roles.by_id(id).is_some()
            || self.root.as_ref().is_some_and(|root| root.access_key_id == id)
    }

    /// Writes last uses every `period` for as long as the directory lives. Call [`Directory::persist_usage`] once more
    /// at a graceful stop. Needs a tokio runtime with time enabled.
    pub fn persist_usage_every(self: &Arc<Self>, period: Duration) {
        let directory = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(period).await;
                let Some(directory) = directory.upgrade() else {
                    return;
                };
                if let Err(error) = directory.persist_usage().await {
                    tracing::warn!(%error, "last uses of keys and roles could not be written, trying again later");
                }
            }
        });
    }
}
