//! Order, types of properties, generated names, parameters, outputs.

use std::collections::BTreeMap;

use rolecall_template::{CodeSource, Template};
use serde_json::json;

use crate::support::{answer, plan, plan_with, pseudo, resolve};

#[test]
fn each_resource_comes_after_those_it_needs() {
    let text = "
Resources:
  Fn:
    Type: AWS::Lambda::Function
    DependsOn: Logs
    Properties: {Code: {ZipFile: x}, Handler: index.h, Runtime: python3.11, Role: !GetAtt Role.Arn, Environment: {Variables: {T: !Sub 'x${Table}'}}}
  Role:
    Type: AWS::IAM::Role
    Properties: {AssumeRolePolicyDocument: {}, Policies: [{PolicyName: p, PolicyDocument: {R: !Join ['', [!GetAtt Table.Arn, /x]]}}]}
  Table:
    Type: AWS::DynamoDB::Table
    Properties: {KeySchema: []}
  Logs: {Type: AWS::Logs::LogGroup}
";
    let plan = plan(text).unwrap();
    let order: Vec<_> = plan
        .resources()
        .iter()
        .map(|resource| resource.logical_id.as_str())
        .collect();
    assert_eq!(order, ["Table", "Role", "Logs", "Fn"]);
    assert_eq!(plan.resources()[3].depends_on, ["Role", "Table", "Logs"]);
    assert_eq!(plan.resources()[0].line, 10);
    let resolved = resolve(&plan).unwrap();
    assert_eq!(
        resolved["Fn"]["Environment"],
        json!({"Variables": {"T": "xref-Table"}})
    );
    assert_eq!(
        resolved["Role"]["Policies"][0]["PolicyDocument"],
        json!({"R": "att-Table-Arn/x"})
    );
}

#[test]
fn scalars_take_the_type_of_their_property() {
    let text = "
Parameters: {Memory: {Type: Number, Default: 256}}
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties:
      Code: src/
      Role: arn:aws:iam::123456789012:role/r
      MemorySize: !Ref Memory
      Timeout: '7'
      Environment: {Variables: {PORT: 8080, DEBUG: true, RATE: 1.10}}
      Tags: [{Key: cost, Value: 12}]
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      DeletionProtectionEnabled: 'false'
      ProvisionedThroughput: {ReadCapacityUnits: '1', WriteCapacityUnits: 2}
  P:
    Type: AWS::Lambda::Permission
    Properties: {Action: lambda:InvokeFunction, FunctionName: f, Principal: 123456789012, SourceAccount: 001234567890}
";
    let resolved = resolve(&plan(text).unwrap()).unwrap();
    let function = &resolved["F"];
    assert_eq!(function["MemorySize"], 256);
    assert_eq!(function["Timeout"], 7);
    assert_eq!(function["Code"], "src/");
    assert_eq!(
        function["Environment"]["Variables"],
        json!({"PORT": "8080", "DEBUG": "true", "RATE": "1.10"})
    );
    assert_eq!(function["Tags"], json!([{"Key": "cost", "Value": "12"}]));
    assert_eq!(resolved["T"]["DeletionProtectionEnabled"], false);
    assert_eq!(
        resolved["T"]["ProvisionedThroughput"],
        json!({"ReadCapacityUnits": 1, "WriteCapacityUnits": 2})
    );
    assert_eq!(resolved["P"]["Principal"], "123456789012");
    assert_eq!(resolved["P"]["SourceAccount"], "001234567890");
}

#[test]
fn names_are_generated_where_the_template_gives_none() {
    let text = "Resources: {MyBucket: {Type: AWS::S3::Bucket}, R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}, RoleName: mine}}}";
    let plan = plan(text).unwrap();
    let first = resolve(&plan).unwrap();
    let bucket = first["MyBucket"]["BucketName"].as_str().unwrap();
    assert!(
        bucket.starts_with("shop-mybucket-") && bucket.len() == 26,
        "{bucket}"
    );
    assert_eq!(first["R"]["RoleName"], "mine");
    assert!(plan.physical_name("R").starts_with("shop-R-"));
    let mut other = pseudo();
    other.stack_id.push('2');
    let other = Template::parse(text)
        .unwrap()
        .plan(&BTreeMap::new(), &other, &|_| None)
        .unwrap();
    assert_ne!(resolve(&other).unwrap()["MyBucket"], first["MyBucket"]);
}

#[test]
fn what_is_not_supported_is_named_and_left_out() {
    let text = "
Conditions: {Never: !Equals [a, b]}
Resources:
  Topic:
    Type: AWS::SNS::Topic
  B:
    Type: AWS::S3::Bucket
    UpdatePolicy: {}
    DeletionPolicy: Retain
    Properties:
      BucketName: b
      VersioningConfiguration: {Status: Enabled}
      WebsiteConfiguration: !If [Never, {IndexDocument: i}, !Ref AWS::NoValue]
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: []
      GlobalSecondaryIndexes:
        - IndexName: i
          KeySchema: []
          Warmth: high
";
    let plan = plan(text).unwrap();
    let unsupported: Vec<_> = plan.unsupported().iter().map(ToString::to_string).collect();
    assert_eq!(
        unsupported,
        [
            "line 4: Topic has the type AWS::SNS::Topic, which is not supported",
            "line 8: UpdatePolicy of B (AWS::S3::Bucket) is not supported",
            "line 12: VersioningConfiguration of B (AWS::S3::Bucket) is not supported",
            "line 21: GlobalSecondaryIndexes[0].Warmth of T (AWS::DynamoDB::Table) is not supported",
        ]
    );
    let resolved = resolve(&plan).unwrap();
    assert_eq!(resolved["B"], json!({"BucketName": "b"}));
    assert_eq!(
        resolved["T"]["GlobalSecondaryIndexes"],
        json!([{"IndexName": "i", "KeySchema": []}])
    );
    assert!(!resolved.contains_key("Topic"));
}

