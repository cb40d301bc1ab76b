//! Goes through a pattern from left to right.

use regex::{Regex, RegexBuilder};

use super::{PatternError, REGULAR_EXPRESSIONS};

/// Memory a compiled regular expression may take, in bytes.
const REGULAR_EXPRESSION_SIZE: usize = 1 << 20;

/// What is left of a pattern.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    rest: &'a str,
    regular_expressions: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            regular_expressions: 0,
        }
    }

    /// What is left, without the white space before it.
    pub(super) fn rest(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        self.rest
    }

    pub(super) fn is_at_end(&mut self) -> bool {
        self.rest().is_empty()
    }

    /// Steps over `token` and the white space before it, if it comes next.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        match self.rest().strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Steps over `word`, in upper case, if it comes next as a whole word.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        match self.rest().strip_prefix(word) {
            Some(rest) if !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_') => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// The longest run of characters for which `wanted` holds, from here on.
    pub(super) fn run(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|next| !wanted(next)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(end);
        self.rest = rest;
        run
    }

    /// A run that ends before any of `stops` or white space; the white space before it is left out.
    pub(super) fn word(&mut self, stops: &[char]) -> &'a str {
        self.rest();
        self.run(|next| !next.is_whitespace() && !stops.contains(&next))
    }

    /// The text between quotation marks, if one comes next: `\"` and `\\` stand for the second character.
    pub(super) fn quoted(&mut self) -> Result<Option<String>, PatternError> {
        if !self.eat("\"") {
            return Ok(None);
        }
        let mut text = String::new();
        let mut characters = self.rest.char_indices();
        while let Some((at, next)) = characters.next() {
            match next {
                '"' => {
                    self.rest = self.rest.get(at.saturating_add(1)..).unwrap_or_default();
                    return Ok(Some(text));
                }
                '\\' => match characters.next() {
                    Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                    Some((_, other)) => text.extend(['\\', other]),
                    None => break,
                },
                other => text.push(other),
            }
        }
        Err(PatternError::syntax("a quotation mark is not closed"))
    }

    /// The regular expression between percent signs, if one comes next.
    pub(super) fn regular_expression(&mut self) -> Result<Option<Regex>, PatternError> {
        if !self.eat("%") {
            return Ok(None);
        }
        let Some((expression, rest)) = self.rest.split_once('%') else {
            return Err(PatternError::syntax("a regular expression must end with %"));
        };
        self.rest = rest;
        self.regular_expressions = self.regular_expressions.saturating_add(1);
        if self.regular_expressions > REGULAR_EXPRESSIONS {
            return Err(PatternError::syntax(format!(
                "at most {REGULAR_EXPRESSIONS} regular expressions are supported"
            )));
        }
        // Parentheses, line breaks and characters of several bytes are not part of AWS's syntax.
        let is_supported =
            |next: char| next.is_ascii_alphanumeric() || " :_#=@/;,-^$?[]{}|\\*+.".contains(next);
        if expression.is_empty() || !expression.chars().all(is_supported) {
            return Err(PatternError::Characters(format!("%{expression}%")));
        }
        RegexBuilder::new(expression)
            .size_limit(REGULAR_EXPRESSION_SIZE)
            .build()
            .map(Some)
            .map_err(|_| {
                PatternError::syntax(format!(
                    "%{expression}% is not a regular expression, or is too large"
                ))
            })
    }
}
