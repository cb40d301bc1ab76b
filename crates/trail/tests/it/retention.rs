//! Recording, reading in both directions, and forgetting.

use std::sync::Arc;

use rolecall_store::{EmbeddedStore, Options};
use rolecall_trail::{Pruned, Recorder};

use crate::support::{block_on, days_ago, event, now, record, recorder};

fn names(recorder: &Recorder) -> Vec<String> {
    recorder
        .read_from(0, 100_000)
        .unwrap()
        .into_iter()
        .map(|(_, record)| record.event.event_name)
        .collect()
}

#[test]
fn records_are_read_as_they_were_written() {
    block_on(async {
        let recorder = recorder();
        for name in ["First", "Second", "Third"] {
            record(&recorder, event(now(), name)).await;
        }
        let forward = recorder.read_from(0, 10).unwrap();
        assert_eq!(names(&recorder), ["First", "Second", "Third"]);
        assert_eq!(forward[1].1.event, event(now(), "Second"));
        assert_eq!(forward[1].1.accesses.len(), 1);
        let mut backward = recorder.read_reverse(u64::MAX, 10).unwrap();
        backward.reverse();
        assert_eq!(forward, backward);
        assert_eq!(recorder.read_from(forward[2].0, 10).unwrap(), forward[2..]);
        assert_eq!(recorder.read_reverse(forward[1].0, 10).unwrap(), forward[..1]);
    });
}

async fn pruned(recorder: &Recorder) {
    // Every step that leaves something goes on; the number of steps is bounded by the number of records.
    for _ in 0..1000 {
        if recorder.prune(now()).await.unwrap() == Pruned::Everything {
            return;
        }
    }
    unreachable!("pruning does not end");
}

#[test]
fn nothing_that_can_be_looked_up_is_forgotten() {
    block_on(async {
        let recorder = recorder();
        pruned(&recorder).await;
        for (days, name) in [(200, "Ancient"), (92, "Old"), (90, "Kept"), (0, "Now")] {
            record(&recorder, event(days_ago(days), name)).await;
        }
        // Times need not be in order: what comes after a young event stays.
        record(&recorder, event(days_ago(92), "Late")).await;
        pruned(&recorder).await;
        let left = names(&recorder);
        assert!(
            left.ends_with(&["Kept".to_owned(), "Now".to_owned(), "Late".to_owned()]),
            "{left:?}"
        );
        pruned(&recorder).await;
        record(&recorder, event(now(), "Afterwards")).await;
        assert_eq!(names(&recorder).last().unwrap(), "Afterwards");
    });
}

/// A folder's journal frees space in whole segments; what is old goes, so the trail does not grow for ever.
#[test]
fn old_events_leave_the_disk() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(EmbeddedStore::open(folder.path(), &Options::default()).unwrap());
        let recorder = Recorder::new(store);
        let long = "x".repeat(90 * 1024);
        for number in 0..600 {
            let mut old = event(days_ago(100), &format!("Old{number}"));
            old.request_parameters = Some(serde_json::json!({"k": long}));
            let record = rolecall_trail::Record {
                event: old,
                accesses: Vec::new(),
            };
            recorder
                .record(&record, rolecall_trail::Durability::Soon)
                .await
                .unwrap();
        }
        record(&recorder, event(now(), "Now")).await;
        assert_eq!(names(&recorder).len(), 601);
        pruned(&recorder).await;
        let left = names(&recorder);
        assert_eq!(left.last().unwrap(), "Now");
        assert!(left.len() < 400, "{} are left", left.len());
    });
}
