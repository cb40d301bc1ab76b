//! What `rolecall try` found, as documented JSON. Names and shapes change only with [`FORMAT_VERSION`].

use rolecall_policy::Document;
use rolecall_review::{Call, Granted, LeastPolicy, Placement, Proof, ProofVerdict, Undecided, Usage};
use serde::Serialize;

use crate::payload::Payload;
use crate::text::{TextOptions, print};

/// Version of the JSON: raised when a member changes its meaning or goes away, not when one is added.
pub const FORMAT_VERSION: u32 = 1;

/// One try of one function. Serialises to an object with its members in this order, in camel case.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TryReport {
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
    /// Time in the handler, in milliseconds.
    pub duration_ms: f64,
    /// Time to start the environment, in milliseconds; `null` for a warm start.
    pub init_ms: Option<f64>,
    /// Whether an environment was started for it.
    pub cold: bool,
    /// Memory.
    pub memory: MemoryReport,
    /// The end of the function's log, at most 4 KB; empty unless it was set.
    pub log_tail: String,
    /// Every access of the role, in order.
    pub calls: Vec<CallReport>,
    /// Calls that failed before any access was decided.
    pub undecided: Vec<UndecidedReport>,
    /// How much the role may do.
    pub granted: GrantedReport,
    /// The different actions it used, sorted.
    pub used: Vec<String>,
    /// The least policy for what was used; `null` when nothing was.
    pub policy: Option<PolicyReport>,
    /// The proof; `null` when it was not run, because a call was denied or the function failed.
    pub proof: Option<ProofReport>,
    /// The exit code of the command: 0 when the function answered, nothing was denied and the proof holds; else 1.
    pub exit: u8,
}

/// The function.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionReport {
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

/// What is known of the invocation before it is reviewed; see the members of the same names in [`TryReport`].
#[derive(Debug, Clone)]
pub struct InvocationReport {
    /// What ran.
    pub function: FunctionReport,
    /// The runtime it ran on.
    pub runtime: String,
    /// That this is not the template's, as a sentence.
    pub runtime_note: Option<String>,
    /// What was left out.
    pub skipped: Vec<String>,
    /// Whether the function answered: `answered` in the report.
    pub succeeded: bool,
    /// What it answered.
    pub result: Payload,
    /// Milliseconds in the handler.
    pub duration_ms: f64,
    /// Milliseconds to start; `None` for a warm start.
    pub init_ms: Option<f64>,
    /// Memory.
    pub memory: MemoryReport,
}

/// The least policy and the files it was written to, for [`TryReport::new`].
#[derive(Debug, Clone, Copy)]
pub struct WrittenPolicy<'a> {
    /// The policy.
    pub policy: &'a LeastPolicy,
    /// One a document, as they are to be shown; none when it was not written.
    pub files: &'a [String],
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

impl TryReport {
    /// Puts together what was found. Without a `proof` the report says that it was not run, and the exit code is 1.
    pub fn new(
        invocation: InvocationReport,
        usage: &Usage,
        granted: &Granted,
        written: Option<WrittenPolicy<'_>>,
        proof: Option<&Proof>,
    ) -> Self {
        let is_clean = usage.denied().next().is_none();
        let is_proved = proof.is_some_and(|proof| proof.verdict() == ProofVerdict::Holds);
        Self {
            format_version: FORMAT_VERSION,
            function: invocation.function,
            runtime: invocation.runtime,
            runtime_note: invocation.runtime_note,
            skipped: invocation.skipped,
            answered: invocation.succeeded,
            result: invocation.result,
            duration_ms: invocation.duration_ms,
            init_ms: invocation.init_ms,
            cold: invocation.init_ms.is_some(),
            memory: invocation.memory,
            log_tail: String::new(),
            calls: usage.calls.iter().map(CallReport::new).collect(),
            undecided: usage.undecided.iter().map(UndecidedReport::new).collect(),
            granted: GrantedReport::new(granted),
            used: usage.used_actions().into_iter().map(str::to_owned).collect(),
            policy: written.map(PolicyReport::new),
            proof: proof.map(ProofReport::new),
            exit: u8::from(!(invocation.succeeded && is_clean && is_proved)),
        }
    }

    /// The report as JSON over several lines, with a line feed at the end.
    ///
    /// # Errors
    /// None that a report can cause: numbers, text and lists under fixed names always serialise.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// The report as text, with a line feed at the end of every line.
    ///
    /// Characters that would change the terminal's state are written out, so that names chosen by others can do no harm.
    pub fn to_text(&self, options: TextOptions) -> String {
        print(self, options)
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
    fn new(written: WrittenPolicy<'_>) -> Self {
        let LeastPolicy {
            documents,
            placement,
            granted_by_resources,
            ..
        } = written.policy;
        Self {
            files: written.files.to_vec(),
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
