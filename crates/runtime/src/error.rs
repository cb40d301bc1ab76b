//! What can keep a function from running. A function that runs and fails is no error: see
//! [`InvocationResult::function_error`](crate::InvocationResult::function_error).

use std::fmt;
use std::io;
use std::path::PathBuf;

use rolecall_sandbox::SandboxError;
use rolecall_service::ServiceError;

/// Why Lambda throttles: the `Reason` of its `TooManyRequestsException`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleReason {
    /// The account's concurrency is used up.
    ConcurrentInvocationLimitExceeded,
    /// The function's reserved concurrency is used up, or is zero.
    ReservedFunctionConcurrentInvocationLimitExceeded,
}

impl fmt::Display for ThrottleReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ConcurrentInvocationLimitExceeded => "ConcurrentInvocationLimitExceeded",
            Self::ReservedFunctionConcurrentInvocationLimitExceeded => {
                "ReservedFunctionConcurrentInvocationLimitExceeded"
            }
        })
    }
}

/// Why an invocation did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvokeError {
    /// Too many at once: 429 `TooManyRequestsException`, message `Rate Exceeded.`
    #[error("Rate Exceeded. ({reason})")]
    Throttled {
        /// Which limit.
        reason: ThrottleReason,
    },
    /// Lambda cannot assume the execution role.
    #[error("the execution role cannot be assumed: {0}")]
    Credentials(#[source] ServiceError),
    /// The machine cannot run this function's runtime.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The sandbox could not be built.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The server is stopping.
    #[error("the server is stopping; ask again when it runs")]
    ShuttingDown,
    /// The server itself failed.
    #[error("an execution environment cannot be served: {0}")]
    Internal(String),
}

/// Why this machine cannot run a runtime.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// Not a runtime that is run here.
    #[error(
        "the runtime {runtime:?} is not supported; use python3.9 to python3.14, provided.al2 or provided.al2023"
    )]
    UnknownRuntime {
        /// As it was given.
        runtime: String,
    },
    /// No interpreter.
    #[error(
        "no interpreter for {runtime} was found on PATH, in /usr/bin, /usr/local/bin, pyenv or uv; install the package {runtime} (Debian, Ubuntu), or run `uv python install {version}`"
    )]
    NoInterpreter {
        /// Such as `python3.11`.
        runtime: String,
        /// Such as `3.11`.
        version: String,
    },
    /// The interpreter has neither pip nor a working venv module.
    #[error(
        "{interpreter} can install no packages: {reason}; install the package {package} (Debian, Ubuntu)"
    )]
    NoInstaller {
        /// Its path.
        interpreter: PathBuf,
        /// What it said.
        reason: String,
        /// What to install.
        package: String,
    },
    /// pip failed.
    #[error(
        "cannot install the packages of the {runtime} runtime ({packages}): {reason}; check the network and the package index, then try again"
    )]
    Install {
        /// Such as `python3.11`.
        runtime: String,
        /// What was to be installed.
        packages: String,
        /// The end of what pip said.
        reason: String,
    },
    /// A folder of the server's data cannot be used.
    #[error("cannot use {path}: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// More layers than can be shown.
    #[error("a function with {count} layers cannot be run; merge them into one")]
    Layers {
        /// How many.
        count: usize,
    },
}
