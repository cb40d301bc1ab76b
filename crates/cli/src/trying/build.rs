//! Builds a function's code into a zip: its folder, and the Python packages its requirements.txt names.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;

use crate::data_folder;
use crate::failure::{Context, Failure};
use crate::progress::Progress;

/// Largest code folder that is zipped, as Lambda's limit on unzipped code.
const LARGEST_UNZIPPED: u64 = 250 * 1024 * 1024;

/// Names that never belong in a deployment package.
const LEFT_OUT: &[&str] = &[
    ".git",
    "__pycache__",
    ".venv",
    "venv",
    "node_modules/.cache",
    ".aws-sam",
    ".pytest_cache",
];

/// What a function is built from.
pub(crate) enum Source {
    /// A folder, or a zip that is taken as it is.
    Path(PathBuf),
    /// One file of code in the template itself, under the name its handler asks for.
    Inline {
        /// Such as `index.py`.
        file_name: String,
        /// The code.
        code: String,
    },
}

/// Builds the zip that `CreateFunction` gets. `interpreter` is the Python that installs requirements, if the runtime is
/// Python.
///
/// # Errors
/// The folder cannot be read or is too large, or pip cannot install a requirement.
pub(crate) fn build(source: &Source, interpreter: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let mut files = BTreeMap::new();
    match source {
        Source::Inline { file_name, code } => {
            files.insert(
                file_name.clone(),
                File {
                    content: code.clone().into_bytes(),
                    executable: false,
                },
            );
        }
        Source::Path(path) if path.is_file() => {
            return fs::read(path).context(format_args!("reading {}", path.display()));
        }
        Source::Path(path) if path.is_dir() => {
            let mut left = LARGEST_UNZIPPED;
            let requirements = path.join("requirements.txt");
            if let (true, Some(interpreter)) = (requirements.is_file(), interpreter) {
                let packages = install_requirements(&requirements, interpreter)?;
                collect(&packages, &packages, &mut left, &mut files)?;
            }
            collect(path, path, &mut left, &mut files)?;
        }
        Source::Path(path) => {
            return Err(Failure::unusable(format!(
                "the function's code {} does not exist; correct CodeUri in the template",
                path.display()
            )));
        }
    }
    zip(&files)
}

struct File {
    content: Vec<u8>,
    executable: bool,
}

fn collect(
    root: &Path,
    folder: &Path,
    left: &mut u64,
    files: &mut BTreeMap<String, File>,
) -> Result<(), Failure> {
    let reading = || format!("reading {}", folder.display());
    for entry in fs::read_dir(folder).context(reading())? {
        let entry = entry.context(reading())?;
        let path = entry.path();
        let name = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned();
        if LEFT_OUT.iter().any(|left_out| entry.file_name() == *left_out) {
            continue;
        }
        // Links are followed, as the packaging of SAM does: what they point to is part of the code.
        let metadata = fs::metadata(&path).context(format_args!("reading {}", path.display()))?;
        if metadata.is_dir() {
            if name.split('/').count() > 64 {
                return Err(Failure::unusable(format!(
                    "{} is nested too deep to be a function's code",
                    path.display()
                )));
            }
            collect(root, &path, left, files)?;
            continue;
        }
        *left = left.checked_sub(metadata.len()).ok_or_else(|| {
            Failure::unusable(format!(
                "{} holds more than the 250 MiB that Lambda takes",
                root.display()
            ))
        })?;
        let content = fs::read(&path).context(format_args!("reading {}", path.display()))?;
        files.insert(
            name,
            File {
                content,
                executable: metadata.permissions().mode() & 0o111 != 0,
            },
        );
    }
    Ok(())
}

/// A zip with fixed times, so that the same code is the same zip.
fn zip(files: &BTreeMap<String, File>) -> Result<Vec<u8>, Failure> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, file) in files {
        let mode = if file.executable { 0o755 } else { 0o644 };
        writer
            .start_file(name.as_str(), SimpleFileOptions::default().unix_permissions(mode))
            .and_then(|()| writer.write_all(&file.content).map_err(Into::into))
            .context(format_args!("zipping {name}"))?;
    }
    Ok(writer.finish().context("zipping the function")?.into_inner())
}

/// Installs what `requirements` names into the cache, once for the same text and interpreter.
fn install_requirements(requirements: &Path, interpreter: &Path) -> Result<PathBuf, Failure> {
    let text = fs::read(requirements).context(format_args!("reading {}", requirements.display()))?;
    let version = interpreter_version(interpreter)?;
    let key = hex::encode(
        Sha256::new()
            .chain_update(&text)
            .chain_update(b"\0")
            .chain_update(&version)
            .finalize(),
    );
    let cache = data_folder::default_path()?.join("packages");
    let ready = cache.join(&key);
    if ready.is_dir() {
        return Ok(ready);
    }
    data_folder::create_private(&cache)?;
    let progress = Progress::start(format!("installing the packages of {}", requirements.display()));
    // Installed beside its place and renamed, so that an interrupted installation is never taken for a whole one.
    let partial = tempfile::tempdir_in(&cache).context(format_args!("writing to {}", cache.display()))?;
    let folder = requirements.parent().unwrap_or(Path::new("."));
    let output = Command::new(interpreter)
        .args([
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
            "--quiet",
            "--no-compile",
        ])
        .args(["--target".as_ref(), partial.path().as_os_str()])
        .args([
            "--requirement".as_ref(),
            requirements.file_name().unwrap_or(requirements.as_os_str()),
        ])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .context(format_args!("running {}", interpreter.display()))?;
    drop(progress);
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let why = if said.contains("No module named pip") {
            "this Python has no pip; install it (Debian: apt-get install python3-pip)".to_owned()
        } else {
            said.trim().to_owned()
        };
        return Err(Failure::new(format!(
            "installing {} failed: {why}",
            requirements.display()
        )));
    }
    let partial = partial.keep();
    if let Err(error) = fs::rename(&partial, &ready) {
        // Another rolecall may have been faster; its result is the same.
        let _ = fs::remove_dir_all(&partial);
        if !ready.is_dir() {
            return Err(Failure::new(format!(
                "keeping the packages in {}: {error}",
                ready.display()
            )));
        }
    }
    Ok(ready)
}

fn interpreter_version(interpreter: &Path) -> Result<Vec<u8>, Failure> {
    let output = Command::new(interpreter)
        .args([
            "-c",
            "import sys, platform; print(sys.version_info[:2], platform.machine())",
        ])
        .stdin(Stdio::null())
        .output()
        .context(format_args!("running {}", interpreter.display()))?;
    Ok(output.stdout)
}
