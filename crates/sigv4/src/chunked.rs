//! The `aws-chunked` framing of a body, decoded as it arrives.
//!
//! ```text
//! chunk    = hex-size [";chunk-signature=" 64 hex] CRLF data CRLF
//! body     = *chunk last-chunk-header *trailer CRLF
//! trailer  = name ":" value (CRLF | LF)
//! ```
//!
//! In the signed modes every chunk's signature covers the one before it, starting from the request's own. See
//! [Signature calculations for chunked upload](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html) and
//! [with trailing headers](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html).

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use crate::claim::parse_hex_32;
use crate::error::AuthError;
use crate::key::SigningKey;

/// The longest line: a chunk header, or a trailer with a checksum or a signature.
const MAX_LINE_BYTES: usize = 1024;
/// The most trailers, the signature included.
const MAX_TRAILERS: usize = 8;
/// The smallest chunk that may be followed by another. It also bounds how many chunks a body can have.
const MIN_CHUNK_BYTES: u64 = 8192;
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// The chain of signatures through the chunks of one body.
pub(crate) struct ChunkSignatures {
    pub(crate) key: SigningKey,
    pub(crate) timestamp: String,
    pub(crate) scope: String,
    pub(crate) previous: [u8; 32],
}

impl ChunkSignatures {
    /// The signature of the next chunk, given the hash of its data.
    pub(crate) fn chunk(&self, data_hash: &[u8]) -> [u8; 32] {
        let empty = hex::encode(Sha256::digest(b""));
        let text = format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{empty}\n{}",
            self.timestamp,
            self.scope,
            hex::encode(self.previous),
            hex::encode(data_hash)
        );
        self.key.sign(text.as_bytes())
    }

    /// The signature of the trailer, given the hash of its lines.
    pub(crate) fn trailer(&self, trailer_hash: &[u8]) -> [u8; 32] {
        let text = format!(
            "AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}\n{}",
            self.timestamp,
            self.scope,
            hex::encode(self.previous),
            hex::encode(trailer_hash)
        );
        self.key.sign(text.as_bytes())
    }

    fn accept(&mut self, computed: [u8; 32], claimed: [u8; 32]) -> Result<(), AuthError> {
        if !bool::from(computed.ct_eq(&claimed)) {
            return Err(AuthError::ChunkSignatureMismatch);
        }
        self.previous = computed;
        Ok(())
    }
}

enum State {
    /// Collecting the line `size[;chunk-signature=…]`.
    ChunkHeader,
    /// Inside the data of a chunk.
    Data { remaining: u64 },
    /// After the data: CR and LF, of which `seen` bytes have come.
    DataEnd { seen: u8 },
    /// After the last chunk: trailer lines up to an empty one.
    Trailer,
    /// After the empty line. Nothing may follow.
    Done,
}

/// Decodes one body.
pub(crate) struct ChunkDecoder {
    state: State,
    line: Vec<u8>,
    signatures: Option<ChunkSignatures>,
    chunk_signature: Option<[u8; 32]>,
    chunk_hash: Sha256,
    last_chunk_size: Option<u64>,
    decoded_length: u64,
    expected_length: u64,
    signed_trailer: bool,
    trailers: Vec<(String, String)>,
    trailer_signature: Option<[u8; 32]>,
}

impl ChunkDecoder {
    /// `signatures` is given in the signed modes; `signed_trailer` if the trailer must be signed as well.
    pub(crate) fn new(
        signatures: Option<ChunkSignatures>,
        signed_trailer: bool,
        expected_length: u64,
    ) -> Self {
        Self {
            state: State::ChunkHeader,
            line: Vec::new(),
            signatures,
            chunk_signature: None,
            chunk_hash: Sha256::new(),
            last_chunk_size: None,
            decoded_length: 0,
            expected_length,
            signed_trailer,
            trailers: Vec::new(),
            trailer_signature: None,
        }
    }

    /// Takes bytes as they come and hands decoded pieces to `sink`.
    pub(crate) fn push(&mut self, mut input: &[u8], mut sink: impl FnMut(&[u8])) -> Result<(), AuthError> {
        while !input.is_empty() {
            match self.state {
                State::ChunkHeader => {
                    if self.take_line(&mut input)? {
                        self.chunk_header()?;
                    }
                }
                State::Data { remaining } => {
                    let available = u64::try_from(input.len()).unwrap_or(u64::MAX);
                    let take = usize::try_from(remaining.min(available)).unwrap_or(input.len());
                    let (data, rest) = input.split_at(take.min(input.len()));
                    input = rest;
                    if self.signatures.is_some() {
                        self.chunk_hash.update(data);
                    }
                    sink(data);
                    let remaining = remaining.saturating_sub(take as u64);
                    self.state = if remaining == 0 {
                        State::DataEnd { seen: 0 }
                    } else {
                        State::Data { remaining }
                    };
                }
                State::DataEnd { seen } => {
                    let Some((byte, rest)) = input.split_first() else {
                        break;
                    };
                    input = rest;
                    self.state = match (seen, byte) {
                        (0, b'\r') => State::DataEnd { seen: 1 },
                        (1, b'\n') => {
                            self.verify_chunk()?;
                            State::ChunkHeader
                        }
                        _ => {
                            return Err(AuthError::MalformedChunk(
                                "a chunk's data is not followed by CRLF",
                            ));
                        }
                    };
                }
                State::Trailer => {
                    if self.take_line(&mut input)? {
                        self.trailer_line()?;
                    }
                }
                State::Done => return Err(AuthError::MalformedChunk("bytes follow the end of the body")),
            }
        }
        Ok(())
    }

