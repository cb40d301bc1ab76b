//! Users, groups, roles: names, quotas, what deleting refuses, restart.

use std::sync::Arc;

use rolecall_identity::{Bounded, Holder, IdentityError, NewRole, NewUser, Tag, Tagged};
use rolecall_store::{EmbeddedStore, Options};

use crate::{ACCOUNT, LAMBDA_TRUST, block_on, directory, now, open, policy, role, statement, user};

#[test]
fn names_are_unique_without_regard_to_case_and_found_as_written() {
    block_on(async {
        let directory = directory().await;
        let alice = user(&directory, "Alice").await;
        assert_eq!(alice.arn, format!("arn:aws:iam::{ACCOUNT}:user/Alice"));
        let again = NewUser {
            name: "ALICE".to_owned(),
            ..NewUser::default()
        };
        let error = directory.create_user(again, now()).await.unwrap_err();
        assert!(matches!(error, IdentityError::EntityAlreadyExists(_)));
        assert_eq!(error.to_string(), "User with name ALICE already exists.");
        assert_eq!(
            directory.user("alice").unwrap_err().to_string(),
            "The user with name alice cannot be found."
        );
        directory
            .update_user("Alice", Some("alice".to_owned()), Some("/team/".to_owned()))
            .await
            .unwrap();
        let renamed = directory.user("alice").unwrap();
        assert_eq!(renamed.id, alice.id);
        assert_eq!(renamed.arn, format!("arn:aws:iam::{ACCOUNT}:user/team/alice"));
        assert!(directory.user("Alice").is_err());
    });
}

#[test]
fn deleting_refuses_what_is_in_use() {
    block_on(async {
        let directory = directory().await;
        user(&directory, "bob").await;
        directory
            .create_group("staff".to_owned(), None, now())
            .await
            .unwrap();
        directory.add_user_to_group("staff", "bob").await.unwrap();
        let key = directory.create_access_key("bob", now()).await.unwrap();
        let managed = policy(&directory, "P", &statement("Allow", "s3:Get*")).await;
        directory
            .attach_policy(Holder::User("bob"), &managed)
            .await
            .unwrap();
        directory
            .put_inline_policy(Holder::User("bob"), "inline", &statement("Allow", "s3:*"))
            .await
            .unwrap();

        let refused = |error: IdentityError| {
            assert!(matches!(error, IdentityError::DeleteConflict(_)), "{error:?}");
            error.to_string()
        };
        assert_eq!(
            refused(directory.delete_user("bob").await.unwrap_err()),
            "Cannot delete entity, must detach all policies first."
        );
        assert_eq!(
            refused(directory.delete_policy(&managed).await.unwrap_err()),
            "Cannot delete a policy attached to entities."
        );
        directory
            .detach_policy(Holder::User("bob"), &managed)
            .await
            .unwrap();
        assert_eq!(
            refused(directory.delete_user("bob").await.unwrap_err()),
            "Cannot delete entity, must delete policies first."
        );
        directory
            .delete_inline_policy(Holder::User("bob"), "inline")
            .await
            .unwrap();
        assert_eq!(
            refused(directory.delete_user("bob").await.unwrap_err()),
            "Cannot delete entity, must delete access keys first."
        );
        directory.delete_access_key("bob", &key.id).await.unwrap();
        assert_eq!(
            refused(directory.delete_user("bob").await.unwrap_err()),
            "Cannot delete entity, must remove user from group first."
        );
        assert_eq!(
            refused(directory.delete_group("staff").await.unwrap_err()),
            "Cannot delete entity, must remove users from group first."
        );
        directory.remove_user_from_group("staff", "bob").await.unwrap();
        directory.delete_user("bob").await.unwrap();
        directory.delete_group("staff").await.unwrap();
        directory.delete_policy(&managed).await.unwrap();
        assert!(directory.users().is_empty() && directory.groups().is_empty());
    });
}

