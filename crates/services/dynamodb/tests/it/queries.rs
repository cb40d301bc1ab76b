//! Query and scan, on tables and indexes, page by page.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::endpoint::Endpoint;

/// Sort keys of the answer's items.
fn at(output: &Json) -> Vec<String> {
    output["Items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["at"]["N"].as_str().unwrap().to_owned())
        .collect()
}

async fn events(endpoint: &Endpoint) {
    endpoint.table("events", true).await;
    for number in ["-100", "-2.5", "0", "0.001", "7", "10", "1e20"] {
        endpoint
            .put(
                "events",
                json!({"id": {"S": "a"}, "at": {"N": number}, "v": {"S": format!("v{number}")}}),
            )
            .await;
    }
    endpoint
        .put("events", json!({"id": {"S": "b"}, "at": {"N": "7"}}))
        .await;
}

fn query(condition: &str, values: Json) -> Json {
    let mut values = values;
    values[":id"] = json!({"S": "a"});
    json!({
        "TableName": "events", "KeyConditionExpression": condition, "ExpressionAttributeNames": {"#at": "at"}, "ExpressionAttributeValues": values,
    })
}

#[tokio::test]
async fn ranges_follow_the_numbers() {
    let endpoint = Endpoint::new();
    events(&endpoint).await;
    let all = ["-100", "-2.5", "0", "0.001", "7", "10", "100000000000000000000"];
    let cases: [(&str, Json, &[&str]); 8] = [
        ("#at < :x AND id = :id", json!({":x": {"N": "0"}}), &all[..2]),
        ("id = :id AND #at <= :x", json!({":x": {"N": "0"}}), &all[..3]),
        ("id = :id AND #at > :x", json!({":x": {"N": "0.001"}}), &all[4..]),
        ("id = :id AND #at >= :x", json!({":x": {"N": "7.0"}}), &all[4..]),
        ("id = :id AND #at = :x", json!({":x": {"N": "10"}}), &all[5..6]),
        (
            "(id = :id) AND (#at BETWEEN :x AND :y)",
            json!({":x": {"N": "-2.5"}, ":y": {"N": "7"}}),
            &all[1..5],
        ),
        ("id = :id AND :x < #at", json!({":x": {"N": "7"}}), &all[5..]),
        ("id = :id AND #at = :x", json!({":x": {"N": "11"}}), &[]),
    ];
    for (condition, values, expected) in cases {
        let output = endpoint.ok("Query", query(condition, values)).await;
        assert_eq!(at(&output), expected, "{condition}");
        assert_eq!(output["Count"], json!(expected.len()));
        assert!(output["LastEvaluatedKey"].is_null());
    }
    let mut reversed = query("id = :id", json!({}));
    reversed
        .as_object_mut()
        .unwrap()
        .remove("ExpressionAttributeNames");
    reversed["ScanIndexForward"] = json!(false);
    let mut expected = all.to_vec();
    expected.reverse();
    assert_eq!(at(&endpoint.ok("Query", reversed).await), expected);
}

#[tokio::test]
async fn pages_join_to_the_whole() {
    let endpoint = Endpoint::new();
    events(&endpoint).await;
    for forward in [true, false] {
        let mut input = query("id = :id AND #at < :x", json!({":x": {"N": "1e10"}}));
        input["ScanIndexForward"] = json!(forward);
        let whole = at(&endpoint.ok("Query", input.clone()).await);
        input["Limit"] = json!(2);
        let mut joined = Vec::new();
        loop {
            let page = endpoint.ok("Query", input.clone()).await;
            joined.extend(at(&page));
            if page["LastEvaluatedKey"].is_null() {
                break;
            }
            input["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
        }
        assert_eq!(joined, whole);
    }
    let mut outside = query("id = :id", json!({}));
    outside
        .as_object_mut()
        .unwrap()
        .remove("ExpressionAttributeNames");
    outside["ExclusiveStartKey"] = json!({"id": {"S": "b"}, "at": {"N": "7"}});
    assert_eq!(
        endpoint.invalid("Query", outside.clone()).await,
        "The provided starting key is outside query boundaries based on provided conditions"
    );
    outside["ExclusiveStartKey"] = json!({"id": {"S": "a"}});
    assert!(
        endpoint
            .invalid("Query", outside)
            .await
            .starts_with("The provided starting key is invalid")
    );
}

#[tokio::test]
async fn a_page_ends_at_a_megabyte() {
    let endpoint = Endpoint::new();
    endpoint.table("events", true).await;
    for number in 0..8 {
        let item =
            json!({"id": {"S": "a"}, "at": {"N": number.to_string()}, "v": {"S": "x".repeat(300_000)}});
        endpoint.put("events", item).await;
    }
    let input = json!({
        "TableName": "events", "KeyConditionExpression": "id = :id", "ExpressionAttributeValues": {":id": {"S": "a"}}, "Select": "COUNT",
    });
    let page = endpoint.ok("Query", input).await;
    assert_eq!(
        (&page["Count"], &page["LastEvaluatedKey"]["at"]),
        (&json!(4), &json!({"N": "3"}))
    );
    assert!(page["Items"].is_null());
}

#[tokio::test]
async fn filters_count_what_was_scanned() {
    let endpoint = Endpoint::new();
    events(&endpoint).await;
    let mut input = query("id = :id", json!({":v": {"S": "v7"}}));
    input.as_object_mut().unwrap().remove("ExpressionAttributeNames");
    input["FilterExpression"] = json!("v = :v");
    let output = endpoint.ok("Query", input.clone()).await;
    assert_eq!(
        (&output["Count"], &output["ScannedCount"]),
        (&json!(1), &json!(7))
    );
    input["FilterExpression"] = json!("id = :v");
    assert_eq!(
        endpoint.invalid("Query", input).await,
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: id"
    );
    let scan = json!({"TableName": "events", "ScanFilter": {"v": {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [{"S": "v1"}]}}});
    let output = endpoint.ok("Scan", scan).await;
    assert_eq!(
        (&output["Count"], &output["ScannedCount"]),
        (&json!(2), &json!(8))
    );
}

#[tokio::test]
async fn key_conditions_must_fit() {
    let endpoint = Endpoint::new();
    events(&endpoint).await;
    let cases = [
        ("#at = :id", "Query condition missed key schema element: id"),
        ("id > :id AND #at = :n", "Query key condition not supported"),
        (
            "id = :id OR #at = :n",
            "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: OR",
        ),
        (
            "id = :id AND #at <> :n",
            "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: <>",
        ),
        (
            "id = :id AND contains(#at, :n)",
            "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: contains",
        ),
        (
            "id = :id AND id = :n",
            "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
        ),
        (
            "id = :id AND v = :n",
            "Query condition missed key schema element: at",
        ),
    ];
    for (condition, message) in cases {
        let mut input = query(condition, json!({}));
        if condition.contains(":n") {
            input["ExpressionAttributeValues"][":n"] = json!({"N": "1"});
        }
        if !condition.contains("#at") {
            input.as_object_mut().unwrap().remove("ExpressionAttributeNames");
        }
        assert_eq!(endpoint.invalid("Query", input).await, message, "{condition}");
    }
    assert_eq!(
        endpoint.invalid("Query", json!({"TableName": "events"})).await,
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
    );
    let legacy = json!({
        "TableName": "events",
        "KeyConditions": {
            "id": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]},
            "at": {"ComparisonOperator": "GT", "AttributeValueList": [{"N": "7"}]},
        },
    });
    assert_eq!(at(&endpoint.ok("Query", legacy).await).len(), 2);
}

