//! Matching with `*` and `?` as IAM matches action names: over the whole text, without regard to ASCII case.

/// Whether `text` matches `pattern`, where `*` stands for any characters (or none) and `?` for exactly one byte.
///
/// Takes at most the product of both lengths: on a mismatch only the last `*` is tried again.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at_pattern, mut at_text) = (0_usize, 0_usize);
    let mut last_star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(at_text) {
        match pattern.get(at_pattern) {
            Some(b'*') => {
                last_star = Some((at_pattern, at_text));
                at_pattern += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(byte) => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => match last_star {
                Some((star, taken)) => {
                    last_star = Some((star, taken + 1));
                    at_pattern = star + 1;
                    at_text = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at_pattern).all(|byte| *byte == b'*')
}

/// Whether a text has a wildcard.
pub(crate) fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, word for word; takes exponential time.
    fn reference(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => (0..=text.len()).any(|taken| reference(rest, &text[taken..])),
            (None, Some(_)) | (Some(_), None) => false,
            (Some((wanted, rest)), Some((byte, text))) => {
                (*wanted == b'?' || wanted.eq_ignore_ascii_case(byte)) && reference(rest, text)
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[aAb*?]{0,8}", text in "[aAbB]{0,10}") {
            prop_assert_eq!(matches(&pattern, &text), reference(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
