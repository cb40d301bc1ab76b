//! Measures the store on this machine: commits one after another and from many writers, relaxed appends, reads, opening.
//!
//! `cargo run --release -p rolecall-store --example latency -- FOLDER`, with FOLDER on the disk in question.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rolecall_store::{Condition, EmbeddedStore, Journal, Options, Reader, Store, Transaction};

const VALUE: [u8; 512] = [b'x'; 512];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("name a folder to measure in")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let store = Arc::new(EmbeddedStore::open(&folder, &Options::default())?);
    for writers in [1, 8, 64] {
        let each = 1_600 / writers + 10;
        let before = processor_time()?;
        let begin = Instant::now();
        let mut latencies = runtime.block_on(commits(&store, writers, each))?;
        let elapsed = begin.elapsed();
        latencies.sort_unstable();
        let at = |percent: usize| {
            latencies
                .get(latencies.len() * percent / 100)
                .copied()
                .unwrap_or_default()
        };
        let rate = per_second(latencies.len(), elapsed);
        let after = processor_time()?;
        let each = |time: fn(&(Duration, Duration)) -> Duration| {
            let spent = time(&after).saturating_sub(time(&before));
            spent / u32::try_from(latencies.len()).unwrap_or(u32::MAX).max(1)
        };
        println!(
            "{writers:>3} writers: {rate:>8.0} commits/s, p50 {:?}, p99 {:?}, processor time of a commit: user {:?}, system {:?}",
            at(50),
            at(99),
            each(|time| time.0),
            each(|time| time.1),
        );
    }
    measure("relaxed appends", 200_000, || {
        store
            .append_relaxed(Journal::relaxed("latency"), VALUE.to_vec().into())
            .map(drop)
    })?;
    measure("gets", 200_000, || store.get("latency", b"0-1").map(drop))?;
    drop(store);
    let begin = Instant::now();
    let store = EmbeddedStore::open(&folder, &Options::default())?;
    println!("opening: {:?} at revision {}", begin.elapsed(), store.revision());
    Ok(())
}

/// Processor time of this process so far, in user and in system mode, in steps of 10 ms (`proc_pid_stat(5)`: fields 14
/// and 15, in clock ticks, of which Linux gives programs 100 a second).
fn processor_time() -> Result<(Duration, Duration), Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The second field is the program's name, in parentheses, and may hold spaces.
    let (_, fields) = stat.rsplit_once(") ").ok_or("/proc/self/stat is not readable")?;
    let mut ticks = fields.split(' ').skip(11).map(str::parse::<u64>);
    let mut next = || -> Result<Duration, Box<dyn Error>> {
        let ticks = ticks.next().ok_or("/proc/self/stat is too short")??;
        Ok(Duration::from_millis(ticks.saturating_mul(10)))
    };
    Ok((next()?, next()?))
}

async fn commits(
    store: &Arc<EmbeddedStore>,
    writers: usize,
    each: usize,
) -> Result<Vec<Duration>, Box<dyn Error>> {
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut latencies = Vec::with_capacity(each);
                for count in 0..each {
                    let key = format!("{writer}-{count}");
                    let transaction = Transaction::new()
                        .put("latency", key, &VALUE[..], Condition::Any)
                        .append(Journal::transactional("latency"), &VALUE[..]);
                    let begin = Instant::now();
                    store.commit(transaction).await?;
                    latencies.push(begin.elapsed());
                }
                Ok::<_, rolecall_store::CommitError>(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    Ok(latencies)
}

fn measure<E>(what: &str, times: usize, mut step: impl FnMut() -> Result<(), E>) -> Result<(), E> {
    let begin = Instant::now();
    for _ in 0..times {
        step()?;
    }
    println!("{what}: {:.0} per second", per_second(times, begin.elapsed()));
    Ok(())
}

fn per_second(count: usize, elapsed: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / elapsed.as_secs_f64()
}
