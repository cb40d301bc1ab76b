//! `CreateLogStream`, `DeleteLogStream`, `DescribeLogStreams`.

use std::ops::ControlFlow;
use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};
use rolecall_store::{Condition, Transaction, codec};

use crate::generated::{
    CreateLogStreamInput, DeleteLogStreamInput, DescribeLogStreamsInput, DescribeLogStreamsOutput, LogStream,
};
use crate::resource::GroupName;
use crate::state::{self, ATTEMPTS, EVENTS, GROUPS, STREAMS, StreamRecord};
use crate::{Logs, error, put_log_events, token};

/// Streams of a page when the request does not say; also the most it may ask for.
const PAGE: usize = 50;

/// The group may change meanwhile (its retention, say) but must still be there.
pub(crate) async fn create_log_stream(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: CreateLogStreamInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let name = GroupName::own(&context, &input.log_group_name);
    let record = StreamRecord {
        id: state::new_id()?,
        created: context.time.as_millisecond(),
        first_event: None,
        last_event: None,
        last_ingestion: None,
        stored_bytes: 0,
        next_sequence: 0,
    };
    let value = codec::encode(&record).map_err(error::store)?;
    for _ in 0..ATTEMPTS {
        let group = state::group(logs.store(), &context, &name)?;
        let key = state::stream_key(group.record.id, &input.log_stream_name);
        if logs.store().get(STREAMS, &key).map_err(error::store)?.is_some() {
            return Err(error::log_stream_exists());
        }
        let transaction = Transaction::new()
            .require(
                GROUPS,
                state::group_key(&name),
                Condition::Revision(group.revision),
            )
            .put(STREAMS, key, value.clone(), Condition::Absent);
        if error::won(logs.store().commit(transaction).await)? {
            return Ok(());
        }
    }
    Err(error::aborted())
}

/// Takes the stream's events along.
pub(crate) async fn delete_log_stream(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: DeleteLogStreamInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let name = GroupName::own(&context, &input.log_group_name);
    for _ in 0..ATTEMPTS {
        let group = state::group(logs.store(), &context, &name)?.record.id;
        let stream = state::stream(logs.store(), group, &input.log_stream_name)?;
        let key = state::stream_key(group, &input.log_stream_name);
        let transaction = Transaction::new()
            .delete(STREAMS, key, Condition::Revision(stream.revision))
            .delete_prefix(EVENTS, state::stream_events(group, stream.record.id));
        if error::won(logs.store().commit(transaction).await)? {
            return Ok(());
        }
    }
    Err(error::aborted())
}

pub(crate) async fn describe_log_streams(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: DescribeLogStreamsInput,
    _: Permit,
) -> Result<DescribeLogStreamsOutput, ServiceError> {
    let name = GroupName::either(
        &context,
        input.log_group_name.as_deref(),
        input.log_group_identifier.as_deref(),
    )?;
    let by_time = input.order_by.as_deref() == Some("LastEventTime");
    if by_time && input.log_stream_name_prefix.is_some() {
        return Err(error::invalid_parameter(
            "Cannot order by LastEventTime with a logStreamNamePrefix.",
        ));
    }
    let limit = input
        .limit
        .and_then(|limit| usize::try_from(limit).ok())
        .map_or(PAGE, |limit| limit.min(PAGE));
    let descending = input.descending.unwrap_or(false);
    let after = input.next_token.as_deref().map(Cursor::decode).transpose()?;
    let reader = logs.store().snapshot();
    let group = state::group(&*reader, &context, &name)?.record.id;

    let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
    // In ascending order of names the store's order is the page's.
    let in_store_order = !by_time && !descending;
    let start = if in_store_order {
        after.as_ref().map(|cursor| cursor.name.as_str())
    } else {
        None
    };
    let mut found: Vec<(Cursor, StreamRecord)> = Vec::new();
    state::for_each_stream(&*reader, group, prefix, start, &mut |stream, record| {
        let time = if by_time {
            record.last_event.unwrap_or(record.created)
        } else {
            0
        };
        found.push((
            Cursor {
                time,
                name: stream.to_owned(),
            },
            record,
        ));
        let full = in_store_order && found.len() > limit;
        if full {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    if !in_store_order {
        found.sort_unstable_by(|(one, _), (other, _)| {
            if descending {
                other.cmp(one)
            } else {
                one.cmp(other)
            }
        });
        if let Some(after) = &after {
            found.retain(|(cursor, _)| {
                if descending {
                    cursor < after
                } else {
                    cursor > after
                }
            });
        }
    }
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next_token = if has_more {
        found.last().map(|(cursor, _)| cursor.encode())
    } else {
        None
    };
    let streams = found
        .into_iter()
        .map(|(cursor, record)| describe(&name, cursor.name, &record))
        .collect();
    Ok(DescribeLogStreamsOutput {
        log_streams: Some(streams),
        next_token,
    })
}

/// A stream's place in a listing.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cursor {
    /// Zero when names alone order the listing.
    time: i64,
    name: String,
}

impl Cursor {
    fn encode(&self) -> String {
        token::encode(&format!("{}:{}", self.time, self.name))
    }

    fn decode(text: &str) -> Result<Self, ServiceError> {
        let text = token::decode(text)?;
        let (time, name) = text.split_once(':').ok_or_else(token::invalid)?;
        let time = time.parse().map_err(|_| token::invalid())?;
        Ok(Self {
            time,
            name: name.to_owned(),
        })
    }
}

/// `storedBytes` of a stream has been 0 since June 2019: `CloudWatch Logs` API Reference, `LogStream`.
fn describe(group: &GroupName, stream: String, record: &StreamRecord) -> LogStream {
    LogStream {
        arn: Some(group.stream_arn(&stream)),
        log_stream_name: Some(stream),
        creation_time: Some(record.created),
        first_event_timestamp: record.first_event,
        last_event_timestamp: record.last_event,
        last_ingestion_time: record.last_ingestion,
        upload_sequence_token: Some(put_log_events::sequence_token(record.next_sequence)),
        stored_bytes: Some(0),
    }
}
