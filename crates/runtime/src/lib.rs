//! Execution environments at work.
//!
//! [`Runtime::invoke`] runs a function's code and answers what Lambda would. Underneath:
//!
//! ```text
//! invoke ─▶ scaling      is there room (account, function)?            scaling.rs
//!        ─▶ pool         a warm environment, or a new one              pool.rs
//!        ─▶ environment  sandbox + Runtime API + logs + AWS endpoint   environment.rs, runtime_api.rs
//!        ─▶ report       START, END, REPORT; what the caller gets      report.rs
//! ```
//!
//! A function's code never gets what is not its own: credentials come from the [`CredentialsSource`] for its execution
//! role, its calls to AWS leave through the [`EndpointConnector`] marked with the function they come from, and its log
//! is written with the role's permissions by the [`LogSink`].
//!
//! [`CredentialsSource`]: rolecall_service::CredentialsSource
//! [`EndpointConnector`]: rolecall_service::EndpointConnector
//! [`LogSink`]: rolecall_service::LogSink

mod environment;
mod error;
mod event_queue;
mod function;
mod identifier;
mod interpreter;
mod log;
mod packages;
mod pool;
mod report;
mod runtime;
mod runtime_api;
mod scaling;
mod starter;
mod variables;

pub use error::{InvokeError, RuntimeError, ThrottleReason};
pub use event_queue::{EventQueue, EventSettings, FunctionDirectory, QueuedEvent, RetryDelays};
pub use function::{FunctionSpec, Invocation, InvocationResult, RuntimeIdentifier};
pub use interpreter::{Interpreter, Interpreters, interpreter, interpreters};
pub use packages::{NoProgress, PackageStore, Progress};
pub use report::Report;
pub use runtime::{Ports, Runtime, RuntimeOptions};
pub use starter::{ExecStarter, StartError, Starter};
