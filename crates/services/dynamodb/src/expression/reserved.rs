//! Words that an attribute name in an expression may not be.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html>

use std::sync::LazyLock;

static WORDS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("reserved_words.txt").lines().collect());

/// Whether `name` is reserved, in any case.
pub(crate) fn is_reserved(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    WORDS.binary_search(&upper.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_complete() {
        assert!(WORDS.is_sorted());
        assert_eq!(WORDS.len(), 573);
        for word in ["name", "Status", "ABORT", "zone", "TTL", "data", "size"] {
            assert!(is_reserved(word), "{word}");
        }
        for word in ["id", "pk", "customer", ""] {
            assert!(!is_reserved(word), "{word}");
        }
    }
}
