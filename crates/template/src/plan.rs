//! What will be created, in which order, and each resource's properties just before its turn.
//!
//! `Ref` and `Fn::GetAtt` give what a service answered when it created the other resource, so evaluation comes in two stages: [`Plan`]
//! knows everything that follows from the template and its parameters; [`Plan::resolve`] is called once a resource, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use crate::error::{Position, Problem, TemplateError};
use crate::evaluate::{Evaluator, Resources, Scope};
use crate::node::{Content, Entry, Node};
use crate::order;
use crate::parameters;
use crate::path::Path;
use crate::physical_name;
use crate::references;
use crate::resource_type::{self, ResourceType};
use crate::sam;
use crate::shape::{self, Shape};
use crate::template::{Resource, Template};

/// What pseudo parameters stand for.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/pseudo-parameter-reference.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pseudo {
    /// `AWS::AccountId`, 12 digits.
    pub account: String,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::Partition`, such as `aws`.
    pub partition: String,
    /// `AWS::StackName`; generated names begin with it.
    pub stack_name: String,
    /// `AWS::StackId`, an ARN; generated names depend on it, so another ID gives other names.
    pub stack_id: String,
    /// `AWS::URLSuffix`, such as `amazonaws.com`.
    pub url_suffix: String,
}

impl Pseudo {
    /// The value of a pseudo parameter but `AWS::NoValue`, which has none. `AWS::NotificationARNs` is not supported.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        match name {
            "AWS::AccountId" => Some(&self.account),
            "AWS::Partition" => Some(&self.partition),
            "AWS::Region" => Some(&self.region),
            "AWS::StackId" => Some(&self.stack_id),
            "AWS::StackName" => Some(&self.stack_name),
            "AWS::URLSuffix" => Some(&self.url_suffix),
            _ => None,
        }
    }
}

/// What a service answered when it created a resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Created {
    /// What `Ref` gives: the name of a bucket, table, role, function or log group, the ARN of a managed policy.
    pub reference: String,
    /// What `Fn::GetAtt` gives, by attribute name.
    pub attributes: BTreeMap<String, String>,
}

/// Something in a template that would be needed to create what it declares, but is not supported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// The resource, as the template names it.
    pub logical_id: String,
    /// Its type, as the template has it.
    pub resource_type: String,
    /// The property, as a path such as `Events.Upload (S3)`; `None` if it is the whole resource.
    pub property: Option<String>,
    /// The line in the template, from 1.
    pub line: usize,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            logical_id,
            resource_type,
            property,
            line,
        } = self;
        match property {
            Some(property) => write!(
                formatter,
                "line {line}: {property} of {logical_id} ({resource_type}) is not supported"
            ),
            None => write!(
                formatter,
                "line {line}: {logical_id} has the type {resource_type}, which is not supported"
            ),
        }
    }
}

/// A resource that will be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedResource {
    /// Its logical ID; those the SAM transform makes included.
    pub logical_id: String,
    /// Its CloudFormation type; never an `AWS::Serverless` one.
    pub resource_type: &'static str,
    /// The line in the template, from 1; of the SAM resource if it was generated.
    pub line: usize,
    /// The logical IDs of those that come before because it needs them.
    pub depends_on: Vec<String>,
}

/// Where a function's code is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeSource {
    /// A file or folder, relative to the template's folder. It is the template's text: check that it does not lead elsewhere.
    LocalPath(String),
    /// The code itself (`InlineCode`, `ZipFile`).
    Inline(String),
    /// An object in S3, named in the resolved properties.
    S3,
}

/// A Lambda function of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionSummary {
    /// Its logical ID.
    pub logical_id: String,
    /// `Runtime`, if it has one.
    pub runtime: Option<String>,
    /// `Handler`, if it has one.
    pub handler: Option<String>,
    /// Where its code is.
    pub code: CodeSource,
    /// The line in the template, from 1.
    pub line: usize,
}

/// A template with its parameters: see [`Template::plan`].
#[derive(Debug, Clone)]
pub struct Plan {
    resources: Vec<PlannedResource>,
    unsupported: Vec<Unsupported>,
    scope: Scope,
    properties: BTreeMap<String, Node>,
    states: BTreeMap<String, ResourceState>,
    outputs: Vec<Entry>,
}

/// What became of a resource of the template.
#[derive(Debug, Clone)]
pub(crate) enum ResourceState {
    Planned(&'static ResourceType),
    NotCreated {
        resource_type: String,
        reason: String,
        conditional: bool,
    },
}

impl ResourceState {
    pub(crate) fn type_name(&self) -> &str {
        match self {
            Self::Planned(resource_type) => resource_type.name,
            Self::NotCreated { resource_type, .. } => resource_type,
        }
    }
}

impl Plan {
    pub(crate) fn new(
        template: &Template,
        values: &BTreeMap<String, String>,
        pseudo: &Pseudo,
        managed_policy_arn: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, TemplateError> {
        let scope = Scope {
            pseudo: pseudo.clone(),
            parameters: parameters::values(&template.parameters, values)?,
            mappings: template.mappings.clone(),
            conditions: BTreeMap::new(),
        };
        let scope = scope.with_conditions(&template.conditions)?;
        let root = Path::ROOT;
        let path = root.key("Resources");
        let evaluator = Evaluator::new(&scope, Resources::Forbidden);
        let transform = sam::Transform {
            globals: &template.globals,
            evaluator: &evaluator,
            managed_policy_arn,
        };
        let mut expansion = Expansion::default();
        for declared in &template.resources {
            expansion.add(&transform, declared, template, &path.key(&declared.logical_id))?;
        }
        let Expansion {
            chosen,
            states,
            mut unsupported,
        } = expansion;
        for (resource, found) in &chosen {
            let path = path.key(&resource.logical_id);
            check_properties(
                &evaluator,
                resource,
                found,
                &path.key("Properties"),
                &mut unsupported,
            )?;
        }
        unsupported.sort_by_key(|item| item.line);

        let dependencies = dependencies(&evaluator, &scope, &chosen, &states, &path)?;
        check_outputs(&evaluator, &scope, &states, template)?;
        let name = |index: usize| {
            let resource = chosen.get(index);
            resource.map_or("", |(resource, _)| resource.logical_id.as_str())
        };
        let order = order::sort(&dependencies).map_err(|cycle| {
            let first = cycle.first().and_then(|&index| chosen.get(index));
            TemplateError {
                problem: Problem::ResourceCycle {
                    cycle: order::describe(&cycle, name),
                },
                path: path.to_string(),
                position: first.map(|(resource, _)| resource.at),
            }
        })?;
        let resources = order
            .into_iter()
            .filter_map(|index| Some((chosen.get(index)?, dependencies.get(index)?)))
            .map(|((resource, found), needed)| PlannedResource {
                logical_id: resource.logical_id.clone(),
                resource_type: found.name,
                line: resource.at.line,
                depends_on: needed.iter().map(|&index| name(index).to_owned()).collect(),
            })
            .collect();
        let properties = chosen
            .into_iter()
            .map(|(resource, _)| (resource.logical_id, resource.properties))
            .collect();
        Ok(Self {
            resources,
            unsupported,
            properties,
            states,
            outputs: template.outputs.clone(),
            scope,
        })
    }

    /// The resources to create, each after all it needs.
    pub fn resources(&self) -> &[PlannedResource] {
        &self.resources
    }

    /// What the template asks for and is not supported, by line. If it is not empty, what [`Plan::resources`] gives is less than what
    /// the template declares: go on only if the user said so.
    pub fn unsupported(&self) -> &[Unsupported] {
        &self.unsupported
    }

    /// The properties of a resource as plain JSON in the types of CloudFormation's reference, without unsupported ones, and with a generated
    /// name if its type has names and the template gives none. `Code` of a function is a string if the code is a local path.
    ///
    /// `created` has, by logical ID, what was created before.
    ///
    /// # Errors
    /// Intrinsic functions used wrongly, values of the wrong type, and resources that are not in `created`.
    pub fn resolve(
        &self,
        logical_id: &str,
        created: &BTreeMap<String, Created>,
    ) -> Result<Value, TemplateError> {
        let root = Path::ROOT;
        let path = root.key("Resources");
        let path = path.key(logical_id);
        let (Some(ResourceState::Planned(found)), Some(properties)) =
            (self.states.get(logical_id), self.properties.get(logical_id))
        else {
            let problem = Problem::UnknownReference {
                name: logical_id.to_owned(),
            };
            return Err(TemplateError::without_position(problem, root));
        };
        let evaluator = self.evaluator(created);
        let path = path.key("Properties");
        let mut object = serde_json::Map::new();
        for entry in properties.as_map(&path)? {
            let Some(shape) = shape::property(found.properties, &entry.key) else {
                continue;
            };
            let path = path.key(&entry.key);
            if let Some(value) = evaluator.value(&entry.value, &path)? {
                object.insert(entry.key.clone(), shape.json(&value, &path)?);
            }
        }
        for required in found.required {
            if !object.contains_key(*required) {
                return Err(properties.error(
                    Problem::Missing {
                        key: (*required).to_owned(),
                    },
                    &path,
                ));
            }
        }
        if let Some((property, longest)) = found.name_property {
            let lower_case = found.name == "AWS::S3::Bucket";
            let generate = || Value::String(self.generate_name(logical_id, longest, lower_case));
            object.entry(property).or_insert_with(generate);
        }
        Ok(Value::Object(object))
    }

    /// `STACK-LOGICALID-SUFFIX`, for identifiers no property holds, such as the statement ID of an `AWS::Lambda::Permission`.
    pub fn physical_name(&self, logical_id: &str) -> String {
        self.generate_name(logical_id, 64, false)
    }

    /// The Lambda functions, in the order of [`Plan::resources`].
    ///
    /// # Errors
    /// Intrinsic functions used wrongly in `Runtime`, `Handler` or `Code`.
    pub fn functions(&self) -> Result<Vec<FunctionSummary>, TemplateError> {
        let evaluator = Evaluator::new(&self.scope, Resources::Forbidden);
        let root = Path::ROOT;
        let resources = root.key("Resources");
        let functions = self
            .resources
            .iter()
            .filter(|resource| resource.resource_type == "AWS::Lambda::Function");
        functions
            .map(|resource| {
                let path = resources.key(&resource.logical_id);
                let path = path.key("Properties");
                let text = |key: &str| -> Result<Option<String>, TemplateError> {
                    let node = self
                        .properties
                        .get(&resource.logical_id)
                        .and_then(|properties| properties.get(key));
                    let path = path.key(key);
                    let node = node.map_or(Ok(None), |node| evaluator.choose(node, &path))?;
                    node.map(|node| evaluator.text(node, &path)).transpose()
                };
                Ok(FunctionSummary {
                    logical_id: resource.logical_id.clone(),
                    runtime: text("Runtime")?,
                    handler: text("Handler")?,
                    code: self.code(&resource.logical_id, &evaluator, &path)?,
                    line: resource.line,
                })
            })
            .collect()
    }

    /// The template's outputs whose condition holds, evaluated after everything was created.
    ///
    /// # Errors
    /// Intrinsic functions used wrongly, and resources that are not in `created`.
    pub fn outputs(
        &self,
        created: &BTreeMap<String, Created>,
    ) -> Result<BTreeMap<String, Value>, TemplateError> {
        let evaluator = self.evaluator(created);
        let root = Path::ROOT;
        let outputs = root.key("Outputs");
        let mut values = BTreeMap::new();
        for output in &self.outputs {
            let path = outputs.key(&output.key);
            if let Some(node) = output_value(&evaluator, output, &path)?
                && let Some(value) = evaluator.value(node, &path.key("Value"))?
            {
                values.insert(output.key.clone(), Shape::Text.json(&value, &path.key("Value"))?);
            }
        }
        Ok(values)
    }

    fn evaluator<'a>(&'a self, created: &'a BTreeMap<String, Created>) -> Evaluator<'a> {
        Evaluator::new(
            &self.scope,
            Resources::Created {
                states: &self.states,
                created,
            },
        )
    }

    fn generate_name(&self, logical_id: &str, longest: usize, lower_case: bool) -> String {
        let Pseudo {
            stack_name, stack_id, ..
        } = &self.scope.pseudo;
        physical_name::generate(stack_name, logical_id, stack_id, longest, lower_case)
    }

    fn code(
        &self,
        logical_id: &str,
        evaluator: &Evaluator<'_>,
        path: &Path<'_>,
    ) -> Result<CodeSource, TemplateError> {
        let path = path.key("Code");
        let properties = self.properties.get(logical_id);
        let code = properties.and_then(|properties| properties.get("Code"));
        let code = code.map_or(Ok(None), |code| evaluator.choose(code, &path))?;
        let Some(code) = code else {
            let at = properties.map(|node| node.at);
            return Err(TemplateError {
                problem: Problem::Missing {
                    key: "Code".to_owned(),
                },
                path: path.to_string(),
                position: at,
            });
        };
        let object = matches!(code.content, Content::Map(_)) && code.intrinsic().is_none();
        match code.get("ZipFile") {
            Some(text) if object => Ok(CodeSource::Inline(evaluator.text(text, &path.key("ZipFile"))?)),
            _ if object => Ok(CodeSource::S3),
            _ => Ok(CodeSource::LocalPath(evaluator.text(code, &path)?)),
        }
    }
}

/// The template's resources after conditions and the SAM transform.
#[derive(Default)]
struct Expansion {
    chosen: Vec<(Resource, &'static ResourceType)>,
    states: BTreeMap<String, ResourceState>,
    unsupported: Vec<Unsupported>,
}

impl Expansion {
    fn add(
        &mut self,
        transform: &sam::Transform<'_>,
        declared: &Resource,
        template: &Template,
        path: &Path<'_>,
    ) -> Result<(), TemplateError> {
        if let Some(condition) = &declared.condition {
            let path = path.key("Condition");
            let name = condition.as_text(&path)?;
            if !transform.evaluator.named_condition(name, condition, &path)? {
                for logical_id in sam::logical_ids(declared) {
                    let state = ResourceState::NotCreated {
                        resource_type: declared.kind.clone(),
                        reason: format!("its condition `{name}` is false"),
                        conditional: true,
                    };
                    self.states.insert(logical_id, state);
                }
                return Ok(());
            }
        }
        for (attribute, at) in &declared.unsupported {
            let item = unsupported_property(declared, attribute.clone(), *at);
            self.unsupported.push(item);
        }
        let expanded = transform.expand(declared, path)?;
        self.unsupported.extend(expanded.unsupported);
        for resource in expanded.resources {
            let logical_id = resource.logical_id.clone();
            let generated = logical_id != declared.logical_id;
            if generated
                && template
                    .resources
                    .iter()
                    .any(|other| other.logical_id == logical_id)
            {
                let problem = Problem::GeneratedNameTaken { name: logical_id };
                return Err(TemplateError::new(problem, path, declared.at));
            }
            if let Some(found) = resource_type::find(&resource.kind) {
                self.states.insert(logical_id, ResourceState::Planned(found));
                self.chosen.push((resource, found));
            } else {
                self.unsupported.push(Unsupported {
                    logical_id: logical_id.clone(),
                    resource_type: resource.kind.clone(),
                    property: None,
                    line: resource.at.line,
                });
                let state = ResourceState::NotCreated {
                    reason: format!("its type `{}` is not supported", resource.kind),
                    resource_type: resource.kind,
                    conditional: false,
                };
                self.states.insert(logical_id, state);
            }
        }
        Ok(())
    }
}

/// For each resource, the indices of those it needs.
fn dependencies(
    evaluator: &Evaluator<'_>,
    scope: &Scope,
    chosen: &[(Resource, &'static ResourceType)],
    states: &BTreeMap<String, ResourceState>,
    path: &Path<'_>,
) -> Result<Vec<BTreeSet<usize>>, TemplateError> {
    let index: BTreeMap<&str, usize> = chosen
        .iter()
        .enumerate()
        .map(|(index, (resource, _))| (resource.logical_id.as_str(), index))
        .collect();
    let mut dependencies = Vec::with_capacity(chosen.len());
    for (resource, found) in chosen {
        let path = path.key(&resource.logical_id);
        let mut needed = BTreeSet::new();
        for node in &resource.depends_on {
            let path = path.key("DependsOn");
            let name = node.as_text(&path)?;
            if !states.contains_key(name) {
                let name = name.to_owned();
                return Err(node.error(Problem::UnknownReference { name }, &path));
            }
            // Only what is created has an index: as in CloudFormation, nothing waits for a resource whose condition is false.
            needed.extend(index.get(name));
        }
        let path = path.key("Properties");
        for entry in resource.properties.as_map(&path)? {
            let supported = shape::property(found.properties, &entry.key).is_some();
            let path = path.key(&entry.key);
            let mut visit = |reference: references::Reference<'_>, path: &Path<'_>| {
                check_reference(scope, states, reference, path)?;
                if reference.taken && !scope.parameters.contains_key(reference.name) {
                    needed.extend(index.get(reference.name));
                }
                Ok(())
            };
            references::walk(evaluator, &entry.value, &path, supported, &mut visit)?;
        }
        dependencies.push(needed);
    }
    Ok(dependencies)
}

pub(crate) fn unsupported_property(resource: &Resource, property: String, at: Position) -> Unsupported {
    Unsupported {
        logical_id: resource.logical_id.clone(),
        resource_type: resource.kind.clone(),
        property: Some(property),
        line: at.line,
    }
}

fn check_properties(
    evaluator: &Evaluator<'_>,
    resource: &Resource,
    found: &'static ResourceType,
    path: &Path<'_>,
    unsupported: &mut Vec<Unsupported>,
) -> Result<(), TemplateError> {
    for entry in resource.properties.as_map(path)? {
        let property_path = path.key(&entry.key);
        match shape::property(found.properties, &entry.key) {
            None if evaluator.choose(&entry.value, &property_path)?.is_some() => {
                unsupported.push(unsupported_property(resource, entry.key.clone(), entry.at));
            }
            None => {}
            Some(shape) => {
                // Relative to the properties: the report names the resource anyway.
                let root = Path::ROOT;
                shape.unknown_keys(
                    &entry.value,
                    &root.key(&entry.key),
                    evaluator,
                    &mut |property, entry| {
                        unsupported.push(unsupported_property(resource, property, entry.at));
                    },
                )?;
            }
        }
    }
    for required in found.required {
        if resource.properties.get(required).is_none() {
            return Err(resource.properties.error(
                Problem::Missing {
                    key: (*required).to_owned(),
                },
                path,
            ));
        }
    }
    Ok(())
}

/// Refuse a name that nothing has, an attribute its type does not have, and a resource whose condition is false.
fn check_reference(
    scope: &Scope,
    states: &BTreeMap<String, ResourceState>,
    reference: references::Reference<'_>,
    path: &Path<'_>,
) -> Result<(), TemplateError> {
    let name = reference.name;
    let is_parameter =
        scope.parameters.contains_key(name) || scope.pseudo.get(name).is_some() || name == "AWS::NoValue";
    if is_parameter && reference.attribute.is_none() {
        return Ok(());
    }
    let Some(state) = states.get(name) else {
        return Err(reference.node.error(
            Problem::UnknownReference {
                name: name.to_owned(),
            },
            path,
        ));
    };
    match state {
        ResourceState::Planned(found) => {
            if let Some(attribute) = reference.attribute
                && !found.attributes.contains(&attribute)
            {
                let allowed = if found.attributes.is_empty() {
                    "none".to_owned()
                } else {
                    found.attributes.join(", ")
                };
                let problem = Problem::UnknownAttribute {
                    resource_type: found.name.to_owned(),
                    attribute: attribute.to_owned(),
                    allowed,
                };
                return Err(reference.node.error(problem, path));
            }
        }
        // Unsupported ones are reported as such; with them skipped, the error comes when the value is needed.
        ResourceState::NotCreated {
            reason,
            conditional: true,
            ..
        } if reference.taken => {
            let problem = Problem::NotCreated {
                name: name.to_owned(),
                reason: reason.clone(),
            };
            return Err(reference.node.error(problem, path));
        }
        ResourceState::NotCreated { .. } => {}
    }
    Ok(())
}

fn check_outputs(
    evaluator: &Evaluator<'_>,
    scope: &Scope,
    states: &BTreeMap<String, ResourceState>,
    template: &Template,
) -> Result<(), TemplateError> {
    let root = Path::ROOT;
    let outputs = root.key("Outputs");
    for output in &template.outputs {
        let path = outputs.key(&output.key);
        if let Some(value) = output_value(evaluator, output, &path)? {
            references::walk(
                evaluator,
                value,
                &path.key("Value"),
                true,
                &mut |reference, path| check_reference(scope, states, reference, path),
            )?;
        }
    }
    Ok(())
}

/// The value of an output unless its condition is false.
fn output_value<'n>(
    evaluator: &Evaluator<'_>,
    output: &'n Entry,
    path: &Path<'_>,
) -> Result<Option<&'n Node>, TemplateError> {
    output.value.as_map(path)?;
    if let Some(condition) = output.value.get("Condition") {
        let path = path.key("Condition");
        if !evaluator.named_condition(condition.as_text(&path)?, condition, &path)? {
            return Ok(None);
        }
    }
    match output.value.get("Value") {
        Some(value) => Ok(Some(value)),
        None => Err(output.value.error(
            Problem::Missing {
                key: "Value".to_owned(),
            },
            path,
        )),
    }
}
