//! A function as the execution side sees it, and one invocation of it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::error::RuntimeError;
use crate::report::Report;

/// A runtime identifier of Lambda that can be run here.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RuntimeIdentifier {
    /// `python3.9` to `python3.14`, by minor version.
    Python(u8),
    /// `provided.al2`: an executable `bootstrap`.
    ProvidedAl2,
    /// `provided.al2023`: an executable `bootstrap`.
    ProvidedAl2023,
}

impl RuntimeIdentifier {
    /// Every identifier, in Lambda's spelling.
    pub fn all() -> impl Iterator<Item = Self> {
        (9..=14)
            .map(Self::Python)
            .chain([Self::ProvidedAl2, Self::ProvidedAl2023])
    }
}

impl fmt::Display for RuntimeIdentifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Python(minor) => write!(formatter, "python3.{minor}"),
            Self::ProvidedAl2 => formatter.write_str("provided.al2"),
            Self::ProvidedAl2023 => formatter.write_str("provided.al2023"),
        }
    }
}

impl FromStr for RuntimeIdentifier {
    type Err = RuntimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::all()
            .find(|identifier| identifier.to_string() == text)
            .ok_or_else(|| RuntimeError::UnknownRuntime {
                runtime: text.to_owned(),
            })
    }
}

/// Everything needed to run one version of a function. Immutable: a change of code or configuration is a new value with
/// a new [`revision`](Self::revision).
#[derive(Clone)]
pub struct FunctionSpec {
    /// Unqualified function ARN.
    pub arn: Arc<str>,
    /// Function name.
    pub name: Arc<str>,
    /// `$LATEST` or a number.
    pub version: Arc<str>,
    /// Changes with every change of code or configuration; environments of another revision are not reused.
    pub revision: Arc<str>,
    /// How the code is run.
    pub runtime: RuntimeIdentifier,
    /// `module.function`; meaningless to `provided` runtimes but handed to them.
    pub handler: String,
    /// Unpacked code, shown read-only at `/var/task`. Files must be readable for others (0644, folders and executables 0755).
    pub code: PathBuf,
    /// Unpacked layers, at most one for now, shown read-only at `/opt`.
    pub layers: Vec<PathBuf>,
    /// 128 to 10240 megabytes.
    pub memory_mb: u32,
    /// 1 to 900 seconds.
    pub timeout: Duration,
    /// Size of `/tmp`: 512 to 10240 megabytes.
    pub ephemeral_mb: u32,
    /// The customer's environment variables.
    pub environment: BTreeMap<String, String>,
    /// Execution role.
    pub role_arn: Arc<str>,
    /// Log group, usually `/aws/lambda/NAME`.
    pub log_group: Arc<str>,
    /// Reserved concurrency; 0 means that the function must not run.
    pub reserved_concurrency: Option<u32>,
}

/// Environment variables may be secrets, so only their names are shown.
impl fmt::Debug for FunctionSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FunctionSpec")
            .field("arn", &self.arn)
            .field("version", &self.version)
            .field("revision", &self.revision)
            .field("runtime", &self.runtime)
            .field("environment", &self.environment.keys())
            .finish_non_exhaustive()
    }
}

/// One event for a function.
#[derive(Clone)]
pub struct Invocation {
    /// Request id, a UUID; the `RequestId` of the log.
    pub request_id: String,
    /// The event, JSON of at most 6 MB; checked by the caller of this crate.
    pub payload: Bytes,
    /// ARN the function was invoked by, qualifier included.
    pub invoked_arn: String,
    /// Decoded `X-Amz-Client-Context`, JSON.
    pub client_context: Option<String>,
    /// `X-Amzn-Trace-Id`.
    pub trace_id: Option<String>,
    /// Whether the end of the log is wanted (`LogType: Tail`).
    pub log_tail: bool,
}

/// Payloads are users' data, so only their length is shown.
impl fmt::Debug for Invocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Invocation")
            .field("request_id", &self.request_id)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// What the caller gets.
#[derive(Clone)]
pub struct InvocationResult {
    /// The function's answer, or the error object when [`function_error`](Self::function_error) is set.
    pub payload: Bytes,
    /// `Unhandled` when the function failed: `X-Amz-Function-Error`.
    pub function_error: Option<String>,
    /// The last 4 KB of the log, if asked for; not yet base64.
    pub log_tail: Option<Bytes>,
    /// The version that ran.
    pub executed_version: Arc<str>,
    /// Times and memory.
    pub report: Report,
    /// Why the function failed, such as `Runtime.ExitError`, for the async queue and for reports.
    pub error_type: Option<String>,
}

impl fmt::Debug for InvocationResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("InvocationResult")
            .field("payload_bytes", &self.payload.len())
            .field("function_error", &self.function_error)
            .field("error_type", &self.error_type)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn identifiers_are_lambdas() {
        for text in [
            "python3.9",
            "python3.10",
            "python3.14",
            "provided.al2",
            "provided.al2023",
        ] {
            assert_eq!(text.parse::<RuntimeIdentifier>().unwrap().to_string(), text);
        }
        for text in [
            "python3.8",
            "python3.15",
            "python3.011",
            "nodejs20.x",
            "",
            "Python3.9",
        ] {
            assert!(text.parse::<RuntimeIdentifier>().is_err(), "{text}");
        }
    }
}
