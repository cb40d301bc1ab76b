//! Numbers: up to 38 significant digits, magnitudes from 1E-130 to 9.99…E+125, exact.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number>

use std::cmp::Ordering;
use std::fmt;

/// Most significant digits.
const MAX_DIGITS: usize = 38;
/// Largest exponent of the first digit.
const MAX_EXPONENT: i32 = 125;
/// Smallest exponent of the first digit.
const MIN_EXPONENT: i32 = -130;
/// Longest text that is read as a number: far longer than any exact one, so leading and trailing zeros are fine.
const MAX_TEXT: usize = 1024;

/// Why a text is not a number DynamoDB keeps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NumberError {
    /// Empty text.
    #[error("The parameter cannot be converted to a numeric value")]
    Empty,
    /// Not a number.
    #[error("The parameter cannot be converted to a numeric value: {0}")]
    Malformed(String),
    /// More than 38 digits.
    #[error("Attempting to store more than 38 significant digits in a Number")]
    TooPrecise,
    /// Too large.
    #[error("Number overflow. Attempting to store a number with magnitude larger than supported range")]
    Overflow,
    /// Too close to zero.
    #[error("Number underflow. Attempting to store a number with magnitude smaller than supported range")]
    Underflow,
}

/// A number in canonical form: digits without leading or trailing zeros, zero without a sign.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Number {
    negative: bool,
    /// Digits 0–9, first one not zero; empty for zero.
    digits: Vec<u8>,
    /// Power of ten of the first digit; 0 for zero.
    exponent: i32,
}

impl Number {
    /// Zero.
    pub(crate) fn zero() -> Self {
        Self {
            negative: false,
            digits: Vec::new(),
            exponent: 0,
        }
    }

