//! The text, to the letter.

use rolecall_report::{Style, TextOptions};
use rolecall_review::{RemovalOutcome, usage};

use crate::golden::assert_golden;
use crate::records::{
    allowed, denied, failed, proof, proved, record, report, short_of_a_permission, with_everything,
};

#[test]
fn a_proved_policy() {
    assert_golden("proved.txt", &proved().to_text(Style::Plain));
    assert_golden(
        "proved-80.txt",
        &proved().to_text(TextOptions {
            width: Some(80),
            color: false,
        }),
    );
}

#[test]
fn a_missing_permission() {
    assert_golden("denied.txt", &short_of_a_permission().to_text(Style::Plain));
    assert_golden(
        "denied-80.txt",
        &short_of_a_permission().to_text(TextOptions {
            width: Some(80),
            color: false,
        }),
    );
}

#[test]
fn everything_a_report_can_have() {
    let text = with_everything().to_text(TextOptions {
        width: Some(100),
        color: false,
    });
    assert_golden("everything.txt", &text);
}

#[test]
fn a_policy_that_is_not_enough() {
    let mut report = proved();
    let mut failing = proof(&report);
    let without = usage(
        &[record(
            "DeleteObject",
            vec![denied(
                "identity",
                "identity-based policy",
                "s3:DeleteObject",
                "arn:aws:s3:::b/k",
            )],
        )],
        &report.role_arn,
    );
    failing.same_result = false;
    failing.denials = without.calls;
    report.proof = Some(failing);
    assert_golden("not-enough.txt", &report.to_text(Style::Plain));
}

#[test]
fn lines_keep_to_the_width() {
    for width in [80, 100, 120] {
        for report in [proved(), with_everything()] {
            for line in report
                .to_text(TextOptions {
                    width: Some(width),
                    color: false,
                })
                .lines()
            {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn colours_only_when_asked_and_they_change_no_character() {
    let plain = short_of_a_permission().to_text(Style::Plain);
    let coloured = short_of_a_permission().to_text(Style::Coloured);
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
    let mut report = report(&records);
    report.payload = hostile.as_bytes().to_vec();
    report.skipped = vec![hostile.to_owned()];
    report.policy_files = vec![hostile.into()];
    report.kept = Some(hostile.into());
    hostile.clone_into(&mut report.log_tail);
    report.function_error = Some("Unhandled".to_owned());
    report.proof = Some(rolecall_review::Proof {
        same_result: true,
        denials: report.usage.calls.clone(),
        removals: vec![RemovalOutcome {
            action: hostile.to_owned(),
            denied: false,
            by: None,
        }],
    });
    for proof_holds in [true, false] {
        if proof_holds {
            report.proof.as_mut().unwrap().denials.clear();
        }
        let text = report.to_text(Style::Plain);
        let is_safe =
            |character: char| character == '\n' || !(character.is_control() || character == '\u{202e}');
        assert!(text.chars().all(is_safe), "{text:?}");
        assert!(text.contains("owned"));
    }
}

#[test]
fn long_answers_are_cut() {
    let mut report = proved();
    report.payload = serde_json::to_vec(&"x".repeat(1_000_000)).unwrap();
    assert!(report.to_text(Style::Plain).len() < 10_000);
    assert!(
        report
            .to_text(TextOptions {
                width: Some(80),
                color: false
            })
            .contains('…')
    );
}
