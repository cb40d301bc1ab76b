//! Temporary credentials.

use std::sync::Arc;

use jiff::Timestamp;
use rolecall_identity::{
    Credentials, Directory, DirectoryOptions, Holder, KeyError, SessionFor, SessionOptions, Tag, Tagged,
};
use rolecall_policy::Principal;
use rolecall_store::{EmbeddedStore, Options};

use crate::{ACCOUNT, LAMBDA_TRUST, block_on, decides, directory, now, open, policy, role, statement, user};

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() + seconds).unwrap()
}

fn hour() -> SessionOptions {
    SessionOptions {
        duration_seconds: 3_600,
        ..SessionOptions::default()
    }
}

fn assume(directory: &Directory, name: &str, options: SessionOptions) -> Credentials {
    let role = directory.role(name).unwrap();
    directory
        .issue_session(
            SessionFor::Role {
                role: &role,
                session_name: "s",
            },
            options,
            now(),
        )
        .unwrap()
}

fn resolve(directory: &Directory, credentials: &Credentials, at: Timestamp) -> Result<Principal, KeyError> {
    let token = Some(credentials.session_token.expose());
    directory
        .resolve_key(&credentials.access_key_id, token, at)
        .map(|key| {
            assert_eq!(key.secret, credentials.secret);
            key.principal
        })
}

#[test]
fn a_session_lives_as_long_as_it_was_given() {
    block_on(async {
        let directory = directory().await;
        let made = role(&directory, "r", LAMBDA_TRUST).await.unwrap();
        let credentials = assume(&directory, "r", hour());
        assert!(credentials.access_key_id.starts_with("ASIA"));
        assert_eq!(credentials.expires_at, later(3_600));
        let principal = resolve(&directory, &credentials, later(3_599)).unwrap();
        assert_eq!(
            principal,
            Principal::RoleSession {
                account: ACCOUNT.to_owned(),
                role_arn: made.arn.clone(),
                role_name: "r".to_owned(),
                role_id: Some(made.id.clone()),
                session_name: "s".to_owned(),
            }
        );
        assert_eq!(
            resolve(&directory, &credentials, later(3_600)),
            Err(KeyError::ExpiredToken)
        );
        assert_eq!(
            directory
                .resolve_key(&credentials.access_key_id, None, now())
                .unwrap_err(),
            KeyError::MissingToken
        );
        let other = assume(&directory, "r", hour());
        assert_eq!(
            directory
                .resolve_key(
                    &credentials.access_key_id,
                    Some(other.session_token.expose()),
                    now()
                )
                .unwrap_err(),
            KeyError::InvalidToken,
            "another session's token"
        );
        let shown = format!("{credentials:?}");
        assert!(
            !shown.contains(credentials.secret.expose())
                && !shown.contains(credentials.session_token.expose())
        );
    });
}

#[test]
fn a_session_survives_a_restart_but_not_its_role() {
    let folder = tempfile::tempdir().unwrap();
    let open_store = || Arc::new(EmbeddedStore::open(folder.path(), &Options::default()).unwrap());
    let credentials = block_on(async {
        let directory = open(open_store()).await;
        role(&directory, "r", LAMBDA_TRUST).await.unwrap();
        assume(&directory, "r", hour())
    });
    block_on(async {
        let directory = open(open_store()).await;
        assert!(resolve(&directory, &credentials, now()).is_ok());
        directory.delete_role("r").await.unwrap();
        assert_eq!(
            resolve(&directory, &credentials, now()),
            Err(KeyError::InvalidToken)
        );
        role(&directory, "r", LAMBDA_TRUST).await.unwrap();
        assert_eq!(
            resolve(&directory, &credentials, now()),
            Err(KeyError::InvalidToken),
            "another role of that name"
        );
    });
}

#[test]
fn tokens_of_another_account_or_server_are_refused() {
    block_on(async {
        let store = Arc::new(EmbeddedStore::in_memory().unwrap());
        let one = open(store.clone()).await;
        role(&one, "r", LAMBDA_TRUST).await.unwrap();
        let credentials = assume(&one, "r", hour());
        let other_account = Directory::open(store, "210987654321", DirectoryOptions::default())
            .await
            .unwrap();
        assert_eq!(
            resolve(&other_account, &credentials, now()),
            Err(KeyError::InvalidToken)
        );
        assert_eq!(
            resolve(&*directory().await, &credentials, now()),
            Err(KeyError::InvalidToken)
        );
    });
}

