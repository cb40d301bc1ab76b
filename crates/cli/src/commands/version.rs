//! What `rolecall --version` says: the program, and how old its facts about AWS are.

use std::fmt::Write as _;
use std::sync::OnceLock;

/// Version, and the packages the catalogue's facts come from.
pub(crate) fn long() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let mut text = format!("{}\nfacts about AWS from:", env!("CARGO_PKG_VERSION"));
        for package in rolecall_catalog::versions() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n  {} {}", package.name, package.version);
            if let Some(date) = &package.date {
                let _ = write!(text, " ({date})");
            }
        }
        text
    })
}
