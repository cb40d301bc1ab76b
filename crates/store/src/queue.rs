//! Jobs: work that is done later, at least once, by one taker at a time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z. Callers bring their own clock, so tests can turn it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// The system clock's time.
    pub fn now() -> Self {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
    }

    /// This time and `delay` more; the end of time if that is beyond it.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)),
        )
    }
}

/// What a taker holds of a job: it proves that the job is still the taker's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Receipt {
    /// The queue.
    pub queue: String,
    /// The job, unique in the store.
    pub id: u64,
    /// Which hand-out of the job this is.
    pub attempt: u32,
}

/// A job handed out by [`Store::take`](crate::Store::take).
#[derive(Clone, PartialEq, Eq)]
pub struct Job {
    /// To acknowledge or retry it.
    pub receipt: Receipt,
    /// What was enqueued.
    pub payload: Bytes,
    /// How often it was handed out, this time included: 1 at first. Counts hand-outs that ended with a dead process too.
    pub attempts: u32,
    /// When it was enqueued.
    pub enqueued_at: UnixMillis,
}

/// Payloads are users' events, so only their length is shown.
impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("receipt", &self.receipt)
            .field("payload_bytes", &self.payload.len())
            .field("attempts", &self.attempts)
            .field("enqueued_at", &self.enqueued_at)
            .finish()
    }
}
