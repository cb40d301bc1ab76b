//! Deployment packages are untrusted: they are unpacked under limits that are counted while inflating, into a new folder
//! that nothing in the package can leave.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>: 250 MB unzipped.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use zip::ZipReadOptions;
use zip::read::Config;
// The only reader that holds one entry at a time, so that millions of them cost no memory, and that shows duplicates.
use zip::unstable::read::ZipIterable;

/// Largest sum of unpacked files, in bytes.
pub(crate) const MAXIMUM_UNZIPPED: u64 = 262_144_000;
/// Most entries of a package.
const MAXIMUM_ENTRIES: usize = 100_000;
/// Longest path of an entry, in bytes.
const MAXIMUM_PATH: usize = 1024;
/// Most folders above an entry.
const MAXIMUM_DEPTH: usize = 64;

const FILE_TYPE: u32 = 0o170_000;
const FOLDER: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const EXECUTABLE: u32 = 0o111;
const SET_ID: u32 = 0o6_000;

/// Why a package was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnzipError {
    /// It is no zip file, or a damaged one.
    #[error("the file is not a zip archive or is damaged: {0}")]
    Broken(String),
    /// An entry could do harm.
    #[error("the entry {name:?} {problem}")]
    Entry { name: String, problem: &'static str },
    /// More than fits.
    #[error("the package has more than {MAXIMUM_ENTRIES} entries")]
    TooManyEntries,
    /// More than 250 MB.
    #[error("the unpacked files are larger than {MAXIMUM_UNZIPPED} bytes")]
    TooLarge,
    /// The disk failed.
    #[error(transparent)]
    Disk(#[from] io::Error),
}

/// Number of files that were written.
pub(crate) fn unzip(archive: &Path, target: &Path) -> Result<usize, UnzipError> {
    let open = || File::open(archive).map(io::BufReader::new);
    let mut entries = ZipIterable::try_new(open()?, Config::default())
        .map_err(|error| broken(&error))?
        // What one program reads from the directory and another from the entries must not differ.
        .enforce_header_consistency(true);
    if entries.len() > MAXIMUM_ENTRIES {
        return Err(UnzipError::TooManyEntries);
    }
    let mut entries = entries
        .files_with_reader(open()?, ZipReadOptions::default())
        .map_err(|error| broken(&error))?;
    let mut left = MAXIMUM_UNZIPPED;
    let mut files: usize = 0;
    while let Some(entry) = entries.next() {
        let mut entry = entry.map_err(|error| broken(&error))?;
        let name = String::from_utf8(entry.name_raw().to_vec()).map_err(|error| UnzipError::Entry {
            name: error.to_string(),
            problem: "has a name that is not UTF-8",
        })?;
        let refuse = |problem| UnzipError::Entry {
            name: name.clone(),
            problem,
        };
        let relative = safe_path(&name).map_err(refuse)?;
        let mode = entry.unix_mode().unwrap_or(0);
        if mode & SET_ID != 0 {
            return Err(refuse("is set-user-ID or set-group-ID"));
        }
        let is_folder = name.ends_with('/');
        match mode & FILE_TYPE {
            0 => {}
            FOLDER if is_folder => {}
            REGULAR if !is_folder => {}
            _ => return Err(refuse("is neither a file nor a folder")),
        }
        let path = target.join(&relative);
        if is_folder {
            folder(target, &relative)?;
            continue;
        }
        if let Some(parent) = relative.parent() {
            folder(target, parent)?;
        }
        let executable = mode & EXECUTABLE != 0;
        let mut output = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory => {
                    refuse("appears more than once")
                }
                _ => UnzipError::Disk(error),
            })?;
        // The headers' sizes are claims; what counts is what comes out.
        left = inflate(&mut entry, &mut output, left)?;
        let mode = if executable { 0o755 } else { 0o644 };
        output.set_permissions(Permissions::from_mode(mode))?;
        files = files.saturating_add(1);
    }
    Ok(files)
}

