//! `userIdentity` as CloudTrail writes it, for everybody who can ask.
//!
//! The expected documents follow the examples of the CloudTrail User Guide, "CloudTrail userIdentity element".

use jiff::Timestamp;
use rolecall_policy::Principal;
use rolecall_service::{Caller, SessionFacts};
use rolecall_trail::UserIdentity;
use serde_json::{Value, json};

use crate::support::{event, now};

const ACCOUNT: &str = "123456789012";

fn caller(principal: Principal, key: Option<&str>) -> Caller {
    Caller {
        principal,
        access_key_id: key.map(str::to_owned),
        ..Caller::anonymous()
    }
}

fn session(multi_factor: bool, source_identity: Option<&str>) -> SessionFacts {
    SessionFacts {
        issued_at: "2026-11-24T00:00:00Z".parse::<Timestamp>().unwrap(),
        expires_at: "2026-11-24T01:00:00Z".parse::<Timestamp>().unwrap(),
        source_identity: source_identity.map(str::to_owned),
        multi_factor,
        transitive_tag_keys: Vec::new(),
    }
}

fn user() -> Principal {
    Principal::User {
        account: ACCOUNT.to_owned(),
        arn: format!("arn:aws:iam::{ACCOUNT}:user/team/ada"),
        name: "ada".to_owned(),
        id: Some("AIDAEXAMPLE".to_owned()),
    }
}

fn role_session(account: &str) -> Principal {
    Principal::RoleSession {
        account: account.to_owned(),
        role_arn: format!("arn:aws:iam::{account}:role/team/worker"),
        role_name: "worker".to_owned(),
        role_id: Some("AROAEXAMPLE".to_owned()),
        session_name: "shift".to_owned(),
    }
}

#[test]
fn everybody() {
    let cases: [(Caller, Value, Option<&str>); 8] = [
        (
            caller(
                Principal::Root {
                    account: ACCOUNT.to_owned(),
                },
                Some("AKIAROOT"),
            ),
            json!({
                "type": "Root",
                "principalId": "123456789012",
                "arn": "arn:aws:iam::123456789012:root",
                "accountId": "123456789012",
                "accessKeyId": "AKIAROOT",
            }),
            Some("root"),
        ),
        (
            caller(user(), Some("AKIAADA")),
            json!({
                "type": "IAMUser",
                "principalId": "AIDAEXAMPLE",
                "arn": "arn:aws:iam::123456789012:user/team/ada",
                "accountId": "123456789012",
                "accessKeyId": "AKIAADA",
                "userName": "ada",
            }),
            Some("ada"),
        ),
        (
            Caller {
                session: Some(session(true, None)),
                ..caller(user(), Some("ASIAADA"))
            },
            json!({
                "type": "IAMUser",
                "principalId": "AIDAEXAMPLE",
                "arn": "arn:aws:iam::123456789012:user/team/ada",
                "accountId": "123456789012",
                "accessKeyId": "ASIAADA",
                "userName": "ada",
                "sessionContext": {
                    "attributes": {"creationDate": "2026-11-24T00:00:00Z", "mfaAuthenticated": "true"},
                },
            }),
            Some("ada"),
        ),
        (
            Caller {
                session: Some(session(false, Some("ada"))),
                ..caller(role_session(ACCOUNT), Some("ASIAWORKER"))
            },
            json!({
                "type": "AssumedRole",
                "principalId": "AROAEXAMPLE:shift",
                "arn": "arn:aws:sts::123456789012:assumed-role/worker/shift",
                "accountId": "123456789012",
                "accessKeyId": "ASIAWORKER",
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": "AROAEXAMPLE",
                        "arn": "arn:aws:iam::123456789012:role/team/worker",
                        "accountId": "123456789012",
                        "userName": "worker",
                    },
                    "attributes": {"creationDate": "2026-11-24T00:00:00Z", "mfaAuthenticated": "false"},
                    "sourceIdentity": "ada",
                },
            }),
            Some("shift"),
        ),
        (
            Caller {
                session: Some(session(false, None)),
                invoked_by: Some("lambda.amazonaws.com"),
                ..caller(role_session(ACCOUNT), None)
            },
            json!({
                "type": "AssumedRole",
                "principalId": "AROAEXAMPLE:shift",
                "arn": "arn:aws:sts::123456789012:assumed-role/worker/shift",
                "accountId": "123456789012",
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": "AROAEXAMPLE",
                        "arn": "arn:aws:iam::123456789012:role/team/worker",
                        "accountId": "123456789012",
                        "userName": "worker",
                    },
                    "attributes": {"creationDate": "2026-11-24T00:00:00Z", "mfaAuthenticated": "false"},
                },
                "invokedBy": "lambda.amazonaws.com",
            }),
            Some("shift"),
        ),
        (
            caller(
                Principal::Service {
                    name: "lambda.amazonaws.com".to_owned(),
                },
                None,
            ),
            json!({"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}),
            None,
        ),
        (
            Caller::anonymous(),
            json!({"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}),
            None,
        ),
        // Another account's session: this account learns its id, not its name.
        (
            Caller {
                session: Some(session(false, Some("ada"))),
                ..caller(role_session("210987654321"), Some("ASIAOTHER"))
            },
            json!({
                "type": "AWSAccount",
                "principalId": "AROAEXAMPLE:shift",
                "accountId": "210987654321",
                "accessKeyId": "ASIAOTHER",
            }),
            None,
        ),
    ];
    for (caller, expected, name) in cases {
        let identity = UserIdentity::of(&caller, ACCOUNT);
        assert_eq!(serde_json::to_value(&identity).unwrap(), expected);
        let read: UserIdentity = serde_json::from_value(expected).unwrap();
        assert_eq!(read, identity);
        let mut event = event(now(), "Any");
        event.user_identity = identity;
        assert_eq!(event.username(), name);
    }
}

/// The whole record, with the fields that CloudTrail writes even when they are null.
#[test]
fn an_event() {
    let mut event = event(now(), "CreateRole");
    event.user_identity = UserIdentity::of(&caller(user(), Some("AKIAADA")), ACCOUNT);
    event.error_code = Some("AccessDenied".to_owned());
    event.error_message = Some("User: … is not authorized".to_owned());
    event.request_parameters = Some(json!({"roleName": "worker"}));
    let expected = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLE",
            "arn": "arn:aws:iam::123456789012:user/team/ada",
            "accountId": "123456789012",
            "accessKeyId": "AKIAADA",
            "userName": "ada",
        },
        "eventTime": "2026-11-24T00:17:57Z",
        "eventSource": "iam.amazonaws.com",
        "eventName": "CreateRole",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "127.0.0.1",
        "userAgent": "test",
        "errorCode": "AccessDenied",
        "errorMessage": "User: … is not authorized",
        "requestParameters": {"roleName": "worker"},
        "responseElements": null,
        "requestID": "request",
        "eventID": "id-of-CreateRole",
        "readOnly": false,
        "resources": [{
            "accountId": "123456789012",
            "type": "AWS::IAM::Role",
            "ARN": "arn:aws:iam::123456789012:role/team/worker",
        }],
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "123456789012",
        "eventCategory": "Management",
    });
    assert_eq!(serde_json::to_value(&event).unwrap(), expected);
}
