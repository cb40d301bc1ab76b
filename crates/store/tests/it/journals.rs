//! Both kinds of journals, their ends and their torn tails.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rolecall_store::{
    Condition, EmbeddedStore, Journal, JournalRecord, Position, Reader, Store, StoreError, Transaction,
};

use crate::{block_on, open};

const EVENTS: Journal<'_> = Journal::transactional("events");
const DATA: Journal<'_> = Journal::relaxed("data");

fn payloads(records: &[JournalRecord]) -> Vec<&[u8]> {
    records.iter().map(|record| &record.payload[..]).collect()
}

fn append_relaxed(store: &dyn Store, payload: &'static [u8]) -> Position {
    store.append_relaxed(DATA, Bytes::from_static(payload)).unwrap()
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let folder = folder.join("journals").join("data");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|item| item.unwrap().path())
        .collect();
    paths.sort();
    paths
}

/// The same reads give the same answers from either kind of journal, in memory and in files.
#[test]
fn reads_page_in_both_directions() {
    let folder = tempfile::tempdir().unwrap();
    let stores = [EmbeddedStore::in_memory().unwrap(), open(folder.path())];
    for (store, journal) in stores.iter().flat_map(|store| [(store, EVENTS), (store, DATA)]) {
        assert!(store.read_from(journal, 0, 9).unwrap().is_empty());
        assert!(store.read_reverse(journal, Position::MAX, 9).unwrap().is_empty());
        for number in 0..10_u8 {
            if journal == EVENTS {
                block_on(store.commit(Transaction::new().append(journal, vec![number]))).unwrap();
            } else {
                store.append_relaxed(journal, vec![number].into()).unwrap();
            }
        }
        let (mut forwards, mut position) = (Vec::new(), 0);
        loop {
            let page = store.read_from(journal, position, 3).unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= 3);
            position = last.position + 1;
            forwards.extend(page);
        }
        assert!(forwards.iter().map(|record| record.payload[0]).eq(0..10));
        assert!(forwards.is_sorted_by(|a, b| a.position < b.position));
        let (mut backwards, mut before) = (Vec::new(), Position::MAX);
        loop {
            let page = store.read_reverse(journal, before, 3).unwrap();
            let Some(last) = page.last() else { break };
            before = last.position;
            backwards.extend(page);
        }
        backwards.reverse();
        assert_eq!(backwards, forwards);
        assert!(store.read_from(journal, 0, 0).unwrap().is_empty());
        assert!(store.read_reverse(journal, 0, 9).unwrap().is_empty());
    }
}

#[test]
fn a_journal_has_one_durability() {
    let store = EmbeddedStore::in_memory().unwrap();
    let error = store.append_relaxed(EVENTS, Bytes::new()).unwrap_err();
    assert!(matches!(error, StoreError::WrongDurability(_)));
    block_on(store.commit(Transaction::new().append(DATA, ""))).unwrap_err();
}

#[test]
fn truncation_keeps_positions_growing() {
    let folder = tempfile::tempdir().unwrap();
    let append =
        |store: &EmbeddedStore| block_on(store.commit(Transaction::new().append(EVENTS, "e"))).unwrap();
    {
        let store = open(folder.path());
        for _ in 0..5 {
            append(&store);
        }
        block_on(store.truncate_before(EVENTS, 3)).unwrap();
        let positions: Vec<_> = store
            .read_from(EVENTS, 0, 9)
            .unwrap()
            .iter()
            .map(|record| record.position)
            .collect();
        assert_eq!(positions, [3, 4]);
        block_on(store.truncate_before(EVENTS, 5)).unwrap();
        assert!(store.read_from(EVENTS, 0, 9).unwrap().is_empty());
    }
    let store = open(folder.path());
    append(&store);
    assert_eq!(store.read_from(EVENTS, 0, 9).unwrap()[0].position, 5);
}

