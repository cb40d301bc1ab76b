//! Paging with `Marker` and `MaxItems`.
//!
//! A marker carries the sort key of the last item of the page before, so that items made or deleted between two pages are
//! neither shown twice nor make others be skipped.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rolecall_service::ServiceError;

use crate::error::validation;

/// Items of a page when the request does not say (IAM API Reference, `MaxItems`).
const DEFAULT_ITEMS: i32 = 100;
const MOST_ITEMS: i32 = 1_000;

/// One page of a listing.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) is_truncated: bool,
    pub(crate) marker: Option<String>,
}

impl<T> Page<T> {
    pub(crate) fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            is_truncated: self.is_truncated,
            marker: self.marker,
        }
    }
}

/// The page of `items`, in the order of `key`, that `marker` and `max_items` ask for. Keys must differ.
///
/// # Errors
/// The marker was not given by this endpoint, or `max_items` is out of range.
pub(crate) fn page<T>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
    marker: Option<&str>,
    max_items: Option<i32>,
) -> Result<Page<T>, ServiceError> {
    let most = max_items.unwrap_or(DEFAULT_ITEMS);
    if !(1..=MOST_ITEMS).contains(&most) {
        return Err(validation(format!(
            "1 validation error detected: Value '{most}' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and {MOST_ITEMS}"
        )));
    }
    let most = usize::try_from(most).unwrap_or(1);
    let after = marker.map(decode).transpose()?;
    let mut keyed: Vec<(String, T)> = items
        .into_iter()
        .map(|item| (key(&item), item))
        .filter(|(key, _)| after.as_ref().is_none_or(|after| key > after))
        .collect();
    keyed.sort_by(|(left, _), (right, _)| left.cmp(right));
    let is_truncated = keyed.len() > most;
    keyed.truncate(most);
    let marker = keyed
        .last()
        .filter(|_| is_truncated)
        .map(|(key, _)| URL_SAFE_NO_PAD.encode(key));
    Ok(Page {
        items: keyed.into_iter().map(|(_, item)| item).collect(),
        is_truncated,
        marker,
    })
}

fn decode(marker: &str) -> Result<String, ServiceError> {
    URL_SAFE_NO_PAD
        .decode(marker)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| validation("Invalid Marker."))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn pages_cover_everything_once() {
        for size in 1..=7 {
            let mut seen = Vec::new();
            let mut marker: Option<String> = None;
            loop {
                let page = page(
                    [5, 3, 1, 4, 2],
                    |item: &i32| item.to_string(),
                    marker.as_deref(),
                    Some(size),
                )
                .unwrap();
                assert!(page.items.len() <= usize::try_from(size).unwrap());
                assert_eq!(page.is_truncated, page.marker.is_some());
                seen.extend(page.items);
                marker = page.marker;
                if marker.is_none() {
                    break;
                }
            }
            assert_eq!(seen, [1, 2, 3, 4, 5]);
        }
    }

    #[test]
    fn deleting_between_pages_skips_nothing() {
        let first = page(["a", "b", "c"], |item| (*item).to_owned(), None, Some(1)).unwrap();
        let second = page(
            ["b", "c"],
            |item| (*item).to_owned(),
            first.marker.as_deref(),
            Some(1),
        )
        .unwrap();
        assert_eq!(second.items, ["b"]);
    }

    #[test]
    fn bad_input() {
        assert!(page([1], i32::to_string, Some("\u{e9}"), None).is_err());
        assert!(page([1], i32::to_string, None, Some(0)).is_err());
        assert!(page([1], i32::to_string, None, Some(1_001)).is_err());
    }
}
