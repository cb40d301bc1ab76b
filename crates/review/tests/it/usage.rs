//! Which accesses are of the role, which count as use, and which as denials.

use rolecall_review::{Usage, usage};

use crate::records::{ROLE, allowed, allowed_by, by_lambda, denied, failed, probe, record, record_of};

const OBJECT: &str = "arn:aws:s3:::orders/incoming/1.json";
const BUCKET: &str = "arn:aws:s3:::orders";

fn used(usage: &Usage) -> Vec<&str> {
    usage.used().map(|call| call.action.as_str()).collect()
}

fn refused(usage: &Usage) -> Vec<&str> {
    usage.denied().map(|call| call.action.as_str()).collect()
}

#[test]
fn calls_are_kept_in_order_and_denials_are_no_use() {
    let records = [
        record(
            "CopyObject",
            vec![allowed("s3:GetObject", OBJECT), denied("s3:PutObject", OBJECT)],
        ),
        record_of(
            "arn:aws:iam::123456789012:role/deployer",
            "CreateBucket",
            vec![allowed("s3:CreateBucket", BUCKET)],
        ),
        by_lambda(record(
            "PutLogEvents",
            vec![allowed(
                "logs:PutLogEvents",
                "arn:aws:logs:us-east-1:1:log-group:g:*",
            )],
        )),
    ];
    let usage = usage(&records, ROLE);
    let order: Vec<_> = usage
        .calls
        .iter()
        .map(|call| {
            (
                call.service.as_str(),
                call.operation.as_str(),
                call.action.as_str(),
            )
        })
        .collect();
    assert_eq!(
        order,
        [
            ("s3", "CopyObject", "s3:GetObject"),
            ("s3", "CopyObject", "s3:PutObject"),
            ("logs", "PutLogEvents", "logs:PutLogEvents"),
        ]
    );
    assert_eq!(used(&usage), ["s3:GetObject", "logs:PutLogEvents"]);
    assert_eq!(refused(&usage), ["s3:PutObject"]);
    let invoked_by: Vec<_> = usage
        .calls
        .iter()
        .map(|call| call.invoked_by.as_deref())
        .collect();
    assert_eq!(invoked_by, [None, None, Some("lambda.amazonaws.com")]);
    assert!(usage.calls.iter().any(
        |call| call.message.as_deref() == Some("no identity-based policy allows the s3:PutObject action")
    ));
}

#[test]
fn a_probe_counts_only_when_it_chose_the_answer() {
    let get = || allowed("s3:GetObject", OBJECT);
    let list = |is_allowed: bool| {
        probe(if is_allowed {
            allowed("s3:ListBucket", BUCKET)
        } else {
            denied("s3:ListBucket", BUCKET)
        })
    };
    let none: &[&str] = &[];
    for (why, code, accesses, expected_use, expected_denials) in [
        (
            "the object was there",
            None,
            vec![get(), list(true)],
            &["s3:GetObject"][..],
            none,
        ),
        (
            "the object was there",
            None,
            vec![get(), list(false)],
            &["s3:GetObject"],
            none,
        ),
        (
            "404 thanks to it",
            Some("NoSuchKey"),
            vec![get(), list(true)],
            &["s3:GetObject", "s3:ListBucket"],
            none,
        ),
        (
            "404 of HEAD",
            Some("404"),
            vec![get(), list(true)],
            &["s3:GetObject", "s3:ListBucket"],
            none,
        ),
        (
            "403 for want of it",
            Some("AccessDenied"),
            vec![get(), list(false)],
            &["s3:GetObject"],
            &["s3:ListBucket"],
        ),
        (
            "another error",
            Some("InvalidRange"),
            vec![get(), list(true)],
            &["s3:GetObject"],
            none,
        ),
        (
            "another error",
            Some("InvalidRange"),
            vec![get(), list(false)],
            &["s3:GetObject"],
            none,
        ),
        (
            "its probes are its work",
            None,
            vec![
                probe(allowed("s3:DeleteObject", OBJECT)),
                probe(denied("s3:DeleteObjectVersion", OBJECT)),
            ],
            &["s3:DeleteObject"],
            &["s3:DeleteObjectVersion"],
        ),
    ] {
        let record = record("GetObject", accesses);
        let record = match code {
            Some(code) => failed(record, code),
            None => record,
        };
        let usage = usage([&record], ROLE);
        assert_eq!(used(&usage), expected_use, "{why} {code:?}");
        assert_eq!(refused(&usage), expected_denials, "{why} {code:?}");
    }
}

#[test]
fn what_everybody_may_do_is_no_use() {
    let record = record(
        "GetCallerIdentity",
        vec![allowed_by("always", "sts:GetCallerIdentity", "*")],
    );
    let usage = usage([&record], ROLE);
    assert_eq!(usage.calls.len(), 1);
    assert!(usage.used().next().is_none() && usage.denied().next().is_none());
}

#[test]
fn calls_that_were_never_decided_are_apart() {
    let usage = usage([&failed(record("PutObject", vec![]), "EntityTooLarge")], ROLE);
    assert!(usage.calls.is_empty());
    assert_eq!(usage.undecided.len(), 1);
    assert_eq!(usage.undecided[0].operation, "PutObject");
    assert_eq!(usage.undecided[0].error_code.as_deref(), Some("EntityTooLarge"));
}
