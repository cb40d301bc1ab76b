//! Chores of the repository: generated code, the catalogue's data, rules no compiler checks.

mod catalog;
mod codegen;
mod rules;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of the repository.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Writes `crates/services/*/src/generated.rs` from the pinned botocore package.
    Codegen {
        /// Change nothing; fail if a file is not what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Writes `crates/catalog/data` from the pinned packages.
    Catalog {
        /// Change nothing; fail if a file is not what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Checks which crate knows which, and where `unsafe` stands.
    Rules,
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."));
    let outcome = match Arguments::parse().chore {
        Chore::Codegen { check } => codegen::run(check).map_err(|error| error.to_string()),
        Chore::Catalog { check } => catalog::run(root, check),
        Chore::Rules => rules::run(root),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
