//! `rolecall doctor`: what the sandbox gets from this machine's kernel.

use std::fmt::Write as _;
use std::process::ExitCode;

use rolecall_sandbox::{CgroupSupport, Doctor, LayerStatus, Sandbox};
use serde_json::json;

use crate::arguments::{DoctorArguments, Format};
use crate::failure::{Context, Failure};

/// Prints the report; exit code 1 when functions cannot run here at all.
pub(crate) fn run(arguments: &DoctorArguments) -> Result<ExitCode, Failure> {
    let report = Sandbox::new().context("preparing the sandbox")?.doctor();
    match arguments.format {
        Format::Text => print!("{}", text(&report)),
        Format::Json => println!("{}", as_json(&report)),
    }
    Ok(if report.works() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What the sandbox has to do without, a sentence each.
pub(crate) fn weaknesses() -> Vec<String> {
    let sandbox = match Sandbox::new() {
        Ok(sandbox) => sandbox,
        Err(error) => return vec![format!("functions cannot run here: {error}")],
    };
    sandbox
        .doctor()
        .layers
        .iter()
        .filter_map(|state| match &state.status {
            LayerStatus::Works => None,
            LayerStatus::Missing { reason, lost } => Some(format!(
                "the sandbox runs without {}: {reason}; lost: {lost}",
                state.layer
            )),
            LayerStatus::Refused { reason } => Some(format!(
                "functions cannot run here: {} is refused: {reason}",
                state.layer
            )),
        })
        .collect()
}

fn text(report: &Doctor) -> String {
    let mut text = String::new();
    for state in &report.layers {
        let (mark, detail) = match &state.status {
            LayerStatus::Works => ("✓", String::new()),
            LayerStatus::Missing { reason, lost } => ("–", format!("\n    {reason}\n    lost: {lost}")),
            LayerStatus::Refused { reason } => ("✗", format!("\n    refused: {reason}")),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{mark} {}{detail}", state.layer);
    }
    let cgroups = match &report.cgroups {
        CgroupSupport::Two => "control groups: version 2",
        CgroupSupport::One => "control groups: version 1",
        CgroupSupport::None(_) => "control groups: none",
    };
    let verdict = if report.works() {
        "functions can run on this machine"
    } else {
        "functions cannot run on this machine"
    };
    let _ = writeln!(text, "{cgroups}\n{verdict}");
    text
}

fn as_json(report: &Doctor) -> serde_json::Value {
    let layers: Vec<serde_json::Value> = report
        .layers
        .iter()
        .map(|state| {
            let (status, reason, lost) = match &state.status {
                LayerStatus::Works => ("works", None, None),
                LayerStatus::Missing { reason, lost } => ("missing", Some(reason), Some(*lost)),
                LayerStatus::Refused { reason } => ("refused", Some(reason), None),
            };
            json!({"layer": state.layer.to_string(), "status": status, "reason": reason, "lost": lost})
        })
        .collect();
    json!({"works": report.works(), "layers": layers, "landlockVersion": report.landlock_version})
}
