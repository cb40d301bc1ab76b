//! Removes events that are past their group's retention.
//!
//! Reads leave expired events out at once; here they go from the disk, at most once an hour, in the
//! background of a request.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rolecall_service::{RequestContext, ServiceError};
use rolecall_store::{Condition, Reader, Transaction, codec};

use crate::state::{self, EVENTS, GroupRecord, Place, STREAMS, StreamRecord};
use crate::{Logs, error};

/// Milliseconds between two removals.
const INTERVAL: i64 = 60 * 60 * 1000;

/// Events removed in one transaction.
const BATCH: usize = 5_000;

/// When expired events were last removed.
#[derive(Debug, Default)]
pub(crate) struct Expiry {
    /// Milliseconds since 1970.
    last: AtomicI64,
}

impl Logs {
    /// Removes expired events if that was not done for an hour.
    pub(crate) fn expire_in_background(self: &Arc<Self>, context: &RequestContext) {
        let now = context.time.as_millisecond();
        let last = self.expiry.last.load(Ordering::Relaxed);
        if now.saturating_sub(last) >= INTERVAL {
            self.expire_now(context);
        }
    }

    /// Removes expired events, in the background.
    pub(crate) fn expire_now(self: &Arc<Self>, context: &RequestContext) {
        let now = context.time.as_millisecond();
        self.expiry.last.store(now, Ordering::Relaxed);
        // Must not keep the store open when the server is stopping.
        let logs = Arc::downgrade(self);
        tokio::spawn(async move {
            let Some(logs) = logs.upgrade() else { return };
            if let Err(error) = logs.expire(now).await {
                tracing::warn!(
                    ?error,
                    "expired log events could not be removed; the next attempt is in an hour"
                );
            }
        });
    }

    async fn expire(&self, now: i64) -> Result<(), ServiceError> {
        let mut groups: Vec<(Vec<u8>, u64, i64)> = Vec::new();
        state::for_each_record(self.store(), state::GROUPS, &mut |key, group: GroupRecord| {
            if group.retention_days.is_some() {
                groups.push((key.to_vec(), group.id, group.expiry(now)));
            }
        })?;
        for (key, group, expiry) in groups {
            let mut streams: Vec<String> = Vec::new();
            state::for_each_stream(self.store(), group, "", None, &mut |name, stream| {
                if stream.first_event.is_some_and(|first| first < expiry) {
                    streams.push(name.to_owned());
                }
                ControlFlow::Continue(())
            })?;
            for stream in streams {
                let mut may_have_more = true;
                while may_have_more {
                    let _turn = self.turns.of(&key, &stream).await;
                    may_have_more = self.expire_batch(group, &stream, expiry).await? == BATCH;
                }
            }
        }
        Ok(())
    }

    /// Removes the oldest expired events of a stream and answers how many there were. A stream that was
    /// deleted or written to from elsewhere meanwhile is left for the next time.
    async fn expire_batch(&self, group: u64, name: &str, expiry: i64) -> Result<usize, ServiceError> {
        let Some(stream) = find_stream(self.store(), group, name)? else {
            return Ok(0);
        };
        let mut record = stream.record;
        let mut expired: Vec<(Place, usize)> = Vec::new();
        let mut remaining: Option<i64> = None;
        let whole = (Place::at(0), Place::at(i64::MAX));
        state::for_each_event(self.store(), (group, record.id), whole, false, &mut |event| {
            if event.place.time >= expiry || expired.len() == BATCH {
                remaining = Some(event.place.time);
                return ControlFlow::Break(());
            }
            expired.push((event.place, event.record.message.len()));
            ControlFlow::Continue(())
        })?;
        let mut transaction = Transaction::new();
        for (place, length) in &expired {
            transaction = transaction.delete(EVENTS, place.key(group, record.id), Condition::Any);
            let size = u64::try_from(*length)
                .unwrap_or(u64::MAX)
                .saturating_add(state::EVENT_OVERHEAD);
            record.stored_bytes = record.stored_bytes.saturating_sub(size);
        }
        record.first_event = remaining;
        if remaining.is_none() {
            record.last_event = None;
        }
        let value = codec::encode(&record).map_err(error::store)?;
        let condition = Condition::Revision(stream.revision);
        transaction = transaction.put(STREAMS, state::stream_key(group, name), value, condition);
        let won = error::won(self.store().commit(transaction).await)?;
        Ok(if won { expired.len() } else { 0 })
    }
}

fn find_stream(
    reader: &dyn Reader,
    group: u64,
    name: &str,
) -> Result<Option<state::Versioned<StreamRecord>>, ServiceError> {
    match state::stream(reader, group, name) {
        Ok(stream) => Ok(Some(stream)),
        Err(error) if error.code() == "ResourceNotFoundException" => Ok(None),
        Err(error) => Err(error),
    }
}
