//! The JSON, which others' programs read.

use rolecall_report::Payload;
use serde_json::Value;

use crate::golden::assert_golden;
use crate::records::{Tried, proved, short_of_a_permission, with_everything};

#[test]
fn the_documented_form() {
    assert_golden("proved.json", &proved().report().to_json().unwrap());
    assert_golden("everything.json", &with_everything().report().to_json().unwrap());
}

fn json(tried: &Tried) -> Value {
    serde_json::from_str(&tried.report().to_json().unwrap()).unwrap()
}

#[test]
fn the_exit_code_is_zero_only_for_a_proof() {
    let good = json(&proved());
    assert_eq!(
        (&good["exit"], &good["proof"]["proved"]),
        (&Value::from(0), &Value::from(true))
    );

    let unproved = Tried {
        proof: None,
        ..proved()
    };
    let mut failed = proved();
    failed.invocation.succeeded = false;
    let mut needless = proved();
    needless.proof.as_mut().unwrap().removals[0].denied = false;
    assert_eq!(json(&needless)["proof"]["proved"], false);
    for tried in [unproved, failed, needless, short_of_a_permission()] {
        assert_eq!(json(&tried)["exit"], 1);
    }
}

#[test]
fn answers_that_are_no_json_are_strings() {
    for (payload, expected) in [
        (&b""[..], Value::Null),
        (b"{\"b\": 1, \"a\": 2}", serde_json::json!({"a": 2, "b": 1})),
        (b"not json", Value::from("not json")),
        (b"\xff", Value::from("\u{fffd}")),
        (b"1 2", Value::from("1 2")),
    ] {
        let mut tried = proved();
        tried.invocation.result = Payload::new(payload);
        assert_eq!(json(&tried)["result"], expected);
    }
}
