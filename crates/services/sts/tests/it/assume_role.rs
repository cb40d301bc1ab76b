//! `AssumeRole`: who may, with what, and what comes out.

use rolecall_identity::Holder;
use rolecall_wire::Value;

use crate::block_on;
use crate::client::{ACCOUNT, Client, member, tags, text};

fn trust(principal: &str, actions: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":{actions}{condition}}}]}}"#
    )
}

fn trusting_account(actions: &str) -> String {
    trust(&format!(r#"{{"AWS":"{ACCOUNT}"}}"#), actions, "")
}

const ASSUME: &str = r#""sts:AssumeRole""#;
const ASSUME_AND_MORE: &str = r#"["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]"#;
const MAY_ASSUME: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*"}}"#;

#[test]
fn trust_and_permission() {
    block_on(async {
        let root = Client::root().await;
        let plain = root.user("plain", None).await;
        let may = root.user("may", Some(MAY_ASSUME)).await;
        let by_account = root.role("by-account", &trusting_account(ASSUME)).await;
        let by_name = root
            .role(
                "by-name",
                &trust(
                    &format!(r#"{{"AWS":"arn:aws:iam::{ACCOUNT}:user/plain"}}"#),
                    ASSUME,
                    "",
                ),
            )
            .await;
        let service = root
            .role(
                "service",
                &trust(r#"{"Service":"lambda.amazonaws.com"}"#, ASSUME, ""),
            )
            .await;

        // Rules 6, 31, 32: the account delegates to identity policies; naming the user suffices.
        assert!(may.assume(&by_account.arn, []).await.is_ok());
        assert!(plain.assume(&by_account.arn, []).await.is_err());
        assert!(plain.assume(&by_name.arn, []).await.is_ok());
        assert!(may.assume(&by_name.arn, []).await.is_err());
        assert!(may.assume(&service.arn, []).await.is_err());

        let answer = may.assume(&by_account.arn, []).await.unwrap();
        assert_eq!(
            text(&answer, "AssumedRoleUser.Arn"),
            format!("arn:aws:sts::{ACCOUNT}:assumed-role/by-account/s")
        );
        assert_eq!(
            text(&answer, "AssumedRoleUser.AssumedRoleId"),
            format!("{}:s", by_account.id)
        );
        let who = root
            .with_credentials(&answer)
            .call("GetCallerIdentity", Value::empty())
            .await
            .unwrap();
        assert_eq!(
            text(&who, "Arn"),
            format!("arn:aws:sts::{ACCOUNT}:assumed-role/by-account/s")
        );
        assert_eq!(text(&who, "UserId"), format!("{}:s", by_account.id));
        assert!(answer.get("PackedPolicySize").is_none());
    });
}

#[test]
fn a_missing_role_looks_like_one_that_does_not_trust() {
    block_on(async {
        let root = Client::root().await;
        let may = root.user("may", Some(MAY_ASSUME)).await;
        let service = root
            .role(
                "service",
                &trust(r#"{"Service":"lambda.amazonaws.com"}"#, ASSUME, ""),
            )
            .await;
        let denied = may.assume(&service.arn, []).await.unwrap_err();
        assert_eq!(denied.0, "AccessDenied");
        assert!(denied.1.starts_with(&format!(
            "User: arn:aws:iam::{ACCOUNT}:user/may is not authorized to perform: sts:AssumeRole on resource: {}",
            service.arn
        )));
        let missing = may
            .assume(&format!("arn:aws:iam::{ACCOUNT}:role/missing"), [])
            .await
            .unwrap_err();
        assert_eq!(missing.1.replace("role/missing", "role/service"), denied.1);
        for other in [
            "arn:aws:iam::210987654321:role/r",
            "no arn at all, but long enough",
            "arn:aws:s3:::bucket/object",
        ] {
            assert_eq!(may.assume(other, []).await.unwrap_err().0, "AccessDenied");
        }
    });
}

#[test]
fn services_and_root() {
    block_on(async {
        let root = Client::root().await;
        let role = root
            .role("r", &trust(r#"{"Service":"lambda.amazonaws.com"}"#, ASSUME, ""))
            .await;
        let answer = root
            .service("lambda.amazonaws.com")
            .assume(&role.arn, [])
            .await
            .unwrap();
        assert!(text(&answer, "Credentials.AccessKeyId").starts_with("ASIA"));
        assert!(
            root.service("ec2.amazonaws.com")
                .assume(&role.arn, [])
                .await
                .is_err()
        );
        let missing = format!("arn:aws:iam::{ACCOUNT}:role/missing");
        assert!(
            root.service("lambda.amazonaws.com")
                .assume(&missing, [])
                .await
                .is_err()
        );
        let everybody = root.role("everybody", &trust("\"*\"", ASSUME, "")).await;
        assert_eq!(
            root.assume(&everybody.arn, []).await.unwrap_err(),
            (
                "AccessDenied".to_owned(),
                "Roles may not be assumed by root accounts.".to_owned()
            )
        );
    });
}

#[test]
fn external_id_and_session_name() {
    block_on(async {
        let root = Client::root().await;
        let may = root.user("may", Some(MAY_ASSUME)).await;
        let principal = format!(r#"{{"AWS":"{ACCOUNT}"}}"#);
        let external = r#","Condition":{"StringEquals":{"sts:ExternalId":"secret"}}"#;
        let role = root.role("external", &trust(&principal, ASSUME, external)).await;
        assert!(may.assume(&role.arn, []).await.is_err());
        assert!(
            may.assume(&role.arn, [("ExternalId", "wrong".into())])
                .await
                .is_err()
        );
        assert!(
            may.assume(&role.arn, [("ExternalId", "secret".into())])
                .await
                .is_ok()
        );
        let named = r#","Condition":{"StringLike":{"sts:RoleSessionName":"${aws:username}"}}"#;
        let role = root.role("named", &trust(&principal, ASSUME, named)).await;
        assert!(may.assume(&role.arn, []).await.is_err());
    });
}

#[test]
fn duration() {
    block_on(async {
        let root = Client::root().await;
        let may = root.user("may", Some(MAY_ASSUME)).await;
        let role = root.role("r", &trusting_account(ASSUME)).await;
        let seconds = |seconds: i32| [("DurationSeconds", Value::from(seconds))];
        assert_eq!(
            may.assume(&role.arn, seconds(3_601)).await.unwrap_err(),
            (
                "ValidationError".to_owned(),
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".to_owned()
            )
        );
        for bad in [0, -1, 899, i32::MAX, i32::MIN] {
            assert_eq!(
                may.assume(&role.arn, seconds(bad)).await.unwrap_err().0,
                "ValidationError",
                "{bad}"
            );
        }
        root.directory.update_role("r", None, Some(43_200)).await.unwrap();
        let answer = may.assume(&role.arn, seconds(43_200)).await.unwrap();
        let Value::Timestamp(end) = member(&answer, "Credentials.Expiration") else {
            panic!("no time")
        };
        assert_eq!(end.as_second() - crate::client::now().as_second(), 43_200);

        // Chained, an hour is the most.
        root.directory
            .put_inline_policy(Holder::Role("r"), "p", MAY_ASSUME)
            .await
            .unwrap();
        let chained = root.with_credentials(&answer);
        assert!(chained.assume(&role.arn, seconds(3_600)).await.is_ok());
        assert_eq!(
            chained.assume(&role.arn, seconds(3_601)).await.unwrap_err().1,
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        );
    });
}

#[test]
fn tags_and_source_identity_need_their_own_permission() {
    block_on(async {
        let root = Client::root().await;
        let may = root.user("may", Some(MAY_ASSUME)).await;
        let bare = root.role("bare", &trusting_account(ASSUME)).await;
        let full = root.role("full", &trusting_account(ASSUME_AND_MORE)).await;
        root.directory
            .put_inline_policy(Holder::Role("full"), "p", MAY_ASSUME)
            .await
            .unwrap();
        let team = || ("Tags", tags([("team", "a")]));
        assert!(
            may.assume(&bare.arn, [team()])
                .await
                .unwrap_err()
                .1
                .contains("sts:TagSession")
        );
        assert!(
            may.assume(&bare.arn, [("SourceIdentity", "me".into())])
                .await
                .unwrap_err()
                .1
                .contains("sts:SetSourceIdentity")
        );

        let transitive = || ("TransitiveTagKeys", Value::List(vec!["team".into()]));
        let answer = may
            .assume(&full.arn, [team(), transitive(), ("SourceIdentity", "me".into())])
            .await
            .unwrap();
        assert_eq!(text(&answer, "SourceIdentity"), "me");
        assert!(matches!(
            member(&answer, "PackedPolicySize"),
            Value::Integer(1..=100)
        ));
        let session = root.with_credentials(&answer);
        assert_eq!(session.caller().tags, [("team".to_owned(), "a".to_owned())]);

        // Both persist through role chaining, and ask for the permission again.
        assert!(session.assume(&bare.arn, []).await.is_err());
        let chained = session.assume(&full.arn, []).await.unwrap();
        assert_eq!(text(&chained, "SourceIdentity"), "me");
        let chained = root.with_credentials(&chained);
        assert_eq!(chained.caller().tags, [("team".to_owned(), "a".to_owned())]);
        assert_eq!(
            session.assume(&full.arn, [team()]).await.unwrap_err().0,
            "ValidationError",
            "inherited"
        );
        assert!(
            session
                .assume(&full.arn, [("SourceIdentity", "other".into())])
                .await
                .is_err()
        );

        for bad in [tags([("a", ""), ("A", "")]), tags([("aws:a", "")])] {
            assert!(may.assume(&full.arn, [("Tags", bad)]).await.is_err());
        }
        assert!(
            may.assume(&full.arn, [transitive()]).await.is_err(),
            "a transitive key without its tag"
        );
    });
}

#[test]
fn conditions_on_session_tags() {
    block_on(async {
        let root = Client::root().await;
        let may = root.user("may", Some(MAY_ASSUME)).await;
        let condition = r#","Condition":{"StringEquals":{"aws:RequestTag/team":"a"},"ForAllValues:StringEquals":{"aws:TagKeys":["team"],"sts:TransitiveTagKeys":["team"]}}"#;
        let role = root
            .role(
                "r",
                &trust(&format!(r#"{{"AWS":"{ACCOUNT}"}}"#), ASSUME_AND_MORE, condition),
            )
            .await;
        assert!(may.assume(&role.arn, []).await.is_err());
        assert!(
            may.assume(&role.arn, [("Tags", tags([("team", "b")]))])
                .await
                .is_err()
        );
        assert!(
            may.assume(&role.arn, [("Tags", tags([("team", "a"), ("x", "")]))])
                .await
                .is_err()
        );
        assert!(
            may.assume(&role.arn, [("Tags", tags([("team", "a")]))])
                .await
                .is_ok()
        );
    });
}

#[test]
fn session_policies() {
    block_on(async {
        let root = Client::root().await;
        let may = root.user("may", Some(MAY_ASSUME)).await;
        let role = root.role("r", &trusting_account(ASSUME)).await;
        root.directory
            .put_inline_policy(Holder::Role("r"), "p", MAY_ASSUME)
            .await
            .unwrap();
        let nothing =
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
        let answer = may.assume(&role.arn, [("Policy", nothing.into())]).await.unwrap();
        assert!(matches!(
            member(&answer, "PackedPolicySize"),
            Value::Integer(1..=100)
        ));
        let limited = root.with_credentials(&answer);
        assert!(
            limited
                .assume(&role.arn, [])
                .await
                .unwrap_err()
                .1
                .contains("session policy")
        );
        let limited = may
            .assume(
                &role.arn,
                [(
                    "PolicyArns",
                    arns(&["arn:aws:iam::aws:policy/AmazonS3FullAccess"]),
                )],
            )
            .await;
        assert!(
            root.with_credentials(&limited.unwrap())
                .assume(&role.arn, [])
                .await
                .is_err()
        );

        assert_eq!(
            may.assume(&role.arn, [("Policy", "{".into())]).await.unwrap_err(),
            (
                "MalformedPolicyDocument".to_owned(),
                "The policy is not in the valid JSON format.".to_owned()
            )
        );
        let principal = nothing.replace("\"Action\"", "\"Principal\":\"*\",\"Action\"");
        for bad in ["[]", &principal, &"[".repeat(2_000)] {
            assert_eq!(
                may.assume(&role.arn, [("Policy", bad.into())])
                    .await
                    .unwrap_err()
                    .0,
                "MalformedPolicyDocument"
            );
        }
        let long = nothing.replace("s3:*", &format!("s3:{}", "a".repeat(2_048)));
        assert_eq!(
            may.assume(&role.arn, [("Policy", long.as_str().into())])
                .await
                .unwrap_err()
                .0,
            "PackedPolicyTooLarge"
        );
        let unknown = arns(&["arn:aws:iam::aws:policy/NoSuchPolicy"]);
        assert_eq!(
            may.assume(&role.arn, [("PolicyArns", unknown)])
                .await
                .unwrap_err()
                .0,
            "MalformedPolicyDocument"
        );
        let many = arns(&["arn:aws:iam::aws:policy/AmazonS3FullAccess"; 11]);
        assert!(may.assume(&role.arn, [("PolicyArns", many)]).await.is_err());
    });
}

fn arns(arns: &[&str]) -> Value {
    Value::List(
        arns.iter()
            .map(|arn| Value::Map(vec![("arn".into(), (*arn).into())]))
            .collect(),
    )
}

#[test]
fn what_is_not_supported_is_refused() {
    block_on(async {
        let root = Client::root().await;
        let may = root.user("may", Some(MAY_ASSUME)).await;
        let role = root.role("r", &trusting_account(ASSUME)).await;
        let code = [
            ("SerialNumber", "arn:aws:iam::123456789012:mfa/may".into()),
            ("TokenCode", "123456".into()),
        ];
        let (error, message) = may.assume(&role.arn, code).await.unwrap_err();
        assert_eq!(error, "AccessDenied");
        assert!(message.starts_with("MultiFactorAuthentication failed"));
        let context = Value::List(vec![Value::Map(vec![(
            "ProviderArn".into(),
            "arn:aws:iam::aws:contextProvider/x".into(),
        )])]);
        let (_, message) = may
            .assume(&role.arn, [("ProvidedContexts", context)])
            .await
            .unwrap_err();
        assert!(message.contains("ProvidedContexts"));
    });
}

#[test]
fn a_role_made_again_trusts_nobody_from_before() {
    block_on(async {
        let root = Client::root().await;
        let alice = root.user("alice", None).await;
        let role = root
            .role(
                "r",
                &trust(
                    &format!(r#"{{"AWS":"arn:aws:iam::{ACCOUNT}:user/alice"}}"#),
                    ASSUME,
                    "",
                ),
            )
            .await;
        assert!(alice.assume(&role.arn, []).await.is_ok());
        let keys = root.directory.access_keys("alice").unwrap();
        root.directory
            .delete_access_key("alice", &keys[0].id)
            .await
            .unwrap();
        root.directory.delete_user("alice").await.unwrap();
        let again = root.user("alice", None).await;
        assert!(again.assume(&role.arn, []).await.is_err(), "rule 37");
    });
}
