//! The buckets, in memory with their policies compiled: every request asks for one before it is authorised.
//!
//! The view follows the store's watch, so a change is seen by the next request whoever made it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rolecall_policy::{CompiledPolicy, Document, DocumentKind, ParseError, ResourcePolicyKind};
use rolecall_service::{AttachedPolicy, ServiceError};
use rolecall_store::{ScanRange, Store, StoreError, WatchEvent, WatchReceiver, codec};

use crate::error;
use crate::state::{BUCKETS, BucketRecord};

/// A bucket as requests see it.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) record: BucketRecord,
    pub(crate) policy: Option<AttachedPolicy>,
}

/// All buckets by name.
pub(crate) struct Catalogue {
    store: Arc<dyn Store>,
    view: Mutex<View>,
}

struct View {
    watch: WatchReceiver,
    buckets: BTreeMap<String, Arc<Bucket>>,
}

/// Why the view could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatalogueError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the policy of bucket {bucket} cannot be read: {problem}; restore the data folder from a backup")]
    Policy {
        bucket: String,
        problem: Box<ParseError>,
    },
}

impl Catalogue {
    pub(crate) fn open(store: Arc<dyn Store>) -> Result<Self, CatalogueError> {
        let watch = store.watch(BUCKETS);
        let buckets = load(&*store)?;
        Ok(Self {
            store,
            view: Mutex::new(View { watch, buckets }),
        })
    }

    fn current(&self) -> Result<MutexGuard<'_, View>, ServiceError> {
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(event) = view.watch.try_next() {
            if let Err(cause) = apply(&*self.store, &mut view, event) {
                // The view may be behind, so nothing is decided by it until it could be read anew.
                view.watch = self.store.watch(BUCKETS);
                view.buckets = load(&*self.store).map_err(ServiceError::internal)?;
                tracing::error!(error = %cause, "a bucket could not be read; all were read anew");
            }
        }
        Ok(view)
    }

    /// The bucket called `name`, if there is one.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Arc<Bucket>>, ServiceError> {
        Ok(self.current()?.buckets.get(name).map(Arc::clone))
    }

    /// The bucket called `name`.
    ///
    /// # Errors
    /// There is none, or the store fails.
    pub(crate) fn get(&self, name: &str) -> Result<Arc<Bucket>, ServiceError> {
        self.find(name)?.ok_or_else(|| error::no_such_bucket(name))
    }

    /// All buckets in the order of their names.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) fn all(&self) -> Result<Vec<Arc<Bucket>>, ServiceError> {
        Ok(self.current()?.buckets.values().map(Arc::clone).collect())
    }
}

fn load(store: &dyn Store) -> Result<BTreeMap<String, Arc<Bucket>>, CatalogueError> {
    store
        .scan(BUCKETS, &ScanRange::all(), usize::MAX)?
        .iter()
        .map(|entry| {
            let bucket = read(&entry.key, &entry.value)?;
            Ok((bucket.name.clone(), Arc::new(bucket)))
        })
        .collect()
}

fn apply(store: &dyn Store, view: &mut View, event: WatchEvent) -> Result<(), CatalogueError> {
    let WatchEvent::Changed(change) = event else {
        view.buckets = load(store)?;
        return Ok(());
    };
    match store.get(BUCKETS, &change.key)? {
        Some(entry) => {
            let bucket = read(&change.key, &entry.value)?;
            view.buckets.insert(bucket.name.clone(), Arc::new(bucket));
        }
        None => {
            view.buckets.remove(&*String::from_utf8_lossy(&change.key));
        }
    }
    Ok(())
}

fn read(key: &[u8], value: &[u8]) -> Result<Bucket, CatalogueError> {
    let name = String::from_utf8_lossy(key).into_owned();
    let record: BucketRecord = codec::decode(value)?;
    let policy = record
        .policy
        .as_deref()
        .map(|text| {
            let document =
                Document::parse(text, DocumentKind::Resource).map_err(|problem| CatalogueError::Policy {
                    bucket: name.clone(),
                    problem: Box::new(problem),
                })?;
            Ok::<_, CatalogueError>(AttachedPolicy {
                policy: Arc::new(CompiledPolicy::compile(
                    &document,
                    crate::names::bucket_arn(&name),
                )),
                kind: ResourcePolicyKind::Resource,
            })
        })
        .transpose()?;
    Ok(Bucket { name, record, policy })
}
