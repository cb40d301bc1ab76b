//! Tables and their settings.

use serde_json::{Value as Json, json};

use crate::endpoint::{ACCOUNT, Endpoint, REGION};

fn create() -> Json {
    json!({
        "TableName": "orders", "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
    })
}

#[tokio::test]
async fn a_table_is_made_described_listed_and_deleted() {
    let endpoint = Endpoint::new();
    let made = endpoint.ok("CreateTable", create()).await;
    assert_eq!(made["TableDescription"]["TableStatus"], json!("ACTIVE"));
    assert_eq!(
        made["TableDescription"]["TableArn"],
        json!(format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders"))
    );
    let again = endpoint.fails("CreateTable", create()).await;
    assert_eq!(
        (again.code.as_str(), again.message.as_str()),
        ("ResourceInUseException", "Table already exists: orders")
    );
    endpoint.put("orders", json!({"id": {"S": "a"}})).await;
    let described = endpoint.ok("DescribeTable", json!({"TableName": "orders"})).await;
    assert_eq!(described["Table"]["ItemCount"], json!(1));
    assert_eq!(
        described["Table"]["ProvisionedThroughput"]["WriteCapacityUnits"],
        json!(6)
    );
    let by_arn = json!({"TableName": format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders"), "Key": {"id": {"S": "a"}}});
    assert_eq!(
        endpoint.ok("GetItem", by_arn).await["Item"],
        json!({"id": {"S": "a"}})
    );
    let deleted = endpoint.ok("DeleteTable", json!({"TableName": "orders"})).await;
    assert_eq!(deleted["TableDescription"]["TableStatus"], json!("DELETING"));
    let gone = endpoint
        .fails("DescribeTable", json!({"TableName": "orders"}))
        .await;
    assert_eq!(
        gone.message,
        "Requested resource not found: Table: orders not found"
    );
    endpoint.ok("CreateTable", create()).await;
    assert!(endpoint.get("orders", json!({"id": {"S": "a"}})).await.is_null());
}

#[tokio::test]
async fn lists_have_pages() {
    let endpoint = Endpoint::new();
    for name in ["ccc", "aaa", "bbb"] {
        endpoint.table(name, false).await;
    }
    let first = endpoint.ok("ListTables", json!({"Limit": 2})).await;
    assert_eq!(
        first,
        json!({"TableNames": ["aaa", "bbb"], "LastEvaluatedTableName": "bbb"})
    );
    let second = endpoint
        .ok(
            "ListTables",
            json!({"Limit": 2, "ExclusiveStartTableName": "bbb"}),
        )
        .await;
    assert_eq!(second, json!({"TableNames": ["ccc"]}));
}

#[tokio::test]
async fn what_cannot_be_a_table() {
    let endpoint = Endpoint::new();
    let with = |name: &str, value: Json| {
        let mut input = create();
        input[name] = value;
        input
    };
    let cases = [
        (
            with("TableName", json!("ab")),
            "Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'",
        ),
        (
            with("BillingMode", json!("PAY_PER_REQUEST")),
            "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        ),
        (
            with("KeySchema", json!([{"AttributeName": "id", "KeyType": "RANGE"}])),
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
        (
            with("KeySchema", json!([{"AttributeName": "no", "KeyType": "HASH"}])),
            "One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [no], AttributeDefinitions: [id]",
        ),
        (
            with(
                "AttributeDefinitions",
                json!([{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "x", "AttributeType": "S"}]),
            ),
            "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
        ),
        (
            with("StreamSpecification", json!({"StreamEnabled": true})),
            "StreamSpecification is not supported by this endpoint; leave it out of the request",
        ),
    ];
    for (input, message) in cases {
        assert_eq!(endpoint.invalid("CreateTable", input).await, message);
    }
    assert_eq!(
        endpoint.ok("ListTables", json!({})).await["TableNames"],
        json!([])
    );
}

#[tokio::test]
async fn protection_billing_tags_and_time_to_live() {
    let endpoint = Endpoint::new();
    let mut input = create();
    input["DeletionProtectionEnabled"] = json!(true);
    input["Tags"] = json!([{"Key": "team", "Value": "shop"}]);
    endpoint.ok("CreateTable", input).await;
    assert!(
        endpoint
            .invalid("DeleteTable", json!({"TableName": "orders"}))
            .await
            .starts_with("Resource cannot be deleted")
    );
    let updated = endpoint
        .ok("UpdateTable", json!({"TableName": "orders", "DeletionProtectionEnabled": false, "BillingMode": "PAY_PER_REQUEST"}))
        .await;
    assert_eq!(
        updated["TableDescription"]["BillingModeSummary"]["BillingMode"],
        json!("PAY_PER_REQUEST")
    );
    assert_eq!(
        updated["TableDescription"]["ProvisionedThroughput"]["ReadCapacityUnits"],
        json!(0)
    );

    let arn = format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders");
    endpoint
        .ok(
            "TagResource",
            json!({"ResourceArn": arn, "Tags": [{"Key": "cost", "Value": "7"}]}),
        )
        .await;
    endpoint
        .ok("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["team"]}))
        .await;
    let tags = endpoint
        .ok("ListTagsOfResource", json!({"ResourceArn": arn}))
        .await;
    assert_eq!(tags["Tags"], json!([{"Key": "cost", "Value": "7"}]));

    let on = json!({"TableName": "orders", "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "expires"}});
    endpoint.ok("UpdateTimeToLive", on.clone()).await;
    assert_eq!(
        endpoint.invalid("UpdateTimeToLive", on).await,
        "TimeToLive is already enabled"
    );
    assert_eq!(
        endpoint
            .ok("DescribeTimeToLive", json!({"TableName": "orders"}))
            .await["TimeToLiveDescription"],
        json!({"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"})
    );
    assert_eq!(
        endpoint
            .ok("DescribeContinuousBackups", json!({"TableName": "orders"}))
            .await["ContinuousBackupsDescription"]["ContinuousBackupsStatus"],
        json!("DISABLED")
    );
    endpoint.ok("DeleteTable", json!({"TableName": "orders"})).await;
}
