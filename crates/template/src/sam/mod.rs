//! The SAM transform: `AWS::Serverless` resources as the CloudFormation resources they stand for.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html>

mod function;
pub(crate) mod globals;
mod policies;
mod simple_table;

use crate::error::{Problem, TemplateError};
use crate::evaluate::Evaluator;
use crate::node::{Content, Entry, Node};
use crate::path::Path;
use crate::plan::Unsupported;
use crate::template::Resource;
use globals::Globals;

/// What the transform needs to know.
pub(crate) struct Transform<'a> {
    pub(crate) globals: &'a Globals,
    pub(crate) evaluator: &'a Evaluator<'a>,
    /// The ARN of an AWS managed policy, by its name.
    pub(crate) managed_policy_arn: &'a dyn Fn(&str) -> Option<String>,
}

/// What one resource of the template became.
pub(crate) struct Expanded {
    pub(crate) resources: Vec<Resource>,
    pub(crate) unsupported: Vec<Unsupported>,
}

impl Transform<'_> {
    /// A resource that is no SAM one, or a SAM one that is not supported, stays as it is.
    pub(crate) fn expand(&self, resource: &Resource, path: &Path<'_>) -> Result<Expanded, TemplateError> {
        let path = path.key("Properties");
        match resource.kind.as_str() {
            "AWS::Serverless::Function" => function::expand(self, resource, &path),
            "AWS::Serverless::SimpleTable" => simple_table::expand(self, resource, &path),
            _ => Ok(Expanded {
                resources: vec![resource.clone()],
                unsupported: Vec::new(),
            }),
        }
    }
}

/// The logical IDs of all that a resource of the template stands for.
pub(crate) fn logical_ids(resource: &Resource) -> Vec<String> {
    let mut ids = vec![resource.logical_id.clone()];
    if resource.kind == "AWS::Serverless::Function" && resource.properties.get("Role").is_none() {
        ids.push(role_id(&resource.logical_id));
    }
    ids
}

fn role_id(function: &str) -> String {
    format!("{function}Role")
}

/// `{"team": "shop"}` as `[{"Key": "team", "Value": "shop"}]`, after the tags SAM sets itself.
fn tags(
    own: &[(&str, &str)],
    tags: Option<&Node>,
    at: &Node,
    path: &Path<'_>,
) -> Result<Node, TemplateError> {
    let tag = |key: &str, value: Node, at| Node::map([("Key", Node::text(key, at)), ("Value", value)], at);
    let mut list: Vec<Node> = own
        .iter()
        .map(|(key, value)| tag(key, Node::text(*value, at.at), at.at))
        .collect();
    if let Some(tags) = tags {
        for Entry { key, at, value } in tags.as_map(path)? {
            if own.iter().any(|(name, _)| name == key) {
                let reason = format!("the tag `{key}` is SAM's own; remove it");
                return Err(TemplateError::new(Problem::Value { reason }, path, *at));
            }
            list.push(tag(key, value.clone(), *at));
        }
    }
    Ok(Node::list(list, at.at))
}

fn entry(key: &str, value: Node) -> Entry {
    Entry {
        key: key.to_owned(),
        at: value.at,
        value,
    }
}

fn generated(resource: &Resource, logical_id: &str, kind: &str, properties: Vec<Entry>) -> Resource {
    Resource {
        logical_id: logical_id.to_owned(),
        at: resource.at,
        kind: kind.to_owned(),
        properties: Node {
            content: Content::Map(properties),
            at: resource.properties.at,
        },
        depends_on: Vec::new(),
        condition: None,
        unsupported: Vec::new(),
    }
}
