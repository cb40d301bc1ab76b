//! YAML templates with CloudFormation's short forms (`!Ref`, `!Sub`, …), from the parser's events.
//!
//! Events are pulled one by one and never collected, so the limits hold before memory is spent. Aliases are expanded (CloudFormation's own
//! tools do so before an upload) and charged for, merge keys (`<<`) are not read, as in CloudFormation.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::{MAX_DEPTH, MAX_EXPANDED, NODE_WEIGHT, scalar};
use crate::error::{Position, Problem, TemplateError};
use crate::node::{Content, Entry, Node};
use crate::path::Path;

pub(super) fn read(text: &str) -> Result<Node, TemplateError> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: HashMap::new(),
        weight: 0,
    };
    let path = Path::ROOT;
    loop {
        match reader.next(&path)? {
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            (Event::StreamEnd, at) => return Err(syntax("the template is empty", &path, at)),
            (event, at) => {
                let node = reader.node(event, at, &path, 0)?.node;
                reader.end(&path)?;
                return Ok(node);
            }
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Measured>,
    /// Bytes taken so far, see [`MAX_EXPANDED`].
    weight: usize,
}

/// A node with what its use by an alias costs.
#[derive(Clone)]
struct Measured {
    node: Node,
    weight: usize,
    height: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self, path: &Path<'_>) -> Result<(Event<'a>, Position), TemplateError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, start(&span))),
            Some(Err(error)) => Err(scan_error(&error, path)),
            None => Err(syntax(
                "the text ends too early",
                path,
                Position { line: 1, column: 1 },
            )),
        }
    }

    /// Only one document may be there.
    fn end(&mut self, path: &Path<'_>) -> Result<(), TemplateError> {
        loop {
            match self.next(path)? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::DocumentEnd | Event::Nothing, _) => {}
                (_, at) => return Err(syntax("text after the end of the first document", path, at)),
            }
        }
    }

    fn node(
        &mut self,
        event: Event<'a>,
        at: Position,
        path: &Path<'_>,
        depth: usize,
    ) -> Result<Measured, TemplateError> {
        let before = self.weight;
        let (content, anchor, tag, height) = match event {
            Event::Alias(anchor) => return self.alias(anchor, at, path, depth),
            Event::Scalar(text, style, anchor, tag) => {
                self.charge(NODE_WEIGHT + text.len(), path, at)?;
                let content = match &tag {
                    None if style == ScalarStyle::Plain => scalar::plain(&text),
                    Some(tag) if tag.is_yaml_core_schema() && tag.suffix != "str" => scalar::plain(&text),
                    _ => Content::Text(text.into_owned()),
                };
                (content, anchor, tag, 0)
            }
            Event::SequenceStart(anchor, tag) => {
                let (content, height) = self.list(at, path, depth)?;
                (content, anchor, tag, height)
            }
            Event::MappingStart(anchor, tag) => {
                let (content, height) = self.map(at, path, depth)?;
                (content, anchor, tag, height)
            }
            _ => return Err(syntax("expected a value", path, at)),
        };
        let node = tagged(Node { content, at }, tag.as_deref(), path)?;
        // A short form becomes a map around the value: one level more.
        let height = height + usize::from(tag.is_some());
        let measured = Measured {
            node,
            weight: self.weight - before,
            height,
        };
        if anchor != 0 {
            self.anchors.insert(anchor, measured.clone());
        }
        Ok(measured)
    }

    fn alias(
        &mut self,
        anchor: usize,
        at: Position,
        path: &Path<'_>,
        depth: usize,
    ) -> Result<Measured, TemplateError> {
        let Some(target) = self.anchors.get(&anchor) else {
            return Err(syntax("an alias inside the value it stands for", path, at));
        };
        let (weight, height) = (target.weight, target.height);
        self.charge(weight, path, at)?;
        descend(depth + height, path, at)?;
        self.anchors
            .get(&anchor)
            .cloned()
            .ok_or_else(|| syntax("an unknown alias", path, at))
    }

    fn list(
        &mut self,
        at: Position,
        path: &Path<'_>,
        depth: usize,
    ) -> Result<(Content, usize), TemplateError> {
        descend(depth, path, at)?;
        self.charge(NODE_WEIGHT, path, at)?;
        let (mut items, mut height) = (Vec::new(), 0);
        loop {
            let item_path = path.index(items.len());
            let (event, at) = self.next(&item_path)?;
            if event == Event::SequenceEnd {
                return Ok((Content::List(items), height + 1));
            }
            let item = self.node(event, at, &item_path, depth + 1)?;
            height = height.max(item.height);
            items.push(item.node);
        }
    }

    fn map(
        &mut self,
        at: Position,
        path: &Path<'_>,
        depth: usize,
    ) -> Result<(Content, usize), TemplateError> {
        descend(depth, path, at)?;
        self.charge(NODE_WEIGHT, path, at)?;
        let (mut entries, mut height) = (Vec::<Entry>::new(), 0);
        let mut seen = HashMap::new();
        loop {
            let (event, at) = self.next(path)?;
            let key = match event {
                Event::MappingEnd => return Ok((Content::Map(entries), height + 1)),
                Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<" => {
                    return Err(unsupported("a merge key (`<<`)", "write the keys out", path, at));
                }
                Event::Scalar(text, _, 0, None) => text.into_owned(),
                Event::Scalar(..) => {
                    return Err(unsupported(
                        "a key with a tag or an anchor",
                        "use a plain key",
                        path,
                        at,
                    ));
                }
                _ => {
                    return Err(unsupported(
                        "a key that is no string",
                        "use a plain key",
                        path,
                        at,
                    ));
                }
            };
            self.charge(key.len(), path, at)?;
            if let Some(first) = seen.insert(key.clone(), at) {
                return Err(TemplateError::new(Problem::DuplicateKey { key, first }, path, at));
            }
            let value_path = path.key(&key);
            let (event, value_at) = self.next(&value_path)?;
            let value = self.node(event, value_at, &value_path, depth + 1)?;
            height = height.max(value.height);
            entries.push(Entry {
                key,
                at,
                value: value.node,
            });
        }
    }

    fn charge(&mut self, weight: usize, path: &Path<'_>, at: Position) -> Result<(), TemplateError> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > MAX_EXPANDED {
            return Err(TemplateError::new(
                Problem::TooMuch { limit: MAX_EXPANDED },
                path,
                at,
            ));
        }
        Ok(())
    }
}

