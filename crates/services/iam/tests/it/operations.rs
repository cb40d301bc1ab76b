//! What operations answer.

use rolecall_wire::Value;

use crate::client::{ACCOUNT, Client, is_truncated, member, strings, tags, text, with};
use crate::{ALLOW_S3, LAMBDA_TRUST, block_on};

/// `%`-decoded.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .unwrap()
        .into_owned()
}

async fn create_role(root: &Client, name: &str) -> Value {
    root.call(
        "CreateRole",
        strings([("RoleName", name), ("AssumeRolePolicyDocument", LAMBDA_TRUST)]),
    )
    .await
    .output()
}

#[test]
fn roles() {
    block_on(async {
        let root = Client::root().await;
        let input = strings([
            ("RoleName", "worker"),
            ("Path", "/jobs/"),
            ("AssumeRolePolicyDocument", LAMBDA_TRUST),
            ("Description", "works"),
        ]);
        let input = with(
            with(input, "MaxSessionDuration", 7_200),
            "Tags",
            tags([("team", "a")]),
        );
        let made = root.call("CreateRole", input).await.output();
        assert_eq!(
            text(&made, "Role.Arn"),
            format!("arn:aws:iam::{ACCOUNT}:role/jobs/worker")
        );
        assert!(text(&made, "Role.RoleId").starts_with("AROA"));
        let got = root
            .call("GetRole", strings([("RoleName", "worker")]))
            .await
            .output();
        assert_eq!(
            decoded(&text(&got, "Role.AssumeRolePolicyDocument")),
            LAMBDA_TRUST
        );
        assert!(text(&got, "Role.AssumeRolePolicyDocument").starts_with("%7B%22Version%22%3A"));
        assert_eq!(text(&got, "Role.Tags.0.Value"), "a");
        assert_eq!(*member(&got, "Role.MaxSessionDuration"), Value::Integer(7_200));
        assert_eq!(*member(&got, "Role.RoleLastUsed"), Value::empty());

        let listed = root
            .call("ListRoles", strings([("PathPrefix", "/jobs/")]))
            .await
            .output();
        assert_eq!(text(&listed, "Roles.0.RoleName"), "worker");
        assert!(
            member(&listed, "Roles.0").get("Tags").is_none(),
            "listings show no tags"
        );
        let elsewhere = root
            .call("ListRoles", strings([("PathPrefix", "/other/")]))
            .await
            .output();
        assert_eq!(member(&elsewhere, "Roles").as_list().unwrap().len(), 0);

        let again = root
            .call(
                "CreateRole",
                strings([("RoleName", "WORKER"), ("AssumeRolePolicyDocument", LAMBDA_TRUST)]),
            )
            .await;
        assert_eq!(
            again.error(),
            (
                "EntityAlreadyExists".to_owned(),
                "Role with name WORKER already exists.".to_owned()
            )
        );

        let changed = strings([("RoleName", "worker"), ("Description", "rests")]);
        root.call("UpdateRole", changed).await.output();
        let described = root
            .call(
                "UpdateRoleDescription",
                strings([("RoleName", "worker"), ("Description", "works")]),
            )
            .await
            .output();
        assert_eq!(text(&described, "Role.Description"), "works");
        let profiles = root
            .call("ListInstanceProfilesForRole", strings([("RoleName", "worker")]))
            .await
            .output();
        assert_eq!(member(&profiles, "InstanceProfiles").as_list().unwrap().len(), 0);
        root.call("DeleteRole", strings([("RoleName", "worker")]))
            .await
            .output();
        assert_eq!(
            root.call("DeleteRole", strings([("RoleName", "worker")]))
                .await
                .error()
                .0,
            "NoSuchEntity"
        );
    });
}

