//! Request bodies: received piece by piece with limits of size, time and memory, verified as they come, spooled to a
//! file when large.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;
use rolecall_sigv4::{AuthError, PayloadVerifier};
use rolecall_wire::{ByteStream, ErrorResponse, SpoolFile};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// Bodies up to this size stay in memory.
const IN_MEMORY: usize = 1024 * 1024;

/// How long a client may send nothing in the middle of a body.
const IDLE: Duration = Duration::from_secs(20);

/// How long a body may take whatever its size; beyond it, it must have come at [`SLOWEST`] on average.
const GRACE: Duration = Duration::from_mins(1);

/// Bytes a second below which a client only keeps a connection busy.
const SLOWEST: u64 = 1024;

/// Memory all bodies under way may take together, in units of [`UNIT`]: 512 MiB.
const MEMORY_UNITS: usize = 8192;

/// The step in which a body's memory is accounted for. The first step is free: connections are limited too.
const UNIT: usize = 64 * 1024;

/// How much of a refused body is still read, so that a client that is sending sees the answer and not a reset.
const DRAINED: u64 = 16 * 1024 * 1024;

/// For how long.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// Amazon S3's largest object in one request.
pub(crate) const LARGEST_OBJECT: u64 = 5 * 1024 * 1024 * 1024;

/// Why a body could not be received.
pub(crate) enum BodyError {
    /// It is not what was signed.
    Auth(AuthError),
    /// An answer for the caller.
    Refused(Box<ErrorResponse>),
}

impl BodyError {
    pub(crate) fn refused(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self::Refused(Box::new(ErrorResponse::new(code, status, message)))
    }
}

impl From<AuthError> for BodyError {
    fn from(error: AuthError) -> Self {
        Self::Auth(error)
    }
}

fn too_large(limit: u64) -> BodyError {
    BodyError::refused(
        "RequestEntityTooLarge",
        413,
        format!("The request's body is larger than the {limit} bytes this operation takes."),
    )
}

fn interrupted() -> BodyError {
    BodyError::refused(
        "RequestTimeout",
        400,
        "The request's body ended before it was complete.",
    )
}

/// Text and code of Amazon S3 for a connection on which nothing comes.
fn too_slow() -> BodyError {
    BodyError::refused(
        "RequestTimeout",
        400,
        "Your socket connection to the server was not read from or written to within the timeout period.",
    )
}

fn no_memory() -> BodyError {
    tracing::warn!("a request was refused because the bodies of others take all memory there is for bodies");
    BodyError::refused(
        "ServiceUnavailable",
        503,
        "The service cannot take another large request at the moment. Try again.",
    )
}

fn failed(error: &std::io::Error) -> BodyError {
    tracing::error!(%error, "a request's body could not be spooled; check the disk of the data folder");
    BodyError::refused("InternalFailure", 500, "The request's body could not be kept.")
}

/// The memory of all bodies under way.
pub(crate) struct BodyMemory(Arc<Semaphore>);

impl Default for BodyMemory {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MEMORY_UNITS)))
    }
}

impl BodyMemory {
    /// One request's share, empty at first.
    pub(crate) fn share(&self) -> MemoryShare {
        MemoryShare {
            pool: Arc::clone(&self.0),
            held: None,
        }
    }
}

