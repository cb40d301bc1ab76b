//! Text for a terminal: measured, wrapped, shortened, coloured, and never able to give the terminal orders.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How a piece of text is set off, where colours are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Names of sections.
    Label,
    /// What is as it should be.
    Good,
    /// What is not.
    Bad,
    /// What matters less.
    Faint,
}

/// Puts `tone` around `text` by the terminal's escape sequences (ECMA-48, "Select graphic rendition").
pub(crate) fn paint(text: &str, tone: Tone, color: bool) -> String {
    if !color || text.is_empty() {
        return text.to_owned();
    }
    let code = match tone {
        Tone::Label => 1,
        Tone::Good => 32,
        Tone::Bad => 31,
        Tone::Faint => 2,
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// `text` with every character that a terminal would obey or that reorders its line written out as `\u{…}`: names of
/// objects and a function's answer are whatever somebody sent.
pub(crate) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        let is_reordering = matches!(
            character,
            '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}'
        );
        if character.is_control() || is_reordering {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Columns `text` takes.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// `text` with spaces up to `width` columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(columns(text));
    format!("{text}{:missing$}", "")
}

/// At most `width` columns of `text`: the middle gives way, because ARNs and keys differ at both ends.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let head = take(text.chars(), room.div_ceil(2));
    let tail: Vec<char> = take(text.chars().rev(), room / 2).into_iter().rev().collect();
    head.into_iter().chain(['…']).chain(tail).collect()
}

fn take(characters: impl Iterator<Item = char>, width: usize) -> Vec<char> {
    let mut left = width;
    let mut taken = Vec::new();
    for character in characters {
        match left.checked_sub(character.width().unwrap_or(0)) {
            Some(rest) => left = rest,
            None => break,
        }
        taken.push(character);
    }
    taken
}

/// Lines of at most `width` columns, broken at spaces. A longer word has a line of its own, so that it can be copied;
/// with `break_words` it is cut.
pub(crate) fn wrap(text: &str, width: usize, break_words: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let mut word = word.to_owned();
        if !line.is_empty() {
            if columns(&line) + 1 + columns(&word) <= width {
                line.push(' ');
                line.push_str(&word);
                continue;
            }
            lines.push(std::mem::take(&mut line));
        }
        while break_words && columns(&word) > width {
            let piece: String = take(word.chars(), width).into_iter().collect();
            let Some(rest) = word.get(piece.len()..).filter(|_| !piece.is_empty()) else {
                break;
            };
            let rest = rest.to_owned();
            lines.push(piece);
            word = rest;
        }
        line = word;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_orders() {
        assert_eq!(
            printable("a\u{1b}[31mb\n\u{202e}c\u{9b}ü"),
            "a\\u{1b}[31mb\\n\\u{202e}c\\u{9b}ü"
        );
    }

    #[test]
    fn the_middle_gives_way() {
        for (text, width, expected) in [
            ("incoming/order.json", 19, "incoming/order.json"),
            ("incoming/order.json", 11, "incom….json"),
            ("注文注文", 5, "注…文"),
            ("abc", 1, "…"),
            ("abc", 0, "…"),
        ] {
            assert_eq!(shorten(text, width), expected);
        }
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap("one two three", 7, false), ["one two", "three"]);
        assert_eq!(wrap("a verylongword b", 4, false), ["a", "verylongword", "b"]);
        assert_eq!(
            wrap("a verylongword b", 4, true),
            ["a", "very", "long", "word", "b"]
        );
        assert_eq!(wrap("注文", 1, true), ["注文"]);
        assert_eq!(wrap("", 4, true), Vec::<String>::new());
    }
}
