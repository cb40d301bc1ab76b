//! The examples of the user guide, what AWS refuses, and hostile patterns.

use proptest::prelude::*;

use super::{Pattern, PatternError};

fn parse(pattern: &str) -> Pattern {
    match Pattern::parse(pattern) {
        Ok(pattern) => pattern,
        Err(error) => unreachable!("{pattern}: {error}"),
    }
}

fn check(cases: &[(&str, &str, bool)]) {
    for (pattern, message, expected) in cases {
        assert_eq!(
            parse(pattern).matches(message),
            *expected,
            "{pattern} on {message}"
        );
    }
}

#[test]
fn terms() {
    let (both, error, warn) = ("ERROR WARN message", "ERROR message", "WARN message");
    check(&[
        ("", "anything", true),
        ("  ", "anything", true),
        ("ERROR", "Exiting with ERRORCODE: -1", true),
        ("ERROR", "error", false),
        ("ERROR WARN", both, true),
        ("ERROR WARN", error, false),
        ("?ERROR ?WARN", warn, true),
        ("?ERROR ?WARN", "INFO message", false),
        ("ERROR -WARN", error, true),
        ("ERROR -WARN", both, false),
        ("-WARN", error, true),
        ("\"WARN message\"", both, true),
        ("\"ERROR message\"", both, false),
        ("ERROR -\"WARN m\"", both, false),
        ("\"say \\\"hi\\\"\"", "they say \"hi\" again", true),
        // AWS ignores optional terms beside others.
        ("?NOTHING ERROR", error, true),
        ("%AUTHORI[SZ]ED%", "UNAUTHORISED access", true),
        ("%^WARN%", both, false),
    ]);
}

const EVENT: &str = r#"{
    "eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": null, "ThisFlag": true, "latency": 55.5, "cluster.name": "c", "text": "400",
    "user": {"id": 1, "email": "John.Stiles@example.com"}, "coordinates": [[0, 1], [4, 5]]
}"#;

#[test]
fn json() {
    check(
        &[
            ("{ $.eventType = \"UpdateTrail\" }", true),
            ("{$.eventType=UpdateTrail}", true),
            ("{ $.eventType != \"UpdateTrail\" }", false),
            ("{ $.eventType = \"*Trail\" }", true),
            ("{ $.eventType = \"Up*\" }", true),
            ("{ $.eventType = \"*date*\" }", true),
            ("{ $.eventType = \"Up*ail\" }", false),
            ("{ $.eventType = * }", true),
            ("{ $.sourceIPAddress != 123.123.* }", true),
            ("{ $.sourceIPAddress = 111.111.* }", true),
            ("{ $.sourceIPAddress = %111\\.111% }", true),
            ("{ $.arrayKey[0] = \"value\" }", true),
            ("{ $.arrayKey[1] = \"value\" }", false),
            ("{ $.arrayKey[*] = \"another value\" }", true),
            ("{ $.arrayKey = \"value\" }", false),
            ("{ $.arrayKey != \"value\" }", false),
            ("{ $.objectList[1].id = 2 }", true),
            ("{ $.objectList[*].id = 2 }", true),
            ("{ $.objectList[9].id = 2 }", false),
            ("{ $.SomeObject IS NULL }", true),
            ("{ $.eventType IS NULL }", false),
            ("{ $.Other IS NULL }", false),
            ("{ $.Other NOT EXISTS }", true),
            ("{ $.SomeObject NOT EXISTS }", false),
            ("{ $.Other != 1 }", false),
            ("{ $.ThisFlag IS TRUE }", true),
            ("{ $.ThisFlag IS FALSE }", false),
            ("{ $.latency > +50 }", true),
            ("{ $.latency <= 55.5 }", true),
            ("{ $.latency < 10e-1 }", false),
            ("{ $.latency = 55.50 }", true),
            ("{ $.text = 400 }", true),
            ("{ $.['cluster.name'] = c }", true),
            ("{ $.coordinates[1][0] = 4 }", true),
            ("{ ($.user.id = 1) && ($.eventType = UpdateTrail) }", true),
            (
                "{ ($.user.id = 2 && $.eventType = x) || $.arrayKey[0] = value }",
                true,
            ),
            (
                "{ $.user.email = \"John.Stiles@example.com\" || $.user.id = 9 && $.user.id = 8 }",
                true,
            ),
            (
                "{ ($.user.email = \"John.Stiles@example.com\" || $.user.id = 9) && $.user.id = 8 }",
                false,
            ),
        ]
        .map(|(pattern, expected)| (pattern, EVENT, expected)),
    );
    check(&[
        ("{ $.a = 1 }", "not JSON", false),
        ("{ $.a NOT EXISTS }", "not JSON", false),
    ]);
}

