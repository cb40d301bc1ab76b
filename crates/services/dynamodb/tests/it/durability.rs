//! What was answered is there after the service is opened again.

use std::sync::Arc;

use rolecall_store::{EmbeddedStore, Store};
use serde_json::json;

use crate::endpoint::Endpoint;

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::in_memory().unwrap());
    {
        let endpoint = Endpoint::over(Arc::clone(&store));
        endpoint.table("orders", true).await;
        endpoint
            .put("orders", json!({"id": {"S": "a"}, "at": {"N": "1"}}))
            .await;
        endpoint.table("gone", false).await;
        endpoint.ok("DeleteTable", json!({"TableName": "gone"})).await;
    }
    let endpoint = Endpoint::over(store);
    assert_eq!(
        endpoint.ok("ListTables", json!({})).await["TableNames"],
        json!(["orders"])
    );
    let item = endpoint
        .get("orders", json!({"id": {"S": "a"}, "at": {"N": "1"}}))
        .await;
    assert_eq!(item["at"], json!({"N": "1"}));
}

#[tokio::test]
async fn two_services_over_one_store_see_each_others_tables_change() {
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::in_memory().unwrap());
    let first = Endpoint::over(Arc::clone(&store));
    first.table("orders", false).await;
    let second = Endpoint::over(store);
    first.ok("DeleteTable", json!({"TableName": "orders"})).await;
    let failed = second
        .fails(
            "PutItem",
            json!({"TableName": "orders", "Item": {"id": {"S": "a"}}}),
        )
        .await;
    assert_eq!(failed.code, "ResourceNotFoundException");
}
