//! Random requests: the engine decides as the naive evaluator does.
//!
//! `POLICY_RANDOM_REQUESTS` sets how many (20,000 unless told).

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use crate::naive;
use crate::setting::Setting;

pub(crate) fn requests() -> u32 {
    std::env::var("POLICY_RANDOM_REQUESTS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_000)
}

const PRINCIPALS: &[&str] = &[
    r#""arn:aws:iam::123456789012:user/ann""#,
    r#""arn:aws:sts::123456789012:assumed-role/worker/job""#,
    r#""arn:aws:sts::123456789012:assumed-role/AWSServiceRoleForX/s""#,
    r#""arn:aws:iam::123456789012:root""#,
    r#""arn:aws:iam::210987654321:user/ann""#,
    r#"{"arn": "arn:aws:sts::123456789012:federated-user/bob", "userArn": "arn:aws:iam::123456789012:user/ann"}"#,
    r#""sns.amazonaws.com""#,
    r#"{"type": "Anonymous"}"#,
];

const NAMED: &[&str] = &[
    "*",
    "123456789012",
    "arn:aws:iam::123456789012:root",
    "arn:aws:iam::123456789012:user/ann",
    "arn:aws:iam::123456789012:role/worker",
    "arn:aws:sts::123456789012:assumed-role/worker/job",
    "arn:aws:sts::123456789012:federated-user/bob",
    "arn:aws:iam::210987654321:root",
    "arn:aws:iam::210987654321:user/ann",
];

const ACTIONS: &[&str] = &[
    "s3:GetObject",
    "s3:PutObject",
    "sqs:SendMessage",
    "ec2:RunInstances",
    "sts:AssumeRole",
    "kms:Decrypt",
    "sts:GetCallerIdentity",
];

const ACTION_PATTERNS: &[&str] = &[
    "*",
    "*:*",
    "s3:*",
    "S3:Get*",
    "s3:?etObject",
    "s3:*Object",
    "sqs:SendMessage",
    "sts:*",
    "kms:D*t",
    "ec2:*",
];

const RESOURCES: &[&str] = &[
    "arn:aws:s3:::orders/ann/1.json",
    "arn:aws:s3:::orders/a*b",
    "arn:aws:sqs:us-east-1:123456789012:jobs",
    "arn:aws:kms:us-east-1:123456789012:key/k",
    "*",
];

const RESOURCE_PATTERNS: &[&str] = &[
    "*",
    "arn:aws:s3*",
    "arn:aws:s3:::orders/*",
    "arn:aws:s3:::orders/${aws:username}/*",
    "arn:aws:s3:::orders/${aws:username, 'ann'}/?.json",
    "arn:aws:s3:::orders/a${*}b",
    "arn:aws:s3:::orders/${k:tag}*",
    "arn:*:123456789012:jobs",
    "arn:aws:s*s:us-*:1*2:jo?s",
    "arn:aws:s*1:123456789012:jobs",
];

/// Operator, key, possible values.
const CONDITIONS: &[(&str, &str, &[&str])] = &[
    (
        "StringEquals",
        "k:tag",
        &["ann", "b", "${aws:username}", "${k:absent}"],
    ),
    (
        "StringNotEquals",
        "k:tag",
        &["ann", "b", "${aws:username}", "${k:absent}"],
    ),
    ("StringEqualsIgnoreCase", "k:tag", &["ANN", "B"]),
    ("StringNotLike", "K:Tag", &["a*", "?", "${k:absent}"]),
    ("StringLike", "aws:username", &["a*", "${k:tag}*", "*b*"]),
    ("StringLikeIfExists", "k:other", &["a*", "b"]),
    ("ForAllValues:StringEquals", "k:many", &["ann", "b", "c"]),
    ("ForAnyValue:StringLike", "k:many", &["a*", "b"]),
    ("ForAnyValue:StringNotEquals", "k:many", &["ann", "b"]),
    ("StringEquals", "k:many", &["ann", "b"]),
    ("StringNotEquals", "k:many", &["ann", "b"]),
    ("NumericLessThan", "k:number", &["5", "-1", "2.5", "x"]),
    ("NumericNotEquals", "k:number", &["5", "7"]),
    (
        "DateLessThan",
        "aws:CurrentTime",
        &["2026-11-24T00:00:00Z", "2025-01-01T00:00:00Z"],
    ),
    ("Bool", "aws:SecureTransport", &["true", "false"]),
    ("BoolIfExists", "aws:MultiFactorAuthPresent", &["false"]),
    ("IpAddress", "aws:SourceIp", &["10.0.0.0/8", "10.1.2.3"]),
    ("NotIpAddress", "aws:SourceIp", &["10.0.0.0/8", "192.168.1.1/24"]),
    (
        "ArnLike",
        "aws:PrincipalArn",
        &[
            "*",
            "arn:aws:iam::*:user/*",
            "arn:aws:iam::123456789012:role/${k:tag}",
            "arn:aws:iam:*",
        ],
    ),
    (
        "ArnNotEquals",
        "aws:PrincipalArn",
        &[
            "arn:aws:iam::123456789012:user/${aws:username}",
            "arn:aws:iam::*:role/w*",
        ],
    ),
    ("Null", "k:tag", &["true"]),
    ("Null", "k:many", &["false"]),
    (
        "StringEquals",
        "aws:PrincipalAccount",
        &["123456789012", "anonymous"],
    ),
];

const CONTEXT: &[(&str, &[&str])] = &[
    ("k:tag", &[r#""ann""#, r#""b""#, r#""*""#, r#""""#]),
    ("k:other", &[r#""ann""#, r#""b""#]),
    (
        "k:many",
        &["[]", r#"[""]"#, r#"["ann"]"#, r#"["ann", "b"]"#, r#"["b", "z"]"#],
    ),
    ("k:number", &[r#""5""#, r#""-3""#, r#""2.50""#, r#""many""#]),
    ("aws:CurrentTime", &[r#""2026-11-01T00:00:00Z""#]),
    ("aws:SecureTransport", &[r#""true""#, r#""false""#]),
    ("aws:MultiFactorAuthPresent", &[r#""true""#, r#""false""#]),
    (
        "aws:SourceIp",
        &[r#""10.1.2.3""#, r#""192.168.1.77""#, r#""lambda.amazonaws.com""#],
    ),
];

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Some of `from`, at least one.
fn some(from: &'static [&'static str]) -> impl Strategy<Value = Value> {
    subsequence(from, 1..=3.min(from.len()))
        .prop_shuffle()
        .prop_map(Value::from)
}

fn condition() -> impl Strategy<Value = (String, String, Value)> {
    select(CONDITIONS).prop_flat_map(|(operator, key, values)| {
        (Just(operator.to_owned()), Just(key.to_owned()), some(values))
    })
}

fn principal() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(json!("*")),
        4 => some(NAMED).prop_map(|named| json!({ "AWS": named })),
        1 => Just(json!({"Service": ["sns.amazonaws.com"]})),
    ]
}

/// A statement; `names` says whether it names principals.
fn statement(names: bool) -> impl Strategy<Value = Value> {
    (
        prop::bool::weighted(0.75),
        (prop::bool::weighted(0.15), some(ACTION_PATTERNS)),
        (
            prop::bool::weighted(0.15),
            prop_oneof![1 => Just(json!("*")), 1 => some(RESOURCE_PATTERNS)],
        ),
        prop::collection::vec(condition(), 0..=2),
        (prop::bool::weighted(0.15), principal()),
    )
        .prop_map(move |(allows, action, resource, conditions, principal)| {
            let mut statement = Map::new();
            let mut set = |name: &str, value| statement.insert(name.to_owned(), value);
            set("Effect", if allows { "Allow" } else { "Deny" }.into());
            set(if action.0 { "NotAction" } else { "Action" }, action.1);
            set(if resource.0 { "NotResource" } else { "Resource" }, resource.1);
            if names {
                set(
                    if principal.0 { "NotPrincipal" } else { "Principal" },
                    principal.1,
                );
            }
            let mut operators: Map<String, Value> = Map::new();
            for (operator, key, values) in conditions {
                operators.entry(operator).or_insert_with(|| json!({}))[key] = values;
            }
            set("Condition", operators.into());
            statement.into()
        })
}

pub(crate) fn document(names: bool) -> impl Strategy<Value = Value> {
    (
        select(&["2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17", ""][..]),
        prop::collection::vec(statement(names), 1..=3),
    )
        .prop_map(|(version, statements)| match version {
            "" => json!({"Statement": statements}),
            _ => json!({"Version": version, "Statement": statements}),
        })
}

fn documents(names: bool, most: usize) -> impl Strategy<Value = Value> {
    prop::collection::vec(document(names), 0..=most).prop_map(Value::from)
}

/// A policy that allows everything is what organizations start from; without it nearly all random requests are denied.
fn level(names: bool) -> impl Strategy<Value = Value> {
    let full = json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}});
    documents(names, 1).prop_map(move |documents| {
        let mut full = full.clone();
        if !names {
            full["Statement"].as_object_mut().unwrap().remove("Principal");
        }
        let mut documents = documents.as_array().unwrap().clone();
        documents.push(full);
        documents.into()
    })
}

fn levels(names: bool) -> impl Strategy<Value = Value> {
    let plain = documents(names, 2);
    prop::collection::vec(prop_oneof![4 => level(names).boxed(), 1 => plain.boxed()], 0..=2)
        .prop_map(Value::from)
}

fn context() -> impl Strategy<Value = Value> {
    let entry = |(key, values): &(&'static str, &'static [&'static str])| {
        let (key, values) = (*key, *values);
        prop::option::weighted(0.6, select(values))
            .prop_map(move |value| value.map(|value| (key.to_owned(), parsed(value))))
    };
    CONTEXT
        .iter()
        .map(entry)
        .collect::<Vec<_>>()
        .prop_map(|entries| Value::Object(entries.into_iter().flatten().collect()))
}

/// A trust policy has neither resources nor `NotPrincipal`.
fn as_trust(mut document: Value) -> Value {
    for statement in document["Statement"].as_array_mut().unwrap() {
        let statement = statement.as_object_mut().unwrap();
        statement.remove("Resource");
        statement.remove("NotResource");
        if let Some(principal) = statement.remove("NotPrincipal") {
            statement.insert("Principal".to_owned(), principal);
        }
    }
    document
}

/// A whole case, in the form of the case files.
pub(crate) fn case() -> impl Strategy<Value = Value> {
    let rarely = |documents: BoxedStrategy<Value>| prop::option::weighted(0.3, documents);
    (
        (select(PRINCIPALS), select(ACTIONS), select(RESOURCES), select(&["123456789012", "123456789012", "210987654321"][..])),
        context(),
        documents(false, 2),
        prop::option::of(document(true)),
        rarely(document(false).boxed()),
        rarely(documents(false, 2).boxed()),
        (levels(false), levels(true), rarely(level(true).boxed())),
        (prop::bool::weighted(0.1), prop::bool::weighted(0.1)),
    )
        .prop_map(|((principal, action, resource, account), context, identity, resource_policy, boundary, session, organization, management)| {
            let mut case = json!({
                "principal": parsed(principal), "action": action, "resource": resource, "resourceAccount": account,
                "context": context, "identityPolicies": identity, "scps": organization.0, "rcps": organization.1,
            });
            let mut set = |name: &str, value: Option<Value>| {
                if let Some(value) = value {
                    case[name] = value;
                }
            };
            let is_trust = action.starts_with("sts:AssumeRole");
            set("resourcePolicy", resource_policy.map(|document| if is_trust { as_trust(document) } else { document }));
            set("boundary", boundary);
            set("sessionPolicies", session);
            set("endpointPolicies", organization.2);
            set("managementAccount", management.0.then_some(Value::Bool(true)));
            set("resourceInManagementAccount", management.1.then_some(Value::Bool(true)));
            case
        })
}

#[test]
fn the_engine_decides_as_the_naive_evaluator() {
    let mut runner = TestRunner::new(Config {
        cases: requests(),
        failure_persistence: None,
        ..Config::default()
    });
    let (mut allowed, mut explicit) = (std::cell::Cell::new(0_u32), std::cell::Cell::new(0_u32));
    runner
        .run(&case(), |case| {
            let decision = Setting::new(&case).decide();
            let (naive_allowed, naive_explicit) = naive::decide(&case);
            allowed.set(allowed.get() + u32::from(naive_allowed));
            explicit.set(explicit.get() + u32::from(naive_explicit));
            prop_assert_eq!(
                (
                    decision.is_allowed(),
                    matches!(decision, rolecall_policy::Decision::Deny { explicit: true, .. })
                ),
                (naive_allowed, naive_explicit),
                "{:?}\n{:#}",
                decision,
                case
            );
            Ok(())
        })
        .unwrap();
    println!(
        "{} requests: {} allowed, {} denied explicitly",
        requests(),
        allowed.get_mut(),
        explicit.get_mut()
    );
    assert!(
        *allowed.get_mut() > requests() / 50,
        "hardly anything was allowed: the comparison says little"
    );
    assert!(
        *explicit.get_mut() > requests() / 50,
        "hardly anything was denied explicitly"
    );
}
