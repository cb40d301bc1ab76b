//! The rules of evaluation, each with requests it allows and requests it denies: `tests/cases/*.json`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rolecall_policy::{Decision, Document, DocumentKind};
use serde_json::Value;

use crate::setting::Setting;

/// Rules that say nothing about a decision of the engine but about what callers put into the context (88, 90, 91, 93), about
/// several decisions in a row (56), or about quotas (99, 100: tested with documents).
const NOT_DECISIONS: &[u64] = &[56, 88, 90, 91, 93, 99, 100];

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

/// What a case expects and what came instead; the outcome is whether it allows (or is valid).
fn run(case: &Value) -> (bool, Result<(), String>) {
    let text = |name: &str| case.get(name).and_then(Value::as_str);
    if let Some(document) = text("text") {
        let expected = case.get("valid").and_then(Value::as_bool).unwrap();
        let parsed = Document::parse(document, kind(text("kind").unwrap()));
        let outcome = match (&parsed, text("path")) {
            (Err(error), Some(path)) if error.path != path => {
                Err(format!("error at {:?}: {error}", error.path))
            }
            _ if parsed.is_ok() != expected => Err(format!("parsed as {parsed:?}")),
            _ => Ok(()),
        };
        return (expected, outcome);
    }
    let expected = text("decision").unwrap() == "allow";
    let setting = Setting::new(case);
    let decision = setting.decide();
    let explicit = matches!(decision, Decision::Deny { explicit: true, .. });
    let mut problem = String::new();
    if decision.is_allowed() != expected
        || text("layer").is_some_and(|layer| decision.layer().name() != layer)
        || case
            .get("explicit")
            .and_then(Value::as_bool)
            .is_some_and(|wanted| wanted != explicit)
    {
        write!(
            problem,
            "decided {decision:?}; near misses {:?}",
            setting.explain().near_misses
        )
        .unwrap();
    }
    if let Some(message) = text("message")
        && setting.message() != message
    {
        write!(problem, "said {:?}", setting.message()).unwrap();
    }
    (expected, if problem.is_empty() { Ok(()) } else { Err(problem) })
}

/// Rule, what it says, cases, cases that passed, whether one allows, whether one denies.
type Row = (u64, String, usize, usize, bool, bool);

#[test]
fn every_rule_has_its_cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut table: Vec<Row> = Vec::new();
    let mut failures = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let rules: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for rule in rules.as_array().unwrap() {
            let number = rule["rule"].as_u64().unwrap();
            let cases = rule["cases"].as_array().unwrap();
            let (mut passed, mut allows, mut denies) = (0, false, false);
            for case in cases {
                let (expected, outcome) = run(case);
                allows |= expected;
                denies |= !expected;
                match outcome {
                    Ok(()) => passed += 1,
                    Err(problem) => writeln!(failures, "rule {number}, {}: {problem}", case["name"]).unwrap(),
                }
            }
            table.push((
                number,
                rule["says"].as_str().unwrap().to_owned(),
                cases.len(),
                passed,
                allows,
                denies,
            ));
        }
    }
    table.sort();
    println!("rule  cases  pass  says");
    for (number, says, cases, passed, ..) in &table {
        println!("{number:>4}  {cases:>5}  {passed:>4}  {says}");
    }
    for number in 1..=100 {
        let has_cases = |wanted: fn(&Row) -> bool| table.iter().any(|row| row.0 == number && wanted(row));
        let complete = has_cases(|row| row.4) && has_cases(|row| row.5);
        if !complete && !NOT_DECISIONS.contains(&number) {
            writeln!(
                failures,
                "rule {number} needs a case that allows and one that denies"
            )
            .unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
