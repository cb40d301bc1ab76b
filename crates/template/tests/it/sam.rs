//! The SAM transform.

use serde_json::json;

use crate::support::{error, plan, resolve};

fn sam(body: &str) -> String {
    format!("Transform: AWS::Serverless-2016-10-31\n{body}")
}

#[test]
fn a_function_becomes_a_function_and_its_role() {
    let text = sam("
Globals:
  Function:
    Runtime: python3.11
    Timeout: 5
    Tags: {team: shop}
    Environment: {Variables: {LEVEL: info, STAGE: test}}
Conditions: {Never: !Equals [a, b]}
Resources:
  Table: {Type: AWS::Serverless::SimpleTable}
  Mine: {Type: AWS::IAM::ManagedPolicy, Properties: {PolicyDocument: {}}}
  Intake:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Timeout: 9
      Environment: {Variables: {LEVEL: debug}}
      PermissionsBoundary: arn:aws:iam::123456789012:policy/b
      Policies:
        - AmazonS3FullAccess
        - AWSLambdaBasicExecutionRole
        - arn:aws:iam::aws:policy/AmazonS3FullAccess
        - !Ref Mine
        - Statement: [{Effect: Allow, Action: 's3:GetObject', Resource: '*'}]
        - !If [Never, AmazonDynamoDBFullAccess, !Ref AWS::NoValue]
        - DynamoDBReadPolicy: {TableName: !Ref Table}
");
    let plan = plan(&text).unwrap();
    assert_eq!(plan.unsupported(), []);
    let order: Vec<_> = plan
        .resources()
        .iter()
        .map(|resource| resource.logical_id.as_str())
        .collect();
    assert_eq!(order, ["Table", "Mine", "IntakeRole", "Intake"]);
    let resolved = resolve(&plan).unwrap();
    let tags = json!([{"Key": "lambda:createdBy", "Value": "SAM"}, {"Key": "team", "Value": "shop"}]);
    let function = &resolved["Intake"];
    assert_eq!(function["Code"], "src/");
    assert_eq!(function["Runtime"], "python3.11");
    assert_eq!(function["Timeout"], 9);
    assert_eq!(function["Role"], "att-IntakeRole-Arn");
    assert_eq!(
        function["Environment"]["Variables"],
        json!({"LEVEL": "debug", "STAGE": "test"})
    );
    assert_eq!(function["Tags"], tags);
    let role = &resolved["IntakeRole"];
    assert_eq!(
        role["AssumeRolePolicyDocument"],
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": ["lambda.amazonaws.com"]}}]})
    );
    assert_eq!(
        role["ManagedPolicyArns"],
        json!([
            "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
            "arn:aws:iam::aws:policy/AmazonS3FullAccess",
            "ref-Mine",
        ])
    );
    assert_eq!(role["PermissionsBoundary"], "arn:aws:iam::123456789012:policy/b");
    assert_eq!(role["Tags"], tags);
    assert_eq!(role["Policies"][0]["PolicyName"], "IntakeRolePolicy4");
    assert_eq!(role["Policies"][1]["PolicyName"], "IntakeRolePolicy6");
    assert_eq!(
        role["Policies"][1]["PolicyDocument"]["Statement"][0]["Resource"],
        json!([
            "arn:aws:dynamodb:eu-central-1:123456789012:table/ref-Table",
            "arn:aws:dynamodb:eu-central-1:123456789012:table/ref-Table/index/*",
        ])
    );
}

#[test]
fn code_takes_every_form_sam_has() {
    let cases = [
        ("CodeUri: ./x", json!("./x")),
        (
            "CodeUri: s3://bucket/a/b.zip",
            json!({"S3Bucket": "bucket", "S3Key": "a/b.zip"}),
        ),
        (
            "CodeUri: {Bucket: b, Key: k, Version: v}",
            json!({"S3Bucket": "b", "S3Key": "k", "S3ObjectVersion": "v"}),
        ),
        ("InlineCode: 'x = 1'", json!({"ZipFile": "x = 1"})),
    ];
    for (code, expected) in cases {
        let text = sam(&format!(
            "Resources: {{F: {{Type: AWS::Serverless::Function, Properties: {{{code}, Handler: h, Runtime: r, Role: arn}}}}}}"
        ));
        let resolved = resolve(&plan(&text).unwrap()).unwrap();
        assert_eq!(resolved["F"]["Code"], expected, "{code}");
        assert_eq!(resolved["F"]["Role"], "arn");
        assert!(!resolved.contains_key("FRole"));
    }
}

#[test]
fn a_simple_table_becomes_a_table() {
    let text = sam("
Resources:
  A: {Type: AWS::Serverless::SimpleTable, Properties: {TableName: a}}
  B: {Type: AWS::Serverless::SimpleTable, Properties: {TableName: b, PrimaryKey: {Name: n, Type: Number}, ProvisionedThroughput: {ReadCapacityUnits: 1, WriteCapacityUnits: 1}, Tags: {x: y}}}
");
    let resolved = resolve(&plan(&text).unwrap()).unwrap();
    assert_eq!(
        resolved["A"],
        json!({"TableName": "a", "BillingMode": "PAY_PER_REQUEST",
               "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]})
    );
    assert_eq!(
        resolved["B"],
        json!({"TableName": "b", "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}, "Tags": [{"Key": "x", "Value": "y"}],
               "AttributeDefinitions": [{"AttributeName": "n", "AttributeType": "N"}], "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}]})
    );
}

#[test]
fn events_and_other_properties_are_named() {
    let text = sam("
Globals: {Function: {Layers: [arn:layer], Handler: h, Runtime: r}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      AutoPublishAlias: live
      Events:
        Upload: {Type: S3, Properties: {Bucket: b}}
        Web: {Type: Api}
");
    let plan = plan(&text).unwrap();
    let names: Vec<_> = plan
        .unsupported()
        .iter()
        .map(|item| (item.line, item.property.clone().unwrap()))
        .collect();
    let expected = [
        (3, "Layers"),
        (9, "AutoPublishAlias"),
        (11, "Events.Upload (S3)"),
        (12, "Events.Web (Api)"),
    ];
    assert_eq!(names, expected.map(|(line, name)| (line, name.to_owned())));
}

#[test]
fn every_policy_template_expands() {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../src/data/policy_templates.json")).unwrap();
    let templates = file["templates"].as_object().unwrap();
    assert_eq!(templates.len(), 81);
    for (name, template) in templates {
        let arguments: serde_json::Map<_, _> = template["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|parameter| (parameter.as_str().unwrap().to_owned(), json!({"Ref": "B"})))
            .collect();
        let text = json!({
            "Transform": "AWS::Serverless-2016-10-31",
            "Resources": {
                "B": {"Type": "AWS::S3::Bucket"},
                "F": {"Type": "AWS::Serverless::Function", "Properties": {
                    "CodeUri": ".", "Handler": "h", "Runtime": "r", "Policies": [{name.as_str(): arguments}],
                }},
            },
        });
        let resolved =
            resolve(&plan(&text.to_string()).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let document = resolved["FRole"]["Policies"][0]["PolicyDocument"].to_string();
        assert!(
            !document.contains("Fn::") && !document.contains("\"Ref\"") && !document.contains("${"),
            "{name}: {document}"
        );
        assert!(document.contains("\"Action\""), "{name}: {document}");
    }
}

#[test]
fn mistakes_are_named() {
    let function = |properties: &str| {
        sam(&format!(
            "Resources: {{F: {{Type: AWS::Serverless::Function, Properties: {{{properties}}}}}}}"
        ))
    };
    let base = "CodeUri: ., Handler: h, Runtime: r";
    let cases = [
        (function("Handler: h, Runtime: r"), "`CodeUri` is missing"),
        (function("CodeUri: ., Runtime: r"), "`Handler` is missing"),
        (
            function("CodeUri: 's3://b', Handler: h, Runtime: r"),
            "an S3 address is s3://BUCKET/KEY",
        ),
        (
            function(&format!("{base}, Policies: [AmazonS3FullAcess]")),
            "Resources.F.Properties.Policies[0] (line 2, column",
        ),
        (
            function(&format!("{base}, Policies: [{{S3CrudPolicy: {{}}}}]")),
            "policy template `S3CrudPolicy` needs `BucketName`",
        ),
        (
            function(&format!("{base}, Policies: [{{S3Polizei: {{}}}}]")),
            "`S3Polizei` is no AWS managed policy and no SAM policy template",
        ),
        (
            function(&format!("{base}, Tags: {{'lambda:createdBy': me}}")),
            "is SAM's own",
        ),
        (
            sam("Globals: {Function: {Role: x}}\nResources: {}"),
            "Globals.Function (line 2, column 22): unknown key `Role`",
        ),
        (
            sam("Globals: {Funktion: {}}\nResources: {}"),
            "unknown key `Funktion`",
        ),
        (
            "Resources: {F: {Type: AWS::Serverless::Function}}".to_owned(),
            "needs `Transform: AWS::Serverless-2016-10-31`",
        ),
        (
            sam(&format!(
                "Resources: {{FRole: {{Type: AWS::S3::Bucket}}, F: {{Type: AWS::Serverless::Function, Properties: {{{base}}}}}}}"
            )),
            "SAM generates a resource named `FRole`",
        ),
        (
            sam(
                "Resources: {T: {Type: AWS::Serverless::SimpleTable, Properties: {PrimaryKey: {Name: n, Type: Text}}}}",
            ),
            "expected one of String, Number, Binary",
        ),
    ];
    for (text, expected) in cases {
        let error = error(&text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
