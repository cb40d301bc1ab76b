//! One event for every request of a known caller, with the decisions behind it and without a secret.

use std::path::Path;
use std::sync::Arc;

use rolecall_store::{EmbeddedStore, Options};
use rolecall_testkit::RawRequest;
use rolecall_trail::Verdict;

use crate::block_on;
use crate::endpoint::{Endpoint, code, credentials, encoded, xml};

#[test]
fn one_event_a_request() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let policy = r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"Own","Effect":"Allow","Action":"dynamodb:*","Resource":"*"},
            {"Sid":"Never","Effect":"Deny","Action":"dynamodb:DeleteTable","Resource":"*"}]}"#;
        let ada = endpoint.user("ada", policy).await;
        let table = r#"{"TableName":"orders"}"#;
        // (operation, input, error, verdicts)
        let cases: [(&str, &str, Option<&str>, &[Verdict]); 5] = [
            ("ListTables", "{}", None, &[Verdict::Allowed]),
            (
                "DescribeTable",
                table,
                Some("ResourceNotFoundException"),
                &[Verdict::Allowed],
            ),
            (
                "DeleteTable",
                table,
                Some("AccessDeniedException"),
                &[Verdict::ExplicitlyDenied],
            ),
            ("CreateGlobalTable", "{}", Some("NotImplemented"), &[]),
            ("DescribeTable", "{", Some("SerializationException"), &[]),
        ];
        for (number, (operation, input, error, verdicts)) in cases.into_iter().enumerate() {
            let answer = endpoint.dynamodb(&ada, operation, input).await;
            let trail = endpoint.trail();
            assert_eq!(trail.len(), number + 1, "{operation}");
            let record = trail.last().unwrap();
            let event = &record.event;
            assert_eq!(event.event_name, operation);
            assert_eq!(event.event_source, "dynamodb.amazonaws.com");
            assert_eq!(
                event.error_code.as_deref(),
                error,
                "{operation}: {}",
                answer.text()
            );
            assert_eq!(event.user_identity.user_name.as_deref(), Some("ada"));
            assert_eq!(
                event.user_identity.access_key_id.as_deref(),
                Some(ada.access_key_id.as_str())
            );
            assert_eq!(event.source_ip_address, "127.0.0.1");
            assert_eq!(answer.header("x-amzn-requestid"), Some(event.request_id.as_str()));
            let have: Vec<Verdict> = record.accesses.iter().map(|access| access.verdict).collect();
            assert_eq!(have, verdicts, "{operation}");
        }
        let denied = &endpoint.trail()[2];
        assert_eq!(
            denied.event.error_message.as_deref(),
            denied.accesses[0].message.as_deref()
        );
        assert_eq!(denied.accesses[0].layer, "identity");
        assert!(denied.accesses[0].statement.as_deref().unwrap().contains("Never"));
        assert_eq!(
            denied.accesses[0].resource,
            "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
        );
        let ids: std::collections::HashSet<_> = endpoint
            .trail()
            .into_iter()
            .flat_map(|record| [record.event.event_id, record.event.request_id])
            .collect();
        assert_eq!(ids.len(), 10);
    });
}

#[test]
fn several_accesses_of_one_call() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let root = &endpoint.root;
        endpoint.bucket("several").await;
        assert_eq!(endpoint.s3(root, "PUT", "/several/from", "x").await.status, 200);
        let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;
        let ada = endpoint.user("ada", policy).await;
        let copy = RawRequest::new("PUT", "/several/to").header("x-amz-copy-source", "/several/from");
        let answer = endpoint.send(copy, &ada, "s3").await;
        assert_eq!(code(&answer), "AccessDenied");
        let accesses = endpoint.last().accesses;
        let verdicts: Vec<(&str, Verdict)> = accesses
            .iter()
            .map(|access| (access.action.as_str(), access.verdict))
            .collect();
        assert!(
            verdicts.contains(&("s3:PutObject", Verdict::ImplicitlyDenied)),
            "{verdicts:?}"
        );
        let missing = endpoint.s3(root, "GET", "/several/to", "").await;
        assert_eq!(missing.status, 404);
    });
}

