//! A small JSON reader that knows where everything stands, refuses duplicate keys (rule 95) and has limits.

use std::fmt;

/// Largest document that is read, in bytes: more than any quota of AWS's allows.
pub const MAXIMUM_SIZE: usize = 256 * 1024;

/// Deepest nesting of a document; a policy needs six.
pub const MAXIMUM_DEPTH: usize = 32;

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Json,
    pub(crate) at: Position,
}

/// Line and column, both from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {} column {}", self.line, self.column)
    }
}

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Boolean(bool),
    /// As written.
    Number(String),
    Text(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Json {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// What is wrong with the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub(crate) at: Position,
    pub(crate) problem: String,
}

/// Reads one value that is the whole text.
pub(crate) fn read(text: &str) -> Result<Node, JsonError> {
    let mut reader = Reader {
        rest: text.chars(),
        next: None,
        at: Position { line: 1, column: 0 },
    };
    if text.len() > MAXIMUM_SIZE {
        return Err(reader.error(format!("the document is larger than {MAXIMUM_SIZE} bytes")));
    }
    reader.advance();
    let node = reader.value(0)?;
    reader.skip_space();
    match reader.next {
        None => Ok(node),
        Some(_) => Err(reader.error("text after the end of the document")),
    }
}

struct Reader<'a> {
    rest: std::str::Chars<'a>,
    next: Option<char>,
    at: Position,
}

impl Reader<'_> {
    fn error(&self, problem: impl Into<String>) -> JsonError {
        JsonError {
            at: self.at,
            problem: problem.into(),
        }
    }

    fn advance(&mut self) {
        if self.next == Some('\n') {
            self.at = Position {
                line: self.at.line.saturating_add(1),
                column: 0,
            };
        }
        self.at.column = self.at.column.saturating_add(1);
        self.next = self.rest.next();
    }

    fn skip_space(&mut self) {
        while matches!(self.next, Some(' ' | '\t' | '\n' | '\r')) {
            self.advance();
        }
    }

    fn expect(&mut self, wanted: char) -> Result<(), JsonError> {
        if self.next == Some(wanted) {
            self.advance();
            Ok(())
        } else {
            Err(self.unexpected(&format!("'{wanted}'")))
        }
    }

    fn unexpected(&self, wanted: &str) -> JsonError {
        match self.next {
            Some(found) => self.error(format!("expected {wanted}, found {found:?}")),
            None => self.error(format!("expected {wanted}, but the document ends")),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, JsonError> {
        self.skip_space();
        if depth > MAXIMUM_DEPTH {
            return Err(self.error(format!(
                "the document is nested deeper than {MAXIMUM_DEPTH} levels"
            )));
        }
        let at = self.at;
        let value = match self.next {
            Some('{') => self.object(depth)?,
            Some('[') => self.array(depth)?,
            Some('"') => Json::Text(self.string()?),
            Some('t') => self.word("true", Json::Boolean(true))?,
            Some('f') => self.word("false", Json::Boolean(false))?,
            Some('n') => self.word("null", Json::Null)?,
            Some('-' | '0'..='9') => Json::Number(self.number()?),
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Node { value, at })
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.advance();
        let mut members: Vec<(String, Node)> = Vec::new();
        // A set, so that an object of ten thousand keys does not take their square.
        let mut keys = std::collections::HashSet::new();
        self.skip_space();
        if self.next == Some('}') {
            self.advance();
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_space();
            if self.next != Some('"') {
                return Err(self.unexpected("a key in quotes"));
            }
            let at = self.at;
            let key = self.string()?;
            if !keys.insert(key.clone()) {
                return Err(JsonError {
                    at,
                    problem: format!("the key {key:?} is there twice"),
                });
            }
            self.skip_space();
            self.expect(':')?;
            members.push((key, self.value(depth + 1)?));
            self.skip_space();
            if self.next == Some(',') {
                self.advance();
            } else {
                self.expect('}')?;
                return Ok(Json::Object(members));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.advance();
        let mut elements = Vec::new();
        self.skip_space();
        if self.next == Some(']') {
            self.advance();
            return Ok(Json::Array(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.skip_space();
            if self.next == Some(',') {
                self.advance();
            } else {
                self.expect(']')?;
                return Ok(Json::Array(elements));
            }
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, JsonError> {
        for wanted in word.chars() {
            self.expect(wanted)?;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<String, JsonError> {
        let mut text = String::new();
        while let Some(character @ ('-' | '+' | '.' | 'e' | 'E' | '0'..='9')) = self.next {
            text.push(character);
            self.advance();
        }
        // serde_json knows JSON's grammar of numbers.
        if serde_json::from_str::<serde_json::Number>(&text).is_err() {
            return Err(self.error(format!("{text} is not a number")));
        }
        Ok(text)
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.advance();
        let mut text = String::new();
        loop {
            match self.next {
                None => return Err(self.unexpected("the end of a string")),
                Some('"') => {
                    self.advance();
                    return Ok(text);
                }
                Some('\\') => {
                    self.advance();
                    let character = self.escape()?;
                    text.push(character);
                }
                Some(character) if (character as u32) < 0x20 => {
                    return Err(self.error("a control character in a string must be escaped"));
                }
                Some(character) => {
                    text.push(character);
                    self.advance();
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let character = match self.next {
            Some(same @ ('"' | '\\' | '/')) => same,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                self.advance();
                let first = self.hexadecimal()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return char::from_u32(first).ok_or_else(|| self.error("half of a surrogate pair"));
                }
                self.expect('\\')?;
                self.expect('u')?;
                let second = self.hexadecimal()?;
                if !(0xdc00..0xe000).contains(&second) {
                    return Err(self.error("half of a surrogate pair"));
                }
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return char::from_u32(code).ok_or_else(|| self.error("no such character"));
            }
            _ => return Err(self.unexpected("an escape")),
        };
        self.advance();
        Ok(character)
    }

    fn hexadecimal(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self
                .next
                .and_then(|character| character.to_digit(16))
                .ok_or_else(|| self.unexpected("a hexadecimal digit"))?;
            code = code * 16 + digit;
            self.advance();
        }
        Ok(code)
    }
}
