//! Who gets which policies, and that what is kept in memory is never stale.

use std::sync::Arc;

use proptest::prelude::*;
use rolecall_identity::{Bounded, Directory, Holder};
use rolecall_policy::Principal;
use rolecall_store::EmbeddedStore;

use crate::{
    ACCOUNT, LAMBDA_TRUST, allows, block_on, directory, now, open, policy, principal, role, statement, user,
};

#[test]
fn inline_attached_group_and_boundary() {
    block_on(async {
        let directory = directory().await;
        let alice = principal(&*user(&directory, "alice").await);
        directory.create_group("g".to_owned(), None, now()).await.unwrap();
        directory
            .put_inline_policy(Holder::User("alice"), "i", &statement("Allow", "s3:Get*"))
            .await
            .unwrap();
        let put = policy(&directory, "put", &statement("Allow", "s3:Put*")).await;
        directory
            .attach_policy(Holder::User("alice"), &put)
            .await
            .unwrap();
        directory
            .put_inline_policy(Holder::Group("g"), "d", &statement("Allow", "s3:Delete*"))
            .await
            .unwrap();
        let may = |action: &str| allows(&directory, &alice, action);
        assert!(may("s3:GetObject") && may("s3:PutObject") && !may("s3:DeleteObject"));
        directory.add_user_to_group("g", "alice").await.unwrap();
        assert!(may("s3:DeleteObject"));
        directory
            .set_boundary(Bounded::User("alice"), Some(&put))
            .await
            .unwrap();
        assert!(!may("s3:GetObject") && may("s3:PutObject") && !may("s3:DeleteObject"));
        assert_eq!(directory.policies_for(&alice).unwrap().identity().len(), 3);
    });
}

#[test]
fn unknown_principals_get_nothing() {
    block_on(async {
        let directory = directory().await;
        let alice = user(&directory, "alice").await;
        directory.delete_user("alice").await.unwrap();
        let again = user(&directory, "alice").await;
        directory
            .put_inline_policy(Holder::User("alice"), "i", &statement("Allow", "s3:*"))
            .await
            .unwrap();
        assert!(allows(&directory, &principal(&again), "s3:GetObject"));
        assert!(
            directory.policies_for(&principal(&alice)).is_none(),
            "made again is another user"
        );
        let elsewhere = Principal::User {
            account: "210987654321".to_owned(),
            arn: "arn:aws:iam::210987654321:user/alice".to_owned(),
            name: "alice".to_owned(),
            id: None,
        };
        assert!(directory.policies_for(&elsewhere).is_none());
        let root = Principal::Root {
            account: "210987654321".to_owned(),
        };
        assert!(directory.policies_for(&root).is_none());
        for nobody in [
            Principal::Anonymous,
            Principal::Service {
                name: "lambda.amazonaws.com".to_owned(),
            },
        ] {
            assert!(!allows(&directory, &nobody, "s3:GetObject"));
        }
    });
}

#[test]
fn a_principal_that_is_gone_is_denied_explicitly() {
    block_on(async {
        let directory = directory().await;
        user(&directory, "alice").await;
        let key = directory.create_access_key("alice", now()).await.unwrap();
        let resolved = directory.resolve_key(&key.id, None, now()).unwrap();
        directory.delete_access_key("alice", &key.id).await.unwrap();
        directory.delete_user("alice").await.unwrap();
        let policies = directory.policies_for_key(&resolved);
        assert_eq!(policies.identity().len(), 1);
        assert!(!crate::decides(&policies, &resolved.principal, "s3:GetObject"));
    });
}

#[test]
fn hundreds_of_policies_are_compiled_once() {
    block_on(async {
        let directory = directory().await;
        for number in 0..300 {
            policy(
                &directory,
                &format!("p{number}"),
                &statement("Allow", &format!("s3:Get{number}")),
            )
            .await;
        }
        let mut users = Vec::new();
        for number in 0..30 {
            let name = format!("u{number}");
            users.push(principal(&*user(&directory, &name).await));
            for offset in 0..10 {
                let arn = format!("arn:aws:iam::{ACCOUNT}:policy/p{}", (number * 10 + offset) % 300);
                directory.attach_policy(Holder::User(&name), &arn).await.unwrap();
            }
        }
        let first: Vec<_> = users
            .iter()
            .map(|user| directory.policies_for(user).unwrap())
            .collect();
        let second: Vec<_> = users
            .iter()
            .map(|user| directory.policies_for(user).unwrap())
            .collect();
        for (one, other) in first.iter().zip(&second) {
            assert!(Arc::ptr_eq(one, other), "gathered once");
        }
        assert!(allows(&directory, &users[3], "s3:Get35") && !allows(&directory, &users[3], "s3:Get40"));
        // A change elsewhere gathers anew, but does not compile anew.
        user(&directory, "another").await;
        let third = directory.policies_for(&users[0]).unwrap();
        assert!(!Arc::ptr_eq(&first[0], &third));
        for (one, other) in first[0].identity().iter().zip(third.identity()) {
            assert!(Arc::ptr_eq(one, other), "compiled once");
        }
    });
}

