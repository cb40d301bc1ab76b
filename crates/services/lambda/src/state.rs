//! What Lambda keeps: every function with its versions, in the store and, for reading, in memory.
//!
//! One writer at a time: it reads the view, commits, and changes the view when the commit is durable.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rolecall_runtime::{EventSettings, FunctionDirectory, FunctionSpec};
use rolecall_service::ServiceError;
use rolecall_store::{Condition, ScanRange, Store, StoreError, Transaction, codec};

use crate::code::CodeStore;
use crate::name::{FunctionName, LATEST, function_arn};
use crate::record::{FunctionRecord, VersionRecord};

const FUNCTIONS: &str = "lambda-functions";
const VERSIONS: &str = "lambda-versions";

/// A function as it is now.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// But for its versions.
    pub(crate) record: FunctionRecord,
    /// `$LATEST`.
    pub(crate) latest: Arc<VersionRecord>,
    /// Published versions by number.
    pub(crate) published: BTreeMap<u64, Arc<VersionRecord>>,
}

impl Function {
    /// The version that `qualifier` means; none means `$LATEST`.
    pub(crate) fn version(&self, qualifier: Option<&str>) -> Option<&Arc<VersionRecord>> {
        match qualifier {
            None | Some(LATEST) => Some(&self.latest),
            // Only as it is written in ARNs: `07` would be another resource to a policy and the same version here.
            Some(number) => self
                .published
                .get(&number.parse().ok()?)
                .filter(|version| version.version == number),
        }
    }

    /// Every version, `$LATEST` first, then oldest first.
    pub(crate) fn versions(&self) -> impl Iterator<Item = &Arc<VersionRecord>> {
        std::iter::once(&self.latest).chain(self.published.values())
    }
}

/// Functions by name.
type Functions = BTreeMap<String, Arc<Function>>;

/// All functions of the account.
pub(crate) struct State {
    store: Arc<dyn Store>,
    code: Arc<CodeStore>,
    region: String,
    account: String,
    functions: RwLock<Functions>,
    writer: tokio::sync::Mutex<()>,
}

/// Lets one change happen at a time.
pub(crate) struct Writer<'a> {
    state: &'a State,
    _guard: tokio::sync::MutexGuard<'a, ()>,
}

impl State {
    /// Reads everything from `store`.
    ///
    /// # Errors
    /// The store or the folder of deployment packages cannot be read.
    pub(crate) fn open(
        store: Arc<dyn Store>,
        data: &Path,
        region: String,
        account: String,
    ) -> Result<Self, OpenError> {
        let functions = load(&*store)?;
        let used: HashSet<String> = functions
            .values()
            .flat_map(|function| function.versions().map(|version| version.code_sha256.clone()))
            .collect();
        let code = CodeStore::open(data, &used).map_err(|source| OpenError::Code {
            folder: data.join("code").display().to_string(),
            source,
        })?;
        Ok(Self {
            store,
            code,
            region,
            account,
            functions: RwLock::new(functions),
            writer: tokio::sync::Mutex::new(()),
        })
    }

    /// Region of every function.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// Account of every function.
    pub(crate) fn account(&self) -> &str {
        &self.account
    }

    /// Deployment packages.
    pub(crate) fn code(&self) -> &Arc<CodeStore> {
        &self.code
    }

    /// Reads a function's name with this endpoint's region and account.
    ///
    /// # Errors
    /// It is no function name.
    pub(crate) fn name(&self, text: &str, qualifier: Option<&str>) -> Result<FunctionName, ServiceError> {
        FunctionName::parse(text, qualifier, &self.region, &self.account)
    }

    /// Unqualified ARN of one of the account's functions.
    pub(crate) fn arn(&self, name: &str) -> String {
        function_arn(&self.region, &self.account, name)
    }

    /// The function of this name.
    pub(crate) fn function(&self, name: &str) -> Option<Arc<Function>> {
        self.read(|functions| functions.get(name).cloned())
    }

    /// The first `limit` functions after `name`, in order of their names.
    pub(crate) fn functions_after(&self, name: &str, limit: usize) -> Vec<Arc<Function>> {
        use std::ops::Bound;
        self.read(|functions| {
            functions
                .range::<str, _>((Bound::Excluded(name), Bound::Unbounded))
                .take(limit)
                .map(|(_, function)| Arc::clone(function))
                .collect()
        })
    }

    /// Folds over every function.
    pub(crate) fn fold<T>(&self, start: T, step: impl FnMut(T, &Arc<Function>) -> T) -> T {
        self.read(|functions| functions.values().fold(start, step))
    }

