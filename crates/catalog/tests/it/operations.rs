//! Which actions operations need and how they are recorded.

use rolecall_catalog::{
    EventCategory, action_name, event_category, event_to_action, operation_actions, operation_event_name,
    read_only,
};

use EventCategory::{Data, Management};

#[test]
fn operations_need_the_actions_of_the_reference() {
    for (service, operation, required) in [
        ("s3", "ListBuckets", &["s3:ListAllMyBuckets"][..]),
        ("s3", "ListObjectsV2", &["s3:ListBucket"]),
        ("s3", "HeadBucket", &["s3:ListBucket"]),
        ("s3", "CopyObject", &["s3:GetObject", "s3:PutObject"]),
        ("s3", "CompleteMultipartUpload", &["s3:PutObject"]),
        ("s3", "ListParts", &["s3:ListMultipartUploadParts"]),
        ("s3", "GetBucketEncryption", &["s3:GetEncryptionConfiguration"]),
        ("s3", "DeleteBucketTagging", &["s3:PutBucketTagging"]),
        ("s3", "PutBucketCors", &["s3:PutBucketCORS"]),
        ("s3", "DeleteObjects", &["s3:DeleteObject"]),
        ("lambda", "Invoke", &["lambda:InvokeFunction"]),
        (
            "lambda",
            "CreateFunction",
            &["lambda:CreateFunction", "iam:PassRole"],
        ),
        (
            "lambda",
            "GetFunctionConfiguration",
            &["lambda:GetFunctionConfiguration"],
        ),
        ("dynamodb", "BatchWriteItem", &["dynamodb:BatchWriteItem"]),
        ("dynamodb", "TransactGetItems", &["dynamodb:GetItem"]),
        ("dynamodb", "TransactWriteItems", &[]),
        ("kms", "ReEncrypt", &["kms:ReEncryptFrom", "kms:ReEncryptTo"]),
        ("sts", "AssumeRole", &["sts:AssumeRole"]),
        ("logs", "FilterLogEvents", &["logs:FilterLogEvents"]),
        ("cloudtrail", "LookupEvents", &["cloudtrail:LookupEvents"]),
    ] {
        assert_eq!(
            operation_actions(service, operation).unwrap().required,
            required,
            "{service} {operation}"
        );
    }
}

#[test]
fn what_a_request_may_need_besides_is_named() {
    for (service, operation, conditional) in [
        ("s3", "GetObject", "s3:GetObjectVersion"),
        ("s3", "PutObject", "s3:PutObjectTagging"),
        ("s3", "DeleteObject", "s3:DeleteObjectVersion"),
        ("lambda", "UpdateFunctionConfiguration", "iam:PassRole"),
        ("lambda", "CreateFunction", "lambda:TagResource"),
        ("dynamodb", "TransactWriteItems", "dynamodb:ConditionCheckItem"),
        ("sts", "AssumeRole", "sts:TagSession"),
        ("iam", "CreateRole", "iam:TagRole"),
    ] {
        let actions = operation_actions(service, operation).unwrap();
        assert!(
            actions.conditional.contains(&conditional),
            "{service} {operation}: {actions:?}"
        );
    }
}

#[test]
fn an_operation_nothing_is_known_of_has_no_actions() {
    for (service, operation) in [
        ("s3", "NoSuchOperation"),
        ("nosuch", "GetObject"),
        ("", ""),
        ("s3", "getobject "),
        ("iam", "*"),
    ] {
        assert_eq!(
            operation_actions(service, operation),
            None,
            "{service} {operation}"
        );
    }
}

/// (service, operation, recorded as, category, read-only)
const RECORDED: &[(&str, &str, &str, EventCategory, bool)] = &[
    (
        "lambda",
        "CreateFunction",
        "CreateFunction20150331",
        Management,
        false,
    ),
    (
        "lambda",
        "UpdateFunctionCode",
        "UpdateFunctionCode20150331v2",
        Management,
        false,
    ),
    ("lambda", "GetFunction", "GetFunction20150331v2", Management, true),
    (
        "lambda",
        "GetFunctionCodeSigningConfig",
        "GetFunctionCodeSigningConfig",
        Management,
        true,
    ),
    (
        "lambda",
        "PutFunctionConcurrency",
        "PutFunctionConcurrency20171031",
        Management,
        false,
    ),
    ("lambda", "Invoke", "Invoke", Data, false),
    ("s3", "ListBuckets", "ListBuckets", Management, true),
    ("s3", "ListObjectsV2", "ListObjects", Data, true),
    ("s3", "GetObject", "GetObject", Data, true),
    ("s3", "HeadObject", "HeadObject", Data, true),
    ("s3", "CopyObject", "CopyObject", Data, false),
    ("s3", "PutObject", "PutObject", Data, false),
    (
        "s3",
        "GetPublicAccessBlock",
        "GetBucketPublicAccessBlock",
        Management,
        true,
    ),
    (
        "s3",
        "PutBucketLifecycleConfiguration",
        "PutBucketLifecycle",
        Management,
        false,
    ),
    ("s3", "GetBucketLocation", "GetBucketLocation", Management, true),
    ("dynamodb", "GetItem", "GetItem", Data, true),
    ("dynamodb", "BatchWriteItem", "BatchWriteItem", Data, false),
    ("dynamodb", "TransactGetItems", "TransactGetItems", Data, true),
    ("dynamodb", "CreateTable", "CreateTable", Management, false),
    ("dynamodb", "DescribeTable", "DescribeTable", Management, true),
    ("logs", "PutLogEvents", "PutLogEvents", Data, false),
    ("logs", "DescribeLogGroups", "DescribeLogGroups", Management, true),
    ("sts", "AssumeRole", "AssumeRole", Management, true),
    ("sts", "GetCallerIdentity", "GetCallerIdentity", Management, true),
    ("iam", "CreateRole", "CreateRole", Management, false),
    ("iam", "ListUsers", "ListUsers", Management, true),
    ("cloudtrail", "LookupEvents", "LookupEvents", Management, true),
];

