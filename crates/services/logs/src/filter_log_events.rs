//! `FilterLogEvents`: the events of a group's streams in order of time that match a pattern.
//!
//! A page ends at its limit of events or bytes, or when it has looked at enough events: it may be empty and
//! still have a token, as AWS's may. Source: CloudWatch Logs API Reference, `FilterLogEvents`.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};
use rolecall_store::Reader;

use crate::generated::{FilterLogEventsInput, FilterLogEventsOutput, FilteredLogEvent};
use crate::get_log_events::{PAGE_BYTES, PAGE_EVENTS};
use crate::merge::{self, Rank, Source};
use crate::pattern::Pattern;
use crate::resource::GroupName;
use crate::state::{self, Event, Place};
use crate::{Logs, error, token};

/// Events one page looks at.
const EXAMINED_EVENTS: usize = 100_000;
/// Bytes of messages one page looks at.
const EXAMINED_BYTES: usize = 32 * 1024 * 1024;

/// 1 January 2024, before which the newest first cannot be asked for.
const NEWEST_FIRST_SINCE: i64 = 1_704_067_200_000;

/// A rare pattern makes this look at many events, so other requests get the thread meanwhile.
pub(crate) async fn filter_log_events(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: FilterLogEventsInput,
    _: Permit,
) -> Result<FilterLogEventsOutput, ServiceError> {
    tokio::task::spawn_blocking(move || filter(&logs, &context, &input))
        .await
        .map_err(ServiceError::internal)?
}

fn filter(
    logs: &Logs,
    context: &RequestContext,
    input: &FilterLogEventsInput,
) -> Result<FilterLogEventsOutput, ServiceError> {
    let name = GroupName::either(
        context,
        input.log_group_name.as_deref(),
        input.log_group_identifier.as_deref(),
    )?;
    if input.log_stream_names.is_some() && input.log_stream_name_prefix.is_some() {
        return Err(error::invalid_parameter(
            "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.",
        ));
    }
    let pattern = Pattern::parse(input.filter_pattern.as_deref().unwrap_or_default())
        .map_err(|problem| error::invalid_parameter(problem.to_string()))?;
    let given = match &input.next_token {
        Some(text) => Some(Token::decode(text).ok_or_else(token::invalid)?),
        None => None,
    };
    let newest_first = match &given {
        Some(token) => token.newest_first,
        None => input.start_from_head == Some(false),
    };
    if given.is_none() && newest_first && input.start_time.unwrap_or(0) < NEWEST_FIRST_SINCE {
        return Err(error::invalid_parameter(
            "startFromHead can be false only when startTime is on or after Jan 1, 2024 00:00:00 UTC.",
        ));
    }
    let reader = logs.store().snapshot();
    let group = state::group(&*reader, context, &name)?.record;
    let start = input
        .start_time
        .unwrap_or(0)
        .max(group.expiry(context.time.as_millisecond()));
    // The end is included here, other than in GetLogEvents.
    let end = input.end_time.map_or(i64::MAX, |end| end.saturating_add(1));
    let range = Range {
        start: Place::at(start),
        end: Place::at(end),
        last: given.map(|token| token.last),
        newest_first,
    };
    let sources = sources(&*reader, group.id, input, &range)?;

    let limit = input
        .limit
        .and_then(|limit| usize::try_from(limit).ok())
        .map_or(PAGE_EVENTS, |limit| limit.min(PAGE_EVENTS));
    let mut page = Page {
        limit,
        events: Vec::new(),
        bytes: 0,
        examined: (0, 0),
        last: None,
        is_full: false,
    };
    merge::for_each(
        &*reader,
        group.id,
        sources,
        newest_first,
        &mut |stream, rank, event| page.look_at(&pattern, stream, rank, event),
    )?;
    let next_token = if page.is_full {
        page.last.map(|last| Token { newest_first, last }.encode())
    } else {
        None
    };
    Ok(FilterLogEventsOutput {
        events: Some(page.events),
        // Empty for everybody since May 2020.
        searched_log_streams: Some(Vec::new()),
        next_token,
    })
}

/// Which part of each stream is looked at.
struct Range {
    start: Place,
    end: Place,
    /// The last event the page before looked at.
    last: Option<Rank>,
    newest_first: bool,
}

impl Range {
    fn source(&self, name: &str, stream: u64) -> Source {
        let (mut from, mut to) = (self.start, self.end);
        match self.last {
            Some(last) if self.newest_first => to = to.min(last.before_in(stream)),
            Some(last) => from = from.max(last.after_in(stream)),
            None => {}
        }
        Source {
            name: name.to_owned(),
            stream,
            from,
            to,
            ahead: VecDeque::new(),
        }
    }
}

