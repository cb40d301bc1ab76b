//! Temporary credentials: what bounds them holds, and ends with the role.

use rolecall_testkit::{RawRequest, Signing, Spoil, TestCredentials};

use crate::block_on;
use crate::endpoint::{Endpoint, REGION, STS_VERSION, code, credentials, encoded, xml};

const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/ada"},"Action":"sts:AssumeRole"}}"#;

/// A user who may do everything, and a role that trusts it and may do everything.
async fn with_role(endpoint: &Endpoint) -> TestCredentials {
    let ada = endpoint.user("ada", EVERYTHING).await;
    let made = endpoint
        .iam(
            &endpoint.root,
            "CreateRole",
            &format!("RoleName=worker&AssumeRolePolicyDocument={}", encoded(TRUST)),
        )
        .await;
    assert_eq!(made.status, 200, "{}", made.text());
    let policy = encoded(EVERYTHING);
    let put = endpoint
        .iam(
            &endpoint.root,
            "PutRolePolicy",
            &format!("RoleName=worker&PolicyName=all&PolicyDocument={policy}"),
        )
        .await;
    assert_eq!(put.status, 200, "{}", put.text());
    ada
}

const ASSUME: &str = "RoleArn=arn:aws:iam::123456789012:role/worker&RoleSessionName=shift";

#[test]
fn a_session_policy_bounds_the_role() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let ada = with_role(&endpoint).await;
        let free = credentials(&endpoint.sts(&ada, "AssumeRole", ASSUME).await);
        assert_eq!(endpoint.dynamodb(&free, "ListTables", "{}").await.status, 200);

        let policy = encoded(
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"logs:*","Resource":"*"}}"#,
        );
        let answer = endpoint
            .sts(&ada, "AssumeRole", &format!("{ASSUME}&Policy={policy}"))
            .await;
        let bound = credentials(&answer);
        assert_eq!(
            endpoint
                .logs(&bound, "CreateLogGroup", r#"{"logGroupName":"g"}"#)
                .await
                .status,
            200
        );
        let denied = endpoint.dynamodb(&bound, "ListTables", "{}").await;
        assert_eq!(
            (code(&denied).as_str(), denied.status),
            ("AccessDeniedException", 400)
        );
        assert!(
            denied
                .text()
                .contains("because no session policy allows the dynamodb:ListTables action"),
            "{}",
            denied.text()
        );
        // The session's name and issuer stand in the event.
        let identity = endpoint.last().event.user_identity;
        assert_eq!(identity.kind, "AssumedRole");
        assert_eq!(
            identity.arn.as_deref(),
            Some("arn:aws:sts::123456789012:assumed-role/worker/shift")
        );
        assert!(identity.session_context.is_some());
    });
}

#[test]
fn a_deleted_role_ends_its_sessions() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let ada = with_role(&endpoint).await;
        let session = credentials(&endpoint.sts(&ada, "AssumeRole", ASSUME).await);
        assert_eq!(endpoint.dynamodb(&session, "ListTables", "{}").await.status, 200);
        for (action, parameters) in [
            ("DeleteRolePolicy", "RoleName=worker&PolicyName=all"),
            ("DeleteRole", "RoleName=worker"),
        ] {
            let answer = endpoint.iam(&endpoint.root, action, parameters).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        let gone = endpoint.dynamodb(&session, "ListTables", "{}").await;
        assert!((400..=403).contains(&gone.status), "{}", gone.text());
        // A new role of the same name is another role.
        with_role_again(&endpoint).await;
        let still = endpoint.dynamodb(&session, "ListTables", "{}").await;
        assert!((400..=403).contains(&still.status), "{}", still.text());
    });
}

async fn with_role_again(endpoint: &Endpoint) {
    for (action, parameters) in [
        (
            "CreateRole",
            format!("RoleName=worker&AssumeRolePolicyDocument={}", encoded(TRUST)),
        ),
        (
            "PutRolePolicy",
            format!(
                "RoleName=worker&PolicyName=all&PolicyDocument={}",
                encoded(EVERYTHING)
            ),
        ),
    ] {
        let answer = endpoint.iam(&endpoint.root, action, &parameters).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[test]
fn tokens_that_do_not_belong_to_the_key() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let ada = with_role(&endpoint).await;
        let one = credentials(&endpoint.sts(&ada, "AssumeRole", ASSUME).await);
        let other = credentials(&endpoint.sts(&ada, "AssumeRole", ASSUME).await);
        let mut mixed = one.clone();
        mixed.session_token = other.session_token;
        let mut without = one.clone();
        without.session_token = None;
        let mut with = ada.clone();
        with.session_token.clone_from(&one.session_token);
        for (name, who) in [("mixed", mixed), ("without", without), ("long-term with", with)] {
            let answer = endpoint.sts(&who, "GetCallerIdentity", "").await;
            assert_eq!(
                (code(&answer).as_str(), answer.status),
                ("InvalidClientTokenId", 403),
                "{name}"
            );
        }
        let spoiled = RawRequest::query_call(STS_VERSION, "GetCallerIdentity", "")
            .sign(Signing::Header, &one, REGION, "sts")
            .spoil(Spoil::SessionToken)
            .send(endpoint.address)
            .await
            .unwrap();
        assert_eq!(spoiled.status, 403, "{}", spoiled.text());
        let good = endpoint.sts(&one, "GetCallerIdentity", "").await;
        assert!(xml(&good, "Arn").ends_with(":assumed-role/worker/shift"));
    });
}
