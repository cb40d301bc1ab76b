//! Conditional writes, also many at once.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::endpoint::Endpoint;

fn conditional(condition: &str, values: &Json) -> Json {
    let mut input = json!({"TableName": "orders", "Item": {"id": {"S": "a"}, "v": {"N": "1"}}, "ConditionExpression": condition});
    if !values.is_null() {
        input["ExpressionAttributeValues"] = values.clone();
    }
    input
}

#[tokio::test]
async fn a_condition_guards_its_write() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", false).await;
    let absent = conditional("attribute_not_exists(id)", &Json::Null);
    endpoint.ok("PutItem", absent.clone()).await;
    let failed = endpoint.fails("PutItem", absent.clone()).await;
    assert_eq!(failed.code, "ConditionalCheckFailedException");
    assert_eq!(failed.message, "The conditional request failed");
    assert_eq!(failed.fields, json!({}));
    let mut with_item = absent;
    with_item["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
    let failed = endpoint.fails("PutItem", with_item).await;
    assert_eq!(
        failed.fields,
        json!({"Item": {"id": {"S": "a"}, "v": {"N": "1"}}})
    );
}

#[tokio::test]
async fn what_conditions_mean() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", false).await;
    let item = json!({
        "id": {"S": "a"}, "n": {"N": "5"}, "s": {"S": "hello"}, "ss": {"SS": ["x", "y"]}, "l": {"L": [{"N": "1"}, {"S": "z"}]},
        "m": {"M": {"k": {"N": "7"}}}, "b": {"BOOL": true},
    });
    let cases = [
        ("n = :five", true),
        ("n <> :five", false),
        ("n < :six", true),
        ("n >= :six", false),
        ("n = :text", false),
        ("absentee = :five", false),
        ("absentee <> :five", true),
        ("absentee < :five", false),
        ("NOT absentee = :five", true),
        ("n BETWEEN :five AND :six", true),
        ("n BETWEEN :six AND :six", false),
        ("n IN (:six, :five)", true),
        ("s IN (:five)", false),
        ("begins_with(s, :he)", true),
        ("begins_with(n, :he)", false),
        ("contains(s, :ell)", true),
        ("contains(ss, :x)", true),
        ("contains(l, :z)", true),
        ("contains(ss, :z)", false),
        ("attribute_exists(m.k)", true),
        ("attribute_exists(m.j)", false),
        ("attribute_not_exists(l[5])", true),
        ("attribute_type(l, :list)", true),
        ("attribute_type(n, :list)", false),
        ("size(s) = :five", true),
        ("size(ss) < :five", true),
        ("size(n) < :six", false),
        ("m.k > n", true),
        ("l[1] = :z", true),
        ("n = :five AND s = :he OR b = :true", true),
        ("n = :five AND (s = :he OR b = :true)", true),
        ("NOT n = :five OR NOT b = :true", false),
        ("not (n = :six or s = :he)", true),
    ];
    let all = json!({
        ":five": {"N": "5.0"}, ":six": {"N": "6"}, ":text": {"S": "5"}, ":he": {"S": "he"}, ":ell": {"S": "ell"}, ":x": {"S": "x"}, ":z": {"S": "z"},
        ":list": {"S": "L"}, ":true": {"BOOL": true},
    });
    for (condition, holds) in cases {
        endpoint.put("orders", item.clone()).await;
        let used: serde_json::Map<String, Json> = all
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| {
                condition.match_indices(name.as_str()).any(|(at, found)| {
                    !condition[at + found.len()..].starts_with(|next: char| next.is_alphanumeric())
                })
            })
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let mut input =
            json!({"TableName": "orders", "Key": {"id": {"S": "a"}}, "ConditionExpression": condition});
        if !used.is_empty() {
            input["ExpressionAttributeValues"] = Json::Object(used);
        }
        let result = endpoint.call("DeleteItem", input).await;
        match &result {
            Ok(_) => assert!(holds, "{condition} holds"),
            Err(error) => {
                assert_eq!(
                    error.code(),
                    "ConditionalCheckFailedException",
                    "{condition}: {error}"
                );
                assert!(!holds, "{condition} does not hold");
            }
        }
    }
}

#[tokio::test]
async fn the_older_parameters_work() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", false).await;
    let put = |expected: Json| json!({"TableName": "orders", "Item": {"id": {"S": "a"}, "v": {"N": "1"}}, "Expected": expected});
    endpoint
        .ok("PutItem", put(json!({"id": {"Exists": false}})))
        .await;
    let failed = endpoint
        .fails("PutItem", put(json!({"id": {"Exists": false}})))
        .await;
    assert_eq!(failed.code, "ConditionalCheckFailedException");
    endpoint
        .ok("PutItem", put(json!({"v": {"Value": {"N": "1"}}})))
        .await;
    endpoint.ok("PutItem", put(json!({"v": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "0"}, {"N": "2"}]}}))).await;
    let updates = json!({
        "TableName": "orders", "Key": {"id": {"S": "a"}}, "ReturnValues": "ALL_NEW",
        "AttributeUpdates": {"v": {"Action": "ADD", "Value": {"N": "2"}}, "w": {"Value": {"S": "x"}}},
    });
    assert_eq!(
        endpoint.ok("UpdateItem", updates).await["Attributes"],
        json!({"id": {"S": "a"}, "v": {"N": "3"}, "w": {"S": "x"}})
    );
    let mut mixed = put(json!({"id": {"Exists": false}}));
    mixed["ConditionExpression"] = json!("attribute_exists(id)");
    assert_eq!(
        endpoint.invalid("PutItem", mixed).await,
        "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_conditional_writers_one_wins_and_no_count_is_lost() {
    let endpoint = Arc::new(Endpoint::new());
    endpoint.table("orders", false).await;
    let mut writers = Vec::new();
    for _ in 0..40 {
        let endpoint = Arc::clone(&endpoint);
        writers.push(tokio::spawn(async move {
            let won = endpoint
                .call("PutItem", conditional("attribute_not_exists(id)", &Json::Null))
                .await
                .is_ok();
            let count = json!({
                "TableName": "orders", "Key": {"id": {"S": "counter"}}, "UpdateExpression": "ADD n :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}},
            });
            endpoint.ok("UpdateItem", count).await;
            won
        }));
    }
    let mut winners = 0;
    for writer in writers {
        winners += u32::from(writer.await.unwrap());
    }
    assert_eq!(winners, 1);
    assert_eq!(
        endpoint.get("orders", json!({"id": {"S": "counter"}})).await["n"],
        json!({"N": "40"})
    );
}