/// Copies until the end or until more than `left` bytes came; answers what is left then.
fn inflate(input: &mut impl Read, output: &mut File, mut left: u64) -> Result<u64, UnzipError> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // What is broken here is the package: reading the archive file itself is a part of it.
        let count = input
            .read(&mut buffer)
            .map_err(|error| UnzipError::Broken(error.to_string()))?;
        let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else {
            return Ok(left);
        };
        left = left.checked_sub(count as u64).ok_or(UnzipError::TooLarge)?;
        output.write_all(piece)?;
    }
}

/// Makes `relative` below `target`, each folder readable for everybody.
fn folder(target: &Path, relative: &Path) -> Result<(), UnzipError> {
    let mut path = target.to_owned();
    for component in relative.components() {
        path.push(component);
        match fs::create_dir(&path) {
            Ok(()) => fs::set_permissions(&path, Permissions::from_mode(0o755))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(UnzipError::Entry {
                    name: relative.display().to_string(),
                    problem: "is both a file and a folder",
                });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The entry's path, if it stays below the folder it is unpacked to.
fn safe_path(name: &str) -> Result<PathBuf, &'static str> {
    if name.len() > MAXIMUM_PATH {
        return Err("has a path that is too long");
    }
    if name.contains('\0') {
        return Err("has a zero byte in its path");
    }
    let path = Path::new(name);
    let mut depth: usize = 0;
    for component in path.components() {
        match component {
            Component::Normal(_) => depth = depth.saturating_add(1),
            // `./` at the start is what `zip -r x.zip ./` may leave.
            Component::CurDir => {}
            _ => return Err("leaves the folder of the package"),
        }
    }
    if depth > MAXIMUM_DEPTH {
        return Err("lies in too many folders");
    }
    let normal: PathBuf = path
        .components()
        .filter(|component| matches!(component, Component::Normal(_)))
        .collect();
    if normal.as_os_str().is_empty() && !name.ends_with('/') {
        return Err("has no name");
    }
    Ok(normal)
}

fn broken(error: &zip::result::ZipError) -> UnzipError {
    UnzipError::Broken(error.to_string())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use zip::write::SimpleFileOptions;

    type Writer = zip::ZipWriter<io::Cursor<Vec<u8>>>;

    fn unpack(build: impl FnOnce(&mut Writer)) -> (Result<usize, UnzipError>, tempfile::TempDir) {
        let mut writer = Writer::new(io::Cursor::new(Vec::new()));
        build(&mut writer);
        unpack_bytes(&writer.finish().unwrap().into_inner())
    }

    fn unpack_bytes(bytes: &[u8]) -> (Result<usize, UnzipError>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("package.zip");
        fs::write(&archive, bytes).unwrap();
        let target = folder.path().join("code");
        fs::create_dir(&target).unwrap();
        (unzip(&archive, &target), folder)
    }

    fn add(writer: &mut Writer, name: &str, mode: u32, content: &[u8]) {
        writer
            .start_file(name, SimpleFileOptions::default().unix_permissions(mode))
            .unwrap();
        writer.write_all(content).unwrap();
    }

    #[test]
    fn files_and_permissions_are_as_in_the_package() {
        let (result, folder) = unpack(|writer| {
            add(writer, "app.py", 0o600, b"x = 1");
            writer
                .add_directory("lib/", SimpleFileOptions::default())
                .unwrap();
            add(writer, "lib/deep/tool", 0o755, b"#!");
        });
        assert_eq!(result.unwrap(), 2);
        let mode = |name: &str| {
            let path = folder.path().join("code").join(name);
            fs::metadata(path).unwrap().permissions().mode() & 0o7777
        };
        assert_eq!(mode("app.py"), 0o644);
        assert_eq!(mode("lib/deep/tool"), 0o755);
        assert_eq!(mode("lib/deep"), 0o755);
        assert_eq!(fs::read(folder.path().join("code/app.py")).unwrap(), b"x = 1");
    }

    #[test]
    fn nothing_leaves_the_folder() {
        let deep = "d/".repeat(65) + "x";
        for name in ["../evil", "a/../../evil", "/etc/evil", &deep, &"x".repeat(1025)] {
            let (result, folder) = unpack(|writer| add(writer, name, 0o644, b"evil"));
            assert!(
                matches!(result, Err(UnzipError::Entry { .. })),
                "{name}: {result:?}"
            );
            assert!(!folder.path().join("evil").exists());
        }
    }

    #[test]
    fn links_are_refused() {
        let (result, _folder) = unpack(|writer| {
            writer
                .add_symlink("link", "/etc/passwd", SimpleFileOptions::default())
                .unwrap();
        });
        assert!(matches!(result, Err(UnzipError::Entry { .. })), "{result:?}");
    }

    #[test]
    fn the_same_path_twice_is_refused() {
        let (result, _folder) = unpack(|writer| {
            add(writer, "app.py", 0o644, b"1");
            add(writer, "./app.py", 0o644, b"2");
        });
        assert!(matches!(result, Err(UnzipError::Entry { .. })), "{result:?}");
    }

    #[test]
    fn the_same_name_twice_is_refused() {
        let mut writer = Writer::new(io::Cursor::new(Vec::new()));
        add(&mut writer, "one.py", 0o644, b"1");
        add(&mut writer, "two.py", 0o644, b"2");
        let mut bytes = writer.finish().unwrap().into_inner();
        // A writer does not make such a package, so the second name is changed afterwards, in both places.
        for index in 0..bytes.len().saturating_sub(6) {
            if bytes[index..].starts_with(b"two.py") {
                bytes[index..index + 6].copy_from_slice(b"one.py");
            }
        }
        let (result, _folder) = unpack_bytes(&bytes);
        assert!(matches!(result, Err(UnzipError::Entry { .. })), "{result:?}");
    }

    #[test]
    fn names_that_differ_between_directory_and_entry_are_refused() {
        let mut writer = Writer::new(io::Cursor::new(Vec::new()));
        add(&mut writer, "one.py", 0o644, b"1");
        let mut bytes = writer.finish().unwrap().into_inner();
        let first = bytes.windows(6).position(|name| name == b"one.py").unwrap();
        bytes[first..first + 6].copy_from_slice(b"two.py");
        let (result, _folder) = unpack_bytes(&bytes);
        assert!(matches!(result, Err(UnzipError::Broken(_))), "{result:?}");
    }

    #[test]
    fn too_many_entries_are_refused_before_any_is_read() {
        let (result, folder) = unpack(|writer| {
            for number in 0..=MAXIMUM_ENTRIES {
                writer
                    .start_file(number.to_string(), SimpleFileOptions::default())
                    .unwrap();
            }
        });
        assert!(matches!(result, Err(UnzipError::TooManyEntries)), "{result:?}");
        assert_eq!(fs::read_dir(folder.path().join("code")).unwrap().count(), 0);
    }

    #[test]
    fn a_bomb_is_stopped_while_it_inflates() {
        let megabyte = vec![0; 1024 * 1024];
        let (result, _folder) = unpack(|writer| {
            writer.start_file("bomb", SimpleFileOptions::default()).unwrap();
            for _ in 0..251 {
                writer.write_all(&megabyte).unwrap();
            }
        });
        assert!(matches!(result, Err(UnzipError::TooLarge)), "{result:?}");
    }

    #[test]
    fn what_is_no_zip_is_broken() {
        for bytes in [&b""[..], b"PK", b"hello world, this is no archive at all"] {
            let (result, _folder) = unpack_bytes(bytes);
            assert!(matches!(result, Err(UnzipError::Broken(_))), "{result:?}");
        }
    }
}
