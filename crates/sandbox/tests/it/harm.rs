//! Programs that try to do harm.

use std::path::Path;

use rolecall_sandbox::ExitReason;

use crate::support::{MEGABYTE, alone, python, run, sandbox, shell, shown, spec};

fn python_run(script: &str) -> crate::support::Outcome {
    let Some(python) = python() else {
        panic!("this test needs python3")
    };
    run(&spec(&python, script))
}

#[test]
fn it_is_nobody_on_the_host_and_has_no_capabilities() {
    let outcome = run(&shell(
        "id -u; id -g; grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status",
    ));
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.get(..2), Some(["993", "990"].as_slice()), "{outcome:?}");
    for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(
            outcome.stdout.contains(&format!("{name}:\t0000000000000000")),
            "{outcome:?}"
        );
    }
    assert!(
        outcome.stdout.contains("NoNewPrivs:\t1") && outcome.stdout.contains("Seccomp:\t2"),
        "{outcome:?}"
    );
}

#[test]
fn a_privileged_server_runs_each_as_another_nobody() {
    use std::os::unix::fs::MetadataExt;
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        // Without privileges there is no user but the server's own to run as.
        return;
    }
    let user = || {
        let process = sandbox().spawn(&shell("exec sleep 100")).unwrap();
        let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("Uid:"))
            .unwrap()
            .to_owned();
        line.split_whitespace()
            .skip(1)
            .map(|number| number.parse::<u32>().unwrap())
            .collect::<Vec<_>>()
    };
    let (first, second) = (user(), user());
    assert_ne!(first, second);
    for numbers in [first, second] {
        assert!(
            numbers
                .iter()
                .all(|number| *number >= 1_879_048_192 && *number == numbers[0]),
            "{numbers:?}"
        );
    }
}

#[test]
fn files_of_the_host_are_not_there() {
    for path in [
        "/root/.ssh",
        "/root/.cargo",
        "/etc/shadow",
        "/home",
        "/var/lib",
        "/sys",
        "/boot",
        "/proc/1/environ",
    ] {
        let outcome = run(&shell(&format!("cat {path} || ls {path}")));
        assert_ne!(outcome.code(), Some(0), "{path}: {outcome:?}");
    }
}

#[test]
fn nothing_but_temporary_folders_can_be_written() {
    let code = tempfile::tempdir().unwrap();
    std::fs::write(code.path().join("app.py"), "x = 1\n").unwrap();
    let mut open = std::fs::metadata(code.path()).unwrap().permissions();
    // Even a folder that everybody may write.
    std::os::unix::fs::PermissionsExt::set_mode(&mut open, 0o777);
    std::fs::set_permissions(code.path(), open).unwrap();
    for path in [
        "/var/task/new",
        "/var/task/app.py",
        "/new",
        "/etc/passwd",
        "/usr/new",
        "/bin/sh",
        "/proc/sys/kernel/hostname",
    ] {
        let mut wanted = shell(&format!("echo x > {path}"));
        wanted.mounts.push(shown(code.path(), "/var/task"));
        let outcome = run(&wanted);
        assert_ne!(outcome.code(), Some(0), "{path}: {outcome:?}");
    }
    assert_eq!(
        std::fs::read_to_string(code.path().join("app.py")).unwrap(),
        "x = 1\n"
    );
    let outcome = run(&shell(
        "echo x > /tmp/a && echo y > /dev/shm/b && cat /tmp/a /dev/shm/b && echo z > /dev/null",
    ));
    assert_eq!(outcome.stdout, "x\ny\n", "{outcome:?}");
}

#[test]
fn a_full_tmp_says_so_and_is_not_out_of_memory() {
    let outcome = python_run(
        "import errno\nf = open('/tmp/big', 'wb')\ntry:\n  for _ in range(64): f.write(bytes(1 << 20)); f.flush()\nexcept OSError as e:\n  print(errno.errorcode[e.errno])",
    );
    assert!(
        ["ENOSPC\n", "EFBIG\n"].contains(&outcome.stdout.as_str()),
        "{outcome:?}"
    );
    let outcome = python_run(
        "import errno\ntry:\n  for n in range(64): open(f'/tmp/f{n}', 'wb').write(bytes(1 << 20))\nexcept OSError as e:\n  print(errno.errorcode[e.errno])",
    );
    assert_eq!(outcome.stdout, "ENOSPC\n", "{outcome:?}");
}

#[test]
fn too_much_memory_is_the_end() {
    let _alone = alone();
    let outcome = python_run("x = []\nwhile True: x.append(bytearray(4 << 20))");
    if sandbox().doctor().to_string().contains("control groups: works") {
        assert_eq!(outcome.exit, ExitReason::OutOfMemory, "{outcome:?}");
    } else {
        assert!(outcome.stderr.contains("MemoryError"), "{outcome:?}");
    }
}

