//! `rolecall try`: deploys a template into an endpoint of its own, runs one function, and proves the least policy.
//!
//! Every run is a fresh endpoint: an empty account into which the template is deployed through the API, the seed objects are
//! put, and the function is invoked once. The first run is under the template's own policies; what it recorded gives
//! the least policy, and the runs of the proof are under that policy, whole and with each action taken away in turn.

mod build;
mod client;
mod compare;
mod deploy;
mod plan;
mod report_line;
mod run;

pub(crate) use compare::same_result;
pub(crate) use deploy::RoleOverride;
pub(crate) use plan::{Subject, prepare};
pub(crate) use report_line::ReportLine;
pub(crate) use run::{Run, RunOptions, new_credentials, run};
