//! Patterns with `*` and `?`: matched without backtracking into the exponential, whatever somebody writes.

use crate::template::{Piece, Template};

/// One element of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// This character.
    Literal(char),
    /// Any one character (`?`); one but a colon if `false`.
    One { colon: bool },
    /// Any characters (`*`); any but colons if `false`.
    Many { colon: bool },
}

/// Compares characters.
fn equal(left: char, right: char, ignore_case: bool) -> bool {
    left == right || (ignore_case && left.eq_ignore_ascii_case(&right))
}

/// Whether `text` as a whole matches `pattern`, with `*` and `?` as in IAM.
pub fn wildcard_match(pattern: &str, text: &str, ignore_case: bool) -> bool {
    // Greedy: only the last star ever has to be reconsidered, because all stars are alike.
    let mut pattern_rest = pattern.chars();
    let mut text_rest = text.chars();
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        match pattern_rest.next() {
            Some('*') => {
                retry = Some((pattern_rest.clone(), text_rest.clone()));
                continue;
            }
            Some(wanted) => {
                if let Some(found) = text_rest.next()
                    && (wanted == '?' || equal(wanted, found, ignore_case))
                {
                    continue;
                }
            }
            None if text_rest.as_str().is_empty() => return true,
            None => {}
        }
        let Some((after_star, from)) = &mut retry else {
            return false;
        };
        if from.next().is_none() {
            return false;
        }
        pattern_rest = after_star.clone();
        text_rest = from.clone();
    }
}

/// Whether `text` as a whole matches `tokens`.
pub(crate) fn matches(tokens: &[Token], text: &str, ignore_case: bool) -> bool {
    let restricted = tokens
        .iter()
        .any(|token| matches!(token, Token::Many { colon: false }));
    if restricted {
        matches_restricted(tokens, text, ignore_case)
    } else {
        matches_free(tokens, text, ignore_case)
    }
}

fn step(token: Token, character: char, ignore_case: bool) -> bool {
    match token {
        Token::Literal(wanted) => equal(wanted, character, ignore_case),
        Token::One { colon } | Token::Many { colon } => colon || character != ':',
    }
}

/// All stars may take any character: greedy, reconsidering the last star only.
fn matches_free(tokens: &[Token], text: &str, ignore_case: bool) -> bool {
    let mut position = 0;
    let mut rest = text.chars();
    let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        match tokens.get(position) {
            Some(Token::Many { .. }) => {
                position += 1;
                if position == tokens.len() {
                    return true;
                }
                retry = Some((position, rest.clone()));
                continue;
            }
            Some(token) => {
                if let Some(character) = rest.next()
                    && step(*token, character, ignore_case)
                {
                    position += 1;
                    continue;
                }
            }
            None if rest.as_str().is_empty() => return true,
            None => {}
        }
        let Some((after_star, from)) = &mut retry else {
            return false;
        };
        if from.next().is_none() {
            return false;
        }
        position = *after_star;
        rest = from.clone();
    }
}

/// Patterns of fewer tokens than this are followed without taking memory.
const SHORT: usize = 256;

/// Some stars must not cross a colon, so that any of them may have to be reconsidered: all positions are followed at once.
fn matches_restricted(tokens: &[Token], text: &str, ignore_case: bool) -> bool {
    // One bit a position, and one for the end.
    if tokens.len() < SHORT {
        let (mut here, mut next) = ([0; SHORT / 64], [0; SHORT / 64]);
        follow(tokens, text, ignore_case, &mut here, &mut next)
    } else {
        let words = tokens.len() / 64 + 1;
        follow(
            tokens,
            text,
            ignore_case,
            &mut vec![0; words],
            &mut vec![0; words],
        )
    }
}

