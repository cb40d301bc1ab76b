//! The JSON, which others' programs read.

use serde_json::Value;

use crate::golden::assert_golden;
use crate::records::{proved, short_of_a_permission, with_everything};

#[test]
fn the_documented_form() {
    assert_golden("proved.json", &proved().to_json());
    assert_golden("everything.json", &with_everything().to_json());
}

fn json(report: &rolecall_report::TryReport) -> Value {
    serde_json::from_str(&report.to_json()).unwrap()
}

#[test]
fn the_exit_code_is_zero_only_for_a_proof() {
    let good = proved();
    assert!(good.succeeded());
    assert_eq!(json(&good)["exit"], 0);
    assert_eq!(json(&good)["proof"]["proved"], true);

    let unproved = rolecall_report::TryReport {
        proof: None,
        ..proved()
    };
    let failed = rolecall_report::TryReport {
        function_error: Some("Unhandled".to_owned()),
        ..proved()
    };
    let mut needless = proved();
    needless.proof.as_mut().unwrap().removals[0].denied = false;
    assert_eq!(json(&needless)["proof"]["proved"], false);
    for report in [unproved, failed, needless, short_of_a_permission()] {
        assert!(!report.succeeded());
        assert_eq!(json(&report)["exit"], 1);
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
        let report = rolecall_report::TryReport {
            payload: payload.to_vec(),
            ..proved()
        };
        assert_eq!(json(&report)["result"], expected);
    }
}
