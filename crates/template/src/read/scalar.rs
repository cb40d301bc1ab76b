//! What an unquoted YAML scalar means, as CloudFormation reads it.
//!
//! CloudFormation follows YAML 1.1 for booleans (`yes`, `on`) but knows no timestamps, so `2012-10-17` stays a string. Numbers are
//! plain decimals only: `0123` stays a string because it is nearly always an account ID, and so do octal, hexadecimal,
//! base-60 (`22:22`) and `1_000`. <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html>

use crate::node::Content;

pub(super) fn plain(text: &str) -> Content {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Content::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Content::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Content::Bool(false),
        _ if is_integer(text) || is_decimal(text) => Content::Number(text.to_owned()),
        _ => Content::Text(text.to_owned()),
    }
}

/// An integer that 64 bits hold; anything longer would lose digits as a number.
fn is_integer(text: &str) -> bool {
    let digits = unsigned(text);
    is_digits(digits)
        && (digits == "0" || !digits.starts_with('0'))
        && (text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok())
}

fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match unsigned(text).split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned(text), None),
    };
    // YAML 1.1 asks for the point: without it, `12e4` is as likely a commit's name.
    let Some((whole, fraction)) = mantissa.split_once('.') else {
        return false;
    };
    (is_digits(whole) && (whole == "0" || !whole.starts_with('0')) || whole.is_empty())
        && (is_digits(fraction) || fraction.is_empty() && !whole.is_empty())
        && exponent.is_none_or(|exponent| is_digits(unsigned(exponent)))
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_scalars_as_cloudformation_does() {
        let number = |text: &str| Content::Number(text.to_owned());
        let text = |text: &str| Content::Text(text.to_owned());
        let cases = [
            ("", Content::Null),
            ("~", Content::Null),
            ("yes", Content::Bool(true)),
            ("Off", Content::Bool(false)),
            ("y", text("y")),
            ("0", number("0")),
            ("-7", number("-7")),
            ("123456789012", number("123456789012")),
            ("012345678901", text("012345678901")),
            ("99999999999999999999", text("99999999999999999999")),
            ("1.10", number("1.10")),
            ("1.5e3", number("1.5e3")),
            ("12e4", text("12e4")),
            ("1.e", text("1.e")),
            (".", text(".")),
            ("0x1F", text("0x1F")),
            ("1_000", text("1_000")),
            ("22:22", text("22:22")),
            ("2012-10-17", text("2012-10-17")),
            ("2026-11-20T17:04:12Z", text("2026-11-20T17:04:12Z")),
            (".inf", text(".inf")),
            (".nan", text(".nan")),
            ("1.0.0", text("1.0.0")),
        ];
        for (input, expected) in cases {
            assert_eq!(plain(input), expected, "{input:?}");
        }
    }
}