/// The streams a request names, of which those that cannot have an event in the range are left out.
fn sources(
    reader: &dyn Reader,
    group: u64,
    input: &FilterLogEventsInput,
    range: &Range,
) -> Result<Vec<Source>, ServiceError> {
    let mut sources = Vec::new();
    let mut add = |name: &str, stream: &state::StreamRecord| {
        if let (Some(first), Some(last)) = (stream.first_event, stream.last_event) {
            let mut source = range.source(name, stream.id);
            source.from = source.from.max(Place::at(first));
            source.to = source.to.min(Place::at(last.saturating_add(1)));
            if source.from < source.to {
                sources.push(source);
            }
        }
    };
    if let Some(names) = &input.log_stream_names {
        let mut names: Vec<&String> = names.iter().collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            add(name, &state::stream(reader, group, name)?.record);
        }
    } else {
        let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
        state::for_each_stream(reader, group, prefix, None, &mut |name, stream| {
            add(name, &stream);
            ControlFlow::Continue(())
        })?;
    }
    Ok(sources)
}

/// A page as it fills.
struct Page {
    limit: usize,
    events: Vec<FilteredLogEvent>,
    /// Of the messages in `events`.
    bytes: usize,
    /// Events and bytes looked at.
    examined: (usize, usize),
    /// The last event that was looked at.
    last: Option<Rank>,
    /// Whether events may be left.
    is_full: bool,
}

impl Page {
    fn look_at(&mut self, pattern: &Pattern, stream: &str, rank: Rank, event: Event) -> ControlFlow<()> {
        let (count, bytes) = self.examined;
        if self.events.len() >= self.limit || count >= EXAMINED_EVENTS || bytes >= EXAMINED_BYTES {
            self.is_full = true;
            return ControlFlow::Break(());
        }
        let length = event.record.message.len();
        if pattern.matches(&event.record.message) {
            let total = self.bytes.saturating_add(length);
            if total > PAGE_BYTES && !self.events.is_empty() {
                self.is_full = true;
                return ControlFlow::Break(());
            }
            self.bytes = total;
            self.events.push(FilteredLogEvent {
                log_stream_name: Some(stream.to_owned()),
                timestamp: Some(rank.time),
                message: Some(event.record.message),
                ingestion_time: Some(event.record.ingested),
                event_id: Some(event_id(rank)),
            });
        }
        self.examined = (count.saturating_add(1), bytes.saturating_add(length));
        self.last = Some(rank);
        ControlFlow::Continue(())
    }
}

/// 56 digits, as AWS's, and no two events' the same.
fn event_id(rank: Rank) -> String {
    format!("{:016}{:020}{:020}", rank.time, rank.stream, rank.sequence)
}

/// Where a page ended.
#[derive(Debug, PartialEq, Eq)]
struct Token {
    newest_first: bool,
    last: Rank,
}

impl Token {
    fn encode(&self) -> String {
        let direction = if self.newest_first { 'b' } else { 'f' };
        token::encode(&format!(
            "{direction} {} {} {}",
            self.last.time, self.last.stream, self.last.sequence
        ))
    }

    fn decode(text: &str) -> Option<Self> {
        let text = token::decode(text).ok()?;
        let mut parts = text.split(' ');
        let newest_first = match parts.next()? {
            "b" => true,
            "f" => false,
            _ => return None,
        };
        let time: i64 = parts.next()?.parse().ok().filter(|time| *time >= 0)?;
        let (stream, sequence) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        parts.next().is_none().then_some(Self {
            newest_first,
            last: Rank {
                time,
                stream,
                sequence,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_and_forged_ones_do_not() {
        let token = Token {
            newest_first: true,
            last: Rank {
                time: 1,
                stream: u64::MAX,
                sequence: 3,
            },
        };
        assert_eq!(Token::decode(&token.encode()), Some(token));
        for forged in [
            "",
            "x 1 2 3",
            "f 1 2",
            "f -1 2 3",
            "f 1 2 3 4",
            "f 1 2 99999999999999999999999",
        ] {
            assert_eq!(Token::decode(&token::encode(forged)), None, "{forged}");
        }
    }

    #[test]
    fn event_ids_have_56_digits() {
        let id = event_id(Rank {
            time: 1_700_000_000_000,
            stream: u64::MAX,
            sequence: u64::MAX,
        });
        assert!(
            id.len() == 56 && id.bytes().all(|byte| byte.is_ascii_digit()),
            "{id}"
        );
    }
}