    /// Waits for the turn to change something.
    pub(crate) async fn writer(&self) -> Writer<'_> {
        Writer {
            state: self,
            _guard: self.writer.lock().await,
        }
    }

    /// What is needed to run a version.
    pub(crate) fn spec(&self, function: &Function, version: &VersionRecord) -> Option<FunctionSpec> {
        let name = &function.record.name;
        Some(FunctionSpec {
            arn: self.arn(name).into(),
            name: name.as_str().into(),
            version: version.version.as_str().into(),
            revision: version.revision.as_str().into(),
            runtime: version.runtime.parse().ok()?,
            handler: version.handler.clone(),
            code: self.code.unpacked(&version.code_sha256),
            layers: Vec::new(),
            memory_mb: version.memory_mb,
            timeout: Duration::from_secs(u64::from(version.timeout)),
            ephemeral_mb: version.ephemeral_mb,
            environment: version.environment.clone(),
            role_arn: version.role.as_str().into(),
            log_group: version
                .log_group
                .as_deref()
                .map_or_else(|| format!("/aws/lambda/{name}").into(), std::convert::Into::into),
            reserved_concurrency: function.record.reserved_concurrency,
        })
    }

    fn read<T>(&self, look: impl FnOnce(&Functions) -> T) -> T {
        look(&self.functions.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Functions)) {
        change(&mut self.functions.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Writer<'_> {
    /// Keeps a new or changed function. `versions` are those that changed and are written; `removed` is a published
    /// version that is gone.
    ///
    /// # Errors
    /// The store failed; nothing has changed then.
    pub(crate) async fn put(
        &self,
        function: Function,
        versions: &[&Arc<VersionRecord>],
        removed: Option<u64>,
    ) -> Result<Arc<Function>, ServiceError> {
        let name = function.record.name.clone();
        let value = codec::encode(&function.record).map_err(ServiceError::internal)?;
        let mut transaction = Transaction::new().put(FUNCTIONS, name.as_str(), value, Condition::Any);
        for version in versions {
            let value = codec::encode(&***version).map_err(ServiceError::internal)?;
            let key = version_key(&name, &version.version);
            transaction = transaction.put(VERSIONS, key, value, Condition::Any);
        }
        if let Some(number) = removed {
            let key = version_key(&name, &number.to_string());
            transaction = transaction.delete(VERSIONS, key, Condition::Any);
        }
        self.commit(transaction).await?;
        let function = Arc::new(function);
        let kept = Arc::clone(&function);
        self.state.change(|functions| {
            functions.insert(name, kept);
        });
        Ok(function)
    }

    /// Removes a function with all of its versions.
    ///
    /// # Errors
    /// The store failed; nothing has changed then.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), ServiceError> {
        let transaction = Transaction::new()
            .delete(FUNCTIONS, name, Condition::Any)
            .delete_prefix(VERSIONS, version_key(name, ""));
        self.commit(transaction).await?;
        self.state.change(|functions| {
            functions.remove(name);
        });
        Ok(())
    }

    async fn commit(&self, transaction: Transaction) -> Result<(), ServiceError> {
        self.state
            .store
            .commit(transaction)
            .await
            .map(drop)
            .map_err(ServiceError::internal)
    }
}

impl FunctionDirectory for State {
    fn find(&self, arn: &str, qualifier: Option<&str>) -> Option<(Arc<FunctionSpec>, EventSettings)> {
        let name = self.name(arn, qualifier).ok()?;
        if name.arn() != self.arn(&name.name) {
            return None;
        }
        let function = self.function(&name.name)?;
        let version = function.version(name.qualifier.as_deref())?;
        let spec = self.spec(&function, version)?;
        Some((Arc::new(spec), EventSettings::default()))
    }
}

/// Lambda cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder of deployment packages cannot be used.
    #[error("cannot use {folder}: {source}; check that it belongs to this user and that the disk has space")]
    Code {
        /// The folder.
        folder: String,
        /// The system's answer.
        source: std::io::Error,
    },
}

/// Versions of one function lie together; names contain no slash.
fn version_key(name: &str, version: &str) -> String {
    format!("{name}/{version}")
}

fn load(store: &dyn Store) -> Result<Functions, StoreError> {
    let snapshot = store.snapshot();
    let mut versions: BTreeMap<String, Vec<VersionRecord>> = BTreeMap::new();
    let mut failed = None;
    snapshot.for_each(VERSIONS, &ScanRange::all(), &mut |entry| {
        let name = String::from_utf8_lossy(entry.key);
        let name = name.split('/').next().unwrap_or_default().to_owned();
        match codec::decode(entry.value) {
            Ok(version) => versions.entry(name).or_default().push(version),
            Err(error) => {
                failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    let mut functions = Functions::new();
    for entry in snapshot.scan(FUNCTIONS, &ScanRange::all(), usize::MAX)? {
        let record: FunctionRecord = entry.decode()?;
        let mut latest = None;
        let mut published = BTreeMap::new();
        for version in versions.remove(&record.name).unwrap_or_default() {
            if let Ok(number) = version.version.parse() {
                published.insert(number, Arc::new(version));
            } else {
                latest = Some(Arc::new(version));
            }
        }
        let latest = latest.ok_or_else(|| StoreError::Damaged {
            what: format!("function {}", record.name),
            reason: "its version $LATEST is missing".to_owned(),
        })?;
        let function = Function {
            record,
            latest,
            published,
        };
        functions.insert(function.record.name.clone(), Arc::new(function));
    }
    Ok(functions)
}
