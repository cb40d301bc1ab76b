//! What `rolecall try` found, as documented JSON. Names and shapes change only with [`FORMAT_VERSION`].

use rolecall_policy::Document;
use rolecall_review::{Call, Granted, LeastPolicy, Placement, Proof, ProofVerdict, Undecided};
use serde::Serialize;

use crate::payload::Payload;
use crate::report_line::ReportLine;
use crate::try_report::TryReport;

/// Version of the JSON: raised when a member changes its meaning or goes away, not when one is added.
pub const FORMAT_VERSION: u32 = 1;

/// One try of one function. Serialises to an object with its members in this order, in camel case.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TryDocument {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// What ran.
    pub function: FunctionReport,
    /// The runtime it ran on, such as `python3.11`.
    pub runtime: String,
    /// That this is not the template's runtime, as a sentence; `null` when it is.
    pub runtime_note: Option<String>,
    /// Resources and properties of the template that were left out, each a sentence.
    pub skipped: Vec<String>,
    /// Whether the function answered, rather than failed.
    pub answered: bool,
    /// What it answered; for a failure the object with `errorType` and `errorMessage`.
    pub result: Payload,
    /// Time in the handler, in milliseconds; as the client saw it when the function's log does not say.
    pub duration_ms: f64,
    /// Time to start the environment, in milliseconds; `null` for a warm start and when the log does not say.
    pub init_ms: Option<f64>,
    /// Whether an environment was started for it.
    pub cold: bool,
    /// Memory; `null` when the function's log does not say.
    pub memory: Option<MemoryReport>,
    /// The end of the function's log, at most 4 KB.
    pub log_tail: String,
    /// Every access of the role, in order.
    pub calls: Vec<CallReport>,
    /// Calls that failed before any access was decided.
    pub undecided: Vec<UndecidedReport>,
    /// How much the role may do.
    pub granted: GrantedReport,
    /// The different actions it used, sorted.
    pub used: Vec<String>,
    /// The least policy for what was used.
    pub policy: PolicyReport,
    /// The proof; `null` when it was not run, because a call was denied or the function failed.
    pub proof: Option<ProofReport>,
    /// The folder the endpoint's state was kept in, when that was asked for.
    pub kept: Option<String>,
    /// The exit code of the command: 0 when the function answered, nothing was denied and the proof holds; else 1.
    pub exit: u8,
}

/// The function.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionReport {
    /// Its logical id in the template.
    pub logical_id: String,
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its execution role's ARN.
    pub role: String,
}

/// Memory of the function, in MB.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemoryReport {
    /// What it is given.
    #[serde(rename = "sizeMB")]
    pub size_mb: u32,
    /// The most it used.
    #[serde(rename = "maxUsedMB")]
    pub max_used_mb: u32,
}

/// How an access was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Some policy allows it and none denies it.
    Allowed,
    /// No policy allows it.
    ImplicitlyDenied,
    /// A policy denies it.
    ExplicitlyDenied,
}

/// One action on one resource that a call asked for.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallReport {
    /// Such as `2026-11-24T00:17:57Z`.
    pub time: String,
    /// Such as `s3`.
    pub service: String,
    /// CloudTrail's name of the operation, such as `CopyObject`.
    pub operation: String,
    /// IAM action, such as `s3:GetObject`.
    pub action: String,
    /// ARN, or `*`.
    pub resource: String,
    /// How it was decided.
    pub verdict: Verdict,
    /// The layer that decided: `identity`, `resource`, `boundary`, `session`, `trust`, `scp`, `rcp`, `endpoint`, or `always`.
    pub layer: String,
    /// The statement that decided, where one did.
    pub statement: Option<String>,
    /// AWS's sentence, for a denial.
    pub message: Option<String>,
    /// Whether the call could go on without it.
    pub probe: bool,
    /// Whether the call's result depended on it: such an access is a use when allowed and a denial when not.
    pub decisive: bool,
    /// The error the call ended with, whatever the reason; `null` when it succeeded.
    pub error_code: Option<String>,
    /// The AWS service that called with the role's permissions; `null` for the function's own calls.
    pub invoked_by: Option<String>,
    /// The same for all accesses of one request.
    pub request_id: String,
}

/// A call that failed before any access was decided.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UndecidedReport {
    /// Such as `2026-11-24T00:17:57Z`.
    pub time: String,
    /// Such as `s3`.
    pub service: String,
    /// CloudTrail's name of the operation.
    pub operation: String,
    /// The error it ended with.
    pub error_code: Option<String>,
    /// The message the function saw.
    pub message: Option<String>,
}

/// How many actions the role's policies grant.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantedReport {
    /// Different actions granted.
    pub actions: usize,
    /// Those of them that were used.
    pub used: usize,
    /// Those that were not.
    pub unused: usize,
    /// The same by service, the one with most first.
    pub services: Vec<ServiceReport>,
}

/// Granted and used actions of one service.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceReport {
    /// Prefix, such as `s3`.
    pub service: String,
    /// Actions granted.
    pub granted: usize,
    /// Those of them that were used.
    pub used: usize,
}

/// The least policy and where it was written.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyReport {
    /// The files it was written to, one a document; none when it was not, because a call was denied or the function failed.
    pub files: Vec<String>,
    /// `inline` or `managed`: how the documents are attached.
    pub placement: Placement,
    /// Its statements over all documents. All allow.
    pub statements: Vec<StatementReport>,
    /// Actions used on resources whose own policy grants them, which the role needs no permission for.
    pub granted_by_resources: Vec<String>,
}

