//! Conditions, atomicity, scans, snapshots and watches.

use rolecall_store::{
    CommitError, Condition, EmbeddedStore, Reader, ScanRange, Store, StoreError, Transaction, WatchEvent,
    limits,
};

use crate::{block_on, open};

fn put(key: &str, condition: Condition) -> Transaction {
    Transaction::new().put("b", key, "value", condition)
}

#[test]
fn every_condition_is_kept() {
    block_on(async {
        let store = EmbeddedStore::in_memory().unwrap();
        let first = store.commit(put("there", Condition::Any)).await.unwrap();
        for (key, condition, holds) in [
            ("new-1", Condition::Any, true),
            ("new-2", Condition::Absent, true),
            ("new-3", Condition::Present, false),
            ("new-4", Condition::Revision(first), false),
            ("there", Condition::Absent, false),
            ("there", Condition::Revision(first + 1), false),
            ("there", Condition::Present, true),
            // The line above wrote it anew.
            ("there", Condition::Revision(first), false),
        ] {
            let before = store.get("b", key.as_bytes()).unwrap();
            let answer = store.commit(put(key, condition)).await;
            assert_eq!(answer.is_ok(), holds, "{key} {condition:?}");
            match answer {
                Ok(revision) => {
                    assert_eq!(
                        store.get("b", key.as_bytes()).unwrap().unwrap().revision,
                        revision
                    );
                }
                Err(CommitError::Conflict {
                    bucket,
                    key: named,
                    found,
                }) => {
                    assert_eq!((bucket.as_str(), named.as_slice()), ("b", key.as_bytes()));
                    assert_eq!(found, before.as_ref().map(|entry| entry.revision));
                    assert_eq!(store.get("b", key.as_bytes()).unwrap(), before);
                }
                Err(other) => panic!("{other}"),
            }
        }
        let revision = store.get("b", b"there").unwrap().unwrap().revision;
        let deletion = |condition| Transaction::new().delete("b", "there", condition);
        store
            .commit(deletion(Condition::Revision(revision + 1)))
            .await
            .unwrap_err();
        store
            .commit(deletion(Condition::Revision(revision)))
            .await
            .unwrap();
        assert_eq!(store.get("b", b"there").unwrap(), None);
        store.commit(deletion(Condition::Present)).await.unwrap_err();
        store.commit(deletion(Condition::Any)).await.unwrap();
    });
}

#[test]
fn one_failed_condition_refuses_the_whole_transaction_and_no_other() {
    block_on(async {
        let store = EmbeddedStore::in_memory().unwrap();
        store.commit(put("a", Condition::Any)).await.unwrap();
        let journal = rolecall_store::Journal::transactional("events");
        let refused = Transaction::new()
            .put("b", "c", "1", Condition::Any)
            .delete_prefix("b", "a")
            .append(journal, "event")
            .enqueue("q", "job", rolecall_store::UnixMillis(0))
            .put("b", "a", "2", Condition::Absent);
        let (refused, accepted) =
            tokio::join!(store.commit(refused), store.commit(put("d", Condition::Absent)));
        assert!(
            matches!(refused, Err(CommitError::Conflict { .. })),
            "{refused:?}"
        );
        accepted.unwrap();
        let keys: Vec<_> = store
            .scan("b", &ScanRange::all(), 9)
            .unwrap()
            .into_iter()
            .map(|entry| entry.key)
            .collect();
        assert_eq!(keys, ["a", "d"]);
        assert!(store.read_from(journal, 0, 9).unwrap().is_empty());
        assert_eq!(store.queue_length("q").unwrap(), 0);
    });
}

#[test]
fn conditions_see_the_state_before_the_transaction() {
    block_on(async {
        let store = EmbeddedStore::in_memory().unwrap();
        let both = Transaction::new()
            .put("b", "k", "1", Condition::Absent)
            .put("b", "k", "2", Condition::Absent)
            .require_empty("b", "");
        store.commit(both).await.unwrap();
        assert_eq!(store.get("b", b"k").unwrap().unwrap().value, "2");
        for (prefix, is_empty) in [("", false), ("k", false), ("kk", true), ("a", true)] {
            let demand = Transaction::new().require_empty("b", prefix);
            assert_eq!(store.commit(demand).await.is_ok(), is_empty, "{prefix:?}");
        }
        let revision = store.revision();
        store
            .commit(Transaction::new().require("b", "k", Condition::Present))
            .await
            .unwrap();
        store.commit(Transaction::new()).await.unwrap();
        assert_eq!(store.revision(), revision, "demands alone are no revision");
    });
}

