//! Reads the two file formats of `data/`, which `tools/catalog/pack.py` writes and describes.
//!
//! The files are part of the binary, so a broken one is a broken build and not an input: it stops the program. The
//! crate's tests read every part of every file.

use std::sync::OnceLock;

use flate2::{Decompress, FlushDecompress, Status};

/// Why a file of `data/` cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum PackError {
    /// The file ends before what it announces.
    #[error("the file ends too early; generate it again with tools/catalog/generate.py")]
    Truncated,
    /// A stream is not zlib, or not as long as announced.
    #[error("a zlib stream is damaged; generate the file again with tools/catalog/generate.py")]
    Damaged,
    /// A content is not UTF-8, or a line of an index is not of its form.
    #[error("a content is not what its format says; generate the file again with tools/catalog/generate.py")]
    Malformed,
}

/// Takes a value out of a read of embedded data.
#[expect(
    clippy::panic,
    reason = "the data is compiled in and every part of it is read by the tests"
)]
pub(crate) fn embedded<T, E: std::fmt::Display>(file: &str, read: Result<T, E>) -> T {
    match read {
        Ok(value) => value,
        Err(error) => panic!("the catalogue's {file} does not read: {error}"),
    }
}

/// The content of a `*.z` file.
pub(crate) fn unpack_z(data: &[u8]) -> Result<String, PackError> {
    let (length, stream) = split_length(data)?;
    inflate(stream, length)
}

/// A `*.pack` file: named contents, unpacked one at a time.
pub(crate) struct Pack {
    data: &'static [u8],
    /// In the order of the names' bytes.
    entries: Box<[Entry]>,
    /// All names, back to back: one allocation instead of one a name.
    names: Box<str>,
}

struct Entry {
    name: (u32, u32),
    offset: u32,
    length: u32,
    unpacked: u32,
}

impl Pack {
    /// Reads the index of a file.
    pub(crate) fn open(data: &'static [u8]) -> Result<Self, PackError> {
        let (packed, rest) = split_length(data)?;
        let (unpacked, rest) = split_length(rest)?;
        let (index, streams) = rest.split_at_checked(packed).ok_or(PackError::Truncated)?;
        let index = inflate(index, unpacked)?;
        let mut names = String::with_capacity(index.len());
        let mut entries = Vec::with_capacity(index.lines().count());
        let mut offset = 0_u32;
        for line in index.lines() {
            let mut fields = line.split('\t');
            let (Some(name), Some(length), Some(unpacked), None) =
                (fields.next(), fields.next(), fields.next(), fields.next())
            else {
                return Err(PackError::Malformed);
            };
            let number = |text: &str| text.parse::<u32>().map_err(|_| PackError::Malformed);
            let position = |index: usize| u32::try_from(index).map_err(|_| PackError::Malformed);
            let start = position(names.len())?;
            names.push_str(name);
            let length = number(length)?;
            entries.push(Entry {
                name: (start, position(names.len())?),
                offset,
                length,
                unpacked: number(unpacked)?,
            });
            offset = offset.checked_add(length).ok_or(PackError::Malformed)?;
        }
        Ok(Self {
            data: streams,
            entries: entries.into_boxed_slice(),
            names: names.into_boxed_str(),
        })
    }

    /// How many contents there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The name of the content at a position.
    pub(crate) fn name(&self, position: usize) -> Option<&str> {
        let (start, end) = self.entries.get(position)?.name;
        self.names.get(start as usize..end as usize)
    }

    /// All names, in the order of their bytes.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|position| self.name(position))
    }

    /// The position of a name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.entries
            .binary_search_by(|entry| {
                self.names
                    .get(entry.name.0 as usize..entry.name.1 as usize)
                    .unwrap_or_default()
                    .cmp(name)
            })
            .ok()
    }

    /// The content at a position.
    pub(crate) fn content(&self, position: usize) -> Result<String, PackError> {
        let entry = self.entries.get(position).ok_or(PackError::Truncated)?;
        let start = entry.offset as usize;
        let end = start
            .checked_add(entry.length as usize)
            .ok_or(PackError::Truncated)?;
        let stream = self.data.get(start..end).ok_or(PackError::Truncated)?;
        inflate(stream, entry.unpacked as usize)
    }
}

/// A pack that is opened at first use.
pub(crate) struct LazyPack {
    file: &'static str,
    data: &'static [u8],
    pack: OnceLock<Pack>,
}

impl LazyPack {
    pub(crate) const fn new(file: &'static str, data: &'static [u8]) -> Self {
        Self {
            file,
            data,
            pack: OnceLock::new(),
        }
    }

    pub(crate) fn get(&self) -> &Pack {
        self.pack
            .get_or_init(|| embedded(self.file, Pack::open(self.data)))
    }
}

/// The length at the start of some data, and the rest.
fn split_length(data: &[u8]) -> Result<(usize, &[u8]), PackError> {
    let (length, rest) = data.split_first_chunk::<4>().ok_or(PackError::Truncated)?;
    Ok((u32::from_le_bytes(*length) as usize, rest))
}

/// Unpacks one zlib stream whose content has a known length.
fn inflate(stream: &[u8], length: usize) -> Result<String, PackError> {
    // One byte more than announced, so that a longer content shows.
    let mut content = Vec::with_capacity(length.checked_add(1).ok_or(PackError::Malformed)?);
    let status = Decompress::new(true)
        .decompress_vec(stream, &mut content, FlushDecompress::Finish)
        .map_err(|_| PackError::Damaged)?;
    if status != Status::StreamEnd || content.len() != length {
        return Err(PackError::Damaged);
    }
    content.shrink_to_fit();
    String::from_utf8(content).map_err(|_| PackError::Malformed)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::io::Write as _;

    use super::*;

    fn stream(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn length(value: usize) -> [u8; 4] {
        u32::try_from(value).unwrap().to_le_bytes()
    }

    fn z(content: &[u8], announced: usize) -> Vec<u8> {
        [&length(announced)[..], &stream(content)].concat()
    }

    #[test]
    fn a_content_comes_back() {
        assert_eq!(unpack_z(&z(b"s3:GetObject\n", 13)).unwrap(), "s3:GetObject\n");
        assert_eq!(unpack_z(&z(b"", 0)).unwrap(), "");
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        assert_eq!(unpack_z(&[]), Err(PackError::Truncated));
        assert_eq!(unpack_z(&z(b"s3", 1)), Err(PackError::Damaged));
        assert_eq!(unpack_z(&z(b"s3", 3)), Err(PackError::Damaged));
        assert_eq!(unpack_z(&z(&[0xff], 1)), Err(PackError::Malformed));
        let whole = z(b"s3:GetObject", 12);
        assert_eq!(unpack_z(&whole[..whole.len() - 6]), Err(PackError::Damaged));
    }

    #[test]
    fn a_pack_gives_each_content_by_name() {
        let (first, second) = (stream(b"one"), stream(b"three"));
        let index = format!("a\t{}\t3\nb\t{}\t5\n", first.len(), second.len());
        let packed = stream(index.as_bytes());
        let file = [
            &length(packed.len())[..],
            &length(index.len()),
            &packed,
            &first,
            &second,
        ]
        .concat();
        let pack = Pack::open(Vec::leak(file)).unwrap();
        assert_eq!(pack.names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(pack.content(pack.position("b").unwrap()).unwrap(), "three");
        assert_eq!(pack.position("c"), None);
        assert_eq!(pack.content(2), Err(PackError::Truncated));
    }
}
