//! Text meant to exhaust or crash the reader.

use std::fmt::Write;

use proptest::prelude::*;
use rolecall_template::{Problem, Template};

use crate::support::{error, plan, resolve};

fn problem(text: &str) -> Problem {
    error(text).problem
}

#[test]
fn size_and_depth_are_bounded() {
    let large = format!("Description: {}\nResources: {{}}", "x".repeat(1_000_000));
    assert!(matches!(
        problem(&large),
        Problem::TooLarge { limit: 1_000_000, .. }
    ));

    for (open, close) in [("[", "]"), ("{a: ", "}"), ("!Base64 [", "]")] {
        let nested = |levels: usize| format!("Resources: {}{}", open.repeat(levels), close.repeat(levels));
        assert!(matches!(problem(&nested(100)), Problem::TooDeep { .. }), "{open}");
        // The scanner looks ahead for keys and may meet its own limit first.
        let refused = problem(&nested(50_000));
        assert!(
            matches!(refused, Problem::TooDeep { .. } | Problem::Syntax { .. }),
            "{open}: {refused}"
        );
    }
    let mut block = String::from("Resources:\n");
    for level in 1..1000 {
        writeln!(block, "{}a:", " ".repeat(level)).unwrap();
    }
    assert!(matches!(problem(&block), Problem::TooDeep { .. }));
    for open in ["[", "{\"a\": "] {
        let deep = format!("{{\"Resources\": {}", open.repeat(50_000));
        assert!(matches!(problem(&deep), Problem::TooDeep { .. }), "{open}");
    }
}

#[test]
fn aliases_cannot_blow_up() {
    let mut bomb = String::from("Metadata:\n  a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(bomb, "  a{level}: &a{level} [{aliases}]").unwrap();
    }
    bomb.push_str("Resources: {}\n");
    assert!(matches!(problem(&bomb), Problem::TooMuch { .. }));

    let mut tower = String::from("Metadata:\n  a0: &a0 [x]\n");
    for level in 1..5000 {
        writeln!(tower, "  a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    tower.push_str("Resources: {}\n");
    assert!(matches!(problem(&tower), Problem::TooDeep { .. }));

    assert!(matches!(problem("Resources: &a [*a]"), Problem::Syntax { .. }));
    let honest =
        "Metadata: {n: &n orders}\nResources: {B: {Type: AWS::S3::Bucket, Properties: {BucketName: *n}}}";
    assert_eq!(
        resolve(&plan(honest).unwrap()).unwrap()["B"]["BucketName"],
        "orders"
    );
}

#[test]
fn evaluation_cannot_blow_up() {
    let value = "x".repeat(4000);
    let text = "${P}".repeat(10_000);
    let template = format!(
        "Parameters: {{P: {{Type: String, Default: {value}}}}}\nResources: {{B: {{Type: AWS::S3::Bucket, Properties: {{BucketName: !Sub '{text}'}}}}}}"
    );
    assert!(matches!(problem(&template), Problem::TooMuch { .. }));
}

#[test]
fn a_long_chain_of_conditions_needs_no_stack() {
    let mut template = String::from("Conditions:\n  C0: !Equals [a, a]\n");
    for index in 1..500 {
        writeln!(template, "  C{index}: !Not [!Condition C{}]", index - 1).unwrap();
    }
    template.push_str("Resources: {}\nOutputs: {O: {Value: !If [C499, odd, even]}}\n");
    let plan = plan(&template).unwrap();
    assert_eq!(
        plan.outputs(&std::collections::BTreeMap::new()).unwrap()["O"],
        "even"
    );
}

#[test]
fn a_long_chain_of_resources_needs_no_stack() {
    let mut template = String::from("Resources:\n");
    for index in 0..499 {
        writeln!(
            template,
            "  B{index}: {{Type: AWS::S3::Bucket, DependsOn: B{}}}",
            index + 1
        )
        .unwrap();
    }
    template.push_str("  B499: {Type: AWS::S3::Bucket}\n");
    let plan = plan(&template).unwrap();
    assert_eq!(plan.resources()[0].logical_id, "B499");
    template.push_str("  B500: {Type: AWS::S3::Bucket}\n");
    assert!(matches!(
        problem(&template),
        Problem::TooMany {
            count: 501,
            limit: 500
        }
    ));
}

/// Text made of the pieces that mean something.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "Resources",
        "Parameters",
        "Conditions",
        "Globals",
        "Properties",
        "Type",
        ": ",
        ":",
        "\n",
        "\n  ",
        "\n    ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "!Ref ",
        "!Sub ",
        "!If ",
        "!GetAtt ",
        "!Join ",
        "Fn::Sub",
        "Ref",
        "&a ",
        "*a",
        "'",
        "\"",
        "|",
        ">",
        "#",
        "---",
        "...",
        "AWS::S3::Bucket",
        "AWS::Serverless::Function",
        "AWS::NoValue",
        "${",
        "}",
        "é",
        "\t",
        "%",
        "? ",
        "~",
        "0",
        "\\u",
        "\u{feff}",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn expression() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::json!("B")),
        Just(serde_json::json!("B.Arn")),
        Just(serde_json::json!("${B}-${AWS::Region}-${!x}-${")),
        Just(serde_json::json!("10.0.0.0/8")),
        any::<i64>().prop_map(|number| serde_json::json!(number)),
        any::<bool>().prop_map(|value| serde_json::json!(value)),
    ];
    leaf.prop_recursive(6, 48, 4, |inner| {
        let function = prop::sample::select(vec![
            "Ref",
            "Fn::Sub",
            "Fn::GetAtt",
            "Fn::Join",
            "Fn::Split",
            "Fn::Select",
            "Fn::FindInMap",
            "Fn::Base64",
            "Fn::Cidr",
            "Fn::GetAZs",
            "Fn::If",
            "Condition",
            "Fn::Equals",
            "K",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::Array),
            (function, inner).prop_map(|(name, argument)| serde_json::json!({name: argument})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        let _ = plan(&text).and_then(|plan| resolve(&plan));
    }

    #[test]
    fn template_like_text_never_panics(text in pieces()) {
        let _ = plan(&text).and_then(|plan| resolve(&plan));
        let _ = Template::parse(&format!("{{{text}"));
    }

    /// Whatever evaluates is free of intrinsic functions, and whatever does not says where.
    #[test]
    fn expressions_evaluate_or_say_where(expression in expression()) {
        let template = serde_json::json!({
            "Conditions": {"B": {"Fn::Equals": ["a", "a"]}},
            "Resources": {
                "B": {"Type": "AWS::S3::Bucket"},
                "P": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"V": expression}}},
            },
        });
        match plan(&template.to_string()).and_then(|plan| resolve(&plan)) {
            Ok(resolved) => {
                let text = resolved["P"]["PolicyDocument"].to_string();
                prop_assert!(!text.contains("\"Fn::") && !text.contains("\"Ref\":"), "{text}");
            }
            Err(error) => {
                prop_assert!(error.position.is_some(), "{error}");
                prop_assert!(error.path.starts_with("Resources.P.Properties.PolicyDocument"), "{error}");
            }
        }
    }
}
