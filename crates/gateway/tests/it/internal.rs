//! What functions and services ask: from inside an environment, and of each other.

use std::sync::Arc;

use jiff::Timestamp;
use rolecall_gateway::{EnvironmentEndpoint, Ports};
use rolecall_service::{
    Caller, CredentialsSource as _, EndpointConnector as _, FunctionOrigin, LogLine, LogSink as _,
    ObjectStore as _, Origin, RequestContext, RoleCheck as _,
};
use rolecall_testkit::{RawRequest, Signing, TestCredentials};
use tokio::net::TcpListener;

use crate::block_on;
use crate::endpoint::{ACCOUNT, Endpoint, REGION, encoded};

const ROLE: &str = "arn:aws:iam::123456789012:role/worker";
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:report";

fn function() -> FunctionOrigin {
    FunctionOrigin {
        function_arn: FUNCTION.into(),
        function_name: "report".into(),
        role_arn: ROLE.into(),
        runtime: "python3.12".into(),
        environment_id: 1,
    }
}

async fn make_role(endpoint: &Endpoint, service: &str) {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"Service":"{service}"}},"Action":"sts:AssumeRole"}}}}"#
    );
    let parameters = format!("RoleName=worker&AssumeRolePolicyDocument={}", encoded(&trust));
    let made = endpoint.iam(&endpoint.root, "CreateRole", &parameters).await;
    assert_eq!(made.status, 200, "{}", made.text());
}

async fn set_policy(endpoint: &Endpoint, policy: &str) {
    let parameters = format!("RoleName=worker&PolicyName=p&PolicyDocument={}", encoded(policy));
    let put = endpoint.iam(&endpoint.root, "PutRolePolicy", &parameters).await;
    assert_eq!(put.status, 200, "{}", put.text());
}

fn lines() -> Vec<LogLine> {
    vec![LogLine {
        time: Timestamp::now(),
        message: "a line".to_owned(),
    }]
}

#[test]
fn lambda_assumes_the_role_that_trusts_it() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let ports = Ports::new(Arc::clone(&endpoint.gateway));
        assert!(!ports.may_assume("lambda.amazonaws.com", ROLE));
        assert_eq!(
            ports.assume(&function()).await.unwrap_err().code(),
            "AccessDenied"
        );
        make_role(&endpoint, "lambda.amazonaws.com").await;
        assert!(ports.may_assume("lambda.amazonaws.com", ROLE));
        assert!(!ports.may_assume("ec2.amazonaws.com", ROLE));
        let given = ports.assume(&function()).await.unwrap();
        let event = endpoint.last().event;
        assert_eq!(event.event_name, "AssumeRole");
        assert_eq!(event.user_identity.kind, "AWSService");
        assert_eq!(event.source_ip_address, "lambda.amazonaws.com");
        assert!(!endpoint.journal().contains(&given.secret_access_key));
        let who = TestCredentials::new(given.access_key_id, given.secret_access_key)
            .with_session_token(given.session_token);
        let answer = endpoint.sts(&who, "GetCallerIdentity", "").await;
        assert!(
            answer.text().contains("assumed-role/worker/report"),
            "{}",
            answer.text()
        );
    });
}

#[test]
fn a_role_that_does_not_trust_lambda_is_not_assumed() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        make_role(&endpoint, "ec2.amazonaws.com").await;
        let ports = Ports::new(Arc::clone(&endpoint.gateway));
        let before = endpoint.trail().len();
        assert_eq!(
            ports.assume(&function()).await.unwrap_err().code(),
            "AccessDenied"
        );
        assert_eq!(endpoint.trail().len(), before + 1);
        assert_eq!(endpoint.last().event.error_code.as_deref(), Some("AccessDenied"));
    });
}

