//! Prints what each part of the catalogue costs: the time to its first answer and the growth of the resident set.
//!
//! `cargo run --release -p rolecall-catalog --example memory` (Linux).

use std::time::Instant;

use rolecall_catalog as catalog;

/// The resident set in KiB, as the kernel counts it; `None` where there is no `/proc`.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn measure(what: &str, use_it: impl FnOnce() -> usize) {
    let before = resident().unwrap_or_default();
    let start = Instant::now();
    let count = use_it();
    let took = start.elapsed();
    let grown = resident().unwrap_or_default().saturating_sub(before);
    println!(
        "{what:32} {count:>7} {:>9.2} ms {grown:>7} KiB",
        took.as_secs_f64() * 1e3
    );
}

fn main() {
    println!(
        "{:32} {:>7} {:>12} {:>11}",
        "part", "items", "first answer", "grown"
    );
    measure("versions", || catalog::versions().len());
    measure("events and operations", || {
        usize::from(catalog::read_only("sts", "AssumeRole"))
    });
    measure("prefixes of all services", || catalog::service_prefixes().count());
    for prefix in ["sts", "lambda", "s3", "dynamodb", "logs", "iam", "ec2"] {
        measure(&format!("service {prefix}"), || {
            catalog::service(prefix).map_or(0, |service| service.actions.len())
        });
    }
    measure("names of all actions", || catalog::all_actions().len());
    measure("list of managed policies", || catalog::managed_policies().len());
    measure("one managed policy document", || {
        catalog::managed_policy("arn:aws:iam::aws:policy/ReadOnlyAccess")
            .map_or(0, |policy| policy.document().len())
    });
    measure("every service", || {
        catalog::service_prefixes()
            .filter_map(catalog::service)
            .map(|service| service.actions.len())
            .sum()
    });
}
