//! The binary `rolecall`: runs AWS Lambda functions under exactly the permissions they need, and proves it.

mod arguments;
mod commands;
mod data_folder;
mod endpoint;
mod failure;
mod progress;
mod trying;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::Try(arguments) => commands::try_function::run(&arguments),
        Command::Serve(arguments) => commands::serve::run(arguments),
        Command::Env(arguments) => commands::env::run(&arguments),
        Command::Doctor(arguments) => commands::doctor::run(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
