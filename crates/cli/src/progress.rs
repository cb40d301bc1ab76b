//! Progress of long work: a bar in a terminal, nothing in a pipe.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that is drawn on standard error when that is a terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Starts with what is being done.
    pub(crate) fn start(message: impl Into<String>) -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        bar.set_message(message.into());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar }
    }

    /// Starts a bar of `steps` steps.
    pub(crate) fn steps(message: impl Into<String>, steps: usize) -> Self {
        let progress = Self::start(message);
        progress.bar.set_length(steps as u64);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{bar:24}] {pos}/{len}") {
            progress.bar.set_style(style.progress_chars("━╸ "));
        }
        progress
    }

    /// Says what is being done now.
    pub(crate) fn say(&self, message: impl Into<String>) {
        self.bar.set_message(message.into());
    }

    /// One step is done.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Shows the installation of runtimes.
#[derive(Default)]
pub(crate) struct RuntimeProgress {
    shown: Mutex<Option<Progress>>,
}

impl RuntimeProgress {
    fn show(&self, progress: Option<Progress>) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }
}

impl rolecall_runtime::Progress for RuntimeProgress {
    fn begin(&self, what: &str) {
        self.show(Some(Progress::start(what)));
    }

    fn step(&self, detail: &str) {
        if let Some(progress) = &*self.shown.lock().unwrap_or_else(PoisonError::into_inner) {
            progress.say(detail);
        }
    }

    fn end(&self) {
        self.show(None);
    }
}