#[test]
fn scans_keep_their_bounds() {
    block_on(async {
        let store = EmbeddedStore::in_memory().unwrap();
        let mut filling =
            Transaction::new()
                .put("a", "x", "", Condition::Any)
                .put("bb", "x", "", Condition::Any);
        for key in ["a", "a/1", "a/2", "a/3", "a0", "b", "\u{7f}"] {
            filling = filling.put("b", key, "", Condition::Any);
        }
        store
            .commit(filling.put("b", b"\xff\xff".to_vec(), "", Condition::Any))
            .await
            .unwrap();
        let everything: &[&[u8]] = &[b"a", b"a/1", b"a/2", b"a/3", b"a0", b"b", b"\x7f", b"\xff\xff"];
        let cases: Vec<(ScanRange, usize, &[&[u8]])> = vec![
            (ScanRange::all(), 99, everything),
            (ScanRange::all(), 2, &[b"a", b"a/1"]),
            (ScanRange::all(), 0, &[]),
            (ScanRange::all().reversed(), 2, &[b"\xff\xff", b"\x7f"]),
            (ScanRange::prefix("a/"), 99, &[b"a/1", b"a/2", b"a/3"]),
            (ScanRange::prefix("a/").reversed(), 2, &[b"a/3", b"a/2"]),
            (ScanRange::prefix("a/").after("a/1"), 99, &[b"a/2", b"a/3"]),
            (ScanRange::prefix("a/").from("a/2"), 99, &[b"a/2", b"a/3"]),
            (ScanRange::prefix("a/").through("a/2"), 99, &[b"a/1", b"a/2"]),
            (ScanRange::prefix("a/").before("a/2").reversed(), 99, &[b"a/1"]),
            (
                ScanRange::prefix("a/").after("0").before("z"),
                99,
                &[b"a/1", b"a/2", b"a/3"],
            ),
            (ScanRange::prefix("a/").after("a0"), 99, &[]),
            (ScanRange::prefix("a/").before("a"), 99, &[]),
            (ScanRange::all().from("b").through("b"), 99, &[b"b"]),
            (ScanRange::all().after("b").before("b"), 99, &[]),
            (ScanRange::all().from("c").before("b"), 99, &[]),
            (ScanRange::prefix(b"\xff".to_vec()), 99, &[b"\xff\xff"]),
        ];
        for (range, limit, expected) in cases {
            let found = store.scan("b", &range, limit).unwrap();
            let keys: Vec<_> = found.iter().map(|entry| &entry.key[..]).collect();
            assert_eq!(keys, expected, "{range:?} limit {limit}");
        }
    });
}

#[test]
fn snapshots_do_not_change() {
    block_on(async {
        let store = EmbeddedStore::in_memory().unwrap();
        store.commit(put("a", Condition::Any)).await.unwrap();
        let snapshot = store.snapshot();
        store
            .commit(
                Transaction::new()
                    .delete_prefix("b", "")
                    .put("b", "c", "", Condition::Any),
            )
            .await
            .unwrap();
        assert!(snapshot.get("b", b"a").unwrap().is_some());
        assert!(snapshot.get("b", b"c").unwrap().is_none());
        assert_eq!(snapshot.revision() + 1, store.revision());
        assert!(store.get("b", b"a").unwrap().is_none());
        drop(store);
        // What is still in memory may be answered, anything else is refused; it must not fail in another way.
        match snapshot.get("b", b"a") {
            Ok(entry) => assert!(entry.is_some()),
            Err(error) => assert!(matches!(error, StoreError::Closed), "{error}"),
        }
    });
}

#[test]
fn watchers_hear_every_change_of_their_bucket_before_the_answer() {
    block_on(async {
        let store = EmbeddedStore::in_memory().unwrap();
        let mut watch = store.watch("b");
        let first = store.commit(put("a", Condition::Any)).await.unwrap();
        store
            .commit(Transaction::new().put("other", "x", "", Condition::Any))
            .await
            .unwrap();
        store.commit(put("a", Condition::Absent)).await.unwrap_err();
        let second = store
            .commit(
                Transaction::new()
                    .delete_prefix("b", "a")
                    .delete("b", "never-there", Condition::Any),
            )
            .await
            .unwrap();
        for (revision, deleted) in [(first, false), (second, true)] {
            let Some(WatchEvent::Changed(change)) = watch.try_next() else {
                panic!("no change")
            };
            assert_eq!(
                (&change.key[..], change.revision, change.deleted),
                (&b"a"[..], revision, deleted)
            );
        }
        assert_eq!(watch.try_next(), None);
        for _ in 0..2_000 {
            store.commit(put("a", Condition::Any)).await.unwrap();
        }
        assert_eq!(
            watch.next().await,
            Some(WatchEvent::Reload),
            "a receiver that lags must reload"
        );
        drop(store);
        while let Some(event) = watch.next().await {
            assert!(matches!(event, WatchEvent::Changed(_)));
        }
    });
}

#[test]
fn too_large_or_badly_named_is_refused_and_nothing_written() {
    block_on(async {
        let store = EmbeddedStore::in_memory().unwrap();
        let good = || put("good", Condition::Any);
        for bad in [
            good().put("b", vec![0; limits::MAX_KEY + 1], "", Condition::Any),
            good().put("b", "k", vec![0; limits::MAX_VALUE + 1], Condition::Any),
            good().put("", "k", "", Condition::Any),
            good().delete("a\0b", "k", Condition::Any),
            good().enqueue("", "", rolecall_store::UnixMillis(0)),
        ] {
            assert!(matches!(store.commit(bad).await, Err(CommitError::Store(_))));
        }
        assert_eq!(store.revision(), 0);
        assert!(store.get("", b"k").is_err());
        let largest = Transaction::new().put("b", vec![7; limits::MAX_KEY], "", Condition::Any);
        store.commit(largest).await.unwrap();
    });
}

#[test]
fn what_was_answered_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let revision = block_on(open(folder.path()).commit(put("a", Condition::Any))).unwrap();
    let store = open(folder.path());
    assert_eq!(store.revision(), revision);
    let entry = store.get("b", b"a").unwrap().unwrap();
    assert_eq!((&entry.value[..], entry.revision), (&b"value"[..], revision));
    assert_eq!(
        block_on(store.commit(put("a", Condition::Revision(revision)))).unwrap(),
        revision + 1
    );
}
