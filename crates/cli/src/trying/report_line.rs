//! The `REPORT` line of a function's log, as Lambda writes it and its clients read it.

/// Times and memory of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct ReportLine {
    /// In the handler.
    pub(crate) duration_ms: f64,
    /// Starting the environment; absent for a warm start.
    pub(crate) init_ms: Option<f64>,
    /// Memory size in megabytes.
    pub(crate) memory_mb: u32,
    /// The most memory used, in megabytes.
    pub(crate) max_memory_mb: u32,
}

impl ReportLine {
    /// Reads what is there; what is not is zero.
    pub(crate) fn parse(line: &str) -> Self {
        let field = |name: &str| {
            line.split('\t')
                .find_map(|field| field.strip_prefix(name)?.strip_prefix(": ")?.split(' ').next())
        };
        let number = |name: &str| field(name).and_then(|text| text.parse::<f64>().ok());
        let whole = |name: &str| {
            field(name)
                .and_then(|text| text.parse::<u32>().ok())
                .unwrap_or_default()
        };
        Self {
            duration_ms: number("Duration").unwrap_or_default(),
            init_ms: number("Init Duration"),
            memory_mb: whole("Memory Size"),
            max_memory_mb: whole("Max Memory Used"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ReportLine;

    #[test]
    fn reads_lambdas_line() {
        let line = "REPORT RequestId: id\tDuration: 3.25 ms\tBilled Duration: 104 ms\tMemory Size: 256 MB\t\
                    Max Memory Used: 41 MB\tInit Duration: 100.50 ms\t";
        let expected = ReportLine {
            duration_ms: 3.25,
            init_ms: Some(100.5),
            memory_mb: 256,
            max_memory_mb: 41,
        };
        assert_eq!(ReportLine::parse(line), expected);
        assert_eq!(ReportLine::parse("START RequestId: id").init_ms, None);
    }
}
