//! The rules of evaluation, each with requests it allows and requests it denies: `tests/cases/*.json`, whose form
//! `tests/cases/README.md` describes.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rolecall_policy::{Decision, Document, DocumentKind};
use serde_json::Value;

use crate::setting::Setting;

/// Rules are numbered from 1 to this.
const RULES: u64 = 100;

fn kind(name: &str) -> DocumentKind {
    match name {
        "identity" => DocumentKind::Identity,
        "boundary" => DocumentKind::Boundary,
        "session" => DocumentKind::Session,
        "resource" => DocumentKind::Resource,
        "trust" => DocumentKind::Trust,
        "service-control" => DocumentKind::ServiceControl,
        "resource-control" => DocumentKind::ResourceControl,
        "endpoint" => DocumentKind::Endpoint,
        other => panic!("unknown kind of document {other}"),
    }
}

fn text<'a>(case: &'a Value, name: &str) -> Option<&'a str> {
    case.get(name).and_then(Value::as_str)
}

/// Whether the case expects an Allow, or something valid.
fn expects_yes(case: &Value) -> bool {
    match text(case, "decision") {
        Some(decision) => decision == "allow",
        None => case.get("valid").and_then(Value::as_bool).unwrap(),
    }
}

/// What came instead of what the case expects.
fn run(case: &Value) -> Result<(), String> {
    if let Some(document) = text(case, "text") {
        return read(case, document);
    }
    if let Some(characters) = text(case, "characters") {
        let forbidden = Document::forbidden_character(characters);
        return expect(case, forbidden.is_none(), || format!("forbidden: {forbidden:?}"));
    }
    if let Some(sized) = text(case, "sized") {
        let size = Document::size_without_whitespace(sized);
        let fits = size as u64 <= case.get("limit").and_then(Value::as_u64).unwrap();
        return expect(case, fits, || format!("its size is {size}"));
    }
    decide(case)
}

fn expect(case: &Value, yes: bool, problem: impl Fn() -> String) -> Result<(), String> {
    if yes == expects_yes(case) {
        Ok(())
    } else {
        Err(problem())
    }
}

fn read(case: &Value, document: &str) -> Result<(), String> {
    let parsed = Document::parse(document, kind(text(case, "kind").unwrap()));
    if let (Err(error), Some(path)) = (&parsed, text(case, "path"))
        && error.path != path
    {
        return Err(format!("error at {:?}: {error}", error.path));
    }
    expect(case, parsed.is_ok(), || format!("parsed as {parsed:?}"))
}

/// The case for each of its pairs of action and resource; itself if it has none.
fn requests(case: &Value) -> Vec<Value> {
    let Some(pairs) = case.get("pairs").and_then(Value::as_array) else {
        return vec![case.clone()];
    };
    let request = |pair: &Value| {
        let mut request = case.clone();
        request["action"] = pair[0].clone();
        request["resource"] = pair[1].clone();
        request
    };
    pairs.iter().map(request).collect()
}

fn decide(case: &Value) -> Result<(), String> {
    let settings: Vec<Setting> = requests(case).iter().map(Setting::new).collect();
    // All must be allowed (rule 56); the first that is not speaks for the call.
    let denied = settings.iter().find(|setting| !setting.decide().is_allowed());
    let setting = denied.or(settings.first()).unwrap();
    let decision = setting.decide();
    let explicit = matches!(decision, Decision::Deny { explicit: true, .. });
    let wanted_explicit = case.get("explicit").and_then(Value::as_bool);
    if decision.is_allowed() != expects_yes(case)
        || text(case, "layer").is_some_and(|layer| decision.layer().name() != layer)
        || wanted_explicit.is_some_and(|wanted| wanted != explicit)
    {
        let near_misses = setting.explain().near_misses;
        return Err(format!("decided {decision:?}; near misses {near_misses:?}"));
    }
    match text(case, "message") {
        Some(message) if setting.message() != message => Err(format!("said {:?}", setting.message())),
        _ => Ok(()),
    }
}

/// One rule with how its cases went.
#[derive(Default)]
struct Row {
    /// Its number; rules about messages have none and come last.
    number: Option<u64>,
    name: String,
    says: String,
    cases: usize,
    passed: usize,
    allows: usize,
    denies: usize,
}

/// Runs the cases of one rule; what went wrong is added to `failures`.
fn row(rule: &Value, failures: &mut String) -> Row {
    let number = rule["rule"].as_u64();
    let name = number.map_or_else(
        || text(rule, "rule").unwrap().to_owned(),
        |number| number.to_string(),
    );
    let mut row = Row {
        number,
        name,
        says: text(rule, "says").unwrap().to_owned(),
        ..Row::default()
    };
    for case in rule["cases"].as_array().unwrap() {
        row.cases += 1;
        if expects_yes(case) {
            row.allows += 1;
        } else {
            row.denies += 1;
        }
        match run(case) {
            Ok(()) => row.passed += 1,
            Err(problem) => writeln!(failures, "rule {}, {}: {problem}", row.name, case["name"]).unwrap(),
        }
    }
    if row.allows == 0 || row.denies == 0 {
        writeln!(
            failures,
            "rule {} needs a case that allows and one that denies",
            row.name
        )
        .unwrap();
    }
    row
}

#[test]
fn every_rule_has_its_cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut table: Vec<Row> = Vec::new();
    let mut failures = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let rules: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let rules = rules.as_array().unwrap();
            table.extend(rules.iter().map(|rule| row(rule, &mut failures)));
        }
    }
    table.sort_by_key(|row| (row.number.unwrap_or(u64::MAX), row.name.clone()));
    println!("{:<20} {:>5} {:>6}  says", "rule", "cases", "passed");
    for row in &table {
        println!(
            "{:<20} {:>5} {:>6}  {}",
            row.name, row.cases, row.passed, row.says
        );
    }
    let (cases, passed) = table
        .iter()
        .fold((0, 0), |sum, row| (sum.0 + row.cases, sum.1 + row.passed));
    println!("{:<20} {cases:>5} {passed:>6}", "all");
    for number in 1..=RULES {
        let times = table.iter().filter(|row| row.number == Some(number)).count();
        if times != 1 {
            writeln!(failures, "rule {number} is there {times} times").unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
