//! Which service and operation a request is for, and what happens to those that are not served.

use rolecall_testkit::{RawRequest, Signing};

use crate::block_on;
use crate::endpoint::{Endpoint, IAM_VERSION, REGION, code};

#[test]
fn a_service_that_is_not_served_is_named_and_recorded() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        for (service, request, name) in [
            (
                "sqs",
                RawRequest::json_call("1.0", "AmazonSQS.SendMessage", "{}"),
                "SendMessage",
            ),
            (
                "sns",
                RawRequest::query_call("2010-03-31", "Publish", "Message=secret"),
                "Publish",
            ),
            (
                "kafka",
                RawRequest::new("GET", "/v1/clusters"),
                "GET:/v1/clusters",
            ),
        ] {
            let answer = endpoint.send(request.clone(), &endpoint.root, service).await;
            assert_eq!((code(&answer).as_str(), answer.status), ("NotImplemented", 501));
            assert!(answer.text().contains(service), "{}", answer.text());
            let event = endpoint.last().event;
            assert_eq!(event.event_source, format!("{service}.amazonaws.com"));
            assert_eq!(event.event_name, name);
            assert_eq!(event.error_code.as_deref(), Some("NotImplemented"));
            assert_eq!(event.user_identity.kind, "Root");
            assert_eq!(answer.header("x-amzn-requestid"), Some(event.request_id.as_str()));

            let before = endpoint.trail().len();
            let forged = request
                .sign(Signing::Header, &endpoint.root, REGION, service)
                .spoil(rolecall_testkit::Spoil::Secret)
                .send(endpoint.address)
                .await
                .unwrap();
            assert_eq!(code(&forged), "InvalidSignatureException");
            assert_eq!(endpoint.trail().len(), before);
        }
        assert!(!endpoint.journal().contains("Message=secret"));
    });
}

#[test]
fn an_operation_that_is_not_served_is_named_and_recorded() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        for (service, request, name) in [
            (
                "iam",
                RawRequest::query_call(IAM_VERSION, "CreateSAMLProvider", ""),
                "CreateSAMLProvider",
            ),
            (
                "dynamodb",
                RawRequest::json_call("1.0", "DynamoDB_20120810.CreateGlobalTable", "{}"),
                "CreateGlobalTable",
            ),
            (
                "s3",
                RawRequest::new("GET", "/some-bucket?replication"),
                "GetBucketReplication",
            ),
        ] {
            let answer = endpoint.send(request, &endpoint.root, service).await;
            assert_eq!(
                (code(&answer).as_str(), answer.status),
                ("NotImplemented", 501),
                "{}",
                answer.text()
            );
            assert!(answer.text().contains(name), "{}", answer.text());
            let event = endpoint.last().event;
            assert_eq!(event.event_name, name);
            assert_eq!(event.error_code.as_deref(), Some("NotImplemented"));
        }
    });
}

#[test]
fn operations_that_do_not_exist() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        for (service, request) in [
            ("iam", RawRequest::query_call(IAM_VERSION, "NoSuchThing", "")),
            ("iam", RawRequest::query_call("1999-01-01", "ListUsers", "")),
            (
                "logs",
                RawRequest::json_call("1.1", "Logs_20140328.NoSuchThing", "{}"),
            ),
            (
                "logs",
                RawRequest::json_call("1.1", "DynamoDB_20120810.ListTables", "{}"),
            ),
            ("logs", RawRequest::new("POST", "/").body("{}")),
        ] {
            let answer = endpoint.send(request, &endpoint.root, service).await;
            assert!((400..=404).contains(&answer.status), "{}", answer.text());
        }
        assert!(endpoint.trail().is_empty());
    });
}

/// The signature covers another path than the one that is routed, outside of S3.
#[test]
fn dot_segments() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        for path in ["//", "/./", "/x/../"] {
            for (service, request) in [
                (
                    "iam",
                    RawRequest::new("POST", path)
                        .header("content-type", "application/x-www-form-urlencoded")
                        .body(format!("Action=ListUsers&Version={IAM_VERSION}")),
                ),
                (
                    "dynamodb",
                    RawRequest::new("POST", path)
                        .header("content-type", "application/x-amz-json-1.0")
                        .header("x-amz-target", "DynamoDB_20120810.ListTables")
                        .body("{}"),
                ),
            ] {
                let answer = endpoint.send(request, &endpoint.root, service).await;
                assert_eq!(answer.status, 404, "{service} {path}: {}", answer.text());
            }
        }
        assert!(endpoint.trail().is_empty());
        let root = &endpoint.root;
        endpoint.bucket("dotted").await;
        for key in ["a/../b", "a//b", "./c"] {
            let target = format!("/dotted/{key}");
            assert_eq!(endpoint.s3(root, "PUT", &target, key).await.status, 200, "{key}");
        }
        for key in ["a/../b", "a//b", "./c"] {
            let target = format!("/dotted/{key}");
            assert_eq!(endpoint.s3(root, "GET", &target, "").await.text(), key);
        }
        assert_eq!(endpoint.s3(root, "GET", "/dotted/b", "").await.status, 404);
    });
}

#[test]
fn buckets_in_host_names() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let root = &endpoint.root;
        endpoint.bucket("hosted").await;
        let port = endpoint.address.port();
        let put = RawRequest::new("PUT", "/a%20key")
            .header("host", format!("hosted.s3.localhost:{port}"))
            .body("content");
        let answer = endpoint.send(put, root, "s3").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(
            endpoint.s3(root, "GET", "/hosted/a%20key", "").await.text(),
            "content"
        );
        assert_eq!(endpoint.last().accesses[0].resource, "arn:aws:s3:::hosted/a key");
        let get = RawRequest::new("GET", "/a%20key")
            .header("host", "hosted.s3.localhost")
            .sign(Signing::Presigned, root, REGION, "s3");
        assert_eq!(get.send(endpoint.address).await.unwrap().text(), "content");
        // The host is signed: who changes it changes the bucket, and is refused.
        let moved = RawRequest::new("GET", "/a%20key")
            .sign(Signing::Header, root, REGION, "s3")
            .spoil(rolecall_testkit::Spoil::UnsignedHeader(
                "host".to_owned(),
                "hosted.s3.localhost".to_owned(),
            ));
        let answer = moved.send(endpoint.address).await.unwrap();
        assert!((400..=403).contains(&answer.status), "{}", answer.text());
        // Hosts mean nothing outside of S3.
        let other =
            RawRequest::query_call(IAM_VERSION, "ListUsers", "").header("host", "hosted.s3.localhost");
        assert_eq!(endpoint.send(other, root, "iam").await.status, 200);
    });
}
