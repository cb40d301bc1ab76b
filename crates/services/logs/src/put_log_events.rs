//! `PutLogEvents`.
//!
//! Limits: CloudWatch Logs API Reference, `PutLogEvents`. Sequence tokens are accepted and not looked at, as
//! AWS has done since January 2023; the answer still has one.

use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};
use rolecall_store::{Condition, Transaction, codec};

use crate::generated::{
    InputLogEvent, PutLogEventsInput, PutLogEventsOutput, RejectedEntityInfo, RejectedLogEventsInfo,
};
use crate::resource::GroupName;
use crate::state::{self, ATTEMPTS, EVENT_OVERHEAD, EVENTS, EventRecord, Place, STREAMS, StreamRecord};
use crate::{Logs, error};

/// Largest batch, and largest event, overhead included.
const BATCH_BYTES: u64 = 1_048_576;
/// Most events of a batch.
const BATCH_EVENTS: usize = 10_000;
const HOUR: i64 = 60 * 60 * 1000;
/// Time between the first and the last event of a batch at most.
const BATCH_SPAN: i64 = 24 * HOUR;
/// How far in the future an event may be.
const TOO_NEW: i64 = 2 * HOUR;
/// How old an event may be.
const TOO_OLD: i64 = 14 * 24 * HOUR;

