//! How the process of an environment comes to be.
//!
//! [`ExecStarter`] executes the interpreter in a fresh sandbox. The trait is the seam for faster ways, such as forking a
//! process that has the interpreter, AWS's client and SDK loaded already.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rolecall_sandbox::{Layer, Limits, Mount, Sandbox, SandboxError, SandboxProcess, Spec};

use crate::error::{InvokeError, RuntimeError};
use crate::function::{FunctionSpec, RuntimeIdentifier};
use crate::interpreter::Interpreters;
use crate::packages::{PackageStore, Progress};

/// Lambda's limits of one environment.
const MAXIMUM_PROCESSES: u64 = 1024;
const MAXIMUM_OPEN_FILES: u64 = 1024;
/// Memory that gives one whole processor.
const MEGABYTES_OF_ONE_PROCESSOR: u64 = 1769;
/// Processor share of an ordinary process.
const ORDINARY_SHARES: u64 = 1024;

/// Why an environment did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The function's own entry point is at fault: the caller gets `Runtime.InvalidEntrypoint`.
    #[error("{0}")]
    Entrypoint(String),
    /// The machine or the server is.
    #[error(transparent)]
    Invoke(#[from] InvokeError),
}

/// Starts the process of an environment.
pub trait Starter: Send + Sync {
    /// Starts `function` with exactly these environment variables. Blocks.
    ///
    /// # Errors
    /// See [`StartError`]; nothing is left behind.
    fn start(
        &self,
        function: &FunctionSpec,
        variables: Vec<(OsString, OsString)>,
    ) -> Result<SandboxProcess, StartError>;

    /// What the log calls the version of the function's runtime, such as `python:3.11.7`. Blocks.
    ///
    /// # Errors
    /// This machine cannot run it.
    fn runtime_version(&self, runtime: RuntimeIdentifier) -> Result<String, RuntimeError>;

    /// As [`runtime_version`](Self::runtime_version), and installs what the runtime needs. Blocks for as long as that takes.
    ///
    /// # Errors
    /// This machine cannot run it, or the packages cannot be had.
    fn prepare(&self, runtime: RuntimeIdentifier) -> Result<String, RuntimeError>;
}

/// Executes the interpreter or `bootstrap` in a fresh sandbox.
pub struct ExecStarter {
    sandbox: Arc<Sandbox>,
    interpreters: Interpreters,
    packages: PackageStore,
    progress: Arc<dyn Progress>,
    require: Vec<Layer>,
}

impl ExecStarter {
    /// `require` names the optional layers of isolation that must not be missing.
    pub fn new(sandbox: Arc<Sandbox>, data: &Path, progress: Arc<dyn Progress>, require: Vec<Layer>) -> Self {
        Self {
            sandbox,
            interpreters: Interpreters::new(),
            packages: PackageStore::new(data),
            progress,
            require,
        }
    }
}

impl Starter for ExecStarter {
    fn start(
        &self,
        function: &FunctionSpec,
        variables: Vec<(OsString, OsString)>,
    ) -> Result<SandboxProcess, StartError> {
        let mut mounts = vec![Mount::new(&function.code, "/var/task")];
        match function.layers.as_slice() {
            [] => {}
            [layer] => mounts.push(Mount::new(layer, "/opt")),
            layers => return Err(InvokeError::from(RuntimeError::Layers { count: layers.len() }).into()),
        }
        let (program, arguments): (PathBuf, Vec<OsString>) = match function.runtime {
            RuntimeIdentifier::Python(minor) => {
                let interpreter = self.interpreters.python(minor).map_err(InvokeError::from)?;
                let packages = self
                    .packages
                    .provide(&interpreter, &*self.progress)
                    .map_err(InvokeError::from)?;
                mounts.extend(interpreter.prefixes.iter().map(Mount::same));
                mounts.push(Mount::new(packages, "/var/runtime"));
                let name = interpreter.path.clone().into_os_string();
                (
                    interpreter.path,
                    vec![
                        name,
                        "-m".into(),
                        "awslambdaric".into(),
                        function.handler.clone().into(),
                    ],
                )
            }
            RuntimeIdentifier::ProvidedAl2 | RuntimeIdentifier::ProvidedAl2023 => {
                let program = bootstrap(function)?;
                (
                    program.clone(),
                    vec![program.into(), function.handler.clone().into()],
                )
            }
        };
        let memory = u64::from(function.memory_mb);
        let spec = Spec {
            program,
            arguments,
            environment: variables,
            working_directory: PathBuf::from("/var/task"),
            mounts,
            limits: Limits {
                memory_bytes: memory << 20,
                temporary_bytes: u64::from(function.ephemeral_mb) << 20,
                processes: MAXIMUM_PROCESSES,
                open_files: MAXIMUM_OPEN_FILES,
                cpu_shares: processor_shares(memory),
            },
            require: self.require.clone(),
        };
        self.sandbox.spawn(&spec).map_err(|error| match error {
            SandboxError::Program { program, source }
                if !matches!(function.runtime, RuntimeIdentifier::Python(_)) =>
            {
                StartError::Entrypoint(format!("fork/exec {}: {}", program.display(), plain(&source)))
            }
            other => InvokeError::from(other).into(),
        })
    }

    fn prepare(&self, runtime: RuntimeIdentifier) -> Result<String, RuntimeError> {
        if let RuntimeIdentifier::Python(minor) = runtime {
            self.packages
                .provide(&self.interpreters.python(minor)?, &*self.progress)?;
        }
        self.runtime_version(runtime)
    }

    fn runtime_version(&self, runtime: RuntimeIdentifier) -> Result<String, RuntimeError> {
        Ok(match runtime {
            RuntimeIdentifier::Python(minor) => {
                format!("python:{}", self.interpreters.python(minor)?.version)
            }
            RuntimeIdentifier::ProvidedAl2 => "provided:al2".to_owned(),
            RuntimeIdentifier::ProvidedAl2023 => "provided:al2023".to_owned(),
        })
    }
}

/// Share of the processors for a function of this many megabytes, `1024` being that of an ordinary process.
///
/// Lambda gives processor time in proportion to memory. Here a large function gets more in the same proportion, but a small
/// one never less than any other process: on a busy machine it would starve (a cold start of 50 ms took over a second).
fn processor_shares(memory_mb: u64) -> u64 {
    (memory_mb.saturating_mul(ORDINARY_SHARES) / MEGABYTES_OF_ONE_PROCESSOR).max(ORDINARY_SHARES)
}

/// The executable of a `provided` function as a path inside.
fn bootstrap(function: &FunctionSpec) -> Result<PathBuf, StartError> {
    // Looked up without following links: where a link points is known only inside.
    if function.code.join("bootstrap").symlink_metadata().is_ok() {
        return Ok(PathBuf::from("/var/task/bootstrap"));
    }
    if function
        .layers
        .iter()
        .any(|layer| layer.join("bootstrap").symlink_metadata().is_ok())
    {
        return Ok(PathBuf::from("/opt/bootstrap"));
    }
    Err(StartError::Entrypoint(
        "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]".to_owned(),
    ))
}

/// The kernel's message without Rust's error number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_grow_with_memory_but_never_below_an_ordinary_process() {
        for (memory, expected) in [(128, 1024), (1769, 1024), (3538, 2048), (10_240, 5927)] {
            assert_eq!(processor_shares(memory), expected, "{memory} MB");
        }
    }
}
