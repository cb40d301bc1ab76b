//! The text, to the letter.

use rolecall_report::{Payload, TextOptions};
use rolecall_review::{Proof, RemovalOutcome, usage};

use crate::golden::assert_golden;
use crate::records::{
    Tried, allowed, denied, failed, proved, record, short_of_a_permission, with_everything,
};

const FILE: TextOptions = TextOptions {
    width: None,
    color: false,
};
const COLOURED: TextOptions = TextOptions {
    width: None,
    color: true,
};

fn terminal(width: usize) -> TextOptions {
    TextOptions {
        width: Some(width),
        color: false,
    }
}

#[test]
fn a_proved_policy() {
    assert_golden("proved.txt", &proved().report().to_text(FILE));
    assert_golden("proved-80.txt", &proved().report().to_text(terminal(80)));
}

#[test]
fn a_missing_permission() {
    let mut report = short_of_a_permission().report();
    assert_golden("denied.txt", &report.to_text(FILE));
    report.log_tail = [
        "START RequestId: 6f0c1b7e Version: $LATEST",
        "[ERROR] ClientError: An error occurred",
        "Traceback (most recent call last):",
        "  File \"/var/task/app.py\", line 31, in handler",
        "END RequestId: 6f0c1b7e",
        "REPORT RequestId: 6f0c1b7e\tDuration: 142.31 ms",
    ]
    .join("\n");
    assert_golden("denied-80.txt", &report.to_text(terminal(80)));
}

#[test]
fn everything_a_report_can_have() {
    assert_golden(
        "everything.txt",
        &with_everything().report().to_text(terminal(100)),
    );
}

#[test]
fn a_policy_that_is_not_enough() {
    let mut tried = proved();
    let delete = denied(
        "identity",
        "identity-based policy",
        "s3:DeleteObject",
        "arn:aws:s3:::b/k",
    );
    let denials = usage(&[record("DeleteObject", vec![delete])], &tried.usage.role).calls;
    tried.proof = Some(Proof {
        same_result: false,
        denials,
        ..tried.proof()
    });
    assert_golden("not-enough.txt", &tried.report().to_text(FILE));
}

#[test]
fn a_function_that_calls_nothing() {
    let mut tried = Tried::new(&[]);
    tried.proof = Some(tried.proof());
    let report = tried.report();
    assert_eq!(report.exit, 0);
    assert_golden("nothing.txt", &report.to_text(FILE));
}

#[test]
fn lines_keep_to_the_width() {
    for width in [80, 100, 120] {
        for tried in [proved(), with_everything()] {
            for line in tried.report().to_text(terminal(width)).lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn colours_only_when_asked_and_they_change_no_character() {
    let report = short_of_a_permission().report();
    let plain = report.to_text(FILE);
    let coloured = report.to_text(COLOURED);
    assert!(!plain.contains('\u{1b}'));
    assert!(coloured.contains("\u{1b}[31m✗\u{1b}[0m") && coloured.contains("\u{1b}[32m✓\u{1b}[0m"));
    let mut stripped = coloured;
    for code in ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31m", "\u{1b}[32m"] {
        stripped = stripped.replace(code, "");
    }
    assert_eq!(stripped, plain);
}

#[test]
fn names_by_others_give_the_terminal_no_orders() {
    let hostile = "\u{1b}]0;owned\u{7}\u{202e}\r\n";
    let key = format!("arn:aws:s3:::b/{hostile}/k");
    let records = [
        record("GetObject", vec![allowed("s3:GetObject", &key)]),
        record(hostile, vec![denied("identity", "policy", "s3:PutObject", &key)]),
        failed(record(hostile, vec![]), hostile, hostile),
    ];
    let mut tried = Tried::new(&records);
    tried.invocation.result = Payload::new(hostile.as_bytes());
    tried.invocation.skipped = vec![hostile.to_owned()];
    tried.invocation.runtime_note = Some(hostile.to_owned());
    tried.invocation.succeeded = false;
    tried.files = vec![hostile.to_owned()];
    let needless = RemovalOutcome {
        action: hostile.to_owned(),
        denied: false,
        by: None,
    };
    for denials in [Vec::new(), tried.usage.calls.clone()] {
        tried.proof = Some(Proof {
            same_result: true,
            denials,
            removals: vec![needless.clone()],
        });
        let mut report = tried.report();
        hostile.clone_into(&mut report.log_tail);
        let text = report.to_text(FILE);
        let is_safe =
            |character: char| character == '\n' || !(character.is_control() || character == '\u{202e}');
        assert!(text.chars().all(is_safe), "{text:?}");
        assert!(text.contains("owned"));
    }
}

#[test]
fn long_answers_are_cut() {
    let mut tried = proved();
    tried.invocation.result = Payload::new(&serde_json::to_vec(&"x".repeat(1_000_000)).unwrap());
    assert!(tried.report().to_text(FILE).len() < 10_000);
    assert!(tried.report().to_text(terminal(80)).contains('…'));
}
