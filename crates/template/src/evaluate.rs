//! The intrinsic functions.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Problem, TemplateError};
use crate::node::{Content, Entry, Node};
use crate::order;
use crate::path::Path;
use crate::plan::{Created, Pseudo, ResourceState};
use crate::substitution::{self, Part};

/// What the values of one resource may grow to: more than any AWS call takes.
const MAX_EVALUATED: usize = 8_000_000;

/// Everything that is known before the first resource is created.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) pseudo: Pseudo,
    pub(crate) parameters: BTreeMap<String, Node>,
    pub(crate) mappings: Option<Node>,
    pub(crate) conditions: BTreeMap<String, bool>,
}

/// Which resources an expression may name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Resources<'a> {
    /// None: in conditions, and before there are any.
    Forbidden,
    /// Those created so far.
    Created {
        states: &'a BTreeMap<String, ResourceState>,
        created: &'a BTreeMap<String, Created>,
    },
}

/// One evaluation with its budget.
pub(crate) struct Evaluator<'a> {
    scope: &'a Scope,
    resources: Resources<'a>,
    spent: Cell<usize>,
}

impl Scope {
    /// Evaluate all conditions, those they need first.
    pub(crate) fn with_conditions(mut self, conditions: &[Entry]) -> Result<Self, TemplateError> {
        let root = Path::ROOT;
        let path = root.key("Conditions");
        let index = |name: &str| conditions.iter().position(|entry| entry.key == name);
        let mut dependencies = Vec::with_capacity(conditions.len());
        for entry in conditions {
            let path = path.key(&entry.key);
            let mut needed = BTreeSet::new();
            condition_names(&entry.value, &path, &mut |name, node, path| match index(name) {
                Some(index) => {
                    needed.insert(index);
                    Ok(())
                }
                None => Err(node.error(
                    Problem::UnknownCondition {
                        name: name.to_owned(),
                    },
                    path,
                )),
            })?;
            dependencies.push(needed);
        }
        let name = |index: usize| conditions.get(index).map_or("", |entry| entry.key.as_str());
        let order = order::sort(&dependencies).map_err(|cycle| {
            let problem = Problem::ConditionCycle {
                cycle: order::describe(&cycle, name),
            };
            let at = cycle
                .first()
                .and_then(|&index| conditions.get(index))
                .map(|entry| entry.at);
            TemplateError {
                problem,
                path: path.to_string(),
                position: at,
            }
        })?;
        for entry in order.into_iter().filter_map(|index| conditions.get(index)) {
            let value =
                Evaluator::new(&self, Resources::Forbidden).condition(&entry.value, &path.key(&entry.key))?;
            self.conditions.insert(entry.key.clone(), value);
        }
        Ok(self)
    }
}

