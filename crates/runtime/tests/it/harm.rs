//! Functions that do harm: each gets Lambda's answer and leaves others alone.

use std::time::{Duration, Instant};

use crate::support::{REQUEST_ID, World, json, python_function, text};

#[tokio::test(flavor = "multi_thread")]
async fn exits_have_lambdas_words() {
    let world = World::new();
    for (code, expected) in [
        (
            "import os; os._exit(1)",
            "Runtime exited with error: exit status 1",
        ),
        (
            "import sys; sys.exit(7)",
            "Runtime exited with error: exit status 7",
        ),
        (
            "import os; os._exit(0)",
            "Runtime exited without providing a reason",
        ),
        (
            "import os; os.kill(os.getpid(), 9)",
            "Runtime exited with error: signal: killed",
        ),
        (
            "import os; os.abort()",
            "Runtime exited with error: signal: aborted",
        ),
    ] {
        let function = python_function("exit", &format!("def handler(event, context):\n    {code}\n"));
        let result = world.run(&function, "{}").await;
        assert_eq!(json(&result)["errorType"], "Runtime.ExitError");
        assert_eq!(
            json(&result)["errorMessage"],
            format!("RequestId: {REQUEST_ID} Error: {expected}")
        );
        assert_eq!(result.function_error.as_deref(), Some("Unhandled"));
        world.runtime.retire(&function.spec.arn);
    }
    let log = world.log().await;
    assert!(
        log.iter()
            .any(|line| line.ends_with("\tStatus: error\tError Type: Runtime.ExitError\t")),
        "{log:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_function_times_out_and_is_ended() {
    let world = World::new();
    let hang = python_function(
        "hang",
        "import time\ndef handler(event, context):\n    if event: time.sleep(100)\n    return 'fine'\n",
    )
    .change(|spec| spec.timeout = Duration::from_secs(1));
    assert_eq!(text(&world.run(&hang, "0").await), "\"fine\"");
    let begin = Instant::now();
    let result = world.run(&hang, "1").await;
    assert!(
        begin.elapsed() < Duration::from_millis(1500),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(json(&result)["errorType"], "Sandbox.Timedout");
    assert_eq!(
        json(&result)["errorMessage"],
        format!("RequestId: {REQUEST_ID} Error: Task timed out after 1.00 seconds")
    );
    assert!(
        (result.report.duration_ms - 1000.0).abs() < f64::EPSILON,
        "{:?}",
        result.report
    );
    assert_eq!(world.runtime.idle_environments(), 0);
    let log = world.log().await;
    let line = log
        .iter()
        .find(|line| line.ends_with(&format!("Z {REQUEST_ID} Task timed out after 1.00 seconds")));
    assert!(line.is_some_and(|line| line.as_bytes()[10] == b'T'), "{log:?}");
    assert_eq!(text(&world.run(&hang, "0").await), "\"fine\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_hangs_uses_up_both_tries() {
    let world = World::with(|options| options.init_limit = Duration::from_millis(500));
    let hang = python_function("slow", "import time\ntime.sleep(100)\n")
        .change(|spec| spec.timeout = Duration::from_secs(1));
    let begin = Instant::now();
    let result = world.run(&hang, "{}").await;
    assert_eq!(json(&result)["errorType"], "Sandbox.Timedout");
    let took = begin.elapsed();
    assert!(
        took > Duration::from_millis(1500) && took < Duration::from_secs(4),
        "{took:?}"
    );
    let log = world.log().await;
    assert!(
        log.iter()
            .any(|line| line.ends_with("\tPhase: init\tStatus: timeout")),
        "{log:?}"
    );
    assert!(
        log.iter()
            .any(|line| line.ends_with("\tPhase: invoke\tStatus: timeout")),
        "{log:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_memory_is_told_as_such_and_others_go_on() {
    let world = World::new();
    let greedy = python_function(
        "greedy",
        "def handler(event, context):\n    x = []\n    while True: x.append(bytearray(1 << 20))\n",
    );
    let other = python_function(
        "other",
        "def handler(event, context): return sum(range(1000000))\n",
    );
    let (result, unharmed) = tokio::join!(world.run(&greedy, "{}"), world.run(&other, "{}"));
    assert_eq!(text(&unharmed), "499999500000");
    assert_eq!(result.function_error.as_deref(), Some("Unhandled"));
    // Without control groups each process has its own limit and Python sees it itself.
    let kind = json(&result)["errorType"].clone();
    assert!(kind == "Runtime.OutOfMemory" || kind == "MemoryError", "{kind}");
    assert!(result.report.max_memory_mb <= 128);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_tmp_is_the_functions_own_trouble() {
    let world = World::new();
    let code = "import errno, os\ndef handler(event, context):\n    try:\n        for n in range(600):\n            with open(f'/tmp/{n}', 'wb') as f: f.write(bytes(1 << 20))\n    except OSError as e: return errno.errorcode[e.errno]\n";
    let result = world.run(&python_function("fill", code), "{}").await;
    assert_eq!(text(&result), "\"ENOSPC\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_bomb_is_bounded_and_ended_with_the_function() {
    let world = World::new();
    let code = "import os, time\ndef handler(event, context):\n    n = 0\n    try:\n        while True:\n            if os.fork() == 0:\n                time.sleep(1000)\n            n += 1\n    except OSError: os._exit(3)\n";
    let bomb = python_function("bomb", code).change(|spec| spec.memory_mb = 1024);
    let other = python_function("other", "def handler(event, context): return 1\n");
    let (result, unharmed) = tokio::join!(world.run(&bomb, "{}"), world.run(&other, "{}"));
    assert_eq!(text(&unharmed), "1");
    let kind = json(&result)["errorType"].clone();
    assert!(
        kind == "Runtime.ExitError" || kind == "Runtime.OutOfMemory",
        "{}",
        text(&result)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_over_six_megabytes_is_refused() {
    let world = World::new();
    let large = python_function("large", "def handler(event, context): return 'x' * event\n")
        .change(|spec| spec.memory_mb = 256);
    let fits = world.run(&large, "6291554").await;
    assert_eq!(
        (fits.function_error.as_deref(), fits.payload.len()),
        (None, 6_291_556)
    );
    let result = world.run(&large, "6291555").await;
    assert_eq!(json(&result)["errorType"], "Function.ResponseSizeTooLarge");
    let message = "Response payload size exceeded maximum allowed payload size (6291556 bytes).";
    assert_eq!(json(&result)["errorMessage"], message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_output_harms_nobody() {
    let world = World::new();
    let code = "import os\ndef handler(event, context):\n    for n in range(200): os.write(1, b'y' * 65535 + b'\\n')\n    return 'done'\n";
    let result = world.run(&python_function("loud", code), "{}").await;
    assert_eq!(text(&result), "\"done\"");
    assert!(result.log_tail.unwrap().len() <= 4096);
    assert_eq!(
        world
            .log()
            .await
            .iter()
            .filter(|line| line.starts_with('y'))
            .count(),
        200
    );
}