#[test]
fn session_policies_limit() {
    block_on(async {
        let directory = directory().await;
        role(&directory, "r", LAMBDA_TRUST).await.unwrap();
        directory
            .put_inline_policy(Holder::Role("r"), "all", &statement("Allow", "s3:*"))
            .await
            .unwrap();
        let arn = policy(&directory, "P", &statement("Allow", "s3:Put*")).await;
        let may = |credentials: &Credentials, action: &str| {
            let token = Some(credentials.session_token.expose());
            let key = directory
                .resolve_key(&credentials.access_key_id, token, now())
                .unwrap();
            decides(&directory.policies_for_key(&key), &key.principal, action)
        };
        let plain = assume(&directory, "r", hour());
        assert!(may(&plain, "s3:GetObject") && may(&plain, "s3:PutObject"));
        assert_eq!(plain.packed_policy_size, None);
        let inline = assume(
            &directory,
            "r",
            SessionOptions {
                policy: Some(statement("Allow", "s3:Get*")),
                ..hour()
            },
        );
        assert!(may(&inline, "s3:GetObject") && !may(&inline, "s3:PutObject"));
        assert!(
            inline
                .packed_policy_size
                .is_some_and(|size| (1..=100).contains(&size))
        );
        let managed = assume(
            &directory,
            "r",
            SessionOptions {
                policy_arns: vec![arn.clone()],
                ..hour()
            },
        );
        assert!(!may(&managed, "s3:GetObject") && may(&managed, "s3:PutObject"));
        directory.delete_policy(&arn).await.unwrap();
        assert!(
            !may(&managed, "s3:PutObject"),
            "a session policy that is gone allows nothing"
        );

        let role = directory.role("r").unwrap();
        let session = SessionFor::Role {
            role: &role,
            session_name: "s",
        };
        for options in [
            SessionOptions {
                policy: Some("{".to_owned()),
                ..hour()
            },
            SessionOptions {
                policy: Some(r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned()),
                ..hour()
            },
            SessionOptions {
                policy_arns: vec![arn.clone()],
                ..hour()
            },
            SessionOptions {
                policy_arns: vec![arn; 11],
                ..hour()
            },
        ] {
            assert!(directory.issue_session(session, options, now()).is_err());
        }
    });
}

#[test]
fn tags_of_the_session_lie_over_those_of_the_role() {
    block_on(async {
        let directory = directory().await;
        role(&directory, "r", LAMBDA_TRUST).await.unwrap();
        directory
            .tag(
                Tagged::Role("r"),
                &[Tag::new("Team", "role"), Tag::new("stage", "dev")],
            )
            .await
            .unwrap();
        let options = SessionOptions {
            tags: vec![Tag::new("team", "session")],
            transitive_tag_keys: vec!["team".to_owned()],
            source_identity: Some("alice".to_owned()),
            multi_factor: true,
            ..hour()
        };
        let credentials = assume(&directory, "r", options);
        let token = Some(credentials.session_token.expose());
        let key = directory
            .resolve_key(&credentials.access_key_id, token, now())
            .unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(key.tags, [pair("team", "session"), pair("stage", "dev")]);
        let session = key.session.unwrap();
        assert_eq!(session.transitive_tag_keys, ["team"]);
        assert_eq!(session.source_identity.as_deref(), Some("alice"));
        assert!(session.multi_factor);
        assert_eq!(session.issued_at, now());
    });
}

#[test]
fn sessions_of_users_and_root() {
    block_on(async {
        let directory = directory().await;
        let alice = user(&directory, "alice").await;
        let credentials = directory
            .issue_session(SessionFor::User("alice"), hour(), now())
            .unwrap();
        assert_eq!(
            resolve(&directory, &credentials, now()).unwrap(),
            crate::principal(&alice)
        );
        directory.delete_user("alice").await.unwrap();
        assert_eq!(
            resolve(&directory, &credentials, now()),
            Err(KeyError::InvalidToken)
        );
        let root = directory.issue_session(SessionFor::Root, hour(), now()).unwrap();
        assert_eq!(
            resolve(&directory, &root, now()).unwrap(),
            Principal::Root {
                account: ACCOUNT.to_owned()
            }
        );
        assert!(
            directory
                .issue_session(SessionFor::User("alice"), hour(), now())
                .is_err()
        );
    });
}
