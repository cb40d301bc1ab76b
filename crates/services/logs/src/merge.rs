//! The events of several streams as one sequence ordered by time.
//!
//! Each stream is read a few events at a time, and not before its turn comes, so that a group of many
//! thousand streams costs memory for those only whose times overlap.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::ControlFlow;

use rolecall_service::ServiceError;
use rolecall_store::Reader;

use crate::state::{self, Event, Place};

/// Events of a stream read at once.
const READ_AHEAD: usize = 64;

/// An event's rank among those of a whole group: by time, then by stream, then by its place in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    /// Milliseconds since 1970.
    pub(crate) time: i64,
    /// The stream's id.
    pub(crate) stream: u64,
    /// Place in the stream.
    pub(crate) sequence: u64,
}

impl Rank {
    fn of(stream: u64, place: Place) -> Self {
        Self {
            time: place.time,
            stream,
            sequence: place.sequence,
        }
    }

    /// The first place of `stream` whose events rank after this.
    pub(crate) fn after_in(self, stream: u64) -> Place {
        match stream.cmp(&self.stream) {
            std::cmp::Ordering::Less => Place::at(self.time.saturating_add(1)),
            std::cmp::Ordering::Equal => Place {
                time: self.time,
                sequence: self.sequence,
            }
            .after(),
            std::cmp::Ordering::Greater => Place::at(self.time),
        }
    }

    /// The place of `stream` before which its events rank before this.
    pub(crate) fn before_in(self, stream: u64) -> Place {
        match stream.cmp(&self.stream) {
            std::cmp::Ordering::Less => Place::at(self.time.saturating_add(1)),
            std::cmp::Ordering::Equal => Place {
                time: self.time,
                sequence: self.sequence,
            },
            std::cmp::Ordering::Greater => Place::at(self.time),
        }
    }
}

/// One stream's part of the sequence.
#[derive(Debug)]
pub(crate) struct Source {
    /// The stream's name.
    pub(crate) name: String,
    /// The stream's id.
    pub(crate) stream: u64,
    /// Events from here on.
    pub(crate) from: Place,
    /// Events before here.
    pub(crate) to: Place,
    /// Read and not yet handed out, in order.
    pub(crate) ahead: VecDeque<Event>,
}

/// Walks the events of `sources`, oldest or newest first, until `visit` breaks.
pub(crate) fn for_each(
    reader: &dyn Reader,
    group: u64,
    mut sources: Vec<Source>,
    newest_first: bool,
    visit: &mut dyn FnMut(&str, Rank, Event) -> ControlFlow<()>,
) -> Result<(), ServiceError> {
    // The heap gives the greatest key first; for oldest first the order is turned round.
    let key = |rank: Rank| {
        if newest_first {
            (Some(rank), None)
        } else {
            (None, Some(Reverse(rank)))
        }
    };
    let mut turns = BinaryHeap::new();
    for (index, source) in sources.iter().enumerate() {
        if source.from < source.to {
            // Not read yet: its turn is when its first possible event would have it.
            let edge = if newest_first { source.to } else { source.from };
            turns.push((key(Rank::of(source.stream, edge)), index));
        }
    }
    while let Some((_, index)) = turns.pop() {
        let Some(source) = sources.get_mut(index) else {
            continue;
        };
        if source.ahead.is_empty() {
            source.read(reader, group, newest_first)?;
        } else if let Some(event) = source.ahead.pop_front() {
            let rank = Rank::of(source.stream, event.place);
            if visit(&source.name, rank, event).is_break() {
                return Ok(());
            }
            if source.ahead.is_empty() {
                source.read(reader, group, newest_first)?;
            }
        }
        if let Some(next) = source.ahead.front() {
            turns.push((key(Rank::of(source.stream, next.place)), index));
        }
    }
    Ok(())
}

impl Source {
    fn read(&mut self, reader: &dyn Reader, group: u64, newest_first: bool) -> Result<(), ServiceError> {
        if self.from >= self.to {
            return Ok(());
        }
        let ahead = &mut self.ahead;
        let range = (self.from, self.to);
        state::for_each_event(reader, (group, self.stream), range, newest_first, &mut |event| {
            ahead.push_back(event);
            if ahead.len() < READ_AHEAD {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        match ahead.back() {
            Some(last) if newest_first => self.to = last.place,
            Some(last) => self.from = last.place.after(),
            None => self.to = self.from,
        }
        Ok(())
    }
}
