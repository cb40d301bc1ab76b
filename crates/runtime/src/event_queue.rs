//! Asynchronous invocations (`InvocationType: Event`): a durable queue in front of the functions.
//!
//! A function error is tried again twice, after one minute and after two; a throttle or a failure of the server goes back
//! to the queue with growing pauses until the event is too old. An event that a server had taken when it was killed is
//! there again when the store is opened, so it runs at least once, as in AWS.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use rolecall_store::{CommitError, Job, Store, StoreError, Transaction, UnixMillis};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, watch};

use crate::error::InvokeError;
use crate::function::{FunctionSpec, Invocation, InvocationResult};
use crate::runtime::Runtime;

/// The store's queue.
const QUEUE: &str = "lambda-events";
/// How long a taken event stays hidden: longer than any function runs.
const VISIBILITY: Duration = Duration::from_mins(20);
/// Events that are worked on at once; more wait in the store.
const WORKERS: usize = 100;

/// What a function's event invoke configuration says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventSettings {
    /// `MaximumRetryAttempts`, 0 to 2.
    pub maximum_retries: u32,
    /// `MaximumEventAgeInSeconds`, one minute to six hours.
    pub maximum_age: Duration,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            maximum_retries: 2,
            maximum_age: Duration::from_hours(6),
        }
    }
}

/// Pauses before an event is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryDelays {
    /// After the first and every further function error.
    pub function_error: [Duration; 2],
    /// After the first throttle; doubles each time.
    pub throttle: Duration,
    /// The longest pause after throttles.
    pub throttle_limit: Duration,
}

impl Default for RetryDelays {
    fn default() -> Self {
        Self {
            function_error: [Duration::from_mins(1), Duration::from_mins(2)],
            throttle: Duration::from_secs(1),
            throttle_limit: Duration::from_mins(5),
        }
    }
}

/// Finds the function of an event when its turn comes, which may be long after it was sent.
pub trait FunctionDirectory: Send + Sync {
    /// The function that `arn` (unqualified) and `qualifier` mean now; `None` if it is gone.
    fn find(&self, arn: &str, qualifier: Option<&str>) -> Option<(Arc<FunctionSpec>, EventSettings)>;
}

/// One event that waits.
#[derive(Clone, PartialEq, Eq)]
pub struct QueuedEvent {
    /// Unqualified function ARN.
    pub function_arn: String,
    /// Version or alias it was sent to.
    pub qualifier: Option<String>,
    /// Request id that the sender was given; the same for every attempt.
    pub request_id: String,
    /// ARN it was sent to.
    pub invoked_arn: String,
    /// `X-Amzn-Trace-Id`.
    pub trace_id: Option<String>,
    /// The event, JSON.
    pub payload: Bytes,
}

/// Payloads are users' data, so only their length is shown.
impl std::fmt::Debug for QueuedEvent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("QueuedEvent")
            .field("function_arn", &self.function_arn)
            .field("request_id", &self.request_id)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// An event as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// Of this structure.
    version: u8,
    function_arn: String,
    qualifier: Option<String>,
    request_id: String,
    invoked_arn: String,
    trace_id: Option<String>,
    /// Base64.
    payload: String,
    sent_at: u64,
    function_errors: u32,
    throttles: u32,
}

const STORED_VERSION: u8 = 1;

/// The queue with its workers.
pub struct EventQueue {
    store: Arc<dyn Store>,
    runtime: Arc<Runtime>,
    directory: Arc<dyn FunctionDirectory>,
    delays: RetryDelays,
}

/// What becomes of an event after an attempt.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// It is over; for a failure, why.
    Done(Option<&'static str>),
    /// Again after a pause.
    Again { pause: Duration, function_error: bool },
}

