//! The report as a person reads it in a terminal: one section a question, the same columns in all of them.

use std::collections::{BTreeSet, HashMap};

use rolecall_policy::Arn;
use rolecall_review::{Placement, ProofVerdict};

use crate::layout::{Tone, columns, pad, paint, printable, shorten, wrap};
use crate::try_report::{CallReport, PolicyReport, ProofReport, TryReport, Verdict};

/// Where the text is going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextOptions {
    /// Columns of the terminal. Without it nothing is shortened or wrapped, as is right for a file or a pipe.
    pub width: Option<usize>,
    /// Whether to colour.
    pub color: bool,
}

/// Columns of the names of sections, and the space behind them.
const LABELS: usize = 14;

/// The narrowest text that is laid out; a narrower terminal wraps it itself.
const NARROWEST: usize = 60;

/// Longest column of actions; a longer action pushes its own line only.
const LONGEST_ACTION: usize = 40;

/// Lines of a function's answer that are shown; all of it is in the JSON.
const RESULT_LINES: usize = 3;

/// Lines of a failed function's log that are shown.
const LOG_LINES: usize = 12;

/// Characters of a function's answer that are looked at, whatever the width.
const RESULT_CHARACTERS: usize = 600;

pub(crate) fn print(report: &TryReport, options: TextOptions) -> String {
    let mut page = Page::new(report, options);
    page.function(report);
    page.result(report);
    page.log(report);
    page.calls(report);
    page.granted(report);
    page.policy(report);
    page.proof(report);
    page.text
}

struct Page<'a> {
    text: String,
    options: TextOptions,
    /// The name of the section that has not been written yet.
    label: &'a str,
    /// Region and account of the function, which are left out of the ARNs shown.
    home: (&'a str, &'a str),
    action_width: usize,
}

impl<'a> Page<'a> {
    fn new(report: &'a TryReport, options: TextOptions) -> Self {
        let arn = Arn::parse(&report.function.arn);
        let called = rows(&report.calls).into_iter().map(|row| columns(&row.action()));
        let named = report
            .policy
            .iter()
            .flat_map(|policy| &policy.statements)
            .flat_map(|statement| &statement.actions);
        let action_width = called
            .chain(named.map(|action| columns(action)))
            .filter(|width| *width <= LONGEST_ACTION)
            .max();
        Self {
            text: String::new(),
            options,
            label: "",
            home: arn.map_or(("", ""), |arn| (arn.region, arn.account)),
            action_width: action_width.unwrap_or(0),
        }
    }

    fn section(&mut self, label: &'a str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.label = label;
    }

