//! The runtime's own packages: AWS's runtime interface client and SDK, installed once for each interpreter.
//!
//! They are put into `<data>/runtimes/python3.MINOR-<hash of the pins>/` and shown at `/var/runtime` inside. Installing
//! goes to a folder beside it that is renamed when it is complete, under a lock file, so any number of servers may try.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sha2::{Digest, Sha256};

use crate::error::RuntimeError;
use crate::interpreter::Interpreter;

/// Hears what takes a while.
pub trait Progress: Send + Sync {
    /// Something starts, such as `installing the python3.11 runtime`.
    fn begin(&self, what: &str);
    /// It goes on; a line of detail.
    fn step(&self, detail: &str);
    /// It is over.
    fn end(&self);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn begin(&self, _what: &str) {}
    fn step(&self, _detail: &str) {}
    fn end(&self) {}
}

/// Packages for Python 3.10 and newer: what AWS's managed runtimes carry, with every dependency pinned.
const PINS: &[&str] = &[
    "awslambdaric==4.2.2",
    "boto3==1.44.5",
    "botocore==1.44.5",
    "jmespath==1.1.0",
    "python-dateutil==2.9.0.post0",
    "s3transfer==0.19.3",
    "simplejson==4.3.0",
    "six==1.17.0",
    "snapshot-restore-py==1.0.0",
    "urllib3==2.8.0",
];

/// The last releases that run on Python 3.9.
const PINS_FOR_3_9: &[&str] = &[
    "awslambdaric==4.0.4",
    "boto3==1.42.97",
    "botocore==1.42.97",
    "jmespath==1.1.0",
    "python-dateutil==2.9.0.post0",
    "s3transfer==0.16.1",
    "simplejson==4.3.0",
    "six==1.17.0",
    "snapshot-restore-py==1.0.0",
    "urllib3==1.26.20",
];

/// Where the packages are kept.
#[derive(Debug, Clone)]
pub struct PackageStore {
    folder: PathBuf,
}

impl PackageStore {
    /// Packages below `<data>/runtimes`.
    pub fn new(data: &Path) -> Self {
        Self {
            folder: data.join("runtimes"),
        }
    }

    /// The folder with the packages for this interpreter, if they are installed.
    pub fn installed(&self, interpreter: &Interpreter) -> Option<PathBuf> {
        let folder = self.place(interpreter);
        folder.is_dir().then_some(folder)
    }

    /// The folder with the packages for this interpreter; installs them first if need be. Blocks for some seconds then.
    ///
    /// # Errors
    /// The interpreter cannot install packages, or the package index cannot be reached.
    pub fn provide(
        &self,
        interpreter: &Interpreter,
        progress: &dyn Progress,
    ) -> Result<PathBuf, RuntimeError> {
        if let Some(folder) = self.installed(interpreter) {
            return Ok(folder);
        }
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source: io::Error| RuntimeError::Folder { path, source }
        };
        fs::create_dir_all(&self.folder).map_err(at(&self.folder))?;
        let place = self.place(interpreter);
        let lock_path = beside(&place, ".lock");
        let lock = File::create(&lock_path).map_err(at(&lock_path))?;
        lock.lock().map_err(at(&lock_path))?;
        // Somebody else may have been faster.
        if place.is_dir() {
            return Ok(place);
        }
        let scratch = beside(&place, ".partial");
        remove_if_there(&scratch).map_err(at(&scratch))?;
        fs::create_dir(&scratch).map_err(at(&scratch))?;
        progress.begin(&format!("installing the python3.{} runtime", interpreter.minor));
        let result = install(interpreter, &scratch, progress);
        progress.end();
        result?;
        let packages = scratch.join("packages");
        make_readable(&packages).map_err(at(&packages))?;
        fs::rename(&packages, &place).map_err(at(&place))?;
        remove_if_there(&scratch).map_err(at(&scratch))?;
        Ok(place)
    }

    fn place(&self, interpreter: &Interpreter) -> PathBuf {
        let mut hash = Sha256::new();
        for pin in pins(interpreter) {
            hash.update(pin.as_bytes());
            hash.update(b"\n");
        }
        let hash = hex::encode(hash.finalize());
        self.folder.join(format!(
            "python3.{}-{}",
            interpreter.minor,
            hash.get(..12).unwrap_or(&hash)
        ))
    }
}