/// Every condition named inside a condition.
fn condition_names<'n>(
    node: &'n Node,
    path: &Path<'_>,
    found: &mut dyn FnMut(&'n str, &'n Node, &Path<'_>) -> Result<(), TemplateError>,
) -> Result<(), TemplateError> {
    match &node.content {
        Content::List(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| condition_names(item, &path.index(index), found)),
        Content::Map(entries) => entries.iter().try_for_each(|entry| {
            let path = path.key(&entry.key);
            match (entry.key.as_str(), &entry.value.content) {
                ("Condition", Content::Text(name)) => found(name, &entry.value, &path),
                ("Fn::If", Content::List(items)) => {
                    if let Some(
                        node @ Node {
                            content: Content::Text(name),
                            ..
                        },
                    ) = items.first()
                    {
                        found(name, node, &path)?;
                    }
                    condition_names(&entry.value, &path, found)
                }
                _ => condition_names(&entry.value, &path, found),
            }
        }),
        _ => Ok(()),
    }
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(scope: &'a Scope, resources: Resources<'a>) -> Self {
        Self {
            scope,
            resources,
            spent: Cell::new(0),
        }
    }

    /// The value without intrinsic functions; `None` if it is `AWS::NoValue`.
    pub(crate) fn value(&self, node: &Node, path: &Path<'_>) -> Result<Option<Node>, TemplateError> {
        if let Some((function, argument)) = node.intrinsic() {
            return self.function(node, function, argument, &path.key(function));
        }
        let content = match &node.content {
            Content::List(items) => {
                let mut values = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    values.extend(self.value(item, &path.index(index))?);
                }
                Content::List(values)
            }
            Content::Map(entries) => {
                if let Some(entry) = entries.iter().find(|entry| entry.key.starts_with("Fn::")) {
                    let reason = "must be the only key of its map; move the other keys".to_owned();
                    let problem = Problem::Function {
                        function: entry.key.clone(),
                        reason,
                    };
                    return Err(TemplateError::new(problem, path, entry.at));
                }
                let mut values = Vec::with_capacity(entries.len());
                for entry in entries {
                    self.charge(entry.key.len(), node, path)?;
                    if let Some(value) = self.value(&entry.value, &path.key(&entry.key))? {
                        values.push(Entry {
                            key: entry.key.clone(),
                            at: entry.at,
                            value,
                        });
                    }
                }
                Content::Map(values)
            }
            scalar => {
                self.charge(node.scalar_text().map_or(0, str::len), node, path)?;
                scalar.clone()
            }
        };
        self.charge(16, node, path)?;
        Ok(Some(Node { content, at: node.at }))
    }

    /// The value as a string.
    pub(crate) fn text(&self, node: &Node, path: &Path<'_>) -> Result<String, TemplateError> {
        let value = self
            .value(node, path)?
            .ok_or_else(|| node.wrong_kind("a string", path))?;
        // The error's words are about what the function gave, its place is the function's.
        value.scalar_text().map(str::to_owned).ok_or_else(|| {
            Node {
                at: node.at,
                ..value.clone()
            }
            .wrong_kind("a string", path)
        })
    }

    /// See through `Fn::If` and `AWS::NoValue` without evaluating anything else.
    pub(crate) fn choose<'n>(
        &self,
        node: &'n Node,
        path: &Path<'_>,
    ) -> Result<Option<&'n Node>, TemplateError> {
        let mut node = node;
        while let Some(("Fn::If", argument)) = node.intrinsic() {
            node = self.branch(argument, &path.key("Fn::If"))?;
        }
        Ok(if node.is_no_value() { None } else { Some(node) })
    }

    /// The branch of `Fn::If` its condition takes.
    pub(crate) fn branch<'n>(&self, argument: &'n Node, path: &Path<'_>) -> Result<&'n Node, TemplateError> {
        let [name, yes, no] = arguments(argument, "Fn::If", "a condition's name and two values", path)?;
        let holds = self.named_condition(name.as_text(&path.index(0))?, name, &path.index(0))?;
        Ok(if holds { yes } else { no })
    }

    /// The value of a condition under `Conditions`.
    pub(crate) fn named_condition(
        &self,
        name: &str,
        node: &Node,
        path: &Path<'_>,
    ) -> Result<bool, TemplateError> {
        let value = self.scope.conditions.get(name).copied();
        value.ok_or_else(|| {
            node.error(
                Problem::UnknownCondition {
                    name: name.to_owned(),
                },
                path,
            )
        })
    }

    /// A condition function.
    fn condition(&self, node: &Node, path: &Path<'_>) -> Result<bool, TemplateError> {
        let expected = "a condition function such as Fn::Equals";
        let [
            Entry {
                key, value: argument, ..
            },
        ] = node.as_map(path)?
        else {
            return Err(node.wrong_kind(expected, path));
        };
        let path = path.key(key);
        match key.as_str() {
            "Condition" => self.named_condition(argument.as_text(&path)?, argument, &path),
            "Fn::Equals" => {
                let [left, right] = arguments(argument, key, "two values", &path)?;
                Ok(self.text(left, &path.index(0))? == self.text(right, &path.index(1))?)
            }
            "Fn::Not" => {
                let [inner] = arguments(argument, key, "one condition", &path)?;
                Ok(!self.condition(inner, &path.index(0))?)
            }
            "Fn::And" | "Fn::Or" => {
                let items = argument.as_list(&path)?;
                if !(2..=10).contains(&items.len()) {
                    return Err(misused(argument, key, "takes 2 to 10 conditions", &path));
                }
                // All are evaluated: an error in one must not depend on the value of another.
                let mut values = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    values.push(self.condition(item, &path.index(index))?);
                }
                Ok(if key == "Fn::And" {
                    values.iter().all(|value| *value)
                } else {
                    values.iter().any(|value| *value)
                })
            }
            _ => Err(node.wrong_kind(expected, &path)),
        }
    }

    fn function(
        &self,
        node: &Node,
        name: &str,
        argument: &Node,
        path: &Path<'_>,
    ) -> Result<Option<Node>, TemplateError> {
        let text = |text: String| -> Result<Option<Node>, TemplateError> {
            self.charge(text.len(), node, path)?;
            Ok(Some(Node::text(text, node.at)))
        };
        match name {
            "Ref" if node.is_no_value() => Ok(None),
            "Ref" => self.reference(argument.as_text(path)?, argument, path).map(Some),
            "Fn::GetAtt" => {
                let (resource, attribute) = self.attribute_arguments(argument, path)?;
                text(self.attribute(&resource, &attribute, argument, path)?)
            }
            "Fn::If" => self.value(self.branch(argument, path)?, path),
            "Fn::Sub" => text(self.substitute(argument, path)?),
            "Fn::Join" => {
                let [delimiter, list] = arguments(argument, name, "a delimiter and a list", path)?;
                let delimiter = self.text(delimiter, &path.index(0))?;
                let list = self.list(list, &path.index(1))?;
                let texts = list.iter().map(|item| {
                    item.scalar_text()
                        .ok_or_else(|| item.wrong_kind("a string", path))
                });
                let texts = texts.collect::<Result<Vec<_>, _>>()?;
                self.charge(delimiter.len().saturating_mul(texts.len()), node, path)?;
                text(texts.join(&delimiter))
            }
            "Fn::Split" => {
                let [delimiter, source] = arguments(argument, name, "a delimiter and a string", path)?;
                let (delimiter, source) = (
                    self.text(delimiter, &path.index(0))?,
                    self.text(source, &path.index(1))?,
                );
                if delimiter.is_empty() {
                    return Err(misused(
                        argument,
                        name,
                        "needs a delimiter that is not empty",
                        path,
                    ));
                }
                self.charge(
                    source.matches(delimiter.as_str()).count().saturating_mul(64),
                    node,
                    path,
                )?;
                let parts = source
                    .split(delimiter.as_str())
                    .map(|part| Node::text(part, node.at))
                    .collect();
                Ok(Some(Node::list(parts, node.at)))
            }
            "Fn::Select" => {
                let [index, list] = arguments(argument, name, "an index and a list", path)?;
                let index_text = self.text(index, &path.index(0))?;
                let list = self.list(list, &path.index(1))?;
                let found = index_text
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| list.into_iter().nth(index));
                found.map(Some).ok_or_else(|| {
                    misused(
                        index,
                        name,
                        &format!("cannot select a value at index {index_text}"),
                        path,
                    )
                })
            }
            "Fn::FindInMap" => {
                let [map, top, second] = arguments(argument, name, "a mapping and two keys", path)?;
                let map = self.text(map, &path.index(0))?;
                let (top, second) = (
                    self.text(top, &path.index(1))?,
                    self.text(second, &path.index(2))?,
                );
                let mut found = self.scope.mappings.as_ref();
                for key in [&map, &top, &second] {
                    let next = found.and_then(|node| node.get(key));
                    found = Some(next.ok_or_else(|| {
                        argument.error(
                            Problem::NotMapped {
                                map: map.clone(),
                                key: key.clone(),
                            },
                            path,
                        )
                    })?);
                }
                found.map_or(Ok(None), |value| self.value(value, path))
            }
            "Fn::Base64" => text(STANDARD.encode(self.text(argument, path)?)),
            "Fn::Cidr" => self.cidr(node, argument, path).map(Some),
            "Fn::GetAZs" => {
                let region = self.text(argument, path)?;
                let region = if region.is_empty() {
                    &self.scope.pseudo.region
                } else {
                    &region
                };
                // Which zones an account sees is AWS's secret; three is what most regions have.
                let zones = ["a", "b", "c"]
                    .iter()
                    .map(|zone| Node::text(format!("{region}{zone}"), node.at))
                    .collect();
                Ok(Some(Node::list(zones, node.at)))
            }
            "Fn::ImportValue" => Err(misused(
                node,
                name,
                "is not supported: there are no other stacks; use a parameter",
                path,
            )),
            "Fn::Transform" => Err(misused(
                node,
                name,
                "is not supported; write out what the macro gives",
                path,
            )),
            "Fn::And" | "Fn::Equals" | "Fn::Not" | "Fn::Or" => Err(misused(
                node,
                name,
                "may stand under Conditions only; name a condition there and use Fn::If",
                path,
            )),
            _ => Err(misused(node, name, "is not supported; write out its value", path)),
        }
    }

    fn list(&self, node: &Node, path: &Path<'_>) -> Result<Vec<Node>, TemplateError> {
        match self.value(node, path)? {
            Some(Node {
                content: Content::List(items),
                ..
            }) => Ok(items),
            Some(other) => Err(Node { at: node.at, ..other }.wrong_kind("a list", path)),
            None => Err(node.wrong_kind("a list", path)),
        }
    }

    fn reference(&self, name: &str, node: &Node, path: &Path<'_>) -> Result<Node, TemplateError> {
        if let Some(value) = self.scope.parameters.get(name) {
            let Node { content, .. } = self.value(value, path)?.unwrap_or_else(|| value.clone());
            // An error in the value's type is the user's place, not the parameter's.
            return Ok(Node { content, at: node.at });
        }
        if let Some(value) = self.scope.pseudo.get(name) {
            return Ok(Node::text(value, node.at));
        }
        let created = self.created(name, node, path)?;
        Ok(Node::text(created.reference.clone(), node.at))
    }

    fn attribute_arguments(
        &self,
        argument: &Node,
        path: &Path<'_>,
    ) -> Result<(String, String), TemplateError> {
        if let Content::Text(text) = &argument.content
            && let Some((resource, attribute)) = text.split_once('.')
        {
            return Ok((resource.to_owned(), attribute.to_owned()));
        }
        let [resource, attribute] = arguments(argument, "Fn::GetAtt", "a logical ID and an attribute", path)?;
        Ok((
            resource.as_text(&path.index(0))?.to_owned(),
            self.text(attribute, &path.index(1))?,
        ))
    }

    fn attribute(
        &self,
        resource: &str,
        attribute: &str,
        node: &Node,
        path: &Path<'_>,
    ) -> Result<String, TemplateError> {
        let created = self.created(resource, node, path)?;
        created.attributes.get(attribute).cloned().ok_or_else(|| {
            let resource_type = match self.resources {
                Resources::Created { states, .. } => states
                    .get(resource)
                    .map_or("", ResourceState::type_name)
                    .to_owned(),
                Resources::Forbidden => String::new(),
            };
            let allowed = created.attributes.keys().cloned().collect::<Vec<_>>().join(", ");
            node.error(
                Problem::UnknownAttribute {
                    resource_type,
                    attribute: attribute.to_owned(),
                    allowed,
                },
                path,
            )
        })
    }

    fn created(&self, name: &str, node: &Node, path: &Path<'_>) -> Result<&'a Created, TemplateError> {
        let name = name.to_owned();
        let problem = match self.resources {
            Resources::Forbidden => Problem::ResourceNotAllowed { name },
            Resources::Created { states, created } => match (states.get(&name), created.get(&name)) {
                (None, _) => Problem::UnknownReference { name },
                (Some(ResourceState::NotCreated { reason, .. }), _) => Problem::NotCreated {
                    name,
                    reason: reason.clone(),
                },
                (Some(ResourceState::Planned(_)), Some(created)) => return Ok(created),
                (Some(ResourceState::Planned(_)), None) => Problem::NotYetCreated { name },
            },
        };
        Err(node.error(problem, path))
    }

    fn substitute(&self, argument: &Node, path: &Path<'_>) -> Result<String, TemplateError> {
        let (template, variables) = sub_arguments(argument, path)?;
        let mut local = BTreeMap::new();
        for entry in variables {
            local.insert(
                entry.key.as_str(),
                self.text(&entry.value, &path.key(&entry.key))?,
            );
        }
        let text = template.as_text(path)?;
        let mut result = String::new();
        for part in sub_parts(text, template, path)? {
            let before = result.len();
            match part {
                Part::Literal(text) => result.push_str(text),
                Part::Variable(name) => match (local.get(name), name.split_once('.')) {
                    (Some(value), _) => result.push_str(value),
                    (None, Some((resource, attribute))) => {
                        result.push_str(&self.attribute(resource, attribute, template, path)?);
                    }
                    (None, None) => {
                        let value = self.reference(name, template, path)?;
                        let value = value
                            .scalar_text()
                            .ok_or_else(|| value.wrong_kind("a string", path))?;
                        result.push_str(value);
                    }
                },
            }
            self.charge(result.len() - before, template, path)?;
        }
        Ok(result)
    }

    fn cidr(&self, node: &Node, argument: &Node, path: &Path<'_>) -> Result<Node, TemplateError> {
        let (block, count, bits) = match argument.as_list(path)? {
            [block, count] => (block, count, None),
            [block, count, bits] => (block, count, Some(bits)),
            _ => {
                return Err(misused(
                    argument,
                    "Fn::Cidr",
                    "takes an address block, a count and host bits",
                    path,
                ));
            }
        };
        let number = |node: &Node, path: &Path<'_>| {
            self.text(node, path)?
                .parse::<u32>()
                .map_err(|_| node.wrong_kind("a whole number", path))
        };
        let block = self.text(block, &path.index(0))?;
        let count = number(count, &path.index(1))?;
        // Without host bits, AWS takes 64 for IPv6 blocks, which have no other use, and asks for them for IPv4.
        let bits = match bits {
            Some(bits) => number(bits, &path.index(2))?,
            None if block.contains(':') => 64,
            None => {
                return Err(misused(
                    argument,
                    "Fn::Cidr",
                    "needs the host bits as third value",
                    path,
                ));
            }
        };
        let blocks = crate::cidr::blocks(&block, count, bits)
            .map_err(|reason| misused(argument, "Fn::Cidr", &reason, path))?;
        Ok(Node::list(
            blocks
                .into_iter()
                .map(|block| Node::text(block, node.at))
                .collect(),
            node.at,
        ))
    }

    fn charge(&self, bytes: usize, node: &Node, path: &Path<'_>) -> Result<(), TemplateError> {
        self.spent.set(self.spent.get().saturating_add(bytes));
        if self.spent.get() > MAX_EVALUATED {
            return Err(node.error(Problem::TooMuch { limit: MAX_EVALUATED }, path));
        }
        Ok(())
    }
}

