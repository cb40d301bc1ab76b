//! Items one at a time.

use serde_json::json;

use crate::endpoint::Endpoint;

#[tokio::test]
async fn items_come_back_in_canonical_form() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", false).await;
    endpoint
        .put(
            "orders",
            json!({
                "id": {"S": "a"}, "n": {"N": "01.50"}, "big": {"N": "1e3"}, "set": {"NS": ["3", "1.0", "2"]}, "empty": {"S": ""},
                "map": {"M": {"list": {"L": [{"BOOL": true}, {"NULL": true}]}}},
            }),
        )
        .await;
    let item = endpoint.get("orders", json!({"id": {"S": "a"}})).await;
    assert_eq!(item["n"], json!({"N": "1.5"}));
    assert_eq!(item["big"], json!({"N": "1000"}));
    assert_eq!(item["set"], json!({"NS": ["1", "2", "3"]}));
    assert_eq!(item["empty"], json!({"S": ""}));
    assert_eq!(
        item["map"],
        json!({"M": {"list": {"L": [{"BOOL": true}, {"NULL": true}]}}})
    );
    assert!(endpoint.get("orders", json!({"id": {"S": "b"}})).await.is_null());
}

#[tokio::test]
async fn keys_must_fit_the_schema() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", true).await;
    let put = |item| json!({"TableName": "orders", "Item": item});
    let get = |key| json!({"TableName": "orders", "Key": key});
    let cases = [
        (
            "PutItem",
            put(json!({"at": {"N": "1"}})),
            "One or more parameter values were invalid: Missing the key id in the item",
        ),
        (
            "PutItem",
            put(json!({"id": {"N": "1"}, "at": {"N": "1"}})),
            "One or more parameter values were invalid: Type mismatch for key id expected: S actual: N",
        ),
        (
            "PutItem",
            put(json!({"id": {"S": ""}, "at": {"N": "1"}})),
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: id",
        ),
        (
            "GetItem",
            get(json!({"id": {"S": "a"}})),
            "The provided key element does not match the schema",
        ),
        (
            "GetItem",
            get(json!({"id": {"S": "a"}, "at": {"N": "1"}, "x": {"N": "1"}})),
            "The provided key element does not match the schema",
        ),
        (
            "DeleteItem",
            get(json!({"id": {"S": "a"}, "at": {"S": "1"}})),
            "The provided key element does not match the schema",
        ),
        (
            "PutItem",
            put(json!({"id": {"S": "k".repeat(2049)}, "at": {"N": "1"}})),
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
    ];
    for (operation, input, message) in cases {
        assert_eq!(endpoint.invalid(operation, input).await, message);
    }
    let missing = endpoint
        .fails(
            "GetItem",
            json!({"TableName": "nothing", "Key": {"id": {"S": "a"}}}),
        )
        .await;
    assert_eq!(
        (missing.code.as_str(), missing.message.as_str()),
        ("ResourceNotFoundException", "Requested resource not found")
    );
}

#[tokio::test]
async fn values_must_be_valid() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", false).await;
    let mut deep = json!({"N": "1"});
    for _ in 0..40 {
        deep = json!({"L": [deep]});
    }
    let cases = [
        (
            json!({"N": "abc"}),
            "The parameter cannot be converted to a numeric value: abc",
        ),
        (
            json!({"N": "1".repeat(39)}),
            "Attempting to store more than 38 significant digits in a Number",
        ),
        (
            json!({"N": "1e126"}),
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
        ),
        (
            json!({"SS": []}),
            "One or more parameter values were invalid: An string set  may not be empty",
        ),
        (
            json!({"SS": ["a", "a"]}),
            "One or more parameter values were invalid: Input collection [a, a] contains duplicates.",
        ),
        (
            json!({"NULL": false}),
            "One or more parameter values were invalid: Null attribute value types must have the value of true",
        ),
        (
            json!({"S": "x".repeat(400 * 1024)}),
            "Item size has exceeded the maximum allowed size",
        ),
        (deep, "Nesting Levels have exceeded supported limits"),
    ];
    for (value, message) in cases {
        let input = json!({"TableName": "orders", "Item": {"id": {"S": "a"}, "v": value}});
        assert_eq!(endpoint.invalid("PutItem", input).await, message);
    }
    assert!(endpoint.get("orders", json!({"id": {"S": "a"}})).await.is_null());
}

