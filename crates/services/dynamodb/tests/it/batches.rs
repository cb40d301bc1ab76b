//! Batches.

use serde_json::{Value as Json, json};

use crate::endpoint::Endpoint;

fn put(id: usize) -> Json {
    json!({"PutRequest": {"Item": {"id": {"S": format!("i{id}")}, "v": {"N": id.to_string()}}}})
}

#[tokio::test]
async fn batches_write_and_read_several_tables() {
    let endpoint = Endpoint::new();
    endpoint.table("one", false).await;
    endpoint.table("two", false).await;
    endpoint.put("two", json!({"id": {"S": "old"}})).await;
    let written = endpoint
        .ok(
            "BatchWriteItem",
            json!({"RequestItems": {"one": [put(1), put(2)], "two": [put(3), {"DeleteRequest": {"Key": {"id": {"S": "old"}}}}]}, "ReturnConsumedCapacity": "TOTAL"}),
        )
        .await;
    assert_eq!(written["UnprocessedItems"], json!({}));
    assert_eq!(
        written["ConsumedCapacity"][0],
        json!({"TableName": "one", "CapacityUnits": 2.0})
    );
    let keys = |ids: &[&str]| -> Json { ids.iter().map(|id| json!({"id": {"S": id}})).collect() };
    let read = endpoint
        .ok(
            "BatchGetItem",
            json!({"RequestItems": {"one": {"Keys": keys(&["i1", "i2", "no"]), "ProjectionExpression": "v"}, "two": {"Keys": keys(&["i3", "old"])}}}),
        )
        .await;
    assert_eq!(
        read["Responses"]["one"],
        json!([{"v": {"N": "1"}}, {"v": {"N": "2"}}])
    );
    assert_eq!(
        read["Responses"]["two"],
        json!([{"id": {"S": "i3"}, "v": {"N": "3"}}])
    );
    assert_eq!(read["UnprocessedKeys"], json!({}));
}

#[tokio::test]
async fn batches_have_limits() {
    let endpoint = Endpoint::new();
    endpoint.table("one", false).await;
    let too_many: Vec<Json> = (0..26).map(put).collect();
    assert_eq!(
        endpoint
            .invalid("BatchWriteItem", json!({"RequestItems": {"one": too_many}}))
            .await,
        "Too many items requested for the BatchWriteItem call"
    );
    assert_eq!(
        endpoint
            .invalid(
                "BatchWriteItem",
                json!({"RequestItems": {"one": [put(1), put(1)]}})
            )
            .await,
        "Provided list of item keys contains duplicates"
    );
    let keys: Vec<Json> = (0..101).map(|id| json!({"id": {"S": id.to_string()}})).collect();
    assert_eq!(
        endpoint
            .invalid("BatchGetItem", json!({"RequestItems": {"one": {"Keys": keys}}}))
            .await,
        "Too many items requested for the BatchGetItem call"
    );
    let nowhere = endpoint
        .fails("BatchWriteItem", json!({"RequestItems": {"nothing": [put(1)]}}))
        .await;
    assert_eq!(nowhere.code, "ResourceNotFoundException");
}