    fn line(&mut self, text: &str) {
        let label = pad(std::mem::take(&mut self.label), LABELS);
        let painted = paint(
            &label,
            Tone::Label,
            self.options.color && !label.trim().is_empty(),
        );
        let line = format!("{painted}{text}");
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn paint(&self, text: &str, tone: Tone) -> String {
        paint(text, tone, self.options.color)
    }

    fn faint(&self, text: &str) -> String {
        self.paint(text, Tone::Faint)
    }

    fn mark(&self, is_good: bool) -> String {
        if is_good {
            self.paint("✓", Tone::Good)
        } else {
            self.paint("✗", Tone::Bad)
        }
    }

    /// Columns right of the labels, less `indent`; as good as endless without a terminal.
    fn room(&self, indent: usize) -> usize {
        self.options.width.map_or(usize::MAX, |width| {
            width.max(NARROWEST).saturating_sub(LABELS + indent)
        })
    }

    fn wrapped(&mut self, text: &str, indent: usize, tone: Option<Tone>) {
        for line in wrap(&printable(text), self.room(indent), false) {
            let line = tone.map_or_else(|| line.clone(), |tone| self.paint(&line, tone));
            self.line(&format!("{:indent$}{line}", ""));
        }
    }

    /// A resource without the parts that are the function's own or that the action says already.
    fn resource(&self, resource: &str) -> String {
        let shown = match Arn::parse(resource) {
            Some(arn)
                if [(self.home.0, self.home.1), ("", ""), ("", self.home.1)]
                    .contains(&(arn.region, arn.account)) =>
            {
                arn.resource
            }
            _ => resource,
        };
        printable(shown)
    }

    fn function(&mut self, report: &'a TryReport) {
        self.section("function");
        let name = format!(
            "{} on {}",
            printable(&report.function.name),
            printable(&report.runtime)
        );
        self.line(&name);
        if let Some(note) = &report.runtime_note {
            self.wrapped(note, 0, None);
        }
        let role = shorten(
            &format!("role {}", printable(&report.function.role)),
            self.room(0),
        );
        let role = self.faint(&role);
        self.line(&role);
        for skipped in &report.skipped {
            self.wrapped(&format!("left out: {skipped}"), 0, Some(Tone::Bad));
        }
    }

    fn result(&mut self, report: &'a TryReport) {
        self.section("result");
        let answer = if report.answered {
            report.result.as_str().to_owned()
        } else {
            failure(report.result.as_str())
        };
        let mut answer: String = answer.chars().take(RESULT_CHARACTERS.saturating_add(1)).collect();
        if answer.chars().count() > RESULT_CHARACTERS {
            answer.pop();
            answer.push('…');
        }
        let mut lines = wrap(&printable(&answer), self.room(3), true);
        if lines.len() > RESULT_LINES {
            lines.truncate(RESULT_LINES);
            if let Some(last) = lines.last_mut() {
                last.push('…');
            }
        }
        let mark = self.mark(report.answered);
        for (number, line) in lines.iter().enumerate() {
            let lead = if number == 0 { mark.as_str() } else { " " };
            self.line(&format!("{lead} {line}"));
        }
        let start = report.init_ms.map_or_else(
            || "warm".to_owned(),
            |ms| format!("cold start {}", milliseconds(ms)),
        );
        let facts = format!(
            "{} · {start} · {} of {} MB",
            milliseconds(report.duration_ms),
            report.memory.max_used_mb,
            report.memory.size_mb
        );
        self.line(&format!("  {}", self.faint(&facts)));
    }

    /// The end of a failed function's log, where its error is explained.
    fn log(&mut self, report: &'a TryReport) {
        let is_own = |line: &&str| {
            !["START ", "END ", "REPORT ", "INIT_START "]
                .iter()
                .any(|mark| line.starts_with(mark))
        };
        let lines: Vec<&str> = report
            .log_tail
            .lines()
            .filter(is_own)
            .filter(|line| !line.trim().is_empty())
            .collect();
        if report.answered || lines.is_empty() {
            return;
        }
        self.section("log");
        for line in lines.iter().skip(lines.len().saturating_sub(LOG_LINES)) {
            let line = shorten(&printable(line), self.room(0));
            self.line(&line);
        }
    }

    fn calls(&mut self, report: &'a TryReport) {
        self.section("calls");
        if report.calls.is_empty() && report.undecided.is_empty() {
            self.line("none");
        }
        for row in rows(&report.calls) {
            self.call(&row);
        }
        for call in &report.undecided {
            let mark = self.mark(false);
            let code = call.error_code.as_deref().unwrap_or("failed");
            let name = printable(&format!(
                "{} {} failed before it was authorised: {code}",
                call.service, call.operation
            ));
            self.line(&format!("{mark} {name}"));
            if let Some(message) = &call.message {
                self.wrapped(message, 4, None);
            }
        }
    }

    fn call(&mut self, row: &Row<'_>) {
        let call = row.call;
        let is_denial = call.verdict != Verdict::Allowed;
        let mark = match (call.decisive, is_denial) {
            (true, is_denial) => self.mark(!is_denial),
            (false, _) => self.faint("·"),
        };
        let notes = notes(call);
        let action = pad(&row.action(), self.action_width);
        let taken = 4 + columns(&action) + if notes.is_empty() { 0 } else { columns(&notes) + 2 };
        let resource = shorten(
            &self.resource(without_log_stream(&call.resource)),
            self.room(taken).max(16),
        );
        let notes = if notes.is_empty() {
            notes
        } else {
            format!("  {}", self.faint(&notes))
        };
        self.line(&format!("{mark} {action}  {resource}{notes}"));
        if is_denial && call.decisive {
            let sentence = call.message.as_deref().unwrap_or("no statement allows it");
            let statement = call
                .statement
                .as_ref()
                .map(|statement| format!(" ({statement})"))
                .unwrap_or_default();
            let layer = layer_name(&call.layer);
            self.wrapped(&format!("{layer}: {sentence}{statement}"), 4, Some(Tone::Bad));
        }
    }

    fn granted(&mut self, report: &'a TryReport) {
        self.section("granted");
        let granted = &report.granted;
        self.line(&format!(
            "{} · used {} · unused {}",
            counted(granted.actions, "action"),
            granted.used,
            granted.unused
        ));
        let (used, others): (Vec<_>, Vec<_>) = granted.services.iter().partition(|service| service.used > 0);
        let mut parts: Vec<String> = used
            .iter()
            .map(|service| format!("{} {} of {}", service.service, service.used, service.granted))
            .collect();
        let unused: usize = others.iter().map(|service| service.granted).sum();
        match others.as_slice() {
            [] => {}
            [only] => parts.push(format!("{} 0 of {}", only.service, only.granted)),
            several if used.is_empty() => parts.push(format!("{} services", several.len())),
            several => parts.push(format!("{} other services 0 of {unused}", several.len())),
        }
        self.wrapped(&parts.join(" · "), 0, Some(Tone::Faint));
    }

    fn policy(&mut self, report: &'a TryReport) {
        self.section("least policy");
        if report.proof.is_none() {
            let is_denied = report
                .calls
                .iter()
                .any(|call| call.decisive && call.verdict != Verdict::Allowed);
            let reason = if is_denied {
                "a call was denied"
            } else {
                "the function failed"
            };
            let text = format!("not written: {reason}, so it would cover part of the work only");
            self.wrapped(&text, 0, None);
            return;
        }
        let Some(policy) = report.policy.as_ref() else {
            self.line("empty: the function needs no permission");
            return;
        };
        if policy.statements.is_empty() {
            self.line("empty: the resources' own policies grant everything");
        } else {
            let actions: BTreeSet<&String> = policy
                .statements
                .iter()
                .flat_map(|statement| &statement.actions)
                .collect();
            let files = printable(&policy.files.join(", "));
            self.line(&format!("{} · {files}", counted(actions.len(), "action")));
        }
        if policy.placement == Placement::Managed {
            self.wrapped(
                "too large for one inline policy: attach the files as managed policies",
                0,
                None,
            );
        }
        self.statements(policy);
        if !policy.granted_by_resources.is_empty() {
            let text = format!(
                "not in it, as the resources' own policies grant them: {}",
                policy.granted_by_resources.join(", ")
            );
            self.wrapped(&text, 0, Some(Tone::Faint));
        }
    }

    fn statements(&mut self, policy: &PolicyReport) {
        for statement in &policy.statements {
            for number in 0..statement.actions.len().max(statement.resources.len()) {
                let action = statement
                    .actions
                    .get(number)
                    .map_or_else(String::new, |action| printable(action));
                let action = pad(&action, self.action_width);
                let resource = statement
                    .resources
                    .get(number)
                    .map_or_else(String::new, |resource| self.resource(resource));
                let resource = shorten(&resource, self.room(4 + columns(&action)).max(16));
                self.line(&format!("  {action}  {resource}"));
            }
        }
    }

    fn proof(&mut self, report: &'a TryReport) {
        self.section("proof");
        let Some(proof) = &report.proof else {
            let mark = self.mark(false);
            self.line(&format!("{mark} not run"));
            return;
        };
        self.enough(proof);
        if proof.verdict != ProofVerdict::NotEnough {
            self.not_too_much(proof);
        }
    }

    fn enough(&mut self, proof: &ProofReport) {
        let is_enough = proof.verdict != ProofVerdict::NotEnough;
        let result = if proof.same_result {
            "same result"
        } else {
            "another result"
        };
        let denials = match proof.denials.len() {
            0 => "nothing denied".to_owned(),
            number => format!("{} denied", counted(number, "call")),
        };
        let mark = self.mark(is_enough);
        self.line(&format!(
            "{mark} run again with this policy alone: {result}, {denials}"
        ));
        for row in rows(&proof.denials) {
            self.call(&row);
        }
    }

    fn not_too_much(&mut self, proof: &ProofReport) {
        let needless: Vec<&str> = proof
            .removals
            .iter()
            .filter(|removal| !removal.denied)
            .map(|removal| removal.action.as_str())
            .collect();
        let mark = self.mark(needless.is_empty());
        let text = match (needless.as_slice(), proof.removals.len()) {
            ([], 0) => return,
            ([], 1) => "and again without its action: denied".to_owned(),
            ([], number) => {
                format!("and again without each of its {number} actions: denied every time")
            }
            (needless, _) => format!("nothing is denied without {}", needless.join(", ")),
        };
        self.line(&format!("{mark} {}", printable(&text)));
    }
}

/// Accesses that differ in nothing a reader sees: of the function's own those that follow each other, so that its order stays; of those
/// an AWS service made meanwhile (writing the log) all, at the place of the first.
struct Row<'a> {
    call: &'a CallReport,
    times: usize,
}