/// One statement of the least policy.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementReport {
    /// Its name.
    pub sid: String,
    /// Actions, in full.
    pub actions: Vec<String>,
    /// ARNs; varying parts are `*`.
    pub resources: Vec<String>,
}

/// What running again showed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProofReport {
    /// Whether the verdict is `holds`.
    pub proved: bool,
    /// `holds`, `notEnough` or `tooMuch`.
    pub verdict: ProofVerdict,
    /// Whether the result under the least policy was the same.
    pub same_result: bool,
    /// What was denied under it.
    pub denials: Vec<CallReport>,
    /// What happened without each action.
    pub removals: Vec<RemovalReport>,
}

/// What happened without one action.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovalReport {
    /// The action.
    pub action: String,
    /// Whether something was denied then.
    pub denied: bool,
    /// What was.
    pub by: Option<CallReport>,
}

impl TryDocument {
    pub(crate) fn new(report: &TryReport) -> Self {
        let line = report
            .report_line
            .as_deref()
            .map(ReportLine::parse)
            .unwrap_or_default();
        let function_name = report.function_arn.split(':').nth(6).unwrap_or(&report.function);
        Self {
            format_version: FORMAT_VERSION,
            function: FunctionReport {
                logical_id: report.function.clone(),
                name: function_name.to_owned(),
                arn: report.function_arn.clone(),
                role: report.role_arn.clone(),
            },
            runtime: report.runtime.clone(),
            runtime_note: report.runtime_note(),
            skipped: report.skipped.clone(),
            answered: report.function_error.is_none(),
            result: Payload::new(&report.payload),
            duration_ms: line.duration_ms.unwrap_or(report.took.as_secs_f64() * 1000.0),
            init_ms: line.init_ms,
            cold: line.init_ms.is_some(),
            memory: line
                .memory_mb
                .zip(line.max_memory_mb)
                .map(|(size_mb, max_used_mb)| MemoryReport { size_mb, max_used_mb }),
            log_tail: report.log_tail.clone(),
            calls: report.usage.calls.iter().map(CallReport::new).collect(),
            undecided: report.usage.undecided.iter().map(UndecidedReport::new).collect(),
            granted: GrantedReport::new(&report.granted),
            used: report
                .usage
                .used_actions()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            policy: PolicyReport::new(report),
            proof: report.proof.as_ref().map(ProofReport::new),
            kept: report.kept.as_ref().map(|folder| folder.display().to_string()),
            exit: u8::from(!report.succeeded()),
        }
    }
}

impl CallReport {
    fn new(call: &Call) -> Self {
        use rolecall_review::Verdict as Decided;
        Self {
            time: call.time.clone(),
            service: call.service.clone(),
            operation: call.operation.clone(),
            action: call.action.clone(),
            resource: call.resource.clone(),
            verdict: match call.verdict {
                Decided::Allowed => Verdict::Allowed,
                Decided::ImplicitlyDenied => Verdict::ImplicitlyDenied,
                Decided::ExplicitlyDenied => Verdict::ExplicitlyDenied,
            },
            layer: call.layer.clone(),
            statement: call.statement.clone(),
            message: call.message.clone(),
            probe: call.probe,
            decisive: call.decisive,
            error_code: call.error_code.clone(),
            invoked_by: call.invoked_by.clone(),
            request_id: call.request_id.clone(),
        }
    }
}

impl UndecidedReport {
    fn new(call: &Undecided) -> Self {
        Self {
            time: call.time.clone(),
            service: call.service.clone(),
            operation: call.operation.clone(),
            error_code: call.error_code.clone(),
            message: call.message.clone(),
        }
    }
}

impl GrantedReport {
    fn new(granted: &Granted) -> Self {
        let services = granted.by_service().into_iter().map(|count| ServiceReport {
            service: count.service,
            granted: count.granted,
            used: count.used,
        });
        Self {
            actions: granted.actions.len(),
            used: granted.used.len(),
            unused: granted.unused(),
            services: services.collect(),
        }
    }
}

impl PolicyReport {
    fn new(report: &TryReport) -> Self {
        let LeastPolicy {
            documents,
            placement,
            granted_by_resources,
            ..
        } = &report.policy;
        Self {
            files: report
                .policy_files
                .iter()
                .map(|file| file.display().to_string())
                .collect(),
            placement: *placement,
            statements: documents.iter().flat_map(statements).collect(),
            granted_by_resources: granted_by_resources.iter().cloned().collect(),
        }
    }
}

fn statements(document: &Document) -> impl Iterator<Item = StatementReport> {
    document.statements.iter().map(|statement| StatementReport {
        sid: statement.sid.clone().unwrap_or_default(),
        actions: statement.action.value.as_slice().to_vec(),
        resources: statement
            .resource
            .as_ref()
            .map(|resource| resource.value.as_slice().to_vec())
            .unwrap_or_default(),
    })
}

impl ProofReport {
    fn new(proof: &Proof) -> Self {
        let removals = proof.removals.iter().map(|removal| RemovalReport {
            action: removal.action.clone(),
            denied: removal.denied,
            by: removal.by.as_ref().map(CallReport::new),
        });
        Self {
            proved: proof.verdict() == ProofVerdict::Holds,
            verdict: proof.verdict(),
            same_result: proof.same_result,
            denials: proof.denials.iter().map(CallReport::new).collect(),
            removals: removals.collect(),
        }
    }
}
