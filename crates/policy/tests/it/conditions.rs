//! Random conditions: every operator, with and without set operator and `IfExists`, on values of its own type and of others,
//! holds exactly if the naive evaluator says so.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};
use rolecall_policy::Decision;
use serde_json::{Value, json};

use crate::naive;
use crate::random::requests;
use crate::setting::Setting;

/// Operators that take the same kind of values, and such values.
type Family = (&'static [&'static str], &'static [&'static str]);

const FAMILIES: &[Family] = &[
    (
        &[
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
        ],
        &[
            "ann",
            "Ann",
            "Änn",
            "änn",
            "b",
            "*",
            "",
            "${k:tag}",
            "${K:TAG}",
            "${k:absent}",
            "${k:absent, 'b'}",
            "${*}",
            "a${k:tag}",
        ],
    ),
    (
        &["StringLike", "StringNotLike"],
        &[
            "ann",
            "a*",
            "A*",
            "?",
            "*",
            "",
            "?nn",
            "*n*",
            "${k:tag}*",
            "${k:absent}",
            "${k:absent, '*'}",
            "${*}",
            "${?}",
        ],
    ),
    (
        &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ],
        &["5", "5.0", "-1", "2.5", "10", "9", "0", "-0", "10abc", "", "ann"],
    ),
    (
        &[
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
        ],
        &[
            "2026-11-24T00:00:00Z",
            "2026-11-24",
            "2026-11",
            "2026",
            "1792800000",
            "1795478400",
            "2024-02-29",
            "yesterday",
            "",
        ],
    ),
    (&["Bool"], &["true", "false", "yes", ""]),
    (&["BinaryEquals"], &["YQ==", "Yg==", "Y", "YR=="]),
    (
        &["IpAddress", "NotIpAddress"],
        &[
            "10.1.2.3",
            "10.0.0.0/8",
            "10.1.2.3/31",
            "0.0.0.0/0",
            "2001:db8::1",
            "2001:db8::/32",
            "::/0",
            "ann",
            "10.1.2",
        ],
    ),
    (
        &["ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"],
        &[
            "*",
            "arn:aws:iam::123456789012:user/ann",
            "arn:aws:iam::*:user/*",
            "arn:aws:iam::123456789012:User/ann",
            "arn:*:user/ann",
            "arn:aws:s?s:us-*-1:1*2:jobs",
            "arn:aws:sqs:us-east-1:123456789012:jobs",
            "arn:aws:sqs:us-east-1:123456789012:jobs:a",
            "arn:aws:iam::123456789012:user/${k:tag}",
            "ann",
        ],
    ),
];

/// An operator as written, a key, the document's values and the request's.
fn condition() -> impl Strategy<Value = (String, &'static str, Value, Option<Value>)> {
    let family = select(FAMILIES).prop_flat_map(|(operators, values)| {
        let plain: Vec<&'static str> = values
            .iter()
            .copied()
            .filter(|value| !value.contains("${"))
            .collect();
        let several = subsequence(plain.clone(), 0..=3).prop_map(Value::from);
        let of_request = prop_oneof![4 => select(plain).prop_map(Value::from), 3 => several];
        (
            (
                select(&["", "", "ForAllValues:", "ForAnyValue:"][..]),
                select(operators),
                select(&["", "", "IfExists"][..]),
            ),
            subsequence(values, 1..=3).prop_map(Value::from),
            prop::option::weighted(0.85, of_request),
        )
    });
    family.prop_map(|((set, operator, suffix), expected, given)| {
        (format!("{set}{operator}{suffix}"), "k:given", expected, given)
    })
}

fn case() -> impl Strategy<Value = Value> {
    (
        condition(),
        prop::option::of(select(&["ann", "b", "*", ""][..])),
        select(&["Allow", "Deny"][..]),
        select(&["2012-10-17", "2012-10-17", "2008-10-17"][..]),
    )
        .prop_map(|((operator, key, expected, given), tag, effect, version)| {
            let mut context = json!({});
            if let Some(given) = given {
                context[key] = given;
            }
            if let Some(tag) = tag {
                context["k:tag"] = tag.into();
            }
            let all = json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
            let condition = json!({operator: {key: expected}});
            let statement = json!({"Effect": effect, "Action": "*", "Resource": "*", "Condition": condition});
            let mut policies = vec![json!({"Version": version, "Statement": statement})];
            if effect == "Deny" {
                policies.push(all);
            }
            json!({
                "principal": "arn:aws:iam::123456789012:user/ann", "action": "s3:GetObject",
                "resource": "arn:aws:s3:::orders/1.json", "resourceAccount": "123456789012",
                "context": context, "identityPolicies": policies,
            })
        })
}

#[test]
fn conditions_hold_as_the_naive_evaluator_says() {
    let config = Config {
        cases: requests(),
        failure_persistence: None,
        ..Config::default()
    };
    let allowed = std::cell::Cell::new(0_u32);
    let result = TestRunner::new(config).run(&case(), |case| {
        let decision = Setting::new(&case).decide();
        let (naive_allowed, naive_explicit) = naive::decide(&case);
        allowed.set(allowed.get() + u32::from(naive_allowed));
        let explicit = matches!(decision, Decision::Deny { explicit: true, .. });
        let both = (decision.is_allowed(), explicit);
        prop_assert_eq!(both, (naive_allowed, naive_explicit), "{:#}", case);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let share = f64::from(allowed.get()) / f64::from(requests());
    println!(
        "{} conditions: {:.0} % of the requests allowed",
        requests(),
        share * 100.0
    );
    assert!(
        (0.2..0.8).contains(&share),
        "one outcome is so common that the comparison says little"
    );
}