pub(crate) async fn put_log_events(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: PutLogEventsInput,
    _: Permit,
) -> Result<PutLogEventsOutput, ServiceError> {
    // Entities are not kept. AWS's answer for one it cannot use is to take the events and say so.
    let rejected_entity = input.entity.map(|_| RejectedEntityInfo {
        error_type: "UnsupportedLogGroupType".to_owned(),
    });
    check(&input.log_events)?;
    let name = GroupName::own(&context, &input.log_group_name);
    let now = context.time.as_millisecond();
    let events = input
        .log_events
        .into_iter()
        .map(|event| {
            let bytes = size_of(&event.message);
            let record = EventRecord {
                ingested: now,
                message: event.message,
            };
            codec::encode(&record).map(|value| Encoded {
                time: event.timestamp,
                bytes,
                value,
            })
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(error::store)?;
    check_span(Rejected::of(&events, now, 0).rest(&events))?;
    let _turn = logs
        .turns
        .of(&state::group_key(&name), &input.log_stream_name)
        .await;
    for _ in 0..ATTEMPTS {
        let group = state::group(logs.store(), &context, &name)?.record;
        let stream = state::stream(logs.store(), group.id, &input.log_stream_name)?;
        let rejected = Rejected::of(&events, now, group.expiry(now));
        let (accepted, rejected) = (rejected.rest(&events), rejected.info());
        let mut record = stream.record;
        let mut transaction = Transaction::new();
        for event in accepted {
            let place = Place {
                time: event.time,
                sequence: record.next_sequence,
            };
            let key = place.key(group.id, record.id);
            transaction = transaction.put(EVENTS, key, event.value.clone(), Condition::Any);
            add(&mut record, event)?;
        }
        record.last_ingestion = Some(now);
        let token = sequence_token(record.next_sequence);
        let key = state::stream_key(group.id, &input.log_stream_name);
        let value = codec::encode(&record).map_err(error::store)?;
        transaction = transaction.put(STREAMS, key, value, Condition::Revision(stream.revision));
        // A batch that is rejected whole leaves the stream as it was.
        if accepted.is_empty() || error::won(logs.store().commit(transaction).await)? {
            logs.expire_in_background(&context);
            return Ok(PutLogEventsOutput {
                next_sequence_token: Some(token),
                rejected_log_events_info: rejected,
                rejected_entity_info: rejected_entity,
            });
        }
    }
    Err(error::aborted())
}

/// What an event counts, in bytes.
fn size_of(message: &str) -> u64 {
    u64::try_from(message.len())
        .unwrap_or(u64::MAX)
        .saturating_add(EVENT_OVERHEAD)
}

/// An event as it will be stored.
struct Encoded {
    time: i64,
    bytes: u64,
    value: bytes::Bytes,
}

/// Updates a stream's figures for one more event.
fn add(record: &mut StreamRecord, event: &Encoded) -> Result<(), ServiceError> {
    record.first_event = Some(
        record
            .first_event
            .map_or(event.time, |first| first.min(event.time)),
    );
    record.last_event = Some(record.last_event.map_or(event.time, |last| last.max(event.time)));
    record.stored_bytes = record.stored_bytes.saturating_add(event.bytes);
    record.next_sequence = record
        .next_sequence
        .checked_add(1)
        .ok_or_else(|| ServiceError::internal("the log stream has used up its sequence numbers"))?;
    Ok(())
}

/// The token of a stream's next batch, in the form AWS gives them: 56 digits.
pub(crate) fn sequence_token(next_sequence: u64) -> String {
    format!("49{next_sequence:054}")
}

/// What is wrong with a batch whatever the time is.
fn check(events: &[InputLogEvent]) -> Result<(), ServiceError> {
    if events.is_empty() || events.len() > BATCH_EVENTS {
        return Err(error::invalid_parameter(format!(
            "A batch has between 1 and {BATCH_EVENTS} log events; this one has {}.",
            events.len()
        )));
    }
    let mut total: u64 = 0;
    for event in events {
        let size = size_of(&event.message);
        if size > BATCH_BYTES {
            return Err(error::invalid_parameter(format!(
                "Log event too large: {size} bytes exceeds limit of {BATCH_BYTES}"
            )));
        }
        total = total.saturating_add(size);
    }
    if total > BATCH_BYTES {
        return Err(error::invalid_parameter(format!(
            "Upload too large: {total} bytes exceeds limit of {BATCH_BYTES}"
        )));
    }
    if events
        .windows(2)
        .any(|pair| matches!(pair, [one, next] if one.timestamp > next.timestamp))
    {
        return Err(error::invalid_parameter(
            "Log events in a single PutLogEvents request must be in chronological order.",
        ));
    }
    Ok(())
}

/// The span of a batch counts for the events only that are neither too old nor too new.
fn check_span(events: &[Encoded]) -> Result<(), ServiceError> {
    if let (Some(first), Some(last)) = (events.first(), events.last())
        && last.time.saturating_sub(first.time) > BATCH_SPAN
    {
        return Err(error::invalid_parameter(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    Ok(())
}

/// Which ends of a batch, in its order, are not taken.
#[derive(Debug, PartialEq, Eq)]
struct Rejected {
    /// Events before this are past the 14 days.
    too_old: usize,
    /// Events before this are past the group's retention.
    expired: usize,
    /// Events from this on are too far in the future.
    too_new: Option<usize>,
}

impl Rejected {
    fn of(events: &[Encoded], now: i64, expiry: i64) -> Self {
        let before = |time: i64| events.partition_point(|event| event.time < time);
        let too_new = events.partition_point(|event| event.time <= now.saturating_add(TOO_NEW));
        Self {
            too_old: before(now.saturating_sub(TOO_OLD)),
            expired: before(expiry),
            too_new: (too_new < events.len()).then_some(too_new),
        }
    }

    fn rest<'a>(&self, events: &'a [Encoded]) -> &'a [Encoded] {
        let start = self.too_old.max(self.expired);
        let end = self.too_new.unwrap_or(events.len());
        events.get(start..end).unwrap_or_default()
    }

    /// The end indices are exclusive, the start index is inclusive: API Reference, `RejectedLogEventsInfo`.
    fn info(&self) -> Option<RejectedLogEventsInfo> {
        let index = |index: usize| i32::try_from(index).ok();
        let info = RejectedLogEventsInfo {
            too_new_log_event_start_index: self.too_new.and_then(index),
            too_old_log_event_end_index: Some(self.too_old).filter(|end| *end > 0).and_then(index),
            expired_log_event_end_index: Some(self.expired).filter(|end| *end > 0).and_then(index),
        };
        (self.too_old > 0 || self.expired > 0 || self.too_new.is_some()).then_some(info)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn events(ages: &[i64]) -> Vec<Encoded> {
        ages.iter()
            .map(|age| Encoded {
                time: NOW - age,
                bytes: 27,
                value: bytes::Bytes::new(),
            })
            .collect()
    }

    #[test]
    fn both_ends_are_rejected_by_their_own_rule() {
        let events = events(&[TOO_OLD + 1, TOO_OLD, 3 * HOUR, 0, -TOO_NEW, -TOO_NEW - 1]);
        let rejected = Rejected::of(&events, NOW, NOW - 2 * HOUR);
        assert_eq!(
            rejected,
            Rejected {
                too_old: 1,
                expired: 3,
                too_new: Some(5)
            }
        );
        assert_eq!(rejected.rest(&events).len(), 2);
        assert_eq!(Rejected::of(&events[3..5], NOW, 0).info(), None);
    }

    #[test]
    fn a_batch_that_is_rejected_whole_leaves_nothing() {
        let events = events(&[-TOO_NEW - 1, -TOO_NEW - 2]);
        assert!(Rejected::of(&events, NOW, 0).rest(&events).is_empty());
    }
}