/// What one request holds of the memory for bodies; given back when dropped.
pub(crate) struct MemoryShare {
    pool: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

impl MemoryShare {
    /// Makes sure that the share covers `length` bytes.
    pub(crate) fn cover(&mut self, length: usize) -> Result<(), BodyError> {
        let wanted = length.saturating_sub(1) / UNIT;
        let have = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let Some(missing) = wanted.checked_sub(have).filter(|missing| *missing > 0) else {
            return Ok(());
        };
        let missing = u32::try_from(missing).map_err(|_| no_memory())?;
        let more = Arc::clone(&self.pool)
            .try_acquire_many_owned(missing)
            .map_err(|_| no_memory())?;
        match &mut self.held {
            Some(held) => held.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

/// Reads a body and gives up on clients that send too slowly.
struct Pieces<'a, B> {
    body: &'a mut B,
    started: Instant,
    received: u64,
    idle: Duration,
    grace: Duration,
}

impl<'a, B> Pieces<'a, B>
where
    B: Body<Data = Bytes> + Unpin,
{
    fn of(body: &'a mut B) -> Self {
        Self {
            body,
            started: Instant::now(),
            received: 0,
            idle: IDLE,
            grace: GRACE,
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            let deserved = self
                .grace
                .saturating_add(Duration::from_secs(self.received / SLOWEST));
            let left = deserved.saturating_sub(self.started.elapsed());
            let Ok(frame) = timeout(left.min(self.idle), self.body.frame()).await else {
                return Err(too_slow());
            };
            let Some(frame) = frame else { return Ok(None) };
            if let Ok(data) = frame.map_err(|_| interrupted())?.into_data() {
                self.received = self.received.saturating_add(data.len() as u64);
                return Ok(Some(data));
            }
        }
    }

    fn is_at_end(&self) -> bool {
        self.body.is_end_stream()
    }
}

/// Receives a whole body into memory, unverified: for services that sign the hash of the body itself.
pub(crate) async fn receive<B>(
    body: &mut B,
    limit: usize,
    memory: &mut MemoryShare,
) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit as u64));
    }
    let mut pieces = Pieces::of(body);
    let mut received = BytesMut::new();
    while let Some(data) = pieces.next().await? {
        let length = received.len().saturating_add(data.len());
        if length > limit {
            return Err(too_large(limit as u64));
        }
        memory.cover(length)?;
        if received.is_empty() && pieces.is_at_end() {
            return Ok(data);
        }
        received.extend_from_slice(&data);
    }
    Ok(received.freeze())
}

/// Receives a body that is verified on the way, into memory or, when it is large, into a file in `spool`.
pub(crate) async fn receive_verified<B>(
    body: &mut B,
    mut verifier: PayloadVerifier,
    limit: u64,
    spool: &Path,
    memory: &mut MemoryShare,
) -> Result<ByteStream, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    // Signatures of chunks take room on the wire beside the content itself.
    let on_the_wire = limit.saturating_add(limit / 16).saturating_add(64 * 1024);
    if body.size_hint().lower() > on_the_wire {
        return Err(too_large(limit));
    }
    let mut kept = Kept::Memory(BytesMut::new());
    let mut length: u64 = 0;
    let mut pieces = Pieces::of(body);
    while let Some(data) = pieces.next().await? {
        // Also what carries no content, such as extensions of chunks, ends somewhere.
        if pieces.received > on_the_wire {
            return Err(too_large(limit));
        }
        memory.cover(kept.in_memory().saturating_add(data.len()).min(IN_MEMORY))?;
        let mut written = Ok(());
        verifier.push(&data, |piece| {
            length = length.saturating_add(piece.len() as u64);
            if length <= limit && written.is_ok() {
                written = kept.extend(piece, spool);
            }
        })?;
        written.map_err(|error| failed(&error))?;
        if length > limit {
            return Err(too_large(limit));
        }
    }
    verifier.finish()?;
    Ok(kept.into_stream(length))
}

/// Reads a little more of a body that was refused: closing a connection with unread bytes resets it, and the client
/// would never see why.
pub(crate) async fn drain<B>(body: &mut B)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut left = DRAINED;
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len) as u64;
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Who has not sent it by then does not get to hold the connection.
    let _ = timeout(DRAIN_TIME, read).await;
}

enum Kept {
    Memory(BytesMut),
    File {
        file: File,
        guard: std::sync::Arc<SpoolFile>,
    },
}

