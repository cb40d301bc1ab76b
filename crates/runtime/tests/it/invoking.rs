//! What a caller gets.

use std::time::Duration;

use jiff::SignedDuration;
use rolecall_runtime::{InvokeError, RuntimeIdentifier, ThrottleReason};
use serde_json::json;

use crate::support::{REQUEST_ID, World, function, invocation, json as value, python_function, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_function_answers_and_its_log_is_lambdas() {
    let world = World::new();
    let echo = python_function(
        "echo",
        "import os\nprint('loading')\ndef handler(event, context):\n    print('hello')\n    return {'event': event, 'id': context.aws_request_id, 'name': context.function_name, 'left': context.get_remaining_time_in_millis() > 10000}\n",
    );
    let result = world.run(&echo, r#"{"a": [1, null]}"#).await;
    assert_eq!(result.function_error, None, "{}", text(&result));
    assert_eq!(
        value(&result),
        json!({"event": {"a": [1, null]}, "id": REQUEST_ID, "name": "echo", "left": true})
    );
    assert!(
        result.report.cold && result.report.max_memory_mb > 5 && result.report.max_memory_mb < 128,
        "{:?}",
        result.report
    );
    let log = world.log().await;
    assert!(
        log[0].starts_with("INIT_START Runtime Version: python:3."),
        "{log:?}"
    );
    assert_eq!(log[1], "loading");
    assert_eq!(log[2], format!("START RequestId: {REQUEST_ID} Version: $LATEST"));
    assert_eq!(log[3], "hello");
    assert_eq!(log[4], format!("END RequestId: {REQUEST_ID}"));
    assert!(
        log[5].starts_with(&format!("REPORT RequestId: {REQUEST_ID}\tDuration: ")),
        "{log:?}"
    );
    assert!(
        log[5].contains("\tMemory Size: 128 MB\tMax Memory Used: ") && log[5].contains("\tInit Duration: "),
        "{log:?}"
    );
    let tail = String::from_utf8(result.log_tail.unwrap().to_vec()).unwrap();
    assert!(
        tail.starts_with("START RequestId: ") && tail.contains("\nhello\n"),
        "{tail}"
    );
    let place = world.recorder.lines.lock().unwrap()[0].0.clone();
    assert!(
        place.starts_with("/aws/lambda/echo 20") && place.contains("/[$LATEST]"),
        "{place}"
    );

    let again = world.run(&echo, "2").await;
    assert!(!again.report.cold && again.report.init_ms.is_none());
    println!(
        "cold start: {:?}; warm: {} ms",
        result.report.init_ms, again.report.duration_ms
    );
    assert_eq!(world.recorder.assumed.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_lambdas() {
    let world = World::new();
    let show = python_function("show", "import os\ndef handler(event, context): return dict(os.environ) | {'cwd': os.getcwd(), 'uid': os.getuid()}\n")
        .change(|spec| {
            spec.environment.insert("TABLE".into(), "orders".into());
        });
    let all = value(&world.run(&show, "{}").await);
    for (name, expected) in [
        ("TABLE", "orders"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_LAMBDA_FUNCTION_NAME", "show"),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
        ("AWS_ACCESS_KEY_ID", "ASIA0000000000000001"),
        ("AWS_SECRET_ACCESS_KEY", "the-secret"),
        ("AWS_SESSION_TOKEN", "the-token"),
        ("cwd", "/var/task"),
    ] {
        assert_eq!(all[name], expected, "{name}");
    }
    assert_eq!(all["uid"], 993);
    assert!(all["_X_AMZN_TRACE_ID"].as_str().unwrap().starts_with("Root=1-"));
    assert_eq!(all.get("CARGO"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_to_aws_leave_marked_with_their_function() {
    let world = World::new();
    let code = "import urllib.request, os\ndef handler(event, context):\n    return urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL'] + '/x').read().decode()\n";
    assert_eq!(
        text(&world.run(&python_function("caller", code), "{}").await),
        "\"caller\""
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_is_there() {
    let world = World::new();
    let code =
        "import boto3\ndef handler(event, context):\n    return boto3.client('sts').meta.endpoint_url\n";
    let sdk = python_function("sdk", code).change(|spec| spec.memory_mb = 256);
    let result = world.run(&sdk, "{}").await;
    assert_eq!(text(&result), "\"http://127.0.0.1:4566\"");
    println!(
        "cold start with the SDK: {:?}, memory {} MB",
        result.report.init_ms, result.report.max_memory_mb
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_is_the_callers_and_the_environment_lives() {
    let world = World::new();
    let throw = python_function(
        "throw",
        "n = 0\ndef handler(event, context):\n    global n; n += 1\n    raise ValueError(f'no {n}')\n",
    );
    for count in 1..=2 {
        let result = world.run(&throw, "{}").await;
        assert_eq!(result.function_error.as_deref(), Some("Unhandled"));
        let error = value(&result);
        assert_eq!(
            (&error["errorType"], &error["errorMessage"]),
            (&json!("ValueError"), &json!(format!("no {count}")))
        );
        assert!(
            error["stackTrace"][0]
                .as_str()
                .unwrap()
                .contains("/var/task/app.py"),
            "{error}"
        );
        assert_eq!(error["requestId"], REQUEST_ID);
    }
    assert!(
        world
            .log()
            .await
            .iter()
            .any(|line| line.starts_with("[ERROR] ValueError: no 1\nTraceback"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_cannot_be_loaded_is_told() {
    let world = World::new();
    let cases = [
        (
            python_function("a", "import nothing_of_this_name\n"),
            "Runtime.ImportModuleError",
        ),
        (
            python_function("b", "def other(): pass\n"),
            "Runtime.HandlerNotFound",
        ),
        (
            python_function("c", "def handler(:\n"),
            "Runtime.UserCodeSyntaxError",
        ),
        (
            python_function("d", "").change(|spec| spec.handler = "nodot".into()),
            "Runtime.MalformedHandlerName",
        ),
    ];
    for (function, kind) in cases {
        let result = world.run(&function, "{}").await;
        assert_eq!(value(&result)["errorType"], kind);
        assert_eq!(result.function_error.as_deref(), Some("Unhandled"));
    }
    let log = world.log().await;
    assert!(
        log.iter()
            .any(|line| line.contains("Phase: init\tStatus: error\tError Type: Runtime.ImportModuleError")),
        "{log:?}"
    );
    assert_eq!(world.runtime.idle_environments(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn initialisation_that_fails_is_tried_once_more() {
    let world = World::new();
    // What is left in the log stream tells how often the module ran.
    let flaky = python_function("flaky", "print('trying')\nraise RuntimeError('always')\n");
    let result = world.run(&flaky, "{}").await;
    assert_eq!(value(&result)["errorType"], "RuntimeError");
    assert_eq!(
        world.log().await.iter().filter(|line| *line == "trying").count(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_events_get_environments_of_their_own() {
    let world = World::new();
    let sleep = python_function(
        "sleep",
        "import time, os\nme = os.urandom(8).hex()\ndef handler(event, context):\n    time.sleep(1); return me\n",
    );
    let (a, b) = tokio::join!(world.run(&sleep, "1"), world.run(&sleep, "2"));
    assert_ne!(text(&a), text(&b));
    assert_eq!(world.runtime.idle_environments(), 2);
    let third = world.run(&sleep, "3").await;
    assert!([text(&a), text(&b)].contains(&text(&third)));
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_concurrency_throttle() {
    let world = World::with(|options| options.concurrency = 1);
    let sleep = python_function(
        "sleep",
        "import time\ndef handler(event, context): time.sleep(event)\n",
    );
    let (first, second) = tokio::join!(
        world.runtime.invoke(sleep.spec.clone(), invocation("1")),
        world.runtime.invoke(sleep.spec.clone(), invocation("1")),
    );
    assert!(first.is_ok());
    let reason = ThrottleReason::ConcurrentInvocationLimitExceeded;
    assert!(
        matches!(second, Err(InvokeError::Throttled { reason: because }) if because == reason),
        "{second:?}"
    );
    let none = sleep.change(|spec| spec.reserved_concurrency = Some(0));
    let reason = ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded;
    let refused = world.runtime.invoke(none.spec.clone(), invocation("0")).await;
    assert!(
        matches!(refused, Err(InvokeError::Throttled { reason: because }) if because == reason),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn environments_are_recycled_when_they_must_be() {
    let world = World::with(|options| options.idle_limit = Duration::from_millis(400));
    let counter = python_function(
        "counter",
        "n = 0\ndef handler(event, context):\n    global n; n += 1\n    return n\n",
    );
    assert_eq!(text(&world.run(&counter, "0").await), "1");
    assert_eq!(text(&world.run(&counter, "0").await), "2");
    // New code or configuration.
    let counter = counter.change(|spec| spec.revision = "2".into());
    assert_eq!(text(&world.run(&counter, "0").await), "1");
    // Retired by hand.
    world.runtime.retire(&counter.spec.arn);
    assert_eq!(world.runtime.idle_environments(), 0);
    // Credentials that would end during the next run.
    *world.recorder.lifetime.lock().unwrap() = SignedDuration::from_secs(30);
    assert_eq!(text(&world.run(&counter, "0").await), "1");
    assert_eq!(text(&world.run(&counter, "0").await), "1");
    // Not needed for a while.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.runtime.idle_environments(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_cannot_be_assumed_is_an_error() {
    let world = World::new();
    let function = python_function("x", "")
        .change(|spec| spec.role_arn = "arn:aws:iam::123456789012:role/forbidden".into());
    let refused = world
        .runtime
        .invoke(function.spec.clone(), invocation("{}"))
        .await;
    assert!(matches!(refused, Err(InvokeError::Credentials(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bootstrap_is_executed() {
    let world = World::new();
    // Speaks the Runtime API itself, with nothing but Python's standard library standing in for a compiled program.
    let code = "#!/usr/bin/env python3\nimport os, urllib.request as u\nb = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/2018-06-01/runtime/invocation/'\nwhile True:\n  r = u.urlopen(b + 'next')\n  u.urlopen(u.Request(b + r.headers['Lambda-Runtime-Aws-Request-Id'] + '/response', data=b'{\"handler\": \"' + os.environ['_HANDLER'].encode() + b'\"}'))\n";
    let custom = function(
        "custom",
        RuntimeIdentifier::ProvidedAl2023,
        "my.handler",
        "bootstrap",
        code,
    );
    assert_eq!(
        value(&world.run(&custom, "{}").await),
        json!({"handler": "my.handler"})
    );

    let missing = function("missing", RuntimeIdentifier::ProvidedAl2023, "x", "other", "");
    let error = value(&world.run(&missing, "{}").await);
    assert_eq!(error["errorType"], "Runtime.InvalidEntrypoint");
    let message = format!(
        "RequestId: {REQUEST_ID} Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
    );
    assert_eq!(error["errorMessage"], message);

    let broken = function(
        "broken",
        RuntimeIdentifier::ProvidedAl2,
        "x",
        "bootstrap",
        "no interpreter line",
    );
    let error = value(&world.run(&broken, "{}").await);
    assert_eq!(
        error["errorMessage"],
        format!("RequestId: {REQUEST_ID} Error: fork/exec /var/task/bootstrap: exec format error")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interpreter_that_is_not_there_is_named() {
    let world = World::new();
    let supported = (9..=14)
        .map(RuntimeIdentifier::Python)
        .find(|runtime| world.runtime.check(*runtime).is_err());
    let Some(runtime) = supported else { return };
    let function = function("old", runtime, "app.handler", "app.py", "");
    let error = world
        .runtime
        .invoke(function.spec.clone(), invocation("{}"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(&format!("install the package {runtime}")),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn shutting_down_ends_everything() {
    let world = World::new();
    let hang = python_function(
        "hang-until-shutdown",
        "import time\ndef handler(event, context): time.sleep(1000)\n",
    );
    let running = tokio::spawn({
        let (runtime, spec) = (world.runtime.clone(), hang.spec.clone());
        async move { runtime.invoke(spec, invocation("{}")).await }
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(processes_of(&hang.spec.name) > 0);
    tokio::time::timeout(Duration::from_secs(5), world.runtime.shutdown())
        .await
        .unwrap();
    assert_eq!(processes_of(&hang.spec.name), 0);
    // It ended one way or the other, but it did end.
    tokio::time::timeout(Duration::from_secs(1), running)
        .await
        .unwrap()
        .unwrap()
        .map(drop)
        .unwrap_or_default();
    let refused = world.runtime.invoke(hang.spec.clone(), invocation("{}")).await;
    assert!(matches!(refused, Err(InvokeError::ShuttingDown)));
}

/// Processes anywhere that run for the function of this name.
fn processes_of(name: &str) -> usize {
    let variable = format!("AWS_LAMBDA_FUNCTION_NAME={name}\0");
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let environments = processes.filter_map(|entry| std::fs::read(entry.path().join("environ")).ok());
    environments
        .filter(|environment| String::from_utf8_lossy(environment).contains(&variable))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_an_environment_ends_with_it() {
    let world = World::new();
    let talk = python_function(
        "talk",
        "import sys\ndef handler(event, context):\n    sys.stdout.write('no line end')\n",
    );
    for _ in 0..3 {
        world.run(&talk, "{}").await;
        world.runtime.retire(&talk.spec.arn);
    }
    let wait = tokio::time::timeout(Duration::from_secs(5), world.runtime.shutdown());
    wait.await.unwrap();
    assert_eq!(
        world
            .log()
            .await
            .iter()
            .filter(|line| *line == "no line end")
            .count(),
        3
    );
    // Nothing but this test holds the recorder any more: no writer of a log is left behind.
    let recorder = std::sync::Arc::downgrade(&world.recorder);
    drop(world);
    let gone = async {
        while recorder.strong_count() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone).await.unwrap();
}
