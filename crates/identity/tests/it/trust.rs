//! Trust policies: who may assume, and principals bound to unique ids.

use rolecall_identity::IdentityError;

use crate::{ACCOUNT, LAMBDA_TRUST, block_on, directory, role, user};

fn trusting(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"}}]}}"#
    )
}

#[test]
fn services() {
    block_on(async {
        let directory = directory().await;
        let lambda = role(&directory, "lambda", LAMBDA_TRUST).await.unwrap();
        let denied = LAMBDA_TRUST.replace("Allow", "Deny");
        let never = role(&directory, "never", &denied).await.unwrap();
        assert!(directory.may_assume("lambda.amazonaws.com", &lambda.arn));
        assert!(!directory.may_assume("ec2.amazonaws.com", &lambda.arn));
        assert!(!directory.may_assume("lambda.amazonaws.com", &never.arn));
        assert!(!directory.may_assume("lambda.amazonaws.com", "arn:aws:iam::123456789012:role/none"));
        assert!(!directory.may_assume("lambda.amazonaws.com", "arn:aws:iam::210987654321:role/lambda"));
        assert!(!directory.may_assume("lambda.amazonaws.com", "lambda"));
    });
}

#[test]
fn principals_are_bound_to_ids_and_shown_as_arns() {
    block_on(async {
        let directory = directory().await;
        let alice = user(&directory, "alice").await;
        let made = role(&directory, "r", &trusting(&alice.arn)).await.unwrap();
        assert!(made.trust.as_str().contains(&alice.id) && !made.trust.as_str().contains(&alice.arn));
        assert_eq!(
            directory.show_principals(made.trust.as_str()),
            trusting(&alice.arn)
        );

        directory
            .update_user("alice", Some("alicia".to_owned()), None)
            .await
            .unwrap();
        let renamed = directory.user("alicia").unwrap();
        assert_eq!(
            directory.show_principals(made.trust.as_str()),
            trusting(&renamed.arn)
        );

        directory.delete_user("alicia").await.unwrap();
        assert_eq!(
            directory.show_principals(made.trust.as_str()),
            trusting(&alice.id)
        );
        user(&directory, "alicia").await;
        assert_eq!(
            directory.show_principals(made.trust.as_str()),
            trusting(&alice.id),
            "another user of that name"
        );
        assert!(
            directory.update_trust("r", &trusting(&alice.id)).await.is_err(),
            "an id that is gone"
        );
    });
}

#[test]
fn accounts_are_written_out_and_other_accounts_left_alone() {
    block_on(async {
        let directory = directory().await;
        let bound = |text: &str| directory.bind_principals(&trusting(text)).unwrap();
        assert_eq!(bound(ACCOUNT), trusting(&format!("arn:aws:iam::{ACCOUNT}:root")));
        assert_eq!(bound("210987654321"), trusting("arn:aws:iam::210987654321:root"));
        for same in [
            "*",
            "arn:aws:iam::210987654321:user/bob",
            "arn:aws:iam::123456789012:root",
            "arn:aws:sts::123456789012:assumed-role/r/s",
        ] {
            assert_eq!(bound(same), trusting(same));
        }
    });
}

#[test]
fn principals_that_do_not_exist_are_refused() {
    block_on(async {
        let directory = directory().await;
        directory
            .create_group("g".to_owned(), None, crate::now())
            .await
            .unwrap();
        for nobody in ["user/nobody", "role/nobody", "group/g", "user/", "policy/p"] {
            let arn = format!("arn:aws:iam::{ACCOUNT}:{nobody}");
            let error = role(&directory, "r", &trusting(&arn)).await.unwrap_err();
            assert!(
                matches!(error, IdentityError::MalformedPolicyDocument(_)),
                "{error:?}"
            );
            assert!(error.to_string().contains("principal"), "{error}");
        }
        let error = role(
            &directory,
            "r",
            &trusting(&format!("arn:aws:iam::{ACCOUNT}:user/nobody")),
        )
        .await
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("Invalid principal in policy: \"AWS\":\"arn:aws:iam::{ACCOUNT}:user/nobody\"")
        );
    });
}
