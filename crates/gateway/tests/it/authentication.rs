//! Who is not who they say: codes, status and effect for each family of protocols.

use rolecall_testkit::{RawRequest, RawResponse, Signing, Spoil, TestCredentials};

use crate::block_on;
use crate::endpoint::{Endpoint, IAM_VERSION, REGION, STS_VERSION, code};

/// One request of each family that root may make: service and request.
fn requests() -> [(&'static str, RawRequest); 4] {
    [
        (
            "sts",
            RawRequest::query_call(STS_VERSION, "GetCallerIdentity", ""),
        ),
        (
            "dynamodb",
            RawRequest::json_call("1.0", "DynamoDB_20120810.ListTables", "{}"),
        ),
        (
            "logs",
            RawRequest::json_call("1.1", "Logs_20140328.DescribeLogGroups", "{}"),
        ),
        ("s3", RawRequest::new("GET", "/")),
    ]
}

async fn sent(endpoint: &Endpoint, service: &str, request: RawRequest, spoil: Spoil) -> RawResponse {
    request
        .sign(Signing::Header, &endpoint.root, REGION, service)
        .spoil(spoil)
        .send(endpoint.address)
        .await
        .unwrap()
}

#[test]
fn failures_by_family() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        for (service, request) in requests() {
            let good = endpoint.send(request.clone(), &endpoint.root, service).await;
            assert_eq!(good.status, 200, "{service}: {}", good.text());
        }
        let before = endpoint.trail().len();
        assert_eq!(before, 4);
        let mismatch = ("SignatureDoesNotMatch", 403);
        let json_mismatch = ("InvalidSignatureException", 400);
        // (how, Query, JSON, S3)
        let cases = [
            (Spoil::Secret, mismatch, json_mismatch, mismatch),
            (Spoil::Signature, mismatch, json_mismatch, mismatch),
            (
                Spoil::AccessKey,
                ("InvalidClientTokenId", 403),
                ("UnrecognizedClientException", 400),
                ("InvalidAccessKeyId", 403),
            ),
            (
                Spoil::Region,
                mismatch,
                json_mismatch,
                ("AuthorizationHeaderMalformed", 400),
            ),
            (
                Spoil::Time(-3600),
                mismatch,
                json_mismatch,
                ("RequestTimeTooSkewed", 403),
            ),
            (
                Spoil::Time(3600),
                mismatch,
                json_mismatch,
                ("RequestTimeTooSkewed", 403),
            ),
        ];
        for (spoil, query, json, s3) in cases {
            for (service, request) in requests() {
                let expected = match service {
                    "sts" => query,
                    "s3" => s3,
                    _ => json,
                };
                let answer = sent(&endpoint, service, request, spoil.clone()).await;
                assert_eq!(
                    (code(&answer).as_str(), answer.status),
                    expected,
                    "{spoil:?} at {service}: {}",
                    answer.text()
                );
            }
        }
        // As in CloudTrail: who is not known has no event.
        assert_eq!(endpoint.trail().len(), before);
    });
}

#[test]
fn another_body_than_the_signed_one() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        for (service, request, expected) in [
            (
                "iam",
                RawRequest::query_call(IAM_VERSION, "CreateUser", "UserName=ada"),
                "SignatureDoesNotMatch",
            ),
            (
                "logs",
                RawRequest::json_call("1.1", "Logs_20140328.CreateLogGroup", r#"{"logGroupName":"g"}"#),
                "InvalidSignatureException",
            ),
            (
                "s3",
                RawRequest::new("PUT", "/some-bucket/key").body("content"),
                "XAmzContentSHA256Mismatch",
            ),
        ] {
            let answer = sent(&endpoint, service, request, Spoil::Body).await;
            assert_eq!(code(&answer), expected, "{service}: {}", answer.text());
        }
        assert!(endpoint.trail().is_empty());
    });
}

#[test]
fn what_says_which_operation_must_be_signed() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let target = Spoil::UnsignedHeader(
            "x-amz-target".to_owned(),
            "Logs_20140328.DeleteLogGroup".to_owned(),
        );
        let bare = RawRequest::new("POST", "/")
            .header("content-type", "application/x-amz-json-1.1")
            .body(r#"{"logGroupName":"g"}"#);
        let answer = sent(&endpoint, "logs", bare, target).await;
        assert_eq!(code(&answer), "InvalidSignatureException", "{}", answer.text());
        let copy = Spoil::UnsignedHeader("x-amz-copy-source".to_owned(), "/other/key".to_owned());
        let answer = sent(&endpoint, "s3", RawRequest::new("PUT", "/some-bucket/key"), copy).await;
        assert_eq!(code(&answer), "AccessDenied", "{}", answer.text());
        assert!(endpoint.trail().is_empty());
    });
}

