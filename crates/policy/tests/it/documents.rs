//! Reading and printing documents: nothing is lost, errors say where, nothing makes the parser panic or hang.

use proptest::prelude::*;
use rolecall_policy::{
    CompiledPolicy, Document, DocumentKind, Effect, MAXIMUM_DEPTH, MAXIMUM_SIZE, ParseErrorKind, Position,
    Statement,
};

use crate::random;

const KINDS: [DocumentKind; 8] = [
    DocumentKind::Identity,
    DocumentKind::Boundary,
    DocumentKind::Session,
    DocumentKind::Resource,
    DocumentKind::Trust,
    DocumentKind::ServiceControl,
    DocumentKind::ResourceControl,
    DocumentKind::Endpoint,
];

#[test]
fn printing_keeps_the_order_and_the_form() {
    let text = concat!(
        r#"{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"A b","Effect":"Deny","NotPrincipal":{"Service":"a.amazonaws.com","#,
        r#""AWS":["*"]},"NotAction":["s3:Z","s3:A"],"NotResource":"*","Condition":{"StringLike":{"k:z":["b","a"],"k:a":"\u00e9\"\\"},"#,
        r#""Bool":{"k:b":"true"}}}]}"#
    );
    let document = Document::parse(text, DocumentKind::Resource).unwrap();
    assert_eq!(document.to_string(), text.replace("\\u00e9", "é"));
    let pretty = document.pretty();
    assert!(
        pretty.starts_with(
            "{\n    \"Version\": \"2012-10-17\",\n    \"Id\": \"x\",\n    \"Statement\": [\n        {\n"
        ),
        "{pretty}"
    );
    assert_eq!(
        Document::parse(&pretty, DocumentKind::Resource).unwrap(),
        document
    );
}

#[test]
fn scalars_of_conditions_become_text() {
    let text = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"k:b":true},"NumericEquals":{"k:n":[1,2.50]}}}}"#;
    let document = Document::parse(text, DocumentKind::Identity).unwrap();
    assert!(
        document
            .to_string()
            .ends_with(r#""Condition":{"Bool":{"k:b":"true"},"NumericEquals":{"k:n":["1","2.50"]}}}}"#)
    );
}

#[test]
fn a_document_can_be_put_together() {
    let statement = Statement::allow(
        Some("Orders".to_owned()),
        vec!["s3:GetObject".to_owned(), "s3:PutObject".to_owned()],
        vec!["arn:aws:s3:::orders/*".to_owned()],
    );
    let document = Document::new(vec![statement]);
    assert_eq!(
        document.to_string(),
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"Orders","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":["arn:aws:s3:::orders/*"]}]}"#
    );
    assert_eq!(
        Document::parse(&document.to_string(), DocumentKind::Identity).unwrap(),
        document
    );
    let statement = document.statements.first().unwrap();
    assert_eq!(
        (statement.effect, statement.action.value.iter().count()),
        (Effect::Allow, 2)
    );
}

#[test]
fn errors_say_where() {
    let cases = [
        ("", 1, 1, "", ParseErrorKind::Json),
        (
            "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {\"Effect\": \"allow\"}\n}",
            3,
            27,
            "Statement.Effect",
            ParseErrorKind::Syntax,
        ),
        (
            "{\"Statement\": [{\"Effect\": \"Allow\",\n\"Action\": [\"s3:*\", \"x\"], \"Resource\": \"*\"}]}",
            2,
            11,
            "Statement[0].Action",
            ParseErrorKind::Action,
        ),
        (
            "{\"Statement\": {\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"orders\"}}",
            1,
            62,
            "Statement.Resource",
            ParseErrorKind::Resource,
        ),
        ("{\"a\": 1, \"a\": 2}", 1, 10, "", ParseErrorKind::Json),
        ("{\"a\": 01}", 1, 9, "", ParseErrorKind::Json),
        ("{\"a\": \"\\ud800\"}", 1, 14, "", ParseErrorKind::Json),
    ];
    for (text, line, column, path, kind) in cases {
        let error = Document::parse(text, DocumentKind::Identity).unwrap_err();
        assert_eq!(
            (error.at, error.path.as_str(), error.kind),
            (Position { line, column }, path, kind),
            "{text}: {error}"
        );
        assert!(
            error
                .to_string()
                .starts_with(&format!("line {line} column {column}"))
        );
    }
}

#[test]
fn limits_hold() {
    let wide = format!(
        r#"{{"Statement":{{"Effect":"Allow","Action":"*","Resource":["{}"]}}}}"#,
        "*".repeat(MAXIMUM_SIZE)
    );
    assert_eq!(
        Document::parse(&wide, DocumentKind::Identity).unwrap_err().kind,
        ParseErrorKind::Json
    );
    for open in ["[", "{\"a\":"] {
        let deep = open.repeat(MAXIMUM_DEPTH + 2);
        let error = Document::parse(&deep, DocumentKind::Identity).unwrap_err();
        assert!(error.problem.contains("nested"), "{error}");
    }
    let keys: Vec<String> = (0..20_000).map(|key| format!("\"{key}\":1")).collect();
    assert!(Document::parse(&format!("{{{}}}", keys.join(",")), DocumentKind::Identity).is_err());
}

#[test]
fn quotas_leave_white_space_out() {
    // Rules 99 and 100.
    assert_eq!(Document::size_without_whitespace("{ \"a\":\n\t\"b\" }"), 9);
    assert_eq!(Document::forbidden_character("{\n\t\"é\": \"ÿ\"\r}"), None);
    assert_eq!(Document::forbidden_character("{\"Ā\"}"), Some('Ā'));
    assert_eq!(Document::forbidden_character("\u{7}"), Some('\u{7}'));
}

#[test]
fn condition_keys_are_listed() {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"k:z":"${k:a}"},"Null":{"k:z":"true"}}}}"#;
    let policy = CompiledPolicy::compile(&Document::parse(text, DocumentKind::Identity).unwrap(), "p");
    assert_eq!(policy.condition_keys(), ["k:a", "k:z"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parse_print_parse_is_the_same(document in random::document(true)) {
        let parsed = Document::parse(&document.to_string(), DocumentKind::Resource).unwrap();
        for printed in [parsed.to_string(), parsed.pretty()] {
            prop_assert_eq!(&Document::parse(&printed, DocumentKind::Resource).unwrap(), &parsed);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        for kind in KINDS {
            let _ = Document::parse(&text, kind);
        }
    }

    /// Cuts, doubles and swaps pieces of a document that is right: closer to what nearly is a policy than random text.
    #[test]
    fn any_damaged_document_is_read_or_refused(
        document in random::document(true), at in any::<prop::sample::Index>(), length in 0_usize..20, with in "[\\{\\}\\[\\]\",:$*a\\\\u0-9é]{0,4}",
    ) {
        let mut characters: Vec<char> = document.to_string().chars().collect();
        let start = at.index(characters.len());
        let end = start.saturating_add(length).min(characters.len());
        characters.splice(start..end, with.chars());
        let damaged: String = characters.into_iter().collect();
        for kind in KINDS {
            if let Ok(document) = Document::parse(&damaged, kind) {
                let policy = CompiledPolicy::compile(&document, "damaged");
                prop_assert_eq!(policy.label(), "damaged");
                prop_assert_eq!(Document::parse(&document.to_string(), kind).unwrap(), document);
            }
        }
    }
}