#[test]
fn a_log_is_written_with_the_roles_permissions() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        make_role(&endpoint, "lambda.amazonaws.com").await;
        let ports = Ports::new(Arc::clone(&endpoint.gateway));
        let write = || ports.write(&function(), "/aws/lambda/report", "stream", lines());
        assert_eq!(write().await.unwrap_err().code(), "AccessDeniedException");
        let only_put = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["logs:PutLogEvents","logs:CreateLogStream"],"Resource":"*"}}"#;
        set_policy(&endpoint, only_put).await;
        assert_eq!(write().await.unwrap_err().code(), "AccessDeniedException");
        assert_eq!(endpoint.last().event.event_name, "CreateLogGroup");
        let all =
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"logs:*","Resource":"*"}}"#;
        set_policy(&endpoint, all).await;
        write().await.unwrap();
        write().await.unwrap();
        let identity = endpoint.last().event.user_identity;
        assert_eq!(identity.kind, "AssumedRole");
        assert_eq!(identity.invoked_by.as_deref(), Some("lambda.amazonaws.com"));
        let read = r#"{"logGroupName":"/aws/lambda/report","logStreamName":"stream"}"#;
        let events = endpoint.logs(&endpoint.root, "GetLogEvents", read).await;
        assert_eq!(events.text().matches("a line").count(), 2, "{}", events.text());
    });
}

/// Which listener a request comes in on says which function it is; the function cannot say otherwise.
#[test]
fn a_function_s_own_calls() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"dynamodb:ListTables","Resource":"*","Condition":{{"ArnEquals":{{"lambda:SourceFunctionArn":"{FUNCTION}"}},"Bool":{{"aws:SecureTransport":"true"}}}}}}}}"#
        );
        let ada = endpoint.user("ada", &policy).await;
        let request = RawRequest::json_call("1.0", "DynamoDB_20120810.ListTables", "{}")
            .header("lambda-source-function-arn", FUNCTION)
            .sign(Signing::Header, &ada, REGION, "dynamodb");
        assert_eq!(request.send(endpoint.address).await.unwrap().status, 400);

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inside = listener.local_addr().unwrap();
        for (function_arn, status) in [
            (FUNCTION, 200),
            ("arn:aws:lambda:eu-west-1:123456789012:function:other", 400),
        ] {
            let (request, ended) = (request.clone(), listener.accept());
            let sent = tokio::spawn(async move { request.send(inside).await });
            let (stream, _) = ended.await.unwrap();
            let origin = FunctionOrigin {
                function_arn: function_arn.into(),
                ..function()
            };
            let connector = EnvironmentEndpoint::new(Arc::clone(&endpoint.gateway));
            tokio::spawn(connector.serve(stream.into_std().unwrap(), Arc::new(origin)));
            assert_eq!(sent.await.unwrap().unwrap().status, status, "{function_arn}");
        }
    });
}

/// Outside of a call there are no policies of its caller to decide by.
#[test]
fn objects_are_read_for_a_caller_only_within_its_call() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        endpoint.bucket("code").await;
        assert_eq!(
            endpoint
                .s3(&endpoint.root, "PUT", "/code/zip", "content")
                .await
                .status,
            200
        );
        let everything =
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let ada = endpoint.user("ada", everything).await;
        assert_eq!(endpoint.s3(&ada, "GET", "/code/zip", "").await.text(), "content");
        let key = endpoint
            .directory
            .resolve_key(&ada.access_key_id, None, Timestamp::now())
            .unwrap();
        let context = RequestContext {
            request_id: "request".to_owned(),
            account: ACCOUNT.into(),
            region: REGION.into(),
            caller: Arc::new(Caller {
                principal: key.principal.clone(),
                ..Caller::anonymous()
            }),
            time: Timestamp::now(),
            origin: Origin::Network {
                address: [127, 0, 0, 1].into(),
            },
            user_agent: String::new(),
            secure_transport: false,
            endpoint: "http://127.0.0.1:4566".into(),
            request_keys: Vec::new(),
        };
        let ports = Ports::new(Arc::clone(&endpoint.gateway));
        let refused = ports.get_object(&context, "code", "zip", None).await.unwrap_err();
        assert_eq!(refused.code(), "AccessDenied");
        assert_eq!(endpoint.last().event.error_code.as_deref(), Some("AccessDenied"));
    });
}
