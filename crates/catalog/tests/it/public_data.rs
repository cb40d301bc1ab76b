//! The catalogue against public records that are not part of the repository: looked for in `../shared/data` beside it,
//! or where `ROLECALL_SHARED_DATA` says; skipped, and said so, when they are not there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rolecall_catalog::{event_category, event_to_action, read_only};
use serde_json::Value;

fn shared(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("ROLECALL_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let found = folder.join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!(
        "skipped: there is no {}; set ROLECALL_SHARED_DATA to the folder with the public data",
        found.display()
    );
    None
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item.as_str().unwrap())
        .collect()
}

#[test]
fn every_known_pair_of_event_and_action_is_found() {
    let Some(file) = shared("mapping/event-to-action.json") else {
        return;
    };
    let pairs: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(!pairs.is_empty());
    for pair in &pairs {
        let found = event_to_action(
            pair["eventSource"].as_str().unwrap(),
            pair["eventName"].as_str().unwrap(),
        );
        assert_eq!(found, Some(strings(&pair["actions"])), "{pair}");
    }
}

/// Events that no action stands behind: a service made them, or a person at the console.
const NO_ACTION: &[(&str, &str)] = &[
    ("ec2.amazonaws.com", "SharedSnapshotVolumeCreated"),
    ("s3.amazonaws.com", "GetStorageLensDashboardDataInternal"),
    ("secretsmanager.amazonaws.com", "EndSecretVersionDelete"),
    ("secretsmanager.amazonaws.com", "StartSecretVersionDelete"),
    ("signin.amazonaws.com", "CheckMfa"),
    ("signin.amazonaws.com", "ConsoleLogin"),
];

/// The events of a folder of log files as `CloudTrail` delivers them.
fn log_files(folder: &Path) -> Vec<Value> {
    let mut events = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let mut log: Value =
            serde_json::from_str(&std::fs::read_to_string(file.unwrap().path()).unwrap()).unwrap();
        events.append(log["Records"].as_array_mut().unwrap());
    }
    events
}

#[test]
fn real_management_events_are_described_as_they_were_recorded() {
    let Some(folder) = shared("cloudtrail/invictus") else {
        return;
    };
    check_events(&log_files(&folder), 100);
}

#[test]
fn real_data_events_are_described_as_they_were_recorded() {
    let Some(file) = shared("cloudtrail/otrf.jsonl") else {
        return;
    };
    let text = std::fs::read_to_string(file).unwrap();
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(events.iter().any(|event| event["eventCategory"] == "Data"));
    check_events(&events, 10);
}

/// Each event has an action, and its operation the category and the read-only flag that the event has.
fn check_events(events: &[Value], at_least: usize) {
    let mut kinds = BTreeSet::new();
    let mut wrong = BTreeSet::new();
    for event in events {
        let source = event["eventSource"].as_str().unwrap();
        let name = event["eventName"].as_str().unwrap();
        kinds.insert((source, name));
        if event_to_action(source, name).is_none() && !NO_ACTION.contains(&(source, name)) {
            wrong.insert(format!("{source} {name}: no action"));
        }
        let Some(service) = source.strip_suffix(".amazonaws.com") else {
            continue;
        };
        // Only an operation whose event has its own name can be asked for by the event's name.
        if rolecall_catalog::operation_actions(service, name).is_none() {
            continue;
        }
        if event["readOnly"]
            .as_bool()
            .is_some_and(|reads| reads != read_only(service, name))
        {
            wrong.insert(format!("{source} {name}: readOnly is {}", event["readOnly"]));
        }
        if event["eventCategory"]
            .as_str()
            .is_some_and(|category| category != event_category(service, name).as_str())
        {
            wrong.insert(format!(
                "{source} {name}: eventCategory is {}",
                event["eventCategory"]
            ));
        }
    }
    assert!(kinds.len() >= at_least, "{}", kinds.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
