//! Patterns from actions, and back.

use proptest::prelude::*;
use rolecall_catalog::{all_actions, expand, matching, shortest_patterns};

#[test]
fn the_patterns_are_the_ones_a_person_would_write() {
    for (actions, patterns) in [
        (vec![], vec![]),
        (vec!["S3:getobject"], vec!["s3:GetObject"]),
        (expand("s3:*").collect(), vec!["s3:*"]),
        (expand("s3:Get*").collect(), vec!["s3:Get*"]),
        (expand("dynamodb:Batch*Item").collect(), vec!["dynamodb:Batch*"]),
        (
            expand("s3:Put*").chain(expand("s3:PutObject")).collect(),
            vec!["s3:Put*"],
        ),
        (
            vec!["lambda:InvokeFunction", "nosuch:Read", "s3:NoSuchAction"],
            vec!["lambda:InvokeFunction", "nosuch:Read", "s3:NoSuchAction"],
        ),
    ] {
        assert_eq!(shortest_patterns(actions), patterns);
    }
}

#[test]
fn a_prefix_that_also_matches_another_action_is_not_used() {
    // s3:PutObject is a prefix of others, which are not wanted.
    let patterns = shortest_patterns(["s3:GetObject", "s3:PutObject"]);
    assert_eq!(patterns, ["s3:GetObject", "s3:PutObject"]);
}

/// The fewest prefixes and names, by trying them all: for each set, the size of the smallest cover.
fn fewest(service: &[&'static str], wanted: &[&'static str]) -> usize {
    // A prefix's matches are an interval of the sorted names, and only intervals without an unwanted name may be used,
    // so taking the widest one from the left is the best.
    let mut rest = wanted;
    let mut count = 0;
    while let Some(first) = rest.first() {
        let colon = first.find(':').unwrap() + 1;
        let best = (colon..=first.len())
            .filter_map(|end| {
                let prefix = first[..end].to_lowercase();
                let matches = |name: &&&str| name.to_lowercase().starts_with(&prefix);
                let matched = service.iter().filter(matches).count();
                (matched == wanted.iter().filter(matches).count())
                    .then_some(rest.iter().filter(matches).count())
            })
            .max()
            .unwrap_or(1);
        rest = &rest[best.max(1)..];
        count += 1;
    }
    count
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn expanding_the_patterns_gives_the_actions_back(
        start in 0..all_actions().len(),
        keep in prop::collection::vec(prop::bool::weighted(0.8), 1..300),
    ) {
        let wanted: Vec<_> = all_actions()[start..].iter().zip(&keep).filter(|(_, keep)| **keep).map(|(name, _)| *name).collect();
        let patterns = shortest_patterns(wanted.iter().copied());
        prop_assert_eq!(matching(patterns.iter().map(String::as_str)), wanted);
    }

    #[test]
    fn there_are_no_fewer_patterns(keep in prop::collection::vec(prop::bool::weighted(0.7), 200)) {
        let service: Vec<_> = expand("lambda:*").collect();
        let wanted: Vec<_> = service.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(name, _)| *name).collect();
        prop_assert_eq!(shortest_patterns(wanted.iter().copied()).len(), fewest(&service, &wanted));
    }
}
