//! Times and memory of one invocation, and the lines about them in the log.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html>

use std::fmt::Write;
use std::time::Duration;

/// What one invocation took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    /// From handing the event over to the answer, in milliseconds.
    pub duration_ms: f64,
    /// What AWS would bill: duration and init, in whole milliseconds.
    pub billed_ms: u64,
    /// How long the environment took to start; only for the invocation it was started for.
    pub init_ms: Option<f64>,
    /// Memory size of the function.
    pub memory_mb: u32,
    /// The most memory seen.
    pub max_memory_mb: u32,
    /// Whether a new environment was started.
    pub cold: bool,
}

/// How an invocation ended, for the `REPORT` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status<'a> {
    /// The function answered, be it with an error it reported itself.
    Answered,
    /// It took too long.
    Timeout,
    /// Its process ended or broke the protocol.
    Error(&'a str),
}

impl Report {
    pub(crate) fn new(
        duration: Duration,
        init: Option<Duration>,
        memory_mb: u32,
        max_memory_mb: u32,
    ) -> Self {
        let billed = duration.saturating_add(init.unwrap_or_default());
        let millis = billed.as_nanos().div_ceil(1_000_000);
        Self {
            duration_ms: milliseconds(duration),
            billed_ms: u64::try_from(millis).unwrap_or(u64::MAX).max(1),
            init_ms: init.map(milliseconds),
            memory_mb,
            max_memory_mb,
            cold: init.is_some(),
        }
    }

    /// The `REPORT` line.
    pub(crate) fn line(&self, request_id: &str, status: &Status<'_>) -> String {
        let mut line = format!(
            "REPORT RequestId: {request_id}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\t",
            self.duration_ms, self.billed_ms, self.memory_mb, self.max_memory_mb
        );
        if let Some(init) = self.init_ms {
            // Writing to a string cannot fail.
            let _ = write!(line, "Init Duration: {init:.2} ms\t");
        }
        match status {
            Status::Answered => {}
            Status::Timeout => line.push_str("Status: timeout\t"),
            Status::Error(kind) => {
                let _ = write!(line, "Status: error\tError Type: {kind}\t");
            }
        }
        line
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_lambdas() {
        let warm = Report::new(Duration::from_micros(1_230), None, 128, 36);
        assert_eq!(
            warm.line("id", &Status::Answered),
            "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\t"
        );
        let cold = Report::new(
            Duration::from_secs(3),
            Some(Duration::from_micros(100_500)),
            128,
            36,
        );
        assert_eq!(
            cold.line("id", &Status::Timeout),
            "REPORT RequestId: id\tDuration: 3000.00 ms\tBilled Duration: 3101 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tInit Duration: 100.50 ms\tStatus: timeout\t"
        );
        assert!(
            warm.line("id", &Status::Error("Runtime.ExitError"))
                .ends_with("\tStatus: error\tError Type: Runtime.ExitError\t")
        );
    }
}
