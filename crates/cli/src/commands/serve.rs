//! `rolecall serve`: the endpoint, until it is told to stop.

use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::block_on;
use super::env::quoted;
use crate::arguments::ServeArguments;
use crate::data_folder::DataFolder;
use crate::endpoint::{Endpoint, EndpointOptions};
use crate::failure::{Context, Failure};
use crate::progress::RuntimeProgress;

/// Serves.
pub(crate) fn run(arguments: ServeArguments) -> Result<ExitCode, Failure> {
    let filter = EnvFilter::try_from_env("ROLECALL_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let folder = DataFolder::open(arguments.data.as_deref())?;
    let (root, is_new) = folder.root_credentials(arguments.root_credentials)?;
    if !arguments.listen.ip().is_loopback() {
        eprintln!(
            "warning: {} is reachable from other machines, and requests on it are not encrypted",
            arguments.listen
        );
    }
    block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).context("listening for signals")?;
        let mut terminate = signal(SignalKind::terminate()).context("listening for signals")?;
        let endpoint = Endpoint::start(EndpointOptions {
            listen: arguments.listen,
            data: folder.path().to_owned(),
            keeps_state: true,
            region: arguments.region.clone(),
            account: arguments.account.clone(),
            root: root.clone(),
            progress: Arc::new(RuntimeProgress::default()),
        })
        .await?;
        let url = format!("http://{}", endpoint.address);
        folder.note_endpoint(&url, &arguments.region)?;
        println!(
            "listening on {url} (account {}, region {})",
            arguments.account, arguments.region
        );
        if is_new {
            println!(
                "root credentials were made and are kept in {}",
                folder.path().join("credentials.json").display()
            );
            println!();
            println!("export AWS_ENDPOINT_URL={}", quoted(&url));
            println!("export AWS_ACCESS_KEY_ID={}", quoted(&root.access_key_id));
            println!("export AWS_SECRET_ACCESS_KEY={}", quoted(&root.secret_access_key));
            println!("export AWS_DEFAULT_REGION={}", quoted(&arguments.region));
        } else {
            println!(
                "point AWS's clients at it with: eval \"$(rolecall env{})\"",
                given_folder(&folder, arguments.data.is_some())
            );
        }
        for weakness in super::doctor::weaknesses() {
            eprintln!("warning: {weakness}");
        }
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        endpoint.stop().await?;
        Ok(ExitCode::SUCCESS)
    })
}

fn given_folder(folder: &DataFolder, given: bool) -> String {
    if given {
        format!(" --data {}", quoted(&folder.path().display().to_string()))
    } else {
        String::new()
    }
}
