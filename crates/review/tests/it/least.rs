//! The least policy allows what was used, says so in few words, and loses something with every action taken away.

use std::sync::Arc;

use proptest::prelude::*;
use rolecall_policy::{
    CompiledPolicy, Context, Document, DocumentKind, Policies, Principal, Request, decide,
};
use rolecall_review::{
    Call, LeastPolicyError, LeastPolicyOptions, MANAGED_POLICY_QUOTA, Placement, Usage, least_policy,
    removals, usage,
};
use rolecall_trail::Record;

use crate::records::{ROLE, allowed, allowed_by, by_lambda, denied, failed, probe, record};

const OPTIONS: LeastPolicyOptions = LeastPolicyOptions {
    inline_quota: rolecall_review::INLINE_ROLE_QUOTA,
    managed_quota: MANAGED_POLICY_QUOTA,
};

fn order_intake() -> Vec<Record> {
    const TABLE: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/orders";
    const LOGS: &str = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/order-intake:log-stream:";
    let stream = format!("{LOGS}2026/11/24/[$LATEST]0123456789abcdef");
    vec![
        record(
            "GetObject",
            vec![
                allowed("s3:GetObject", "arn:aws:s3:::orders/incoming/1001.json"),
                probe(allowed("s3:ListBucket", "arn:aws:s3:::orders")),
            ],
        ),
        record("TransactWriteItems", vec![allowed("dynamodb:PutItem", TABLE)]),
        record(
            "CopyObject",
            vec![
                allowed("s3:GetObject", "arn:aws:s3:::orders/incoming/1001.json"),
                allowed("s3:PutObject", "arn:aws:s3:::orders/accepted/1001.json"),
            ],
        ),
        record(
            "DeleteObject",
            vec![allowed(
                "s3:DeleteObject",
                "arn:aws:s3:::orders/incoming/1001.json",
            )],
        ),
        record("DeleteTable", vec![denied("dynamodb:DeleteTable", TABLE)]),
        record(
            "GetCallerIdentity",
            vec![allowed_by("always", "sts:GetCallerIdentity", "*")],
        ),
        by_lambda(failed(
            record("PutLogEvents", vec![allowed("logs:PutLogEvents", &stream)]),
            "ResourceNotFoundException",
        )),
        by_lambda(record(
            "CreateLogStream",
            vec![allowed("logs:CreateLogStream", LOGS)],
        )),
        by_lambda(record(
            "PutLogEvents",
            vec![allowed("logs:PutLogEvents", &stream)],
        )),
    ]
}

#[test]
fn the_policy_is_short_and_exact() {
    let policy = least_policy(&usage(&order_intake(), ROLE), OPTIONS).unwrap();
    assert_eq!(policy.placement, Placement::Inline);
    assert_eq!(policy.documents.len(), 1);
    let document = &policy.documents[0];
    let expected = r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "DynamoDBOrders",
            "Effect": "Allow",
            "Action": [
                "dynamodb:PutItem"
            ],
            "Resource": [
                "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
            ]
        },
        {
            "Sid": "LogsAwsLambdaOrderIntake",
            "Effect": "Allow",
            "Action": [
                "logs:CreateLogStream",
                "logs:PutLogEvents"
            ],
            "Resource": [
                "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/order-intake:*"
            ]
        },
        {
            "Sid": "S3Accepted",
            "Effect": "Allow",
            "Action": [
                "s3:PutObject"
            ],
            "Resource": [
                "arn:aws:s3:::orders/accepted/*"
            ]
        },
        {
            "Sid": "S3Incoming",
            "Effect": "Allow",
            "Action": [
                "s3:DeleteObject",
                "s3:GetObject"
            ],
            "Resource": [
                "arn:aws:s3:::orders/incoming/*"
            ]
        }
    ]
}"#;
    assert_eq!(document.pretty(), expected);
    assert_eq!(
        Document::parse(&document.pretty(), DocumentKind::Identity)
            .unwrap()
            .to_string(),
        document.to_string()
    );
}

#[test]
fn what_a_resource_grants_itself_is_left_to_it() {
    let records = [
        record(
            "GetObject",
            vec![allowed_by("resource", "s3:GetObject", "arn:aws:s3:::shared/a/b")],
        ),
        record(
            "Invoke",
            vec![allowed_by(
                "resource",
                "lambda:InvokeFunction",
                "arn:aws:lambda:us-east-1:999999999999:function:f",
            )],
        ),
    ];
    let policy = least_policy(&usage(&records, ROLE), OPTIONS).unwrap();
    // Across accounts both sides must allow.
    assert_eq!(
        policy.actions.iter().collect::<Vec<_>>(),
        ["lambda:InvokeFunction"]
    );
    assert_eq!(
        policy.granted_by_resources.iter().collect::<Vec<_>>(),
        ["s3:GetObject"]
    );
}

#[test]
fn nothing_used_needs_no_document() {
    let policy = least_policy(&usage([], ROLE), OPTIONS).unwrap();
    assert!(policy.documents.is_empty() && removals(&policy).is_empty());
}

