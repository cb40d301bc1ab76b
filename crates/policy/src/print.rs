//! Documents as JSON text, elements in the order people write them, statements and conditions in the order they have.
//!
//! `serde_json`'s maps would sort the keys, so only its strings are used.

use std::fmt::{self, Write};

use crate::document::{Condition, Document, Effect, Principals, Statement, Texts, Version};

/// How deep an element stands, or that everything is on one line.
#[derive(Clone, Copy)]
enum Layout {
    Compact,
    Indented(usize),
}

impl Layout {
    fn deeper(self) -> Self {
        match self {
            Self::Compact => Self::Compact,
            Self::Indented(depth) => Self::Indented(depth + 1),
        }
    }

    fn new_line(self, out: &mut dyn Write) -> fmt::Result {
        match self {
            Self::Compact => Ok(()),
            Self::Indented(depth) => write!(out, "\n{:width$}", "", width = depth * 4),
        }
    }
}

/// Writes the members of an object or the elements of a list, with what stands between them.
struct Items<'a> {
    out: &'a mut dyn Write,
    layout: Layout,
    is_first: bool,
    end: char,
}

impl<'a> Items<'a> {
    fn begin(out: &'a mut dyn Write, layout: Layout, brackets: (char, char)) -> Result<Self, fmt::Error> {
        out.write_char(brackets.0)?;
        Ok(Self {
            out,
            layout: layout.deeper(),
            is_first: true,
            end: brackets.1,
        })
    }

    /// Where the next element goes.
    fn element(&mut self) -> Result<(&mut dyn Write, Layout), fmt::Error> {
        if !self.is_first {
            self.out.write_char(',')?;
        }
        self.is_first = false;
        self.layout.new_line(self.out)?;
        Ok((self.out, self.layout))
    }

    /// Where the value of the next member goes.
    fn member(&mut self, key: &str) -> Result<(&mut dyn Write, Layout), fmt::Error> {
        let (out, layout) = self.element()?;
        string(out, key)?;
        out.write_str(if matches!(layout, Layout::Compact) {
            ":"
        } else {
            ": "
        })?;
        Ok((out, layout))
    }

    fn end(self) -> fmt::Result {
        if !self.is_first
            && let Layout::Indented(depth) = self.layout
        {
            Layout::Indented(depth.saturating_sub(1)).new_line(self.out)?;
        }
        self.out.write_char(self.end)
    }
}

const OBJECT: (char, char) = ('{', '}');
const LIST: (char, char) = ('[', ']');

/// Writes `document`; on one line, or indented by four spaces.
pub(crate) fn document(out: &mut dyn Write, document: &Document, indented: bool) -> fmt::Result {
    let layout = if indented {
        Layout::Indented(0)
    } else {
        Layout::Compact
    };
    let mut members = Items::begin(out, layout, OBJECT)?;
    if let Some(version) = document.version {
        let text = match version {
            Version::Old => "2008-10-17",
            Version::Current => "2012-10-17",
        };
        string(members.member("Version")?.0, text)?;
    }
    if let Some(id) = &document.id {
        string(members.member("Id")?.0, id)?;
    }
    let (out, layout) = members.member("Statement")?;
    match document.statements.as_slice() {
        [only] if document.statement_alone => statement(out, layout, only)?,
        several => {
            let mut elements = Items::begin(out, layout, LIST)?;
            for one in several {
                let (out, layout) = elements.element()?;
                statement(out, layout, one)?;
            }
            elements.end()?;
        }
    }
    members.end()
}

fn statement(out: &mut dyn Write, layout: Layout, statement: &Statement) -> fmt::Result {
    let mut members = Items::begin(out, layout, OBJECT)?;
    if let Some(sid) = &statement.sid {
        string(members.member("Sid")?.0, sid)?;
    }
    let effect = match statement.effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    };
    string(members.member("Effect")?.0, effect)?;
    if let Some(principal) = &statement.principal {
        let (out, layout) = members.member(if principal.negated {
            "NotPrincipal"
        } else {
            "Principal"
        })?;
        match &principal.value {
            Principals::Everyone => string(out, "*")?,
            Principals::Listed(types) => {
                let mut listed = Items::begin(out, layout, OBJECT)?;
                for (kind, values) in types {
                    let (out, layout) = listed.member(kind.name())?;
                    texts(out, layout, values)?;
                }
                listed.end()?;
            }
        }
    }
    let (out, layout) = members.member(if statement.action.negated {
        "NotAction"
    } else {
        "Action"
    })?;
    texts(out, layout, &statement.action.value)?;
    if let Some(resource) = &statement.resource {
        let (out, layout) = members.member(if resource.negated {
            "NotResource"
        } else {
            "Resource"
        })?;
        texts(out, layout, &resource.value)?;
    }
    if !statement.conditions.is_empty() {
        let (out, layout) = members.member("Condition")?;
        conditions(out, layout, &statement.conditions)?;
    }
    members.end()
}

/// Conditions of the same operator share its object.
fn conditions(out: &mut dyn Write, layout: Layout, conditions: &[Condition]) -> fmt::Result {
    let mut operators = Items::begin(out, layout, OBJECT)?;
    for (index, first) in conditions.iter().enumerate() {
        let is_written = conditions
            .iter()
            .take(index)
            .any(|before| before.operator == first.operator);
        if is_written {
            continue;
        }
        let (out, layout) = operators.member(&first.operator)?;
        let mut keys = Items::begin(out, layout, OBJECT)?;
        for condition in conditions
            .iter()
            .skip(index)
            .filter(|condition| condition.operator == first.operator)
        {
            let (out, layout) = keys.member(&condition.key)?;
            texts(out, layout, &condition.values)?;
        }
        keys.end()?;
    }
    operators.end()
}

fn texts(out: &mut dyn Write, layout: Layout, texts: &Texts) -> fmt::Result {
    match texts.as_slice() {
        [only] if texts.stands_alone() => string(out, only),
        values => {
            let mut elements = Items::begin(out, layout, LIST)?;
            for value in values {
                string(elements.element()?.0, value)?;
            }
            elements.end()
        }
    }
}

fn string(out: &mut dyn Write, text: &str) -> fmt::Result {
    out.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}