/// `here` and `next` are empty sets of positions with room for all.
fn follow<'a>(
    tokens: &[Token],
    text: &str,
    ignore_case: bool,
    mut here: &'a mut [u64],
    mut next: &'a mut [u64],
) -> bool {
    reach(tokens, here, 0);
    for character in text.chars() {
        next.fill(0);
        let mut alive = false;
        for (index, word) in here.iter().enumerate() {
            let mut left = *word;
            while left != 0 {
                let position = index * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                if let Some(token) = tokens.get(position)
                    && step(*token, character, ignore_case)
                {
                    let stays = matches!(token, Token::Many { .. });
                    reach(tokens, next, if stays { position } else { position + 1 });
                    alive = true;
                }
            }
        }
        if !alive {
            return false;
        }
        std::mem::swap(&mut here, &mut next);
    }
    let end = tokens.len();
    here.get(end / 64)
        .is_some_and(|word| word & (1 << (end % 64)) != 0)
}

/// Adds a position; a star may match nothing, so that what comes after it is reached as well.
fn reach(tokens: &[Token], positions: &mut [u64], mut position: usize) {
    loop {
        let Some(word) = positions.get_mut(position / 64) else {
            return;
        };
        let bit = 1 << (position % 64);
        if *word & bit != 0 {
            return;
        }
        *word |= bit;
        if !matches!(tokens.get(position), Some(Token::Many { .. })) {
            return;
        }
        position += 1;
    }
}

/// A pattern of action names: `s3:Get*`, `*`. Matched without regard to case (rule 50).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionPattern {
    text: Box<str>,
}

impl ActionPattern {
    /// Takes a pattern of a document that was parsed.
    pub fn new(text: &str) -> Self {
        Self { text: text.into() }
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The service prefix in lower case; `None` if the pattern is for every service.
    pub(crate) fn service(&self) -> Option<String> {
        let prefix = self.text.split(':').next().unwrap_or_default();
        (!prefix.contains(['*', '?'])).then(|| prefix.to_ascii_lowercase())
    }

    /// Whether it matches an action such as `s3:GetObject`.
    pub fn matches(&self, action: &str) -> bool {
        &*self.text == "*" || wildcard_match(&self.text, action, true)
    }
}

/// A pattern of resource ARNs. Matched with regard to case (rule 52).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePattern {
    text: Box<str>,
    form: ResourceForm,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ResourceForm {
    Everything,
    Fixed(Vec<Token>),
    /// With policy variables, which are put in at each decision.
    Variable(Template),
    /// A variable stands before the fifth colon (rule 60): never resolved.
    Unresolvable,
}

/// What a pattern says of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Matched {
    Yes,
    No,
    /// A variable has no value.
    Unresolved,
}

impl ResourcePattern {
    /// Takes a pattern of a document that was parsed. `variables` says whether `${…}` has meaning (rule 61).
    pub fn new(text: &str, variables: bool) -> Self {
        let form = if text == "*" {
            ResourceForm::Everything
        } else {
            let template = Template::parse(text, variables);
            if template.has_variables() {
                if template.has_early_variable() {
                    ResourceForm::Unresolvable
                } else {
                    ResourceForm::Variable(template)
                }
            } else {
                ResourceForm::Fixed(tokens(&template.pieces_with(&|_| None).unwrap_or_default()))
            }
        };
        Self {
            text: text.into(),
            form,
        }
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a pattern without variables matches `resource`.
    pub fn matches(&self, resource: &str) -> bool {
        self.matches_with(resource, &|_| None) == Matched::Yes
    }

    pub(crate) fn matches_with(&self, resource: &str, value: &dyn Fn(&str) -> Option<String>) -> Matched {
        let matched = match &self.form {
            ResourceForm::Everything => true,
            ResourceForm::Fixed(tokens) => matches(tokens, resource, false),
            ResourceForm::Variable(template) => match template.pieces_with(value) {
                Some(pieces) => matches(&tokens(&pieces), resource, false),
                None => return Matched::Unresolved,
            },
            ResourceForm::Unresolvable => return Matched::Unresolved,
        };
        if matched { Matched::Yes } else { Matched::No }
    }
}

/// Turns pieces into tokens, with the rule for stars in an ARN (53): before the fifth colon a star crosses colons only as
/// last character of its segment.
fn tokens(pieces: &[Piece]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut colons = 0;
    let mut pieces = pieces.iter().peekable();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Character(character) => {
                colons += usize::from(*character == ':');
                tokens.push(Token::Literal(*character));
            }
            Piece::One => tokens.push(Token::One { colon: colons >= 5 }),
            Piece::Many => {
                let last = matches!(pieces.peek(), None | Some(Piece::Character(':')));
                if last && colons < 5 {
                    // It may swallow any number of segments, so what follows is treated as resource part.
                    colons = if pieces.peek().is_none() { 5 } else { colons };
                }
                tokens.push(Token::Many {
                    colon: last || colons >= 5,
                });
            }
        }
    }
    tokens
}

