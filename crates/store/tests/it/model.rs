//! Random transactions against the simplest store there is: a map that is copied for every transaction.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rolecall_store::{Condition, EmbeddedStore, Reader, ScanRange, Store, Transaction};

use crate::block_on;

type Key = (String, Vec<u8>);
type Model = BTreeMap<Key, (Vec<u8>, u64)>;

#[derive(Clone, Debug)]
enum Step {
    Put(Key, Vec<u8>, Expectation),
    Delete(Key, Expectation),
    DeletePrefix(Key),
    RequireEmpty(Key),
}

#[derive(Clone, Copy, Debug)]
enum Expectation {
    Any,
    Absent,
    Present,
    /// The revision the model has, or one that is none.
    Current,
    Stale,
}

fn key() -> impl Strategy<Value = Key> {
    // Few enough that steps meet, with the bytes at the ends of the range.
    let byte = prop::sample::select(vec![0_u8, b'a', b'b', 0xff]);
    (
        prop::sample::select(vec!["a", "ab", "b"]),
        prop::collection::vec(byte, 0..4),
    )
        .prop_map(|(bucket, key)| (bucket.to_owned(), key))
}

fn step() -> impl Strategy<Value = Step> {
    let expectation = || {
        prop_oneof![
            6 => Just(Expectation::Any),
            1 => Just(Expectation::Absent),
            1 => Just(Expectation::Present),
            1 => Just(Expectation::Current),
            1 => Just(Expectation::Stale),
        ]
    };
    prop_oneof![
        8 => (key(), any::<[u8; 2]>(), expectation()).prop_map(|(key, value, e)| Step::Put(key, value.to_vec(), e)),
        3 => (key(), expectation()).prop_map(|(key, e)| Step::Delete(key, e)),
        1 => key().prop_map(Step::DeletePrefix),
        1 => key().prop_map(Step::RequireEmpty),
    ]
}

fn condition(model: &Model, key: &Key, expectation: Expectation) -> (Condition, bool) {
    let found = model.get(key).map(|(_, revision)| *revision);
    match expectation {
        Expectation::Any => (Condition::Any, true),
        Expectation::Absent => (Condition::Absent, found.is_none()),
        Expectation::Present => (Condition::Present, found.is_some()),
        Expectation::Current => (Condition::Revision(found.unwrap_or(0)), found.is_some()),
        Expectation::Stale => (Condition::Revision(u64::MAX), false),
    }
}

/// What the transaction is, and the model after it if it is accepted.
fn predict(model: &Model, steps: &[Step], revision: u64) -> (Transaction, Option<Model>) {
    let mut transaction = Transaction::new();
    let mut accepted = true;
    let mut after = model.clone();
    let matches = |(bucket, prefix): &Key, key: &Key| key.0 == *bucket && key.1.starts_with(prefix);
    for step in steps {
        match step.clone() {
            Step::Put(key, value, expectation) => {
                let (condition, holds) = condition(model, &key, expectation);
                accepted &= holds;
                transaction = transaction.put(&key.0, key.1.clone(), value.clone(), condition);
                after.insert(key, (value, revision));
            }
            Step::Delete(key, expectation) => {
                let (condition, holds) = condition(model, &key, expectation);
                accepted &= holds;
                after.remove(&key);
                transaction = transaction.delete(&key.0, key.1, condition);
            }
            Step::DeletePrefix(prefix) => {
                after.retain(|key, _| !matches(&prefix, key));
                transaction = transaction.delete_prefix(&prefix.0, prefix.1);
            }
            Step::RequireEmpty(prefix) => {
                accepted &= !model.keys().any(|key| matches(&prefix, key));
                transaction = transaction.require_empty(&prefix.0, prefix.1);
            }
        }
    }
    (transaction, accepted.then_some(after))
}

fn contents(store: &dyn Reader) -> Model {
    let mut contents = Model::new();
    for bucket in ["a", "ab", "b"] {
        for entry in store.scan(bucket, &ScanRange::all(), usize::MAX).unwrap() {
            contents.insert(
                (bucket.to_owned(), entry.key.to_vec()),
                (entry.value.to_vec(), entry.revision),
            );
        }
    }
    contents
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_the_map_does(
        transactions in prop::collection::vec(prop::collection::vec(step(), 1..5), 1..20),
        ranges in prop::collection::vec((key(), key(), key(), any::<[bool; 5]>(), 0..6_usize), 1..10),
    ) {
        let store = EmbeddedStore::in_memory().unwrap();
        let mut model = Model::new();
        for steps in &transactions {
            let revision = store.revision();
            let (transaction, expected) = predict(&model, steps, revision + 1);
            let answer = block_on(store.commit(transaction));
            prop_assert_eq!(answer.is_ok(), expected.is_some(), "{:?} for {:?}", answer, steps);
            if let Some(after) = expected {
                model = after;
            } else {
                prop_assert_eq!(store.revision(), revision);
            }
            prop_assert_eq!(&contents(&store), &model);
        }
        for ((bucket, prefix), (_, start), (_, end), choices, limit) in ranges {
            let [has_start, includes_start, has_end, includes_end, reverse] = choices;
            let mut range = ScanRange::prefix(prefix);
            range = match (has_start, includes_start) {
                (true, true) => range.from(start),
                (true, false) => range.after(start),
                _ => range,
            };
            range = match (has_end, includes_end) {
                (true, true) => range.through(end),
                (true, false) => range.before(end),
                _ => range,
            };
            let mut expected: Vec<_> = model
                .iter()
                .filter(|((of, key), _)| *of == bucket && range.contains(key))
                .map(|((_, key), (value, revision))| (key.clone(), value.clone(), *revision))
                .collect();
            if reverse {
                range = range.reversed();
                expected.reverse();
            }
            expected.truncate(limit);
            let found: Vec<_> = store
                .scan(&bucket, &range, limit)
                .unwrap()
                .into_iter()
                .map(|entry| (entry.key.to_vec(), entry.value.to_vec(), entry.revision))
                .collect();
            prop_assert_eq!(found, expected, "{:?}", range);
        }
    }
}
