//! `GetSessionToken` and `GetCallerIdentity`.

use rolecall_service_sts::OPERATIONS;
use rolecall_wire::Value;

use crate::block_on;
use crate::client::{ACCOUNT, Client, member, now, text};

fn seconds(seconds: i32) -> Value {
    Value::Map(vec![("DurationSeconds".into(), seconds.into())])
}

fn lifetime(answer: &Value) -> i64 {
    let Value::Timestamp(end) = member(answer, "Credentials.Expiration") else {
        panic!("no time")
    };
    end.as_second() - now().as_second()
}

const DENY_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;

#[test]
fn users_and_root() {
    block_on(async {
        let root = Client::root().await;
        let user = root.user("u", None).await;
        let answer = user.call("GetSessionToken", Value::empty()).await.unwrap();
        assert_eq!(lifetime(&answer), 43_200);
        assert_eq!(
            lifetime(&user.call("GetSessionToken", seconds(129_600)).await.unwrap()),
            129_600
        );
        for bad in [0, 899, 129_601, i32::MAX, i32::MIN] {
            assert_eq!(
                user.call("GetSessionToken", seconds(bad)).await.unwrap_err().0,
                "ValidationError"
            );
        }
        assert_eq!(
            lifetime(&root.call("GetSessionToken", seconds(129_600)).await.unwrap()),
            3_600
        );

        let session = root.with_credentials(&answer);
        let who = session.call("GetCallerIdentity", Value::empty()).await.unwrap();
        assert_eq!(text(&who, "Arn"), format!("arn:aws:iam::{ACCOUNT}:user/u"));
        assert_eq!(
            session.call("GetSessionToken", Value::empty()).await.unwrap_err(),
            (
                "AccessDenied".to_owned(),
                "Cannot call GetSessionToken with session credentials".to_owned()
            )
        );
    });
}

#[test]
fn identity_is_told_even_against_a_deny() {
    block_on(async {
        let root = Client::root().await;
        let who = root.call("GetCallerIdentity", Value::empty()).await.unwrap();
        assert_eq!(
            (text(&who, "UserId").as_str(), text(&who, "Account").as_str()),
            (ACCOUNT, ACCOUNT)
        );
        let denied = root.user("denied", Some(DENY_ALL)).await;
        let who = denied.call("GetCallerIdentity", Value::empty()).await.unwrap();
        assert!(text(&who, "UserId").starts_with("AIDA"));
        assert!(denied.call("GetSessionToken", Value::empty()).await.is_ok());
    });
}

#[test]
fn every_served_operation_is_in_the_table() {
    use rolecall_service::Service as _;
    block_on(async {
        let service = rolecall_service_sts::Sts::new(Client::root().await.directory);
        let served: Vec<&str> = service
            .model()
            .operations
            .iter()
            .filter(|operation| operation.served)
            .map(|operation| operation.name)
            .collect();
        let table: Vec<&str> = OPERATIONS.iter().map(|entry| entry.name).collect();
        assert_eq!(served, table);
    });
}