#[test]
fn malformed_documents() {
    block_on(async {
        let root = Client::root().await;
        create_role(&root, "r").await;
        for (document, expected) in [
            ("{", "This policy contains invalid Json"),
            ("{}", "Syntax errors in policy."),
            (ALLOW_S3, "Has prohibited field Resource"),
        ] {
            let update = strings([("RoleName", "r"), ("PolicyDocument", document)]);
            assert_eq!(
                root.call("UpdateAssumeRolePolicy", update).await.error(),
                ("MalformedPolicyDocument".to_owned(), expected.to_owned())
            );
        }
        let put = |document: &str| {
            strings([
                ("RoleName", "r"),
                ("PolicyName", "p"),
                ("PolicyDocument", document),
            ])
        };
        let deep = format!("{}{}", r#"{"Statement":"#.repeat(5_000), "1");
        for document in [LAMBDA_TRUST, "null", "\"x\"", &deep] {
            assert_eq!(
                root.call("PutRolePolicy", put(document)).await.error().0,
                "MalformedPolicyDocument"
            );
        }
    });
}

#[test]
fn attached_and_inline_policies() {
    block_on(async {
        let root = Client::root().await;
        create_role(&root, "r").await;
        let aws = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
        root.call(
            "AttachRolePolicy",
            strings([("RoleName", "r"), ("PolicyArn", aws)]),
        )
        .await
        .output();
        let attached = root
            .call("ListAttachedRolePolicies", strings([("RoleName", "r")]))
            .await
            .output();
        assert_eq!(
            text(&attached, "AttachedPolicies.0.PolicyName"),
            "AWSLambdaBasicExecutionRole"
        );
        let none = strings([("RoleName", "r"), ("PathPrefix", "/other/")]);
        let none = root.call("ListAttachedRolePolicies", none).await.output();
        assert_eq!(member(&none, "AttachedPolicies").as_list().unwrap().len(), 0);

        let named = || strings([("RoleName", "r"), ("PolicyName", "p")]);
        root.call("PutRolePolicy", with(named(), "PolicyDocument", ALLOW_S3))
            .await
            .output();
        let got = root.call("GetRolePolicy", named()).await.output();
        assert_eq!(decoded(&text(&got, "PolicyDocument")), ALLOW_S3);
        let names = root
            .call("ListRolePolicies", strings([("RoleName", "r")]))
            .await
            .output();
        assert_eq!(text(&names, "PolicyNames.0"), "p");

        let delete = || strings([("RoleName", "r")]);
        assert_eq!(
            root.call("DeleteRole", delete()).await.error(),
            (
                "DeleteConflict".to_owned(),
                "Cannot delete entity, must detach all policies first.".to_owned()
            )
        );
        root.call(
            "DetachRolePolicy",
            strings([("RoleName", "r"), ("PolicyArn", aws)]),
        )
        .await
        .output();
        assert_eq!(
            root.call(
                "DetachRolePolicy",
                strings([("RoleName", "r"), ("PolicyArn", aws)])
            )
            .await
            .error()
            .1,
            format!("Policy {aws} was not found.")
        );
        assert_eq!(
            root.call("DeleteRole", delete()).await.error().1,
            "Cannot delete entity, must delete policies first."
        );
        root.call("DeleteRolePolicy", named()).await.output();
        assert_eq!(
            root.call("GetRolePolicy", named()).await.error().1,
            "The role policy with name p cannot be found."
        );
        root.call("DeleteRole", delete()).await.output();
    });
}

#[test]
fn managed_policies_with_versions() {
    block_on(async {
        let root = Client::root().await;
        let made = root
            .call(
                "CreatePolicy",
                strings([
                    ("PolicyName", "P"),
                    ("PolicyDocument", ALLOW_S3),
                    ("Description", "d"),
                ]),
            )
            .await
            .output();
        let arn = text(&made, "Policy.Arn");
        assert_eq!(arn, format!("arn:aws:iam::{ACCOUNT}:policy/P"));
        assert_eq!(*member(&made, "Policy.AttachmentCount"), Value::Integer(0));
        let version = with(
            strings([("PolicyArn", &arn), ("PolicyDocument", ALLOW_S3)]),
            "SetAsDefault",
            true,
        );
        let second = root.call("CreatePolicyVersion", version).await.output();
        assert_eq!(text(&second, "PolicyVersion.VersionId"), "v2");
        let listed = root
            .call("ListPolicyVersions", strings([("PolicyArn", &arn)]))
            .await
            .output();
        assert_eq!(text(&listed, "Versions.0.VersionId"), "v2");
        assert_eq!(
            *member(&listed, "Versions.1.IsDefaultVersion"),
            Value::Boolean(false)
        );
        assert!(member(&listed, "Versions.0").get("Document").is_none());
        let got = root
            .call(
                "GetPolicyVersion",
                strings([("PolicyArn", &arn), ("VersionId", "v1")]),
            )
            .await
            .output();
        assert_eq!(decoded(&text(&got, "PolicyVersion.Document")), ALLOW_S3);
        root.call(
            "SetDefaultPolicyVersion",
            strings([("PolicyArn", &arn), ("VersionId", "v1")]),
        )
        .await
        .output();
        root.call(
            "DeletePolicyVersion",
            strings([("PolicyArn", &arn), ("VersionId", "v2")]),
        )
        .await
        .output();

        create_role(&root, "r").await;
        root.call(
            "AttachRolePolicy",
            strings([("RoleName", "r"), ("PolicyArn", &arn)]),
        )
        .await
        .output();
        root.call(
            "PutRolePermissionsBoundary",
            strings([("RoleName", "r"), ("PermissionsBoundary", &arn)]),
        )
        .await
        .output();
        let got = root
            .call("GetPolicy", strings([("PolicyArn", &arn)]))
            .await
            .output();
        assert_eq!(*member(&got, "Policy.AttachmentCount"), Value::Integer(1));
        assert_eq!(
            *member(&got, "Policy.PermissionsBoundaryUsageCount"),
            Value::Integer(1)
        );
        let entities = root
            .call("ListEntitiesForPolicy", strings([("PolicyArn", &arn)]))
            .await
            .output();
        assert_eq!(
            member(&entities, "PolicyRoles").as_list().unwrap().len(),
            1,
            "listed once"
        );
        assert_eq!(member(&entities, "PolicyUsers").as_list().unwrap().len(), 0);
        let role = root.call("GetRole", strings([("RoleName", "r")])).await.output();
        assert_eq!(
            text(&role, "Role.PermissionsBoundary.PermissionsBoundaryArn"),
            arn
        );
        assert_eq!(
            root.call("DeletePolicy", strings([("PolicyArn", &arn)]))
                .await
                .error()
                .0,
            "DeleteConflict"
        );
        root.call("DeleteRolePermissionsBoundary", strings([("RoleName", "r")]))
            .await
            .output();
        root.call(
            "DetachRolePolicy",
            strings([("RoleName", "r"), ("PolicyArn", &arn)]),
        )
        .await
        .output();
        root.call("DeletePolicy", strings([("PolicyArn", &arn)]))
            .await
            .output();
        assert_eq!(
            root.call("GetPolicy", strings([("PolicyArn", &arn)]))
                .await
                .error(),
            ("NoSuchEntity".to_owned(), format!("Policy {arn} was not found."))
        );
    });
}

#[test]
fn listing_policies() {
    block_on(async {
        let root = Client::root().await;
        root.call(
            "CreatePolicy",
            strings([("PolicyName", "P"), ("PolicyDocument", ALLOW_S3)]),
        )
        .await
        .output();
        let local = root
            .call("ListPolicies", strings([("Scope", "Local")]))
            .await
            .output();
        assert_eq!(text(&local, "Policies.0.PolicyName"), "P");
        assert!(!is_truncated(&local));
        let (mut count, mut pages, mut marker) = (0, 0, None::<String>);
        loop {
            let mut input = with(strings([("Scope", "AWS")]), "MaxItems", 500);
            if let Some(marker) = &marker {
                input = with(input, "Marker", marker.as_str());
            }
            let page = root.call("ListPolicies", input).await.output();
            count += member(&page, "Policies").as_list().unwrap().len();
            pages += 1;
            if !is_truncated(&page) {
                break;
            }
            marker = Some(text(&page, "Marker"));
        }
        assert_eq!(count, rolecall_catalog::managed_policies().len());
        assert_eq!(pages, count.div_ceil(500));
        let attached = root
            .call("ListPolicies", with(strings([]), "OnlyAttached", true))
            .await
            .output();
        assert_eq!(member(&attached, "Policies").as_list().unwrap().len(), 0);
        assert_eq!(
            root.call("ListPolicies", strings([("Marker", "?")]))
                .await
                .error()
                .1,
            "Invalid Marker."
        );
    });
}

#[test]
fn users_groups_and_keys() {
    block_on(async {
        let root = Client::root().await;
        let me = root.call("GetUser", strings([])).await.output();
        assert_eq!(text(&me, "User.Arn"), format!("arn:aws:iam::{ACCOUNT}:root"));
        let made = root
            .call("CreateUser", strings([("UserName", "u")]))
            .await
            .output();
        assert!(text(&made, "User.UserId").starts_with("AIDA"));
        let key = root
            .call("CreateAccessKey", strings([("UserName", "u")]))
            .await
            .output();
        let id = text(&key, "AccessKey.AccessKeyId");
        assert_eq!(text(&key, "AccessKey.SecretAccessKey").len(), 40);
        let listed = root
            .call("ListAccessKeys", strings([("UserName", "u")]))
            .await
            .output();
        assert_eq!(text(&listed, "AccessKeyMetadata.0.AccessKeyId"), id);
        assert!(
            member(&listed, "AccessKeyMetadata.0")
                .get("SecretAccessKey")
                .is_none()
        );
        let last = root
            .call("GetAccessKeyLastUsed", strings([("AccessKeyId", &id)]))
            .await
            .output();
        assert_eq!(text(&last, "AccessKeyLastUsed.ServiceName"), "N/A");
        root.directory
            .record_use(&id, "s3", "eu-west-1", crate::client::now());
        let last = root
            .call("GetAccessKeyLastUsed", strings([("AccessKeyId", &id)]))
            .await
            .output();
        assert_eq!(
            (
                text(&last, "UserName").as_str(),
                text(&last, "AccessKeyLastUsed.Region").as_str()
            ),
            ("u", "eu-west-1")
        );
        let off = strings([("UserName", "u"), ("AccessKeyId", &id), ("Status", "Inactive")]);
        root.call("UpdateAccessKey", off).await.output();
        let listed = root
            .call("ListAccessKeys", strings([("UserName", "u")]))
            .await
            .output();
        assert_eq!(text(&listed, "AccessKeyMetadata.0.Status"), "Inactive");

        root.call("CreateGroup", strings([("GroupName", "g")]))
            .await
            .output();
        root.call("AddUserToGroup", strings([("GroupName", "g"), ("UserName", "u")]))
            .await
            .output();
        let group = root
            .call("GetGroup", strings([("GroupName", "g")]))
            .await
            .output();
        assert_eq!(text(&group, "Users.0.UserName"), "u");
        let groups = root
            .call("ListGroupsForUser", strings([("UserName", "u")]))
            .await
            .output();
        assert_eq!(text(&groups, "Groups.0.GroupName"), "g");
        root.call(
            "PutGroupPolicy",
            strings([
                ("GroupName", "g"),
                ("PolicyName", "p"),
                ("PolicyDocument", ALLOW_S3),
            ]),
        )
        .await
        .output();

        let details = root
            .call("GetAccountAuthorizationDetails", strings([]))
            .await
            .output();
        assert_eq!(text(&details, "UserDetailList.0.GroupList.0"), "g");
        assert_eq!(
            decoded(&text(
                &details,
                "GroupDetailList.0.GroupPolicyList.0.PolicyDocument"
            )),
            ALLOW_S3
        );
        let only = with(strings([]), "Filter", Value::List(vec!["Role".into()]));
        let only = root.call("GetAccountAuthorizationDetails", only).await.output();
        assert_eq!(member(&only, "UserDetailList").as_list().unwrap().len(), 0);
        let summary = root.call("GetAccountSummary", strings([])).await.output();
        assert_eq!(*member(&summary, "SummaryMap.Users"), Value::Integer(1));

        root.call(
            "TagUser",
            with(
                strings([("UserName", "u")]),
                "Tags",
                tags([("b", "1"), ("a", "2")]),
            ),
        )
        .await
        .output();
        let listed = root
            .call("ListUserTags", with(strings([("UserName", "u")]), "MaxItems", 1))
            .await
            .output();
        assert_eq!(text(&listed, "Tags.0.Key"), "a");
        let next = with(
            strings([("UserName", "u"), ("Marker", &text(&listed, "Marker"))]),
            "MaxItems",
            1,
        );
        let next = root.call("ListUserTags", next).await.output();
        assert_eq!(text(&next, "Tags.0.Key"), "b");
        root.call(
            "UntagUser",
            with(
                strings([("UserName", "u")]),
                "TagKeys",
                Value::List(vec!["a".into()]),
            ),
        )
        .await
        .output();

        root.call("CreateAccountAlias", strings([("AccountAlias", "my-alias")]))
            .await
            .output();
        let aliases = root.call("ListAccountAliases", strings([])).await.output();
        assert_eq!(text(&aliases, "AccountAliases.0"), "my-alias");
        assert_eq!(
            root.call("DeleteAccountAlias", strings([("AccountAlias", "other")]))
                .await
                .error()
                .0,
            "NoSuchEntity"
        );
        root.call("DeleteAccountAlias", strings([("AccountAlias", "my-alias")]))
            .await
            .output();
    });
}

#[test]
fn what_is_not_served_is_named() {
    block_on(async {
        let root = Client::root().await;
        let (code, message) = root.call("CreateInstanceProfile", strings([])).await.error();
        assert_eq!(code, "NotImplemented");
        assert!(message.contains("CreateInstanceProfile"));
    });
}
