//! `LookupEvents`: management events of the last 90 days, newest first, by one attribute.
//!
//! Source: CloudTrail API Reference, `LookupEvents`.

use jiff::{SignedDuration, Timestamp};
use rolecall_store::Position;

use crate::{Event, EventCategory, Recorder, TrailError};

/// How far back events can be looked up.
const RETENTION: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Records read at once.
const BATCH: usize = 256;

/// Records one page looks through at most; a page that found less than was asked for then has a token to go on.
const SCAN_LIMIT: usize = 20_000;

/// What an event is looked up by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupAttribute {
    /// `eventID`.
    EventId(String),
    /// `eventName`.
    EventName(String),
    /// `readOnly`, `true` or `false`.
    ReadOnly(String),
    /// The user's or the session's name.
    Username(String),
    /// Type of one of the resources.
    ResourceType(String),
    /// Name or ARN of one of the resources.
    ResourceName(String),
    /// `eventSource`.
    EventSource(String),
    /// Access key id.
    AccessKeyId(String),
}

impl LookupAttribute {
    fn matches(&self, event: &Event) -> bool {
        match self {
            Self::EventId(id) => event.event_id == *id,
            Self::EventName(name) => event.event_name == *name,
            Self::ReadOnly(text) => text.eq_ignore_ascii_case(if event.read_only { "true" } else { "false" }),
            Self::Username(name) => event.username() == Some(name.as_str()),
            Self::ResourceType(kind) => event.resources.iter().any(|resource| resource.kind == *kind),
            Self::ResourceName(name) => event
                .resources
                .iter()
                .any(|resource| resource.arn == *name || resource.name() == name),
            Self::EventSource(source) => event.event_source == *source,
            Self::AccessKeyId(id) => event.user_identity.access_key_id.as_deref() == Some(id),
        }
    }
}

/// Which events, and how many.
#[derive(Debug, Clone, Default)]
pub struct LookupFilter {
    /// By what; every event when absent.
    pub attribute: Option<LookupAttribute>,
    /// Not before.
    pub start: Option<Timestamp>,
    /// Not after.
    pub end: Option<Timestamp>,
    /// How many at most; at least one is looked for.
    pub limit: usize,
    /// Where the page before ended.
    pub token: Option<String>,
}

/// One page.
#[derive(Debug, Clone, PartialEq)]
pub struct LookupPage {
    /// Newest first.
    pub events: Vec<Event>,
    /// Where the next page begins; absent at the end.
    pub next_token: Option<String>,
}

/// A token that no page gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token is not one that a page of events gave")]
pub struct TokenError;

/// Looks events up.
///
/// # Errors
/// The inner one for a token of somebody's own making; the outer one when the trail cannot be read.
pub fn lookup(
    recorder: &Recorder,
    filter: &LookupFilter,
    now: Timestamp,
) -> Result<Result<LookupPage, TokenError>, TrailError> {
    let mut before = match filter.token.as_deref().map(str::parse::<Position>) {
        None => Position::MAX,
        Some(Ok(position)) => position,
        Some(Err(_)) => return Ok(Err(TokenError)),
    };
    let oldest = now
        .saturating_sub(RETENTION)
        .unwrap_or(Timestamp::MIN)
        .max(filter.start.unwrap_or(Timestamp::MIN));
    let mut events = Vec::new();
    let mut seen = 0;
    while seen < SCAN_LIMIT {
        let batch = recorder.read_reverse(before, BATCH)?;
        if batch.is_empty() {
            return Ok(Ok(LookupPage {
                events,
                next_token: None,
            }));
        }
        for (position, record) in batch {
            seen += 1;
            before = position;
            let event = record.event;
            // Events are in the order the requests ended, their times are when requests began; a request takes
            // minutes at most, so one that is an hour too old has nothing younger behind it.
            let time: Timestamp = event.event_time.parse().unwrap_or(Timestamp::MIN);
            if time
                < oldest
                    .saturating_sub(SignedDuration::from_hours(1))
                    .unwrap_or(Timestamp::MIN)
            {
                return Ok(Ok(LookupPage {
                    events,
                    next_token: None,
                }));
            }
            let wanted = event.event_category == EventCategory::Management
                && time >= oldest
                && filter.end.is_none_or(|end| time <= end)
                && filter
                    .attribute
                    .as_ref()
                    .is_none_or(|attribute| attribute.matches(&event));
            if wanted {
                events.push(event);
                if events.len() >= filter.limit {
                    return Ok(Ok(LookupPage {
                        events,
                        next_token: Some(before.to_string()),
                    }));
                }
            }
        }
    }
    Ok(Ok(LookupPage {
        events,
        next_token: Some(before.to_string()),
    }))
}
