//! What is kept, and where.
//!
//! Three buckets. A log group is found by region and name, a log stream by its group's id and its own name,
//! an event by the ids of both, its time and its place in the stream, so that a range of time is a range of
//! keys and deleting a group is deleting three prefixes. Ids are random, so that a group made again under an
//! old name shares nothing with the old one.
//!
//! Writing a batch of events and the stream's new figures is one transaction; the store commits those of all
//! streams that wait together in one write, which is what makes many small writers cheap. Two writers of one
//! stream are told apart by the stream's revision: the later one reads again.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rolecall_service::{RequestContext, ServiceError};
use rolecall_store::codec::{self, Stored};
use rolecall_store::{Entry, Reader, Revision, ScanRange, StoreError};
use serde::{Deserialize, Serialize};

use crate::error;
use crate::resource::GroupName;

/// Region, zero byte, name → [`GroupRecord`].
pub(crate) const GROUPS: &str = "logs-groups";
/// Group id, stream name → [`StreamRecord`].
pub(crate) const STREAMS: &str = "logs-streams";
/// Group id, stream id, time, sequence number → [`EventRecord`].
pub(crate) const EVENTS: &str = "logs-events";

/// How often a write that lost to a concurrent one is tried again. Every loss means that another write
/// succeeded.
pub(crate) const ATTEMPTS: usize = 64;

/// Bytes an event counts beside its message. Source: CloudWatch Logs API Reference, `PutLogEvents`.
pub(crate) const EVENT_OVERHEAD: u64 = 26;

/// A log group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GroupRecord {
    /// Random.
    pub(crate) id: u64,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    /// Days events are kept; for ever when absent.
    pub(crate) retention_days: Option<i32>,
    /// `STANDARD` and so on.
    pub(crate) class: String,
    /// By key.
    pub(crate) tags: BTreeMap<String, String>,
}

impl Stored for GroupRecord {
    const VERSION: u8 = 1;
}

/// A log stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StreamRecord {
    /// Random.
    pub(crate) id: u64,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    /// Time of the earliest event.
    pub(crate) first_event: Option<i64>,
    /// Time of the latest event.
    pub(crate) last_event: Option<i64>,
    /// When the last batch came.
    pub(crate) last_ingestion: Option<i64>,
    /// Sum of the events' sizes as AWS bills them: UTF-8 bytes and 26 more for each.
    pub(crate) stored_bytes: u64,
    /// Sequence number of the next event.
    pub(crate) next_sequence: u64,
}

impl Stored for StreamRecord {
    const VERSION: u8 = 1;
}

/// An event. Its time and sequence number are in the key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EventRecord {
    /// When it was ingested, in milliseconds since 1970.
    #[serde(rename = "i")]
    pub(crate) ingested: i64,
    /// The line.
    #[serde(rename = "m")]
    pub(crate) message: String,
}

impl Stored for EventRecord {
    const VERSION: u8 = 1;
}

impl GroupRecord {
    /// Time before which events are expired at `now`, both in milliseconds; nothing is before the answer
    /// without retention.
    pub(crate) fn expiry(&self, now: i64) -> i64 {
        const DAY: i64 = 24 * 60 * 60 * 1000;
        self.retention_days.map_or(0, |days| {
            now.saturating_sub(i64::from(days).saturating_mul(DAY)).max(0)
        })
    }
}

/// Something read, with the revision a write of it must name.
#[derive(Debug, Clone)]
pub(crate) struct Versioned<T> {
    /// The record.
    pub(crate) record: T,
    /// Who wrote it last.
    pub(crate) revision: Revision,
}

fn versioned<T: Stored>(entry: &Entry) -> Result<Versioned<T>, ServiceError> {
    let record = entry.decode().map_err(error::store)?;
    Ok(Versioned {
        record,
        revision: entry.revision,
    })
}

/// A random id.
pub(crate) fn new_id() -> Result<u64, ServiceError> {
    getrandom::u64().map_err(|error| ServiceError::internal(error.to_string()))
}

/// Prefix of the keys of a region's groups.
pub(crate) fn region_prefix(region: &str) -> Vec<u8> {
    let mut key = region.as_bytes().to_vec();
    key.push(0);
    key
}

/// Key of a group.
pub(crate) fn group_key(group: &GroupName) -> Vec<u8> {
    let mut key = region_prefix(&group.region);
    key.extend_from_slice(group.name.as_bytes());
    key
}

/// Key of a stream; with an empty name the prefix of a group's streams.
pub(crate) fn stream_key(group_id: u64, stream: &str) -> Vec<u8> {
    [&group_id.to_be_bytes()[..], stream.as_bytes()].concat()
}

/// Prefix of a group's events.
pub(crate) fn group_events(group_id: u64) -> Vec<u8> {
    group_id.to_be_bytes().to_vec()
}

/// Prefix of a stream's events.
pub(crate) fn stream_events(group_id: u64, stream_id: u64) -> Vec<u8> {
    [group_id.to_be_bytes(), stream_id.to_be_bytes()].concat()
}

/// A place between events of one stream: before the event of this time and sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Milliseconds since 1970, never negative.
    pub(crate) time: i64,
    /// Sequence number within the stream.
    pub(crate) sequence: u64,
}

impl Place {
    /// Before every event of `time`.
    pub(crate) fn at(time: i64) -> Self {
        Self {
            time: time.max(0),
            sequence: 0,
        }
    }

    /// Right after the event that has this place.
    pub(crate) fn after(self) -> Self {
        Self {
            time: self.time,
            sequence: self.sequence.saturating_add(1),
        }
    }

    /// Key of the event that has this place.
    pub(crate) fn key(self, group_id: u64, stream_id: u64) -> Vec<u8> {
        let mut key = stream_events(group_id, stream_id);
        key.extend_from_slice(&self.time.max(0).to_be_bytes());
        key.extend_from_slice(&self.sequence.to_be_bytes());
        key
    }