#[tokio::test]
async fn segments_of_a_scan_share_the_items_out() {
    let endpoint = Endpoint::new();
    endpoint.table("many", false).await;
    for number in 0..60 {
        endpoint
            .put("many", json!({"id": {"S": format!("item-{number}")}}))
            .await;
    }
    let mut seen = BTreeSet::new();
    for segment in 0..4 {
        let mut input = json!({"TableName": "many", "Segment": segment, "TotalSegments": 4, "Limit": 7});
        loop {
            let page = endpoint.ok("Scan", input.clone()).await;
            for item in page["Items"].as_array().unwrap() {
                assert!(
                    seen.insert(item["id"]["S"].as_str().unwrap().to_owned()),
                    "{item} twice"
                );
            }
            if page["LastEvaluatedKey"].is_null() {
                break;
            }
            input["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
        }
    }
    assert_eq!(seen.len(), 60);
    assert_eq!(
        endpoint
            .invalid(
                "Scan",
                json!({"TableName": "many", "Segment": 4, "TotalSegments": 4})
            )
            .await,
        "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 4 is not less than TotalSegments: 4"
    );
}

fn shop(projection: &Json) -> Json {
    json!({
        "TableName": "shop", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "at", "AttributeType": "N"},
            {"AttributeName": "customer", "AttributeType": "S"}, {"AttributeName": "amount", "AttributeType": "N"},
        ],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-customer", "Projection": projection,
            "KeySchema": [{"AttributeName": "customer", "KeyType": "HASH"}, {"AttributeName": "amount", "KeyType": "RANGE"}],
        }],
        "LocalSecondaryIndexes": [{
            "IndexName": "by-total", "Projection": {"ProjectionType": "KEYS_ONLY"},
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "amount", "KeyType": "RANGE"}],
        }],
    })
}