impl Row<'_> {
    fn action(&self) -> String {
        let action = printable(&self.call.action);
        if self.times > 1 {
            format!("{action} ×{}", self.times)
        } else {
            action
        }
    }
}

fn rows(calls: &[CallReport]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut places = HashMap::new();
    let mut own_calls = 0_usize;
    let mut last_own = None;
    for call in calls {
        let outcome = (call.verdict, call.decisive, &call.error_code, &call.message);
        let key = (
            &call.action,
            without_log_stream(&call.resource),
            &call.invoked_by,
            outcome,
        );
        if call.invoked_by.is_none() && last_own.replace(key) != Some(key) {
            own_calls = own_calls.saturating_add(1);
        }
        let turn = if call.invoked_by.is_none() { own_calls } else { 0 };
        let key = (turn, key);
        let place = *places.entry(key).or_insert(rows.len());
        match rows.get_mut(place) {
            Some(row) => row.times += 1,
            None => rows.push(Row { call, times: 1 }),
        }
    }
    rows
}

/// The log group of a log stream: a stream's name tells a reader nothing and takes half a line.
fn without_log_stream(resource: &str) -> &str {
    resource
        .split_once(":log-stream:")
        .map_or(resource, |(group, _)| group)
}

/// What is to be said beside an access.
fn notes(call: &CallReport) -> String {
    let mut notes = Vec::new();
    if let Some(service) = &call.invoked_by {
        notes.push(match service.as_str() {
            "lambda.amazonaws.com" => "by Lambda".to_owned(),
            other => format!("by {other}"),
        });
    }
    match (call.decisive, call.verdict) {
        (false, Verdict::Allowed) => notes.push("asked, not needed".to_owned()),
        (false, _) => notes.push("asked and denied, not needed".to_owned()),
        (true, Verdict::Allowed) => notes.extend(call.error_code.iter().map(|code| format!("then {code}"))),
        (true, _) => {}
    }
    printable(&notes.join(", "))
}

