//! Who may do what: resources, condition keys, and the sentences of denials.

use rolecall_identity::{NewRole, SessionFor, SessionOptions};
use rolecall_wire::Value;

use crate::client::{ACCOUNT, Client, now, strings, tags, with};
use crate::{ALLOW_ALL, ALLOW_S3, LAMBDA_TRUST, block_on};

fn allow(action: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"{condition}}}}}"#
    )
}

#[test]
fn denials_name_action_and_resource() {
    block_on(async {
        let root = Client::root().await;
        let bob = root.user("bob", ALLOW_S3).await;
        for (operation, input, action, resource) in [
            (
                "CreateRole",
                strings([
                    ("RoleName", "r"),
                    ("Path", "/p/"),
                    ("AssumeRolePolicyDocument", LAMBDA_TRUST),
                ]),
                "CreateRole",
                "role/p/r",
            ),
            (
                "GetRole",
                strings([("RoleName", "missing")]),
                "GetRole",
                "role/missing",
            ),
            ("ListRoles", strings([]), "ListRoles", "role/"),
            (
                "ListUsers",
                strings([("PathPrefix", "/p/")]),
                "ListUsers",
                "user/p/",
            ),
            ("GetUser", strings([]), "GetUser", "user/bob"),
            ("CreateAccessKey", strings([]), "CreateAccessKey", "user/bob"),
            (
                "CreateAccessKey",
                strings([("UserName", "alice")]),
                "CreateAccessKey",
                "user/alice",
            ),
        ] {
            let message = bob.call(operation, input).await.denial();
            assert_eq!(
                message,
                format!(
                    "User: arn:aws:iam::{ACCOUNT}:user/bob is not authorized to perform: iam:{action} on resource: arn:aws:iam::{ACCOUNT}:{resource} because no identity-based policy allows the iam:{action} action"
                )
            );
        }
        assert!(
            bob.call("ListPolicies", strings([]))
                .await
                .denial()
                .contains("iam:ListPolicies on resource: * ")
        );
    });
}

#[test]
fn a_missing_entity_shows_only_to_those_who_may_ask() {
    block_on(async {
        let root = Client::root().await;
        let may = root
            .user(
                "may",
                &allow("iam:GetRole", &format!("arn:aws:iam::{ACCOUNT}:role/x*"), ""),
            )
            .await;
        assert_eq!(
            may.call("GetRole", strings([("RoleName", "x1")])).await.error(),
            (
                "NoSuchEntity".to_owned(),
                "The role with name x1 cannot be found.".to_owned()
            )
        );
        may.call("GetRole", strings([("RoleName", "y")])).await.denial();
    });
}

