//! The thread that makes relaxed journals durable.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use super::{Journals, lock};
use crate::StoreError;

/// How long appends are collected. With the time a disk takes to synchronise, it stays well below the promised 100 ms.
const INTERVAL: Duration = Duration::from_millis(25);

/// Who waits for a flush.
type Waiter = oneshot::Sender<Result<(), StoreError>>;

/// What the thread is asked to do.
#[derive(Default)]
struct Wishes {
    dirty: bool,
    waiters: Vec<Waiter>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    wishes: Mutex<Wishes>,
    changed: Condvar,
}

/// Handle to the thread. It sleeps as long as nothing is appended.
pub(super) struct Flusher {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Flusher {
    /// Starts the thread that serves `journals`.
    pub(super) fn start(journals: Journals) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::default());
        let of_thread = shared.clone();
        let thread = thread::Builder::new()
            .name("store-flusher".to_owned())
            .spawn(move || run(&of_thread, &journals))
            .map_err(|error| StoreError::Stopped(format!("no thread for the journals: {error}")))?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Something was appended.
    pub(super) fn wake(&self) {
        let mut wishes = lock(&self.shared.wishes);
        if !wishes.dirty {
            wishes.dirty = true;
            self.shared.changed.notify_one();
        }
    }

    /// Answers when everything appended before is durable.
    pub(super) fn flush(&self) -> oneshot::Receiver<Result<(), StoreError>> {
        let (answer, answered) = oneshot::channel();
        let mut wishes = lock(&self.shared.wishes);
        // A closed flusher drops the answer, which the receiver notices.
        if !wishes.closed {
            wishes.waiters.push(answer);
            self.shared.changed.notify_one();
        }
        answered
    }

    /// Flushes a last time and ends the thread.
    pub(super) fn close(&self) {
        lock(&self.shared.wishes).closed = true;
        self.shared.changed.notify_one();
        if let Some(thread) = lock(&self.thread).take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes journals panicked");
        }
    }

    /// Whether it takes no more.
    pub(super) fn is_closed(&self) -> bool {
        lock(&self.shared.wishes).closed
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.close();
    }
}

fn run(shared: &Shared, journals: &Journals) {
    loop {
        let mut wishes = lock(&shared.wishes);
        while !wishes.dirty && wishes.waiters.is_empty() && !wishes.closed {
            wishes = shared
                .changed
                .wait(wishes)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let is_hasty = |wishes: &Wishes| !wishes.waiters.is_empty() || wishes.closed;
        if !is_hasty(&wishes) {
            let collected = shared
                .changed
                .wait_timeout_while(wishes, INTERVAL, |wishes| !is_hasty(wishes));
            wishes = collected.unwrap_or_else(PoisonError::into_inner).0;
        }
        wishes.dirty = false;
        let waiters = std::mem::take(&mut wishes.waiters);
        let closed = wishes.closed;
        drop(wishes);
        let flushed = flush(journals);
        if let Err(error) = &flushed {
            tracing::error!(%error, "journal records could not be made durable");
        }
        for waiter in waiters {
            // Whoever gave up waiting does not want the answer.
            let _ = waiter.send(flushed.clone());
        }
        if closed {
            return;
        }
    }
}

/// Makes every journal durable; the first failure is the answer, but the others are flushed all the same.
fn flush(journals: &Journals) -> Result<(), StoreError> {
    let open: Vec<_> = lock(journals).values().cloned().collect();
    let mut answer = Ok(());
    for journal in open {
        let unsynchronised = lock(&journal).write();
        let flushed = unsynchronised.and_then(|unsynchronised| {
            unsynchronised
                .synchronise()
                .inspect_err(|error| lock(&journal).fail(error.clone()))?;
            lock(&journal).seal_if_full()
        });
        answer = answer.and(flushed);
    }
    answer
}
