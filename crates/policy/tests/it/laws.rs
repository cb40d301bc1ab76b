//! What must hold of any decision, checked on random requests.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::random::{case, document, requests};
use crate::setting::Setting;

/// Runs `law` on a twentieth of the random requests, each with a document of its own.
fn check(names_principals: bool, law: impl Fn(Value, Value) -> Result<(), TestCaseError>) {
    let config = Config {
        cases: requests() / 20,
        failure_persistence: None,
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&(case(), document(names_principals)), |(case, document)| {
        law(case, document)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn is_allowed(case: &Value) -> bool {
    Setting::new(case).decide().is_allowed()
}

/// The law that `change` never turns a denial into an Allow.
fn never_allows_more(names_principals: bool, change: impl Fn(&mut Value, Value)) {
    check(names_principals, |case, document| {
        let mut changed = case.clone();
        change(&mut changed, document);
        prop_assert!(
            is_allowed(&case) || !is_allowed(&changed),
            "{:#}\nbecame allowed as\n{:#}",
            case,
            changed
        );
        Ok(())
    });
}

fn push(case: &mut Value, list: &str, element: Value) {
    match case.get_mut(list).and_then(Value::as_array_mut) {
        Some(elements) => elements.push(element),
        None => case[list] = json!([element]),
    }
}

/// `document` with every statement a Deny.
fn denying(mut document: Value) -> Value {
    for statement in document["Statement"].as_array_mut().into_iter().flatten() {
        statement["Effect"] = "Deny".into();
    }
    document
}

#[test]
fn another_deny_never_allows_more() {
    never_allows_more(false, |case, document| {
        push(case, "identityPolicies", denying(document));
    });
}

#[test]
fn a_deny_in_the_resource_policy_never_allows_more() {
    never_allows_more(true, |case, document| {
        if let Some(statements) = case
            .pointer_mut("/resourcePolicy/Statement")
            .and_then(Value::as_array_mut)
            && let Some(Value::Array(denials)) = denying(document).get_mut("Statement")
        {
            // Trust policies name no resources.
            let is_trust = statements
                .iter()
                .any(|statement| statement.get("Resource").is_none())
                && statements
                    .iter()
                    .any(|statement| statement.get("NotResource").is_none());
            if !is_trust {
                statements.append(denials);
            }
        }
    });
}

#[test]
fn a_boundary_never_allows_more() {
    never_allows_more(false, |case, document| {
        if case.get("boundary").is_none() {
            case["boundary"] = document;
        }
    });
}

#[test]
fn a_session_policy_never_allows_more() {
    never_allows_more(false, |case, document| {
        // A federated user has no permissions without one (rule 13), so that it is no restriction there.
        let is_federated = case["principal"].get("userArn").is_some();
        if case.get("sessionPolicies").is_none() && !is_federated {
            case["sessionPolicies"] = json!([document]);
        }
    });
}

#[test]
fn organizations_and_endpoints_never_allow_more() {
    never_allows_more(false, |case, document| push(case, "scps", json!([document])));
    never_allows_more(true, |case, document| push(case, "rcps", json!([document])));
    never_allows_more(true, |case, document| {
        if case.get("endpointPolicies").is_none() {
            case["endpointPolicies"] = json!([document]);
        }
    });
}

/// Turns every list of a case around: policies, statements, levels, patterns and values.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Array(elements) => elements.iter().rev().map(reversed).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), reversed(value)))
            .collect(),
        other => other.clone(),
    }
}

#[test]
fn order_does_not_matter() {
    check(false, |case, _| {
        prop_assert_eq!(is_allowed(&case), is_allowed(&reversed(&case)), "{:#}", case);
        Ok(())
    });
}

#[test]
fn an_explanation_has_the_decision_and_a_sentence_for_a_denial() {
    check(false, |case, _| {
        let setting = Setting::new(&case);
        let (decision, explanation) = (setting.decide(), setting.explain());
        prop_assert_eq!(&decision, &explanation.decision);
        let message = setting.message();
        prop_assert_eq!(decision.is_allowed(), message.is_empty());
        let action = case["action"].as_str().unwrap_or_default();
        let sentence = format!("is not authorized to perform: {action}");
        prop_assert!(decision.is_allowed() || message.contains(&sentence));
        Ok(())
    });
}
