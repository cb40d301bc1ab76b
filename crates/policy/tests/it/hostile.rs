//! Documents and requests made to be slow: each is decided in a small part of the time a request may take.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rolecall_policy::{Document, DocumentKind, MAXIMUM_SIZE, ResourcePattern, wildcard_match};
use serde_json::{Value, json};

use crate::setting::Setting;

/// Far more than any of them takes even without optimization on a busy machine, far less than one that backtracks.
const MOST: Duration = Duration::from_secs(5);

fn quickly<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    let took = start.elapsed();
    assert!(took < MOST, "{what} took {took:?}");
    result
}

/// As long as the quota of an inline policy of a role lets it be.
fn pattern(piece: &str) -> String {
    piece.repeat(10_000 / piece.len()) + "b"
}

/// A request by a user with a statement and a context.
fn setting(statement: Value, context: &Value) -> Setting {
    let key = "a".repeat(1_024);
    let mut statement = statement;
    statement["Effect"] = "Allow".into();
    for (element, default) in [("Action", "s3:GetObject"), ("Resource", "*")] {
        if statement.get(element).is_none() {
            statement[element] = default.into();
        }
    }
    Setting::new(&json!({
        "principal": "arn:aws:iam::123456789012:user/ann", "action": "s3:GetObject",
        "resource": format!("arn:aws:s3:::aaaa/{key}"), "resourceAccount": "123456789012", "context": context,
        "identityPolicies": [{"Version": "2012-10-17", "Statement": statement}],
    }))
}

#[test]
fn patterns_of_resources_and_actions() {
    for piece in ["*a", "*", "*?", "?*a", "a*a*", "**a"] {
        let pattern = pattern(piece);
        for start in ["arn:aws:s3:::", "arn:aws:*a*:::", "arn:a*s:s3:::"] {
            let resource = format!("{start}{pattern}");
            let denied = quickly(&resource, || {
                setting(json!({"Resource": resource}), &json!({})).decide()
            });
            assert!(!denied.is_allowed(), "{start}{piece}");
        }
        let action = format!("s3:{pattern}");
        let denied = quickly(&action, || {
            setting(json!({"Action": action}), &json!({})).decide()
        });
        assert!(!denied.is_allowed(), "{piece}");
        assert!(!quickly(piece, || wildcard_match(
            &pattern,
            &"a".repeat(10_000),
            true
        )));
        let early = format!("arn:a{}s:s3:::orders", "*a".repeat(500));
        assert!(!quickly(&early, || ResourcePattern::new(&early, true)
            .matches(&format!("arn:{}:s3:::orders", "a".repeat(1_000)))));
    }
}

#[test]
fn values_of_conditions() {
    let values: Vec<String> = vec!["a".repeat(1_000); 50];
    let arns: Vec<String> = values
        .iter()
        .map(|value| format!("arn:aws:iam:::{value}"))
        .collect();
    for piece in ["*a", "*?", "a*a*"] {
        let pattern = pattern(piece);
        for (operator, key, value) in [
            ("ForAnyValue:StringLike", "k:many", pattern.clone()),
            ("ForAnyValue:ArnLike", "k:arns", format!("arn:*:iam:::{pattern}")),
            ("StringLike", "k:one", format!("{pattern}${{k:one}}b")),
        ] {
            let what = format!("{operator} {piece}");
            let condition = json!({"Condition": {operator: {key: value}}});
            let context = json!({"k:many": values, "k:arns": arns, "k:one": values[0]});
            let denied = quickly(&what, || setting(condition, &context).decide());
            assert!(!denied.is_allowed(), "{what}");
        }
    }
}

#[test]
fn variables_in_masses() {
    let long = "a".repeat(256);
    let resource = format!("arn:aws:s3:::{}", "${k:long}".repeat(1_000));
    let denied = quickly("values", || {
        setting(json!({"Resource": resource}), &json!({"k:long": long})).decide()
    });
    assert!(!denied.is_allowed());
    for piece in ["${", "${a", "$", "${}"] {
        let resource = format!("arn:aws:s3:::{}", piece.repeat(50_000));
        let denied = quickly(piece, || {
            setting(json!({"Resource": resource}), &json!({})).decide()
        });
        assert!(!denied.is_allowed(), "{piece}");
    }
}

#[test]
fn statements_in_masses() {
    let mut text = r#"{"Statement":["#.to_owned();
    for number in 0.. {
        let statement = format!(
            r#"{{"Sid":"S{number}","Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b{number}/*"}}"#
        );
        if text.len() + statement.len() + 3 > MAXIMUM_SIZE {
            break;
        }
        let comma = if number == 0 { "" } else { "," };
        write!(text, "{comma}{statement}").unwrap();
    }
    text += "]}";
    let document = quickly("parsing", || Document::parse(&text, DocumentKind::Identity)).unwrap();
    assert!(document.statements.len() > 2_000);
    let case = json!({
        "principal": "arn:aws:iam::123456789012:user/ann", "action": "s3:GetObject", "resource": "arn:aws:s3:::orders/1",
        "identityPolicies": [serde_json::from_str::<Value>(&text).unwrap()],
    });
    let denied = quickly("deciding", || Setting::new(&case).decide());
    assert!(!denied.is_allowed());
}

#[test]
fn keys_and_nesting_in_masses() {
    let keys: Vec<String> = (0..20_000).map(|number| format!(r#""k{number}":1"#)).collect();
    for text in [
        format!("{{{}}}", keys.join(",")),
        "[".repeat(MAXIMUM_SIZE),
        r#"{"Statement":"#.repeat(10_000),
        "\"".to_owned() + &"\\u0041".repeat(MAXIMUM_SIZE / 6 - 1),
        "-".repeat(MAXIMUM_SIZE),
    ] {
        let start: String = text.chars().take(20).collect();
        let refused = quickly(&start, || Document::parse(&text, DocumentKind::Resource));
        assert!(refused.is_err(), "{start}");
    }
}
