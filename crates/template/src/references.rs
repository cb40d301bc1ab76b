//! Which other resources a value names, found without evaluating it.

use crate::error::TemplateError;
use crate::evaluate::{Evaluator, sub_arguments, sub_parts};
use crate::node::{Content, Node};
use crate::path::Path;
use crate::substitution::Part;

/// A name in `Ref`, `Fn::GetAtt` or `Fn::Sub`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference<'n> {
    pub(crate) name: &'n str,
    /// The attribute, if it is a literal.
    pub(crate) attribute: Option<&'n str>,
    pub(crate) node: &'n Node,
    /// False in the branch of `Fn::If` that is not taken: the name must exist, but nothing depends on it.
    pub(crate) taken: bool,
}

/// Call `found` for every reference in `node`.
pub(crate) fn walk<'n>(
    evaluator: &Evaluator<'_>,
    node: &'n Node,
    path: &Path<'_>,
    taken: bool,
    found: &mut dyn FnMut(Reference<'n>, &Path<'_>) -> Result<(), TemplateError>,
) -> Result<(), TemplateError> {
    if let Some((function, argument)) = node.intrinsic() {
        let path = path.key(function);
        match (function, &argument.content) {
            ("Ref", Content::Text(name)) => {
                return found(
                    Reference {
                        name,
                        attribute: None,
                        node: argument,
                        taken,
                    },
                    &path,
                );
            }
            ("Fn::GetAtt", Content::Text(text)) => {
                let (name, attribute) = text
                    .split_once('.')
                    .map_or((text.as_str(), None), |(name, rest)| (name, Some(rest)));
                return found(
                    Reference {
                        name,
                        attribute,
                        node: argument,
                        taken,
                    },
                    &path,
                );
            }
            ("Fn::GetAtt", Content::List(items)) => {
                if let [
                    Node {
                        content: Content::Text(name),
                        ..
                    },
                    attribute,
                ] = items.as_slice()
                {
                    let literal = match &attribute.content {
                        Content::Text(attribute) => Some(attribute.as_str()),
                        _ => None,
                    };
                    found(
                        Reference {
                            name,
                            attribute: literal,
                            node: argument,
                            taken,
                        },
                        &path,
                    )?;
                    return walk(evaluator, attribute, &path.index(1), taken, found);
                }
            }
            ("Fn::Sub", _) => {
                let (template, variables) = sub_arguments(argument, &path)?;
                for part in sub_parts(template.as_text(&path)?, template, &path)? {
                    let Part::Variable(name) = part else { continue };
                    if variables.iter().any(|entry| entry.key == name) {
                        continue;
                    }
                    let (name, attribute) = name
                        .split_once('.')
                        .map_or((name, None), |(name, rest)| (name, Some(rest)));
                    found(
                        Reference {
                            name,
                            attribute,
                            node: template,
                            taken,
                        },
                        &path,
                    )?;
                }
                return variables.iter().try_for_each(|entry| {
                    walk(evaluator, &entry.value, &path.key(&entry.key), taken, found)
                });
            }
            ("Fn::If", Content::List(items)) => {
                let branch = evaluator.branch(argument, &path)?;
                return items.iter().enumerate().skip(1).try_for_each(|(index, item)| {
                    walk(
                        evaluator,
                        item,
                        &path.index(index),
                        taken && std::ptr::eq(item, branch),
                        found,
                    )
                });
            }
            _ => {}
        }
        return walk(evaluator, argument, &path, taken, found);
    }
    match &node.content {
        Content::List(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| walk(evaluator, item, &path.index(index), taken, found)),
        Content::Map(entries) => entries
            .iter()
            .try_for_each(|entry| walk(evaluator, &entry.value, &path.key(&entry.key), taken, found)),
        _ => Ok(()),
    }
}
