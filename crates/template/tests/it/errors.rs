//! Errors in the text and its sections, each with its place.

use crate::support::error;

#[test]
fn errors_name_path_line_and_column() {
    let cases = [
        ("", "line 1, column 1: not valid YAML: the template is empty"),
        ("[]", "line 1, column 1: expected a map, found a list"),
        (
            "Description: x\n",
            "line 1, column 1: `Resources` is missing; add it",
        ),
        (
            "Resources: {}\nResource: {}\n",
            "line 2, column 1: unknown key `Resource`",
        ),
        (
            "Resources:\n  A: 1\n  A: 2\n",
            "Resources (line 3, column 3): key `A` was already given at line 2, column 3",
        ),
        ("Resources:\n  A: {Type: [x\n", "not valid YAML"),
        (
            "Resources: {}\n---\nResources: {}\n",
            "line 2, column 1: not valid YAML: text after the end of the first document",
        ),
        ("Resources:\n  A:\n", "Resources.A (line 2"),
        (
            "Resources: {A: {Type: AWS::S3::Bucket, Properties: {BucketName: ~}}}",
            "Resources.A.Properties.BucketName (line 1, column 65): null values are not allowed",
        ),
        (
            "Resources: {A: {Properties: {}}}",
            "Resources.A (line 1, column 16): `Type` is missing",
        ),
        (
            "Resources: {A: {Type: AWS::S3::Bucket, Propertys: {}}}",
            "unknown key `Propertys`",
        ),
        (
            "Resources: {a-b: {Type: AWS::S3::Bucket}}",
            "`a-b` is not a valid logical ID",
        ),
        (
            "Resources: {A: {Type: AWS::S3::Bucket, DependsOn: B}}",
            "Resources.A.DependsOn (line 1, column 51): `B` is no parameter",
        ),
        (
            "Resources: {A: {Type: AWS::S3::Bucket, Condition: C}}",
            "there is no condition `C`",
        ),
        (
            "Resources: {A: {Type: AWS::DynamoDB::Table}}",
            "`KeySchema` is missing",
        ),
        (
            "Resources: {A: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}, MaxSessionDuration: 1h}}}",
            "Resources.A.Properties.MaxSessionDuration (line 1, column 102): expected a whole number, found a string",
        ),
        (
            "Resources: {A: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}, ManagedPolicyArns: x}}}",
            "expected a list, found a string",
        ),
        (
            "Transform: AWS::Include\nResources: {}",
            "Transform (line 1, column 12): transform `AWS::Include` is not supported",
        ),
        ("Rules: {}\nResources: {}", "unknown key `Rules`"),
        (
            "Parameters: {P: {Type: String}}\nResources: {}",
            "parameter `P` has no default",
        ),
        (
            "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: x}}\nResources: {}",
            "parameter type `AWS::SSM::Parameter::Value<String>` is not supported",
        ),
        (
            "Conditions: {A: !Not [!Condition B], B: !Not [!Condition A]}\nResources: {}",
            "Conditions (line 1, column 14): conditions depend on each other: A → B → A",
        ),
        (
            "Conditions: {A: !Equals [!Ref B, x]}\nResources: {B: {Type: AWS::S3::Bucket}}",
            "resource `B` cannot be used here",
        ),
        (
            "Conditions: {A: yes}\nResources: {}",
            "expected a map, found a boolean",
        ),
        (
            "Conditions: {A: !Or [!Equals [a, a]]}\nResources: {}",
            "takes 2 to 10 conditions",
        ),
        (
            "Outputs: {A: {Value: !Ref B}}\nResources: {}",
            "Outputs.A.Value.Ref (line 1, column 22): `B` is no parameter",
        ),
        (
            "Resources:\n  A: &a {Type: AWS::S3::Bucket}\n  B: {<<: *a}\n",
            "a merge key (`<<`) is not supported in templates; write the keys out",
        ),
        ("Resources: {[a]: 1}", "a key that is no string is not supported"),
        (
            "{\"Resources\": {\"A\": }}",
            "Resources.A (line 1, column 21): not valid JSON: expected a value",
        ),
        (
            "{\"Resources\": {}} x",
            "line 1, column 19: not valid JSON: text after the end",
        ),
        (
            "{\n\"Resources\": {},\n\"Resources\": {}}",
            "line 3, column 1: key `Resources` was already given at line 2, column 1",
        ),
        ("{\"Resources\": {\"A\": 01}}", "not valid JSON"),
        ("{\"Resources\": \"\\x\"}", "invalid escape"),
        ("{\"Resources\": \"", "a string that does not end"),
        ("{\"Resources\": ", "the text ends where a value should be"),
    ];
    for (text, expected) in cases {
        let error = error(text).to_string();
        assert!(
            error.contains(expected),
            "{text:?}\n  gave     {error}\n  expected {expected}"
        );
    }
}

#[test]
fn a_cycle_names_those_in_it() {
    let text = "
Resources:
  Outside: {Type: AWS::S3::Bucket, DependsOn: A}
  A: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub '${B}x'}}
  B: {Type: AWS::S3::Bucket, Properties: {BucketName: !GetAtt C.Arn}}
  C: {Type: AWS::S3::Bucket, DependsOn: [A]}
";
    let error = error(text).to_string();
    assert_eq!(
        error,
        "Resources (line 4, column 3): resources depend on each other: A → B → C → A; break the circle"
    );
}

#[test]
fn skipped_resources_cannot_be_used() {
    let text = "Resources: {T: {Type: AWS::SNS::Topic}, B: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref T}}}";
    let error = error(text).to_string();
    assert!(
        error.contains("resource `T` is not created: its type `AWS::SNS::Topic` is not supported"),
        "{error}"
    );
}
