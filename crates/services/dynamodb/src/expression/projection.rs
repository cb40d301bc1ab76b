//! Projections: the parts of an item that paths name.

use std::collections::BTreeMap;

use rolecall_wire::AttributeValue;

use super::{Element, Kind, Path};
use crate::error::Result;
use crate::item::Item;

/// Paths merged into a tree, so that an item is walked once.
#[derive(Debug, Default)]
pub(crate) struct Projection {
    attributes: BTreeMap<String, Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// Everything below is wanted.
    whole: bool,
    entries: BTreeMap<String, Node>,
    elements: BTreeMap<usize, Node>,
}

impl Projection {
    /// The tree of `paths`.
    pub(crate) fn new<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut projection = Self::default();
        for path in paths {
            let mut elements = path.0.iter();
            let Some(Element::Name(root)) = elements.next() else {
                continue;
            };
            let mut node = projection.attributes.entry(root.clone()).or_default();
            for element in elements {
                node = match element {
                    Element::Name(name) => node.entries.entry(name.clone()).or_default(),
                    Element::Index(index) => node.elements.entry(*index).or_default(),
                };
            }
            node.whole = true;
        }
        projection
    }

    /// What `item` has of it.
    pub(crate) fn project(&self, item: &Item) -> Item {
        self.attributes
            .iter()
            .filter_map(|(name, node)| Some((name.clone(), node.project(item.get(name)?)?)))
            .collect()
    }

    /// Names of the attributes it touches.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.keys().map(String::as_str)
    }
}

impl Node {
    fn project(&self, value: &AttributeValue) -> Option<AttributeValue> {
        if self.whole {
            return Some(value.clone());
        }
        match value {
            AttributeValue::M(entries) if !self.entries.is_empty() => {
                let found: Item = self
                    .entries
                    .iter()
                    .filter_map(|(name, node)| Some((name.clone(), node.project(entries.get(name)?)?)))
                    .collect();
                (!found.is_empty()).then_some(AttributeValue::M(found))
            }
            AttributeValue::L(elements) if !self.elements.is_empty() => {
                let found: Vec<AttributeValue> = self
                    .elements
                    .iter()
                    .filter_map(|(index, node)| node.project(elements.get(*index)?))
                    .collect();
                (!found.is_empty()).then_some(AttributeValue::L(found))
            }
            _ => None,
        }
    }
}

/// Refuses paths of which one is part of another, or that take the same value for a map and a list.
pub(crate) fn check_paths<'a>(kind: Kind, paths: impl Iterator<Item = &'a Path>) -> Result<()> {
    let mut sorted: Vec<(&Path, usize)> = paths
        .enumerate()
        .map(|(position, path)| (path, position))
        .collect();
    sorted.sort_unstable();
    // A path and its continuations are neighbours once sorted, and so are the last name and the first index below it.
    for pair in sorted.windows(2) {
        let [(left, left_position), (right, right_position)] = pair else {
            continue;
        };
        let shared = left
            .0
            .iter()
            .zip(&right.0)
            .take_while(|(left, right)| left == right)
            .count();
        let problem = match (left.0.get(shared), right.0.get(shared)) {
            (None, _) | (_, None) => "overlap",
            (Some(Element::Name(_)), Some(Element::Index(_)))
            | (Some(Element::Index(_)), Some(Element::Name(_))) => "conflict",
            _ => continue,
        };
        let (one, two) = if left_position < right_position {
            (left, right)
        } else {
            (right, left)
        };
        return Err(kind.error(format_args!(
            "Two document paths {problem} with each other; must remove or rewrite one of these paths; path one: {one}, path two: {two}"
        )));
    }
    Ok(())
}