/// One random change.
#[derive(Debug, Clone)]
enum Change {
    Attach(bool, usize),
    Detach(bool, usize),
    PutInline(bool, usize, usize),
    DeleteInline(bool, usize),
    Join,
    Leave,
    PutGroupInline(usize),
    Boundary(bool, Option<usize>),
    NewVersion(usize, usize),
}

const ACTIONS: [&str; 6] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:ListBucket",
    "s3:GetBucketPolicy",
    "sqs:SendMessage",
];
const PATTERNS: [(&str, &str); 6] = [
    ("Allow", "s3:*"),
    ("Allow", "s3:Get*"),
    ("Deny", "s3:Put*"),
    ("Allow", "s3:DeleteObject"),
    ("Deny", "*"),
    ("Allow", "sqs:SendMessage"),
];

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<bool>(), 0..3_usize).prop_map(|(user, policy)| Change::Attach(user, policy)),
        (any::<bool>(), 0..3_usize).prop_map(|(user, policy)| Change::Detach(user, policy)),
        (any::<bool>(), 0..2_usize, 0..PATTERNS.len())
            .prop_map(|(user, name, text)| Change::PutInline(user, name, text)),
        (any::<bool>(), 0..2_usize).prop_map(|(user, name)| Change::DeleteInline(user, name)),
        Just(Change::Join),
        Just(Change::Leave),
        (0..PATTERNS.len()).prop_map(Change::PutGroupInline),
        (any::<bool>(), proptest::option::of(0..3_usize))
            .prop_map(|(user, policy)| Change::Boundary(user, policy)),
        (0..3_usize, 0..PATTERNS.len()).prop_map(|(policy, text)| Change::NewVersion(policy, text)),
    ]
}

fn holder(user: bool) -> Holder<'static> {
    if user {
        Holder::User("u")
    } else {
        Holder::Role("r")
    }
}

fn text(pattern: usize) -> String {
    let (effect, action) = PATTERNS[pattern];
    statement(effect, action)
}

fn arn(policy: usize) -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy/p{policy}")
}

/// Makes a change; one that IAM refuses changes nothing, which is fine here.
async fn apply(directory: &Directory, change: &Change) {
    let _ = match change {
        Change::Attach(user, policy) => directory.attach_policy(holder(*user), &arn(*policy)).await,
        Change::Detach(user, policy) => directory.detach_policy(holder(*user), &arn(*policy)).await,
        Change::PutInline(user, name, pattern) => {
            directory
                .put_inline_policy(holder(*user), &format!("i{name}"), &text(*pattern))
                .await
        }
        Change::DeleteInline(user, name) => {
            directory
                .delete_inline_policy(holder(*user), &format!("i{name}"))
                .await
        }
        Change::Join => directory.add_user_to_group("g", "u").await,
        Change::Leave => directory.remove_user_from_group("g", "u").await,
        Change::PutGroupInline(pattern) => {
            directory
                .put_inline_policy(Holder::Group("g"), "i", &text(*pattern))
                .await
        }
        Change::Boundary(user, policy) => {
            let bounded = if *user {
                Bounded::User("u")
            } else {
                Bounded::Role("r")
            };
            directory.set_boundary(bounded, policy.map(arn).as_deref()).await
        }
        Change::NewVersion(policy, pattern) => {
            let made = directory
                .create_policy_version(&arn(*policy), &text(*pattern), true, now())
                .await;
            if made.is_err() {
                let oldest = directory.policy_versions(&arn(*policy)).unwrap().pop().unwrap();
                let _ = directory
                    .delete_policy_version(&arn(*policy), &oldest.version_id)
                    .await;
            }
            Ok(())
        }
    };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// After any changes the kept view decides as one that is loaded from the store and compiled afresh.
    #[test]
    fn the_kept_view_equals_a_fresh_one(changes in proptest::collection::vec(change(), 1..25)) {
        block_on(async {
            let store = Arc::new(EmbeddedStore::in_memory().unwrap());
            let kept = open(store.clone()).await;
            let user = principal(&*user(&kept, "u").await);
            let made = role(&kept, "r", LAMBDA_TRUST).await.unwrap();
            let session = Principal::RoleSession {
                account: ACCOUNT.to_owned(),
                role_arn: made.arn.clone(),
                role_name: made.name.clone(),
                role_id: Some(made.id.clone()),
                session_name: "s".to_owned(),
            };
            kept.create_group("g".to_owned(), None, now()).await.unwrap();
            for number in 0..3 {
                policy(&kept, &format!("p{number}"), &text(number)).await;
            }
            for change in &changes {
                apply(&kept, change).await;
                // Asking after every change fills what is kept.
                let _ = (allows(&kept, &user, ACTIONS[0]), allows(&kept, &session, ACTIONS[0]));
            }
            let fresh = open(store).await;
            for action in ACTIONS {
                for who in [&user, &session] {
                    assert_eq!(allows(&kept, who, action), allows(&fresh, who, action), "{action} after {changes:?}");
                }
            }
        });
    }
}
