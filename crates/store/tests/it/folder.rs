//! The data folder: private, held by one process, never guessed at.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rolecall_store::{Condition, EmbeddedStore, Options, Store, StoreError, Transaction};

use crate::{block_on, open};

#[test]
fn a_second_opener_is_told_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let error = EmbeddedStore::open(folder.path(), &Options::default()).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, StoreError::InUse { .. }), "{text}");
    assert!(
        text.contains(folder.path().to_str().unwrap()) && text.contains("--data"),
        "{text}"
    );
    assert!(
        text.contains(&format!("process {}", std::process::id())),
        "{text}"
    );
    drop(store);
    open(folder.path());
}

#[test]
fn others_cannot_read_it() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    let store = open(&folder);
    store
        .append_relaxed(rolecall_store::Journal::relaxed("data"), "event".into())
        .unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("state.redb")), 0o600);
    assert_eq!(mode(&folder.join("journals")), 0o700);
    let segment = fs::read_dir(folder.join("journals").join("data"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(mode(&segment.path()), 0o600);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.redb");
    fs::write(
        &path,
        b"somebody's notes, long enough to be looked at".repeat(100),
    )
    .unwrap();
    let before = fs::read(&path).unwrap();
    EmbeddedStore::open(folder.path(), &Options::default()).unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_closed_store_ends_its_watchers_and_frees_the_folder_despite_snapshots() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(store.commit(Transaction::new().put("b", "k", "", Condition::Any))).unwrap();
    let (snapshot, mut watch) = (store.snapshot(), store.watch("b"));
    drop(store);
    assert_eq!(block_on(watch.next()), None);
    open(folder.path());
    drop(snapshot);
}