#[test]
fn an_action_is_removed_from_every_statement_that_names_it() {
    let policy = least_policy(&usage(&order_intake(), ROLE), OPTIONS).unwrap();
    let removals = removals(&policy);
    let actions: Vec<_> = removals.iter().map(|removal| removal.action.as_str()).collect();
    let expected = [
        "dynamodb:PutItem",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:PutObject",
    ];
    assert_eq!(actions, expected);
    for removal in &removals {
        let text = removal
            .documents
            .iter()
            .map(ToString::to_string)
            .collect::<String>();
        assert!(!text.contains(&removal.action) && !text.contains("[]"), "{text}");
        assert!(expected.iter().filter(|action| text.contains(*action)).count() == expected.len() - 1);
    }
    let only = least_policy(
        &usage(
            &[record(
                "GetObject",
                vec![allowed("s3:GetObject", "arn:aws:s3:::b/k")],
            )],
            ROLE,
        ),
        OPTIONS,
    )
    .unwrap();
    assert!(rolecall_review::removals(&only)[0].documents.is_empty());
}

#[test]
fn a_large_policy_is_split_for_managed_policies() {
    let tables = (0..300).map(|number| {
        format!("arn:aws:dynamodb:us-east-1:123456789012:table/table-with-a-long-name-{number:04}")
    });
    let records: Vec<Record> = tables
        .map(|table| record("PutItem", vec![allowed("dynamodb:PutItem", &table)]))
        .collect();
    let usage = usage(&records, ROLE);
    let policy = least_policy(&usage, OPTIONS).unwrap();
    assert_eq!(policy.placement, Placement::Managed);
    assert!(policy.documents.len() > 1);
    for document in &policy.documents {
        assert!(Document::size_without_whitespace(&document.to_string()) <= MANAGED_POLICY_QUOTA);
    }
    assert!(usage.calls.iter().all(|call| allows(&policy.documents, call)));
}

#[test]
fn what_fits_no_policy_is_an_error() {
    let table = format!(
        "arn:aws:dynamodb:us-east-1:123456789012:table/{}",
        "t".repeat(400)
    );
    let usage = usage(
        &[record("PutItem", vec![allowed("dynamodb:PutItem", &table)])],
        ROLE,
    );
    let options = LeastPolicyOptions {
        inline_quota: 300,
        managed_quota: 300,
    };
    let error = least_policy(&usage, options).unwrap_err();
    assert_eq!(
        error,
        LeastPolicyError::TooLarge {
            action: "dynamodb:PutItem".to_owned(),
            length: table.len(),
            quota: 300
        }
    );
}

fn allows(documents: &[Document], call: &Call) -> bool {
    let policies: Vec<_> = documents
        .iter()
        .map(|document| Arc::new(CompiledPolicy::compile(document, "least")))
        .collect();
    let principal = Principal::RoleSession {
        account: "123456789012".to_owned(),
        role_arn: ROLE.to_owned(),
        role_name: "order-intake".to_owned(),
        role_id: None,
        session_name: "order-intake".to_owned(),
    };
    let request = Request {
        principal: &principal,
        action: &call.action,
        resource: &call.resource,
        resource_account: None,
        context: &Context::new(),
    };
    decide(
        &request,
        &Policies {
            identity: &policies,
            ..Policies::default()
        },
    )
    .is_allowed()
}

fn any_usage() -> impl Strategy<Value = Usage> {
    let object = (
        prop::sample::select(&["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]),
        "[a-c]",
        "([a-c]|20(26|27)|é|注|\\*|\\$\\{x\\}|/){0,6}",
    )
        .prop_map(|(action, bucket, key)| (action, format!("arn:aws:s3:::{bucket}/{key}")));
    let table = (
        prop::sample::select(&["dynamodb:PutItem", "dynamodb:Query"]),
        "[a-c]{1,2}(/index/[ab])?",
    )
        .prop_map(|(action, table)| {
            (
                action,
                format!("arn:aws:dynamodb:us-east-1:123456789012:table/{table}"),
            )
        });
    let stream = (
        prop::sample::select(&["logs:PutLogEvents", "logs:CreateLogStream"]),
        "[a-c]",
        "[a-c0-9/]{0,8}",
    )
        .prop_map(|(action, group, stream)| {
            (
                action,
                format!("arn:aws:logs:us-east-1:123456789012:log-group:{group}:log-stream:{stream}"),
            )
        });
    let anything = Just(("s3:ListAllMyBuckets", "*".to_owned()));
    let access = prop_oneof![4 => object, 2 => table, 2 => stream, 1 => anything];
    prop::collection::vec(access, 0..24).prop_map(|accesses| {
        let records: Vec<Record> = accesses
            .into_iter()
            .map(|(action, resource)| record("Call", vec![allowed(action, &resource)]))
            .collect();
        usage(&records, ROLE)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn everything_used_is_allowed_and_every_action_is_needed(mut usage in any_usage(), quota in 400..1200_usize) {
        let options = LeastPolicyOptions { inline_quota: quota, managed_quota: quota };
        let policy = least_policy(&usage, options).unwrap();
        for document in &policy.documents {
            let text = document.to_string();
            prop_assert!(Document::size_without_whitespace(&text) <= quota);
            prop_assert_eq!(Document::forbidden_character(&text), None);
            prop_assert!(Document::parse(&text, DocumentKind::Identity).is_ok());
            let mut sids: Vec<_> = document.statements.iter().map(|statement| statement.sid.clone().unwrap()).collect();
            sids.sort();
            sids.dedup();
            prop_assert_eq!(sids.len(), document.statements.len());
        }
        for call in &usage.calls {
            prop_assert!(allows(&policy.documents, call), "{:?}", call);
        }
        for removal in removals(&policy) {
            prop_assert!(usage.calls.iter().all(|call| {
                allows(&removal.documents, call) == (call.action != removal.action)
            }), "{}", removal.action);
        }
        usage.calls.reverse();
        prop_assert_eq!(least_policy(&usage, options).unwrap(), policy);
    }
}
