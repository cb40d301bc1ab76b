//! The gateway: every service of the endpoint behind the stages.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rolecall_identity::Directory;
use rolecall_service::Service;
use rolecall_trail::Recorder;
use rolecall_wire::ServiceModel;

use crate::authenticate::SigningKeys;
use crate::body::BodyMemory;
use crate::calls::Calls;

/// What the endpoint stands for.
#[derive(Debug, Clone)]
pub struct GatewayOptions {
    /// The endpoint's region: signatures are refused if they are scoped to another (IAM and STS also take us-east-1),
    /// and requests without a signature are taken as sent to this one.
    pub region: Arc<str>,
    /// Base URL clients reach it by, such as `http://127.0.0.1:4566`.
    pub endpoint: Arc<str>,
    /// Base URL by which execution environments reach it.
    pub environment_endpoint: Arc<str>,
    /// Folder for large bodies on their way; its content may go at any time between two runs.
    pub spool: PathBuf,
}

/// Authenticates, authorises, dispatches and records every request.
pub struct Gateway {
    pub(crate) options: GatewayOptions,
    pub(crate) directory: Arc<Directory>,
    pub(crate) recorder: Recorder,
    pub(crate) signing_keys: SigningKeys,
    pub(crate) body_memory: BodyMemory,
    pub(crate) calls: Calls,
    /// By signing name. Filled once, because services reach each other through the gateway.
    services: OnceLock<HashMap<&'static str, Arc<dyn Service>>>,
}

impl Gateway {
    /// A gateway that serves nothing yet; see [`install`](Self::install).
    pub fn new(options: GatewayOptions, directory: Arc<Directory>, recorder: Recorder) -> Arc<Self> {
        Arc::new(Self {
            options,
            directory,
            recorder,
            signing_keys: SigningKeys::default(),
            body_memory: BodyMemory::default(),
            calls: Calls::default(),
            services: OnceLock::new(),
        })
    }

    /// Sets the services, once. A second call changes nothing.
    pub fn install(&self, services: impl IntoIterator<Item = Arc<dyn Service>>) {
        let table = services
            .into_iter()
            .map(|service| (service.model().signing_name, service))
            .collect();
        // Already set: the first table stays, as documented.
        let _ = self.services.set(table);
    }

    /// The account the endpoint stands for.
    pub fn account(&self) -> Arc<str> {
        self.directory.shared_account()
    }

    /// The trail.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The service that requests signed for `signing_name` go to.
    pub(crate) fn service(&self, signing_name: &str) -> Option<&Arc<dyn Service>> {
        self.services.get()?.get(signing_name)
    }

    /// Every service's model.
    pub(crate) fn models(&self) -> impl Iterator<Item = &'static ServiceModel> {
        self.services
            .get()
            .into_iter()
            .flat_map(HashMap::values)
            .map(|service| service.model())
    }
}
