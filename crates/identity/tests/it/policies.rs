//! Managed policies and their versions.

use rolecall_identity::{Bounded, Holder, IdentityError, NewPolicy, PolicyUsage};

use crate::{
    ACCOUNT, LAMBDA_TRUST, allows, block_on, directory, now, policy, principal, role, statement, user,
};

#[test]
fn versions() {
    block_on(async {
        let directory = directory().await;
        let arn = policy(&directory, "P", &statement("Allow", "s3:Get*")).await;
        let alice = user(&directory, "alice").await;
        directory
            .attach_policy(Holder::User("alice"), &arn)
            .await
            .unwrap();
        assert!(allows(&directory, &principal(&alice), "s3:GetObject"));
        let second = directory
            .create_policy_version(&arn, &statement("Allow", "s3:Put*"), false, now())
            .await
            .unwrap();
        assert_eq!((second.version_id.as_str(), second.is_default), ("v2", false));
        assert!(!allows(&directory, &principal(&alice), "s3:PutObject"));
        directory
            .set_default_policy_version(&arn, "v2", now())
            .await
            .unwrap();
        assert!(allows(&directory, &principal(&alice), "s3:PutObject"));
        assert!(!allows(&directory, &principal(&alice), "s3:GetObject"));
        assert_eq!(
            directory
                .delete_policy_version(&arn, "v2")
                .await
                .unwrap_err()
                .to_string(),
            "Cannot delete the default version of a policy."
        );
        for _ in 0..3 {
            directory
                .create_policy_version(&arn, &statement("Allow", "s3:List*"), false, now())
                .await
                .unwrap();
        }
        let error = directory
            .create_policy_version(&arn, &statement("Allow", "s3:*"), false, now())
            .await
            .unwrap_err();
        assert!(matches!(error, IdentityError::LimitExceeded(_)));
        directory.delete_policy_version(&arn, "v5").await.unwrap();
        let sixth = directory
            .create_policy_version(&arn, &statement("Allow", "s3:*"), true, now())
            .await
            .unwrap();
        assert_eq!(sixth.version_id, "v6", "numbers are not used twice");
        let ids: Vec<String> = directory
            .policy_versions(&arn)
            .unwrap()
            .into_iter()
            .map(|version| version.version_id)
            .collect();
        assert_eq!(ids, ["v6", "v4", "v3", "v2", "v1"]);
        assert_eq!(
            directory.policy_version(&arn, "v5").unwrap_err().to_string(),
            format!("Policy {arn} version v5 does not exist or is not attachable.")
        );
        directory
            .detach_policy(Holder::User("alice"), &arn)
            .await
            .unwrap();
        let error = directory.delete_policy(&arn).await.unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("This policy has more than one version.")
        );
    });
}

#[test]
fn policies_of_aws() {
    block_on(async {
        let directory = directory().await;
        let arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
        let found = directory.policy(arn).unwrap();
        assert_eq!((found.name(), found.path()), ("AmazonS3ReadOnlyAccess", "/"));
        assert!(found.id().starts_with("ANPA"));
        let alice = user(&directory, "alice").await;
        directory.attach_policy(Holder::User("alice"), arn).await.unwrap();
        assert!(allows(&directory, &principal(&alice), "s3:GetObject"));
        assert!(!allows(&directory, &principal(&alice), "s3:PutObject"));
        for error in [
            directory.delete_policy(arn).await.unwrap_err(),
            directory
                .create_policy_version(arn, &statement("Allow", "s3:*"), true, now())
                .await
                .unwrap_err(),
            directory
                .set_default_policy_version(arn, "v1", now())
                .await
                .unwrap_err(),
        ] {
            assert!(matches!(error, IdentityError::UnmodifiableEntity(_)), "{error:?}");
        }
    });
}

#[test]
fn uses_are_counted() {
    block_on(async {
        let directory = directory().await;
        let arn = policy(&directory, "P", &statement("Allow", "s3:Get*")).await;
        user(&directory, "u").await;
        role(&directory, "r", LAMBDA_TRUST).await.unwrap();
        directory.create_group("g".to_owned(), None, now()).await.unwrap();
        directory.attach_policy(Holder::User("u"), &arn).await.unwrap();
        directory.attach_policy(Holder::Group("g"), &arn).await.unwrap();
        directory
            .set_boundary(Bounded::Role("r"), Some(&arn))
            .await
            .unwrap();
        let uses = directory.policy_uses();
        assert_eq!((uses[&arn].attachments, uses[&arn].boundaries), (2, 1));
        let attached = directory.entities_for_policy(&arn, PolicyUsage::Permissions);
        assert_eq!(
            (attached.users.len(), attached.groups.len(), attached.roles.len()),
            (1, 1, 0)
        );
        let bounding = directory.entities_for_policy(&arn, PolicyUsage::Boundary);
        assert_eq!(
            (bounding.users.len(), bounding.groups.len(), bounding.roles.len()),
            (0, 0, 1)
        );
        directory.detach_policy(Holder::User("u"), &arn).await.unwrap();
        directory.detach_policy(Holder::Group("g"), &arn).await.unwrap();
        assert!(
            directory.delete_policy(&arn).await.is_err(),
            "it still bounds a role"
        );
        directory.set_boundary(Bounded::Role("r"), None).await.unwrap();
        directory.delete_policy(&arn).await.unwrap();
    });
}

#[test]
fn names_are_unique_over_paths() {
    block_on(async {
        let directory = directory().await;
        policy(&directory, "P", &statement("Allow", "s3:*")).await;
        let again = NewPolicy {
            name: "p".to_owned(),
            path: Some("/other/".to_owned()),
            document: statement("Allow", "s3:*"),
            ..NewPolicy::default()
        };
        assert_eq!(
            directory
                .create_policy(again, now())
                .await
                .unwrap_err()
                .to_string(),
            "A policy called p already exists. Duplicate names are not allowed."
        );
        assert!(
            directory
                .policy(&format!("arn:aws:iam::{ACCOUNT}:policy/other/P"))
                .is_err()
        );
    });
}
