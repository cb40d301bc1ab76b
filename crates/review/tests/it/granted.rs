//! How many actions policies grant.

use rolecall_catalog as catalog;
use rolecall_policy::{Document, DocumentKind};
use rolecall_review::{Granted, granted, usage};

use crate::records::{ROLE, allowed, record};

fn document(text: &str) -> Document {
    Document::parse(text, DocumentKind::Identity).unwrap()
}

fn grants(statements: &str) -> Granted {
    let policy = document(&format!(
        r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#
    ));
    let records = [
        record(
            "GetObject",
            vec![allowed("s3:GetObject", "arn:aws:s3:::orders/a")],
        ),
        record(
            "PutItem",
            vec![allowed(
                "dynamodb:PutItem",
                "arn:aws:dynamodb:us-east-1:123456789012:table/t",
            )],
        ),
        record("Brew", vec![allowed("s3:BrewCoffee", "arn:aws:s3:::orders")]),
    ];
    granted(&[policy], None, &usage(&records, ROLE))
}

#[test]
fn patterns_are_counted_against_the_catalogue() {
    let s3 = catalog::count_matching(["s3:*"]);
    let all = catalog::all_actions().len();
    let allow =
        |actions: &str, rest: &str| format!(r#"{{"Effect": "Allow", {actions}, "Resource": "*"{rest}}}"#);
    for (statements, actions, used) in [
        (allow(r#""Action": "s3:GetObject""#, ""), 1, 1),
        (allow(r#""Action": ["s3:getobject", "S3:GetObject"]"#, ""), 1, 1),
        // One used action is not in the catalogue and is counted with what allows it.
        (allow(r#""Action": "s3:*""#, ""), s3 + 1, 2),
        (allow(r#""Action": "*""#, ""), all + 1, 3),
        (allow(r#""NotAction": "s3:*""#, ""), all - s3, 1),
        (
            allow(
                r#""Action": "s3:GetObject""#,
                r#", "Condition": {"Bool": {"aws:SecureTransport": "true"}}"#,
            ),
            1,
            1,
        ),
        (
            allow(r#""Action": ["s3:GetObject", "s3:PutObject"]"#, "")
                + r#", {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}"#,
            1,
            1,
        ),
        (
            allow(r#""Action": ["s3:GetObject", "s3:PutObject"]"#, "")
                + r#", {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::other/*"}"#,
            2,
            1,
        ),
        (
            allow(r#""Action": "s3:*""#, "")
                + r#", {"Effect": "Deny", "NotAction": "s3:GetObject", "Resource": "*"}"#,
            1,
            1,
        ),
        (
            r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#.to_owned(),
            0,
            0,
        ),
    ] {
        let granted = grants(&statements);
        assert_eq!(
            (granted.actions.len(), granted.used.len()),
            (actions, used),
            "{statements}"
        );
        assert_eq!(granted.unused(), actions - used);
    }
}

#[test]
fn a_boundary_limits_what_is_granted() {
    let policy = document(
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#,
    );
    let boundary = document(
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["s3:GetObject", "iam:*"], "Resource": "*"}}"#,
    );
    let granted = granted(&[policy], Some(&boundary), &usage([], ROLE));
    assert_eq!(granted.actions.into_iter().collect::<Vec<_>>(), ["s3:GetObject"]);
}

#[test]
fn services_are_listed_with_the_largest_first() {
    let services = grants(
        r#"{"Effect": "Allow", "Action": ["dynamodb:PutItem", "sqs:SendMessage", "s3:GetObject", "s3:PutObject"], "Resource": "*"}"#,
    )
    .by_service();
    let counts: Vec<_> = services
        .iter()
        .map(|count| (count.service.as_str(), count.granted, count.used))
        .collect();
    assert_eq!(counts, [("s3", 2, 1), ("dynamodb", 1, 1), ("sqs", 1, 0)]);
}
