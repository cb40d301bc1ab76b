use std::sync::Arc;

use rolecall_store::{EmbeddedStore, Options};
use serde_json::json;

use crate::endpoint::{Endpoint, NOW, texts};

#[tokio::test]
async fn answered_events_are_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        Endpoint::over(Arc::new(
            EmbeddedStore::open(folder.path(), &Options::default()).unwrap(),
        ))
    };
    {
        let endpoint = open();
        endpoint.group("g").await;
        endpoint.stream("g", "s").await;
        endpoint.put("g", "s", &[(NOW, "first")]).await;
    }
    let endpoint = open();
    endpoint.put("g", "s", &[(NOW, "second")]).await;
    let page = endpoint
        .ok("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "s"}))
        .await;
    assert_eq!(texts(&page, "events", "message"), ["first", "second"]);
}
