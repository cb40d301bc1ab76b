//! Timestamps as the protocols write them.

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::TimestampFormat;

/// `text` in `format`. Fractions and zones other than UTC are accepted where the format has them.
pub(crate) fn parse(text: &str, format: TimestampFormat) -> Option<Timestamp> {
    match format {
        TimestampFormat::Iso8601 => text.parse().ok(),
        TimestampFormat::Rfc822 => rfc2822::parse(text)
            .ok()
            .map(|zoned| zoned.timestamp())
            .or_else(|| text.parse().ok()),
        TimestampFormat::UnixTimestamp => parse_seconds(text),
    }
}

/// Seconds since 1970 in decimal notation, exactly, to the nanosecond; exponents as JSON allows them.
pub(crate) fn parse_seconds(text: &str) -> Option<Timestamp> {
    if text.contains(['e', 'E']) {
        let seconds: f64 = text.parse().ok()?;
        // Exponents are how some clients print large doubles; milliseconds are what a double keeps.
        let milliseconds = (seconds * 1000.0).round();
        if !milliseconds.is_finite() || milliseconds.abs() > 9e15 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
        return Timestamp::from_millisecond(milliseconds as i64).ok();
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let negative = whole.starts_with('-');
    let seconds: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanoseconds: i32 = digits.parse().ok()?;
    Timestamp::new(seconds, if negative { -nanoseconds } else { nanoseconds }).ok()
}

/// `timestamp` in `format`, to the millisecond: `2015-01-25T08:00:00Z` or `…00.123Z`,
/// `Sun, 25 Jan 2015 08:00:00 GMT`, `1422172800` or `1422172800.123`.
pub(crate) fn print(timestamp: Timestamp, format: TimestampFormat) -> String {
    let milliseconds = timestamp.as_millisecond().rem_euclid(1000);
    match format {
        TimestampFormat::Iso8601 if milliseconds == 0 => timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        TimestampFormat::Iso8601 => {
            format!("{}.{milliseconds:03}Z", timestamp.strftime("%Y-%m-%dT%H:%M:%S"))
        }
        TimestampFormat::Rfc822 => timestamp.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        TimestampFormat::UnixTimestamp => print_seconds(timestamp),
    }
}

fn print_seconds(timestamp: Timestamp) -> String {
    let total = timestamp.as_millisecond();
    let sign = if total < 0 { "-" } else { "" };
    let total = total.unsigned_abs();
    let (seconds, milliseconds) = (total / 1000, total % 1000);
    if milliseconds == 0 {
        format!("{sign}{seconds}")
    } else {
        format!("{sign}{seconds}.{milliseconds:03}")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn every_format_reads_what_it_prints() {
        for milliseconds in [0, 1, -1, -1500, 1_422_172_800_000, 1_422_172_800_123] {
            let timestamp = Timestamp::from_millisecond(milliseconds).unwrap();
            for format in [TimestampFormat::Iso8601, TimestampFormat::UnixTimestamp] {
                let text = print(timestamp, format);
                assert_eq!(parse(&text, format), Some(timestamp), "{text}");
            }
        }
        let second = Timestamp::from_second(1_422_172_800).unwrap();
        let text = print(second, TimestampFormat::Rfc822);
        assert_eq!(text, "Sun, 25 Jan 2015 08:00:00 GMT");
        assert_eq!(parse(&text, TimestampFormat::Rfc822), Some(second));
    }

    #[test]
    fn hostile_numbers_are_refused() {
        for text in [
            "",
            "-",
            ".",
            "1.x",
            "1e999",
            "nan",
            "99999999999999999999",
            "1e300",
            "--1",
        ] {
            assert_eq!(parse_seconds(text), None, "{text}");
        }
        assert_eq!(parse_seconds("1.5e3"), Timestamp::from_second(1500).ok());
    }
}
