//! Jobs are taken when due, by one taker at a time, and come back.

use std::time::Duration;

use rolecall_store::{CommitError, Condition, EmbeddedStore, Reader, Store, Transaction, UnixMillis};

use crate::{block_on, open};

const VISIBILITY: Duration = Duration::from_secs(30);

fn enqueue(payload: &'static str, due: u64) -> Transaction {
    Transaction::new().enqueue("q", payload, UnixMillis(due))
}

#[test]
fn jobs_are_taken_in_the_order_they_are_due() {
    block_on(async {
        let store = EmbeddedStore::in_memory().unwrap();
        let mut activity = store.queue_activity();
        assert_eq!(store.next_due("q").unwrap(), None);
        for (payload, due) in [
            ("third", 300),
            ("first", 100),
            ("second", 200),
            ("second, too", 200),
        ] {
            store.commit(enqueue(payload, due)).await.unwrap();
        }
        store
            .commit(Transaction::new().enqueue("other", "x", UnixMillis(0)))
            .await
            .unwrap();
        assert!(activity.has_changed().unwrap());
        activity.mark_unchanged();
        assert_eq!(store.next_due("q").unwrap(), Some(UnixMillis(100)));
        assert_eq!(store.take("q", UnixMillis(99), VISIBILITY).await.unwrap(), None);
        let mut taken = Vec::new();
        while let Some(job) = store.take("q", UnixMillis(250), VISIBILITY).await.unwrap() {
            assert_eq!(job.attempts, 1);
            assert!(job.enqueued_at <= UnixMillis::now());
            taken.push(job.payload);
        }
        assert_eq!(taken, ["first", "second", "second, too"]);
        assert_eq!(store.queue_length("q").unwrap(), 4);
    });
}

#[test]
fn a_job_comes_back_when_its_visibility_ends_and_the_old_receipt_is_void() {
    block_on(async {
        let store = EmbeddedStore::in_memory().unwrap();
        store.commit(enqueue("job", 0)).await.unwrap();
        let slow = store
            .take("q", UnixMillis(1_000), VISIBILITY)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            store.take("q", UnixMillis(30_999), VISIBILITY).await.unwrap(),
            None
        );
        let fast = store
            .take("q", UnixMillis(31_000), VISIBILITY)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((fast.receipt.id, fast.attempts), (slow.receipt.id, 2));
        for answer in [
            store.acknowledge(&slow.receipt).await,
            store.retry(&slow.receipt, UnixMillis(0)).await,
        ] {
            assert!(
                matches!(answer, Err(CommitError::ReceiptExpired { .. })),
                "{answer:?}"
            );
        }
        store.acknowledge(&fast.receipt).await.unwrap();
        assert!(store.acknowledge(&fast.receipt).await.is_err());
        assert_eq!(store.queue_length("q").unwrap(), 0);
    });
}

#[test]
fn a_retried_job_waits_and_an_effect_happens_once() {
    block_on(async {
        let store = EmbeddedStore::in_memory().unwrap();
        store.commit(enqueue("job", 0)).await.unwrap();
        let job = store
            .take("q", UnixMillis(10), VISIBILITY)
            .await
            .unwrap()
            .unwrap();
        store.retry(&job.receipt, UnixMillis(5_000)).await.unwrap();
        assert!(
            store.acknowledge(&job.receipt).await.is_err(),
            "given back is no longer held"
        );
        assert_eq!(
            store.take("q", UnixMillis(4_999), VISIBILITY).await.unwrap(),
            None
        );
        let job = store
            .take("q", UnixMillis(5_000), VISIBILITY)
            .await
            .unwrap()
            .unwrap();
        let effect = || {
            Transaction::new()
                .put("b", "effect", "", Condition::Any)
                .acknowledge(&job.receipt)
        };
        store.commit(effect()).await.unwrap();
        let revision = store.get("b", b"effect").unwrap().unwrap().revision;
        assert!(store.commit(effect()).await.is_err());
        assert_eq!(store.get("b", b"effect").unwrap().unwrap().revision, revision);
    });
}

#[test]
fn reopening_gives_taken_jobs_back_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let receipt = block_on(async {
        let store = open(folder.path());
        store
            .commit(enqueue("taken", 0).enqueue("q", "done", UnixMillis(1)))
            .await
            .unwrap();
        store.commit(enqueue("later", 5_000)).await.unwrap();
        let job = store
            .take("q", UnixMillis(1_000), VISIBILITY)
            .await
            .unwrap()
            .unwrap();
        let done = store
            .take("q", UnixMillis(1_000), VISIBILITY)
            .await
            .unwrap()
            .unwrap();
        store.acknowledge(&done.receipt).await.unwrap();
        job.receipt
    });
    block_on(async {
        let store = open(folder.path());
        assert!(
            store.acknowledge(&receipt).await.is_err(),
            "the former process's receipt is void"
        );
        let job = store
            .take("q", UnixMillis(1_000), VISIBILITY)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((&job.payload[..], job.attempts), (&b"taken"[..], 2));
        assert_eq!(
            store.take("q", UnixMillis(1_000), VISIBILITY).await.unwrap(),
            None
        );
        assert_eq!(store.queue_length("q").unwrap(), 2);
    });
}

#[test]
fn a_job_goes_to_one_of_many_takers() {
    block_on(async {
        let store = std::sync::Arc::new(EmbeddedStore::in_memory().unwrap());
        let mut filling = Transaction::new();
        for number in 0..50_u8 {
            filling = filling.enqueue("q", vec![number], UnixMillis(0));
        }
        store.commit(filling).await.unwrap();
        let takers: Vec<_> = (0..8)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut taken = Vec::new();
                    while let Some(job) = store.take("q", UnixMillis(1), VISIBILITY).await.unwrap() {
                        taken.push(job.payload[0]);
                    }
                    taken
                })
            })
            .collect();
        let mut taken = Vec::new();
        for taker in takers {
            taken.extend(taker.await.unwrap());
        }
        taken.sort_unstable();
        assert!(taken.into_iter().eq(0..50));
    });
}
