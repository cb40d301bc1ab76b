//! What is stored of a function.

use std::collections::BTreeMap;
use std::fmt;

use rolecall_store::codec::Stored;
use serde::{Deserialize, Serialize};

/// A function but for its versions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FunctionRecord {
    /// Its name.
    pub(crate) name: String,
    /// In order of their keys.
    pub(crate) tags: BTreeMap<String, String>,
    /// Reserved concurrency.
    pub(crate) reserved_concurrency: Option<u32>,
    /// Number of the last version that was published; numbers are not used again.
    pub(crate) last_version: u64,
    /// Revision of `$LATEST` when a version was last published, so that an unchanged function is not published twice.
    pub(crate) published_revision: Option<String>,
    /// Resource-based policies by qualifier; the empty string stands for the unqualified function.
    pub(crate) policies: BTreeMap<String, PolicyRecord>,
}

impl Stored for FunctionRecord {
    const VERSION: u8 = 1;
}

/// A resource-based policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PolicyRecord {
    /// Changes with every change.
    pub(crate) revision: String,
    /// In the order they were added.
    pub(crate) statements: Vec<StatementRecord>,
}

/// One statement of a resource-based policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StatementRecord {
    /// `Sid`.
    pub(crate) id: String,
    /// The statement as JSON; principals of this account stand in it by unique id.
    pub(crate) text: String,
}

/// One version of a function: `$LATEST`, which changes, or a number, which does not.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct VersionRecord {
    /// `$LATEST` or a number.
    pub(crate) version: String,
    /// Changes with every change of code or configuration.
    pub(crate) revision: String,
    /// `python3.11`, ….
    pub(crate) runtime: String,
    /// Handler, as the runtime understands it.
    pub(crate) handler: String,
    /// ARN of the execution role.
    pub(crate) role: String,
    /// At most 256 characters.
    pub(crate) description: String,
    /// Seconds.
    pub(crate) timeout: u32,
    /// Megabytes.
    pub(crate) memory_mb: u32,
    /// Megabytes of `/tmp`.
    pub(crate) ephemeral_mb: u32,
    /// Environment variables.
    pub(crate) environment: BTreeMap<String, String>,
    /// `x86_64` or `arm64`.
    pub(crate) architecture: String,
    /// Log group, if it is not `/aws/lambda/NAME`.
    pub(crate) log_group: Option<String>,
    /// SHA-256 of the zip, hexadecimal.
    pub(crate) code_sha256: String,
    /// Size of the zip in bytes.
    pub(crate) code_size: u64,
    /// Milliseconds since 1970.
    pub(crate) last_modified: i64,
}

impl Stored for VersionRecord {
    const VERSION: u8 = 1;
}

/// Environment variables may be secrets, so only their names are shown.
impl fmt::Debug for VersionRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VersionRecord")
            .field("version", &self.version)
            .field("revision", &self.revision)
            .field("runtime", &self.runtime)
            .field("environment", &self.environment.keys())
            .finish_non_exhaustive()
    }
}
