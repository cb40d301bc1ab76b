//! Text with wildcards and policy variables: `home/${aws:username}/*`.
//!
//! Source: IAM User Guide, "IAM policy elements: Variables and tags" (rules 61 to 68).

/// A character or wildcard of a text whose variables have been put in. Wildcards inside a substituted value are
/// characters (rule 66).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    Character(char),
    One,
    Many,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Piece(Piece),
    Variable { key: String, default: Option<String> },
}

/// A text with its wildcards and variables found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

impl Template {
    /// Finds wildcards, and variables if the document's version has them. `${*}`, `${?}` and `${$}` are those
    /// characters (rule 65); an opening without an end is text.
    pub(crate) fn parse(text: &str, variables: bool) -> Self {
        let mut parts = Vec::new();
        // Behind the last brace nothing can be a variable, however many begin there.
        let last_brace = if variables {
            text.rfind('}').unwrap_or(0)
        } else {
            0
        };
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if text.len() - rest.len() < last_brace
                && let Some(after) = rest.strip_prefix("${")
                && let Some((inside, after)) = after.split_once('}')
            {
                rest = after;
                parts.push(match inside {
                    "*" => Part::Piece(Piece::Character('*')),
                    "?" => Part::Piece(Piece::Character('?')),
                    "$" => Part::Piece(Piece::Character('$')),
                    _ => variable(inside),
                });
                continue;
            }
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
            parts.push(Part::Piece(match character {
                '*' => Piece::Many,
                '?' => Piece::One,
                other => Piece::Character(other),
            }));
        }
        Self { parts }
    }

    pub(crate) fn has_variables(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Variable { .. }))
    }

    /// Whether a variable stands before the fifth colon, where an ARN has no room for one (rule 60).
    pub(crate) fn has_early_variable(&self) -> bool {
        let mut colons = 0;
        for part in &self.parts {
            match part {
                Part::Piece(Piece::Character(':')) => colons += 1,
                Part::Piece(_) => {}
                Part::Variable { .. } => return colons < 5,
            }
        }
        false
    }

    /// The keys of its variables.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { key, .. } => Some(key.as_str()),
            Part::Piece(_) => None,
        })
    }

    /// The pieces with every variable's value; `None` if one has neither value nor default.
    pub(crate) fn pieces_with(&self, value: &dyn Fn(&str) -> Option<String>) -> Option<Vec<Piece>> {
        let mut pieces = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            match part {
                Part::Piece(piece) => pieces.push(*piece),
                Part::Variable { key, default } => {
                    let value = value(key).or_else(|| default.clone())?;
                    pieces.extend(value.chars().map(Piece::Character));
                }
            }
        }
        Some(pieces)
    }

    /// The text with every variable's value, for operators without wildcards; `None` as above.
    pub(crate) fn text_with(&self, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let pieces = self.pieces_with(value)?;
        Some(
            pieces
                .into_iter()
                .map(|piece| match piece {
                    Piece::Character(character) => character,
                    Piece::One => '?',
                    Piece::Many => '*',
                })
                .collect(),
        )
    }
}

/// `key` or `key, 'default'` (rule 64).
fn variable(inside: &str) -> Part {
    let (key, default) = match inside.split_once(',') {
        Some((key, default)) => {
            let default = default.trim();
            let unquoted = default
                .strip_prefix('\'')
                .and_then(|text| text.strip_suffix('\''));
            (key, unquoted.map(str::to_owned))
        }
        None => (inside, None),
    };
    Part::Variable {
        key: key.trim().to_owned(),
        default,
    }
}
