//! Generates the wire model and types of each service from AWS's own service models.
//!
//! botocore's package carries the models (`service-2.json`). The operations a service serves are listed in
//! `xtask/services.json`; corrections to a model are JSON merge patches in `xtask/patches`. Output is a function of
//! these and the pinned package alone, so `--check` can insist that the files in the repository are current.

mod emit;
mod json;
mod model;
mod names;
mod package;
mod pattern;

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use json::Json;

/// What every step of a chore returns.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// Writes, or with `check` compares, the generated file of every service.
pub(crate) fn run(check: bool) -> Outcome<()> {
    let root = repository_root()?;
    let settings = Json::parse(&fs::read_to_string(root.join("xtask/services.json"))?)?;
    let package = package::Package::open(settings.field("package")?)?;
    let mut stale = Vec::new();
    for (service, settings) in settings.field("services")?.entries()? {
        let mut model = package.service_model(service)?;
        let patch = root.join(format!("xtask/patches/{service}.json"));
        if patch.exists() {
            model.merge(&Json::parse(&fs::read_to_string(&patch)?)?);
        }
        let cut = model::Cut::new(&model, settings).map_err(|error| format!("{service}: {error}"))?;
        let source = emit::module(&cut, package.label()).map_err(|error| format!("{service}: {error}"))?;
        let source = format_source(&root, &source)?;
        let path = root.join(format!("crates/services/{service}/src/generated.rs"));
        let current = fs::read_to_string(&path).unwrap_or_default();
        if current != source {
            if check {
                stale.push(path.display().to_string());
            } else {
                fs::write(&path, source)?;
                println!("wrote {}", path.display());
            }
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("not current, run `cargo xtask codegen`: {}", stale.join(", ")).into())
}

fn repository_root() -> Outcome<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(manifest
        .parent()
        .ok_or("xtask is not in a repository")?
        .to_owned())
}

/// Formats as the repository does, so that `cargo fmt` never changes a generated file.
fn format_source(root: &Path, source: &str) -> Outcome<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| {
            format!("cannot start rustfmt ({error}); install it with `rustup component add rustfmt`")
        })?;
    let mut input = rustfmt.stdin.take().ok_or("rustfmt takes no input")?;
    let text = source.to_owned();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = rustfmt.wait_with_output()?;
    writer.join().map_err(|_| "writing to rustfmt failed")??;
    if !output.status.success() {
        return Err("rustfmt rejects the generated source".into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
