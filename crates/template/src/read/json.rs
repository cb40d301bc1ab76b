//! JSON templates, read by hand so that every value knows its line and column.

use super::MAX_DEPTH;
use crate::error::{Position, Problem, TemplateError};
use crate::node::{Content, Entry, Node, number};
use crate::path::Path;

pub(super) fn read(text: &str) -> Result<Node, TemplateError> {
    let mut reader = Reader {
        rest: text,
        at: Position { line: 1, column: 1 },
    };
    let node = reader.value(&Path::ROOT, 0)?;
    reader.space();
    if reader.rest.is_empty() {
        Ok(node)
    } else {
        Err(reader.syntax("text after the end of the template", &Path::ROOT))
    }
}

struct Reader<'a> {
    rest: &'a str,
    at: Position,
}

impl<'a> Reader<'a> {
    fn value(&mut self, path: &Path<'_>, depth: usize) -> Result<Node, TemplateError> {
        self.space();
        let at = self.at;
        let content = match self.rest.chars().next() {
            Some('{' | '[') if depth >= MAX_DEPTH => {
                return Err(TemplateError::new(
                    Problem::TooDeep { limit: MAX_DEPTH },
                    path,
                    at,
                ));
            }
            Some('{') => self.map(path, depth)?,
            Some('[') => self.list(path, depth)?,
            Some('"') => Content::Text(self.string(path)?),
            Some(_) => self.literal(path)?,
            None => return Err(self.syntax("the text ends where a value should be", path)),
        };
        Ok(Node { content, at })
    }

    fn map(&mut self, path: &Path<'_>, depth: usize) -> Result<Content, TemplateError> {
        self.take('{');
        let mut entries = Vec::new();
        let mut seen = std::collections::HashMap::new();
        self.space();
        if self.take('}') {
            return Ok(Content::Map(entries));
        }
        loop {
            self.space();
            let at = self.at;
            let key = self.string(path)?;
            if let Some(first) = seen.insert(key.clone(), at) {
                return Err(TemplateError::new(Problem::DuplicateKey { key, first }, path, at));
            }
            self.space();
            if !self.take(':') {
                return Err(self.syntax("expected `:` after a key", path));
            }
            let value = self.value(&path.key(&key), depth + 1)?;
            entries.push(Entry { key, at, value });
            self.space();
            if self.take('}') {
                return Ok(Content::Map(entries));
            }
            if !self.take(',') {
                return Err(self.syntax("expected `,` or `}`", path));
            }
        }
    }

    fn list(&mut self, path: &Path<'_>, depth: usize) -> Result<Content, TemplateError> {
        self.take('[');
        let mut items = Vec::new();
        self.space();
        if self.take(']') {
            return Ok(Content::List(items));
        }
        loop {
            let item = self.value(&path.index(items.len()), depth + 1)?;
            items.push(item);
            self.space();
            if self.take(']') {
                return Ok(Content::List(items));
            }
            if !self.take(',') {
                return Err(self.syntax("expected `,` or `]`", path));
            }
        }
    }

    /// Finds where the string ends; its escapes are `serde_json`'s to read.
    fn string(&mut self, path: &Path<'_>) -> Result<String, TemplateError> {
        if !self.rest.starts_with('"') {
            return Err(self.syntax("expected a string in double quotes", path));
        }
        let mut escaped = false;
        let end = self
            .rest
            .bytes()
            .enumerate()
            .skip(1)
            .find_map(|(index, byte)| match byte {
                _ if escaped => {
                    escaped = false;
                    None
                }
                b'\\' => {
                    escaped = true;
                    None
                }
                b'"' => Some(index + 1),
                _ => None,
            });
        let Some(end) = end else {
            return Err(self.syntax("a string that does not end", path));
        };
        let (token, _) = self.rest.split_at(end);
        let text = serde_json::from_str(token)
            .map_err(|_| self.syntax("a string with an invalid escape or a control character", path))?;
        self.advance(end);
        Ok(text)
    }

    fn literal(&mut self, path: &Path<'_>) -> Result<Content, TemplateError> {
        let end = self
            .rest
            .find(|c: char| !matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '+' | '-' | '.'));
        let (token, _) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        let content = match token {
            "true" => Content::Bool(true),
            "false" => Content::Bool(false),
            "null" => Content::Null,
            _ if serde_json::from_str::<serde_json::Number>(token).is_ok() && number(token).is_some() => {
                Content::Number(token.to_owned())
            }
            _ => return Err(self.syntax("expected a value", path)),
        };
        self.advance(token.len());
        Ok(content)
    }

    fn take(&mut self, expected: char) -> bool {
        let found = self.rest.starts_with(expected);
        if found {
            self.advance(expected.len_utf8());
        }
        found
    }

    fn space(&mut self) {
        let length = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.advance(length);
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest): (&'a str, &'a str) = self.rest.split_at(bytes);
        for character in passed.chars() {
            if character == '\n' {
                self.at = Position {
                    line: self.at.line + 1,
                    column: 1,
                };
            } else {
                self.at.column += 1;
            }
        }
        self.rest = rest;
    }

    fn syntax(&self, reason: &str, path: &Path<'_>) -> TemplateError {
        TemplateError::new(
            Problem::Syntax {
                format: "JSON",
                reason: reason.to_owned(),
            },
            path,
            self.at,
        )
    }
}
