//! What running the workload again showed: that the least policy suffices, and that none of it is too much.

use serde::Serialize;

use crate::call::Call;
use crate::usage::Usage;

/// What the runs under the least policy, and under it without each action, showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Whether the run under the least policy gave the same result as the first.
    pub same_result: bool,
    /// What was denied in that run.
    pub denials: Vec<Call>,
    /// What happened without each action.
    pub removals: Vec<RemovalOutcome>,
}

/// What happened without one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalOutcome {
    /// The action that was taken away.
    pub action: String,
    /// Whether the run then had a denial, so that the action is needed.
    pub denied: bool,
    /// The access that was denied: of this action if there is one, else the first.
    pub by: Option<Call>,
}

/// Whether a proof holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ProofVerdict {
    /// Same result, no denial, and every action is needed.
    Holds,
    /// The least policy does not suffice: another result, or a denial.
    NotEnough,
    /// It suffices, and some action could be taken away.
    TooMuch,
}

impl Proof {
    /// The verdict over all runs.
    pub fn verdict(&self) -> ProofVerdict {
        if !self.same_result || !self.denials.is_empty() {
            ProofVerdict::NotEnough
        } else if self.removals.iter().any(|removal| !removal.denied) {
            ProofVerdict::TooMuch
        } else {
            ProofVerdict::Holds
        }
    }
}

impl RemovalOutcome {
    /// Reads the outcome from what the role did without `action`.
    pub fn new(action: &str, usage: &Usage) -> Self {
        let by = usage
            .denied()
            .find(|call| call.action.eq_ignore_ascii_case(action))
            .or_else(|| usage.denied().next())
            .cloned();
        Self {
            action: action.to_owned(),
            denied: by.is_some(),
            by,
        }
    }
}
