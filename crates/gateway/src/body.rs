//! Request bodies: received piece by piece with a limit, verified as they come, spooled to a file when large.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use rolecall_sigv4::{AuthError, PayloadVerifier};
use rolecall_wire::{ByteStream, ErrorResponse, SpoolFile};

/// Bodies up to this size stay in memory.
const IN_MEMORY: usize = 1024 * 1024;

/// Amazon S3's largest object in one request.
pub(crate) const LARGEST_OBJECT: u64 = 5 * 1024 * 1024 * 1024;

/// Why a body could not be received.
pub(crate) enum BodyError {
    /// It is not what was signed.
    Auth(AuthError),
    /// An answer for the caller.
    Refused(ErrorResponse),
}

impl From<AuthError> for BodyError {
    fn from(error: AuthError) -> Self {
        Self::Auth(error)
    }
}

fn too_large(limit: u64) -> BodyError {
    BodyError::Refused(ErrorResponse::new(
        "RequestEntityTooLarge",
        413,
        format!("The request's body is larger than the {limit} bytes this operation takes."),
    ))
}

fn interrupted() -> BodyError {
    BodyError::Refused(ErrorResponse::new(
        "RequestTimeout",
        400,
        "The request's body ended before it was complete.",
    ))
}

fn failed(error: &std::io::Error) -> BodyError {
    tracing::error!(%error, "a request's body could not be spooled; check the disk of the data folder");
    BodyError::Refused(ErrorResponse::new(
        "InternalFailure",
        500,
        "The request's body could not be kept.",
    ))
}

/// Receives a whole body into memory, unverified: for services that sign the hash of the body itself.
pub(crate) async fn receive(mut body: Incoming, limit: usize) -> Result<Bytes, BodyError> {
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit as u64));
    }
    let mut received = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| interrupted())?;
        if let Some(data) = frame.data_ref() {
            if received.len() + data.len() > limit {
                return Err(too_large(limit as u64));
            }
            if received.is_empty() && body.is_end_stream() {
                return Ok(data.clone());
            }
            received.extend_from_slice(data);
        }
    }
    Ok(received.freeze())
}

/// Receives a body that is verified on the way, into memory or, when it is large, into a file in `spool`.
pub(crate) async fn receive_verified(
    mut body: Incoming,
    mut verifier: PayloadVerifier,
    limit: u64,
    spool: &Path,
) -> Result<ByteStream, BodyError> {
    // Signatures of chunks take room on the wire beside the content itself.
    if body.size_hint().lower() > limit.saturating_add(limit / 16).saturating_add(64 * 1024) {
        return Err(too_large(limit));
    }
    let mut kept = Kept::Memory(BytesMut::new());
    let mut length: u64 = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| interrupted())?;
        let Some(data) = frame.data_ref() else { continue };
        let mut written = Ok(());
        verifier.push(data, |piece| {
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

enum Kept {
    Memory(BytesMut),
    File {
        file: File,
        guard: std::sync::Arc<SpoolFile>,
    },
}

impl Kept {
    fn extend(&mut self, piece: &[u8], spool: &Path) -> std::io::Result<()> {
        match self {
            Self::Memory(bytes) if bytes.len() + piece.len() <= IN_MEMORY => {
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
