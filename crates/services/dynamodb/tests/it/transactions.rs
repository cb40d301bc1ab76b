//! Transactions.

use serde_json::{Value as Json, json};

use crate::endpoint::Endpoint;

fn put(id: &str, condition: Option<&str>) -> Json {
    let mut put = json!({"TableName": "orders", "Item": {"id": {"S": id}}, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"});
    if let Some(condition) = condition {
        put["ConditionExpression"] = json!(condition);
    }
    json!({"Put": put})
}

#[tokio::test]
async fn all_or_nothing() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", false).await;
    endpoint
        .put("orders", json!({"id": {"S": "there"}, "n": {"N": "1"}}))
        .await;
    let failed = endpoint
        .fails(
            "TransactWriteItems",
            json!({"TransactItems": [put("new", None), put("there", Some("attribute_not_exists(id)"))]}),
        )
        .await;
    assert_eq!(failed.code, "TransactionCanceledException");
    assert_eq!(
        failed.message,
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]"
    );
    assert_eq!(
        failed.fields["CancellationReasons"],
        json!([
            {"Code": "None"},
            {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": {"id": {"S": "there"}, "n": {"N": "1"}}},
        ])
    );
    assert!(
        endpoint
            .get("orders", json!({"id": {"S": "new"}}))
            .await
            .is_null()
    );
    let key = json!({"id": {"S": "there"}});
    let actions = json!([
        put("new", Some("attribute_not_exists(id)")),
        {"Update": {"TableName": "orders", "Key": key, "UpdateExpression": "SET n = n + :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}},
        {"ConditionCheck": {"TableName": "orders", "Key": {"id": {"S": "absent"}}, "ConditionExpression": "attribute_not_exists(id)"}},
        {"Delete": {"TableName": "orders", "Key": {"id": {"S": "absent-too"}}}},
    ]);
    endpoint
        .ok("TransactWriteItems", json!({"TransactItems": actions}))
        .await;
    let get = |id: &str| json!({"Get": {"TableName": "orders", "Key": {"id": {"S": id}}}});
    let read = endpoint
        .ok(
            "TransactGetItems",
            json!({"TransactItems": [get("there"), get("new"), get("absent")]}),
        )
        .await;
    assert_eq!(
        read["Responses"],
        json!([{"Item": {"id": {"S": "there"}, "n": {"N": "2"}}}, {"Item": {"id": {"S": "new"}}}, {}])
    );
}

#[tokio::test]
async fn a_token_makes_a_transaction_happen_once() {
    let mut endpoint = Endpoint::new();
    endpoint.table("orders", false).await;
    let request = |amount: &str| {
        json!({
            "ClientRequestToken": "token",
            "TransactItems": [{"Update": {
                "TableName": "orders", "Key": {"id": {"S": "a"}}, "UpdateExpression": "ADD n :v", "ExpressionAttributeValues": {":v": {"N": amount}},
            }}],
        })
    };
    for _ in 0..3 {
        endpoint.ok("TransactWriteItems", request("1")).await;
    }
    assert_eq!(
        endpoint.get("orders", json!({"id": {"S": "a"}})).await["n"],
        json!({"N": "1"})
    );
    let other = endpoint.fails("TransactWriteItems", request("2")).await;
    assert_eq!(other.code, "IdempotentParameterMismatchException");
    endpoint.now += 11 * 60 * 1000;
    endpoint.ok("TransactWriteItems", request("2")).await;
    assert_eq!(
        endpoint.get("orders", json!({"id": {"S": "a"}})).await["n"],
        json!({"N": "3"})
    );
}

#[tokio::test]
async fn transactions_have_limits() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", false).await;
    assert_eq!(
        endpoint
            .invalid(
                "TransactWriteItems",
                json!({"TransactItems": [put("a", None), put("a", None)]})
            )
            .await,
        "Transaction request cannot include multiple operations on one item"
    );
    let many: Vec<Json> = (0..101).map(|number| put(&number.to_string(), None)).collect();
    assert!(
        endpoint
            .invalid("TransactWriteItems", json!({"TransactItems": many}))
            .await
            .contains("less than or equal to 100")
    );
    let wrong = json!({"TransactItems": [{"Put": {"TableName": "orders", "Item": {"x": {"S": "a"}}}}]});
    let failed = endpoint.fails("TransactWriteItems", wrong).await;
    assert_eq!(
        failed.fields["CancellationReasons"][0]["Code"],
        json!("ValidationError")
    );
}