#[test]
fn space_delimited() {
    let line = "127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534";
    check(
        &[
            (
                "[ip, user, username, timestamp, request, status_code, bytes]",
                true,
            ),
            ("[ip, user]", false),
            ("[ip, user, ...]", true),
            ("[..., bytes]", true),
            ("[a, b, c, d, e, f, g, ..., h]", false),
            (
                "[ip, user, username, timestamp, request, status_code, bytes > 1000]",
                true,
            ),
            (
                "[ip, user, username, timestamp, request, status_code, bytes > 2000]",
                false,
            ),
            ("[ip, ..., request = *.html*, status_code = 4*, bytes]", true),
            ("[ip, ..., status_code = 4* && status_code != 404, bytes]", false),
            ("[..., status_code = 4* || status_code = 5*, bytes]", true),
            (
                "[..., status_code = 500 || status_code = 404 && status_code = 4*, bytes]",
                true,
            ),
            (
                "[..., timestamp = \"10/Oct/2000:13:25:15 -0700\", request, code, size]",
                true,
            ),
            ("[..., request = %GET /[a-z]+%, status_code, ]", true),
        ]
        .map(|(pattern, expected)| (pattern, line, expected)),
    );
    check(&[("[w1 = \"[open\", w2]", "[open end", true), ("[w]", "\"é", true)]);
}

#[test]
fn what_is_not_a_pattern_is_refused_with_its_name() {
    let characters = |term: &str| PatternError::Characters(term.to_owned());
    for (pattern, expected) in [
        ("email@example.com", characters("email@example.com")),
        ("\"\"", characters("\"\"")),
        ("?", characters("")),
        ("%something!%", characters("%something!%")),
        (
            "{ $.a = 1",
            PatternError::Unclosed {
                open: '{',
                close: '}',
            },
        ),
        (
            "[a, b",
            PatternError::Unclosed {
                open: '[',
                close: ']',
            },
        ),
    ] {
        assert_eq!(Pattern::parse(pattern).err(), Some(expected), "{pattern}");
    }
    for pattern in [
        "\"open",
        "%a",
        "%[%",
        "%a% %b% %c%",
        "{}",
        "{ a = 1 }",
        "{ $ = 1 }",
        "{ $.a }",
        "{ $.a = }",
        "{ $.a > x }",
        "{ $.a = 1 && }",
        "{ $.a = 1 $.b = 2 }",
        "{ $.a IS }",
        "{ $.a NOT }",
        "{ $.a[x] = 1 }",
        "{ $.a[99999999999999999999999] = 1 }",
        "{ ($.a = 1 }",
        "{ $.a = a@b }",
        "[..., ...]",
        "[a = 1 && b = 2]",
        "[a = 1 a]",
        "[= 1]",
        "%a{900}{900}%",
    ] {
        assert!(Pattern::parse(pattern).is_err(), "{pattern}");
    }
    let deep = format!("{{ {} $.a = 1 {} }}", "(".repeat(400), ")".repeat(400));
    assert!(Pattern::parse(&deep).is_err());
}

proptest! {
    #[test]
    fn nothing_panics(pattern in "[{\\[\"%?$ .a1=*()&|!<>,é\\\\\\]}-]{0,40}", message in ".{0,60}") {
        if let Ok(pattern) = Pattern::parse(&pattern) {
            pattern.matches(&message);
        }
    }

    #[test]
    fn a_quoted_phrase_is_searched_for_as_it_is(
        phrase in "[a-z @.%{}\\[\\]-]{1,12}",
        before in ".{0,8}",
        after in ".{0,8}",
    ) {
        let message = format!("{before}{phrase}{after}");
        let pattern = parse(&format!("\"{phrase}\""));
        prop_assert!(pattern.matches(&message));
    }
}