    /// Reads decimal notation with an optional exponent.
    pub(crate) fn parse(text: &str) -> Result<Self, NumberError> {
        if text.is_empty() {
            return Err(NumberError::Empty);
        }
        let malformed = || NumberError::Malformed(text.chars().take(64).collect());
        if text.len() > MAX_TEXT {
            return Err(malformed());
        }
        let (negative, rest) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] | rest => (false, rest),
        };
        let exponent_at = rest
            .iter()
            .position(|byte| matches!(byte, b'e' | b'E'))
            .unwrap_or(rest.len());
        let (mantissa, tail) = rest.split_at(exponent_at);
        let shift = match tail {
            [] => 0,
            [_, tail @ ..] => parse_exponent(tail).ok_or_else(malformed)?,
        };
        let mut digits = Vec::with_capacity(mantissa.len());
        let mut point = None;
        for byte in mantissa {
            match byte {
                b'0'..=b'9' => digits.push(byte - b'0'),
                b'.' if point.is_none() => point = Some(digits.len()),
                _ => return Err(malformed()),
            }
        }
        if digits.is_empty() {
            return Err(malformed());
        }
        let point = i32::try_from(point.unwrap_or(digits.len())).map_err(|_| malformed())?;
        Self::normalised(negative, digits, shift.saturating_add(point).saturating_sub(1))
    }

    /// From digits with any zeros around them; `exponent` is that of the first digit given.
    fn normalised(negative: bool, mut digits: Vec<u8>, mut exponent: i32) -> Result<Self, NumberError> {
        let leading = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..leading);
        exponent = exponent.saturating_sub(i32::try_from(leading).unwrap_or(i32::MAX));
        while digits.last() == Some(&0) {
            digits.pop();
        }
        if digits.is_empty() {
            return Ok(Self::zero());
        }
        if digits.len() > MAX_DIGITS {
            return Err(NumberError::TooPrecise);
        }
        if exponent > MAX_EXPONENT {
            return Err(NumberError::Overflow);
        }
        if exponent < MIN_EXPONENT {
            return Err(NumberError::Underflow);
        }
        Ok(Self {
            negative,
            digits,
            exponent,
        })
    }

    /// The negative of it.
    #[must_use]
    pub(crate) fn negated(mut self) -> Self {
        self.negative = !self.negative && !self.digits.is_empty();
        self
    }

    /// The exact sum.
    ///
    /// # Errors
    /// It needs more than 38 digits or is out of range.
    pub(crate) fn add(&self, other: &Self) -> Result<Self, NumberError> {
        if self.digits.is_empty() {
            return Ok(other.clone());
        }
        if other.digits.is_empty() {
            return Ok(self.clone());
        }
        let top = self.exponent.max(other.exponent);
        let bottom = self.last_exponent().min(other.last_exponent());
        // At most 126 + 130 + 38 places, so a plain column addition is fast and exact.
        let width = usize::try_from(top - bottom + 1).map_err(|_| NumberError::TooPrecise)?;
        let left = self.aligned(top, width);
        let right = other.aligned(top, width);
        if self.negative == other.negative {
            let mut sum = vec![0; width + 1];
            let mut carry = 0;
            for place in (0..width).rev() {
                let column = left[place] + right[place] + carry;
                sum[place + 1] = column % 10;
                carry = column / 10;
            }
            sum[0] = carry;
            return Self::normalised(self.negative, sum, top + 1);
        }
        let (larger, smaller, negative) = match left.cmp(&right) {
            Ordering::Equal => return Ok(Self::zero()),
            Ordering::Greater => (left, right, self.negative),
            Ordering::Less => (right, left, other.negative),
        };
        let mut difference = vec![0; width];
        let mut borrow = 0;
        for place in (0..width).rev() {
            let taken = smaller[place] + borrow;
            borrow = u8::from(larger[place] < taken);
            difference[place] = larger[place] + 10 * borrow - taken;
        }
        Self::normalised(negative, difference, top)
    }

    fn last_exponent(&self) -> i32 {
        self.exponent - i32::try_from(self.digits.len()).unwrap_or(0) + 1
    }

    fn aligned(&self, top: i32, width: usize) -> Vec<u8> {
        let mut places = vec![0; width];
        let offset = usize::try_from(top - self.exponent).unwrap_or(0);
        for (place, digit) in places.iter_mut().skip(offset).zip(&self.digits) {
            *place = *digit;
        }
        places
    }

    /// Bytes that sort as the numbers do and end themselves.
    pub(crate) fn encode_ordered(&self, out: &mut Vec<u8>) {
        if self.digits.is_empty() {
            out.push(1);
            return;
        }
        let start = out.len() + 1;
        out.push(if self.negative { 0 } else { 2 });
        let biased = u16::try_from(self.exponent - MIN_EXPONENT).unwrap_or(u16::MAX);
        out.extend_from_slice(&biased.to_be_bytes());
        // Two digits a byte, plus one, so that the end (0) sorts before any further digit.
        for pair in self.digits.chunks(2) {
            out.push(pair.first().copied().unwrap_or(0) * 10 + pair.get(1).copied().unwrap_or(0) + 1);
        }
        out.push(0);
        if self.negative {
            for byte in out.iter_mut().skip(start) {
                *byte = !*byte;
            }
        }
    }

    /// Approximate size as DynamoDB counts it: one byte for each two significant digits plus one, and one for a sign.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
    pub(crate) fn size(&self) -> usize {
        if self.digits.is_empty() {
            1
        } else {
            self.digits.len().div_ceil(2) + 1 + usize::from(self.negative)
        }
    }
}

fn parse_exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: i32 = 0;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value
            .saturating_mul(10)
            .saturating_add(i32::from(byte - b'0'))
            .min(1_000_000);
    }
    Some(if negative { -value } else { value })
}