    /// Ends the body: everything announced must have come. Returns the trailers, names in lower case.
    pub(crate) fn finish(mut self) -> Result<Vec<(String, String)>, AuthError> {
        match self.state {
            State::Done => {}
            // Some clients leave out the last CRLF when there is no trailer; the last chunk has said all there is.
            State::Trailer if self.line.is_empty() && self.trailers.is_empty() && !self.signed_trailer => {}
            _ => return Err(AuthError::IncompleteBody),
        }
        if self.decoded_length != self.expected_length {
            return Err(AuthError::IncompleteBody);
        }
        match (&mut self.signatures, self.trailer_signature) {
            (Some(signatures), Some(claimed)) if self.signed_trailer => {
                let mut hash = Sha256::new();
                for (name, value) in &self.trailers {
                    hash.update(name.as_bytes());
                    hash.update(b":");
                    hash.update(value.as_bytes());
                    hash.update(b"\n");
                }
                let computed = signatures.trailer(&hash.finalize());
                signatures.accept(computed, claimed)?;
            }
            (_, None) if !self.signed_trailer => {}
            _ => return Err(AuthError::MalformedTrailer),
        }
        Ok(self.trailers)
    }

    /// Moves bytes up to a line feed into `line`; true once the line, now without its end, is complete.
    fn take_line(&mut self, input: &mut &[u8]) -> Result<bool, AuthError> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let (piece, rest) = match end {
            Some(end) => (
                input.get(..end).unwrap_or_default(),
                input.get(end.saturating_add(1)..).unwrap_or_default(),
            ),
            None => (*input, &[][..]),
        };
        if self.line.len().saturating_add(piece.len()) > MAX_LINE_BYTES {
            return Err(AuthError::MalformedChunk("a line is too long"));
        }
        self.line.extend_from_slice(piece);
        *input = rest;
        if end.is_some() && self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        Ok(end.is_some())
    }

    fn chunk_header(&mut self) -> Result<(), AuthError> {
        let line = std::mem::take(&mut self.line);
        let text = std::str::from_utf8(&line)
            .map_err(|_| AuthError::MalformedChunk("a chunk header is not text"))?;
        let (size, extension) = text
            .split_once(';')
            .map_or((text, None), |(size, rest)| (size, Some(rest)));
        // At most 16 digits: `from_str_radix` alone would take a sign.
        if size.is_empty() || size.len() > 16 || !size.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(AuthError::MalformedChunk(
                "a chunk's size is not a hexadecimal number",
            ));
        }
        let size = u64::from_str_radix(size, 16)
            .map_err(|_| AuthError::MalformedChunk("a chunk's size is not a hexadecimal number"))?;
        self.chunk_signature = match (&self.signatures, extension) {
            (Some(_), Some(extension)) => Some(
                extension
                    .strip_prefix("chunk-signature=")
                    .and_then(parse_hex_32)
                    .ok_or(AuthError::ChunkSignatureMismatch)?,
            ),
            (Some(_), None) => return Err(AuthError::ChunkSignatureMismatch),
            (None, _) => None,
        };
        if size > 0 && self.last_chunk_size.is_some_and(|last| last < MIN_CHUNK_BYTES) {
            return Err(AuthError::ChunkTooSmall);
        }
        self.last_chunk_size = Some(size);
        self.decoded_length = self
            .decoded_length
            .checked_add(size)
            .ok_or(AuthError::IncompleteBody)?;
        if self.decoded_length > self.expected_length {
            return Err(AuthError::IncompleteBody);
        }
        if size > 0 {
            self.state = State::Data { remaining: size };
            return Ok(());
        }
        self.verify_chunk()?;
        self.state = State::Trailer;
        Ok(())
    }

    fn verify_chunk(&mut self) -> Result<(), AuthError> {
        let hash = self.chunk_hash.finalize_reset();
        if let Some(signatures) = &mut self.signatures {
            let claimed = self
                .chunk_signature
                .take()
                .ok_or(AuthError::ChunkSignatureMismatch)?;
            let computed = signatures.chunk(&hash);
            signatures.accept(computed, claimed)?;
        }
        Ok(())
    }

    fn trailer_line(&mut self) -> Result<(), AuthError> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            // The signature of a trailer may be set off by an empty line, as in AWS's own example.
            if !self.signed_trailer || self.trailer_signature.is_some() {
                self.state = State::Done;
            }
            return Ok(());
        }
        let text = std::str::from_utf8(&line).map_err(|_| AuthError::MalformedTrailer)?;
        let (name, value) = text.split_once(':').ok_or(AuthError::MalformedTrailer)?;
        let name = name.trim().to_ascii_lowercase();
        let value = value.trim();
        if self.trailer_signature.is_some() || self.trailers.len() >= MAX_TRAILERS {
            return Err(AuthError::MalformedTrailer);
        }
        if name == TRAILER_SIGNATURE {
            self.trailer_signature = Some(parse_hex_32(value).ok_or(AuthError::ChunkSignatureMismatch)?);
        } else {
            self.trailers.push((name, value.to_owned()));
        }
        Ok(())
    }
}
