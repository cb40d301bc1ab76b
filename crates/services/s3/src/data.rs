//! Bodies of objects and parts: small ones in the store, large ones as files.
//!
//! A file is durable before the record that names it is committed, and removed after the commit that lets go of it. What
//! a crash leaves between the two is an orphan, swept when the folder is opened next. Files never change, so a copy is
//! another hard link, and a reader gets a link of its own that stays until it has finished, whatever happens to the object.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use rolecall_service::ServiceError;
use rolecall_store::{Reader, ScanRange, Store, StoreError, codec};
use rolecall_wire::{ByteStream, SpoolFile};

use crate::checksum::{Algorithm, Digester, Digests, digest};
use crate::error::{from_io, from_store};
use crate::state::{BODIES, Data, OBJECTS, ObjectRecord, PARTS, PartRecord};

/// Bodies up to this size are kept in the store.
const LARGEST_STORED: u64 = 16 * 1024;
const PIECE: usize = 1024 * 1024;

/// The folder of data files.
pub(crate) struct DataFolder {
    folder: PathBuf,
    /// Begins the ids of this run, so that the sweep knows which files are from before.
    run: String,
    next: AtomicU64,
}

/// Where a body is; and, if it is kept in the store, its id and bytes, to be put with the record that names it.
pub(crate) type Kept = (Data, Option<(String, Bytes)>);

/// A body that is durable but for the transaction that will name it.
pub(crate) struct Written {
    pub(crate) data: Data,
    pub(crate) digests: Digests,
    pub(crate) size: u64,
    stored: Option<(String, Bytes)>,
}

impl Written {
    /// Where the body is, and the bytes to put under its id in the same transaction, if it is kept in the store.
    pub(crate) fn into_parts(self) -> Kept {
        (self.data, self.stored)
    }
}

impl DataFolder {
    /// Opens the folder, which is made if it is not there, and forgets what readers of an earlier run had open.
    pub(crate) fn open(folder: PathBuf) -> io::Result<Arc<Self>> {
        let reading = folder.join("reading");
        match fs::remove_dir_all(&reading) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        make_private(&folder)?;
        make_private(&reading)?;
        Ok(Arc::new(Self {
            folder,
            run: random_hex().map_err(io::Error::other)?,
            next: AtomicU64::new(0),
        }))
    }