/// Plain decimal notation, as DynamoDB returns numbers.
impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return formatter.write_str("0");
        }
        let mut text = String::with_capacity(self.digits.len() + 4);
        if self.negative {
            text.push('-');
        }
        if self.exponent < 0 {
            text.push_str("0.");
            text.extend(std::iter::repeat_n(
                '0',
                usize::try_from(-self.exponent - 1).unwrap_or(0),
            ));
            text.extend(self.digits.iter().map(|digit| char::from(b'0' + digit)));
        } else {
            let whole = usize::try_from(self.exponent + 1).unwrap_or(1);
            for (place, digit) in self.digits.iter().enumerate() {
                if place == whole {
                    text.push('.');
                }
                text.push(char::from(b'0' + digit));
            }
            text.extend(std::iter::repeat_n('0', whole.saturating_sub(self.digits.len())));
        }
        formatter.write_str(&text)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| {
            if number.digits.is_empty() {
                0
            } else if number.negative {
                -1
            } else {
                1
            }
        };
        sign(self).cmp(&sign(other)).then_with(|| {
            let magnitude = self
                .exponent
                .cmp(&other.exponent)
                .then_with(|| self.digits.cmp(&other.digits));
            if self.negative {
                magnitude.reverse()
            } else {
                magnitude
            }
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn canonical_form() {
        for (text, canonical) in [
            ("0", "0"),
            ("-0", "0"),
            ("0.000", "0"),
            ("1", "1"),
            ("+01.50", "1.5"),
            ("1e3", "1000"),
            ("-1.5E-3", "-0.0015"),
            (".5", "0.5"),
            ("5.", "5"),
            ("123.456", "123.456"),
            ("1200", "1200"),
            (
                "99999999999999999999999999999999999999",
                "99999999999999999999999999999999999999",
            ),
        ] {
            assert_eq!(Number::parse(text).unwrap().to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn what_is_no_number() {
        for text in [
            "abc", "1e", "--1", "1.2.3", ".", "NaN", "Infinity", " 1", "0x10", "1e1e1",
        ] {
            assert!(
                matches!(Number::parse(text), Err(NumberError::Malformed(_))),
                "{text}"
            );
        }
        assert_eq!(Number::parse(""), Err(NumberError::Empty));
        assert_eq!(Number::parse(&"1".repeat(39)), Err(NumberError::TooPrecise));
        assert_eq!(Number::parse("1e126"), Err(NumberError::Overflow));
        assert_eq!(Number::parse("1e-131"), Err(NumberError::Underflow));
        assert_eq!(Number::parse("1e99999999999"), Err(NumberError::Overflow));
        assert!(Number::parse("9.9999999999999999999999999999999999999E+125").is_ok());
    }

    #[test]
    fn sums_are_exact() {
        let sum = |a: &str, b: &str| {
            Number::parse(a)
                .unwrap()
                .add(&Number::parse(b).unwrap())
                .map(|n| n.to_string())
        };
        assert_eq!(sum("0.1", "0.2").unwrap(), "0.3");
        assert_eq!(sum("1", "-1").unwrap(), "0");
        assert_eq!(sum("-5", "3").unwrap(), "-2");
        assert_eq!(sum("999", "1").unwrap(), "1000");
        assert_eq!(sum("1e50", "1"), Err(NumberError::TooPrecise));
        assert_eq!(sum("9e125", "1e125"), Err(NumberError::Overflow));
    }

    fn numbers() -> impl Strategy<Value = Number> {
        (any::<bool>(), 0..1_000_000_000_u64, -40..40_i32).prop_map(|(negative, digits, exponent)| {
            Number::parse(&format!("{}{digits}e{exponent}", if negative { "-" } else { "" })).unwrap()
        })
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "[-+.eE0-9]{0,60}|.{0,20}") {
            let _ = Number::parse(&text);
        }

        #[test]
        fn written_numbers_read_back(number in numbers()) {
            prop_assert_eq!(Number::parse(&number.to_string()).unwrap(), number);
        }

        #[test]
        fn encoding_sorts_as_numbers_do(a in numbers(), b in numbers()) {
            let (mut left, mut right) = (Vec::new(), Vec::new());
            a.encode_ordered(&mut left);
            b.encode_ordered(&mut right);
            prop_assert_eq!(left.cmp(&right), a.cmp(&b));
        }

        #[test]
        fn integers_add_as_machine_ones(a in -1_000_000_000_000_i64..1_000_000_000_000, b in -1_000_000_000_000_i64..1_000_000_000_000) {
            let sum = Number::parse(&a.to_string()).unwrap().add(&Number::parse(&b.to_string()).unwrap()).unwrap();
            prop_assert_eq!(sum.to_string(), (a + b).to_string());
        }
    }
}
