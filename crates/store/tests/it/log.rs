//! The write-ahead log: what was answered is there whenever the process ends, before or after a checkpoint.
//!
//! A copy of the folder of an open store is what a crash at this moment leaves behind.

use std::fs;
use std::path::Path;

use rolecall_store::{Condition, Reader, ScanRange, Store, Transaction};

use crate::{block_on, open};

fn copy(from: &Path, to: &Path) {
    for name in ["state.redb", "log"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

fn put(store: &dyn Store, key: &str, value: Vec<u8>) {
    block_on(store.commit(Transaction::new().put("items", key, value, Condition::Any))).unwrap();
}

fn keys(store: &dyn Store) -> usize {
    store.scan("items", &ScanRange::all(), usize::MAX).unwrap().len()
}

#[test]
fn a_crash_before_a_checkpoint_loses_nothing() {
    let (folder, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(folder.path());
    for number in 0..50 {
        put(&store, &format!("{number:03}"), vec![b'x'; number]);
    }
    block_on(store.commit(Transaction::new().delete("items", "007", Condition::Present))).unwrap();
    assert!(
        fs::metadata(folder.path().join("log")).unwrap().len() > 0,
        "nothing is in the log"
    );
    copy(folder.path(), crashed.path());
    let revived = open(crashed.path());
    assert_eq!((keys(&revived), revived.revision()), (49, store.revision()));
    // And again, after going on.
    put(&revived, "more", Vec::new());
    let again = tempfile::tempdir().unwrap();
    copy(crashed.path(), again.path());
    assert_eq!(keys(&open(again.path())), 50);
}

#[test]
fn a_log_the_database_is_ahead_of_changes_nothing() {
    let (folder, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(folder.path());
    put(&store, "key", b"old".to_vec());
    fs::copy(folder.path().join("log"), crashed.path().join("log")).unwrap();
    put(&store, "key", b"new".to_vec());
    drop(store);
    assert_eq!(
        fs::metadata(folder.path().join("log")).unwrap().len(),
        0,
        "closing makes no checkpoint"
    );
    fs::copy(
        folder.path().join("state.redb"),
        crashed.path().join("state.redb"),
    )
    .unwrap();
    let revived = open(crashed.path());
    assert_eq!(&revived.get("items", b"key").unwrap().unwrap().value[..], b"new");
}

#[test]
fn checkpoints_keep_the_log_small_and_everything_there() {
    let (folder, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(folder.path());
    for number in 0..40 {
        put(&store, &format!("{number:03}"), vec![b'x'; 512 * 1024]);
        assert!(fs::metadata(folder.path().join("log")).unwrap().len() < 6 * 1024 * 1024);
        if number % 9 == 0 {
            copy(folder.path(), crashed.path());
            assert_eq!(keys(&open(crashed.path())), number + 1);
        }
    }
}
