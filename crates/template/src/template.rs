//! The template's sections.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html>

use std::collections::BTreeMap;

use crate::error::{Position, Problem, TemplateError};
use crate::node::{Content, Entry, Node};
use crate::parameters::Parameter;
use crate::path::Path;
use crate::plan::{Plan, Pseudo};
use crate::read;
use crate::sam::globals::Globals;

const SECTIONS: &[&str] = &[
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Transform",
];
const SAM_TRANSFORM: &str = "AWS::Serverless-2016-10-31";

/// Quotas. <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const MAX_RESOURCES: usize = 500;
const MAX_PARAMETERS: usize = 200;
const MAX_OUTPUTS: usize = 200;
const MAX_MAPPINGS: usize = 200;
/// CloudFormation documents none; as many as resources is plenty.
const MAX_CONDITIONS: usize = 500;

/// Attributes that change how a resource is updated or deleted, which never happens here.
const IGNORED_ATTRIBUTES: &[&str] = &["DeletionPolicy", "Metadata", "UpdateReplacePolicy"];
/// Attributes that change what is created: named as unsupported.
const UNSUPPORTED_ATTRIBUTES: &[&str] = &["CreationPolicy", "UpdatePolicy"];

/// A template that was read and whose sections have the right form.
#[derive(Debug, Clone)]
pub struct Template {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) mappings: Option<Node>,
    pub(crate) conditions: Vec<Entry>,
    pub(crate) globals: Globals,
    pub(crate) resources: Vec<Resource>,
    pub(crate) outputs: Vec<Entry>,
}

/// One entry under `Resources`.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) logical_id: String,
    pub(crate) at: Position,
    pub(crate) kind: String,
    /// Always a map.
    pub(crate) properties: Node,
    pub(crate) depends_on: Vec<Node>,
    pub(crate) condition: Option<Node>,
    /// Attributes nobody here acts on.
    pub(crate) unsupported: Vec<(String, Position)>,
}

impl Template {
    /// Read a template in YAML or JSON.
    ///
    /// # Errors
    /// Text over 1 MB, invalid syntax, too deep nesting, duplicate keys, null values, sections or attributes CloudFormation does not
    /// have, and macros other than SAM. Unsupported resource types and properties are no error here: [`Template::plan`] lists them.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let root = read::read(text)?;
        let path = Path::ROOT;
        let sections = root.as_map(&path)?;
        for section in sections {
            if !SECTIONS.contains(&section.key.as_str()) {
                let problem = Problem::UnknownKey {
                    key: section.key.clone(),
                    allowed: SECTIONS.join(", "),
                };
                return Err(TemplateError::new(problem, path, section.at));
            }
            if section.key != "Metadata" {
                no_nulls(&section.value, &path.key(&section.key))?;
            }
        }
        let sam = root
            .get("Transform")
            .map_or(Ok(false), |node| transform(node, &path.key("Transform")))?;
        let globals_path = path.key("Globals");
        let globals = Globals::read(root.get("Globals"), &globals_path)?;
        let entries = |name: &'static str, limit: usize| -> Result<&[Entry], TemplateError> {
            let Some(node) = root.get(name) else {
                return Ok(&[]);
            };
            let path = path.key(name);
            let entries = node.as_map(&path)?;
            if entries.len() > limit {
                return Err(node.error(
                    Problem::TooMany {
                        count: entries.len(),
                        limit,
                    },
                    &path,
                ));
            }
            Ok(entries)
        };
        let parameters_path = path.key("Parameters");
        let parameters = entries("Parameters", MAX_PARAMETERS)?
            .iter()
            .map(|entry| {
                let path = parameters_path.key(&entry.key);
                logical_id(entry, &path)?;
                Parameter::read(entry, &path)
            })
            .collect::<Result<_, _>>()?;
        entries("Mappings", MAX_MAPPINGS)?;
        if root.get("Resources").is_none() {
            return Err(root.error(
                Problem::Missing {
                    key: "Resources".to_owned(),
                },
                &path,
            ));
        }
        let resources_path = path.key("Resources");
        let resources = entries("Resources", MAX_RESOURCES)?
            .iter()
            .map(|entry| Resource::read(entry, sam, &resources_path.key(&entry.key)))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            parameters,
            mappings: root.get("Mappings").cloned(),
            conditions: entries("Conditions", MAX_CONDITIONS)?.to_vec(),
            globals,
            resources,
            outputs: entries("Outputs", MAX_OUTPUTS)?.to_vec(),
        })
    }

    /// Give the parameters their values, apply the SAM transform, and order the resources so that each comes after those it needs.
    ///
    /// `parameters` are values by parameter name, replacing defaults. `managed_policy_arn` gives the ARN of an AWS managed policy that a SAM function
    /// names without ARN (`AmazonS3FullAccess`).
    ///
    /// # Errors
    /// Missing or refused parameter values, references to nothing, cycles, intrinsic functions used wrongly.
    pub fn plan(
        &self,
        parameters: &BTreeMap<String, String>,
        pseudo: &Pseudo,
        managed_policy_arn: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Plan, TemplateError> {
        Plan::new(self, parameters, pseudo, managed_policy_arn)
    }
}

