//! Random patterns match what a matcher that tries every way lets match.

use proptest::prelude::*;
use rolecall_policy::{ActionPattern, ResourcePattern, wildcard_match};

use crate::naive;

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn wildcards(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
        let expected = naive::text_matches(&pattern, &text);
        prop_assert_eq!(wildcard_match(&pattern, &text, false), expected);
        let action = ActionPattern::new(&format!("S3:{}", pattern.to_uppercase()));
        prop_assert_eq!(action.matches(&format!("s3:{text}")), expected);
    }

    #[test]
    fn stars_of_arns(
        pattern in "arn(:[ab*?]{0,3}){4}:[ab:*?]{0,6}",
        short in "arn:[ab:*?]{0,9}",
        resource in "arn(:[ab]{0,2}){4}:[ab:]{0,4}",
    ) {
        for pattern in [pattern, short] {
            let expected = naive::resource_matches(&pattern, &resource);
            prop_assert_eq!(ResourcePattern::new(&pattern, true).matches(&resource), expected, "{}", pattern);
        }
    }

    #[test]
    fn long_stars_of_arns(
        stars in "arn:a[ab]\\*[ab?]{0,2}:s:r:a:",
        resource in "arn:a[ab]{2,4}:s:r:a:",
        length in 230_usize..300,
    ) {
        let (filled, same) = ("x".repeat(length), "?".repeat(length));
        let expected = naive::resource_matches(&stars, &resource);
        let pattern = ResourcePattern::new(&format!("{stars}{same}"), true);
        prop_assert_eq!(pattern.matches(&format!("{resource}{filled}")), expected);
        let longer = format!("{resource}{filled}x");
        prop_assert!(!pattern.matches(&longer));
    }

    #[test]
    fn characters_outside_ascii(pattern in "[aäß€😀*?]{0,6}", text in "[aäß€😀]{0,6}") {
        prop_assert_eq!(wildcard_match(&pattern, &text, false), naive::text_matches(&pattern, &text));
        let resource = format!("arn:aws:s3:::{text}");
        let matched = ResourcePattern::new(&format!("arn:aws:s3:::{pattern}"), true).matches(&resource);
        prop_assert_eq!(matched, naive::text_matches(&pattern, &text));
    }

    #[test]
    fn a_pattern_without_wildcards_matches_itself_only(text in "[ -)+->@-~]{1,12}", other in "[ -)+->@-~]{1,12}") {
        prop_assert!(wildcard_match(&text, &text, false));
        prop_assert_eq!(wildcard_match(&text, &other, false), text == other);
        prop_assert!(ResourcePattern::new(&text, false).matches(&text));
    }
}