#[test]
fn no_secret_and_no_payload_is_recorded() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let root = &endpoint.root;
        let everything =
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let ada = endpoint.user("ada", everything).await;
        let made = endpoint.iam(root, "CreateAccessKey", "UserName=ada").await;
        let secret = xml(&made, "SecretAccessKey");
        let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/ada"},"Action":"sts:AssumeRole"}}"#;
        let role = format!("RoleName=worker&AssumeRolePolicyDocument={}", encoded(trust));
        assert_eq!(endpoint.iam(root, "CreateRole", &role).await.status, 200);
        let assumed = endpoint
            .sts(
                &ada,
                "AssumeRole",
                "RoleArn=arn:aws:iam::123456789012:role/worker&RoleSessionName=shift",
            )
            .await;
        let session = credentials(&assumed);
        let token = credentials(&endpoint.sts(&ada, "GetSessionToken", "").await);
        assert_eq!(endpoint.sts(&session, "GetCallerIdentity", "").await.status, 200);

        let log = r#"{"logGroupName":"g","logStreamName":"s"}"#;
        endpoint
            .logs(root, "CreateLogGroup", r#"{"logGroupName":"g"}"#)
            .await;
        endpoint.logs(root, "CreateLogStream", log).await;
        let now = jiff::Timestamp::now().as_millisecond();
        let events = format!(
            r#"{{"logGroupName":"g","logStreamName":"s","logEvents":[{{"timestamp":{now},"message":"planted-in-a-log"}}]}}"#
        );
        let put_events = endpoint.logs(root, "PutLogEvents", &events).await;
        assert_eq!(put_events.status, 200, "{}", put_events.text());

        endpoint.bucket("planted").await;
        assert_eq!(
            endpoint
                .s3(root, "PUT", "/planted/key", "planted-in-an-object")
                .await
                .status,
            200
        );
        endpoint.s3(root, "GET", "/planted/key", "").await;

        let table = r#"{"TableName":"orders","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}"#;
        let made_table = endpoint.dynamodb(root, "CreateTable", table).await;
        assert_eq!(made_table.status, 200, "{}", made_table.text());
        let item = r#"{"TableName":"orders","Item":{"k":{"S":"key"},"v":{"S":"planted-in-an-item"}}}"#;
        let put_item = endpoint.dynamodb(root, "PutItem", item).await;
        assert_eq!(put_item.status, 200, "{}", put_item.text());

        let journal = endpoint.journal();
        assert!(journal.contains("CreateAccessKey") && journal.contains("PutItem"));
        for (name, planted) in [
            ("access key", secret.as_str()),
            ("user's key", &ada.secret_access_key),
            ("root's key", &root.secret_access_key),
            ("session's key", &session.secret_access_key),
            ("session's token", session.session_token.as_deref().unwrap()),
            ("other token", token.session_token.as_deref().unwrap()),
            ("log", "planted-in-a-log"),
            ("object", "planted-in-an-object"),
            ("item", "planted-in-an-item"),
        ] {
            assert!(!journal.contains(planted), "the trail has the {name}");
        }
        // The ids are there: they are what an event is found by.
        assert!(journal.contains(&xml(&made, "AccessKeyId")));
        assert!(journal.contains(&session.access_key_id));
    });
}

/// Whether a file in `folder` has these bytes.
fn is_on_disk(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_on_disk(&path, text);
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

/// Whoever has the answer to a change can rely on its event, whatever happens to the machine.
#[test]
fn the_event_of_a_change_is_on_the_disk_before_its_answer() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(folder.path(), &Options::default()).unwrap();
        let endpoint = Endpoint::over(Arc::new(store), []).await;
        // Several, because what is not flushed is written a little later anyway.
        for number in 0..5 {
            let parameters = format!("UserName=user-{number}");
            let made = endpoint.iam(&endpoint.root, "CreateUser", &parameters).await;
            let request_id = made.header("x-amzn-requestid").unwrap();
            assert!(is_on_disk(folder.path(), request_id), "{number}");
        }
    });
}

#[test]
fn changes_have_their_elements_and_reads_have_not() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let root = &endpoint.root;
        endpoint.iam(root, "CreateUser", "UserName=grace").await;
        let event = endpoint.last().event;
        assert!(!event.read_only && event.management_event);
        assert!(
            event.response_elements.unwrap()["user"]["arn"]
                .as_str()
                .unwrap()
                .ends_with(":user/grace")
        );
        assert_eq!(event.request_parameters.unwrap()["userName"], "grace");
        endpoint.iam(root, "GetUser", "UserName=grace").await;
        let event = endpoint.last().event;
        assert!(event.read_only);
        assert_eq!(event.response_elements, None);
    });
}

#[test]
fn requests_at_the_same_time_have_one_event_each() {
    block_on(async {
        let endpoint = Arc::new(Endpoint::start().await);
        let calls: Vec<_> = (0..40)
            .map(|number| {
                let endpoint = Arc::clone(&endpoint);
                tokio::spawn(async move {
                    let parameters = format!("UserName=user-{number}");
                    endpoint
                        .iam(&endpoint.root, "CreateUser", &parameters)
                        .await
                        .status
                })
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap(), 200);
        }
        let mut names: Vec<String> = endpoint
            .trail()
            .into_iter()
            .map(|record| {
                record.event.request_parameters.unwrap()["userName"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        names.sort();
        names.dedup();
        assert_eq!((names.len(), endpoint.trail().len()), (40, 40));
    });
}
