//! The names of all actions: expanding and counting patterns without loading anything else about them.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::OnceLock;

use crate::{glob, packed};

/// All names, `service:Name`, in the order of their lower-case bytes.
static NAMES: OnceLock<Box<[&'static str]>> = OnceLock::new();

/// Every action AWS has, as `service:Name`, in the order of the lower-case names.
pub fn all_actions() -> &'static [&'static str] {
    NAMES.get_or_init(|| {
        // Kept for as long as the program runs, as every part of the catalogue is.
        let text: &'static str = Box::leak(
            packed::embedded("names.z", packed::unpack_z(include_bytes!("../data/names.z"))).into_boxed_str(),
        );
        text.lines().collect()
    })
}

/// The order of [`all_actions`].
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    lower_case(left).cmp(lower_case(right))
}

fn lower_case(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().map(|byte| byte.to_ascii_lowercase())
}

/// The action of this name as AWS writes it: `S3:getobject` gives `s3:GetObject`.
///
/// `None` when the catalogue does not know it; patterns are not names.
pub fn action_name(name: &str) -> Option<&'static str> {
    let names = all_actions();
    let position = names.binary_search_by(|known| compare(known, name)).ok()?;
    names.get(position).copied()
}

/// The actions a pattern of a policy's `Action` element stands for, in the order of [`all_actions`].
///
/// `*` and `*:*` stand for all; otherwise a wildcard may be in the name but not in the service prefix, so that
/// `s*:GetObject` stands for nothing, as in IAM
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>).
pub fn expand(pattern: &str) -> impl Iterator<Item = &'static str> + use<'_> {
    let (range, name_pattern) = candidates(pattern);
    let names = all_actions().get(range).unwrap_or_default();
    names
        .iter()
        .copied()
        .filter(move |action| stands_for(name_pattern, action))
}

/// The positions in [`all_actions`] a pattern can stand for, and the pattern of the name.
fn candidates(pattern: &str) -> (Range<usize>, &str) {
    match pattern.split_once(':') {
        None if pattern == "*" => (0..all_actions().len(), "*"),
        Some(("*", "*")) => (0..all_actions().len(), "*"),
        Some((prefix, name)) if !glob::has_wildcard(prefix) => (positions_of_service(prefix), name),
        _ => (0..0, ""),
    }
}

fn stands_for(name_pattern: &str, action: &str) -> bool {
    action
        .split_once(':')
        .is_some_and(|(_, name)| glob::matches(name_pattern, name))
}

/// The actions any of these patterns stands for, each once, in the order of [`all_actions`].
///
/// Takes memory for one flag an action and one entry a result, however many patterns there are.
pub fn matching<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Vec<&'static str> {
    let names = all_actions();
    let mut found = vec![false; names.len()];
    for pattern in patterns {
        let (range, name_pattern) = candidates(pattern);
        let candidates = names.get(range.clone()).unwrap_or_default();
        for (name, found) in candidates.iter().zip(found.get_mut(range).unwrap_or_default()) {
            *found = *found || stands_for(name_pattern, name);
        }
    }
    names
        .iter()
        .zip(found)
        .filter_map(|(name, found)| found.then_some(*name))
        .collect()
}

/// How many different actions these patterns stand for.
pub fn count_matching<'p>(patterns: impl IntoIterator<Item = &'p str>) -> usize {
    matching(patterns).len()
}

/// The actions of one service, by its prefix in any case; empty when it is not known.
pub(crate) fn of_service(prefix: &str) -> &'static [&'static str] {
    all_actions()
        .get(positions_of_service(prefix))
        .unwrap_or_default()
}

/// Where in [`all_actions`] the actions of one service are.
fn positions_of_service(prefix: &str) -> Range<usize> {
    // Compared as far as the colon: all of one service's names are equal then, and lie together.
    let order = |action: &str| {
        let head = action
            .bytes()
            .take(prefix.len().saturating_add(1))
            .map(|byte| byte.to_ascii_lowercase());
        head.cmp(lower_case(prefix).chain([b':']))
    };
    let names = all_actions();
    let start = names.partition_point(|action| order(action) == Ordering::Less);
    let end = names.partition_point(|action| order(action) != Ordering::Greater);
    start..end
}
