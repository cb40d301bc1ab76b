//! Deployment packages on disk: `code/SHA256.zip` and, unpacked, `code/SHA256/`, shared by content.
//!
//! A package is complete and durable before its name appears, and never changes afterwards. Packages that no function
//! refers to any more are removed at the next start, when no environment can be using them.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rolecall_service::ServiceError;
use rolecall_wire::ByteStream;
use sha2::{Digest, Sha256};

use crate::error::invalid;
use crate::unzip::{MAXIMUM_UNZIPPED, UnzipError, unzip};

/// Up to this many files, each is synchronised alone; beyond it, the file system as a whole is quicker.
const FEW_FILES: usize = 64;
/// Begins names of what is not complete.
const UNFINISHED: &str = ".unfinished-";

/// The folder of deployment packages.
#[derive(Debug)]
pub(crate) struct CodeStore {
    folder: PathBuf,
    next: AtomicU64,
}

/// A deployment package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    /// SHA-256 of the zip, hexadecimal.
    pub(crate) sha256: String,
    /// Size of the zip in bytes.
    pub(crate) size: u64,
}

impl CodeStore {
    /// Opens the folder below `data` and removes from it what is not in `used` (SHA-256 in hexadecimal).
    pub(crate) fn open(data: &Path, used: &HashSet<String>) -> io::Result<Arc<Self>> {
        let folder = data.join("code");
        fs::create_dir_all(&folder)?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if used.contains(name.strip_suffix(".zip").unwrap_or(&name)) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Arc::new(Self {
            folder,
            next: AtomicU64::new(0),
        }))
    }

    /// The unpacked code of a package.
    pub(crate) fn unpacked(&self, sha256: &str) -> PathBuf {
        self.folder.join(sha256)
    }

    /// Checks, unpacks and keeps a zip. When it returns, the package is durable.
    ///
    /// # Errors
    /// What AWS answers to a package it refuses.
    pub(crate) async fn add(self: &Arc<Self>, zip: ByteStream) -> Result<Package, ServiceError> {
        let store = Arc::clone(self);
        tokio::task::spawn_blocking(move || store.add_blocking(&zip))
            .await
            .map_err(ServiceError::internal)?
    }

    fn add_blocking(&self, zip: &ByteStream) -> Result<Package, ServiceError> {
        if zip.len() > MAXIMUM_UNZIPPED {
            return Err(too_large());
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let work = Unfinished(self.folder.join(format!("{UNFINISHED}{number}")));
        fs::create_dir(&work.0).map_err(ServiceError::internal)?;
        let incoming = work.0.join("package.zip");
        let sha256 = write_hashed(zip, &incoming).map_err(ServiceError::internal)?;
        let package = Package {
            sha256,
            size: zip.len(),
        };
        if self.unpacked(&package.sha256).is_dir() {
            return Ok(package);
        }
        let code = work.0.join("code");
        fs::create_dir(&code).map_err(ServiceError::internal)?;
        let files = unzip(&incoming, &code).map_err(refusal)?;
        self.install(&package.sha256, &incoming, &code, files)
            .map_err(ServiceError::internal)?;
        Ok(package)
    }

    fn install(&self, sha256: &str, zip: &Path, code: &Path, files: usize) -> io::Result<()> {
        fs::set_permissions(code, Permissions::from_mode(0o755))?;
        if files <= FEW_FILES {
            synchronise(code)?;
        } else {
            rustix::fs::syncfs(File::open(code)?)?;
        }
        fs::rename(zip, self.folder.join(format!("{sha256}.zip")))?;
        match fs::rename(code, self.unpacked(sha256)) {
            // Somebody else brought the same package meanwhile.
            Err(_) if self.unpacked(sha256).is_dir() => {}
            result => result?,
        }
        File::open(&self.folder)?.sync_all()
    }
}

/// A folder that is removed when it is not needed any more.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "an unfinished deployment package was not removed");
        }
    }
}

/// Writes `zip` durably to `path`; answers its SHA-256 in hexadecimal.
fn write_hashed(zip: &ByteStream, path: &Path) -> io::Result<String> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let mut hash = Sha256::new();
    for chunk in zip.chunks()? {
        let chunk = chunk?;
        hash.update(&chunk);
        file.write_all(&chunk)?;
    }
    file.sync_all()?;
    Ok(hex::encode(hash.finalize()))
}

/// Makes everything below `folder` durable. The depth was bounded when it was unpacked.
fn synchronise(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            synchronise(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    File::open(folder)?.sync_all()
}

fn too_large() -> ServiceError {
    invalid(format!(
        "Unzipped size must be smaller than {MAXIMUM_UNZIPPED} bytes"
    ))
}

fn refusal(error: UnzipError) -> ServiceError {
    const SENTENCE: &str = "Could not unzip uploaded file. Please check your file, then try to upload again.";
    match error {
        UnzipError::TooLarge => too_large(),
        UnzipError::Broken(_) => invalid(SENTENCE),
        UnzipError::Entry { .. } | UnzipError::TooManyEntries => invalid(format!("{SENTENCE} ({error})")),
        UnzipError::Disk(error) => ServiceError::internal(error),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn package(content: &[u8]) -> ByteStream {
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        writer
            .start_file("app.py", zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content).unwrap();
        ByteStream::from(writer.finish().unwrap().into_inner())
    }

    #[tokio::test]
    async fn packages_are_shared_by_content_and_unused_ones_go_at_the_next_start() {
        let data = tempfile::tempdir().unwrap();
        let store = CodeStore::open(data.path(), &HashSet::new()).unwrap();
        let first = store.add(package(b"1")).await.unwrap();
        assert_eq!(store.add(package(b"1")).await.unwrap(), first);
        let second = store.add(package(b"2")).await.unwrap();
        assert_ne!(first, second);
        assert_eq!(
            fs::read(store.unpacked(&first.sha256).join("app.py")).unwrap(),
            b"1"
        );
        assert_eq!(fs::read_dir(data.path().join("code")).unwrap().count(), 4);

        let used = HashSet::from([second.sha256.clone()]);
        let store = CodeStore::open(data.path(), &used).unwrap();
        assert!(store.unpacked(&second.sha256).is_dir());
        assert_eq!(fs::read_dir(data.path().join("code")).unwrap().count(), 2);
    }

    #[tokio::test]
    async fn a_refused_package_leaves_nothing() {
        let data = tempfile::tempdir().unwrap();
        let store = CodeStore::open(data.path(), &HashSet::new()).unwrap();
        let error = store.add(ByteStream::from(b"no zip".to_vec())).await.unwrap_err();
        assert_eq!(error.code(), "InvalidParameterValueException");
        assert_eq!(
            error.message(),
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        );
        assert_eq!(fs::read_dir(data.path().join("code")).unwrap().count(), 0);
    }
}