#[test]
fn a_fork_bomb_stays_small_and_others_go_on() {
    let _alone = alone();
    let bomb = "import os, time\nn = 0\nwhile True:\n  try:\n    if os.fork() == 0: time.sleep(60)\n    n += 1\n  except OSError: print(n, flush=True); os._exit(0)";
    let Some(python) = python() else {
        panic!("this test needs python3")
    };
    let mut process = sandbox().spawn(&spec(&python, bomb)).unwrap();
    let other = run(&shell("echo unharmed"));
    assert_eq!(other.stdout, "unharmed\n");
    let outcome = crate::support::finish(&mut process);
    let count: u32 = outcome.stdout.trim().parse().unwrap();
    assert!(count > 10 && count <= 64, "{count}");
}

#[test]
fn the_network_ends_at_the_loopback() {
    let outcome = python_run(
        "import socket, errno\nfor a in (('1.1.1.1', 80), ('10.0.0.1', 22), ('127.0.0.1', 80)):\n  s = socket.socket(); s.settimeout(5)\n  try: s.connect(a); print('connected')\n  except OSError as e: print(errno.errorcode.get(e.errno, e))\ntry: socket.getaddrinfo('example.com', 80); print('resolved')\nexcept socket.gaierror: print('no name')",
    );
    assert_eq!(
        outcome.stdout, "ENETUNREACH\nENETUNREACH\nECONNREFUSED\nno name\n",
        "{outcome:?}"
    );
}

#[test]
fn other_processes_are_out_of_sight_and_reach() {
    let outcome = python_run(
        "import os\nprint(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()), os.getpid())\ntry: os.kill(1, 9); print('sent')\nexcept PermissionError: print('refused')\nprint('alive')",
    );
    // Process 1 ignores what comes from inside its own namespace.
    assert!(
        outcome.stdout.starts_with("[2] 2\n") && outcome.stdout.ends_with("alive\n"),
        "{outcome:?}"
    );
}

#[test]
fn the_first_process_cannot_be_read() {
    let outcome = run(&shell(
        "cat /proc/1/maps /proc/1/mem /proc/1/environ /proc/1/cmdline",
    ));
    assert_eq!(outcome.stdout, "", "{outcome:?}");
    assert_ne!(outcome.code(), Some(0));
}

#[test]
fn namespaces_mounts_and_tracing_are_refused() {
    let outcome = python_run(
        "import ctypes, errno\nc = ctypes.CDLL(None, use_errno=True)\nfor name, args in (('unshare', (0x10000000,)), ('mount', (b'none', b'/tmp', b'tmpfs', 0, None)), ('ptrace', (0, 0, 0, 0)), ('setns', (0, 0)), ('umount2', (b'/tmp', 2))):\n  r = getattr(c, name)(*args)\n  print(name, r, errno.errorcode[ctypes.get_errno()])",
    );
    assert_eq!(
        outcome
            .stdout
            .lines()
            .filter(|line| line.ends_with("-1 ENOSYS"))
            .count(),
        5,
        "{outcome:?}"
    );
}

#[test]
fn unusual_socket_families_are_refused() {
    let outcome = python_run(
        "import socket, errno\nfor f in (17, 40, 38, 16, 1):\n  try: socket.socket(f, socket.SOCK_RAW if f == 17 else socket.SOCK_DGRAM); print('open')\n  except OSError as e: print(errno.errorcode[e.errno])",
    );
    assert_eq!(
        outcome.stdout, "ENOSYS\nENOSYS\nENOSYS\nopen\nopen\n",
        "{outcome:?}"
    );
}

#[test]
fn descriptors_of_the_server_are_closed() {
    let outcome = python_run("import os\nprint(sorted(map(int, os.listdir('/proc/self/fd')))[:-1])");
    assert_eq!(outcome.stdout, "[0, 1, 2]\n", "{outcome:?}");
}

#[test]
fn limits_are_set() {
    let outcome = run(&shell("ulimit -n; ulimit -c; ulimit -u"));
    assert_eq!(outcome.stdout.lines().next(), Some("128"), "{outcome:?}");
    assert_eq!(outcome.stdout.lines().nth(1), Some("0"), "{outcome:?}");
}

#[test]
fn ordinary_programs_work() {
    let outcome = python_run(
        "import threading, subprocess, multiprocessing, ssl, sqlite3, tempfile, asyncio\nt = threading.Thread(target=print, args=('thread',)); t.start(); t.join()\nprint(subprocess.run(['echo', 'child'], capture_output=True, text=True).stdout.strip())\nq = multiprocessing.get_context('fork').Queue(); p = multiprocessing.get_context('fork').Process(target=q.put, args=('queue',)); p.start(); print(q.get()); p.join()\nprint(sqlite3.connect('/tmp/x.db').execute('select 1').fetchone())\nasyncio.run(asyncio.sleep(0.01))\nprint('done')",
    );
    assert_eq!(
        outcome.stdout, "thread\nchild\nqueue\n(1,)\ndone\n",
        "{outcome:?}"
    );
    let node = Path::new("/usr/bin/node");
    if node.exists() {
        let mut wanted = spec(node, "");
        wanted.arguments = vec![
            "node".into(),
            "-e".into(),
            "setTimeout(() => console.log(1 + 1), 5)".into(),
        ];
        wanted.limits.memory_bytes = 512 * MEGABYTE;
        assert_eq!(run(&wanted).stdout, "2\n");
    }
}
