//! What each call is authorised as.

use rolecall_service::{Access, Service};
use serde_json::{Value as Json, json};

use crate::endpoint::{ACCOUNT, Endpoint, REGION};

fn arn(resource: &str) -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{resource}")
}

fn key<'a>(access: &'a Access, name: &str) -> Vec<&'a str> {
    let found = access.context.iter().find(|(key, _)| key == name);
    found
        .map(|(_, values)| values.iter().map(String::as_str).collect())
        .unwrap_or_default()
}

#[tokio::test]
async fn actions_and_resources() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", true).await;
    let item = json!({"id": {"S": "a"}, "at": {"N": "1"}});
    let cases = [
        (
            "PutItem",
            json!({"TableName": "orders", "Item": item}),
            vec![("dynamodb:PutItem", arn("orders"))],
        ),
        (
            "GetItem",
            json!({"TableName": "nothing", "Key": item}),
            vec![("dynamodb:GetItem", arn("nothing"))],
        ),
        (
            "Scan",
            json!({"TableName": "orders", "IndexName": "by-x"}),
            vec![("dynamodb:Scan", arn("orders/index/by-x"))],
        ),
        (
            "BatchGetItem",
            json!({"RequestItems": {"orders": {"Keys": [item]}, "other": {"Keys": [item]}}}),
            vec![
                ("dynamodb:BatchGetItem", arn("orders")),
                ("dynamodb:BatchGetItem", arn("other")),
            ],
        ),
        (
            "TransactWriteItems",
            json!({"TransactItems": [
                {"Put": {"TableName": "orders", "Item": item}},
                {"Put": {"TableName": "orders", "Item": {"id": {"S": "b"}, "at": {"N": "1"}}}},
                {"ConditionCheck": {"TableName": "orders", "Key": item, "ConditionExpression": "attribute_exists(id)"}},
            ]}),
            vec![
                ("dynamodb:ConditionCheckItem", arn("orders")),
                ("dynamodb:PutItem", arn("orders")),
            ],
        ),
        (
            "TransactGetItems",
            json!({"TransactItems": [{"Get": {"TableName": "orders", "Key": item}}]}),
            vec![("dynamodb:GetItem", arn("orders"))],
        ),
        (
            "ListTables",
            json!({}),
            vec![("dynamodb:ListTables", "*".to_owned())],
        ),
        (
            "CreateTable",
            json!({"TableName": "new", "Tags": [{"Key": "k", "Value": "v"}]}),
            vec![
                ("dynamodb:CreateTable", arn("new")),
                ("dynamodb:TagResource", arn("new")),
            ],
        ),
    ];
    for (operation, input, expected) in cases {
        let needs = endpoint.needs(operation, input).await;
        let found: Vec<(&str, String)> = needs
            .iter()
            .map(|access| (&*access.action, access.resource.clone()))
            .collect();
        assert_eq!(found, expected, "{operation}");
    }
}

#[tokio::test]
async fn condition_keys() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", true).await;
    let query = json!({
        "TableName": "orders", "KeyConditionExpression": "id = :id AND #at > :n", "ProjectionExpression": "v.w", "ExpressionAttributeNames": {"#at": "at"},
        "ExpressionAttributeValues": {":id": {"S": "ann"}, ":n": {"N": "1"}}, "ReturnConsumedCapacity": "TOTAL",
    });
    let needs = endpoint.needs("Query", query).await;
    assert_eq!(key(&needs[0], "dynamodb:LeadingKeys"), ["ann"]);
    assert_eq!(key(&needs[0], "dynamodb:Attributes"), ["at", "id", "v"]);
    assert_eq!(key(&needs[0], "dynamodb:Select"), ["SPECIFIC_ATTRIBUTES"]);
    assert_eq!(key(&needs[0], "dynamodb:ReturnConsumedCapacity"), ["TOTAL"]);
    let item = |id: &str| json!({"PutRequest": {"Item": {"id": {"S": id}, "at": {"N": "1"}}}});
    let needs = endpoint
        .needs(
            "BatchWriteItem",
            json!({"RequestItems": {"orders": [item("x"), item("y")]}}),
        )
        .await;
    assert_eq!(key(&needs[0], "dynamodb:LeadingKeys"), ["x", "y"]);
    let update = json!({
        "TableName": "orders", "Key": {"id": {"S": "a"}, "at": {"N": "1"}}, "UpdateExpression": "SET a = if_not_exists(b, :v)", "ConditionExpression": "c = :v",
        "ExpressionAttributeValues": {":v": {"N": "1"}}, "ReturnValues": "UPDATED_NEW",
    });
    let needs = endpoint.needs("UpdateItem", update).await;
    assert_eq!(key(&needs[0], "dynamodb:Attributes"), ["a", "at", "b", "c", "id"]);
    assert_eq!(key(&needs[0], "dynamodb:ReturnValues"), ["UPDATED_NEW"]);
}

fn own_rows() -> Json {
    json!([{
        "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:BatchWriteItem"], "Resource": arn("orders"),
        "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ada"]}},
    }])
}

#[tokio::test]
async fn a_policy_on_leading_keys_holds() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", true).await;
    let get = |id: &str| json!({"TableName": "orders", "Key": {"id": {"S": id}, "at": {"N": "1"}}});
    assert!(
        endpoint
            .call_with(own_rows(), "GetItem", get("ada"))
            .await
            .is_ok()
    );
    let denied = endpoint
        .call_with(own_rows(), "GetItem", get("bob"))
        .await
        .unwrap_err();
    assert_eq!(denied.code(), "AccessDeniedException");
    let write = |ids: &[&str]| {
        let requests: Vec<Json> = ids
            .iter()
            .map(|id| json!({"PutRequest": {"Item": {"id": {"S": id}, "at": {"N": "1"}}}}))
            .collect();
        json!({"RequestItems": {"orders": requests}})
    };
    assert!(
        endpoint
            .call_with(own_rows(), "BatchWriteItem", write(&["ada"]))
            .await
            .is_ok()
    );
    assert!(
        endpoint
            .call_with(own_rows(), "BatchWriteItem", write(&["ada", "bob"]))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn every_operation_of_the_model_that_is_typed_is_served() {
    let endpoint = Endpoint::new();
    let served = rolecall_service_dynamodb::OPERATIONS;
    for entry in served {
        assert!(
            endpoint.service.model().operation(entry.name).is_some(),
            "{}",
            entry.name
        );
    }
    assert_eq!(served.len(), 23);
}
