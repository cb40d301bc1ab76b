//! From the models' regular expressions (Java's syntax, ASCII classes) to the `regex` crate's.

use std::fmt::Write as _;

use regex::Regex;

use super::Outcome;

/// Translates `shown` and anchors it at both ends.
pub(crate) fn translate(shown: &str) -> Outcome<String> {
    // Two spellings of "every character beyond the basic plane", neither of which Java itself reads as meant.
    let text = shown
        .replace(r"\u10000-\u10FFFF", r"\x{10000}-\x{10FFFF}")
        .replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\x{10000}-\x{10FFFF}");
    let mut translated = String::from(r"\A(?:");
    let mut in_class = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                let escaped = letters
                    .next()
                    .ok_or_else(|| format!("`{shown}` ends in a backslash"))?;
                let class = match escaped {
                    'w' => Some("A-Za-z0-9_"),
                    'd' => Some("0-9"),
                    's' => Some(r" \t\n\x0B\x0C\r"),
                    _ => None,
                };
                match (escaped, class) {
                    (_, Some(class)) if in_class => translated.push_str(class),
                    (_, Some(class)) => write!(translated, "[{class}]")?,
                    ('S', None) if in_class => translated.push_str(r"\S"),
                    ('S', None) => translated.push_str(r"[^ \t\n\x0B\x0C\r]"),
                    ('u', None) => {
                        let code: String = letters.by_ref().take(4).collect();
                        write!(translated, r"\x{{{code}}}")?;
                    }
                    (other, None) => {
                        translated.push('\\');
                        translated.push(other);
                    }
                }
            }
            '[' if in_class => translated.push_str(r"\["),
            '[' => {
                in_class = true;
                translated.push('[');
            }
            ']' => {
                in_class = false;
                translated.push(']');
            }
            '&' | '~' if in_class => {
                translated.push('\\');
                translated.push(letter);
            }
            _ => translated.push(letter),
        }
    }
    translated.push_str(r")\z");
    Regex::new(&translated).map_err(|error| {
        format!("pattern `{shown}` has no counterpart, give one as `rustPattern` in the patch file: {error}")
    })?;
    Ok(translated)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use regex::Regex;

    #[test]
    fn translated_patterns_match_what_java_would() {
        for (pattern, text, expected) in [
            (r"[\w+=,.@-]+", "user-1@example.com", true),
            (r"[\w+=,.@-]+", "straße", false),
            (r"\d{12}", "123456789012", true),
            (r"\d{12}", "12345678901٣", false),
            (r"[\u0020-\u00FF]+", "ÿ", true),
            (r"[\u0020-\u00FF]+", "Ā", false),
            (r"[\u0020-\uFFFD\u10000-\u10FFFF]+", "\u{1F600}", true),
            (r"a|b", "ab", false),
            (r"[a-zA-Z0-9-_]+", "a-_9", true),
            (r"[^\s]+", "a b", false),
            (r"^(\*|x)$", "*", true),
        ] {
            let regex = Regex::new(&super::translate(pattern).unwrap()).unwrap();
            assert_eq!(regex.is_match(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn look_around_is_refused() {
        assert!(super::translate("(?!a)b").is_err());
    }
}