#[test]
fn unsigned_requests() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        for (service, request) in requests() {
            let answer = request.send(endpoint.address).await.unwrap();
            let expected = match service {
                "sts" => ("MissingAuthenticationToken", 403),
                "s3" => ("AccessDenied", 403),
                _ => ("MissingAuthenticationTokenException", 400),
            };
            assert_eq!(
                (code(&answer).as_str(), answer.status),
                expected,
                "{service}: {}",
                answer.text()
            );
        }
        // Only Amazon S3 lets anonymous callers in as far as the gate, and so only it has an event.
        let trail = endpoint.trail();
        assert_eq!(trail.len(), 1);
        assert_eq!(trail[0].event.event_name, "ListBuckets");
        assert_eq!(
            trail[0].event.user_identity.account_id.as_deref(),
            Some("anonymous")
        );
        assert_eq!(trail[0].event.error_code.as_deref(), Some("AccessDenied"));
        assert_eq!(trail[0].accesses[0].action, "s3:ListAllMyBuckets");
    });
}

#[test]
fn half_a_signature_is_not_taken_for_none() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        for request in [
            RawRequest::new("GET", "/").header("authorization", "AWS4-HMAC-SHA256 nonsense"),
            RawRequest::new("GET", "/").header("authorization", "Bearer token"),
            RawRequest::new("GET", "/?X-Amz-Signature=00&X-Amz-Algorithm=AWS4-HMAC-SHA256"),
            RawRequest::new("GET", "/?AWSAccessKeyId=AKIA&Signature=x"),
            RawRequest::query_call(STS_VERSION, "GetCallerIdentity", "").header("authorization", "x"),
        ] {
            let answer = request.send(endpoint.address).await.unwrap();
            assert!((400..=403).contains(&answer.status), "{}", answer.text());
        }
        assert!(endpoint.trail().is_empty());
    });
}

#[test]
fn presigned_urls() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let root = &endpoint.root;
        endpoint.bucket("presigned").await;
        assert_eq!(
            endpoint.s3(root, "PUT", "/presigned/key", "content").await.status,
            200
        );
        let presigned = RawRequest::new("GET", "/presigned/key").sign(Signing::Presigned, root, REGION, "s3");
        let answer = presigned.send(endpoint.address).await.unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (200, "content"));
        let changed = presigned
            .clone()
            .spoil(Spoil::Signature)
            .send(endpoint.address)
            .await
            .unwrap();
        assert_eq!(code(&changed), "SignatureDoesNotMatch");
        let old = presigned
            .spoil(Spoil::Time(-3600))
            .send(endpoint.address)
            .await
            .unwrap();
        assert_eq!((code(&old).as_str(), old.status), ("AccessDenied", 403));
        let identity = RawRequest::new(
            "GET",
            &format!("/?Action=GetCallerIdentity&Version={STS_VERSION}"),
        )
        .sign(Signing::Presigned, root, REGION, "sts")
        .send(endpoint.address)
        .await
        .unwrap();
        assert_eq!(identity.status, 200, "{}", identity.text());
    });
}

#[test]
fn keys_that_were_taken_away() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let everything =
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let key = endpoint.user("ada", everything).await;
        let works = async |key: &TestCredentials| endpoint.iam(key, "ListUsers", "").await;
        assert_eq!(works(&key).await.status, 200);
        let change = async |action: &str, more: &str| {
            let parameters = format!("UserName=ada&AccessKeyId={}{more}", key.access_key_id);
            let answer = endpoint.iam(&endpoint.root, action, &parameters).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        };
        change("UpdateAccessKey", "&Status=Inactive").await;
        let answer = works(&key).await;
        assert_eq!(
            (code(&answer).as_str(), answer.status),
            ("InvalidClientTokenId", 403)
        );
        change("UpdateAccessKey", "&Status=Active").await;
        assert_eq!(works(&key).await.status, 200);
        change("DeleteAccessKey", "").await;
        let answer = works(&key).await;
        assert_eq!(
            (code(&answer).as_str(), answer.status),
            ("InvalidClientTokenId", 403)
        );
    });
}

/// The endpoint is one region's; IAM and STS are also at their global endpoint, and IAM's events are always there.
#[test]
fn regions() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        for (service, region, status) in [
            ("sts", REGION, 200),
            ("sts", "us-east-1", 200),
            ("sts", "us-west-2", 403),
            ("s3", REGION, 200),
            ("s3", "us-east-1", 400),
            ("logs", "us-east-1", 400),
            ("dynamodb", "us-east-1", 400),
        ] {
            let (_, request) = requests().into_iter().find(|(name, _)| *name == service).unwrap();
            let answer = request
                .sign(Signing::Header, &endpoint.root, region, service)
                .send(endpoint.address)
                .await
                .unwrap();
            assert_eq!(answer.status, status, "{service} in {region}: {}", answer.text());
        }
        for region in [REGION, "us-east-1"] {
            let answer = RawRequest::query_call(IAM_VERSION, "ListUsers", "")
                .sign(Signing::Header, &endpoint.root, region, "iam")
                .send(endpoint.address)
                .await
                .unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(endpoint.last().event.aws_region, "us-east-1");
        }
    });
}