#[tokio::test]
async fn return_values() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", false).await;
    let put = |v: &str, returned: &str| json!({"TableName": "orders", "Item": {"id": {"S": "a"}, "v": {"S": v}}, "ReturnValues": returned});
    assert!(endpoint.ok("PutItem", put("1", "ALL_OLD")).await["Attributes"].is_null());
    assert_eq!(
        endpoint.ok("PutItem", put("2", "ALL_OLD")).await["Attributes"]["v"],
        json!({"S": "1"})
    );
    assert_eq!(
        endpoint.invalid("PutItem", put("3", "ALL_NEW")).await,
        "Return values set to invalid value"
    );
    let update = |returned: &str| {
        json!({
            "TableName": "orders", "Key": {"id": {"S": "a"}}, "UpdateExpression": "SET n = if_not_exists(n, :zero) + :one",
            "ExpressionAttributeValues": {":zero": {"N": "0"}, ":one": {"N": "1"}}, "ReturnValues": returned,
        })
    };
    assert!(endpoint.ok("UpdateItem", update("UPDATED_OLD")).await["Attributes"].is_null());
    assert_eq!(
        endpoint.ok("UpdateItem", update("UPDATED_NEW")).await["Attributes"],
        json!({"n": {"N": "2"}})
    );
    assert_eq!(
        endpoint.ok("UpdateItem", update("UPDATED_OLD")).await["Attributes"],
        json!({"n": {"N": "2"}})
    );
    assert_eq!(
        endpoint.ok("UpdateItem", update("ALL_NEW")).await["Attributes"],
        json!({"id": {"S": "a"}, "v": {"S": "2"}, "n": {"N": "4"}})
    );
    let deleted = endpoint
        .ok(
            "DeleteItem",
            json!({"TableName": "orders", "Key": {"id": {"S": "a"}}, "ReturnValues": "ALL_OLD"}),
        )
        .await;
    assert_eq!(deleted["Attributes"]["n"], json!({"N": "4"}));
    let gone = endpoint
        .ok(
            "DeleteItem",
            json!({"TableName": "orders", "Key": {"id": {"S": "a"}}, "ReturnValues": "ALL_OLD"}),
        )
        .await;
    assert!(gone["Attributes"].is_null());
}

#[tokio::test]
async fn consumed_capacity_counts_blocks() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", false).await;
    let item = json!({"id": {"S": "a"}, "v": {"S": "x".repeat(5000)}});
    let put = endpoint
        .ok(
            "PutItem",
            json!({"TableName": "orders", "Item": item, "ReturnConsumedCapacity": "TOTAL"}),
        )
        .await;
    assert_eq!(
        put["ConsumedCapacity"],
        json!({"TableName": "orders", "CapacityUnits": 5.0})
    );
    let get = |consistent: bool| json!({"TableName": "orders", "Key": {"id": {"S": "a"}}, "ConsistentRead": consistent, "ReturnConsumedCapacity": "INDEXES"});
    assert_eq!(
        endpoint.ok("GetItem", get(false)).await["ConsumedCapacity"]["CapacityUnits"],
        json!(1.0)
    );
    assert_eq!(
        endpoint.ok("GetItem", get(true)).await["ConsumedCapacity"]["Table"]["CapacityUnits"],
        json!(2.0)
    );
}

#[tokio::test]
async fn projections_take_parts() {
    let endpoint = Endpoint::new();
    endpoint.table("orders", false).await;
    let item = json!({"id": {"S": "a"}, "m": {"M": {"x": {"N": "1"}, "y": {"N": "2"}}}, "l": {"L": [{"N": "0"}, {"N": "1"}, {"N": "2"}]}});
    endpoint.put("orders", item).await;
    let get = |expression: &str| json!({"TableName": "orders", "Key": {"id": {"S": "a"}}, "ProjectionExpression": expression, "ExpressionAttributeNames": {"#m": "m"}});
    assert_eq!(
        endpoint.ok("GetItem", get("#m.x, l[2], l[0], nothing")).await["Item"],
        json!({"m": {"M": {"x": {"N": "1"}}}, "l": {"L": [{"N": "0"}, {"N": "2"}]}})
    );
    assert_eq!(
        endpoint.invalid("GetItem", get("#m, #m.x")).await,
        "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m], path two: [m, x]"
    );
    assert_eq!(
        endpoint.invalid("GetItem", get("#m.x, #m[1]")).await,
        "Invalid ProjectionExpression: Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [m, x], path two: [m, [1]]"
    );
    let attributes = json!({"TableName": "orders", "Key": {"id": {"S": "a"}}, "AttributesToGet": ["id"]});
    assert_eq!(
        endpoint.ok("GetItem", attributes).await["Item"],
        json!({"id": {"S": "a"}})
    );
}
