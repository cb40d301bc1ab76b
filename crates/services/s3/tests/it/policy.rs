//! Bucket policies decide with the caller's own.

use rolecall_policy::Principal;

use crate::block_on;
use crate::client::{Client, Refusal, bucket, object, text, with};

const ANN_READS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/ann"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::orders/*"}]}"#;
const NOBODY_DELETES: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::orders/*"}]}"#;

#[test]
fn a_policy_grants_and_denies() {
    block_on(async {
        let client = Client::new().await;
        client.put("k", "one").await;
        assert_eq!(
            client.code("GetBucketPolicy", bucket()).await,
            "NoSuchBucketPolicy"
        );
        let nothing = client.with_policy(
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}}"#,
        );
        assert!(matches!(
            nothing.call("GetObject", object("k")).await,
            Err(Refusal::Denied(_))
        ));
        client
            .call("PutBucketPolicy", with(bucket(), [("Policy", ANN_READS.into())]))
            .await
            .unwrap();
        assert_eq!(nothing.get("k").await, "one");
        let shown = client.call("GetBucketPolicy", bucket()).await.unwrap();
        assert_eq!(text(&shown, "Policy"), ANN_READS);
        client
            .call(
                "PutBucketPolicy",
                with(bucket(), [("Policy", NOBODY_DELETES.into())]),
            )
            .await
            .unwrap();
        let client = client.reopened().await;
        let Err(Refusal::Denied(message)) = client.call("DeleteObject", object("k")).await else {
            panic!("not denied")
        };
        assert!(
            message.contains("with an explicit deny in a resource-based policy"),
            "{message}"
        );
        client.call("DeleteBucketPolicy", bucket()).await.unwrap();
        client.call("DeleteObject", object("k")).await.unwrap();
    });
}

#[test]
fn nobody_is_locked_out_and_nothing_is_public() {
    block_on(async {
        let client = Client::new().await;
        let lock = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::orders","arn:aws:s3:::orders/*"]}]}"#;
        client
            .call("PutBucketPolicy", with(bucket(), [("Policy", lock.into())]))
            .await
            .unwrap();
        assert!(matches!(
            client.call("DeleteBucketPolicy", bucket()).await,
            Err(Refusal::Denied(_))
        ));
        let root = client.as_principal(Principal::Root {
            account: "123456789012".to_owned(),
        });
        assert!(matches!(
            root.call("HeadBucket", bucket()).await,
            Err(Refusal::Denied(_))
        ));
        root.call("DeleteBucketPolicy", bucket()).await.unwrap();
        for (policy, code) in [
            (
                ANN_READS.replace(r#"{"AWS":"arn:aws:iam::123456789012:user/ann"}"#, r#""*""#),
                "AccessDenied",
            ),
            (ANN_READS.replace("user/ann", "user/nobody"), "MalformedPolicy"),
            (ANN_READS.replace("orders/*", "invoices/*"), "MalformedPolicy"),
            ("{".to_owned(), "MalformedPolicy"),
        ] {
            let input = with(bucket(), [("Policy", policy.as_str().into())]);
            assert_eq!(client.code("PutBucketPolicy", input).await, code, "{policy}");
        }
    });
}
