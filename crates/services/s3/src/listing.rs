//! The listing behind `ListObjects` and `ListObjectsV2`: keys in the order of their bytes, grouped at a delimiter.
//!
//! A group is passed over by seeking behind it, so a listing costs what it answers, however many keys the groups hold.

use std::ops::ControlFlow;

use rolecall_store::{Reader, ScanRange, StoreError, codec};

use crate::state::{OBJECTS, ObjectRecord, object_key};

/// Where a listing goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum After {
    /// Behind this key.
    Key(String),
    /// Behind every key that begins with this common prefix.
    Group(String),
}

/// What to list.
#[derive(Debug, Clone)]
pub(crate) struct Query<'a> {
    pub(crate) bucket_id: &'a str,
    pub(crate) prefix: &'a str,
    /// Not empty.
    pub(crate) delimiter: Option<&'a str>,
    pub(crate) after: Option<After>,
    pub(crate) most: usize,
}

/// A page of a listing.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) objects: Vec<(String, ObjectRecord)>,
    pub(crate) common_prefixes: Vec<String>,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<After>,
}

impl Page {
    pub(crate) fn count(&self) -> usize {
        self.objects.len().saturating_add(self.common_prefixes.len())
    }
}

/// The first page of what `query` asks for.
pub(crate) fn list(reader: &dyn Reader, query: &Query<'_>) -> Result<Page, StoreError> {
    let mut page = Page::default();
    if query.most == 0 {
        return Ok(page);
    }
    let whole = ScanRange::prefix(object_key(query.bucket_id, query.prefix));
    let mut range = match &query.after {
        None => whole.clone(),
        Some(After::Key(key)) => whole.clone().after(object_key(query.bucket_id, key)),
        Some(After::Group(group)) => whole.clone().from(behind(query.bucket_id, group)),
    };
    let mut last = None;
    loop {
        let mut group = None;
        let mut failed = None;
        let mut is_full = false;
        reader.for_each(OBJECTS, &range, &mut |entry| {
            if page.count() == query.most {
                is_full = true;
                return ControlFlow::Break(());
            }
            let key = entry.key.get(query.bucket_id.len()..).unwrap_or_default();
            let key = String::from_utf8_lossy(key).into_owned();
            group = query
                .delimiter
                .and_then(|delimiter| group_of(&key, query.prefix, delimiter));
            if group.is_some() {
                return ControlFlow::Break(());
            }
            match codec::decode(entry.value) {
                Ok(record) => page.objects.push((key, record)),
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        if is_full {
            // What came last is the greatest: an object after the last group, or that group.
            page.next = match (page.objects.last(), last) {
                (Some((key, _)), Some(group)) if *key > group => Some(After::Key(key.clone())),
                (_, Some(group)) => Some(After::Group(group)),
                (object, None) => object.map(|(key, _)| After::Key(key.clone())),
            };
            return Ok(page);
        }
        let Some(found) = group else {
            return Ok(page);
        };
        range = whole.clone().from(behind(query.bucket_id, &found));
        page.common_prefixes.push(found.clone());
        last = Some(found);
    }
}

/// The part of `key` up to and including the first `delimiter` after `prefix`.
pub(crate) fn group_of(key: &str, prefix: &str, delimiter: &str) -> Option<String> {
    let rest = key.strip_prefix(prefix)?;
    let end = rest.find(delimiter)?.checked_add(delimiter.len())?;
    Some(format!("{prefix}{}", rest.get(..end)?))
}

/// The first stored key behind all that begin with `group`, which is not empty. No byte of UTF-8 is 0xFF, so the last
/// one can always be raised.
fn behind(bucket_id: &str, group: &str) -> Vec<u8> {
    let mut key = object_key(bucket_id, group);
    if let Some(last) = key.last_mut() {
        *last = last.saturating_add(1);
    }
    key
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use rolecall_store::{Condition, EmbeddedStore, Store, Transaction};

    use super::*;

    fn store_with(keys: &BTreeSet<String>) -> EmbeddedStore {
        let store = EmbeddedStore::in_memory().unwrap();
        let value = codec::encode(&ObjectRecord::default()).unwrap();
        let transaction = keys.iter().fold(Transaction::new(), |transaction, key| {
            transaction.put(OBJECTS, object_key("0000", key), value.clone(), Condition::Any)
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(store.commit(transaction)).unwrap();
        store
    }

    /// What a listing must give, from its definition.
    fn model(keys: &BTreeSet<String>, prefix: &str, delimiter: Option<&str>) -> Vec<String> {
        let mut shown: Vec<String> = keys
            .iter()
            .filter(|key| key.starts_with(prefix))
            .map(|key| {
                delimiter
                    .and_then(|delimiter| group_of(key, prefix, delimiter))
                    .unwrap_or_else(|| key.clone())
            })
            .collect();
        shown.sort();
        shown.dedup();
        shown
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn pages_are_what_the_definition_says(
            keys in prop::collection::btree_set("[a-cé/]{1,6}", 1..40),
            prefix in "[a-c/]{0,2}",
            delimiter in prop::option::of(prop::sample::select(vec!["/", "b", "a/"])),
            most in 1..5_usize,
        ) {
            let store = store_with(&keys);
            let mut shown = Vec::new();
            let mut after = None;
            loop {
                let query = Query { bucket_id: "0000", prefix: &prefix, delimiter, after, most };
                let page = list(&store, &query).unwrap();
                prop_assert!(page.count() <= most);
                shown.extend(page.objects.iter().map(|(key, _)| key.clone()));
                shown.extend(page.common_prefixes.iter().cloned());
                prop_assert!(page.next.is_none() || page.count() == most);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            let count = shown.len();
            shown.sort();
            shown.dedup();
            prop_assert_eq!(count, shown.len(), "nothing is shown twice");
            prop_assert_eq!(shown, model(&keys, &prefix, delimiter));
        }
    }
}
