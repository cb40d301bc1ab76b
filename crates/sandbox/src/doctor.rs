//! What this machine offers, and what is lost where it does not.

use std::fmt;
use std::path::PathBuf;

use crate::cgroup::Version;
use crate::error::{Layer, SandboxError};
use crate::spawn::Sandbox;
use crate::spec::{Limits, Spec};

/// Which control groups limit sandboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CgroupSupport {
    /// Version 2.
    Two,
    /// Version 1.
    One,
    /// None can be used, with the reason.
    None(String),
}

/// Whether a layer works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerStatus {
    /// It does.
    Works,
    /// An optional layer is missing; sandboxes run without it.
    Missing {
        /// What the kernel says.
        reason: String,
        /// What is lost.
        lost: &'static str,
    },
    /// A layer that is never optional is refused; no sandbox can start.
    Refused {
        /// What the kernel says.
        reason: String,
    },
}

/// One layer and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerState {
    /// Which layer.
    pub layer: Layer,
    /// Whether it works.
    pub status: LayerStatus,
}

/// The machine's report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doctor {
    /// Every layer, in the order they are built.
    pub layers: Vec<LayerState>,
    /// Which control groups are used.
    pub cgroups: CgroupSupport,
    /// Landlock's version, 0 for none.
    pub landlock_version: u32,
}

impl Doctor {
    pub(crate) fn new(cgroups: Result<Version, &str>, landlock_version: u32, sandbox: &Sandbox) -> Self {
        let refused = try_out(sandbox).err();
        let mut layers = Vec::new();
        let mut before_refusal = true;
        for layer in [
            Layer::Namespaces,
            Layer::UserMapping,
            Layer::Root,
            Layer::Network,
            Layer::Privileges,
            Layer::Limits,
            Layer::Seccomp,
        ] {
            let status = match &refused {
                Some((at, reason)) if *at == layer => {
                    before_refusal = false;
                    LayerStatus::Refused {
                        reason: reason.clone(),
                    }
                }
                Some(_) if !before_refusal => LayerStatus::Refused {
                    reason: "not reached, because an earlier layer is refused".to_owned(),
                },
                _ => LayerStatus::Works,
            };
            layers.push(LayerState { layer, status });
        }
        let cgroup_status = match cgroups {
            Ok(_) => LayerStatus::Works,
            Err(reason) => LayerStatus::Missing {
                reason: reason.to_owned(),
                lost: "memory and processes are limited for each process instead of for all of a function together",
            },
        };
        layers.push(LayerState {
            layer: Layer::Cgroup,
            status: cgroup_status,
        });
        let landlock_status = if landlock_version > 0 {
            LayerStatus::Works
        } else {
            LayerStatus::Missing {
                reason: "the kernel does not have it, or it is switched off at boot".to_owned(),
                lost: "the second, independent rule set for files; read-only mounts remain",
            }
        };
        layers.push(LayerState {
            layer: Layer::Landlock,
            status: landlock_status,
        });
        Self {
            layers,
            cgroups: match cgroups {
                Ok(Version::One) => CgroupSupport::One,
                Ok(Version::Two) => CgroupSupport::Two,
                Err(reason) => CgroupSupport::None(reason.to_owned()),
            },
            landlock_version,
        }
    }

    /// Whether sandboxes can be started at all.
    pub fn works(&self) -> bool {
        !self
            .layers
            .iter()
            .any(|state| matches!(state.status, LayerStatus::Refused { .. }))
    }
}

/// Starts a sandbox whose program does not exist: every layer is built, nothing runs.
fn try_out(sandbox: &Sandbox) -> Result<(), (Layer, String)> {
    let spec = Spec {
        program: PathBuf::from("/nonexistent"),
        arguments: vec!["nonexistent".into()],
        environment: Vec::new(),
        working_directory: PathBuf::from("/"),
        mounts: Vec::new(),
        limits: Limits {
            memory_bytes: 64 << 20,
            temporary_bytes: 1 << 20,
            processes: 16,
            open_files: 64,
            cpu_shares: 128,
        },
        require: Vec::new(),
    };
    match sandbox.spawn(&spec) {
        Err(SandboxError::Program { .. }) | Ok(_) => Ok(()),
        Err(SandboxError::Layer {
            layer,
            action,
            source,
        }) => Err((layer, format!("{action}: {source}"))),
        Err(other) => Err((Layer::Root, other.to_string())),
    }
}

impl fmt::Display for Doctor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for LayerState { layer, status } in &self.layers {
            match status {
                LayerStatus::Works => write!(formatter, "{layer}: works")?,
                LayerStatus::Missing { reason, lost } => {
                    write!(formatter, "{layer}: missing ({reason}); lost: {lost}")?;
                }
                LayerStatus::Refused { reason } => {
                    write!(formatter, "{layer}: refused ({reason}); no function can run")?;
                }
            }
            match layer {
                Layer::Cgroup if self.cgroups == CgroupSupport::One => write!(formatter, " (version 1)")?,
                Layer::Cgroup if self.cgroups == CgroupSupport::Two => write!(formatter, " (version 2)")?,
                Layer::Landlock if self.landlock_version > 0 => {
                    write!(formatter, " (version {})", self.landlock_version)?;
                }
                _ => {}
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}
