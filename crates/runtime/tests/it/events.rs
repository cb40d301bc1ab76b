//! Asynchronous invocations.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rolecall_runtime::{
    EventQueue, EventSettings, FunctionDirectory, FunctionSpec, QueuedEvent, RetryDelays,
};
use rolecall_store::EmbeddedStore;
use tokio::sync::watch;

use crate::support::{REQUEST_ID, World, python_function};

struct One(Arc<FunctionSpec>);

impl FunctionDirectory for One {
    fn find(&self, arn: &str, _qualifier: Option<&str>) -> Option<(Arc<FunctionSpec>, EventSettings)> {
        (*self.0.arn == *arn).then(|| (self.0.clone(), EventSettings::default()))
    }
}

fn event(arn: &str) -> QueuedEvent {
    QueuedEvent {
        function_arn: arn.to_owned(),
        qualifier: None,
        request_id: REQUEST_ID.to_owned(),
        invoked_arn: arn.to_owned(),
        trace_id: None,
        payload: Bytes::from_static(b"{\"n\": 1}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_event_is_tried_three_times_and_a_gone_function_never() {
    let world = World::new();
    let fail = python_function(
        "fail",
        "def handler(event, context):\n    print('attempt', event['n'])\n    raise ValueError('no')\n",
    );
    let store = Arc::new(EmbeddedStore::in_memory().unwrap());
    let delays = RetryDelays {
        function_error: [Duration::from_millis(50), Duration::from_millis(100)],
        ..RetryDelays::default()
    };
    let queue = EventQueue::new(
        store,
        world.runtime.clone(),
        Arc::new(One(fail.spec.clone())),
        delays,
    );
    // Before anybody works on them, they wait.
    queue.send(&event(&fail.spec.arn)).await.unwrap();
    queue
        .send(&event("arn:aws:lambda:eu-central-1:123456789012:function:gone"))
        .await
        .unwrap();
    assert_eq!(queue.length().unwrap(), 2);
    let (stop, stopped) = watch::channel(false);
    let worker = tokio::spawn(queue.clone().run(stopped));
    tokio::time::timeout(Duration::from_secs(20), async {
        while queue.length().unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(
        world
            .log()
            .await
            .iter()
            .filter(|line| *line == "attempt 1")
            .count(),
        3
    );
    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(1), worker)
        .await
        .unwrap()
        .unwrap();
}
