//! A function's log: what it writes to its standard streams and what the platform writes around it.
//!
//! Lines wait in a bounded buffer until the [`LogSink`] has taken them. A full buffer stops the reading, which stops the
//! function at its next write: nothing is lost and nothing grows.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use rolecall_service::{FunctionOrigin, LogLine, LogSink};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::{Notify, watch};

/// Longest event that CloudWatch Logs takes, without its overhead of 26 bytes.
const MAXIMUM_LINE: usize = 256 * 1024 - 26;
/// Most that waits to be written.
const MAXIMUM_PENDING: usize = 1 << 20;
/// Most lines of one write, as in `PutLogEvents`.
const MAXIMUM_BATCH: usize = 10_000;
/// What `LogType: Tail` gives.
const TAIL: usize = 4096;

/// Where the lines of one environment go.
pub(crate) struct Log {
    sink: Arc<dyn LogSink>,
    origin: Arc<FunctionOrigin>,
    group: Arc<str>,
    stream: String,
    state: Mutex<State>,
    changed: Notify,
    drained: Notify,
    written: watch::Sender<bool>,
}

struct State {
    pending: VecDeque<LogLine>,
    pending_bytes: usize,
    tail: VecDeque<u8>,
    streams: [Option<Stream>; 2],
    closed: bool,
}

/// One standard stream.
struct Stream {
    pipe: File,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
}

impl Log {
    /// A log whose writer runs until [`close`](Self::close).
    pub(crate) fn start(
        sink: Arc<dyn LogSink>,
        origin: Arc<FunctionOrigin>,
        group: Arc<str>,
        stream: String,
    ) -> Arc<Self> {
        let log = Arc::new(Self {
            sink,
            origin,
            group,
            stream,
            state: Mutex::new(State {
                pending: VecDeque::new(),
                pending_bytes: 0,
                tail: VecDeque::new(),
                streams: [None, None],
                closed: false,
            }),
            changed: Notify::new(),
            drained: Notify::new(),
            written: watch::Sender::new(true),
        });
        tokio::spawn(log.clone().write_all());
        log
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the standard streams from now on.
    ///
    /// # Errors
    /// A descriptor cannot be watched.
    pub(crate) fn attach(self: &Arc<Self>, stdout: OwnedFd, stderr: OwnedFd) -> io::Result<()> {
        for (index, pipe) in [stdout, stderr].into_iter().enumerate() {
            let direct = File::from(pipe.try_clone()?);
            // Sets the pipe, and with it `direct`, to not block.
            let watched = Receiver::from_owned_fd(pipe)?;
            if let Some(place) = self.state().streams.get_mut(index) {
                *place = Some(Stream {
                    pipe: direct,
                    line: Vec::new(),
                });
            }
            tokio::spawn(self.clone().pump(index, watched));
        }
        Ok(())
    }

    /// Reads one stream whenever it has something.
    async fn pump(self: Arc<Self>, index: usize, watched: Receiver) {
        let mut buffer = vec![0u8; 16 << 10];
        loop {
            loop {
                let drained = self.drained.notified();
                if self.state().pending_bytes < MAXIMUM_PENDING {
                    break;
                }
                drained.await;
            }
            if watched.readable().await.is_err() {
                return;
            }
            let ended = {
                let mut state = self.state();
                match watched.try_read(&mut buffer) {
                    Ok(0) => {
                        state.end_line(index);
                        true
                    }
                    Ok(count) => {
                        state.take(index, buffer.get(..count).unwrap_or_default());
                        false
                    }
                    Err(error) => error.kind() != io::ErrorKind::WouldBlock,
                }
            };
            self.announce();
            if ended {
                return;
            }
        }
    }

    /// Takes what the function has written up to now, so that it comes before the platform's next line.
    pub(crate) fn drain(&self) {
        let mut state = self.state();
        let mut buffer = vec![0u8; 16 << 10];
        for index in 0..state.streams.len() {
            // A function that never stops writing must not keep us here: a pipe holds 64 KB.
            for _ in 0..8 {
                let Some(Some(stream)) = state.streams.get_mut(index) else {
                    break;
                };
                match stream.pipe.read(&mut buffer) {
                    Ok(count) if count > 0 => state.take(index, buffer.get(..count).unwrap_or_default()),
                    _ => break,
                }
            }
        }
        drop(state);
        self.announce();
    }

    /// Writes a line of the platform's own.
    pub(crate) fn platform(&self, message: String) {
        self.state().push(message);
        self.announce();
    }

    /// Forgets the tail: an invocation begins.
    pub(crate) fn begin_tail(&self) {
        self.state().tail.clear();
    }

    /// The last 4 KB since [`begin_tail`](Self::begin_tail).
    pub(crate) fn tail(&self) -> Bytes {
        self.state().tail.iter().copied().collect()
    }

    /// No more lines come; the writer ends when all are written.
    pub(crate) fn close(&self) {
        self.drain();
        let mut state = self.state();
        for index in 0..state.streams.len() {
            state.end_line(index);
        }
        state.closed = true;
        drop(state);
        self.announce();
    }

    /// Waits until everything so far was offered to the sink.
    pub(crate) async fn written(&self) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.written.subscribe().wait_for(|all| *all).await;
    }

    fn announce(&self) {
        let state = self.state();
        if !state.pending.is_empty() {
            self.written.send_replace(false);
        }
        drop(state);
        self.changed.notify_one();
    }