/// Several segments of 8 MiB: reading across them, reading them anew after reopening, and freeing whole ones.
#[test]
fn long_journals_span_segments_and_free_them() {
    let folder = tempfile::tempdir().unwrap();
    let payload = |number: u32| Bytes::from([&number.to_be_bytes()[..], &vec![7; 100_000]].concat());
    let numbers = |records: Vec<JournalRecord>| -> Vec<u32> {
        records
            .iter()
            .map(|record| u32::from_be_bytes(record.payload[..4].try_into().unwrap()))
            .collect()
    };
    let store = open(folder.path());
    for number in 0..250 {
        store.append_relaxed(DATA, payload(number)).unwrap();
        if number % 25 == 24 {
            block_on(store.flush()).unwrap();
        }
    }
    assert_eq!(segments(folder.path()).len(), 3);
    drop(store);
    let store = open(folder.path());
    let end = store.append_relaxed(DATA, payload(250)).unwrap();
    assert!(
        numbers(store.read_from(DATA, 0, 999).unwrap())
            .into_iter()
            .eq(0..=250)
    );
    assert!(
        numbers(store.read_reverse(DATA, Position::MAX, 999).unwrap())
            .into_iter()
            .eq((0..=250).rev())
    );
    for from in [0, 1, 84, 85, 124, 125, 126, 249] {
        assert_eq!(
            numbers(store.read_from(DATA, from, 1).unwrap()),
            [u32::try_from(from).unwrap()]
        );
        let before = numbers(store.read_reverse(DATA, from, 1).unwrap());
        assert!(before.into_iter().eq(u32::try_from(from).unwrap().checked_sub(1)));
    }
    block_on(store.truncate_before(DATA, 200)).unwrap();
    assert_eq!(
        segments(folder.path()).len(),
        2,
        "only the segment with 200 and the new one are left"
    );
    let left = numbers(store.read_from(DATA, 0, 999).unwrap());
    assert!(left[0] <= 200 && left.last() == Some(&250));
    block_on(store.truncate_before(DATA, Position::MAX)).unwrap();
    assert_eq!(segments(folder.path()).len(), 1, "the newest stays");
    drop(store);
    assert!(append_relaxed(&open(folder.path()), b"next") > end);
}

/// A crash can leave any part of the last record. Every other record survives, no part of it comes back, and its position
/// is not given away again.
#[test]
fn a_torn_tail_is_cut_off_at_every_length() {
    let original = tempfile::tempdir().unwrap();
    let lost = {
        let store = open(original.path());
        append_relaxed(&store, b"first");
        append_relaxed(&store, b"second");
        append_relaxed(&store, b"the last record")
    };
    let path = segments(original.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    let last = whole.len() - b"the last record".len() - 8;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder
        .path()
        .join("journals")
        .join("data")
        .join(path.file_name().unwrap());
    let prepare = |bytes: &[u8]| {
        let _ = fs::remove_dir_all(folder.path().join("journals"));
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::write(&copy, bytes).unwrap();
    };
    let garbled: Vec<Vec<u8>> = vec![
        [&whole[..last], &[0; 40]].concat(),
        [&whole[..last], &[0xff; 40]].concat(),
        [&whole[..whole.len() - 1], b"!"].concat(),
    ];
    let torn = (last..whole.len())
        .map(|length| whole[..length].to_vec())
        .chain(garbled);
    for bytes in torn {
        prepare(&bytes);
        {
            let store = open(folder.path());
            let records = store.read_from(DATA, 0, 9).unwrap();
            assert_eq!(
                payloads(&records),
                [&b"first"[..], b"second"],
                "{} bytes",
                bytes.len()
            );
            assert!(append_relaxed(&store, b"new") > lost);
            block_on(store.flush()).unwrap();
        }
        let records = open(folder.path()).read_from(DATA, 0, 9).unwrap();
        assert_eq!(payloads(&records), [&b"first"[..], b"second", b"new"]);
    }
    // A crash while the segment was made leaves part of its header.
    for length in 0..20 {
        prepare(&whole[..length]);
        let store = open(folder.path());
        assert!(store.read_from(DATA, 0, 9).unwrap().is_empty());
        assert!(append_relaxed(&store, b"new") > lost);
        assert_eq!(
            payloads(&store.read_reverse(DATA, Position::MAX, 9).unwrap()),
            [b"new"]
        );
    }
}

#[test]
fn damage_in_an_older_segment_is_an_error_not_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    for payload in [&b"first"[..], b"second"] {
        append_relaxed(&open(folder.path()), payload);
    }
    let paths = segments(folder.path());
    assert_eq!(paths.len(), 2);
    let mut bytes = fs::read(&paths[0]).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&paths[0], bytes).unwrap();
    let store = open(folder.path());
    let error = store.read_from(DATA, 0, 9).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains(paths[0].to_str().unwrap()), "{error}");
    assert_eq!(
        payloads(&store.read_reverse(DATA, Position::MAX, 1).unwrap()),
        [b"second"]
    );
}

#[test]
fn relaxed_records_reach_the_file_without_being_asked() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    append_relaxed(&store, b"event");
    let written = || {
        let bytes = fs::read(&segments(folder.path())[0]).unwrap();
        rolecall_store::segment_records(&bytes).is_ok_and(|(records, _)| records.len() == 1)
    };
    // Generous, because the machine may be busy; without a flusher it would never happen.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while !written() {
        assert!(
            std::time::Instant::now() < deadline,
            "the record is not in the file"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn an_event_is_there_exactly_if_its_change_is() {
    let store = EmbeddedStore::in_memory().unwrap();
    let change = || {
        Transaction::new()
            .put("b", "k", "", Condition::Absent)
            .append(EVENTS, "created")
    };
    block_on(store.commit(change())).unwrap();
    block_on(store.commit(change())).unwrap_err();
    assert_eq!(store.read_from(EVENTS, 0, 9).unwrap().len(), 1);
}
