//! The template of the example that everybody runs first.

use rolecall_template::CodeSource;
use serde_json::json;

use crate::support::{plan, resolve};

#[test]
fn order_intake_resolves() {
    let plan = plan(include_str!("../../../../examples/order-intake/template.yaml")).unwrap();
    assert_eq!(plan.unsupported(), []);
    let order: Vec<_> = plan
        .resources()
        .iter()
        .map(|resource| resource.logical_id.as_str())
        .collect();
    let expected = [
        "IncomingOrders",
        "OrderTable",
        "OrderIntakeRole",
        "OrderIntake",
        "OrderIntakeLogs",
        "BucketMayInvoke",
    ];
    assert_eq!(order, expected);
    let resolved = resolve(&plan).unwrap();
    assert_eq!(
        resolved["IncomingOrders"],
        json!({"BucketName": "order-intake-123456789012"})
    );
    assert_eq!(
        resolved["OrderIntakeLogs"],
        json!({"LogGroupName": "/aws/lambda/ref-OrderIntake", "RetentionInDays": 30})
    );
    assert_eq!(
        resolved["OrderIntake"]["Environment"],
        json!({"Variables": {"TABLE_NAME": "ref-OrderTable"}})
    );
    assert_eq!(
        resolved["BucketMayInvoke"],
        json!({
            "Action": "lambda:InvokeFunction", "FunctionName": "att-OrderIntake-Arn", "Principal": "s3.amazonaws.com",
            "SourceAccount": "123456789012", "SourceArn": "att-IncomingOrders-Arn",
        })
    );
    let functions = plan.functions().unwrap();
    assert_eq!(functions[0].code, CodeSource::LocalPath("src/".to_owned()));
    assert_eq!(functions[0].runtime.as_deref(), Some("python3.11"));
}
