//! The two date forms a signed request may carry.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads `YYYYMMDDTHHMMSSZ`, strictly.
pub(crate) fn parse_basic(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
    let [y1, y2, y3, y4, m1, m2, d1, d2, b'T', h1, h2, n1, n2, s1, s2, b'Z'] = *bytes else {
        return None;
    };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let civil = DateTime::new(
        year,
        i8::try_from(two(m1, m2)?).ok()?,
        i8::try_from(two(d1, d2)?).ok()?,
        i8::try_from(two(h1, h2)?).ok()?,
        i8::try_from(two(n1, n2)?).ok()?,
        i8::try_from(two(s1, s2)?).ok()?,
        0,
    )
    .ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

/// Reads a `Date` header: RFC 2822 as HTTP uses it, or the basic ISO 8601 form.
pub(crate) fn parse_date_header(text: &str) -> Option<Timestamp> {
    parse_basic(text).or_else(|| {
        jiff::fmt::rfc2822::parse(text)
            .ok()
            .map(|zoned| zoned.timestamp())
    })
}

/// Writes `YYYYMMDDTHHMMSSZ`.
pub(crate) fn format_basic(timestamp: Timestamp) -> String {
    let civil = TimeZone::UTC.to_datetime(timestamp);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        civil.year(),
        civil.month(),
        civil.day(),
        civil.hour(),
        civil.minute(),
        civil.second()
    )
}

fn two(tens: u8, ones: u8) -> Option<i16> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i16::from(tens - b'0') * 10 + i16::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing unwrap is the failing test")]
    use super::*;

    #[test]
    fn basic_form_round_trips_and_is_strict() {
        let timestamp = parse_basic("20150830T123600Z").unwrap();
        assert_eq!(timestamp.as_second(), 1_440_938_160);
        assert_eq!(format_basic(timestamp), "20150830T123600Z");
        for bad in [
            "",
            "20150830T123600",
            "20150830 123600Z",
            "20151330T123600Z",
            "2015083OT123600Z",
            "20150830T123600z",
        ] {
            assert_eq!(parse_basic(bad), None, "{bad}");
        }
    }

    #[test]
    fn date_header_is_read_in_both_forms() {
        assert_eq!(
            parse_date_header("Sun, 30 Aug 2015 12:36:00 GMT"),
            parse_basic("20150830T123600Z")
        );
        assert_eq!(
            parse_date_header("20150830T123600Z"),
            parse_basic("20150830T123600Z")
        );
        assert_eq!(parse_date_header("yesterday"), None);
    }
}