impl EventQueue {
    /// A queue in `store`; nothing is worked on until [`run`](Self::run).
    pub fn new(
        store: Arc<dyn Store>,
        runtime: Arc<Runtime>,
        directory: Arc<dyn FunctionDirectory>,
        delays: RetryDelays,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            runtime,
            directory,
            delays,
        })
    }

    /// Puts an event in the queue. When this returns it survives the end of the server.
    ///
    /// # Errors
    /// The store cannot take it.
    pub async fn send(&self, event: &QueuedEvent) -> Result<(), CommitError> {
        let now = UnixMillis::now();
        let stored = Stored {
            version: STORED_VERSION,
            function_arn: event.function_arn.clone(),
            qualifier: event.qualifier.clone(),
            request_id: event.request_id.clone(),
            invoked_arn: event.invoked_arn.clone(),
            trace_id: event.trace_id.clone(),
            payload: STANDARD.encode(&event.payload),
            sent_at: now.0,
            function_errors: 0,
            throttles: 0,
        };
        self.store
            .commit(Transaction::new().enqueue(QUEUE, encode(&stored), now))
            .await
            .map(drop)
    }

    /// Number of events that wait or are worked on.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn length(&self) -> Result<usize, StoreError> {
        self.store.queue_length(QUEUE)
    }

    /// Works on events until `stop` becomes true. Events that are being worked on then go on.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let room = Arc::new(Semaphore::new(WORKERS));
        let mut activity = self.store.queue_activity();
        loop {
            activity.mark_unchanged();
            let Ok(permit) = room.clone().acquire_owned().await else {
                return;
            };
            if *stop.borrow() {
                return;
            }
            match self.store.take(QUEUE, UnixMillis::now(), VISIBILITY).await {
                Ok(Some(job)) => {
                    let queue = self.clone();
                    tokio::spawn(async move {
                        queue.work(job).await;
                        drop(permit);
                    });
                    continue;
                }
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "the queue of asynchronous invocations cannot be read"),
            }
            drop(permit);
            let due = self.store.next_due(QUEUE).ok().flatten();
            let pause = due.map_or(Duration::from_mins(1), |due| {
                Duration::from_millis(due.0.saturating_sub(UnixMillis::now().0)).max(Duration::from_millis(5))
            });
            tokio::select! {
                _ = activity.changed() => {}
                () = tokio::time::sleep(pause) => {}
                stopped = stop.wait_for(|stop| *stop) => {
                    drop(stopped);
                    return;
                }
            }
        }
    }

    async fn work(&self, job: Job) {
        let result = match serde_json::from_slice::<Stored>(&job.payload) {
            Ok(stored) if stored.version == STORED_VERSION => self.attempt(&job, stored).await,
            _ => {
                tracing::error!(
                    job = job.receipt.id,
                    "an asynchronous invocation is not readable and was dropped"
                );
                self.store.acknowledge(&job.receipt).await
            }
        };
        if let Err(error) = result {
            // It becomes visible again and is tried once more.
            tracing::error!(%error, "the outcome of an asynchronous invocation was not stored");
        }
    }

    async fn attempt(&self, job: &Job, mut stored: Stored) -> Result<(), CommitError> {
        let Some((function, settings)) = self
            .directory
            .find(&stored.function_arn, stored.qualifier.as_deref())
        else {
            tracing::warn!(
                function = stored.function_arn,
                "an asynchronous invocation was dropped: the function is gone"
            );
            return self.store.acknowledge(&job.receipt).await;
        };
        let age = Duration::from_millis(UnixMillis::now().0.saturating_sub(stored.sent_at));
        let next = if age > settings.maximum_age {
            Next::Done(Some("EventAgeExceeded"))
        } else {
            let invocation = Invocation {
                request_id: stored.request_id.clone(),
                payload: STANDARD.decode(&stored.payload).unwrap_or_default().into(),
                invoked_arn: stored.invoked_arn.clone(),
                client_context: None,
                trace_id: stored.trace_id.clone(),
                log_tail: false,
            };
            let result = self.runtime.invoke(function, invocation).await;
            next_step(&result, &stored, settings, self.delays)
        };
        match next {
            Next::Done(reason) => {
                if let Some(reason) = reason {
                    let (function, request) = (&stored.function_arn, &stored.request_id);
                    tracing::warn!(
                        function,
                        request,
                        reason,
                        "an asynchronous invocation was given up"
                    );
                }
                self.store.acknowledge(&job.receipt).await
            }
            Next::Again {
                pause,
                function_error,
            } => {
                let counter = if function_error {
                    &mut stored.function_errors
                } else {
                    &mut stored.throttles
                };
                *counter = counter.saturating_add(1);
                let again = Transaction::new().acknowledge(&job.receipt).enqueue(
                    QUEUE,
                    encode(&stored),
                    UnixMillis::now().after(pause),
                );
                self.store.commit(again).await.map(drop)
            }
        }
    }
}

fn encode(stored: &Stored) -> Bytes {
    // Strings and numbers always have a JSON form.
    serde_json::to_vec(stored).unwrap_or_default().into()
}

fn next_step(
    result: &Result<InvocationResult, InvokeError>,
    stored: &Stored,
    settings: EventSettings,
    delays: RetryDelays,
) -> Next {
    match result {
        Ok(result) if result.function_error.is_none() => Next::Done(None),
        Ok(_) if stored.function_errors >= settings.maximum_retries => Next::Done(Some("RetriesExhausted")),
        Ok(_) => {
            let [first, further] = delays.function_error;
            Next::Again {
                pause: if stored.function_errors == 0 {
                    first
                } else {
                    further
                },
                function_error: true,
            }
        }
        Err(_) => {
            let factor = 2u32.saturating_pow(stored.throttles.min(16));
            let pause = delays.throttle.saturating_mul(factor).min(delays.throttle_limit);
            Next::Again {
                pause,
                function_error: false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ThrottleReason;
    use crate::report::Report;

    fn stored(function_errors: u32, throttles: u32) -> Stored {
        Stored {
            version: STORED_VERSION,
            function_arn: String::new(),
            qualifier: None,
            request_id: String::new(),
            invoked_arn: String::new(),
            trace_id: None,
            payload: String::new(),
            sent_at: 0,
            function_errors,
            throttles,
        }
    }

    fn ended(function_error: bool) -> InvocationResult {
        InvocationResult {
            payload: Bytes::new(),
            function_error: function_error.then(|| "Unhandled".to_owned()),
            log_tail: None,
            executed_version: "$LATEST".into(),
            report: Report::new(Duration::ZERO, None, 128, 0),
            error_type: None,
        }
    }

    #[test]
    fn what_comes_next_is_as_in_aws() {
        let again = |seconds, function_error| Next::Again {
            pause: Duration::from_secs(seconds),
            function_error,
        };
        let throttled = || {
            Err(InvokeError::Throttled {
                reason: ThrottleReason::ConcurrentInvocationLimitExceeded,
            })
        };
        let cases = [
            (Ok(ended(false)), 0, 0, Next::Done(None)),
            (Ok(ended(true)), 0, 0, again(60, true)),
            (Ok(ended(true)), 1, 5, again(120, true)),
            (Ok(ended(true)), 2, 0, Next::Done(Some("RetriesExhausted"))),
            (throttled(), 0, 0, again(1, false)),
            (throttled(), 2, 3, again(8, false)),
            (throttled(), 0, 60, again(300, false)),
        ];
        for (result, errors, throttles, expected) in cases {
            let next = next_step(
                &result,
                &stored(errors, throttles),
                EventSettings::default(),
                RetryDelays::default(),
            );
            assert_eq!(next, expected, "{errors} errors, {throttles} throttles");
        }
    }
}
