//! One relaxed journal in a folder of segment files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::segment::{self, Records, Stop};
use crate::embedded::file_error;
use crate::{JournalRecord, Position, StoreError};

/// A segment is closed once it is this long.
const SEGMENT_BYTES: u64 = 8 * 1024 * 1024;
/// Appended bytes kept in memory before they are given to the operating system.
const PENDING_BYTES: usize = 256 * 1024;
/// How far apart the places are that a segment's index remembers.
const INDEX_BYTES: u64 = 64 * 1024;
/// Positions skipped at every restart. More than can be appended before they are durable, so that a position that was
/// read by somebody and then lost in a crash is not given to another record.
const RESTART_GAP: Position = 1 << 32;

/// Some records of a segment and where they begin.
type Index = Vec<(Position, u64)>;

/// A segment that can be read up to `length`.
#[derive(Clone)]
struct Segment {
    first: Position,
    path: PathBuf,
    length: u64,
    /// Sorted, beginning with the first record; empty until it is needed for a segment of a former process.
    index: Arc<Mutex<Index>>,
}

/// The segment that is written.
struct Active {
    segment: Segment,
    file: Arc<File>,
}

/// A journal's segments, oldest first, and what is not yet in them.
pub(super) struct FileJournal {
    folder: PathBuf,
    sealed: Vec<Segment>,
    active: Option<Active>,
    pending: Vec<u8>,
    next: Position,
    folder_changed: bool,
    failed: Option<StoreError>,
}

/// What has to be synchronised, so that this can happen without holding up appends.
pub(super) struct Unsynchronised {
    file: Option<(Arc<File>, PathBuf)>,
    folder: Option<PathBuf>,
}

impl Unsynchronised {
    /// Waits for the disk.
    pub(super) fn synchronise(&self) -> Result<(), StoreError> {
        if let Some((file, path)) = &self.file {
            file.sync_data()
                .map_err(|error| file_error("synchronise", path, &error))?;
        }
        if let Some(folder) = &self.folder {
            crate::embedded::synchronise_folder(folder)?;
        }
        Ok(())
    }
}

impl FileJournal {
    /// Opens the journal in `folder`, which is made if it is not there, and cuts off what a crash left half-written.
    pub(super) fn open(folder: PathBuf) -> Result<Self, StoreError> {
        let exists = folder.is_dir();
        if !exists {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .map_err(|error| file_error("create", &folder, &error))?;
            if let Some(parent) = folder.parent() {
                crate::embedded::synchronise_folder(parent)?;
            }
        }
        let mut sealed = list_segments(&folder)?;
        let next = recover_last(&mut sealed)?;
        Ok(Self {
            folder,
            sealed,
            active: None,
            pending: Vec::new(),
            next,
            folder_changed: false,
            failed: None,
        })
    }

    /// Appends a record and gives its position.
    pub(super) fn append(&mut self, payload: &[u8], length: u32) -> Result<Position, StoreError> {
        self.usable()?;
        let position = self.next;
        let next = position.checked_add(1).ok_or_else(|| StoreError::Damaged {
            what: self.folder.display().to_string(),
            reason: "positions are used up".to_owned(),
        })?;
        if self.active.is_none() {
            let active = self.create_segment();
            self.active = Some(self.sticky(active)?);
        }
        if let Some(active) = &mut self.active {
            let start = active.segment.length;
            note(&active.segment.index, position, start);
            active.segment.length = start.saturating_add(segment::record_size(payload.len()));
        }
        segment::push_record(&mut self.pending, position, length, payload);
        self.next = next;
        if self.pending.len() >= PENDING_BYTES {
            self.write_pending()?;
        }
        Ok(position)
    }

    /// Gives everything appended to the operating system and says what to synchronise.
    pub(super) fn write(&mut self) -> Result<Unsynchronised, StoreError> {
        self.usable()?;
        self.write_pending()?;
        let file = self
            .active
            .as_ref()
            .map(|active| (active.file.clone(), active.segment.path.clone()));
        let folder = std::mem::take(&mut self.folder_changed).then(|| self.folder.clone());
        Ok(Unsynchronised { file, folder })
    }

    /// Closes the segment if it is long enough.
    pub(super) fn seal_if_full(&mut self) -> Result<(), StoreError> {
        if self
            .active
            .as_ref()
            .is_none_or(|active| active.segment.length < SEGMENT_BYTES)
        {
            return Ok(());
        }
        let synchronised = self.write()?.synchronise();
        self.sticky(synchronised)?;
        self.sealed
            .extend(self.active.take().map(|active| active.segment));
        Ok(())
    }

    /// Remembers that the disk failed: what it holds is no longer certain.
    pub(super) fn fail(&mut self, error: StoreError) {
        self.failed.get_or_insert(error);
    }

