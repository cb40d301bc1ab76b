//! What a person or a program reads of a review: aligned text for a terminal, and JSON.
//!
//! [`TryReport`] is what `rolecall try` found. [`TryReport::to_text`] prints it for people; [`TryReport::to_json`] prints a
//! [`TryDocument`], a form of its own, so that the JSON stays as documented whatever happens to the types behind it.

mod document;
mod layout;
mod payload;
mod report_line;
mod text;
mod try_report;

pub use document::{
    CallReport, FORMAT_VERSION, FunctionReport, GrantedReport, MemoryReport, PolicyReport, ProofReport,
    RemovalReport, ServiceReport, StatementReport, TryDocument, UndecidedReport, Verdict,
};
pub use payload::Payload;
pub use text::{Style, TextOptions};
pub use try_report::TryReport;
