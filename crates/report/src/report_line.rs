//! Times and memory from the `REPORT` line that AWS Lambda writes to a function's log.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html>

use std::str::FromStr;

/// What a `REPORT` line says; `None` for what it does not.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct ReportLine {
    pub(crate) duration_ms: Option<f64>,
    pub(crate) init_ms: Option<f64>,
    pub(crate) memory_mb: Option<u32>,
    pub(crate) max_memory_mb: Option<u32>,
}

impl ReportLine {
    pub(crate) fn parse(line: &str) -> Self {
        Self {
            duration_ms: milliseconds(line, "Duration"),
            init_ms: milliseconds(line, "Init Duration"),
            memory_mb: value(line, "Memory Size", " MB"),
            max_memory_mb: value(line, "Max Memory Used", " MB"),
        }
    }
}

/// A time that can be shown: the line is text, and text can say infinity.
fn milliseconds(line: &str, name: &str) -> Option<f64> {
    value(line, name, " ms").filter(|ms: &f64| ms.is_finite() && *ms >= 0.0)
}

/// The value of one of the fields, which are separated by tabs.
fn value<T: FromStr>(line: &str, name: &str, unit: &str) -> Option<T> {
    line.split('\t').find_map(|field| {
        let value = field.trim().strip_prefix(name)?.strip_prefix(": ")?;
        value.strip_suffix(unit)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let cold = "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 102 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tInit Duration: 100.50 ms\t";
        let expected = ReportLine {
            duration_ms: Some(1.23),
            init_ms: Some(100.5),
            memory_mb: Some(128),
            max_memory_mb: Some(36),
        };
        assert_eq!(ReportLine::parse(cold), expected);
        let warm = "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB";
        assert_eq!(
            ReportLine::parse(warm),
            ReportLine {
                init_ms: None,
                ..expected
            }
        );
        assert_eq!(
            ReportLine::parse("REPORT Duration: x ms\tDuration: inf ms"),
            ReportLine::default()
        );
    }
}
