//! Documents written by others: AWS's managed policies and published examples of organization policies.

use std::fs;
use std::path::{Path, PathBuf};

use rolecall_policy::{CompiledPolicy, Document, DocumentKind};

/// Parses, compiles, prints and parses again; says what went wrong.
fn survives(text: &str, kind: DocumentKind) -> Result<(), String> {
    let document = Document::parse(text, kind).map_err(|error| format!("{error}"))?;
    let _ = CompiledPolicy::compile(&document, "corpus");
    for printed in [document.to_string(), document.pretty()] {
        let again = Document::parse(&printed, kind).map_err(|error| format!("printed: {error}"))?;
        if again != document {
            return Err(format!("printed, it is another document: {printed}"));
        }
    }
    Ok(())
}

/// Fails with all the problems at once.
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_managed_policy_of_aws_parses_and_compiles() {
    let policies = rolecall_catalog::managed_policies();
    assert!(policies.len() > 1_000, "only {} managed policies", policies.len());
    let mut problems = Vec::new();
    for policy in policies {
        if let Err(problem) = survives(&policy.document(), DocumentKind::Identity) {
            problems.push(format!("{}: {problem}", policy.arn()));
        }
    }
    println!("{} managed policies", policies.len());
    assert_none(&problems);
}

/// The JSON files of a folder and those below it.
fn json_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            json_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

/// What a published example is, by the folder it is in.
fn kind_of(path: &Path) -> DocumentKind {
    let path = path.to_string_lossy();
    if path.contains("resource_control_policies/service_specific_controls") {
        // Policies to attach to the resources of services that resource control policies do not cover.
        DocumentKind::Resource
    } else if path.contains("resource_control_policies") {
        DocumentKind::ResourceControl
    } else if path.contains("vpc_endpoint_policies") {
        DocumentKind::Endpoint
    } else {
        DocumentKind::ServiceControl
    }
}

/// The examples leave some texts to the reader, such as `<my-account-id>`, and one has a comment.
fn filled_in(text: &str) -> String {
    let is_comment = |line: &&str| line.trim_start().starts_with("//");
    let lines: Vec<&str> = text.lines().filter(|line| !is_comment(line)).collect();
    let text = lines.join("\n");
    let mut parts = text.split(['<', '>']);
    let mut filled = parts.next().unwrap_or_default().to_owned();
    while let Some(inside) = parts.next() {
        filled.push_str(match inside {
            "action" => "s3:GetObject",
            _ if inside.contains("-resource") => "arn:aws:s3:::orders",
            _ if inside.contains("account") => "123456789012",
            other => other,
        });
        filled.push_str(parts.next().unwrap_or_default());
    }
    filled
}

#[test]
fn published_organization_policies_parse_and_compile() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = repository.join("../shared/data/organization-policies");
    if !folder.is_dir() {
        println!("SKIPPED: {} is not there", folder.display());
        return;
    }
    let mut files = Vec::new();
    json_files(&folder, &mut files);
    assert!(!files.is_empty(), "{} is empty", folder.display());
    let mut problems = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        if let Err(problem) = survives(&filled_in(&text), kind_of(file)) {
            problems.push(format!("{}: {problem}", file.display()));
        }
    }
    println!("{} organization policies", files.len());
    assert_none(&problems);
}
