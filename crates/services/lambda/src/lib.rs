//! AWS Lambda: functions, their versions, their resource-based policies, and their invocation.
//!
//! What is answered is committed to the store; a function's code is durable before the record that names it. Running
//! functions is the work of `rolecall-runtime`; code in S3 is fetched as the caller, through the [`ObjectStore`] port.

mod access;
mod account;
mod code;
mod concurrency;
mod create;
mod delete;
mod error;
#[rustfmt::skip]
mod generated;
mod invoke;
mod name;
mod package;
mod permissions;
mod read;
mod record;
mod settings;
mod state;
mod tags;
mod unzip;
mod update;
mod versions;
mod views;

use std::path::PathBuf;
use std::sync::Arc;

use rolecall_identity::Directory;
use rolecall_runtime::{EventQueue, RetryDelays, Runtime};
use rolecall_service::{
    BoxFuture, ObjectStore, Prepared, RequestContext, RoleCheck, Service, ServiceError, find_operation,
    operations,
};
use rolecall_store::Store;
use rolecall_wire::{OperationModel, ServiceModel, Value};
use tokio::sync::watch;

use crate::record::VersionRecord;
pub use crate::state::OpenError;
use crate::state::{Function, State};

/// Lambda's service principal.
const PRINCIPAL: &str = "lambda.amazonaws.com";

/// Where functions are.
#[derive(Debug, Clone)]
pub struct LambdaOptions {
    /// The server's data folder; deployment packages are kept in `code` below it.
    pub data: PathBuf,
    /// Region of every function, such as `us-east-1`.
    pub region: String,
    /// Account of every function, twelve digits.
    pub account: String,
}

/// Lambda of one account in one region.
pub struct Lambda {
    state: Arc<State>,
    runtime: Arc<Runtime>,
    directory: Arc<Directory>,
    objects: Arc<dyn ObjectStore>,
    roles: Arc<dyn RoleCheck>,
    events: Arc<EventQueue>,
    /// Ends the work on asynchronous invocations when it is dropped.
    _stop: watch::Sender<bool>,
}

impl Lambda {
    /// Lambda with its functions in `store`, run by `runtime`. Work on asynchronous invocations begins at once and ends
    /// when this is dropped.
    ///
    /// # Errors
    /// The store or the folder of deployment packages cannot be read.
    pub async fn open(
        options: LambdaOptions,
        store: Arc<dyn Store>,
        runtime: Arc<Runtime>,
        directory: Arc<Directory>,
        objects: Arc<dyn ObjectStore>,
        roles: Arc<dyn RoleCheck>,
    ) -> Result<Arc<Self>, OpenError> {
        let LambdaOptions {
            data,
            region,
            account,
        } = options;
        let opened = Arc::clone(&store);
        let state = tokio::task::spawn_blocking(move || State::open(opened, &data, region, account))
            .await
            .map_err(|error| OpenError::Code {
                folder: "the folder of deployment packages".to_owned(),
                source: std::io::Error::other(error),
            })??;
        let state = Arc::new(state);
        let events = EventQueue::new(
            store,
            Arc::clone(&runtime),
            Arc::clone(&state) as _,
            RetryDelays::default(),
        );
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(Arc::clone(&events).run(stopped));
        Ok(Arc::new(Self {
            state,
            runtime,
            directory,
            objects,
            roles,
            events,
            _stop: stop,
        }))
    }

    /// The function and version a request means, for operations that take a qualifier.
    ///
    /// # Errors
    /// There is none.
    fn find(
        &self,
        name: &str,
        qualifier: Option<&str>,
    ) -> Result<(Arc<Function>, Arc<VersionRecord>), ServiceError> {
        let name = self.state.name(name, qualifier)?;
        self.check_place(&name)?;
        let missing = || error::no_function(&name.qualified_arn());
        let function = self.state.function(&name.name).ok_or_else(missing)?;
        let version = function
            .version(name.qualifier.as_deref())
            .cloned()
            .ok_or_else(missing)?;
        Ok((function, version))
    }

