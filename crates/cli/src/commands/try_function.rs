//! `rolecall try`: one function under its role, the least policy it needs, and the proof.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use futures_util::{StreamExt, TryStreamExt, stream};
use rolecall_policy::{Document, DocumentKind};
use rolecall_report::{
    FunctionReport, InvocationReport, MemoryReport, Payload, TextOptions, TryReport, WrittenPolicy,
};
use rolecall_review::{
    Granted, LeastPolicy, LeastPolicyOptions, Placement, Proof, RemovalOutcome, Usage, granted, least_policy,
    removals, usage,
};

use super::block_on;
use super::env::quoted;
use crate::arguments::{Format, TryArguments};
use crate::failure::{Context, Failure};
use crate::progress::Progress;
use crate::trying::{
    ReportLine, RoleOverride, Run, RunOptions, Subject, prepare, run as run_once, same_result,
};

/// Runs of the proof at once: one a core of a small machine.
const PARALLEL_RUNS: usize = 2;

/// Tries.
pub(crate) fn run(arguments: &TryArguments) -> Result<ExitCode, Failure> {
    let subject = prepare(arguments)?;
    for weakness in super::doctor::weaknesses() {
        eprintln!("warning: {weakness}");
    }
    let keep = if arguments.keep {
        Some(kept_folder()?)
    } else {
        None
    };
    let report = block_on(try_subject(&subject, arguments, keep.as_deref()))?;
    match arguments.format {
        Format::Text => {
            print!("{}", report.to_text(text_options()));
            if let Some(folder) = &keep {
                let folder = quoted(&folder.display().to_string());
                println!("\nkept: rolecall serve --data {folder}");
            }
        }
        Format::Json => print!("{}", report.to_json().context("printing the report")?),
    }
    Ok(ExitCode::from(report.exit))
}

async fn try_subject(
    subject: &Subject,
    arguments: &TryArguments,
    keep: Option<&Path>,
) -> Result<TryReport, Failure> {
    let progress = Progress::start(format!("running {}", subject.function.logical_id));
    let first = run_once(
        subject,
        RunOptions {
            keep,
            ..RunOptions::default()
        },
    )
    .await?;
    let used = usage(&first.records, &first.role_arn);
    let granted = granted_to(&first, &used)?;
    let policy = least_policy(&used, LeastPolicyOptions::default()).context("writing the least policy")?;
    let mut policy_files = Vec::new();
    let mut proof = None;
    drop(progress);
    // What was denied, or failed, shows no whole workload: a policy for it would be too small.
    if first.function_error.is_none() && used.denied().next().is_none() {
        policy_files = write_policy(&policy, &first.role_name, &arguments.output)?;
        proof = Some(prove(subject, &first, &policy).await?);
    }
    let files: Vec<String> = policy_files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    let written = (!policy.documents.is_empty()).then_some(WrittenPolicy {
        policy: &policy,
        files: &files,
    });
    let mut report = TryReport::new(
        invocation(subject, &first)?,
        &used,
        &granted,
        written,
        proof.as_ref(),
    );
    if first.function_error.is_some() {
        report.log_tail = first.log_tail;
    }
    Ok(report)
}

fn text_options() -> TextOptions {
    let terminal = console::Term::stdout();
    let width = terminal.size_checked().map(|(_, columns)| usize::from(columns));
    let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    TextOptions { width, color }
}

/// What the invocation itself showed.
fn invocation(subject: &Subject, first: &Run) -> Result<InvocationReport, Failure> {
    let line = first.report_line.as_deref().ok_or_else(|| {
        Failure::new(format!(
            "the function's log has no REPORT line; the end of the log: {}",
            first.log_tail
        ))
    })?;
    let report = ReportLine::parse(line);
    Ok(InvocationReport {
        function: FunctionReport {
            name: first
                .function_arn
                .rsplit(':')
                .next()
                .unwrap_or_default()
                .to_owned(),
            arn: first.function_arn.clone(),
            role: first.role_arn.clone(),
        },
        runtime: subject.runtime.to_string(),
        runtime_note: subject.declared_runtime.as_ref().map(|declared| {
            format!(
                "the template says {declared}; --runtime asked for {}",
                subject.runtime
            )
        }),
        skipped: subject.skipped.clone(),
        succeeded: first.function_error.is_none(),
        result: Payload::new(&first.payload),
        duration_ms: report.duration_ms,
        init_ms: report.init_ms,
        memory: MemoryReport {
            size_mb: report.memory_mb,
            max_used_mb: report.max_memory_mb,
        },
    })
}