/// The layer in words.
fn layer_name(layer: &str) -> &str {
    match layer {
        "identity" => "identity-based policies",
        "resource" => "the resource's policy",
        "boundary" => "permissions boundary",
        "session" => "session policy",
        "trust" => "role trust policy",
        "scp" => "service control policy",
        "rcp" => "resource control policy",
        "endpoint" => "VPC endpoint policy",
        other => other,
    }
}

/// `errorType: errorMessage` of the object a failed function answers with; the text itself when it is none.
fn failure(result: &str) -> String {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Failure {
        error_type: Option<String>,
        error_message: Option<String>,
    }
    match serde_json::from_str(result) {
        Ok(Failure {
            error_type: Some(kind),
            error_message: Some(message),
        }) => format!("{kind}: {message}"),
        Ok(
            Failure {
                error_type: Some(only),
                error_message: None,
            }
            | Failure {
                error_type: None,
                error_message: Some(only),
            },
        ) => only,
        _ => result.to_owned(),
    }
}

fn milliseconds(ms: f64) -> String {
    if ms < 10.0 {
        format!("{ms:.1} ms")
    } else {
        format!("{ms:.0} ms")
    }
}

fn counted(number: usize, thing: &str) -> String {
    if number == 1 {
        format!("1 {thing}")
    } else {
        format!("{number} {thing}s")
    }
}
