//! Generating the catalogue's data: runs `tools/catalog/generate.py`.

use std::path::Path;
use std::process::Command;

/// Generates, or checks that generating would change nothing.
///
/// # Errors
/// Python is missing, or the script failed.
pub(crate) fn run(root: &Path, check: bool) -> Result<(), String> {
    let mut command = Command::new("python3");
    command.arg(root.join("tools/catalog/generate.py"));
    if check {
        command.arg("--check");
    }
    let status = command
        .status()
        .map_err(|error| format!("running python3: {error}; install Python 3.10 or newer"))?;
    if status.success() {
        Ok(())
    } else {
        Err("the catalogue's data could not be generated".to_owned())
    }
}
