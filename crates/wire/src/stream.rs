//! Bytes that may be in memory or in a file.
//!
//! The gateway spools a large request body to a file and Amazon S3 renames that file into place, so that an object
//! of any size costs neither memory nor a second copy; a large answer is read from its file piece by piece.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

/// A file that is removed when its last user lets go of it, unless it was persisted.
#[derive(Debug)]
pub struct SpoolFile {
    path: PathBuf,
    kept: AtomicBool,
}

impl SpoolFile {
    /// Takes ownership of the temporary file at `path`.
    pub fn temporary(path: impl Into<PathBuf>) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            kept: AtomicBool::new(false),
        })
    }

    /// Refers to a file that belongs to somebody else and stays.
    pub fn kept(path: impl Into<PathBuf>) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            kept: AtomicBool::new(true),
        })
    }

    /// Where it is. After [`persist`](Self::persist) it is no longer there.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Renames the file to `to`, which must be on the same file system, and gives up ownership. The content is not
    /// synchronised to disk here.
    ///
    /// # Errors
    /// The rename failed, or the file was persisted before ([`io::ErrorKind::AlreadyExists`]).
    pub fn persist(&self, to: &Path) -> io::Result<()> {
        if self.kept.swap(true, Ordering::AcqRel) {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "the spooled file already has its place; copy it instead",
            ));
        }
        std::fs::rename(&self.path, to).inspect_err(|_| self.kept.store(false, Ordering::Release))
    }
}

impl Drop for SpoolFile {
    fn drop(&mut self) {
        if !*self.kept.get_mut() {
            // Nothing can be done about a file that cannot be removed; the spool folder is emptied at start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A body: bytes in memory, or a part of a file.
#[derive(Clone)]
pub enum ByteStream {
    /// In memory.
    Memory(Bytes),
    /// In a file.
    File {
        /// The file.
        path: PathBuf,
        /// First byte.
        offset: u64,
        /// Number of bytes.
        length: u64,
        /// Keeps the file from being removed.
        guard: Arc<SpoolFile>,
    },
}

/// How much [`Chunks`] reads at once.
const CHUNK: usize = 64 * 1024;

impl ByteStream {
    /// No bytes.
    pub const fn empty() -> Self {
        Self::Memory(Bytes::new())
    }

    /// The whole of a spooled file.
    pub fn from_file(guard: Arc<SpoolFile>, offset: u64, length: u64) -> Self {
        Self::File {
            path: guard.path().to_owned(),
            offset,
            length,
            guard,
        }
    }

    /// Number of bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, if they are in memory.
    pub fn as_memory(&self) -> Option<&Bytes> {
        match self {
            Self::Memory(bytes) => Some(bytes),
            Self::File { .. } => None,
        }
    }

    /// `length` bytes from `offset` on, or `None` if that reaches beyond the end. Copies nothing.
    #[must_use]
    pub fn slice(&self, offset: u64, length: u64) -> Option<Self> {
        if offset.checked_add(length)? > self.len() {
            return None;
        }
        Some(match self {
            Self::Memory(bytes) => {
                let from = usize::try_from(offset).ok()?;
                let to = usize::try_from(offset.checked_add(length)?).ok()?;
                Self::Memory(bytes.slice(from..to))
            }
            Self::File {
                path,
                offset: base,
                guard,
                ..
            } => Self::File {
                path: path.clone(),
                offset: base.checked_add(offset)?,
                length,
                guard: Arc::clone(guard),
            },
        })
    }

    /// All bytes, if there are at most `limit`.
    ///
    /// # Errors
    /// There are more ([`io::ErrorKind::FileTooLarge`]), or the file cannot be read or is shorter than it was.
    pub fn read_all(&self, limit: usize) -> io::Result<Bytes> {
        let length = usize::try_from(self.len()).unwrap_or(usize::MAX);
        if length > limit {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("{length} bytes are more than the {limit} allowed here"),
            ));
        }
        match self {
            Self::Memory(bytes) => Ok(bytes.clone()),
            Self::File { .. } => {
                let mut all = Vec::with_capacity(length);
                for chunk in self.chunks()? {
                    all.extend_from_slice(&chunk?);
                }
                Ok(all.into())
            }
        }
    }

    /// Reads piece by piece. A memory stream is one piece.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn chunks(&self) -> io::Result<Chunks> {
        Ok(Chunks(match self {
            Self::Memory(bytes) => Source::Memory(Some(bytes.clone())),
            Self::File {
                path,
                offset,
                length,
                guard,
            } => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(*offset))?;
                Source::File {
                    file,
                    remaining: *length,
                    _guard: Arc::clone(guard),
                }
            }
        }))
    }
}

impl Default for ByteStream {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for ByteStream {
    fn from(bytes: Bytes) -> Self {
        Self::Memory(bytes)
    }
}

impl From<Vec<u8>> for ByteStream {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Memory(bytes.into())
    }
}

impl From<String> for ByteStream {
    fn from(text: String) -> Self {
        Self::Memory(text.into())
    }
}

/// Equal when they are the same bytes in memory, or the same part of the same file; content of files is not read.
impl PartialEq for ByteStream {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Memory(left), Self::Memory(right)) => left == right,
            (
                Self::File {
                    path: left,
                    offset: left_offset,
                    length: left_length,
                    ..
                },
                Self::File {
                    path: right,
                    offset: right_offset,
                    length: right_length,
                    ..
                },
            ) => left == right && left_offset == right_offset && left_length == right_length,
            _ => false,
        }
    }
}

impl Eq for ByteStream {}

/// Shows where the bytes are and how many, never the bytes.
impl fmt::Debug for ByteStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(bytes) => write!(formatter, "Memory({} bytes)", bytes.len()),
            Self::File { offset, length, .. } => write!(formatter, "File({length} bytes from {offset})"),
        }
    }
}

/// Iterator over the pieces of a [`ByteStream`], each at most 64 KiB when it comes from a file. Blocking.
#[derive(Debug)]
pub struct Chunks(Source);

#[derive(Debug)]
enum Source {
    Memory(Option<Bytes>),
    File {
        file: File,
        remaining: u64,
        _guard: Arc<SpoolFile>,
    },
}

impl Iterator for Chunks {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Source::Memory(bytes) => bytes.take().filter(|bytes| !bytes.is_empty()).map(Ok),
            Source::File { file, remaining, .. } => {
                if *remaining == 0 {
                    return None;
                }
                let size = usize::try_from(*remaining).unwrap_or(CHUNK).min(CHUNK);
                let mut buffer = vec![0; size];
                match file.read_exact(&mut buffer) {
                    Ok(()) => {
                        *remaining = remaining.saturating_sub(size as u64);
                        Some(Ok(buffer.into()))
                    }
                    Err(error) => {
                        *remaining = 0;
                        Some(Err(error))
                    }
                }
            }
        }
    }
}
