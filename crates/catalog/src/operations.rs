//! Which IAM actions an API operation needs, and how `CloudTrail` records it.
//!
//! Mostly the names agree: the operation, the action and the event are called the same, and the reference links an
//! action to its operation's page where they are not. `data/events.json` holds the rest, written by hand, each row with
//! where it is stated.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::packed::embedded;
use crate::service::{AccessLevel, action, service};

static TABLE: OnceLock<Table> = OnceLock::new();

/// How `CloudTrail` sorts an event.
///
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub enum EventCategory {
    /// About the account's resources; recorded always.
    Management,
    /// On or in a resource; recorded where asked for.
    Data,
}

impl EventCategory {
    /// The value of the event's `eventCategory`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Management => "Management",
            Self::Data => "Data",
        }
    }
}

impl std::fmt::Display for EventCategory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The IAM actions an operation is authorised by, each as `service:Name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationActions {
    /// What the plain form of the request needs, all of it. Empty where everything depends on the request, as for
    /// `TransactWriteItems`.
    pub required: Vec<&'static str>,
    /// What the request may need besides or instead, depending on what it asks for: a version, tags, a role.
    pub conditional: Vec<&'static str>,
}

/// What `data/events.json` says of one operation.
#[derive(Deserialize)]
struct Row {
    service: &'static str,
    operation: &'static str,
    event: Option<&'static str>,
    actions: Option<Vec<&'static str>>,
    conditional: Option<Vec<&'static str>>,
    category: Option<EventCategory>,
    read_only: Option<bool>,
}

#[derive(Deserialize)]
struct EventSource {
    event_source: &'static str,
    service: &'static str,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
struct File {
    event_sources: Vec<EventSource>,
    operations: Vec<Row>,
}

struct Table {
    services: HashMap<&'static str, &'static str>,
    /// In the order of service and operation.
    rows: Vec<Row>,
}

impl Table {
    fn get() -> &'static Self {
        TABLE.get_or_init(|| {
            let File {
                event_sources,
                operations: mut rows,
            } = embedded(
                "events.json",
                serde_json::from_str(include_str!("../data/events.json")),
            );
            rows.sort_unstable_by_key(|row| (row.service, row.operation));
            let services = event_sources
                .into_iter()
                .map(|source| (source.event_source, source.service))
                .collect();
            Self { services, rows }
        })
    }

    /// The row of an operation.
    fn row(&self, service: &str, operation: &str) -> Option<&Row> {
        let position = self
            .rows
            .binary_search_by_key(&(service, operation), |row| (row.service, row.operation))
            .ok()?;
        self.rows.get(position)
    }

    /// The operations recorded under an event name that is not their own.
    fn recorded_as<'n>(
        &'n self,
        service: &'n str,
        event_name: &'n str,
    ) -> impl Iterator<Item = &'n str> + use<'n> {
        let start = self.rows.partition_point(|row| row.service < service);
        let rows = self
            .rows
            .get(start..)
            .unwrap_or_default()
            .iter()
            .take_while(move |row| row.service == service);
        rows.filter(move |row| row.event == Some(event_name))
            .map(|row| row.operation)
    }
}

/// The IAM actions an API operation is authorised by, per AWS's service authorization reference.
///
/// `service` is the service's IAM prefix (`s3`, `logs`), `operation` its API's name for the operation
/// (`ListObjectsV2`). `None` when neither the hand-written table nor the reference says: do not guess from the name.
pub fn operation_actions(service_prefix: &str, operation: &str) -> Option<OperationActions> {
    let row = Table::get().row(service_prefix, operation);
    if let Some(required) = row.and_then(|row| row.actions.clone()) {
        let conditional = row.and_then(|row| row.conditional.clone()).unwrap_or_default();
        return Some(OperationActions {
            required,
            conditional,
        });
    }
    let service = service(service_prefix)?;
    let linked = service.actions_of_operation(operation);
    let (required, mut conditional): (Vec<&'static str>, Vec<&'static str>) =
        match (service.action(operation), linked) {
            (Some(same), linked) => (
                vec![same.name],
                linked
                    .iter()
                    .copied()
                    .filter(|action| *action != same.name)
                    .collect(),
            ),
            (None, []) => return None,
            (None, [only]) => (vec![*only], Vec::new()),
            (None, several) => (Vec::new(), several.to_vec()),
        };
    if let Some(known) = row.and_then(|row| row.conditional.clone()) {
        conditional = known;
    }
    Some(OperationActions {
        required,
        conditional,
    })
}

/// The IAM actions that a `CloudTrail` event shows to have been asked for: from `eventSource` (`s3.amazonaws.com`) and
/// `eventName` (`ListObjects`, `UpdateFunctionCode20150331v2`).
///
/// Left out is what only some requests of the kind need (see [`operation_actions`]), and `iam:PassRole`, which leaves no
/// trace but the role in the request and is authorised on that role. Empty when everything depends on the request.
/// `None` for an event that no known action stands behind, such as a console sign-in.
pub fn event_to_action(event_source: &str, event_name: &str) -> Option<Vec<&'static str>> {
    let table = Table::get();
    let prefix = match table.services.get(event_source) {
        Some(prefix) => prefix,
        None => event_source.strip_suffix(".amazonaws.com")?,
    };
    let mut actions: Option<Vec<&'static str>> = None;
    for operation in table.recorded_as(prefix, event_name).chain([event_name]) {
        if let Some(found) = operation_actions(prefix, operation) {
            actions.get_or_insert_default().extend(found.required);
        }
    }
    let mut actions = match actions {
        Some(actions) => actions,
        None => operation_actions(prefix, without_version(event_name)?)?.required,
    };
    actions.retain(|action| *action != "iam:PassRole");
    actions.sort_unstable();
    actions.dedup();
    Some(actions)
}

/// An event name without the API version some services append: `CreateFunction` of `CreateFunction20150331`,
/// `AddPermission20150331v2` and `CreateFunction2020_05_31`. `None` when it has none.
fn without_version(event_name: &str) -> Option<&str> {
    let digits = |text: &str| text.len() - text.trim_end_matches(|byte: char| byte.is_ascii_digit()).len();
    let mut head = event_name;
    if let Some((before, version)) = event_name.rsplit_once('v')
        && !version.is_empty()
        && version.bytes().all(|byte| byte.is_ascii_digit())
    {
        head = before;
    }
    let date = match digits(head) {
        8 => 8,
        2 => 10,
        _ => return None,
    };
    let (name, date) = head.split_at_checked(head.len().checked_sub(date)?)?;
    let well_formed = date.bytes().enumerate().all(|(at, byte)| match (date.len(), at) {
        (10, 4 | 7) => byte == b'_',
        _ => byte.is_ascii_digit(),
    });
    (well_formed && !name.is_empty()).then_some(name)
}

/// The event name `CloudTrail` records an operation under: `CreateFunction20150331` for Lambda's `CreateFunction`,
/// `ListObjects` for S3's `ListObjectsV2`; mostly the operation's own.
pub fn operation_event_name<'o>(service_prefix: &str, operation: &'o str) -> &'o str {
    Table::get()
        .row(service_prefix, operation)
        .and_then(|row| row.event)
        .unwrap_or(operation)
}

/// How `CloudTrail` sorts an operation: a data event where the table says so, else a management event.
pub fn event_category(service_prefix: &str, operation: &str) -> EventCategory {
    Table::get()
        .row(service_prefix, operation)
        .and_then(|row| row.category)
        .unwrap_or(EventCategory::Management)
}

/// The event's `readOnly`: what the table says, else whether all actions of the operation are of level List or Read.
/// An operation nothing is known of counts as one that writes.
pub fn read_only(service_prefix: &str, operation: &str) -> bool {
    if let Some(known) = Table::get()
        .row(service_prefix, operation)
        .and_then(|row| row.read_only)
    {
        return known;
    }
    operation_actions(service_prefix, operation).is_some_and(|actions| {
        let decisive = if actions.required.is_empty() {
            &actions.conditional
        } else {
            &actions.required
        };
        decisive.iter().all(|name| {
            action(name)
                .is_some_and(|action| matches!(action.access_level, AccessLevel::List | AccessLevel::Read))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_taken_off_an_event_name() {
        for (event, name) in [
            ("CreateFunction20150331", Some("CreateFunction")),
            ("AddPermission20150331v2", Some("AddPermission")),
            ("CreateFunction2020_05_31", Some("CreateFunction")),
            ("CreateFunction", None),
            ("ListObjectsV2", None),
            ("Serve20150331x", None),
            ("20150331", None),
            ("v2", None),
            ("", None),
        ] {
            assert_eq!(without_version(event), name, "{event}");
        }
    }
}
