//! The reverse of expanding: the fewest patterns that stand for exactly a given set of actions.
//!
//! A pattern here is an action's name or a prefix of names followed by `*`. Among those the result is the shortest: the
//! prefixes of a service's names form a tree, and the subtrees that hold nothing but wanted names, taken as high up as
//! possible, cover the wanted names with the fewest patterns. Where a subtree has several prefixes that mean the same,
//! the one that ends a word is taken, as a person would write it (`GetBucket*`, not `GetB*`).

use std::collections::BTreeMap;

use crate::names;

/// The fewest patterns that stand for exactly these actions, in order: by service, then by name.
///
/// Names may be in any case; an action the catalogue does not know is kept as it is given and makes no pattern wider,
/// because what else such a pattern would grant is not known. Exact as of the catalogue's date: AWS may add an action
/// that a pattern also matches.
pub fn shortest_patterns<'a>(actions: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut wanted: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    let mut patterns: Vec<String> = Vec::new();
    for name in actions {
        match names::action_name(name).and_then(|action| Some((action, action.split_once(':')?.0))) {
            Some((action, prefix)) => wanted.entry(prefix.to_owned()).or_default().push(action),
            None => patterns.push(name.to_owned()),
        }
    }
    for (prefix, mut actions) in wanted {
        actions.sort_unstable_by(|left, right| names::compare(left, right));
        let universe: Vec<Name> = names::of_service(&prefix)
            .iter()
            .map(|action| Name {
                text: action,
                wanted: actions
                    .binary_search_by(|wanted| names::compare(wanted, action))
                    .is_ok(),
            })
            .collect();
        if universe.iter().all(|name| name.wanted) {
            patterns.push(format!("{prefix}:*"));
        } else {
            cover(&universe, prefix.len() + 1, &mut patterns);
        }
    }
    patterns.sort_unstable_by(|left, right| names::compare(left, right));
    patterns.dedup();
    patterns
}

struct Name {
    /// `service:Name`.
    text: &'static str,
    wanted: bool,
}

impl Name {
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).map(u8::to_ascii_lowercase)
    }
}

/// Adds the patterns for the wanted names among some that have their first `depth` bytes in common and are all the
/// names that have; `names` is sorted.
fn cover(names: &[Name], depth: usize, patterns: &mut Vec<String>) {
    for group in names.chunk_by(|left, right| left.byte(depth) == right.byte(depth)) {
        let Some(first) = group.first() else { continue };
        if group.iter().all(|name| !name.wanted) {
            continue;
        }
        // A group of one, or a name that ends here and so has the group to itself.
        if group.len() == 1 {
            patterns.push(first.text.to_owned());
            continue;
        }
        let common = common_prefix(group, depth);
        if group.iter().all(|name| name.wanted) {
            let end = word_end(group, depth, common);
            if let Some(head) = first.text.get(..end) {
                patterns.push(format!("{head}*"));
            }
        } else {
            cover(group, common, patterns);
        }
    }
}

/// How many first bytes the names of a group have in common, at least `depth`.
fn common_prefix(group: &[Name], depth: usize) -> usize {
    let Some(first) = group.first() else { return depth };
    (depth..first.text.len())
        .find(|at| group.iter().any(|name| name.byte(*at) != first.byte(*at)))
        .unwrap_or(first.text.len())
}

/// The last end of a word within the common prefix that still tells the group from its neighbours, else the end of the
/// common prefix. The byte at `depth` is what tells them apart.
fn word_end(group: &[Name], depth: usize, common: usize) -> usize {
    let ends_word = |at: usize| {
        group.iter().all(|name| {
            name.text
                .as_bytes()
                .get(at)
                .is_none_or(|byte| !byte.is_ascii_lowercase())
        })
    };
    (depth.saturating_add(1)..=common)
        .rev()
        .find(|at| ends_word(*at))
        .unwrap_or(common)
}