#[test]
fn conditions_decide_what_is_created() {
    let text = "
Parameters: {Stage: {Type: String, AllowedValues: [test, prod]}}
Conditions: {IsProd: !Equals [!Ref Stage, prod]}
Resources:
  Archive: {Type: AWS::S3::Bucket, Condition: IsProd}
  Main:
    Type: AWS::S3::Bucket
    DependsOn: Archive
    Properties: {BucketName: !If [IsProd, !Sub '${Archive}-main', main]}
Outputs:
  Archive: {Condition: IsProd, Value: !Ref Archive}
  Main: {Value: !GetAtt Main.Arn}
";
    let test = plan_with(text, &[("Stage", "test")]).unwrap();
    let resolved = resolve(&test).unwrap();
    assert_eq!(resolved.keys().collect::<Vec<_>>(), ["Main"]);
    assert_eq!(resolved["Main"]["BucketName"], "main");
    let created = BTreeMap::from([("Main".to_owned(), answer("Main"))]);
    assert_eq!(
        json!(test.outputs(&created).unwrap()),
        json!({"Main": "att-Main-Arn"})
    );

    let prod = plan_with(text, &[("Stage", "prod")]).unwrap();
    assert_eq!(resolve(&prod).unwrap()["Main"]["BucketName"], "ref-Archive-main");

    let forced = text.replace("!If [IsProd, !Sub '${Archive}-main', main]", "!Ref Archive");
    let error = plan_with(&forced, &[("Stage", "test")]).unwrap_err().to_string();
    assert!(
        error.contains("resource `Archive` is not created: its condition `IsProd` is false"),
        "{error}"
    );
}

#[test]
fn parameter_values_are_checked() {
    let declarations = "
Parameters:
  Word: {Type: String, Default: abc, AllowedPattern: '[a-z]+', MinLength: 2, MaxLength: 4}
  Number: {Type: Number, Default: 5, MinValue: 1, MaxValue: 10}
  Choice: {Type: String, Default: a, AllowedValues: [a, b]}
  Numbers: {Type: List<Number>, Default: '1,2'}
  Secret: {Type: String, Default: x, NoEcho: true, AllowedPattern: x|y, ConstraintDescription: must be x or y}
Resources: {}
";
    let refused = [
        ("Word", "ABC", "does not match AllowedPattern"),
        ("Word", "abc\n", "does not match AllowedPattern"),
        ("Word", "a", "shorter than MinLength"),
        ("Word", "abcde", "longer than MaxLength"),
        ("Number", "11", "larger than MaxValue"),
        ("Number", "0", "smaller than MinValue"),
        ("Number", "NaN", "is not a number"),
        ("Choice", "c", "none of AllowedValues"),
        ("Numbers", "1,b", "is not a number"),
        ("Secret", "hunter2", "must be x or y"),
        ("Other", "1", "declares no parameter `Other`"),
    ];
    for (name, value, expected) in refused {
        let error = plan_with(declarations, &[(name, value)]).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}={value}: {error}");
        assert!(name != "Secret" || !error.contains(value), "{error}");
    }
    for (name, value) in [
        ("Word", "zz"),
        ("Number", "10"),
        ("Choice", "b"),
        ("Numbers", "3, 4"),
        ("Secret", "y"),
    ] {
        plan_with(declarations, &[(name, value)]).unwrap();
    }
}

#[test]
fn functions_are_listed() {
    let text = "
Parameters: {Runtime: {Type: String, Default: python3.12}}
Resources:
  A: {Type: AWS::Lambda::Function, Properties: {Code: ./a, Handler: a.h, Runtime: !Ref Runtime, Role: r}}
  B: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: 'print(1)'}, Role: r}}
  C: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: !Ref Artifacts, S3Key: k}, Role: r}}
  Artifacts: {Type: AWS::S3::Bucket}
";
    let functions = plan(text).unwrap().functions().unwrap();
    let codes: Vec<_> = functions
        .iter()
        .map(|function| (function.logical_id.as_str(), &function.code))
        .collect();
    assert_eq!(
        codes,
        [
            ("A", &CodeSource::LocalPath("./a".to_owned())),
            ("B", &CodeSource::Inline("print(1)".to_owned())),
            ("C", &CodeSource::S3),
        ]
    );
    assert_eq!(functions[0].runtime.as_deref(), Some("python3.12"));
    assert_eq!(functions[0].handler.as_deref(), Some("a.h"));
    assert_eq!((functions[1].runtime.as_deref(), functions[0].line), (None, 4));
}