/// What the role's policies grant, read from the endpoint it ran in.
fn granted_to(first: &Run, used: &Usage) -> Result<Granted, Failure> {
    let parse = |(label, text): &(String, String), kind| {
        Document::parse(text, kind).context(format_args!("reading the policy {label}"))
    };
    let policies = first
        .granted
        .iter()
        .map(|policy| parse(policy, DocumentKind::Identity))
        .collect::<Result<Vec<_>, _>>()?;
    let boundary = first
        .boundary
        .as_ref()
        .map(|policy| parse(policy, DocumentKind::Boundary))
        .transpose()?;
    Ok(granted(&policies, boundary.as_ref(), used))
}

/// Writes `<role>.policy.json`, or `<role>-1.policy.json` and so on when the policy had to be split.
fn write_policy(policy: &LeastPolicy, role: &str, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    std::fs::create_dir_all(folder).context(format_args!("making the folder {}", folder.display()))?;
    let mut files = Vec::new();
    for (index, document) in policy.documents.iter().enumerate() {
        let name = if policy.documents.len() == 1 {
            format!("{role}.policy.json")
        } else {
            format!("{role}-{}.policy.json", index + 1)
        };
        let file = folder.join(name);
        std::fs::write(&file, document.pretty() + "\n")
            .context(format_args!("writing {}", file.display()))?;
        files.push(file);
    }
    Ok(files)
}

fn role_with(role: &str, documents: &[Document], placement: Placement) -> RoleOverride {
    RoleOverride {
        role_name: role.to_owned(),
        policies: documents
            .iter()
            .enumerate()
            .map(|(index, document)| (format!("least-{}", index + 1), document.to_string()))
            .collect(),
        as_managed_policies: placement == Placement::Managed,
    }
}

/// Runs again under the least policy, and once without each of its actions.
async fn prove(subject: &Subject, first: &Run, policy: &LeastPolicy) -> Result<Proof, Failure> {
    let removals = removals(policy);
    let progress = Progress::steps("proving the least policy", removals.len() + 1);
    let least = role_with(&first.role_name, &policy.documents, policy.placement);
    let again = run_once(
        subject,
        RunOptions {
            role_override: Some(&least),
            keep: None,
        },
    )
    .await?;
    progress.step();
    let denials: Vec<_> = usage(&again.records, &again.role_arn).denied().cloned().collect();
    let mut same =
        again.function_error == first.function_error && same_result(&first.payload, &again.payload, None);
    if !same && denials.is_empty() && again.function_error == first.function_error {
        // Ids and times differ from run to run: what differs between two runs of the same kind is left out.
        let twin = run_once(subject, RunOptions::default()).await?;
        same = same_result(&first.payload, &again.payload, Some(&twin.payload));
    }
    let outcomes = stream::iter(&removals)
        .map(|removal| {
            let without = role_with(&first.role_name, &removal.documents, policy.placement);
            let progress = &progress;
            async move {
                let run = run_once(
                    subject,
                    RunOptions {
                        role_override: Some(&without),
                        keep: None,
                    },
                )
                .await?;
                progress.step();
                Ok::<_, Failure>(RemovalOutcome::new(
                    &removal.action,
                    &usage(&run.records, &run.role_arn),
                ))
            }
        })
        .buffered(PARALLEL_RUNS)
        .try_collect()
        .await?;
    Ok(Proof {
        same_result: same,
        denials,
        removals: outcomes,
    })
}

/// A folder of its own for an endpoint that is kept.
fn kept_folder() -> Result<PathBuf, Failure> {
    tempfile::Builder::new()
        .prefix("rolecall-kept-")
        .tempdir()
        .map(tempfile::TempDir::keep)
        .context("making a folder to keep the endpoint in")
}
