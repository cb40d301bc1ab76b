//! Functions that really run.

use std::time::Duration;

use rolecall_wire::Value;

use crate::block_on;
use crate::world::{World, blob, creation, get, package, payload, structure, text, with};

const HANDLER: &str = "import os\n\
def handler(event, context):\n    \
    if event.get('fail'):\n        raise ValueError('no')\n    \
    print('seen', event)\n    \
    return {'event': event, 'arn': context.invoked_function_arn, 'stage': os.environ.get('STAGE')}\n";

#[test]
fn a_function_runs_and_runs_again_after_a_restart_and_an_update() {
    block_on(async {
        let world = World::new().await;
        world.create("orders", HANDLER).await;
        let input = structure([
            ("FunctionName", text("orders")),
            ("Payload", blob(br#"{"order": 1}"#)),
            ("LogType", text("Tail")),
        ]);
        let output = world.call("Invoke", input).await.output();
        assert_eq!(output.get("StatusCode"), Some(&Value::Integer(200)));
        assert!(output.get("FunctionError").is_none(), "{}", payload(&output));
        assert_eq!(get(&output, &["ExecutedVersion"]), "$LATEST");
        assert!(!get(&output, &["LogResult"]).is_empty());
        let result: serde_json::Value = serde_json::from_str(&payload(&output)).unwrap();
        assert_eq!(result["event"]["order"], 1);
        assert_eq!(
            result["arn"],
            "arn:aws:lambda:us-east-1:123456789012:function:orders"
        );

        let named = structure([("FunctionName", text("orders"))]);
        world.call("PublishVersion", named.clone()).await.output();
        let environment = structure([("Variables", structure([("STAGE", text("test"))]))]);
        world
            .call(
                "UpdateFunctionConfiguration",
                with(named, "Environment", environment),
            )
            .await
            .output();
        let world = world.restarted().await;
        assert!(payload(&world.invoke("orders", "{}").await).contains(r#""stage": "test""#));
        let published = world.invoke("orders:1", "{}").await;
        assert_eq!(get(&published, &["ExecutedVersion"]), "1");
        assert!(payload(&published).contains(r#""stage": null"#));
        assert!(payload(&published).contains("function:orders:1"));
        world.runtime.shutdown().await;
    });
}

#[test]
fn a_failure_of_the_function_is_no_failure_of_the_call() {
    block_on(async {
        let world = World::new().await;
        world.create("orders", HANDLER).await;
        let output = world.invoke("orders", r#"{"fail": true}"#).await;
        assert_eq!(output.get("StatusCode"), Some(&Value::Integer(200)));
        assert_eq!(get(&output, &["FunctionError"]), "Unhandled");
        assert!(payload(&output).contains("ValueError"));

        let missing = with(creation("missing", HANDLER), "Handler", text("nowhere.handler"));
        world.call("CreateFunction", missing).await.output();
        let output = world.invoke("missing", "{}").await;
        assert_eq!(get(&output, &["FunctionError"]), "Unhandled");
        assert!(
            payload(&output).contains("Runtime.ImportModuleError"),
            "{}",
            payload(&output)
        );
        world.runtime.shutdown().await;
    });
}

#[test]
fn bootstraps_run_on_provided_runtimes() {
    block_on(async {
        let world = World::new().await;
        let code = structure([("ZipFile", blob(&package(&[("readme", "no bootstrap here")])))]);
        let input = with(creation("bare", HANDLER), "Runtime", text("provided.al2023"));
        world
            .call("CreateFunction", with(input, "Code", code))
            .await
            .output();
        let output = world.invoke("bare", "{}").await;
        assert!(
            payload(&output).contains("Runtime.InvalidEntrypoint"),
            "{}",
            payload(&output)
        );
        world.runtime.shutdown().await;
    });
}

#[test]
fn the_other_ways_to_invoke() {
    block_on(async {
        let world = World::new().await;
        world.create("orders", HANDLER).await;
        let invoke = |kind: &str, payload: &[u8]| {
            structure([
                ("FunctionName", text("orders")),
                ("InvocationType", text(kind)),
                ("Payload", blob(payload)),
            ])
        };
        let output = world.call("Invoke", invoke("DryRun", b"{}")).await.output();
        assert_eq!(output.get("StatusCode"), Some(&Value::Integer(204)));
        assert!(world.log().is_empty(), "a dry run runs nothing");
        let (code, status, _) = world
            .call("Invoke", invoke("RequestResponse", b"no json"))
            .await
            .error();
        assert_eq!((code.as_str(), status), ("InvalidRequestContentException", 400));

        let output = world
            .call("Invoke", invoke("Event", br#"{"queued": 1}"#))
            .await
            .output();
        assert_eq!(output.get("StatusCode"), Some(&Value::Integer(202)));
        let ran = async {
            while !world.log().iter().any(|line| line.contains("'queued': 1")) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), ran).await.unwrap();
        assert!(
            world
                .log()
                .iter()
                .all(|line| line.starts_with("/aws/lambda/orders "))
        );

        let stop = structure([
            ("FunctionName", text("orders")),
            ("ReservedConcurrentExecutions", Value::Integer(0)),
        ]);
        world.call("PutFunctionConcurrency", stop).await.output();
        let (code, status, message) = world
            .call("Invoke", invoke("RequestResponse", b"{}"))
            .await
            .error();
        assert_eq!((code.as_str(), status), ("TooManyRequestsException", 429));
        assert_eq!(message, "Rate Exceeded.");
        world.runtime.shutdown().await;
    });
}