    async fn write_all(self: Arc<Self>) {
        loop {
            let lines = {
                let mut state = self.state();
                if state.pending.is_empty() {
                    self.written.send_replace(true);
                    if state.closed {
                        return;
                    }
                }
                state.batch()
            };
            self.drained.notify_waiters();
            if lines.is_empty() {
                self.changed.notified().await;
                continue;
            }
            // A role that may not write its log has none, as in AWS; that is no error of the invocation.
            if let Err(error) = self
                .sink
                .write(&self.origin, &self.group, &self.stream, lines)
                .await
            {
                tracing::debug!(function = %self.origin.function_arn, group = %self.group, %error, "log lines were not taken");
            }
        }
    }
}

impl State {
    fn take(&mut self, index: usize, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let (part, rest) = match end {
                Some(end) => (
                    bytes.get(..end).unwrap_or_default(),
                    bytes.get(end.saturating_add(1)..).unwrap_or_default(),
                ),
                None => (bytes, [].as_slice()),
            };
            let Some(Some(stream)) = self.streams.get_mut(index) else {
                return;
            };
            let room = MAXIMUM_LINE.saturating_sub(stream.line.len());
            if part.len() > room {
                // Too long for one event: what fits is one, the rest goes on in the next.
                stream
                    .line
                    .extend_from_slice(part.get(..room).unwrap_or_default());
                bytes = bytes.get(room..).unwrap_or_default();
                self.end_line(index);
                continue;
            }
            stream.line.extend_from_slice(part);
            if end.is_some() {
                self.end_line(index);
            }
            bytes = rest;
        }
    }

    fn end_line(&mut self, index: usize) {
        let Some(Some(stream)) = self.streams.get_mut(index) else {
            return;
        };
        let line = std::mem::take(&mut stream.line);
        if line.is_empty() {
            return;
        }
        // The Python client ends the lines of a traceback with a carriage return, so that they stay one event.
        let text = String::from_utf8_lossy(&line)
            .trim_end_matches('\r')
            .replace('\r', "\n");
        self.push(text);
    }

    fn push(&mut self, message: String) {
        if self.closed {
            // The writer is gone, and with it the environment whose last words these are.
            return;
        }
        self.tail.extend(message.as_bytes());
        self.tail.push_back(b'\n');
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
        self.pending_bytes = self.pending_bytes.saturating_add(message.len());
        self.pending.push_back(LogLine {
            time: Timestamp::now(),
            message,
        });
    }

    fn batch(&mut self) -> Vec<LogLine> {
        let count = self.pending.len().min(MAXIMUM_BATCH);
        let lines: Vec<LogLine> = self.pending.drain(..count).collect();
        let bytes = lines.iter().map(|line| line.message.len()).sum();
        self.pending_bytes = self.pending_bytes.saturating_sub(bytes);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let stream = || {
            File::open("/dev/null").ok().map(|pipe| Stream {
                pipe,
                line: Vec::new(),
            })
        };
        State {
            pending: VecDeque::new(),
            pending_bytes: 0,
            tail: VecDeque::new(),
            streams: [stream(), stream()],
            closed: false,
        }
    }

    fn messages(state: &State) -> Vec<&str> {
        state.pending.iter().map(|line| line.message.as_str()).collect()
    }

    #[test]
    fn lines_are_put_together_from_pieces() {
        let mut state = state();
        for piece in ["one\ntw", "o", "\n\nthree\rfour\r\n", "rest"] {
            state.take(0, piece.as_bytes());
        }
        assert_eq!(messages(&state), ["one", "two", "three\nfour"]);
        state.end_line(0);
        assert_eq!(messages(&state).last(), Some(&"rest"));
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut state = state();
        state.take(0, &vec![b'x'; MAXIMUM_LINE * 2 + 5]);
        state.take(0, b"\n");
        let lengths: Vec<usize> = state.pending.iter().map(|line| line.message.len()).collect();
        assert_eq!(lengths, [MAXIMUM_LINE, MAXIMUM_LINE, 5]);
        assert_eq!(state.tail.len(), TAIL);
    }

    #[test]
    fn a_batch_gives_its_room_back() {
        let mut state = state();
        state.take(1, b"a\nbb\n");
        assert_eq!(state.pending_bytes, 3);
        assert_eq!(state.batch().len(), 2);
        assert_eq!(state.pending_bytes, 0);
    }

    proptest::proptest! {
        /// However the stream is cut into pieces, the lines are the same, and none is longer than an event may be.
        #[test]
        fn pieces_do_not_matter(text in "[a-c\n\r]{0,200}", cuts in proptest::collection::vec(1usize..7, 0..100)) {
            let mut whole = state();
            whole.take(0, text.as_bytes());
            whole.end_line(0);
            let mut pieces = state();
            let mut rest = text.as_bytes();
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                pieces.take(0, piece);
                rest = after;
            }
            pieces.take(0, rest);
            pieces.end_line(0);
            proptest::prop_assert_eq!(messages(&whole), messages(&pieces));
            let expected: Vec<String> = text
                .split('\n')
                .filter(|line| !line.is_empty())
                .map(|line| line.trim_end_matches('\r').replace('\r', "\n"))
                .collect();
            proptest::prop_assert_eq!(messages(&whole), expected);
        }
    }
}