#[test]
fn only_with_a_boundary() {
    block_on(async {
        let root = Client::root().await;
        let boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess";
        let condition =
            format!(r#","Condition":{{"StringEquals":{{"iam:PermissionsBoundary":"{boundary}"}}}}"#);
        let delegate = root.user("delegate", &allow("iam:*", "*", &condition)).await;
        let plain = strings([("UserName", "u")]);
        delegate.call("CreateUser", plain).await.denial();
        let other = strings([
            ("UserName", "u"),
            (
                "PermissionsBoundary",
                "arn:aws:iam::aws:policy/AdministratorAccess",
            ),
        ]);
        delegate.call("CreateUser", other).await.denial();
        let bounded = strings([("UserName", "u"), ("PermissionsBoundary", boundary)]);
        delegate.call("CreateUser", bounded).await.output();
        // The boundary of the user that is there counts for what is attached to it.
        let attach = |user| {
            strings([
                ("UserName", user),
                ("PolicyArn", "arn:aws:iam::aws:policy/AmazonS3FullAccess"),
            ])
        };
        delegate.call("AttachUserPolicy", attach("u")).await.output();
        delegate
            .call("AttachUserPolicy", attach("delegate"))
            .await
            .denial();
        let widen = strings([
            ("UserName", "u"),
            (
                "PermissionsBoundary",
                "arn:aws:iam::aws:policy/AdministratorAccess",
            ),
        ]);
        delegate.call("PutUserPermissionsBoundary", widen).await.denial();
    });
}

#[test]
fn only_certain_policies() {
    block_on(async {
        let root = Client::root().await;
        let condition = r#","Condition":{"ArnLike":{"iam:PolicyARN":"arn:aws:iam::aws:policy/AmazonS3*"}}"#;
        let clerk = root
            .user("clerk", &allow("iam:AttachUserPolicy", "*", condition))
            .await;
        let attach = |name: &str| {
            strings([
                ("UserName", "clerk"),
                ("PolicyArn", &format!("arn:aws:iam::aws:policy/{name}")),
            ])
        };
        clerk
            .call("AttachUserPolicy", attach("AmazonS3ReadOnlyAccess"))
            .await
            .output();
        clerk
            .call("AttachUserPolicy", attach("AdministratorAccess"))
            .await
            .denial();
    });
}

#[test]
fn tags_of_request_and_resource() {
    block_on(async {
        let root = Client::root().await;
        let condition = r#","Condition":{"StringEquals":{"aws:RequestTag/team":"a"},"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}"#;
        let maker = root.user("maker", &allow("iam:*", "*", condition)).await;
        let make = |name: &str, given: Value| with(strings([("UserName", name)]), "Tags", given);
        maker
            .call("CreateUser", strings([("UserName", "u0")]))
            .await
            .denial();
        maker
            .call("CreateUser", make("u1", tags([("team", "b")])))
            .await
            .denial();
        maker
            .call("CreateUser", make("u2", tags([("team", "a"), ("more", "x")])))
            .await
            .denial();
        maker
            .call("CreateUser", make("u3", tags([("team", "a")])))
            .await
            .output();

        let owner_policy = allow(
            "iam:DeleteUser",
            "*",
            r#","Condition":{"StringEquals":{"aws:ResourceTag/team":"a","iam:ResourceTag/team":"a"}}"#,
        );
        let owner = root.user("owner", &owner_policy).await;
        owner
            .call("DeleteUser", strings([("UserName", "maker")]))
            .await
            .denial();
        owner
            .call("DeleteUser", strings([("UserName", "u3")]))
            .await
            .output();

        // Making with tags needs the permission to tag.
        let creator = root.user("creator", &allow("iam:CreateUser", "*", "")).await;
        creator
            .call("CreateUser", strings([("UserName", "u4")]))
            .await
            .output();
        assert!(
            creator
                .call("CreateUser", make("u5", tags([("a", "b")])))
                .await
                .denial()
                .contains("iam:TagUser")
        );
    });
}

#[test]
fn renaming_needs_both_names() {
    block_on(async {
        let root = Client::root().await;
        let editor = root
            .user(
                "editor",
                &allow("iam:UpdateUser", &format!("arn:aws:iam::{ACCOUNT}:user/a*"), ""),
            )
            .await;
        root.call("CreateUser", strings([("UserName", "alice")]))
            .await
            .output();
        let rename = |new: &str| strings([("UserName", "alice"), ("NewUserName", new)]);
        editor.call("UpdateUser", rename("bob")).await.denial();
        editor.call("UpdateUser", rename("anna")).await.output();
    });
}

#[test]
fn sessions() {
    block_on(async {
        let root = Client::root().await;
        let admin = root.user("admin", ALLOW_ALL).await;
        let hour = SessionOptions {
            duration_seconds: 3_600,
            ..SessionOptions::default()
        };
        let session = admin
            .directory
            .issue_session(SessionFor::User("admin"), hour.clone(), now())
            .unwrap();
        let as_session = admin.with_key(&session.access_key_id, Some(session.session_token.expose()));
        assert_eq!(
            as_session.call("ListUsers", strings([])).await.error().0,
            "InvalidClientTokenId"
        );
        let with_code = SessionOptions {
            multi_factor: true,
            ..hour.clone()
        };
        let session = admin
            .directory
            .issue_session(SessionFor::User("admin"), with_code, now())
            .unwrap();
        let as_session = admin.with_key(&session.access_key_id, Some(session.session_token.expose()));
        as_session.call("ListUsers", strings([])).await.output();

        let new = NewRole {
            name: "r".to_owned(),
            trust: LAMBDA_TRUST.to_owned(),
            ..NewRole::default()
        };
        let role = root.directory.create_role(new, now()).await.unwrap();
        let session = SessionFor::Role {
            role: &role,
            session_name: "s",
        };
        let session = root.directory.issue_session(session, hour, now()).unwrap();
        let as_role = root.with_key(&session.access_key_id, Some(session.session_token.expose()));
        let (code, message) = as_role.call("GetUser", strings([])).await.error();
        assert_eq!(
            (code.as_str(), message.as_str()),
            (
                "ValidationError",
                "Must specify userName when calling with non-User credentials"
            )
        );
    });
}
