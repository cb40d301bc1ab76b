//! An endpoint: the store, the services and the gateway, put together. The only place that wires services to each other.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rolecall_gateway::{EnvironmentEndpoint, Gateway, GatewayOptions, Ports, serve};
use rolecall_identity::{Directory, DirectoryOptions, RootCredentials as RootKey, Secret};
use rolecall_runtime::{ExecStarter, Progress, Runtime, RuntimeOptions, Starter};
use rolecall_sandbox::{AWS_ENDPOINT_PORT, Sandbox};
use rolecall_service::Service;
use rolecall_service_cloudtrail::CloudTrail;
use rolecall_service_dynamodb::DynamoDb;
use rolecall_service_iam::Iam;
use rolecall_service_lambda::{Lambda, LambdaOptions};
use rolecall_service_logs::Logs;
use rolecall_service_s3::{S3, S3Options};
use rolecall_service_sts::Sts;
use rolecall_store::{EmbeddedStore, Options as StoreOptions, Store};
use rolecall_trail::Recorder;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::arguments::RootCredentials;
use crate::data_folder;
use crate::failure::{Context, Failure};

/// How often the times keys and roles were last used are written down. They are hints: AWS's own lag by hours.
const USAGE_PERIOD: Duration = Duration::from_mins(1);

/// What an endpoint stands for and where it keeps its things.
pub(crate) struct EndpointOptions {
    /// Where to listen; port 0 takes a free one.
    pub(crate) listen: SocketAddr,
    /// Folder of its own.
    pub(crate) data: PathBuf,
    /// Whether state is kept in the folder, or only in memory for a run that is thrown away.
    pub(crate) keeps_state: bool,
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) root: RootCredentials,
    /// Hears of the installation of runtimes.
    pub(crate) progress: Arc<dyn Progress>,
}

/// A running endpoint.
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    pub(crate) recorder: Recorder,
    runtime: Arc<Runtime>,
    directory: Arc<Directory>,
    store: Arc<dyn Store>,
    stop: watch::Sender<bool>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Endpoint {
    /// Opens the state, starts the services and listens.
    ///
    /// # Errors
    /// The address is taken, the folder is in use, or the machine's kernel refuses what the sandbox cannot do without.
    pub(crate) async fn start(options: EndpointOptions) -> Result<Self, Failure> {
        // Listening first: a port that is taken is found before anything is opened.
        let listener = TcpListener::bind(options.listen).await.map_err(|error| {
            Failure::new(format!(
                "cannot listen on {}: {error}; choose another address with --listen",
                options.listen
            ))
        })?;
        let address = listener.local_addr().context("reading the address")?;
        data_folder::create_private(&options.data)?;
        // The store locks the folder; what another server may be using is not touched before.
        let store = open_store(&options)?;
        let spool = options.data.join("spool");
        let _ = std::fs::remove_dir_all(&spool);
        data_folder::create_private(&spool)?;
        let directory = Directory::open(
            Arc::clone(&store),
            options.account.as_str(),
            directory_options(&options.root),
        )
        .await
        .context("opening the account")?;
        directory.persist_usage_every(USAGE_PERIOD);
        let recorder = Recorder::new(Arc::clone(&store));
        let gateway_options = GatewayOptions {
            region: options.region.as_str().into(),
            endpoint: format!("http://{address}").into(),
            environment_endpoint: format!("http://127.0.0.1:{AWS_ENDPOINT_PORT}").into(),
            spool,
        };
        let gateway = Gateway::new(gateway_options, Arc::clone(&directory), recorder.clone());
        let ports = Ports::new(Arc::clone(&gateway));
        let runtime = start_runtime(&options, &gateway, &ports)?;
        let lambda_options = LambdaOptions {
            data: options.data.clone(),
            region: options.region.clone(),
            account: options.account.clone(),
        };
        let lambda = Lambda::open(
            lambda_options,
            Arc::clone(&store),
            Arc::clone(&runtime),
            Arc::clone(&directory),
            Arc::clone(&ports) as _,
            ports,
        )
        .await
        .context("opening Lambda")?;
        let s3_options = S3Options {
            data: options.data.join("objects"),
            region: options.region.clone(),
            account: options.account.clone(),
        };
        let services: [Arc<dyn Service>; 7] = [
            Iam::new(Arc::clone(&directory)),
            Sts::new(Arc::clone(&directory)),
            lambda,
            S3::open(s3_options, Arc::clone(&store), Arc::clone(&directory))
                .await
                .context("opening Amazon S3")?,
            DynamoDb::open(Arc::clone(&store)).context("opening DynamoDB")?,
            Logs::open(Arc::clone(&store)).context("opening CloudWatch Logs")?,
            CloudTrail::new(recorder.clone()),
        ];
        gateway.install(services);
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(serve(gateway, listener, stopped));
        Ok(Self {
            address,
            recorder,
            runtime,
            directory,
            store,
            stop,
            server,
        })
    }

    /// Waits until function logs that are on their way are written.
    pub(crate) async fn settle(&self) {
        self.runtime.logs_written().await;
    }

    /// Lets requests under way end, stops every environment, and makes the trail durable.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        // Nobody listening any more is what is wanted.
        let _ = self.stop.send(true);
        self.server
            .await
            .context("stopping the server")?
            .context("serving")?;
        self.runtime.shutdown().await;
        self.directory
            .persist_usage()
            .await
            .context("writing when keys were last used")?;
        self.store.flush().await.context("writing the trail")
    }
}

fn open_store(options: &EndpointOptions) -> Result<Arc<dyn Store>, Failure> {
    if !options.keeps_state {
        return Ok(Arc::new(
            EmbeddedStore::in_memory().context("opening a store in memory")?,
        ));
    }
    let folder = options.data.join("state");
    let store = EmbeddedStore::open(&folder, &StoreOptions::default())
        .map_err(|error| Failure::new(error.to_string()))?;
    Ok(Arc::new(store))
}

fn directory_options(root: &RootCredentials) -> DirectoryOptions {
    DirectoryOptions {
        root_credentials: Some(RootKey {
            access_key_id: root.access_key_id.clone(),
            secret: Secret::new(root.secret_access_key.as_str()),
        }),
    }
}

/// Runtimes are installed once for all endpoints of this user, because `try` makes many.
fn start_runtime(
    options: &EndpointOptions,
    gateway: &Arc<Gateway>,
    ports: &Arc<Ports>,
) -> Result<Arc<Runtime>, Failure> {
    let shared = data_folder::default_path()?;
    data_folder::create_private(&shared)?;
    let sandbox = Arc::new(Sandbox::new().context("preparing the sandbox (see `rolecall doctor`)")?);
    let runtime_options = RuntimeOptions::new(&options.data, &options.region);
    let starter = ExecStarter::new(
        sandbox,
        &shared,
        Arc::clone(&options.progress),
        runtime_options.require.clone(),
    );
    let runtime_ports = rolecall_runtime::Ports {
        credentials: Arc::clone(ports) as _,
        logs: Arc::clone(ports) as _,
        endpoint: Arc::new(EnvironmentEndpoint::new(Arc::clone(gateway))),
    };
    Ok(Runtime::with_starter(
        runtime_options,
        runtime_ports,
        Arc::new(starter) as Arc<dyn Starter>,
    ))
}