    /// The place in an event's key.
    pub(crate) fn of(key: &[u8]) -> Option<Self> {
        let time = i64::from_be_bytes(key.get(16..24)?.try_into().ok()?);
        let sequence = u64::from_be_bytes(key.get(24..32)?.try_into().ok()?);
        Some(Self { time, sequence })
    }
}

/// An event that was read.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Where it is.
    pub(crate) place: Place,
    /// What it is.
    pub(crate) record: EventRecord,
}

/// The group, or nothing.
pub(crate) fn find_group(
    reader: &dyn Reader,
    group: &GroupName,
) -> Result<Option<Versioned<GroupRecord>>, ServiceError> {
    let entry = reader.get(GROUPS, &group_key(group)).map_err(error::store)?;
    entry.as_ref().map(versioned).transpose()
}

/// The group, or AWS's error. A group of another account or region is not here.
pub(crate) fn group(
    reader: &dyn Reader,
    context: &RequestContext,
    group: &GroupName,
) -> Result<Versioned<GroupRecord>, ServiceError> {
    if *group.account != *context.account || *group.region != *context.region {
        return Err(error::no_log_group());
    }
    find_group(reader, group)?.ok_or_else(error::no_log_group)
}

/// The stream, or AWS's error.
pub(crate) fn stream(
    reader: &dyn Reader,
    group_id: u64,
    stream: &str,
) -> Result<Versioned<StreamRecord>, ServiceError> {
    let entry = reader
        .get(STREAMS, &stream_key(group_id, stream))
        .map_err(error::store)?;
    entry
        .as_ref()
        .map(versioned)
        .transpose()?
        .ok_or_else(error::no_log_stream)
}

/// Visits the streams of a group whose names begin with `prefix` and come after `after`, by name, until
/// `visit` breaks.
pub(crate) fn for_each_stream(
    reader: &dyn Reader,
    group_id: u64,
    prefix: &str,
    after: Option<&str>,
    visit: &mut dyn FnMut(&str, StreamRecord) -> ControlFlow<()>,
) -> Result<(), ServiceError> {
    let mut range = ScanRange::prefix(stream_key(group_id, prefix));
    if let Some(after) = after {
        range = range.after(stream_key(group_id, after));
    }
    for_each_decoded(reader, STREAMS, &range, &mut |key, record| {
        let name = key.get(8..).and_then(|name| std::str::from_utf8(name).ok());
        name.map_or(ControlFlow::Continue(()), |name| visit(name, record))
    })
}

/// Visits the groups of a region whose names begin with `prefix` and come after `after`, by name, until
/// `visit` breaks.
pub(crate) fn for_each_group(
    reader: &dyn Reader,
    region: &str,
    prefix: &str,
    after: Option<&str>,
    visit: &mut dyn FnMut(&str, GroupRecord) -> ControlFlow<()>,
) -> Result<(), ServiceError> {
    let region = region_prefix(region);
    let mut range = ScanRange::prefix([&region, prefix.as_bytes()].concat());
    if let Some(after) = after {
        range = range.after([&region, after.as_bytes()].concat());
    }
    for_each_decoded(reader, GROUPS, &range, &mut |key, record| {
        let name = key
            .get(region.len()..)
            .and_then(|name| std::str::from_utf8(name).ok());
        name.map_or(ControlFlow::Continue(()), |name| visit(name, record))
    })
}

/// Visits a stream's events from `from` on and before `to`, oldest or newest first, until `visit` breaks.
pub(crate) fn for_each_event(
    reader: &dyn Reader,
    (group_id, stream_id): (u64, u64),
    (from, to): (Place, Place),
    newest_first: bool,
    visit: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<(), ServiceError> {
    let mut range = ScanRange::prefix(stream_events(group_id, stream_id))
        .from(from.key(group_id, stream_id))
        .before(to.key(group_id, stream_id));
    if newest_first {
        range = range.reversed();
    }
    for_each_decoded(reader, EVENTS, &range, &mut |key, record| {
        Place::of(key).map_or(ControlFlow::Continue(()), |place| visit(Event { place, record }))
    })
}

/// Visits every record of a bucket.
pub(crate) fn for_each_record<T: Stored>(
    reader: &dyn Reader,
    bucket: &str,
    visit: &mut dyn FnMut(&[u8], T),
) -> Result<(), ServiceError> {
    for_each_decoded(reader, bucket, &ScanRange::all(), &mut |key, record| {
        visit(key, record);
        ControlFlow::Continue(())
    })
}

fn for_each_decoded<T: Stored>(
    reader: &dyn Reader,
    bucket: &str,
    range: &ScanRange,
    visit: &mut dyn FnMut(&[u8], T) -> ControlFlow<()>,
) -> Result<(), ServiceError> {
    let mut failure: Option<StoreError> = None;
    reader
        .for_each(bucket, range, &mut |entry| match codec::decode(entry.value) {
            Ok(record) => visit(entry.key, record),
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        })
        .map_err(error::store)?;
    failure.map_or(Ok(()), |error| Err(error::store(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_by_time_then_by_sequence() {
        let places = [
            Place { time: 1, sequence: 9 },
            Place { time: 2, sequence: 0 },
            Place { time: 2, sequence: 1 },
            Place {
                time: 300,
                sequence: 0,
            },
        ];
        assert!(
            places
                .windows(2)
                .all(|pair| pair[0].key(1, 1) < pair[1].key(1, 1))
        );
        for place in places {
            assert_eq!(Place::of(&place.key(7, 8)), Some(place));
        }
        assert_eq!(Place::of(b"short"), None);
    }
}
