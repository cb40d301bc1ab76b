//! Rules of the repository that no compiler checks: which crate may know which, where `unsafe` may stand.

use std::fs;
use std::path::{Path, PathBuf};

/// What each crate may depend on, of the workspace's own. Services share one row; a crate that is not here may not exist.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("policy", &[]),
    ("catalog", &["policy"]),
    ("sigv4", &[]),
    ("wire", &[]),
    ("store", &[]),
    ("sandbox", &[]),
    ("template", &[]),
    ("service", &["wire", "policy"]),
    ("identity", &["store", "policy", "catalog"]),
    ("runtime", &["sandbox", "service", "store"]),
    ("trail", &["store", "service", "policy"]),
    ("review", &["policy", "catalog", "trail"]),
    ("report", &["review", "policy", "trail"]),
    (
        "gateway",
        &[
            "service", "sigv4", "identity", "catalog", "trail", "wire", "policy",
        ],
    ),
    ("testkit", &["sigv4"]),
    ("xtask", &[]),
];

/// What a service may depend on beside `service`, `store`, `identity`, `wire`, `policy`: one domain crate.
const SERVICES_MAY_KNOW: &[(&str, &[&str])] = &[
    ("iam", &["catalog"]),
    ("sts", &[]),
    ("lambda", &["runtime"]),
    ("s3", &[]),
    ("dynamodb", &[]),
    ("logs", &[]),
    ("cloudtrail", &["trail"]),
];

const EVERY_SERVICE_MAY_KNOW: &[&str] = &["service", "store", "identity", "wire", "policy"];

/// Checks all rules; prints what breaks one.
///
/// # Errors
/// Something does.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let mut broken = Vec::new();
    for folder in crates(root)? {
        let name = folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let is_service = folder.parent().is_some_and(|parent| parent.ends_with("services"));
        if name != "cli" {
            check_dependencies(&folder, &name, is_service, &mut broken)?;
        }
        if name != "sandbox" {
            check_unsafe(&folder, &mut broken)?;
        }
    }
    if broken.is_empty() {
        Ok(())
    } else {
        Err(broken.join("\n"))
    }
}

fn crates(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = vec![root.join("xtask")];
    for parent in [root.join("crates"), root.join("crates/services")] {
        let entries = fs::read_dir(&parent).map_err(|error| format!("{}: {error}", parent.display()))?;
        found.extend(
            entries
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.join("Cargo.toml").is_file()),
        );
    }
    found.sort();
    Ok(found)
}

fn check_dependencies(
    folder: &Path,
    name: &str,
    is_service: bool,
    broken: &mut Vec<String>,
) -> Result<(), String> {
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
    let table = if is_service { SERVICES_MAY_KNOW } else { MAY_KNOW };
    let Some((_, own)) = table.iter().find(|(known, _)| *known == name) else {
        broken.push(format!(
            "{}: add the crate to the table of xtask/src/rules.rs",
            manifest.display()
        ));
        return Ok(());
    };
    let shared = if is_service { EVERY_SERVICE_MAY_KNOW } else { &[] };
    for dependency in own_dependencies(&text) {
        if !own.contains(&dependency) && !shared.contains(&dependency) {
            broken.push(format!(
                "{}: {name} may not know {dependency}",
                manifest.display()
            ));
        }
    }
    Ok(())
}

/// Crates of the workspace under `[dependencies]`; those that only tests need are free.
fn own_dependencies(manifest: &str) -> Vec<&str> {
    let mut section = "";
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line.trim();
        } else if section == "[dependencies]"
            && let Some(rest) = line.strip_prefix("rolecall-")
            && let Some(name) = rest.split(['.', ' ', '=']).next()
        {
            found.push(name);
        }
    }
    found
}

fn check_unsafe(folder: &Path, broken: &mut Vec<String>) -> Result<(), String> {
    let mut folders = vec![folder.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?
            .flatten()
        {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text =
                    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                let opening = concat!("unsafe", " {");
                if text.contains(opening) || text.contains(concat!("allow(", "unsafe_code")) {
                    broken.push(format!(
                        "{}: unsafe code belongs into the crate sandbox",
                        path.display()
                    ));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_keeps_its_rules() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .unwrap_or(Path::new("."));
        assert_eq!(run(root), Ok(()));
    }

    #[test]
    fn dependencies_are_found_and_those_of_tests_are_not() {
        let manifest = "[dependencies]\nrolecall-wire.workspace = true\nserde = \"1\"\nrolecall-service-s3 = { path = \"\" }\n\
                        [dev-dependencies]\nrolecall-testkit.workspace = true\n";
        assert_eq!(own_dependencies(manifest), ["wire", "service-s3"]);
    }
}
