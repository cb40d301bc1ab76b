//! Starting, talking, ending, and leaving nothing behind.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rolecall_sandbox::{ExitReason, Layer, SandboxError};

use crate::support::{alone, python, run, sandbox, shell, shown, spec};

#[test]
fn output_and_exit_status_come_back() {
    let outcome = run(&shell("echo out; echo err >&2; exit 3"));
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("out\n", "err\n")
    );
    assert_eq!(outcome.code(), Some(3));
}

#[test]
fn a_signal_is_told_apart_from_an_exit() {
    let outcome = run(&shell("kill -SEGV $$"));
    let ExitReason::Exited(status) = outcome.exit else {
        panic!("{outcome:?}")
    };
    assert_eq!(status.signal(), Some(11));
}

#[test]
fn nothing_of_the_environment_is_inherited() {
    let mut wanted = shell("env");
    wanted.environment = vec![("ONLY".into(), "this".into())];
    let names: Vec<String> = run(&wanted)
        .stdout
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0.to_owned()))
        .collect();
    // The shell itself adds PWD (and, by its kind, SHLVL and _).
    assert!(names.contains(&"ONLY".to_owned()));
    assert!(
        names
            .iter()
            .all(|name| ["ONLY", "PWD", "SHLVL", "_"].contains(&name.as_str())),
        "{names:?}"
    );
}

#[test]
fn the_server_answers_inside_on_both_ports() {
    let Some(python) = python() else {
        panic!("this test needs python3")
    };
    let script = "import socket\nfor p in (9001, 4566):\n s=socket.create_connection(('127.0.0.1',p)); s.sendall(b'hi'); print(s.recv(9).decode())";
    let mut process = sandbox().spawn(&spec(&python, script)).unwrap();
    for (listener, answer) in [
        (process.take_runtime_api(), "api"),
        (process.take_aws_endpoint(), "aws"),
    ] {
        let (mut stream, _) = listener.unwrap().accept().unwrap();
        let mut question = [0; 2];
        stream.read_exact(&mut question).unwrap();
        assert_eq!(&question, b"hi");
        stream.write_all(answer.as_bytes()).unwrap();
    }
    assert_eq!(crate::support::finish(&mut process).stdout, "api\naws\n");
}

#[test]
fn a_missing_program_is_named() {
    let error = sandbox()
        .spawn(&spec(Path::new("/var/task/bootstrap"), ""))
        .unwrap_err();
    assert!(
        matches!(&error, SandboxError::Program { program, .. } if program == Path::new("/var/task/bootstrap")),
        "{error:?}"
    );
}

#[test]
fn a_missing_source_is_named() {
    let mut wanted = shell("true");
    wanted.mounts.push(shown(Path::new("/no/such/code"), "/var/task"));
    let error = sandbox().spawn(&wanted).unwrap_err();
    assert!(
        matches!(&error, SandboxError::Source { path, .. } if path == Path::new("/no/such/code")),
        "{error:?}"
    );
}

#[test]
fn a_missing_working_directory_is_named() {
    let mut wanted = shell("true");
    wanted.working_directory = PathBuf::from("/nowhere");
    let error = sandbox().spawn(&wanted).unwrap_err();
    assert!(
        matches!(error, SandboxError::WorkingDirectory { .. }),
        "{error:?}"
    );
}

#[test]
fn no_copy_of_the_server_stays_in_the_sandbox() {
    let process = sandbox().spawn(&shell("exec sleep 100")).unwrap();
    let command_line = format!("/proc/{}/cmdline", process.id());
    let begin = Instant::now();
    // Process 1 executes itself as init while the program starts already.
    while std::fs::read(&command_line).unwrap() != b"rolecall-sandbox-init\0" {
        assert!(
            begin.elapsed() < Duration::from_secs(5),
            "process 1 is still a copy of the server"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn killing_ends_every_process_at_once_and_leaves_nothing() {
    let _alone = alone();
    let process = sandbox()
        .spawn(&shell(
            "sleep 1000 & sleep 1000 & (sleep 1000 & ) ; setsid sleep 1000",
        ))
        .unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let init = process.id();
    let group = group_of_sandbox(init);
    assert!(sandbox_processes(init) >= 1);
    let start = Instant::now();
    process.kill();
    assert_eq!(process.wait().unwrap(), ExitReason::Killed);
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(sandbox_processes(init), 0);
    drop(process);
    if let Some(group) = group {
        assert_eq!(groups_beginning_with(&group), [] as [PathBuf; 0]);
    }
}

/// Name of the variable that makes [`a_killed_server_takes_its_sandboxes_along`] play the server.
const SERVER: &str = "ROLECALL_SANDBOX_TEST_SERVER";

#[test]
fn a_killed_server_takes_its_sandboxes_along() {
    if std::env::var_os(SERVER).is_some() {
        let process = sandbox().spawn(&shell("sleep 1000 & exec sleep 1000")).unwrap();
        println!("sandbox {}", process.id());
        loop {
            std::thread::sleep(Duration::from_secs(1));
        }
    }
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "lifecycle::a_killed_server_takes_its_sandboxes_along",
            "--nocapture",
        ])
        .env(SERVER, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(server.stdout.take().unwrap());
    // The test harness may have begun the line.
    let told = output
        .lines()
        .map_while(Result::ok)
        .find_map(|line| Some(line.split_once("sandbox ")?.1.trim().to_owned()));
    let init: u32 = told.unwrap().parse().unwrap();
    assert!(sandbox_processes(init) >= 1);
    server.kill().unwrap();
    server.wait().unwrap();
    let begin = Instant::now();
    while sandbox_processes(init) > 0 && begin.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(sandbox_processes(init), 0);
    // The next server removes the groups that the killed one could not.
    rolecall_sandbox::Sandbox::new().unwrap();
    assert_eq!(
        groups_beginning_with(&format!("rolecall.{}.", server.id())),
        [] as [PathBuf; 0]
    );
}

#[test]
fn starting_is_fast() {
    let _alone = alone();
    let mut times = Vec::new();
    for _ in 0..20 {
        let start = Instant::now();
        let process = sandbox().spawn(&shell("exec sleep 100")).unwrap();
        times.push(start.elapsed());
        drop(process);
    }
    times.sort_unstable();
    let median = times[times.len() / 2];
    println!("median start of a sandbox: {median:?}");
    // Some milliseconds; the bound only catches a start that became slower by an order of magnitude.
    assert!(median < Duration::from_millis(250), "{median:?}");
}

#[test]
fn what_this_machine_offers_is_reported() {
    let doctor = sandbox().doctor();
    assert!(doctor.works(), "{doctor}");
    assert_eq!(
        doctor
            .layers
            .iter()
            .filter(|state| state.layer == Layer::Cgroup)
            .count(),
        1
    );
}

/// Threads listed under the sandbox's first process, 0 when it is gone.
fn sandbox_processes(init: u32) -> usize {
    std::fs::read_dir(format!("/proc/{init}/task")).map_or(0, Iterator::count)
}

/// Name of the control group a sandbox is in, if it is in one of its own.
fn group_of_sandbox(init: u32) -> Option<String> {
    let groups = std::fs::read_to_string(format!("/proc/{init}/cgroup")).unwrap();
    groups
        .lines()
        .find_map(|line| Some(format!("rolecall.{}", line.split_once("/rolecall.")?.1)))
}

/// Control groups anywhere whose names begin so.
fn groups_beginning_with(beginning: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![(PathBuf::from("/sys/fs/cgroup"), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(beginning) {
                found.push(entry.path());
            } else if depth < 4 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push((entry.path(), depth + 1));
            }
        }
    }
    found
}
