//! `GetLogEvents`: one stream's events in order, a page forwards or backwards.
//!
//! Tokens are places between events, so they stay good while events are written: `f/` and `b/`, then time and
//! sequence number of the place. At the end of the stream the forward token is the one that was given, which
//! is how clients know that they are there. Source: CloudWatch Logs API Reference, `GetLogEvents`.

use std::ops::ControlFlow;
use std::sync::Arc;

use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::generated::{GetLogEventsInput, GetLogEventsOutput, OutputLogEvent};
use crate::resource::GroupName;
use crate::state::{self, Event, Place};
use crate::{Logs, token};

/// Most events of a page.
pub(crate) const PAGE_EVENTS: usize = 10_000;
/// Most bytes of messages in a page.
pub(crate) const PAGE_BYTES: usize = 1_048_576;

/// A place and the direction to read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Token {
    forward: bool,
    place: Place,
}

/// Digits of each half of a token's number; the whole has 56, as AWS's.
const HALF: usize = 28;

impl Token {
    fn encode(self) -> String {
        let direction = if self.forward { 'f' } else { 'b' };
        format!(
            "{direction}/{:0HALF$}{:0HALF$}",
            self.place.time, self.place.sequence
        )
    }

    fn decode(text: &str) -> Option<Self> {
        let (forward, digits) = match text.split_at_checked(2)? {
            ("f/", digits) => (true, digits),
            ("b/", digits) => (false, digits),
            _ => return None,
        };
        let (time, sequence) = digits.split_at_checked(HALF)?;
        if sequence.len() != HALF || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let place = Place {
            time: time.parse().ok()?,
            sequence: sequence.parse().ok()?,
        };
        Some(Self { forward, place })
    }
}

pub(crate) async fn get_log_events(
    logs: Arc<Logs>,
    context: Arc<RequestContext>,
    input: GetLogEventsInput,
    _: Permit,
) -> Result<GetLogEventsOutput, ServiceError> {
    let name = GroupName::either(
        &context,
        input.log_group_name.as_deref(),
        input.log_group_identifier.as_deref(),
    )?;
    let given = match &input.next_token {
        Some(text) => Some(Token::decode(text).ok_or_else(token::invalid)?),
        None => None,
    };
    let reader = logs.store().snapshot();
    let group = state::group(&*reader, &context, &name)?.record;
    let stream = state::stream(&*reader, group.id, &input.log_stream_name)?.record;

    // [start, end): the end is not included.
    let expiry = group.expiry(context.time.as_millisecond());
    let start = Place::at(input.start_time.unwrap_or(0).max(expiry));
    let end = Place::at(input.end_time.unwrap_or(i64::MAX));
    let forward = given.map_or(input.start_from_head.unwrap_or(false), |token| token.forward);
    let (from, to) = match given {
        Some(Token { forward: true, place }) => (start.max(place), end),
        Some(Token {
            forward: false,
            place,
        }) => (start, end.min(place)),
        None => (start, end),
    };
    let limit = input
        .limit
        .and_then(|limit| usize::try_from(limit).ok())
        .map_or(PAGE_EVENTS, |limit| limit.min(PAGE_EVENTS));
    let mut page: Vec<Event> = Vec::new();
    let mut bytes: usize = 0;
    if from < to && limit > 0 {
        state::for_each_event(
            &*reader,
            (group.id, stream.id),
            (from, to),
            !forward,
            &mut |event| {
                bytes = bytes.saturating_add(event.record.message.len());
                if bytes > PAGE_BYTES && !page.is_empty() {
                    return ControlFlow::Break(());
                }
                page.push(event);
                if page.len() < limit {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            },
        )?;
    }
    if !forward {
        page.reverse();
    }
    // An empty page leaves both tokens at the place it was looked for from.
    let here = given.map_or(start, |token| token.place);
    let before = page.first().map_or(here, |event| event.place);
    let after = page.last().map_or(here, |event| event.place.after());
    let events = page
        .into_iter()
        .map(|event| OutputLogEvent {
            timestamp: Some(event.place.time),
            message: Some(event.record.message),
            ingestion_time: Some(event.record.ingested),
        })
        .collect();
    Ok(GetLogEventsOutput {
        events: Some(events),
        next_forward_token: Some(
            Token {
                forward: true,
                place: after,
            }
            .encode(),
        ),
        next_backward_token: Some(
            Token {
                forward: false,
                place: before,
            }
            .encode(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_and_forged_ones_do_not() {
        for forward in [true, false] {
            let token = Token {
                forward,
                place: Place {
                    time: i64::MAX,
                    sequence: u64::MAX,
                },
            };
            assert_eq!(Token::decode(&token.encode()), Some(token));
            assert_eq!(token.encode().len(), 58);
        }
        let nines = "9".repeat(56);
        for forged in [
            "",
            "f",
            "f/",
            "f/1",
            "x/1",
            "é/1",
            &format!("f/{nines}"),
            &format!("f/+{}", "0".repeat(55)),
        ] {
            assert_eq!(Token::decode(forged), None, "{forged}");
        }
    }
}
