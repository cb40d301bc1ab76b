//! The folder the endpoint keeps everything in, and the small files that tell other commands how to reach it.
//!
//! ```text
//! DATA/credentials.json   root credentials, mode 0600
//! DATA/endpoint           URL of the running (or last) endpoint
//! DATA/state/             the store
//! DATA/objects, code, …   what services keep in files
//! ```

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::arguments::RootCredentials;
use crate::failure::{Context, Failure};

/// A data folder that exists and belongs to this user only.
#[derive(Debug, Clone)]
pub(crate) struct DataFolder {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CredentialsFile {
    access_key_id: String,
    secret_access_key: String,
}

impl DataFolder {
    /// `path`, or the place the XDG base directory specification gives: `$XDG_DATA_HOME/rolecall`.
    ///
    /// # Errors
    /// It cannot be made, or there is no home folder and no path was given.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let path = match path {
            Some(path) => path.to_owned(),
            None => default_path()?.join("endpoint"),
        };
        create_private(&path)?;
        let path = path
            .canonicalize()
            .context(format_args!("opening the data folder {}", path.display()))?;
        Ok(Self { path })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The root credentials: those given (which replace the kept ones), else those kept, else new ones.
    /// The flag says whether they are new.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(crate) fn root_credentials(
        &self,
        given: Option<RootCredentials>,
    ) -> Result<(RootCredentials, bool), Failure> {
        let kept = self.kept_credentials()?;
        if let Some(given) = given {
            let same = kept.as_ref().is_some_and(|kept| {
                kept.access_key_id == given.access_key_id && kept.secret_access_key == given.secret_access_key
            });
            if !same {
                self.keep_credentials(&given)?;
            }
            return Ok((given, false));
        }
        if let Some(kept) = kept {
            return Ok((kept, false));
        }
        let (access_key_id, secret_access_key) = crate::trying::new_credentials()?;
        let made = RootCredentials {
            access_key_id,
            secret_access_key,
        };
        self.keep_credentials(&made)?;
        Ok((made, true))
    }

    /// The kept root credentials, if there are any.
    ///
    /// # Errors
    /// The file cannot be read, or is no credentials file.
    pub(crate) fn kept_credentials(&self) -> Result<Option<RootCredentials>, Failure> {
        let path = self.path.join("credentials.json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::new(format!("reading {}: {error}", path.display()))),
        };
        let file: CredentialsFile = serde_json::from_slice(&text).map_err(|_| {
            Failure::new(format!(
                "{} is no credentials file; remove it to have new ones made",
                path.display()
            ))
        })?;
        Ok(Some(RootCredentials {
            access_key_id: file.access_key_id,
            secret_access_key: file.secret_access_key,
        }))
    }

    fn keep_credentials(&self, credentials: &RootCredentials) -> Result<(), Failure> {
        let text = serde_json::to_vec_pretty(&CredentialsFile {
            access_key_id: credentials.access_key_id.clone(),
            secret_access_key: credentials.secret_access_key.clone(),
        })
        .context("writing the root credentials")?;
        self.write("credentials.json", &text)
    }

    /// Tells other commands where the endpoint is.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn note_endpoint(&self, url: &str, region: &str) -> Result<(), Failure> {
        self.write("endpoint", format!("{url}\n{region}\n").as_bytes())
    }

    /// URL and region of the running or last endpoint.
    pub(crate) fn noted_endpoint(&self) -> Option<(String, String)> {
        let text = fs::read_to_string(self.path.join("endpoint")).ok()?;
        let mut lines = text.lines().map(str::to_owned);
        Some((lines.next()?, lines.next()?))
    }

    /// Replaces a small file at once, readable for this user only.
    fn write(&self, name: &str, content: &[u8]) -> Result<(), Failure> {
        let path = self.path.join(name);
        let temporary = self.path.join(format!(".{name}.new"));
        let written = (|| {
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&temporary)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)
        })();
        written.context(format_args!("writing {}", path.display()))
    }
}

/// `$XDG_DATA_HOME/rolecall`, by default `~/.local/share/rolecall`.
///
/// # Errors
/// There is no home folder.
pub(crate) fn default_path() -> Result<PathBuf, Failure> {
    let base = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".local/share")))
        .ok_or_else(|| {
            Failure::unusable("there is no home folder to keep data in: set XDG_DATA_HOME or give --data")
        })?;
    Ok(base.join("rolecall"))
}

/// Makes a folder that only this user may enter, and takes others' rights away from one that is there.
///
/// # Errors
/// It cannot be made.
pub(crate) fn create_private(path: &Path) -> Result<(), Failure> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .context(format_args!("making the folder {}", path.display()))?;
    let permissions = fs::metadata(path)
        .context(format_args!("opening {}", path.display()))?
        .permissions();
    if permissions.mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
            .context(format_args!("making {} private", path.display()))?;
    }
    Ok(())
}