/// The text of `Fn::Sub` and its own variables.
pub(crate) fn sub_arguments<'n>(
    argument: &'n Node,
    path: &Path<'_>,
) -> Result<(&'n Node, &'n [Entry]), TemplateError> {
    match &argument.content {
        Content::Text(_) => Ok((argument, &[])),
        Content::List(_) => {
            let [text, variables] = arguments(argument, "Fn::Sub", "a string and a map of variables", path)?;
            Ok((text, variables.as_map(&path.index(1))?))
        }
        _ => Err(argument.wrong_kind("a string, or a list of a string and a map", path)),
    }
}

pub(crate) fn sub_parts<'n>(
    text: &'n str,
    node: &Node,
    path: &Path<'_>,
) -> Result<Vec<Part<'n>>, TemplateError> {
    substitution::parts(text).map_err(|name| {
        misused(
            node,
            "Fn::Sub",
            &format!("has the variable `{name}`: names are letters, digits, `_`, `.` and `:`"),
            path,
        )
    })
}

/// The arguments of a function that takes exactly `N`.
pub(crate) fn arguments<'n, const N: usize>(
    argument: &'n Node,
    function: &str,
    takes: &str,
    path: &Path<'_>,
) -> Result<&'n [Node; N], TemplateError> {
    let items = argument.as_list(path)?;
    items.try_into().map_err(|_| {
        misused(
            argument,
            function,
            &format!("takes {takes}, not {} values", items.len()),
            path,
        )
    })
}

pub(crate) fn misused(node: &Node, function: &str, reason: &str, path: &Path<'_>) -> TemplateError {
    node.error(
        Problem::Function {
            function: function.to_owned(),
            reason: reason.to_owned(),
        },
        path,
    )
}
