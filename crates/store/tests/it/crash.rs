//! `kill -9` in the middle of a write load: what was answered is there, and nothing is there by half.
//!
//! The test binary runs itself as the victim. The victim says on its standard output what it was answered; the test kills
//! it at a random moment, opens the store and looks.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rolecall_store::{Condition, Journal, Position, Reader, Store, Transaction, UnixMillis};

use crate::{block_on, open};

/// Tells the victim where to write.
const FOLDER: &str = "ROLECALL_STORE_CRASH_FOLDER";
const ROUNDS: u32 = 20;
const WRITERS: u64 = 8;
const EVENTS: Journal<'_> = Journal::transactional("events");
const DATA: Journal<'_> = Journal::relaxed("data");

/// Not a test of its own: the process that is killed. Without the variable it has nothing to do.
#[test]
fn victim() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let store = Arc::new(open(Path::new(&folder)));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let start = store.revision();
    runtime.block_on(async {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| tokio::spawn(write(store.clone(), writer, start)))
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
    });
}

/// Writes until killed. Both keys, the event and the job of a transaction belong together.
async fn write(store: Arc<rolecall_store::EmbeddedStore>, writer: u64, start: u64) {
    for count in 0_u64.. {
        let name = format!("{start}-{writer}-{count}");
        let transaction = Transaction::new()
            .put(
                "left",
                name.as_str(),
                vec![b'x'; usize::try_from(count % 700).unwrap()],
                Condition::Absent,
            )
            .put("right", name.as_str(), "", Condition::Absent)
            .append(EVENTS, name.clone())
            .enqueue("jobs", name.clone(), UnixMillis(0));
        let revision = store.commit(transaction).await.unwrap();
        say(&format!("committed {revision} {name}"));
        if writer == 0 {
            let position = store.append_relaxed(DATA, name.clone().into()).unwrap();
            store.flush().await.unwrap();
            say(&format!("flushed {position} {name}"));
        }
    }
}

/// One line in one write, so that killing cannot mix two. The test harness's own capture is not in the way: it only
/// replaces `print!`.
fn say(line: &str) {
    std::io::stdout()
        .write_all(format!("{line}\n").as_bytes())
        .unwrap();
}

#[test]
fn what_was_answered_survives_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut committed: BTreeMap<u64, String> = BTreeMap::new();
    let mut flushed: BTreeMap<Position, String> = BTreeMap::new();
    for round in 0..ROUNDS {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::victim", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(victim.stdout.take().unwrap());
        let reader = std::thread::spawn(move || output.lines().map_while(Result::ok).collect::<Vec<_>>());
        std::thread::sleep(random_delay());
        victim.kill().unwrap();
        let status = victim.wait().unwrap();
        assert!(!status.success(), "round {round}: the victim ended by itself");
        for line in reader.join().unwrap() {
            let Some((kind, rest)) = line.split_once(' ') else {
                continue;
            };
            let Some((number, name)) = rest.split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse() else { continue };
            let clash = match kind {
                "committed" => committed.insert(number, name.to_owned()),
                "flushed" => flushed.insert(number, name.to_owned()),
                _ => continue,
            };
            assert_eq!(clash, None, "round {round}: {number} was given twice");
        }
        check(folder.path(), &committed, &flushed, round);
    }
    assert!(
        committed.len() > 100,
        "only {} transactions were answered; the test shows nothing",
        committed.len()
    );
    assert!(!flushed.is_empty());
}

fn check(folder: &Path, committed: &BTreeMap<u64, String>, flushed: &BTreeMap<Position, String>, round: u32) {
    let opening = Instant::now();
    let store = open(folder);
    let opening = opening.elapsed();
    assert!(
        opening < Duration::from_secs(2),
        "round {round}: opening after the crash took {opening:?}"
    );
    for (revision, name) in committed {
        let entry = store.get("left", name.as_bytes()).unwrap();
        assert_eq!(
            entry.map(|entry| entry.revision),
            Some(*revision),
            "round {round}: {name} was answered"
        );
    }
    let names = |bucket| {
        let entries = store
            .scan(bucket, &rolecall_store::ScanRange::all(), usize::MAX)
            .unwrap();
        entries
            .into_iter()
            .map(|entry| String::from_utf8(entry.key.to_vec()).unwrap())
            .collect::<Vec<_>>()
    };
    let left = names("left");
    assert_eq!(left, names("right"), "round {round}: half a transaction");
    let mut events: Vec<_> = store
        .read_from(EVENTS, 0, usize::MAX)
        .unwrap()
        .into_iter()
        .map(|record| String::from_utf8(record.payload.to_vec()).unwrap())
        .collect();
    events.sort();
    assert_eq!(events, left, "round {round}: events and changes differ");
    assert_eq!(
        store.queue_length("jobs").unwrap(),
        left.len(),
        "round {round}: jobs and changes differ"
    );
    let records: BTreeMap<_, _> = store
        .read_from(DATA, 0, usize::MAX)
        .unwrap()
        .into_iter()
        .map(|record| {
            (
                record.position,
                String::from_utf8(record.payload.to_vec()).unwrap(),
            )
        })
        .collect();
    for (position, name) in flushed {
        assert_eq!(
            records.get(position),
            Some(name),
            "round {round}: a flushed record is lost"
        );
    }
    block_on(store.commit(Transaction::new().put("rounds", round.to_string(), "", Condition::Absent)))
        .unwrap();
}

/// Between 20 and 150 ms.
fn random_delay() -> Duration {
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .subsec_nanos();
    Duration::from_micros(20_000 + u64::from(nanos / 1_000 % 130_000))
}