    /// The function a request means, for operations on functions as a whole; they take a qualifier in the name only if
    /// it is `$LATEST`.
    ///
    /// # Errors
    /// There is none, or a version is named.
    fn find_whole(&self, text: &str, refusal: &str) -> Result<Arc<Function>, ServiceError> {
        let name = self.state.name(text, None)?;
        self.check_place(&name)?;
        if name
            .qualifier
            .as_deref()
            .is_some_and(|qualifier| qualifier != name::LATEST)
        {
            return Err(error::invalid(refusal));
        }
        self.state
            .function(&name.name)
            .ok_or_else(|| error::no_function(&name.arn()))
    }

    /// A function of another region or account is none of ours.
    fn check_place(&self, name: &name::FunctionName) -> Result<(), ServiceError> {
        if name.region != self.state.region() {
            return Err(error::user(
                "ResourceNotFoundException",
                404,
                format!(
                    "Functions from '{}' are not reachable in this region ('{}')",
                    name.region,
                    self.state.region()
                ),
            ));
        }
        if name.account != self.state.account() {
            return Err(error::no_function(&name.qualified_arn()));
        }
        Ok(())
    }
}

operations! { Lambda {
    CreateFunction => access::create_function, create::create_function;
    GetFunction => access::get_function, read::get_function;
    GetFunctionConfiguration => access::get_function_configuration, read::get_function_configuration;
    ListFunctions => access::list_functions, read::list_functions;
    UpdateFunctionCode => access::update_function_code, update::update_function_code;
    UpdateFunctionConfiguration => access::update_function_configuration, update::update_function_configuration;
    DeleteFunction => access::delete_function, delete::delete_function;
    Invoke => access::invoke, invoke::invoke;
    PublishVersion => access::publish_version, versions::publish_version;
    ListVersionsByFunction => access::list_versions_by_function, versions::list_versions_by_function;
    AddPermission => access::add_permission, permissions::add_permission;
    RemovePermission => access::remove_permission, permissions::remove_permission;
    GetPolicy => access::get_policy, permissions::get_policy;
    TagResource => access::tag_resource, tags::tag_resource;
    UntagResource => access::untag_resource, tags::untag_resource;
    ListTags => access::list_tags, tags::list_tags;
    PutFunctionConcurrency => access::put_function_concurrency, concurrency::put_function_concurrency;
    GetFunctionConcurrency => access::get_function_concurrency, concurrency::get_function_concurrency;
    DeleteFunctionConcurrency => access::delete_function_concurrency, concurrency::delete_function_concurrency;
    GetFunctionCodeSigningConfig => access::get_function_code_signing_config, account::get_function_code_signing_config;
    GetAccountSettings => access::get_account_settings, account::get_account_settings;
} }

impl Service for Lambda {
    fn model(&self) -> &'static ServiceModel {
        &generated::MODEL
    }

    fn event_source(&self) -> &'static str {
        PRINCIPAL
    }

    fn prepare(
        self: Arc<Self>,
        operation: &'static OperationModel,
        input: Value,
        context: Arc<RequestContext>,
    ) -> BoxFuture<'static, Result<Prepared, ServiceError>> {
        Box::pin(async move {
            match find_operation(OPERATIONS, operation.name) {
                Some(entry) => (entry.prepare)(self, input, context),
                None => Err(error::not_served(operation.name)),
            }
        })
    }
}

/// A new revision id: a version 4 UUID.
///
/// # Errors
/// The kernel has no random numbers.
fn new_revision() -> Result<String, ServiceError> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| ServiceError::internal(error.to_string()))?;
    if let Some(byte) = bytes.get_mut(6) {
        *byte = (*byte & 0x0f) | 0x40;
    }
    if let Some(byte) = bytes.get_mut(8) {
        *byte = (*byte & 0x3f) | 0x80;
    }
    let digits = hex::encode(bytes);
    let mut text = String::with_capacity(36);
    for (index, digit) in digits.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    Ok(text)
}
