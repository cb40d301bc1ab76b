//! The table of operations against the model and against AWS's facts.

use rolecall_catalog as catalog;
use rolecall_service_iam::OPERATIONS;
use rolecall_wire::Value;

use crate::client::{ACCOUNT, Client, strings, tags, with};
use crate::{ALLOW_S3, LAMBDA_TRUST, block_on};

/// An input with the required members of every operation.
fn input() -> Value {
    let input = strings([
        ("UserName", "someone"),
        ("RoleName", "something"),
        ("GroupName", "some"),
        ("PolicyName", "policy"),
        ("PolicyArn", "arn:aws:iam::123456789012:policy/policy"),
        ("PolicyDocument", ALLOW_S3),
        ("AssumeRolePolicyDocument", LAMBDA_TRUST),
        ("PermissionsBoundary", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
        ("AccessKeyId", "AKIAAAAAAAAAAAAAAAAA"),
        ("AccountAlias", "alias"),
        ("Status", "Active"),
        ("VersionId", "v1"),
        ("Description", ""),
    ]);
    let input = with(input, "Tags", tags([("a", "b")]));
    with(input, "TagKeys", Value::List(vec!["a".into()]))
}

#[test]
fn every_served_operation_is_in_the_table() {
    let model = {
        use rolecall_service::Service as _;
        block_on(Client::root()).service().model()
    };
    for operation in model.operations.iter().filter(|operation| operation.served) {
        assert!(
            OPERATIONS.iter().any(|entry| entry.name == operation.name),
            "{} is missing",
            operation.name
        );
    }
    for entry in OPERATIONS {
        assert!(
            model
                .operations
                .iter()
                .any(|operation| operation.served && operation.name == entry.name)
        );
    }
}

/// The reference knows no resource for these, but IAM decides them, and words their denials, on the path that is listed.
const LISTED_BY_PATH: [&str; 3] = ["ListUsers", "ListRoles", "ListGroups"];

#[test]
fn actions_and_resources_are_those_of_the_service_authorization_reference() {
    block_on(async {
        let root = Client::root().await;
        for entry in OPERATIONS {
            let facts = catalog::operation_actions("iam", entry.name).unwrap();
            let needed = root.needs(entry.name, input()).await;
            for required in &facts.required {
                assert!(
                    needed
                        .iter()
                        .any(|decided| decided.action.eq_ignore_ascii_case(required)),
                    "{} does not ask for {required}",
                    entry.name
                );
            }
            for decided in &needed {
                assert!(
                    facts
                        .required
                        .iter()
                        .chain(&facts.conditional)
                        .any(|known| *known == decided.action)
                        || decided.action.starts_with("iam:Tag"),
                    "{} asks for {}",
                    entry.name,
                    decided.action
                );
                let action = catalog::action(&decided.action)
                    .unwrap_or_else(|| panic!("{} is no action", decided.action));
                let kinds: Vec<&str> = action
                    .resource_types
                    .iter()
                    .map(|resource| resource.name)
                    .collect();
                if decided.resource == "*" {
                    continue;
                }
                let kind = decided
                    .resource
                    .strip_prefix(&format!("arn:aws:iam::{ACCOUNT}:"))
                    .unwrap();
                if LISTED_BY_PATH.contains(&entry.name) {
                    assert!(kind.ends_with('/'), "{decided:?}");
                    continue;
                }
                let kind = kind.split('/').next().unwrap();
                assert!(
                    kinds.iter().any(|known| known.eq_ignore_ascii_case(kind)),
                    "{decided:?} {kinds:?}"
                );
            }
        }
    });
}
