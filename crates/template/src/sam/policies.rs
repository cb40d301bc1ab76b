//! `Policies` of a SAM function: managed policies by name or ARN, inline documents, and SAM's policy templates.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-templates.html>

use std::sync::LazyLock;

use serde_json::Value;

use super::Transform;
use crate::error::{Problem, TemplateError};
use crate::node::{Content, Entry, Node};
use crate::path::Path;

/// Written by `tools/sam_policy_templates.py` from AWS's own translator.
static TEMPLATES: LazyLock<Value> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the text is part of the program; a test reads it"
    )]
    serde_json::from_str(include_str!("../data/policy_templates.json"))
        .expect("the policy templates are JSON")
});

/// What a role gets.
#[derive(Debug, Default)]
pub(super) struct Policies {
    /// ARNs, or expressions that give one.
    pub(super) managed: Vec<Node>,
    /// Entries of the role's `Policies`.
    pub(super) inline: Vec<Node>,
}

/// Sort the entries of `Policies` out. Inline policies are named `ROLE` + `Policy` + index, as SAM names them.
pub(super) fn read(
    transform: &Transform<'_>,
    node: &Node,
    role: &str,
    path: &Path<'_>,
) -> Result<Policies, TemplateError> {
    let mut policies = Policies::default();
    let Some(node) = transform.evaluator.choose(node, path)? else {
        return Ok(policies);
    };
    let entries = match &node.content {
        Content::List(entries) => entries.as_slice(),
        _ => std::slice::from_ref(node),
    };
    for (index, entry) in entries.iter().enumerate() {
        let path = path.index(index);
        let Some(entry) = transform.evaluator.choose(entry, &path)? else {
            continue;
        };
        let document = match &entry.content {
            Content::Text(name) => {
                add_managed(&mut policies, managed(transform, name, entry, &path)?);
                continue;
            }
            Content::Map(_) if entry.intrinsic().is_some() => {
                add_managed(&mut policies, entry.clone());
                continue;
            }
            Content::Map(_) if entry.get("Statement").is_some() => entry.clone(),
            Content::Map(entries) => match entries.as_slice() {
                [Entry { key, value, .. }] => template(key, value, entry, &path)?,
                _ => return Err(entry.wrong_kind("a policy name, ARN, document or policy template", &path)),
            },
            _ => return Err(entry.wrong_kind("a policy name, ARN, document or policy template", &path)),
        };
        let name = Node::text(format!("{role}Policy{index}"), entry.at);
        policies.inline.push(Node::map(
            [("PolicyName", name), ("PolicyDocument", document)],
            entry.at,
        ));
    }
    Ok(policies)
}

fn add_managed(policies: &mut Policies, arn: Node) {
    if policies.managed.iter().all(|other| other.content != arn.content) {
        policies.managed.push(arn);
    }
}

fn managed(
    transform: &Transform<'_>,
    name: &str,
    node: &Node,
    path: &Path<'_>,
) -> Result<Node, TemplateError> {
    if name.starts_with("arn:") {
        return Ok(node.clone());
    }
    match (transform.managed_policy_arn)(name) {
        Some(arn) => Ok(Node::text(arn, node.at)),
        None => Err(node.error(
            Problem::UnknownManagedPolicy {
                name: name.to_owned(),
            },
            path,
        )),
    }
}

/// A policy template's document with its parameters put in.
fn template(name: &str, values: &Node, node: &Node, path: &Path<'_>) -> Result<Node, TemplateError> {
    let Some(template) = TEMPLATES
        .get("templates")
        .and_then(|templates| templates.get(name))
    else {
        return Err(node.error(
            Problem::UnknownManagedPolicy {
                name: name.to_owned(),
            },
            path,
        ));
    };
    let path = path.key(name);
    let given = values.as_map(&path)?;
    let parameters = template
        .get("parameters")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let mut arguments = Vec::new();
    for parameter in parameters {
        let Some(entry) = given.iter().find(|entry| entry.key == parameter) else {
            let problem = Problem::PolicyTemplateParameter {
                template: name.to_owned(),
                parameter: parameter.to_owned(),
            };
            return Err(values.error(problem, &path));
        };
        arguments.push((parameter, &entry.value));
    }
    let document = template
        .get("document")
        .map_or(Node::list(Vec::new(), node.at), |value| {
            Node::from_json(value, node.at)
        });
    Ok(put_in(document, &arguments))
}

/// Replace `{"Ref": PARAMETER}`. What was put in is not looked at again: a `Ref` in it is the user's own.
fn put_in(node: Node, arguments: &[(&str, &Node)]) -> Node {
    if let Some((
        "Ref",
        Node {
            content: Content::Text(name),
            ..
        },
    )) = node.intrinsic()
        && let Some((_, value)) = arguments.iter().find(|(parameter, _)| parameter == name)
    {
        return (*value).clone();
    }
    let content = match node.content {
        Content::List(items) => {
            Content::List(items.into_iter().map(|item| put_in(item, arguments)).collect())
        }
        Content::Map(entries) => Content::Map(
            entries
                .into_iter()
                .map(|entry| Entry {
                    value: put_in(entry.value, arguments),
                    ..entry
                })
                .collect(),
        ),
        scalar => scalar,
    };
    Node { content, at: node.at }
}