#[test]
fn quotas() {
    block_on(async {
        let directory = directory().await;
        role(&directory, "r", LAMBDA_TRUST).await.unwrap();
        for number in 0..10 {
            let arn = policy(&directory, &format!("p{number}"), &statement("Allow", "s3:*")).await;
            directory.attach_policy(Holder::Role("r"), &arn).await.unwrap();
            directory.attach_policy(Holder::Role("r"), &arn).await.unwrap();
        }
        let aws = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
        assert_eq!(
            directory
                .attach_policy(Holder::Role("r"), aws)
                .await
                .unwrap_err()
                .to_string(),
            "Cannot exceed quota for PoliciesPerRole: 10"
        );
        assert_eq!(
            directory
                .attach_policy(Holder::Role("r"), "arn:aws:iam::aws:policy/NoSuchPolicy")
                .await
                .unwrap_err()
                .to_string(),
            "Policy arn:aws:iam::aws:policy/NoSuchPolicy does not exist or is not attachable."
        );

        user(&directory, "u").await;
        directory.create_access_key("u", now()).await.unwrap();
        directory.create_access_key("u", now()).await.unwrap();
        assert_eq!(
            directory
                .create_access_key("u", now())
                .await
                .unwrap_err()
                .to_string(),
            "Cannot exceed quota for AccessKeysPerUser: 2"
        );

        let long = |length: usize| statement("Allow", &format!("s3:{}", "a".repeat(length)));
        directory
            .put_inline_policy(Holder::User("u"), "a", &long(1_000))
            .await
            .unwrap();
        assert_eq!(
            directory
                .put_inline_policy(Holder::User("u"), "b", &long(1_000))
                .await
                .unwrap_err()
                .to_string(),
            "Maximum policy size of 2048 bytes exceeded for user u"
        );
        directory
            .put_inline_policy(Holder::User("u"), "a", &long(1_900))
            .await
            .unwrap();

        let trust = LAMBDA_TRUST.replace(
            "lambda.amazonaws.com",
            &format!("{}.amazonaws.com", "a".repeat(2_048)),
        );
        assert_eq!(
            directory.update_trust("r", &trust).await.unwrap_err().to_string(),
            "Cannot exceed quota for ACLSizePerRole: 2048"
        );
    });
}

#[test]
fn tags_are_kept_in_order_and_compared_without_case() {
    block_on(async {
        let directory = directory().await;
        user(&directory, "u").await;
        let tagged = Tagged::User("u");
        directory
            .tag(tagged, &[Tag::new("Team", "a"), Tag::new("Stage", "b")])
            .await
            .unwrap();
        directory.tag(tagged, &[Tag::new("team", "c")]).await.unwrap();
        assert_eq!(
            directory.tags(tagged).unwrap(),
            [Tag::new("team", "c"), Tag::new("Stage", "b")]
        );
        directory
            .untag(tagged, &["STAGE".to_owned(), "none".to_owned()])
            .await
            .unwrap();
        assert_eq!(directory.tags(tagged).unwrap(), [Tag::new("team", "c")]);
        for bad in [
            vec![Tag::new("a", ""), Tag::new("A", "")],
            vec![Tag::new("aws:a", "")],
            vec![Tag::new("AWS:a", "")],
            vec![Tag::new("", "")],
            (0..51).map(|number| Tag::new(number.to_string(), "")).collect(),
        ] {
            assert!(directory.tag(tagged, &bad).await.is_err(), "{bad:?}");
        }
        let fill: Vec<Tag> = (0..50).map(|number| Tag::new(number.to_string(), "")).collect();
        assert!(matches!(
            directory.tag(tagged, &fill).await,
            Err(IdentityError::LimitExceeded(_))
        ));
    });
}

#[test]
fn invalid_input_is_refused() {
    block_on(async {
        let directory = directory().await;
        let new = |name: &str| NewUser {
            name: name.to_owned(),
            ..NewUser::default()
        };
        for name in ["", "a/b", "a b", "*", "../x", "a:b"] {
            assert!(directory.create_user(new(name), now()).await.is_err(), "{name}");
        }
        let reserved = NewRole {
            name: "r".to_owned(),
            path: Some("/aws-service-role/lambda.amazonaws.com/".to_owned()),
            trust: LAMBDA_TRUST.to_owned(),
            ..NewRole::default()
        };
        assert!(matches!(
            directory.create_role(reserved, now()).await,
            Err(IdentityError::InvalidInput(_))
        ));
        for seconds in [0, 3_599, 43_201, i32::MAX, -1] {
            let new = NewRole {
                name: "r".to_owned(),
                trust: LAMBDA_TRUST.to_owned(),
                max_session_duration: Some(seconds),
                ..NewRole::default()
            };
            assert!(directory.create_role(new, now()).await.is_err(), "{seconds}");
        }
        let bounded = NewUser {
            boundary: Some(format!("arn:aws:iam::{ACCOUNT}:policy/none")),
            ..new("u")
        };
        assert_eq!(
            directory
                .create_user(bounded, now())
                .await
                .unwrap_err()
                .to_string(),
            format!("Scope ARN: arn:aws:iam::{ACCOUNT}:policy/none does not exist or is not attachable.")
        );
    });
}

