//! Terms: `ERROR "time out" -DEBUG`, `?ERROR ?WARN`, `%AUTHORI[SZ]ED%`.

use regex::Regex;

use super::PatternError;
use super::scanner::Scanner;

#[derive(Debug)]
enum Term {
    Text(String),
    Regular(Regex),
}

impl Term {
    fn occurs_in(&self, message: &str) -> bool {
        match self {
            Self::Text(text) => message.contains(text.as_str()),
            Self::Regular(expression) => expression.is_match(message),
        }
    }
}

/// Terms by their sign.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    /// All of them must occur.
    required: Vec<Term>,
    /// None of them may occur.
    excluded: Vec<Term>,
    /// One of them must occur, but only when there is no term of another kind: otherwise AWS ignores them.
    optional: Vec<Term>,
}

impl Terms {
    pub(super) fn parse(text: &str) -> Result<Self, PatternError> {
        let mut scanner = Scanner::new(text);
        let mut terms = Self::default();
        while !scanner.is_at_end() {
            let kind = if scanner.eat("-") {
                &mut terms.excluded
            } else if scanner.eat("?") {
                &mut terms.optional
            } else {
                &mut terms.required
            };
            kind.push(term(&mut scanner)?);
        }
        Ok(terms)
    }

    pub(super) fn match_message(&self, message: &str) -> bool {
        if self.required.is_empty() && self.excluded.is_empty() {
            return self.optional.iter().any(|term| term.occurs_in(message));
        }
        self.required.iter().all(|term| term.occurs_in(message))
            && !self.excluded.iter().any(|term| term.occurs_in(message))
    }
}

fn term(scanner: &mut Scanner<'_>) -> Result<Term, PatternError> {
    if let Some(text) = scanner.quoted()? {
        return if text.is_empty() {
            Err(PatternError::Characters("\"\"".to_owned()))
        } else {
            Ok(Term::Text(text))
        };
    }
    if let Some(expression) = scanner.regular_expression()? {
        return Ok(Term::Regular(expression));
    }
    let word = scanner.word(&[]);
    if word.is_empty() || !word.chars().all(|next| next.is_alphanumeric() || next == '_') {
        return Err(PatternError::Characters(word.to_owned()));
    }
    Ok(Term::Text(word.to_owned()))
}
