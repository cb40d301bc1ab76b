//! Known facts of the service authorization reference.

use rolecall_catalog::{
    AccessLevel, ConditionKeyType, action, action_name, condition_key, count_matching, dependent_actions,
    expand, matching, resource_type, service,
};

#[test]
fn actions_have_the_level_and_resources_of_the_reference() {
    for (name, written, level, resources) in [
        (
            "s3:GetObject",
            "s3:GetObject",
            AccessLevel::Read,
            &["accesspointobject", "object"][..],
        ),
        (
            "S3:LISTALLMYBUCKETS",
            "s3:ListAllMyBuckets",
            AccessLevel::List,
            &[],
        ),
        (
            "lambda:invokefunction",
            "lambda:InvokeFunction",
            AccessLevel::Write,
            &["function"],
        ),
        ("iam:PassRole", "iam:PassRole", AccessLevel::Write, &["role"]),
        (
            "iam:AttachRolePolicy",
            "iam:AttachRolePolicy",
            AccessLevel::PermissionsManagement,
            &["role"],
        ),
        (
            "lambda:TagResource",
            "lambda:TagResource",
            AccessLevel::Tagging,
            &[],
        ),
        (
            "dynamodb:PutItem",
            "dynamodb:PutItem",
            AccessLevel::Write,
            &["table"],
        ),
        (
            "logs:PutLogEvents",
            "logs:PutLogEvents",
            AccessLevel::Write,
            &["log-stream"],
        ),
    ] {
        let action = action(name).unwrap();
        assert_eq!((action.name, action.access_level), (written, level));
        let found: Vec<_> = action
            .resource_types
            .iter()
            .map(|resource| resource.name)
            .collect();
        assert!(
            resources.iter().all(|resource| found.contains(resource)),
            "{name}: {found:?}"
        );
    }
}

#[test]
fn what_is_not_known_is_not_found() {
    for name in [
        "s3:ListObjectsV2",
        "s3:HeadObject",
        "s3:Get*",
        "s3",
        "s3:",
        ":GetObject",
        "",
        "nosuch:GetObject",
        "lambda:Invoke",
    ] {
        assert!(action(name).is_none(), "{name}");
        assert_eq!(action_name(name), None, "{name}");
        assert!(dependent_actions(name).is_empty(), "{name}");
    }
    assert!(service("S3").is_some());
    assert!(service("s3*").is_none());
}

#[test]
fn creating_a_function_passes_a_role() {
    assert!(dependent_actions("lambda:createfunction").contains(&"iam:PassRole"));
    assert!(
        action("lambda:InvokeFunction")
            .unwrap()
            .condition_keys
            .contains(&"lambda:InvokedViaFunctionUrl")
    );
}

#[test]
fn a_permission_without_an_operation_says_so() {
    for (name, operation, permission_only) in [
        ("iam:PassRole", None, true),
        ("sts:TagSession", None, true),
        ("lambda:PassCapacityProvider", None, true),
        ("lambda:InvokeFunction", Some("Invoke"), false),
        ("s3:ListAllMyBuckets", Some("ListBuckets"), false),
        ("dynamodb:PutItem", Some("PutItem"), false),
    ] {
        let action = action(name).unwrap();
        assert_eq!(
            (action.operation, action.permission_only),
            (operation, permission_only),
            "{name}"
        );
    }
}

#[test]
fn resource_types_have_their_arn_formats() {
    for (prefix, name, arn) in [
        (
            "s3",
            "object",
            "arn:${Partition}:s3:::${BucketName}/${ObjectName}",
        ),
        ("s3", "bucket", "arn:${Partition}:s3:::${BucketName}"),
        (
            "lambda",
            "function",
            "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}",
        ),
        (
            "iam",
            "ROLE",
            "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}",
        ),
        (
            "dynamodb",
            "index",
            "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}/index/${IndexName}",
        ),
    ] {
        assert_eq!(
            &*resource_type(prefix, name).unwrap().arns,
            [arn],
            "{prefix} {name}"
        );
    }
    assert!(resource_type("s3", "queue").is_none());
    assert_eq!(resource_type("lex", "bot").unwrap().arns.len(), 2);
}

#[test]
fn condition_keys_are_found_with_and_without_their_varying_part() {
    for (name, written, value_type) in [
        ("aws:principalarn", "aws:PrincipalArn", ConditionKeyType::Arn),
        (
            "aws:RequestTag/team",
            "aws:RequestTag/${TagKey}",
            ConditionKeyType::String,
        ),
        (
            "aws:RequestTag/${TagKey}",
            "aws:RequestTag/${TagKey}",
            ConditionKeyType::String,
        ),
        ("aws:TagKeys", "aws:TagKeys", ConditionKeyType::ArrayOfString),
        (
            "S3:existingobjecttag/a/b",
            "s3:ExistingObjectTag/<key>",
            ConditionKeyType::String,
        ),
        (
            "iam:PassedToService",
            "iam:PassedToService",
            ConditionKeyType::String,
        ),
        (
            "dynamodb:LeadingKeys",
            "dynamodb:LeadingKeys",
            ConditionKeyType::ArrayOfString,
        ),
        (
            "lambda:SourceFunctionArn",
            "lambda:SourceFunctionArn",
            ConditionKeyType::Arn,
        ),
        ("saml:aud", "saml:aud", ConditionKeyType::String),
    ] {
        let key = condition_key(name).map(|key| (key.name, key.value_type));
        assert_eq!(key, Some((written, value_type)), "{name}");
    }
    for name in [
        "aws:RequestTag",
        "aws:RequestTag/",
        "aws:NoSuchKey",
        "s3:ExistingObjectTag",
        "iam",
        "",
    ] {
        assert!(condition_key(name).is_none(), "{name}");
    }
    assert!(ConditionKeyType::ArrayOfArn.is_multivalued() && !ConditionKeyType::Arn.is_multivalued());
}

#[test]
fn patterns_stand_for_what_iam_takes_them_for() {
    let all = count_matching(["*"]);
    assert_eq!(count_matching(["*:*"]), all);
    assert_eq!(expand("S3:getobject").collect::<Vec<_>>(), ["s3:GetObject"]);
    assert_eq!(
        expand("sts:GetCaller?dentity").collect::<Vec<_>>(),
        ["sts:GetCallerIdentity"]
    );
    let found: Vec<_> = expand("dynamodb:Transact*")
        .chain(expand("dynamodb:Batch*Item"))
        .collect();
    assert_eq!(found, ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem"]);
    assert!(expand("s3:*").all(|name| name.starts_with("s3:")));
    assert_eq!(expand("s3:*").count(), service("s3").unwrap().actions.len());
    assert_eq!(
        expand("sso:*").count(),
        service("sso").unwrap().actions.len(),
        "not those of sso-directory"
    );
    for nothing in [
        "s*:GetObject",
        "*:GetObject",
        "s3",
        "",
        "s3:",
        "GetObject",
        "nosuch:*",
    ] {
        assert_eq!(expand(nothing).count(), 0, "{nothing}");
    }
}

#[test]
fn an_action_counts_once() {
    assert_eq!(
        matching(["s3:GetObject", "s3:GetObjec?", "S3:getobject"]),
        ["s3:GetObject"]
    );
    assert_eq!(count_matching(["s3:*", "s3:Get*"]), count_matching(["s3:*"]));
    assert_eq!(count_matching([]), 0);
    assert_eq!(
        count_matching(vec!["*"; 2_000]),
        count_matching(["*"]),
        "as many as a policy has room for"
    );
}