    fn new_id(&self) -> String {
        format!("{}{:016x}", self.run, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// The last digits change most, so they spread the files over 256 folders.
    fn path(&self, id: &str) -> PathBuf {
        let tail = id.get(id.len().saturating_sub(2)..).unwrap_or(id);
        self.folder.join(tail).join(id)
    }

    fn path_for_new(&self, id: &str) -> io::Result<PathBuf> {
        let path = self.path(id);
        if let Some(parent) = path.parent()
            && !parent.exists()
        {
            make_private(parent)?;
            sync_folder(&self.folder)?;
        }
        Ok(path)
    }

    /// Makes a body durable and computes its digests. Blocking only in a thread of its own.
    ///
    /// # Errors
    /// The disk fails.
    pub(crate) async fn write(
        self: &Arc<Self>,
        body: ByteStream,
        algorithms: Vec<Algorithm>,
    ) -> Result<Written, ServiceError> {
        match body {
            ByteStream::Memory(bytes) if bytes.len() as u64 <= LARGEST_STORED => {
                Ok(self.in_store(bytes, algorithms))
            }
            body => {
                let folder = Arc::clone(self);
                blocking(move || folder.write_blocking(&body, algorithms)).await
            }
        }
    }

    fn in_store(&self, bytes: Bytes, algorithms: Vec<Algorithm>) -> Written {
        let digests = digest(&bytes, algorithms);
        let size = bytes.len() as u64;
        let (data, stored) = if bytes.is_empty() {
            (Data::Empty, None)
        } else {
            let id = self.new_id();
            (Data::Stored(id.clone()), Some((id, bytes)))
        };
        Written {
            data,
            digests,
            size,
            stored,
        }
    }

    fn write_blocking(&self, body: &ByteStream, algorithms: Vec<Algorithm>) -> io::Result<Written> {
        if body.len() <= LARGEST_STORED {
            let limit = usize::try_from(LARGEST_STORED).unwrap_or(usize::MAX);
            return Ok(self.in_store(body.read_all(limit)?, algorithms));
        }
        let mut digester = Digester::new(algorithms);
        let id = self.new_id();
        let path = self.path_for_new(&id)?;
        if let ByteStream::File {
            path: spooled,
            offset: 0,
            length,
            guard,
        } = body
            && fs::metadata(spooled)?.len() == *length
            && take_over(spooled, guard, &path)?
        {
            let kept = ByteStream::from_file(SpoolFile::kept(&path), 0, *length);
            for piece in kept.chunks()? {
                digester.update(&piece?);
            }
        } else {
            let mut file = File::create_new(&path)?;
            for piece in body.chunks()? {
                let piece = piece?;
                digester.update(&piece);
                file.write_all(&piece)?;
            }
            file.sync_all()?;
        }
        sync_parent(&path)?;
        Ok(Written {
            data: Data::File(id),
            digests: digester.finish(),
            size: body.len(),
            stored: None,
        })
    }

    /// Joins bodies, each given as a stream, to one. Content is not read when the file system can share or copy it itself.
    ///
    /// # Errors
    /// The disk fails.
    pub(crate) async fn join(self: &Arc<Self>, bodies: Vec<ByteStream>) -> Result<Kept, ServiceError> {
        let folder = Arc::clone(self);
        blocking(move || folder.join_blocking(&bodies)).await
    }

    fn join_blocking(&self, bodies: &[ByteStream]) -> io::Result<Kept> {
        let size = bodies
            .iter()
            .map(ByteStream::len)
            .fold(0_u64, u64::saturating_add);
        if size == 0 {
            return Ok((Data::Empty, None));
        }
        let id = self.new_id();
        if size <= LARGEST_STORED {
            let mut all = Vec::new();
            for body in bodies {
                all.extend_from_slice(&body.read_all(PIECE)?);
            }
            return Ok((Data::Stored(id.clone()), Some((id, all.into()))));
        }
        let path = self.path_for_new(&id)?;
        let mut file = File::create_new(&path)?;
        for body in bodies {
            match body {
                ByteStream::Memory(bytes) => file.write_all(bytes)?,
                // Readers' links are whole files.
                ByteStream::File { path, length, .. } => {
                    let copied = io::copy(&mut File::open(path)?, &mut file)?;
                    if copied != *length {
                        return Err(io::Error::new(
                            io::ErrorKind::UnexpectedEof,
                            "a part's file does not have the length it was written with",
                        ));
                    }
                }
            }
        }
        file.sync_all()?;
        sync_parent(&path)?;
        Ok((Data::File(id), None))
    }

    /// The bytes of `data`, of which there are `size`. `None` when they are gone: the record that named them has
    /// been replaced since it was read.
    ///
    /// # Errors
    /// The store or the disk fails.
    pub(crate) fn read(
        &self,
        reader: &dyn Reader,
        data: &Data,
        size: u64,
    ) -> Result<Option<ByteStream>, ServiceError> {
        match data {
            Data::Empty => Ok(Some(ByteStream::empty())),
            Data::Stored(id) => Ok(reader
                .get(BODIES, id.as_bytes())
                .map_err(from_store)?
                .map(|entry| ByteStream::Memory(entry.value))),
            Data::File(id) => {
                let link = self.folder.join("reading").join(self.new_id());
                match fs::hard_link(self.path(id), &link) {
                    Ok(()) => Ok(Some(ByteStream::from_file(SpoolFile::temporary(link), 0, size))),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(from_io(error)),
                }
            }
        }
    }

    /// Another body with the same bytes as `data`, for a copy of an object. `None` as for [`read`](Self::read).
    ///
    /// # Errors
    /// The store or the disk fails.
    pub(crate) fn duplicate(&self, reader: &dyn Reader, data: &Data) -> Result<Option<Kept>, ServiceError> {
        match data {
            Data::Empty => Ok(Some((Data::Empty, None))),
            Data::Stored(id) => Ok(reader
                .get(BODIES, id.as_bytes())
                .map_err(from_store)?
                .map(|entry| {
                    let id = self.new_id();
                    (Data::Stored(id.clone()), Some((id, entry.value)))
                })),
            Data::File(from) => {
                let id = self.new_id();
                let path = self.path_for_new(&id).map_err(from_io)?;
                match fs::hard_link(self.path(from), &path) {
                    Ok(()) => {
                        sync_parent(&path).map_err(from_io)?;
                        Ok(Some((Data::File(id), None)))
                    }
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(from_io(error)),
                }
            }
        }
    }

    /// Removes what is in a file, after the commit that let go of it.
    pub(crate) fn remove(&self, data: &Data) {
        if let Data::File(id) = data
            && let Err(error) = fs::remove_file(self.path(id))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a data file could not be removed; the next start sweeps it");
        }
    }

    /// Removes files of earlier runs that no record names. Records made by this run name files of this run only, so it
    /// can go on while requests are served.
    ///
    /// # Errors
    /// The store or the disk fails, or a record cannot be read: then nothing is removed.
    pub(crate) fn sweep(&self, store: &dyn Store) -> Result<usize, SweepError> {
        let mut found = Vec::new();
        for folder in fs::read_dir(&self.folder)? {
            let folder = folder?;
            if !folder.file_type()?.is_dir() || folder.file_name().len() != 2 {
                continue;
            }
            for file in fs::read_dir(folder.path())? {
                let name = file?.file_name().to_string_lossy().into_owned();
                if !name.starts_with(&self.run) {
                    found.push(name);
                }
            }
        }
        if found.is_empty() {
            return Ok(0);
        }
        let named = named_files(store)?;
        let mut removed = 0;
        for id in found.iter().filter(|id| !named.contains(*id)) {
            match fs::remove_file(self.path(id)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => removed += 1,
            }
        }
        Ok(removed)
    }
}

/// Why the sweep stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SweepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot look through the data folder: {0}; check its permissions")]
    Disk(#[from] io::Error),
}

fn named_files(store: &dyn Store) -> Result<HashSet<String>, StoreError> {
    let mut named = HashSet::new();
    let mut failed = None;
    let mut collect = |data: Result<Data, StoreError>| match data {
        Ok(Data::File(id)) => {
            named.insert(id);
            ControlFlow::Continue(())
        }
        Ok(_) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    };
    let snapshot = store.snapshot();
    snapshot.for_each(OBJECTS, &ScanRange::all(), &mut |entry| {
        collect(codec::decode::<ObjectRecord>(entry.value).map(|object| object.data))
    })?;
    snapshot.for_each(PARTS, &ScanRange::all(), &mut |entry| {
        collect(codec::decode::<PartRecord>(entry.value).map(|part| part.data))
    })?;
    match failed {
        Some(error) => Err(error),
        None => Ok(named),
    }
}

/// Moves a spooled file into place, if nobody else uses it and it is on the same file system.
fn take_over(spooled: &Path, guard: &SpoolFile, to: &Path) -> io::Result<bool> {
    File::open(spooled)?.sync_all()?;
    match guard.persist(to) {
        Ok(()) => Ok(true),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::AlreadyExists | io::ErrorKind::CrossesDevices
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Makes a folder that only this user may enter.
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), sync_folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// 16 random hexadecimal digits.
pub(crate) fn random_hex() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// Runs what waits for the disk where it holds up nobody.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ServiceError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(ServiceError::internal)?
        .map_err(from_io)
}
