//! What a person or a program reads of a review: aligned text for a terminal, and JSON.
//!
//! [`TryReport`] is what `rolecall try` found, in a form of its own, so that the JSON stays as documented whatever happens
//! to the types behind it. [`TryReport::to_text`] and [`TryReport::to_json`] print it.

mod layout;
mod payload;
mod text;
mod try_report;

pub use payload::Payload;
pub use text::TextOptions;
pub use try_report::{
    CallReport, FORMAT_VERSION, FunctionReport, GrantedReport, InvocationReport, MemoryReport, PolicyReport,
    ProofReport, RemovalReport, ServiceReport, StatementReport, TryReport, UndecidedReport, Verdict,
    WrittenPolicy,
};
