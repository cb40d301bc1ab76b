//! Every operation served has its entry in the service authorization facts, under the name CloudTrail has for it.

use rolecall_catalog as catalog;

/// Every operation served, as (signing name, operation).
fn served() -> Vec<(&'static str, &'static str)> {
    let mut all = Vec::new();
    macro_rules! add {
        ($($name:literal: $service:ident),*) => {
            $(all.extend($service::OPERATIONS.iter().map(|entry| ($name, entry.name)));)*
        };
    }
    add!(
        "iam": rolecall_service_iam,
        "sts": rolecall_service_sts,
        "lambda": rolecall_service_lambda,
        "s3": rolecall_service_s3,
        "dynamodb": rolecall_service_dynamodb,
        "logs": rolecall_service_logs,
        "cloudtrail": rolecall_service_cloudtrail
    );
    all
}

#[test]
fn every_operation_served_has_its_actions() {
    assert!(
        served().len() > 150,
        "the tables of operations are not what they were"
    );
    let missing: Vec<_> = served()
        .into_iter()
        .filter(|(service, name)| catalog::operation_actions(service, name).is_none())
        .collect();
    assert_eq!(
        missing,
        Vec::new(),
        "operations without an entry in the authorization facts"
    );
}

#[test]
fn every_action_of_an_operation_exists() {
    for (service, name) in served() {
        let Some(actions) = catalog::operation_actions(service, name) else {
            continue;
        };
        for action in actions.required.iter().chain(actions.conditional.iter()) {
            assert!(
                catalog::action(action).is_some(),
                "{service}:{name} needs {action}, which is no action of AWS's"
            );
        }
    }
}

#[test]
fn operation_names_are_not_taken_for_actions() {
    // The names differ exactly where emulators get it wrong.
    for (service, name, action) in [
        ("s3", "ListBuckets", "s3:ListAllMyBuckets"),
        ("s3", "ListObjectsV2", "s3:ListBucket"),
        ("s3", "HeadObject", "s3:GetObject"),
        ("s3", "HeadBucket", "s3:ListBucket"),
        ("s3", "CreateMultipartUpload", "s3:PutObject"),
        ("lambda", "Invoke", "lambda:InvokeFunction"),
    ] {
        let actions = catalog::operation_actions(service, name);
        assert!(
            actions.is_some_and(|actions| actions.required.contains(&action)),
            "{service}:{name}"
        );
    }
}