fn descend(depth: usize, path: &Path<'_>, at: Position) -> Result<(), TemplateError> {
    if depth >= MAX_DEPTH {
        return Err(TemplateError::new(
            Problem::TooDeep { limit: MAX_DEPTH },
            path,
            at,
        ));
    }
    Ok(())
}

/// A short form as its long form: `!Sub x` is `{"Fn::Sub": "x"}`.
fn tagged(node: Node, tag: Option<&Tag>, path: &Path<'_>) -> Result<Node, TemplateError> {
    let Some(tag) = tag else { return Ok(node) };
    let at = node.at;
    if tag.is_yaml_core_schema() {
        let fits = match tag.suffix.as_str() {
            "str" => matches!(node.content, Content::Text(_)),
            "int" | "float" => matches!(node.content, Content::Number(_)),
            "bool" => matches!(node.content, Content::Bool(_)),
            "null" => matches!(node.content, Content::Null),
            "seq" => matches!(node.content, Content::List(_)),
            "map" => matches!(node.content, Content::Map(_)),
            _ => {
                return Err(unsupported(
                    &format!("the tag `!!{}`", tag.suffix),
                    "remove it",
                    path,
                    at,
                ));
            }
        };
        return if fits {
            Ok(node)
        } else {
            Err(node.wrong_kind(format!("what `!!{}` says", tag.suffix), path))
        };
    }
    let name = if tag.handle == "!" {
        tag.suffix.as_str()
    } else {
        ""
    };
    let (name, argument) = match name {
        "Ref" | "Condition" => (name.to_owned(), node),
        "GetAtt" => ("Fn::GetAtt".to_owned(), attribute(node)),
        "And" | "Base64" | "Cidr" | "Equals" | "FindInMap" | "GetAZs" | "If" | "ImportValue" | "Join"
        | "Not" | "Or" | "Select" | "Split" | "Sub" | "Transform" => (format!("Fn::{name}"), node),
        _ => {
            return Err(unsupported(
                &format!("the tag `{tag}`"),
                "use an intrinsic function CloudFormation has",
                path,
                at,
            ));
        }
    };
    Ok(Node::map([(name, argument)], at))
}

/// `!GetAtt A.B.C` is `["A", "B.C"]`.
fn attribute(node: Node) -> Node {
    let Content::Text(text) = &node.content else {
        return node;
    };
    match text.split_once('.') {
        Some((name, attribute)) => Node::list(
            vec![Node::text(name, node.at), Node::text(attribute, node.at)],
            node.at,
        ),
        None => node,
    }
}

fn start(span: &Span) -> Position {
    Position {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

fn scan_error(error: &ScanError, path: &Path<'_>) -> TemplateError {
    let marker = error.marker();
    syntax(
        error.info(),
        path,
        Position {
            line: marker.line(),
            column: marker.col() + 1,
        },
    )
}

fn syntax(reason: &str, path: &Path<'_>, at: Position) -> TemplateError {
    TemplateError::new(
        Problem::Syntax {
            format: "YAML",
            reason: reason.to_owned(),
        },
        path,
        at,
    )
}

fn unsupported(what: &str, instead: &'static str, path: &Path<'_>, at: Position) -> TemplateError {
    TemplateError::new(
        Problem::YamlFeature {
            what: what.to_owned(),
            instead,
        },
        path,
        at,
    )
}
