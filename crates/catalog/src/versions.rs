//! Where the catalogue's facts come from, and of what day they are.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::packed::embedded;

/// A package facts were taken from.
#[derive(Debug, Deserialize)]
pub struct Package {
    /// Its name on `PyPI`.
    pub name: &'static str,
    /// The version taken.
    pub version: &'static str,
    /// Its licence, as an SPDX identifier.
    pub licence: &'static str,
    /// The day of its data, `YYYY-MM-DD`; `None` when the package does not say.
    pub date: Option<&'static str>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
struct Manifest {
    packages: Box<[Package]>,
}

static MANIFEST: OnceLock<Manifest> = OnceLock::new();

/// The packages the facts come from.
pub fn versions() -> &'static [Package] {
    let read = || {
        embedded(
            "manifest.json",
            serde_json::from_str(include_str!("../data/manifest.json")),
        )
    };
    &MANIFEST.get_or_init(read).packages
}