impl Resource {
    fn read(entry: &Entry, sam: bool, path: &Path<'_>) -> Result<Self, TemplateError> {
        logical_id(entry, path)?;
        let mut resource = Self {
            logical_id: entry.key.clone(),
            at: entry.at,
            kind: String::new(),
            properties: Node {
                content: Content::Map(Vec::new()),
                at: entry.at,
            },
            depends_on: Vec::new(),
            condition: None,
            unsupported: Vec::new(),
        };
        for attribute in entry.value.as_map(path)? {
            let (node, path) = (&attribute.value, path.key(&attribute.key));
            match attribute.key.as_str() {
                "Type" => node.as_text(&path)?.clone_into(&mut resource.kind),
                "Properties" => {
                    node.as_map(&path)?;
                    resource.properties = node.clone();
                }
                "Condition" => {
                    node.as_text(&path)?;
                    resource.condition = Some(node.clone());
                }
                "DependsOn" => match &node.content {
                    Content::Text(_) => resource.depends_on.push(node.clone()),
                    _ => {
                        for (index, item) in node.as_list(&path)?.iter().enumerate() {
                            item.as_text(&path.index(index))?;
                            resource.depends_on.push(item.clone());
                        }
                    }
                },
                name if IGNORED_ATTRIBUTES.contains(&name) => {}
                name if UNSUPPORTED_ATTRIBUTES.contains(&name) => {
                    resource.unsupported.push((name.to_owned(), attribute.at));
                }
                name => {
                    let known = ["Type", "Properties", "Condition", "DependsOn"];
                    let allowed = [&known[..], IGNORED_ATTRIBUTES, UNSUPPORTED_ATTRIBUTES]
                        .concat()
                        .join(", ");
                    let problem = Problem::UnknownKey {
                        key: name.to_owned(),
                        allowed,
                    };
                    return Err(TemplateError::new(problem, path, attribute.at));
                }
            }
        }
        if resource.kind.is_empty() {
            return Err(entry.value.error(
                Problem::Missing {
                    key: "Type".to_owned(),
                },
                path,
            ));
        }
        if !sam && resource.kind.starts_with("AWS::Serverless::") {
            let problem = Problem::TransformMissing {
                resource_type: resource.kind,
            };
            return Err(TemplateError::new(problem, path, entry.at));
        }
        Ok(resource)
    }
}

fn logical_id(entry: &Entry, path: &Path<'_>) -> Result<(), TemplateError> {
    if entry.key.is_empty()
        || entry.key.len() > 255
        || !entry.key.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        return Err(TemplateError::new(
            Problem::LogicalId {
                name: entry.key.clone(),
            },
            path,
            entry.at,
        ));
    }
    Ok(())
}

/// Whether the template asks for SAM.
fn transform(node: &Node, path: &Path<'_>) -> Result<bool, TemplateError> {
    let names = match &node.content {
        Content::Text(_) => std::slice::from_ref(node),
        _ => node.as_list(path)?,
    };
    for name in names {
        let text = name.as_text(path)?;
        if text != SAM_TRANSFORM {
            return Err(name.error(
                Problem::Transform {
                    name: text.to_owned(),
                },
                path,
            ));
        }
    }
    Ok(!names.is_empty())
}

fn no_nulls(node: &Node, path: &Path<'_>) -> Result<(), TemplateError> {
    match &node.content {
        Content::Null => Err(node.error(Problem::Null, path)),
        Content::List(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| no_nulls(item, &path.index(index))),
        Content::Map(entries) => entries
            .iter()
            .filter(|entry| entry.key != "Metadata")
            .try_for_each(|entry| no_nulls(&entry.value, &path.key(&entry.key))),
        _ => Ok(()),
    }
}
