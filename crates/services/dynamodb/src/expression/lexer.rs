//! Expression text to tokens.

/// A piece of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A name, keyword or function name.
    Identifier,
    /// `#name`
    NamePlaceholder,
    /// `:value`
    ValuePlaceholder,
    /// Digits.
    Integer,
    /// Punctuation or a comparator.
    Symbol,
    /// Something no expression contains.
    Unknown,
    /// The end.
    End,
}

/// A token and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// What it is.
    pub(crate) kind: TokenKind,
    /// As written; `<EOF>` for the end.
    pub(crate) text: &'a str,
    /// Byte offset of its first byte.
    pub(crate) start: usize,
    /// Byte offset after its last byte.
    pub(crate) end: usize,
}

impl Token<'_> {
    /// Whether it is this symbol.
    pub(crate) fn is(&self, symbol: &str) -> bool {
        self.kind == TokenKind::Symbol && self.text == symbol
    }

    /// Whether it is this keyword, in any case.
    pub(crate) fn is_keyword(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Identifier && self.text.eq_ignore_ascii_case(keyword)
    }
}

/// Splits `text` into tokens; the last one is the end.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = bytes.get(start) {
        if first.is_ascii_whitespace() {
            start += 1;
            continue;
        }
        let word_end = |from: usize| {
            bytes
                .iter()
                .skip(from)
                .position(|byte| !is_word(*byte))
                .map_or(bytes.len(), |length| from + length)
        };
        let (kind, end) = match first {
            b'#' | b':' => {
                let end = word_end(start + 1);
                let kind = match (end - start > 1, first) {
                    (false, _) => TokenKind::Unknown,
                    (true, b'#') => TokenKind::NamePlaceholder,
                    (true, _) => TokenKind::ValuePlaceholder,
                };
                (kind, end)
            }
            byte if byte.is_ascii_digit() => {
                let end = word_end(start);
                let digits = bytes.iter().take(end).skip(start).all(u8::is_ascii_digit);
                (
                    if digits {
                        TokenKind::Integer
                    } else {
                        TokenKind::Unknown
                    },
                    end,
                )
            }
            byte if is_word(*byte) => (TokenKind::Identifier, word_end(start)),
            b'<' if matches!(bytes.get(start + 1), Some(b'=' | b'>')) => (TokenKind::Symbol, start + 2),
            b'>' if bytes.get(start + 1) == Some(&b'=') => (TokenKind::Symbol, start + 2),
            b'<' | b'>' | b'=' | b'(' | b')' | b'[' | b']' | b',' | b'.' | b'+' | b'-' => {
                (TokenKind::Symbol, start + 1)
            }
            _ => {
                let length = text
                    .get(start..)
                    .and_then(|rest| rest.chars().next())
                    .map_or(1, char::len_utf8);
                (TokenKind::Unknown, start + length)
            }
        };
        tokens.push(Token {
            kind,
            text: text.get(start..end).unwrap_or(""),
            start,
            end,
        });
        start = end;
    }
    tokens.push(Token {
        kind: TokenKind::End,
        text: "<EOF>",
        start: text.len(),
        end: text.len(),
    });
    tokens
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
