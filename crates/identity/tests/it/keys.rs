//! Long-term keys.

use rolecall_identity::KeyError;
use rolecall_policy::Principal;

use crate::{ACCOUNT, block_on, directory, now, root_credentials, user};

#[test]
fn keys_are_found_until_they_are_switched_off_or_deleted() {
    block_on(async {
        let directory = directory().await;
        let alice = user(&directory, "alice").await;
        user(&directory, "bob").await;
        let key = directory.create_access_key("alice", now()).await.unwrap();
        let found = directory.resolve_key(&key.id, None, now()).unwrap();
        assert_eq!(found.principal, crate::principal(&alice));
        assert_eq!(found.usage_id.as_deref(), Some(key.id.as_str()));
        assert!(!format!("{found:?}").contains(key.secret.expose()));
        assert!(!format!("{key:?}").contains(key.secret.expose()));
        assert_eq!(
            directory.resolve_key(&key.id, Some("x"), now()).unwrap_err(),
            KeyError::InvalidToken
        );
        assert_eq!(
            directory.resolve_key("AKIANONE", None, now()).unwrap_err(),
            KeyError::UnknownKey
        );

        assert!(
            directory
                .set_access_key_active("bob", &key.id, false)
                .await
                .is_err(),
            "another user's key"
        );
        directory
            .set_access_key_active("alice", &key.id, false)
            .await
            .unwrap();
        assert_eq!(
            directory.resolve_key(&key.id, None, now()).unwrap_err(),
            KeyError::InactiveKey
        );
        directory
            .set_access_key_active("alice", &key.id, true)
            .await
            .unwrap();
        assert!(
            directory.delete_access_key("bob", &key.id).await.is_err(),
            "another user's key"
        );
        directory.delete_access_key("alice", &key.id).await.unwrap();
        assert_eq!(
            directory.resolve_key(&key.id, None, now()).unwrap_err(),
            KeyError::UnknownKey
        );
    });
}

#[test]
fn the_root_user_has_the_key_it_was_given() {
    block_on(async {
        let directory = directory().await;
        let root = root_credentials();
        let found = directory.resolve_key(&root.access_key_id, None, now()).unwrap();
        assert_eq!(
            found.principal,
            Principal::Root {
                account: ACCOUNT.to_owned()
            }
        );
        assert_eq!(found.secret, root.secret);
        assert!(crate::allows(&directory, &found.principal, "s3:GetObject"));
    });
}
