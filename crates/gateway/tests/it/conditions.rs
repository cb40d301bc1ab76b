//! Global condition keys, decided end to end.

use rolecall_testkit::{RawRequest, TestCredentials};

use crate::block_on;
use crate::endpoint::{Endpoint, code, credentials, encoded};

fn allowing(condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"dynamodb:ListTables","Resource":"*","Condition":{condition}}}}}"#
    )
}

async fn is_allowed(endpoint: &Endpoint, who: &TestCredentials) -> bool {
    let request = RawRequest::json_call("1.0", "DynamoDB_20120810.ListTables", "{}")
        .header("user-agent", "Boto3/1.0 test")
        .header("referer", "https://example.com/page");
    let answer = endpoint.send(request, who, "dynamodb").await;
    if answer.status == 200 {
        return true;
    }
    assert_eq!(code(&answer), "AccessDeniedException", "{}", answer.text());
    false
}

#[test]
fn long_term_keys() {
    let cases = [
        (r#"{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}"#, true),
        (r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, false),
        (r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, true),
        (r#"{"Bool":{"aws:SecureTransport":"true"}}"#, false),
        (r#"{"Bool":{"aws:SecureTransport":"false"}}"#, true),
        (r#"{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}"#, true),
        (r#"{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}"#, false),
        (r#"{"Null":{"aws:TokenIssueTime":"true"}}"#, true),
        (
            r#"{"DateGreaterThan":{"aws:TokenIssueTime":"2000-01-01T00:00:00Z"}}"#,
            false,
        ),
        (r#"{"Null":{"aws:MultiFactorAuthPresent":"true"}}"#, true),
        (r#"{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#, false),
        (r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}"#, true),
        (r#"{"StringEquals":{"aws:PrincipalTag/team":"blue"}}"#, true),
        (r#"{"StringEquals":{"aws:PrincipalTag/Team":"blue"}}"#, true),
        (r#"{"StringEquals":{"aws:PrincipalTag/team":"red"}}"#, false),
        (r#"{"StringLike":{"aws:UserAgent":"Boto3/*"}}"#, true),
        (r#"{"StringLike":{"aws:UserAgent":"aws-cli/*"}}"#, false),
        (
            r#"{"StringEquals":{"aws:Referer":"https://example.com/page"}}"#,
            true,
        ),
        (
            r#"{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}"#,
            true,
        ),
        (
            r#"{"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}"#,
            false,
        ),
        (
            r#"{"StringLike":{"aws:CurrentTime":"20??-??-??T??:??:??Z"}}"#,
            true,
        ),
        (r#"{"NumericGreaterThan":{"aws:EpochTime":"1700000000"}}"#, true),
        (r#"{"Bool":{"aws:ViaAWSService":"false"}}"#, true),
        (r#"{"Bool":{"aws:PrincipalIsAWSService":"false"}}"#, true),
        (
            r#"{"Null":{"aws:CalledVia":"true","aws:SourceArn":"true","aws:SourceAccount":"true","aws:PrincipalServiceName":"true","aws:SourceVpc":"true"}}"#,
            true,
        ),
        (
            r#"{"StringEquals":{"aws:PrincipalAccount":"123456789012","aws:ResourceAccount":"123456789012","aws:PrincipalType":"User","aws:username":"ada"}}"#,
            true,
        ),
        (
            r#"{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:user/ada"}}"#,
            true,
        ),
        (r#"{"Null":{"lambda:SourceFunctionArn":"false"}}"#, false),
    ];
    block_on(async {
        let endpoint = Endpoint::start().await;
        let ada = endpoint.user("ada", "").await;
        assert!(!is_allowed(&endpoint, &ada).await);
        let tag = "UserName=ada&Tags.member.1.Key=team&Tags.member.1.Value=blue";
        let tagged = endpoint.iam(&endpoint.root, "TagUser", tag).await;
        assert_eq!(tagged.status, 200, "{}", tagged.text());
        for (condition, expected) in cases {
            endpoint.set_policy("ada", &allowing(condition)).await;
            assert_eq!(is_allowed(&endpoint, &ada).await, expected, "{condition}");
        }
    });
}

#[test]
fn sessions() {
    let cases = [
        (
            r#"{"DateGreaterThan":{"aws:TokenIssueTime":"2000-01-01T00:00:00Z"}}"#,
            true,
        ),
        (
            r#"{"DateLessThan":{"aws:TokenIssueTime":"2000-01-01T00:00:00Z"}}"#,
            false,
        ),
        (r#"{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#, true),
        (r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#, false),
        (r#"{"StringEquals":{"aws:SourceIdentity":"ada"}}"#, true),
        (r#"{"StringEquals":{"aws:SourceIdentity":"grace"}}"#, false),
        (r#"{"StringEquals":{"aws:PrincipalTag/project":"blue"}}"#, true),
        (r#"{"StringEquals":{"aws:PrincipalType":"AssumedRole"}}"#, true),
        (
            r#"{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/worker"}}"#,
            true,
        ),
        (r#"{"StringLike":{"aws:userid":"AROA*:shift"}}"#, true),
        (r#"{"Null":{"aws:username":"true"}}"#, true),
    ];
    block_on(async {
        let endpoint = Endpoint::start().await;
        let root = &endpoint.root;
        let sts =
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*"}}"#;
        let ada = endpoint.user("ada", sts).await;
        let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/ada"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}}"#;
        let role = format!("RoleName=worker&AssumeRolePolicyDocument={}", encoded(trust));
        assert_eq!(endpoint.iam(root, "CreateRole", &role).await.status, 200);
        let assume = "RoleArn=arn:aws:iam::123456789012:role/worker&RoleSessionName=shift&SourceIdentity=ada\
                      &Tags.member.1.Key=project&Tags.member.1.Value=blue";
        let session = credentials(&endpoint.sts(&ada, "AssumeRole", assume).await);
        assert!(!is_allowed(&endpoint, &session).await);
        for (condition, expected) in cases {
            let policy = encoded(&allowing(condition));
            let parameters = format!("RoleName=worker&PolicyName=p&PolicyDocument={policy}");
            let put = endpoint.iam(root, "PutRolePolicy", &parameters).await;
            assert_eq!(put.status, 200, "{}", put.text());
            assert_eq!(is_allowed(&endpoint, &session).await, expected, "{condition}");
        }
    });
}
