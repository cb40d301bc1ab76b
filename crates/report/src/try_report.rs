//! What `rolecall try` found, and what it comes to.

use std::path::PathBuf;
use std::time::Duration;

use rolecall_review::{Granted, LeastPolicy, Proof, ProofVerdict, Usage};

use crate::document::TryDocument;
use crate::text::{TextOptions, print};

/// What one try of a function found.
#[derive(Debug, Clone)]
pub struct TryReport {
    /// The function's logical id in the template.
    pub function: String,
    /// Its ARN.
    pub function_arn: String,
    /// Its execution role's ARN.
    pub role_arn: String,
    /// The runtime it ran on, such as `python3.11`.
    pub runtime: String,
    /// The template's runtime, where that is another one.
    pub declared_runtime: Option<String>,
    /// What the template has and was left out, each a sentence.
    pub skipped: Vec<String>,
    /// What the function answered, JSON.
    pub payload: Vec<u8>,
    /// `X-Amz-Function-Error`, when it failed.
    pub function_error: Option<String>,
    /// The `REPORT` line of its log.
    pub report_line: Option<String>,
    /// The end of its log, at most 4 KB.
    pub log_tail: String,
    /// How long the invocation took as the client saw it.
    pub took: Duration,
    /// What the role did.
    pub usage: Usage,
    /// What the role may do.
    pub granted: Granted,
    /// The least policy for what it did.
    pub policy: LeastPolicy,
    /// The files that was written to, one a document; none when it was not written.
    pub policy_files: Vec<PathBuf>,
    /// The proof, when it was run.
    pub proof: Option<Proof>,
    /// The folder the endpoint's state was kept in, when that was asked for.
    pub kept: Option<PathBuf>,
}

impl TryReport {
    /// Whether the function answered, nothing was denied, and the least policy is proved.
    pub fn succeeded(&self) -> bool {
        self.function_error.is_none()
            && self.usage.denied().next().is_none()
            && self
                .proof
                .as_ref()
                .is_some_and(|proof| proof.verdict() == ProofVerdict::Holds)
    }

    /// The report in the form its JSON has.
    pub fn document(&self) -> TryDocument {
        TryDocument::new(self)
    }

    /// The report as JSON over several lines, without a line feed at the end. See [`TryDocument`].
    ///
    /// # Panics
    /// Never: there is nothing in a report that JSON cannot say.
    #[expect(
        clippy::expect_used,
        reason = "numbers, text and lists under fixed names always serialise"
    )]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.document()).expect("a report is plain data")
    }

    /// The report as text, with a line feed at the end of every line.
    ///
    /// Characters that would change the terminal's state are written out, so that names chosen by others can do no harm.
    pub fn to_text(&self, options: impl Into<TextOptions>) -> String {
        print(&self.document(), options.into())
    }

    pub(crate) fn runtime_note(&self) -> Option<String> {
        let declared = self.declared_runtime.as_ref()?;
        Some(format!(
            "the template asks for {declared}; it ran on {} instead",
            self.runtime
        ))
    }
}