impl Kept {
    fn in_memory(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::File { .. } => 0,
        }
    }

    fn extend(&mut self, piece: &[u8], spool: &Path) -> std::io::Result<()> {
        match self {
            Self::Memory(bytes) if bytes.len().saturating_add(piece.len()) <= IN_MEMORY => {
                bytes.extend_from_slice(piece);
                Ok(())
            }
            Self::Memory(bytes) => {
                let (mut file, path) = tempfile::Builder::new()
                    .prefix("body-")
                    .tempfile_in(spool)?
                    .keep()
                    .map_err(|error| error.error)?;
                let guard = SpoolFile::temporary(path);
                file.write_all(bytes)?;
                file.write_all(piece)?;
                *self = Self::File { file, guard };
                Ok(())
            }
            Self::File { file, .. } => file.write_all(piece),
        }
    }

    fn into_stream(self, length: u64) -> ByteStream {
        match self {
            Self::Memory(bytes) => ByteStream::Memory(bytes.freeze()),
            Self::File { guard, .. } => ByteStream::from_file(guard, 0, length),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::convert::Infallible;
    use std::time::Duration;

    use bytes::Bytes;
    use futures_util::{StreamExt as _, stream};
    use http_body_util::{BodyExt as _, Full, StreamBody};
    use hyper::body::Frame;

    use super::{BodyError, BodyMemory, MEMORY_UNITS, Pieces, UNIT, receive};

    fn code(error: BodyError) -> String {
        match error {
            BodyError::Refused(error) => error.code.to_string(),
            BodyError::Auth(error) => error.to_string(),
        }
    }

    fn on_runtime<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn a_body_that_stops_is_given_up() {
        on_runtime(async {
            let first = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"first")))]);
            let mut body = StreamBody::new(first.chain(stream::pending())).boxed_unsync();
            let mut pieces = Pieces::of(&mut body);
            pieces.idle = Duration::from_millis(30);
            assert_eq!(pieces.next().await.ok().flatten().unwrap(), "first");
            assert_eq!(code(pieces.next().await.unwrap_err()), "RequestTimeout");
        });
    }

    #[test]
    fn a_body_that_drips_is_given_up() {
        on_runtime(async {
            let drops = stream::repeat(()).then(|()| async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                Ok::<_, Infallible>(Frame::data(Bytes::from_static(b".")))
            });
            let mut body = StreamBody::new(drops).boxed_unsync();
            let mut pieces = Pieces::of(&mut body);
            pieces.grace = Duration::from_millis(60);
            let refused = loop {
                match pieces.next().await {
                    Ok(piece) => assert_eq!(piece.unwrap(), "."),
                    Err(error) => break error,
                }
            };
            assert_eq!(code(refused), "RequestTimeout");
            assert!(pieces.received > 0);
        });
    }

    #[test]
    fn all_bodies_share_one_memory() {
        on_runtime(async {
            let memory = BodyMemory::default();
            let mut most = memory.share();
            most.cover(MEMORY_UNITS * UNIT).ok().unwrap();
            let large = || Full::new(Bytes::from(vec![0; 3 * UNIT]));
            let mut other = memory.share();
            let mut fits = Full::new(Bytes::from(vec![0; 2 * UNIT]));
            assert!(receive(&mut fits, 4 * UNIT, &mut other).await.is_ok());
            let mut third = memory.share();
            let refused = receive(&mut large(), 4 * UNIT, &mut third).await.unwrap_err();
            assert_eq!(code(refused), "ServiceUnavailable");
            let small = receive(&mut Full::new(Bytes::from_static(b"small")), UNIT, &mut third).await;
            assert_eq!(small.ok().unwrap(), "small");
            drop(most);
            assert!(receive(&mut large(), 4 * UNIT, &mut third).await.is_ok());
        });
    }

    #[test]
    fn a_body_over_the_limit_is_refused() {
        on_runtime(async {
            let mut share = BodyMemory::default().share();
            let refused = receive(&mut Full::new(Bytes::from(vec![0; 11])), 10, &mut share).await;
            assert_eq!(code(refused.unwrap_err()), "RequestEntityTooLarge");
            let pieces = (0..11).map(|_| Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"."))));
            let mut unannounced = StreamBody::new(stream::iter(pieces)).boxed_unsync();
            let refused = receive(&mut unannounced, 10, &mut share).await;
            assert_eq!(code(refused.unwrap_err()), "RequestEntityTooLarge");
        });
    }
}
