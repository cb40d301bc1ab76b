//! The Python interpreters of this machine.
//!
//! A candidate is asked who it is, because names lie: `python3.11` on the path may be pyenv's shell script, a link, or a
//! virtual environment. What counts is the real executable and the folder its standard library lies in, for both must be
//! visible inside a sandbox.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::error::RuntimeError;
use crate::function::RuntimeIdentifier;

/// One interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// The runtime it runs.
    pub runtime: RuntimeIdentifier,
    /// Minor version of Python 3.
    pub(crate) minor: u8,
    /// The whole version, such as `3.11.7`.
    pub version: String,
    /// The real executable, links resolved.
    pub path: PathBuf,
    /// Folders that must be visible for it to work.
    pub prefixes: Vec<PathBuf>,
}

/// The interpreter for `runtime`; `None` for one that needs none.
///
/// # Errors
/// There is none; the error says what to install.
pub fn interpreter(runtime: &RuntimeIdentifier) -> Result<Option<Interpreter>, RuntimeError> {
    match runtime {
        RuntimeIdentifier::Python(minor) => Interpreters::new().python(*minor).map(Some),
        RuntimeIdentifier::ProvidedAl2 | RuntimeIdentifier::ProvidedAl2023 => Ok(None),
    }
}

/// Every interpreter of a supported version on this machine, oldest first.
pub fn interpreters() -> Vec<Interpreter> {
    Interpreters::new().all()
}

/// Finds interpreters, each asked once.
#[derive(Debug, Default)]
pub struct Interpreters {
    found: Mutex<HashMap<u8, Interpreter>>,
}

/// What a candidate is asked: version, the folders of its standard library and modules, its real path; one a line.
const QUESTION: &str = "import os, sys\n\
print('%d.%d.%d' % sys.version_info[:3])\n\
print(os.path.realpath(getattr(sys, '_base_executable', None) or sys.executable))\n\
print(sys.base_prefix)\n\
print(sys.base_exec_prefix)";

impl Interpreters {
    /// Nothing is looked for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The interpreter for `python3.MINOR`.
    ///
    /// # Errors
    /// There is none; the error says what to install.
    pub fn python(&self, minor: u8) -> Result<Interpreter, RuntimeError> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(interpreter) = found.get(&minor) {
            return Ok(interpreter.clone());
        }
        let interpreter = candidates(minor)
            .iter()
            .find_map(|path| ask(path, minor))
            .ok_or_else(|| RuntimeError::NoInterpreter {
                runtime: format!("python3.{minor}"),
                version: format!("3.{minor}"),
            })?;
        found.insert(minor, interpreter.clone());
        Ok(interpreter)
    }

    /// Every interpreter of a supported version, oldest first.
    pub fn all(&self) -> Vec<Interpreter> {
        (9..=14).filter_map(|minor| self.python(minor).ok()).collect()
    }
}

/// Places to look in, the most deliberate choice first.
fn candidates(minor: u8) -> Vec<PathBuf> {
    let name = format!("python3.{minor}");
    let mut places: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| {
            std::env::split_paths(&path)
                .filter(|folder| folder.is_absolute())
                .collect()
        })
        .unwrap_or_default();
    places.extend(["/usr/local/bin", "/usr/bin"].map(PathBuf::from));
    let mut found: Vec<PathBuf> = places
        .into_iter()
        .map(|folder| folder.join(&name))
        .filter(|path| path.exists())
        .collect();
    if let Some(home) = std::env::var_os("HOME").map(PathBuf::from) {
        let pyenv = std::env::var_os("PYENV_ROOT").map_or_else(|| home.join(".pyenv"), PathBuf::from);
        found.extend(versions_below(
            &pyenv.join("versions"),
            &format!("3.{minor}"),
            &name,
        ));
        let uv = std::env::var_os("UV_PYTHON_INSTALL_DIR")
            .map_or_else(|| home.join(".local/share/uv/python"), PathBuf::from);
        found.extend(versions_below(&uv, &format!("cpython-3.{minor}"), &name));
    }
    found
}

/// `FOLDER/VERSION/bin/NAME` for every version that is `version` or begins with it and a dot, newest first.
fn versions_below(folder: &Path, version: &str, name: &str) -> Vec<PathBuf> {
    let mut found: Vec<(Vec<u32>, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let entry_name = entry.file_name();
        let Some(rest) = entry_name.to_str().and_then(|text| text.strip_prefix(version)) else {
            continue;
        };
        if !(rest.is_empty() || rest.starts_with(['.', '-'])) {
            continue;
        }
        let executable = entry.path().join("bin").join(name);
        if executable.exists() {
            let order = rest
                .split(['.', '-'])
                .filter_map(|part| part.parse().ok())
                .collect();
            found.push((order, executable));
        }
    }
    found.sort();
    found.reverse();
    found.into_iter().map(|(_, path)| path).collect()
}

/// Asks a candidate who it is; `None` if it does not run or is another version.
fn ask(candidate: &Path, minor: u8) -> Option<Interpreter> {
    let output = Command::new(candidate)
        .args(["-I", "-S", "-c", QUESTION])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8(output.stdout).ok()?;
    let mut lines = text.lines();
    let version = lines.next()?.to_owned();
    if !version.starts_with(&format!("3.{minor}.")) {
        return None;
    }
    let executable = PathBuf::from(lines.next()?);
    let mut prefixes: Vec<PathBuf> = lines.take(2).map(PathBuf::from).collect();
    prefixes.dedup();
    if !executable.is_absolute()
        || prefixes.is_empty()
        || prefixes
            .iter()
            .any(|path| !path.is_absolute() || path.parent().is_none())
    {
        return None;
    }
    if !prefixes.iter().any(|prefix| executable.starts_with(prefix)) {
        prefixes.push(executable.clone());
    }
    Some(Interpreter {
        runtime: RuntimeIdentifier::Python(minor),
        minor,
        version,
        path: executable,
        prefixes,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_missing_interpreter_says_what_to_install() {
        let error = Interpreters::new().python(200).unwrap_err().to_string();
        assert!(
            error.contains("python3.200") && error.contains("uv python install 3.200"),
            "{error}"
        );
    }

    #[test]
    fn the_newest_patch_version_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        for version in ["3.9.2", "3.9.18", "3.90.1", "3.9.18-debug"] {
            let bin = folder.path().join(version).join("bin");
            std::fs::create_dir_all(&bin).unwrap();
            std::fs::write(bin.join("python3.9"), "").unwrap();
        }
        let found = versions_below(folder.path(), "3.9", "python3.9");
        assert_eq!(found.len(), 3);
        assert!(
            found[0].starts_with(folder.path().join("3.9.18"))
                || found[0].starts_with(folder.path().join("3.9.18-debug"))
        );
    }

    #[test]
    fn what_is_not_an_interpreter_is_passed_over() {
        assert_eq!(ask(Path::new("/bin/true"), 11), None);
        assert_eq!(ask(Path::new("/no/such"), 11), None);
    }
}