#[test]
fn everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open_store = || Arc::new(EmbeddedStore::open(folder.path(), &Options::default()).unwrap());
    let before = block_on(async {
        let directory = open(open_store()).await;
        let arn = policy(&directory, "P", &statement("Allow", "s3:Get*")).await;
        directory
            .create_policy_version(&arn, &statement("Allow", "s3:Put*"), true, now())
            .await
            .unwrap();
        user(&directory, "u").await;
        directory
            .create_group("g".to_owned(), Some("/x/".to_owned()), now())
            .await
            .unwrap();
        directory.add_user_to_group("g", "u").await.unwrap();
        directory.attach_policy(Holder::Group("g"), &arn).await.unwrap();
        directory
            .put_inline_policy(Holder::User("u"), "i", &statement("Deny", "s3:Delete*"))
            .await
            .unwrap();
        directory
            .set_boundary(Bounded::User("u"), Some(&arn))
            .await
            .unwrap();
        directory
            .tag(Tagged::User("u"), &[Tag::new("k", "v")])
            .await
            .unwrap();
        let key = directory.create_access_key("u", now()).await.unwrap();
        let role = role(&directory, "r", LAMBDA_TRUST).await.unwrap();
        directory.set_account_alias("my-alias").await.unwrap();
        directory.record_use(&key.id, "s3", "us-east-1", now());
        directory.record_use(&role.id, "s3", "eu-west-1", now());
        directory.persist_usage().await.unwrap();
        (arn, key, role, shown(&directory))
    });
    let role_id = before.2.id.clone();
    block_on(async {
        let directory = open(open_store()).await;
        let (arn, key, role, shown_before) = before;
        assert_eq!(shown(&directory), shown_before);
        assert_eq!(directory.policy(&arn).unwrap().default_version_id(), "v2");
        assert_eq!(directory.users_in_group("g").unwrap().len(), 1);
        let resolved = directory.resolve_key(&key.id, None, now()).unwrap();
        assert_eq!(resolved.secret, key.secret);
        assert_eq!(directory.last_used(&key.id).unwrap().region, "us-east-1");
        assert_eq!(directory.last_used(&role.id).unwrap().at, now());
        assert_eq!(directory.account_alias().as_deref(), Some("my-alias"));
        // Deleting takes the record of the last use with it.
        directory.delete_role("r").await.unwrap();
        assert!(directory.last_used(&role.id).is_none());
    });
    block_on(async {
        let directory = open(open_store()).await;
        assert!(directory.roles().is_empty());
        assert!(directory.last_used(&role_id).is_none());
    });
}

/// Everything that is listed, as text.
fn shown(directory: &rolecall_identity::Directory) -> String {
    format!(
        "{:?} {:?} {:?} {:?}",
        directory.users(),
        directory.groups(),
        directory.roles(),
        directory.customer_policies()
    )
}

#[test]
fn a_change_survives_a_caller_that_goes_away() {
    block_on(async {
        let directory = directory().await;
        let creating = {
            let directory = Arc::clone(&directory);
            async move { user(&directory, "u").await }
        };
        // Polled once, which hands the change to the store, and then dropped.
        let mut creating = Box::pin(creating);
        let polled =
            std::future::poll_fn(|context| std::task::Poll::Ready(creating.as_mut().poll(context))).await;
        assert!(polled.is_pending());
        drop(creating);
        for _ in 0..1_000 {
            if directory.user("u").is_ok() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        panic!("the user was committed but is not seen");
    });
}

#[test]
fn other_accounts_in_the_same_store_are_separate() {
    block_on(async {
        let store = Arc::new(EmbeddedStore::in_memory().unwrap());
        let one = open(store.clone()).await;
        user(&one, "u").await;
        let two = rolecall_identity::Directory::open(
            store,
            "210987654321",
            rolecall_identity::DirectoryOptions::default(),
        )
        .await
        .unwrap();
        assert!(two.users().is_empty());
    });
}
