//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Run AWS Lambda functions under exactly the permissions they need, and prove it.
#[derive(Debug, Parser)]
#[command(name = "rolecall", version, long_version = crate::commands::version::long(), arg_required_else_help = true,
    after_help = "Examples:
  rolecall try examples/order-intake       run a function under its role and derive the least policy
  rolecall serve                           serve the endpoint on http://127.0.0.1:4566
  eval \"$(rolecall env)\"                   point AWS's own clients at it
  rolecall doctor                          what this machine's kernel gives the sandbox")]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Deploy a SAM or CloudFormation folder, run its function under its role, and derive and prove the least policy.
    #[command(after_help = "Examples:
  rolecall try examples/order-intake
  rolecall try . --function OrderIntake --event events/order.json
  rolecall try . --runtime python3.11 --format json

Exit codes: 0 every call was allowed and the least policy is proved; 1 a call was denied, the function failed,
or the proof did; 2 the folder or template cannot be used.")]
    Try(TryArguments),
    /// Serve the AWS endpoint.
    #[command(after_help = "Examples:
  rolecall serve
  rolecall serve --listen 127.0.0.1:0 --data ./state --account 111122223333
  rolecall serve --root-credentials AKIAEXAMPLE:secret")]
    Serve(ServeArguments),
    /// Print the exports that point AWS's own clients at the endpoint.
    #[command(after_help = "Examples:
  eval \"$(rolecall env)\"
  rolecall env --format json")]
    Env(EnvArguments),
    /// Explain what the sandbox gets from this machine's kernel, and what is lost where it refuses a layer.
    Doctor(DoctorArguments),
}

/// Arguments of `rolecall try`.
#[derive(Debug, Args)]
pub(crate) struct TryArguments {
    /// Folder with a template.yaml, template.yml or template.json, or the template itself.
    pub(crate) path: PathBuf,
    /// Event to invoke with; by default the only file in the folder's events/.
    #[arg(long, value_name = "FILE")]
    pub(crate) event: Option<PathBuf>,
    /// Logical id of the function, when the template has several.
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// Run on this runtime instead of the template's, such as python3.11.
    #[arg(long)]
    pub(crate) runtime: Option<String>,
    /// How to print the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Keep the endpoint's data folder and say where it is.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Name resources and properties that are not supported, and go on without them.
    #[arg(long)]
    pub(crate) skip_unsupported: bool,
    /// Value of a template parameter.
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    pub(crate) parameters: Vec<String>,
    /// Folder to write <role>.policy.json to.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) output: PathBuf,
}

/// How a command prints its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Arguments of `rolecall serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4566")]
    pub(crate) listen: SocketAddr,
    /// Folder the state is kept in.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Region the endpoint stands for.
    #[arg(long, default_value = "us-east-1")]
    pub(crate) region: String,
    /// Account the endpoint stands for, twelve digits.
    #[arg(long, default_value = "123456789012", value_parser = account)]
    pub(crate) account: String,
    /// Credentials of the account's root user; made up and kept at first start by default.
    #[arg(long, value_name = "KEY:SECRET", value_parser = root_credentials)]
    pub(crate) root_credentials: Option<RootCredentials>,
}

/// Arguments of `rolecall env`.
#[derive(Debug, Args)]
pub(crate) struct EnvArguments {
    /// Folder of the endpoint's state.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Shell exports, or a JSON object.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Arguments of `rolecall doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// How to print the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// An access key of the root user. `Debug` hides the secret.
#[derive(Clone)]
pub(crate) struct RootCredentials {
    /// Access key id.
    pub(crate) access_key_id: String,
    /// Secret key.
    pub(crate) secret_access_key: String,
}

impl std::fmt::Debug for RootCredentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RootCredentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

fn account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("an AWS account id has twelve digits".to_owned())
    }
}

fn root_credentials(text: &str) -> Result<RootCredentials, String> {
    let (key, secret) = text.split_once(':').ok_or("expected KEY:SECRET")?;
    if !(16..=128).contains(&key.len())
        || !key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err("the key id needs 16 to 128 letters and digits".to_owned());
    }
    if secret.len() < 16 {
        return Err("the secret needs at least 16 characters".to_owned());
    }
    Ok(RootCredentials {
        access_key_id: key.to_owned(),
        secret_access_key: secret.to_owned(),
    })
}