/// Tokens of a `StringLike` value: no colon is special.
pub(crate) fn plain_tokens(pieces: &[Piece]) -> Vec<Token> {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Character(character) => Token::Literal(*character),
            Piece::One => Token::One { colon: true },
            Piece::Many => Token::Many { colon: true },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources() {
        for (pattern, resource, expected) in [
            ("*", "anything", true),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b/k/x:y", true),
            ("arn:aws:s3:::b/*.txt", "arn:aws:s3:::b/k:1.txt", true),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::B/k", false),
            ("arn:aws:s3*", "arn:aws:s3:::b/k", true),
            ("arn:aws:s3:*", "arn:aws:s3:::b/k", true),
            (
                "arn:aws:iam::*:user/*",
                "arn:aws:iam::123456789012:user/a/b",
                true,
            ),
            (
                "arn:aws:iam::1*2:user/x",
                "arn:aws:iam::123456789012:user/x",
                true,
            ),
            (
                "arn:aws:l*a:us-east-1:1:function:f",
                "arn:aws:lambda:us-east-1:1:function:f",
                true,
            ),
            (
                "arn:aws:l*x:1:function:f",
                "arn:aws:lambda:us-east-1x:1:function:f",
                false,
            ),
            (
                "arn:aws:lambda:us-east-1:1:function:f",
                "arn:aws:lambda:us-east-1:1:function:f:prod",
                false,
            ),
            (
                "arn:aws:lambda:*:*:function:f*",
                "arn:aws:lambda:us-east-1:1:function:f:prod",
                true,
            ),
            (
                "arn:aws:lambda:us-east-1:?:function:f",
                "arn:aws:lambda:us-east-1:1:function:f",
                true,
            ),
            (
                "arn:aws:logs:*:*:log-group:/aws/lambda/f:*",
                "arn:aws:logs:r:a:log-group:/aws/lambda/f:log-stream:s",
                true,
            ),
        ] {
            assert_eq!(
                ResourcePattern::new(pattern, true).matches(resource),
                expected,
                "{pattern} {resource}"
            );
        }
    }

    #[test]
    fn actions() {
        for (pattern, action, expected) in [
            ("s3:GetObject", "S3:getobject", true),
            ("s3:Get*", "s3:GetObject", true),
            ("s3:*Object", "s3:GetObject", true),
            ("s3:?etObject", "s3:GetObject", true),
            ("*", "iam:PassRole", true),
            ("*:*", "iam:PassRole", true),
            ("s3:Get", "s3:GetObject", false),
            ("", "s3:GetObject", false),
        ] {
            assert_eq!(
                ActionPattern::new(pattern).matches(action),
                expected,
                "{pattern} {action}"
            );
        }
    }

    #[test]
    fn hostile_patterns_are_fast() {
        let pattern = "*a".repeat(500) + "b";
        let text = "a".repeat(2000);
        assert!(!wildcard_match(&pattern, &text, false));
        let arn = format!("arn:aws:s{}x:::{pattern}", "*?".repeat(50));
        assert!(!ResourcePattern::new(&arn, true).matches(&format!("arn:aws:{text}:::{text}")));
    }
}