#[tokio::test]
async fn indexes_follow_their_items() {
    let endpoint = Endpoint::new();
    endpoint
        .ok(
            "CreateTable",
            shop(&json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["note"]})),
        )
        .await;
    let order = |at: &str, customer: &str, total: &str| {
        json!({
            "id": {"S": "x"}, "at": {"N": at}, "customer": {"S": customer}, "amount": {"N": total}, "note": {"S": "n"}, "hidden": {"S": "h"},
        })
    };
    endpoint.put("shop", order("1", "ann", "30")).await;
    endpoint.put("shop", order("2", "ann", "20")).await;
    endpoint.put("shop", order("3", "ann", "20")).await;
    endpoint.put("shop", order("4", "bob", "5")).await;
    endpoint
        .put("shop", json!({"id": {"S": "x"}, "at": {"N": "5"}}))
        .await;
    let of = |customer: &str| {
        json!({
            "TableName": "shop", "IndexName": "by-customer", "KeyConditionExpression": "customer = :c",
            "ExpressionAttributeValues": {":c": {"S": customer}},
        })
    };
    let output = endpoint.ok("Query", of("ann")).await;
    assert_eq!(at(&output), ["2", "3", "1"]);
    assert!(output["Items"][0]["hidden"].is_null());
    assert_eq!(output["Items"][0]["note"], json!({"S": "n"}));

    let mut paged = of("ann");
    paged["Limit"] = json!(1);
    let first = endpoint.ok("Query", paged.clone()).await;
    assert_eq!(
        first["LastEvaluatedKey"],
        json!({"id": {"S": "x"}, "at": {"N": "2"}, "customer": {"S": "ann"}, "amount": {"N": "20"}})
    );
    paged["ExclusiveStartKey"] = first["LastEvaluatedKey"].clone();
    assert_eq!(at(&endpoint.ok("Query", paged).await), ["3"]);

    let update = json!({
        "TableName": "shop", "Key": {"id": {"S": "x"}, "at": {"N": "2"}}, "UpdateExpression": "SET customer = :c REMOVE note",
        "ExpressionAttributeValues": {":c": {"S": "bob"}},
    });
    endpoint.ok("UpdateItem", update).await;
    endpoint
        .ok(
            "DeleteItem",
            json!({"TableName": "shop", "Key": {"id": {"S": "x"}, "at": {"N": "1"}}}),
        )
        .await;
    assert_eq!(at(&endpoint.ok("Query", of("ann")).await), ["3"]);
    assert_eq!(at(&endpoint.ok("Query", of("bob")).await), ["4", "2"]);
    assert_eq!(
        endpoint
            .ok("Scan", json!({"TableName": "shop", "IndexName": "by-customer"}))
            .await["Count"],
        json!(3)
    );

    let mut local = json!({
        "TableName": "shop", "IndexName": "by-total", "KeyConditionExpression": "id = :x AND amount > :t",
        "ExpressionAttributeValues": {":x": {"S": "x"}, ":t": {"N": "5"}}, "ConsistentRead": true,
    });
    let output = endpoint.ok("Query", local.clone()).await;
    assert_eq!(at(&output), ["2", "3"]);
    assert!(output["Items"][0]["hidden"].is_null());
    local["Select"] = json!("ALL_ATTRIBUTES");
    assert_eq!(
        endpoint.ok("Query", local).await["Items"][0]["hidden"],
        json!({"S": "h"})
    );

    let mut global = of("ann");
    global["ConsistentRead"] = json!(true);
    assert_eq!(
        endpoint.invalid("Query", global).await,
        "Consistent reads are not supported on global secondary indexes"
    );
    let mut missing = of("ann");
    missing["IndexName"] = json!("nothing");
    assert_eq!(
        endpoint.invalid("Query", missing).await,
        "The table does not have the specified index: nothing"
    );
    let wrong =
        json!({"TableName": "shop", "Item": {"id": {"S": "x"}, "at": {"N": "9"}, "customer": {"N": "1"}}});
    assert_eq!(
        endpoint.invalid("PutItem", wrong).await,
        "One or more parameter values were invalid: Type mismatch for Index Key customer Expected: S Actual: N IndexName: by-customer"
    );
}

#[tokio::test]
async fn an_index_made_later_has_the_items_that_were_there() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", false).await;
    for number in 0..30 {
        let item = json!({"id": {"S": format!("o{number}")}, "state": {"S": if number % 3 == 0 { "open" } else { "done" }}});
        endpoint.put("orders", item).await;
    }
    let create = json!({
        "TableName": "orders", "AttributeDefinitions": [{"AttributeName": "state", "AttributeType": "S"}],
        "GlobalSecondaryIndexUpdates": [{"Create": {
            "IndexName": "by-state", "Projection": {"ProjectionType": "ALL"}, "KeySchema": [{"AttributeName": "state", "KeyType": "HASH"}],
        }}],
    });
    let described = endpoint.ok("UpdateTable", create).await;
    assert_eq!(
        described["TableDescription"]["GlobalSecondaryIndexes"][0]["IndexStatus"],
        json!("ACTIVE")
    );
    let query = json!({
        "TableName": "orders", "IndexName": "by-state", "KeyConditionExpression": "#s = :s", "ExpressionAttributeNames": {"#s": "state"},
        "ExpressionAttributeValues": {":s": {"S": "open"}},
    });
    assert_eq!(endpoint.ok("Query", query.clone()).await["Count"], json!(10));
    endpoint
        .put("orders", json!({"id": {"S": "new"}, "state": {"S": "open"}}))
        .await;
    assert_eq!(endpoint.ok("Query", query.clone()).await["Count"], json!(11));
    let delete = json!({"TableName": "orders", "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "by-state"}}]});
    endpoint.ok("UpdateTable", delete).await;
    assert_eq!(
        endpoint.invalid("Query", query).await,
        "The table does not have the specified index: by-state"
    );
}
