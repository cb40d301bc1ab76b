//! Any pattern matches any text quickly and without a panic, and agrees with itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolecall_policy::{ActionPattern, ResourcePattern, wildcard_match};

fuzz_target!(|input: (&str, &str)| {
    let (pattern, text) = input;
    if !pattern.contains(['*', '?']) {
        assert_eq!(wildcard_match(pattern, text, false), pattern == text);
    }
    let _ = ActionPattern::new(pattern).matches(text);
    let _ = ResourcePattern::new(pattern, true).matches(text);
    let _ = ResourcePattern::new(pattern, false).matches(text);
});