    /// What can be read now, oldest first.
    pub(super) fn readable(&mut self) -> Result<Segments, StoreError> {
        self.usable()?;
        self.write_pending()?;
        let active = self.active.as_ref().map(|active| active.segment.clone());
        Ok(Segments(self.sealed.iter().cloned().chain(active).collect()))
    }

    /// Deletes segments that hold only records below `position`. The newest one stays, because the next position is
    /// derived from it.
    pub(super) fn truncate_before(&mut self, position: Position) -> Result<(), StoreError> {
        self.usable()?;
        let following = self
            .sealed
            .iter()
            .skip(1)
            .chain(self.active.as_ref().map(|active| &active.segment));
        let obsolete = following.take_while(|segment| segment.first <= position).count();
        for segment in self.sealed.drain(..obsolete.min(self.sealed.len())) {
            fs::remove_file(&segment.path).map_err(|error| file_error("delete", &segment.path, &error))?;
        }
        crate::embedded::synchronise_folder(&self.folder)
    }

    fn usable(&self) -> Result<(), StoreError> {
        self.failed
            .as_ref()
            .map_or(Ok(()), |error| Err(StoreError::Stopped(error.to_string())))
    }

    fn sticky<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result {
            self.fail(error.clone());
        }
        result
    }

    fn write_pending(&mut self) -> Result<(), StoreError> {
        let Some(active) = &self.active else { return Ok(()) };
        let written = (&*active.file)
            .write_all(&self.pending)
            .map_err(|error| file_error("write", &active.segment.path, &error));
        self.sticky(written)?;
        self.pending.clear();
        self.pending.shrink_to(PENDING_BYTES);
        Ok(())
    }

    fn create_segment(&mut self) -> Result<Active, StoreError> {
        let path = self.folder.join(format!("{:020}.segment", self.next));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| file_error("create", &path, &error))?;
        (&file)
            .write_all(&segment::header(self.next))
            .map_err(|error| file_error("write", &path, &error))?;
        self.folder_changed = true;
        let segment = Segment {
            first: self.next,
            path,
            length: header_length(),
            index: Arc::default(),
        };
        Ok(Active {
            segment,
            file: Arc::new(file),
        })
    }
}

fn header_length() -> u64 {
    u64::try_from(segment::HEADER).unwrap_or(u64::MAX)
}

/// Notes a record in the index if it is far enough behind the one noted last.
fn note(index: &Mutex<Index>, position: Position, offset: u64) {
    let mut index = index.lock().unwrap_or_else(PoisonError::into_inner);
    if index
        .last()
        .is_none_or(|(_, last)| offset.saturating_sub(*last) >= INDEX_BYTES)
    {
        index.push((position, offset));
    }
}

/// The segments in `folder`, oldest first.
fn list_segments(folder: &Path) -> Result<Vec<Segment>, StoreError> {
    let unreadable = |error: &io::Error| file_error("read", folder, error);
    let mut segments = Vec::new();
    for item in fs::read_dir(folder).map_err(|error| unreadable(&error))? {
        let path = item.map_err(|error| unreadable(&error))?.path();
        if path.extension().is_none_or(|extension| extension != "segment") {
            continue;
        }
        let first = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .and_then(|stem| stem.parse().ok());
        let Some(first) = first else {
            let reason = "its name is not a position".to_owned();
            return Err(StoreError::Damaged {
                what: path.display().to_string(),
                reason,
            });
        };
        let length = path
            .metadata()
            .map_err(|error| file_error("read", &path, &error))?
            .len();
        segments.push(Segment {
            first,
            path,
            length,
            index: Arc::default(),
        });
    }
    segments.sort_by_key(|segment| segment.first);
    Ok(segments)
}

/// Cuts a torn tail off the newest segment and gives the position to go on with. Only the newest can have one: a
/// segment is synchronised before the next is made.
fn recover_last(segments: &mut [Segment]) -> Result<Position, StoreError> {
    let Some(last) = segments.last_mut() else {
        return Ok(0);
    };
    let unreadable = |path: &Path, error: &io::Error| file_error("read", path, error);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&last.path)
        .map_err(|error| file_error("open", &last.path, &error))?;
    let (valid, next) = match segment::read_header(&file) {
        Ok(first) if first == last.first => {
            let mut records = Records::new(&file, first, last.length.saturating_sub(header_length()));
            loop {
                let start = header_length().saturating_add(records.valid());
                match records.next() {
                    Ok(Some(record)) => note(&last.index, record.position, start),
                    Ok(None) | Err(Stop::Invalid(_)) => break,
                    Err(Stop::Io(error)) => return Err(unreadable(&last.path, &error)),
                }
            }
            (
                header_length().saturating_add(records.valid()),
                records.position(),
            )
        }
        Err(Stop::Io(error)) => return Err(unreadable(&last.path, &error)),
        // The crash came while it was created. Its name still says which positions may be in use.
        Ok(_) | Err(Stop::Invalid(_)) => {
            rewrite_header(&file, last.first).map_err(|error| file_error("write", &last.path, &error))?;
            (header_length(), last.first)
        }
    };
    if valid < last.length {
        tracing::warn!(
            segment = %last.path.display(),
            bytes = last.length.saturating_sub(valid),
            "cut off the half-written end of a journal segment"
        );
    }
    file.set_len(valid)
        .and_then(|()| file.sync_all())
        .map_err(|error| file_error("truncate", &last.path, &error))?;
    last.length = valid;
    Ok(next.saturating_add(RESTART_GAP))
}