#[test]
fn operations_are_recorded_as_cloudtrail_does() {
    for &(service, operation, event, category, reads) in RECORDED {
        assert_eq!(
            operation_event_name(service, operation),
            event,
            "{service} {operation}"
        );
        assert_eq!(
            event_category(service, operation),
            category,
            "{service} {operation}"
        );
        assert_eq!(read_only(service, operation), reads, "{service} {operation}");
    }
}

#[test]
fn an_event_leads_back_to_what_its_operation_needs() {
    for &(service, operation, event, _, _) in RECORDED {
        let mut required = operation_actions(service, operation).unwrap().required;
        required.retain(|action| *action != "iam:PassRole");
        required.sort_unstable();
        let found = event_to_action(&format!("{service}.amazonaws.com"), event);
        assert_eq!(found, Some(required), "{service} {event}");
    }
}

#[test]
fn events_have_the_actions_behind_them() {
    for (source, event, actions) in [
        (
            "lambda.amazonaws.com",
            "AddPermission20150331",
            Some(vec!["lambda:AddPermission"]),
        ),
        (
            "lambda.amazonaws.com",
            "UpdateFunctionCode20150331",
            Some(vec!["lambda:UpdateFunctionCode"]),
        ),
        (
            "lambda.amazonaws.com",
            "Invoke",
            Some(vec!["lambda:InvokeFunction"]),
        ),
        (
            "cloudfront.amazonaws.com",
            "CreateFunction2020_05_31",
            Some(vec!["cloudfront:CreateFunction"]),
        ),
        (
            "monitoring.amazonaws.com",
            "DescribeAlarms",
            Some(vec!["cloudwatch:DescribeAlarms"]),
        ),
        (
            "s3.amazonaws.com",
            "GetBucketLifecycle",
            Some(vec!["s3:GetLifecycleConfiguration"]),
        ),
        (
            "s3.amazonaws.com",
            "GetAccountPublicAccessBlock",
            Some(vec!["s3:GetAccountPublicAccessBlock"]),
        ),
        ("dynamodb.amazonaws.com", "TransactWriteItems", Some(vec![])),
        ("signin.amazonaws.com", "ConsoleLogin", None),
        ("ec2.amazonaws.com", "SharedSnapshotVolumeCreated", None),
        ("s3", "GetObject", None),
        ("", "", None),
    ] {
        assert_eq!(event_to_action(source, event), actions, "{source} {event}");
    }
}

#[test]
fn every_action_of_the_hand_written_table_exists_and_every_row_has_a_source() {
    let table: serde_json::Value = serde_json::from_str(include_str!("../../data/events.json")).unwrap();
    let sources = table["sources"].as_object().unwrap();
    let mut rows = 0;
    let listed = ["operations", "event_sources"]
        .into_iter()
        .flat_map(|part| table[part].as_array().unwrap());
    for row in listed {
        rows += 1;
        let from = row["from"].as_array().unwrap();
        assert!(
            !from.is_empty()
                && from
                    .iter()
                    .all(|source| sources.contains_key(source.as_str().unwrap())),
            "{row}"
        );
        for member in ["actions", "conditional"] {
            for action in row
                .get(member)
                .and_then(serde_json::Value::as_array)
                .into_iter()
                .flatten()
            {
                assert_eq!(action_name(action.as_str().unwrap()), action.as_str(), "{row}");
            }
        }
        if let Some(operation) = row.get("operation") {
            let service = row["service"].as_str().unwrap();
            assert!(
                operation_actions(service, operation.as_str().unwrap()).is_some(),
                "{row}"
            );
        } else {
            assert!(
                rolecall_catalog::service(row["service"].as_str().unwrap()).is_some(),
                "{row}"
            );
        }
    }
    assert!(rows > 100, "{rows}");
}
