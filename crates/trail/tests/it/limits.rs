//! CloudTrail's limits of fields.

use serde_json::{Value, json};

use crate::support::{event, now};

#[test]
fn short_fields_are_cut_between_characters() {
    let mut long = event(now(), "Any");
    long.user_agent = "a".repeat(1025);
    long.error_code = Some("b".repeat(1024));
    // Two bytes each, so that the limit falls into one of them.
    long.error_message = Some(format!("x{}", "é".repeat(600)));
    let cut = long.within_limits();
    assert_eq!(cut.user_agent.len(), 1024);
    assert_eq!(cut.error_code.unwrap().len(), 1024);
    let message = cut.error_message.unwrap();
    assert_eq!(message.len(), 1023);
    assert!(message.ends_with('é'));
}

#[test]
fn long_fields_are_left_out_whole() {
    // The object's own characters: {"k":"…"}
    let of_length = |length: usize| json!({"k": "x".repeat(length - 8)});
    let limit = 100 * 1024;
    for (length, kept) in [(20, true), (limit, true), (limit + 1, false), (10 * limit, false)] {
        let value = of_length(length);
        assert_eq!(value.to_string().len(), length);
        let mut long = event(now(), "Any");
        long.request_parameters = Some(value.clone());
        long.response_elements = Some(value.clone());
        let cut = long.within_limits();
        let expected: Option<Value> = kept.then_some(value);
        assert_eq!(cut.request_parameters, expected, "{length}");
        assert_eq!(cut.response_elements, expected, "{length}");
    }
}