fn rewrite_header(mut file: &File, first: Position) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&segment::header(first))
}

/// Segments as they were at one moment; reading them holds up no append.
pub(super) struct Segments(Vec<Segment>);

impl Segments {
    /// See [`Reader::read_from`](crate::Reader::read_from).
    pub(super) fn read_from(
        &self,
        position: Position,
        limit: usize,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        let begin = self
            .0
            .partition_point(|segment| segment.first <= position)
            .saturating_sub(1);
        let mut found = Vec::new();
        for segment in self.0.iter().skip(begin) {
            let index = segment.index()?;
            let place = index
                .partition_point(|(first, _)| *first <= position)
                .saturating_sub(1);
            let Some((first, offset)) = index.get(place).copied() else {
                continue;
            };
            let mut records = segment.records(first, offset, segment.length)?;
            while found.len() < limit {
                match segment.next(&mut records)? {
                    Some(record) if record.position >= position => found.push(record),
                    Some(_) => {}
                    None => break,
                }
            }
            if found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }

    /// See [`Reader::read_reverse`](crate::Reader::read_reverse).
    pub(super) fn read_reverse(
        &self,
        before: Position,
        limit: usize,
    ) -> Result<Vec<JournalRecord>, StoreError> {
        let mut found = Vec::new();
        for segment in self.0.iter().rev().skip_while(|segment| segment.first >= before) {
            let index = segment.index()?;
            let mut end = segment.length;
            for (first, offset) in index.into_iter().rev() {
                if first < before {
                    let mut block = Vec::new();
                    let mut records = segment.records(first, offset, end)?;
                    while let Some(record) = segment.next(&mut records)? {
                        if record.position >= before {
                            break;
                        }
                        block.push(record);
                    }
                    found.extend(block.into_iter().rev().take(limit.saturating_sub(found.len())));
                    if found.len() >= limit {
                        return Ok(found);
                    }
                }
                end = offset;
            }
        }
        Ok(found)
    }
}

impl Segment {
    /// The index, made now if this is a segment of a former process that was not read yet.
    fn index(&self) -> Result<Index, StoreError> {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // The active segment's index may be ahead of what this reader may see.
        index.retain(|(_, offset)| *offset < self.length);
        if index.is_empty() && self.length > header_length() {
            let file = self.open()?;
            let first = segment::read_header(&file).map_err(|stop| self.stopped(stop))?;
            if first != self.first {
                return Err(self.stopped(Stop::Invalid("its name is not its first position")));
            }
            let mut records = self.records(first, header_length(), self.length)?;
            let fresh = Mutex::default();
            loop {
                let start = header_length().saturating_add(records.valid());
                let Some(record) = self.next(&mut records)? else {
                    break;
                };
                note(&fresh, record.position, start);
            }
            index = fresh.into_inner().unwrap_or_else(PoisonError::into_inner);
            self.index
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone_from(&index);
        }
        Ok(index)
    }

    fn open(&self) -> Result<File, StoreError> {
        File::open(&self.path).map_err(|error| file_error("open", &self.path, &error))
    }

    /// Reads from the record `first` at `offset` to `end`.
    fn records(&self, first: Position, offset: u64, end: u64) -> Result<Records<File>, StoreError> {
        let mut file = self.open()?;
        file.seek(SeekFrom::Start(offset))
            .map_err(|error| file_error("read", &self.path, &error))?;
        Ok(Records::new(file, first, end.saturating_sub(offset)))
    }

    fn next(&self, records: &mut Records<File>) -> Result<Option<JournalRecord>, StoreError> {
        records.next().map_err(|stop| self.stopped(stop))
    }

    fn stopped(&self, stop: Stop) -> StoreError {
        match stop {
            Stop::Invalid(reason) => StoreError::Damaged {
                what: self.path.display().to_string(),
                reason: reason.to_owned(),
            },
            Stop::Io(error) => file_error("read", &self.path, &error),
        }
    }
}