/// The same path with something added to its name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn pins(interpreter: &Interpreter) -> &'static [&'static str] {
    if interpreter.minor < 10 {
        PINS_FOR_3_9
    } else {
        PINS
    }
}

fn remove_if_there(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Installs into `scratch/packages`, with the interpreter's own pip or else one in a virtual environment.
fn install(interpreter: &Interpreter, scratch: &Path, progress: &dyn Progress) -> Result<(), RuntimeError> {
    let pip = installer(interpreter, scratch, progress)?;
    let pins = pins(interpreter);
    progress.step(&format!("downloading {}", pins.join(", ")));
    let output = quietly(
        Command::new(pip)
            .args([
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--no-input",
                "--no-warn-conflicts",
            ])
            .args(["--no-deps", "--only-binary", ":all:", "--target"])
            .arg(scratch.join("packages"))
            .args(pins)
            .env("PIP_ROOT_USER_ACTION", "ignore"),
    );
    let failed = |reason: String| RuntimeError::Install {
        runtime: format!("python3.{}", interpreter.minor),
        packages: pins.join(" "),
        reason,
    };
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(failed(end_of(&output))),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// An interpreter that has pip.
fn installer(
    interpreter: &Interpreter,
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<PathBuf, RuntimeError> {
    let has_pip = quietly(Command::new(&interpreter.path).args(["-m", "pip", "--version"]));
    if has_pip.is_ok_and(|output| output.status.success()) {
        return Ok(interpreter.path.clone());
    }
    progress.step("making a virtual environment");
    let environment = scratch.join("venv");
    let no_installer = |reason: String| RuntimeError::NoInstaller {
        interpreter: interpreter.path.clone(),
        reason,
        package: format!("python3.{}-venv", interpreter.minor),
    };
    match quietly(
        Command::new(&interpreter.path)
            .args(["-m", "venv"])
            .arg(&environment),
    ) {
        Ok(output) if output.status.success() => Ok(environment.join("bin/python")),
        Ok(output) => Err(no_installer(end_of(&output))),
        Err(error) => Err(no_installer(error.to_string())),
    }
}

fn quietly(command: &mut Command) -> io::Result<Output> {
    // The settings of an interpreter or virtual environment around the server are not those of this one.
    command
        .env_remove("PYTHONPATH")
        .env_remove("PYTHONHOME")
        .env_remove("VIRTUAL_ENV")
        .stdin(Stdio::null())
        .output()
}

/// The last lines of what a program said, at most 1,000 characters.
fn end_of(output: &Output) -> String {
    let said = if output.stderr.is_empty() {
        &output.stdout
    } else {
        &output.stderr
    };
    let text = String::from_utf8_lossy(said);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let last = lines
        .iter()
        .rev()
        .take(4)
        .rev()
        .copied()
        .collect::<Vec<_>>()
        .join(" ");
    last.chars().take(1000).collect()
}

/// Makes everything below readable for the unprivileged user inside, whatever the server's file mode mask is.
fn make_readable(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let metadata = fs::symlink_metadata(&path)?;
        if metadata.is_symlink() {
            continue;
        }
        let wanted = metadata.permissions().mode() | if metadata.is_dir() { 0o555 } else { 0o444 };
        fs::set_permissions(&path, fs::Permissions::from_mode(wanted))?;
        if metadata.is_dir() {
            for entry in fs::read_dir(&path)? {
                open.push(entry?.path());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn an_interpreter_that_cannot_install_names_the_package() {
        let data = tempfile::tempdir().unwrap();
        let interpreter = Interpreter {
            runtime: crate::RuntimeIdentifier::Python(11),
            minor: 11,
            version: "3.11.0".to_owned(),
            path: PathBuf::from("/bin/false"),
            prefixes: vec![PathBuf::from("/usr")],
        };
        let store = PackageStore::new(data.path());
        let error = store.provide(&interpreter, &NoProgress).unwrap_err();
        assert!(error.to_string().contains("python3.11-venv"), "{error}");
        assert_eq!(store.installed(&interpreter), None);
    }
}
