//! Every intrinsic function, in short and long form, in YAML and JSON.

use serde_json::{Value, json};

use crate::support::{error, plan, plan_with, resolve};

const HEAD: &str = r#"
Parameters:
  Stage: {Type: String, Default: test}
  Names: {Type: CommaDelimitedList, Default: "a, b,c"}
  Count: {Type: Number, Default: 3}
Mappings:
  Sizes:
    test: {memory: 128, zones: [x, y]}
    prod: {memory: 1024, zones: [z]}
Conditions:
  IsTest: !Equals [!Ref Stage, test]
  IsProd: !Not [!Condition IsTest]
  Both: !And [!Condition IsTest, !Condition IsProd]
  Either: !Or [!Condition Both, !Condition IsTest]
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Policy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        V: "#;

/// What an expression gives inside a document, where nothing is converted.
fn value(expression: &str) -> Value {
    let plan = plan(&format!("{HEAD}{expression}\n")).unwrap_or_else(|error| panic!("{expression}: {error}"));
    let resolved = resolve(&plan).unwrap_or_else(|error| panic!("{expression}: {error}"));
    resolved["Policy"]["PolicyDocument"]
        .get("V")
        .cloned()
        .unwrap_or(Value::Null)
}

#[test]
fn intrinsic_functions_give_what_aws_documents() {
    let cases = [
        ("!Ref Stage", json!("test")),
        ("{Ref: Stage}", json!("test")),
        ("!Ref Names", json!(["a", "b", "c"])),
        ("!Ref AWS::AccountId", json!("123456789012")),
        ("!Ref AWS::Region", json!("eu-central-1")),
        ("!Ref AWS::Partition", json!("aws")),
        ("!Ref AWS::StackName", json!("shop")),
        ("!Ref AWS::URLSuffix", json!("amazonaws.com")),
        ("!Ref Bucket", json!("ref-Bucket")),
        ("!GetAtt Bucket.Arn", json!("att-Bucket-Arn")),
        ("!GetAtt [Bucket, DomainName]", json!("att-Bucket-DomainName")),
        ("{'Fn::GetAtt': Bucket.Arn}", json!("att-Bucket-Arn")),
        (
            "!Sub '${Stage}-${Bucket}-${Bucket.Arn}-${AWS::Region}-${!Stage}'",
            json!("test-ref-Bucket-att-Bucket-Arn-eu-central-1-${Stage}"),
        ),
        (
            "!Sub ['${A}/${Stage}', {A: !Ref Bucket, Stage: mine}]",
            json!("ref-Bucket/mine"),
        ),
        ("!Sub '${Count}'", json!("3")),
        ("!Join ['-', [a, !Ref Stage, 7, true]]", json!("a-test-7-true")),
        ("!Join [',', !Ref Names]", json!("a,b,c")),
        ("!Join ['', [a, !Ref AWS::NoValue, b]]", json!("ab")),
        ("!Split ['-', a-b-c]", json!(["a", "b", "c"])),
        ("!Select [1, [a, b]]", json!("b")),
        ("!Select ['2', !Split ['/', x/y/z]]", json!("z")),
        ("!Select [0, !Ref Names]", json!("a")),
        ("!FindInMap [Sizes, !Ref Stage, memory]", json!(128)),
        ("!FindInMap [Sizes, prod, zones]", json!(["z"])),
        ("!Base64 abc", json!("YWJj")),
        ("{'Fn::Base64': !Sub '${Stage}'}", json!("dGVzdA==")),
        ("!Cidr [10.0.0.0/16, 2, 8]", json!(["10.0.0.0/24", "10.0.1.0/24"])),
        (
            "!GetAZs ''",
            json!(["eu-central-1a", "eu-central-1b", "eu-central-1c"]),
        ),
        (
            "!GetAZs us-east-1",
            json!(["us-east-1a", "us-east-1b", "us-east-1c"]),
        ),
        ("!If [IsTest, yes-it-is, !Ref AWS::NoValue]", json!("yes-it-is")),
        ("!If [IsProd, 1, 2]", json!(2)),
        ("!If [Both, 1, !If [Either, 3, 4]]", json!(3)),
        ("!If [IsProd, x, !Ref AWS::NoValue]", Value::Null),
        (
            "[1, !Ref AWS::NoValue, {A: !Ref AWS::NoValue, B: 2}]",
            json!([1, {"B": 2}]),
        ),
        // `Condition` is a key of a policy statement, not a function.
        (
            "{Condition: {Bool: {'aws:SecureTransport': 'false'}}}",
            json!({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
        ),
        // Scalars.
        ("2012-10-17", json!("2012-10-17")),
        ("012345678901", json!("012345678901")),
        ("123456789012", json!(123_456_789_012_i64)),
        ("on", json!(true)),
        ("'on'", json!("on")),
        ("!!str 5", json!("5")),
        ("1.50", json!(1.5)),
    ];
    for (expression, expected) in cases {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn conditions_follow_parameters() {
    let text = format!("{HEAD}!If [IsProd, prod, !If [Either, test, neither]]\n");
    for (stage, expected) in [("test", "test"), ("prod", "prod"), ("other", "prod")] {
        let plan = plan_with(&text, &[("Stage", stage)]).unwrap();
        assert_eq!(
            resolve(&plan).unwrap()["Policy"]["PolicyDocument"]["V"],
            expected,
            "{stage}"
        );
    }
}

#[test]
fn misuse_is_named_with_its_place() {
    let cases = [
        ("!Ref Nothing", "`Nothing` is no parameter"),
        ("!Ref AWS::Nothing", "`AWS::Nothing` is no parameter"),
        ("!Ref [a]", "expected a string, found a list"),
        (
            "!GetAtt Bucket.Colour",
            "`AWS::S3::Bucket` has no attribute `Colour`; it has Arn, DomainName, RegionalDomainName",
        ),
        ("!GetAtt Nothing.Arn", "`Nothing` is no parameter"),
        ("!GetAtt Stage.Arn", "`Stage` is no parameter"),
        ("!Sub '${Nothing}'", "`Nothing` is no parameter"),
        ("!Sub '${ Stage }'", "has the variable ` Stage `"),
        ("!Sub '${Names}'", "expected a string, found a list"),
        ("!Sub [a]", "takes a string and a map of variables, not 1 values"),
        ("!Join [a]", "takes a delimiter and a list"),
        ("!Join ['', [[a]]]", "expected a string, found a list"),
        ("!Split ['', a]", "needs a delimiter that is not empty"),
        ("!Select [2, [a, b]]", "cannot select a value at index 2"),
        ("!Select [-1, [a, b]]", "cannot select a value at index -1"),
        (
            "!FindInMap [Sizes, dev, memory]",
            "mapping `Sizes` has no value for `dev`",
        ),
        (
            "!FindInMap [Colours, dev, memory]",
            "mapping `Colours` has no value for `Colours`",
        ),
        ("!If [Maybe, 1, 2]", "there is no condition `Maybe`"),
        (
            "!If [IsTest, 1]",
            "takes a condition's name and two values, not 2 values",
        ),
        ("!Cidr [10.0.0.0/16, 2]", "needs the host bits"),
        ("!Cidr [10.0.0.0/16, x, 8]", "expected a whole number"),
        ("!Equals [a, a]", "may stand under Conditions only"),
        ("!ImportValue x", "is not supported: there are no other stacks"),
        ("!Transform {Name: x}", "is not supported"),
        ("{'Fn::Length': [a]}", "is not supported"),
        ("{'Fn::Sub': a, B: c}", "must be the only key of its map"),
        ("!Nothing x", "the tag `!Nothing` is not supported"),
        ("!!binary x", "the tag `!!binary` is not supported"),
    ];
    for (expression, expected) in cases {
        let error = error(&format!("{HEAD}{expression}\n"));
        let text = error.to_string();
        assert!(text.contains(expected), "{expression}: {text}");
        assert!(
            text.starts_with("Resources.Policy.Properties.PolicyDocument"),
            "{expression}: {text}"
        );
        assert_eq!(error.position.map(|at| at.line), Some(21), "{expression}: {text}");
    }
}

#[test]
fn json_and_yaml_say_the_same() {
    let yaml = "Resources:\n  P:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      PolicyDocument: {A: !Sub '${AWS::Region}', B: [1, 2.5, true]}\n";
    let json = "\t{\"Resources\": {\"P\": {\"Type\": \"AWS::IAM::ManagedPolicy\", \"Properties\": {\"PolicyDocument\":\n\t{\"A\": {\"Fn::Sub\": \"${AWS::\\u0052egion}\"}, \"B\": [1, 25e-1, true]}}}}}\n";
    assert_eq!(
        resolve(&plan(yaml).unwrap()).unwrap(),
        resolve(&plan(json).unwrap()).unwrap()
    );
}
