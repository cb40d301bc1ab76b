//! What a command fails with: a sentence that says what is wrong and what to do, and an exit code.

use std::fmt;

/// A command's failure.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    exit_code: u8,
}

/// The command could not do its work.
const FAILED: u8 = 1;

/// The command was asked for something that cannot be.
const UNUSABLE: u8 = 2;

impl Failure {
    /// Something went wrong.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            exit_code: FAILED,
        }
    }

    /// The input cannot be worked with: a bad argument, template or file.
    pub(crate) fn unusable(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            exit_code: UNUSABLE,
        }
    }

    /// 1 for work that failed, 2 for input that cannot be used.
    pub(crate) fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// Says what was being done: `reading x: no such file`.
    #[must_use]
    pub(crate) fn context(mut self, doing: impl fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Adds what was being done to any error.
pub(crate) trait Context<T> {
    /// Turns the error into a [`Failure`] that begins with `doing`.
    fn context(self, doing: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Context<T> for Result<T, E> {
    fn context(self, doing: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format!("{doing}: {error}")))
    }
}
