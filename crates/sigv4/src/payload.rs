//! Verifying the body after the head, as it arrives and without holding it.
//!
//! Pieces are handed on before the body is complete, so that a caller can spool them to disk. They are provisional:
//! only when [`PayloadVerifier::finish`] succeeds is the body what the client signed. On an error the caller must
//! discard what it has spooled.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use crate::checksum::Checksum;
use crate::chunked::{ChunkDecoder, ChunkSignatures};
use crate::claim::{Claim, PayloadHash};
use crate::error::AuthError;
use crate::request::RequestHead;
use crate::verify::Verified;

/// What is known of a body that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedPayload {
    /// Bytes after decoding.
    pub length: u64,
    /// SHA-256 of the bytes as sent, if it was computed.
    pub sha256: Option<[u8; 32]>,
    /// Trailers with names in lower case, such as `x-amz-checksum-crc32`, all of them checked.
    pub trailers: Vec<(String, String)>,
}

enum Mode {
    /// One piece; with a hash that must come out, or without.
    Plain {
        expected: Option<[u8; 32]>,
        hash: Sha256,
    },
    Chunked {
        decoder: Box<ChunkDecoder>,
        checksums: Vec<(String, Checksum)>,
    },
}

/// Takes a body piece by piece and gives it back decoded.
pub struct PayloadVerifier {
    mode: Mode,
    length: u64,
}

impl PayloadVerifier {
    /// Prepares for the body of a verified request.
    ///
    /// # Errors
    /// Fails if a streamed body lacks `x-amz-decoded-content-length`, or announces a trailer that is no checksum.
    pub fn new(head: &RequestHead<'_>, claim: &Claim, verified: &Verified) -> Result<Self, AuthError> {
        let plain = |expected| Mode::Plain {
            expected,
            hash: Sha256::new(),
        };
        let mode = match claim.payload {
            PayloadHash::Body => plain(Some(verified.body_sha256.ok_or(AuthError::BodyHashNeeded)?)),
            PayloadHash::Signed(hash) => plain(Some(hash)),
            PayloadHash::Unsigned if !is_aws_chunked(head) => plain(None),
            PayloadHash::Unsigned | PayloadHash::StreamingUnsignedTrailer => chunked(head, None, false)?,
            PayloadHash::StreamingSigned => chunked(head, Some(signatures(verified)?), false)?,
            PayloadHash::StreamingSignedTrailer => chunked(head, Some(signatures(verified)?), true)?,
        };
        Ok(Self { mode, length: 0 })
    }

    /// For a request that is not signed at all: the body is taken as it is, or decoded if it is `aws-chunked`.
    ///
    /// # Errors
    /// As [`PayloadVerifier::new`].
    pub fn anonymous(head: &RequestHead<'_>) -> Result<Self, AuthError> {
        let mode = if is_aws_chunked(head) {
            chunked(head, None, false)?
        } else {
            Mode::Plain {
                expected: None,
                hash: Sha256::new(),
            }
        };
        Ok(Self { mode, length: 0 })
    }

    /// Takes the next bytes off the wire and hands the decoded ones to `sink`, in no, one or several pieces.
    ///
    /// # Errors
    /// Any error ends the request; the verifier must not be used further.
    pub fn push(&mut self, bytes: &[u8], mut sink: impl FnMut(&[u8])) -> Result<(), AuthError> {
        let length = &mut self.length;
        match &mut self.mode {
            Mode::Plain { expected, hash } => {
                if expected.is_some() {
                    hash.update(bytes);
                }
                *length = length.saturating_add(bytes.len() as u64);
                sink(bytes);
                Ok(())
            }
            Mode::Chunked { decoder, checksums } => decoder.push(bytes, |piece| {
                for (_, checksum) in checksums.iter_mut() {
                    checksum.update(piece);
                }
                *length = length.saturating_add(piece.len() as u64);
                sink(piece);
            }),
        }
    }

    /// Ends the body.
    ///
    /// # Errors
    /// Fails if the body is not the one that was signed: wrong hash, signature, length, trailer or checksum.
    pub fn finish(self) -> Result<VerifiedPayload, AuthError> {
        let length = self.length;
        match self.mode {
            Mode::Plain { expected: None, .. } => Ok(VerifiedPayload {
                length,
                sha256: None,
                trailers: Vec::new(),
            }),
            Mode::Plain {
                expected: Some(expected),
                hash,
            } => {
                let computed: [u8; 32] = hash.finalize().into();
                if !bool::from(computed.ct_eq(&expected)) {
                    return Err(AuthError::PayloadMismatch);
                }
                Ok(VerifiedPayload {
                    length,
                    sha256: Some(computed),
                    trailers: Vec::new(),
                })
            }
            Mode::Chunked { decoder, checksums } => {
                let trailers = decoder.finish()?;
                check_trailers(&trailers, checksums)?;
                Ok(VerifiedPayload {
                    length,
                    sha256: None,
                    trailers,
                })
            }
        }
    }
}

/// Exactly the announced trailers must have come, and their checksums must be right.
fn check_trailers(
    trailers: &[(String, String)],
    checksums: Vec<(String, Checksum)>,
) -> Result<(), AuthError> {
    if trailers.len() != checksums.len() {
        return Err(AuthError::MalformedTrailer);
    }
    for (name, checksum) in checksums {
        let (_, value) = trailers
            .iter()
            .find(|(have, _)| *have == name)
            .ok_or(AuthError::MalformedTrailer)?;
        let algorithm = checksum.algorithm();
        if checksum.finish() != *value {
            return Err(AuthError::ChecksumMismatch { algorithm });
        }
    }
    Ok(())
}

fn signatures(verified: &Verified) -> Result<ChunkSignatures, AuthError> {
    Ok(ChunkSignatures {
        key: verified
            .signing_key
            .clone()
            .ok_or(AuthError::ChunkSignatureMismatch)?,
        timestamp: verified.timestamp.clone(),
        scope: verified.scope.clone(),
        previous: verified.seed_signature,
    })
}

fn chunked(
    head: &RequestHead<'_>,
    signatures: Option<ChunkSignatures>,
    signed_trailer: bool,
) -> Result<Mode, AuthError> {
    let length = head
        .single_header("x-amz-decoded-content-length")?
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse::<u64>().ok())
        .ok_or(AuthError::MissingDecodedLength)?;
    let mut checksums: Vec<(String, Checksum)> = Vec::new();
    for name in head
        .single_header("x-amz-trailer")?
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
    {
        if name.is_empty() {
            continue;
        }
        let name = name.to_ascii_lowercase();
        let checksum = Checksum::for_header(&name).ok_or(AuthError::MalformedTrailer)?;
        if checksums.iter().any(|(have, _)| *have == name) {
            return Err(AuthError::MalformedTrailer);
        }
        checksums.push((name, checksum));
    }
    Ok(Mode::Chunked {
        decoder: Box::new(ChunkDecoder::new(signatures, signed_trailer, length)),
        checksums,
    })
}

/// Whether the body is framed although its payload word does not say so.
fn is_aws_chunked(head: &RequestHead<'_>) -> bool {
    head.header_values("content-encoding").any(|value| {
        value
            .split(|byte| *byte == b',')
            .any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"aws-chunked"))
    })
}
