//! `AWS::Serverless::Function` → `AWS::Lambda::Function` and, unless it names a role, `AWS::IAM::Role`.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html>

use super::{Expanded, Transform, entry, generated, policies, role_id, tags};
use crate::error::{Problem, TemplateError};
use crate::node::{Content, Entry, Node};
use crate::path::Path;
use crate::plan::{Unsupported, unsupported_property};
use crate::template::Resource;

const CREATED_BY: (&str, &str) = ("lambda:createdBy", "SAM");

pub(super) fn expand(
    transform: &Transform<'_>,
    resource: &Resource,
    path: &Path<'_>,
) -> Result<Expanded, TemplateError> {
    let properties = transform.globals.apply_to_function(&resource.properties);
    let at = properties.at;
    let mut unsupported = Vec::new();
    let mut function: Vec<Entry> = vec![entry("Code", code(transform, &properties, path)?)];
    for property in properties.as_map(path)? {
        let (value, path) = (&property.value, path.key(&property.key));
        match property.key.as_str() {
            "CodeUri"
            | "InlineCode"
            | "Policies"
            | "AssumeRolePolicyDocument"
            | "RolePath"
            | "PermissionsBoundary"
            | "Tags" => {}
            "Architectures" | "Description" | "Environment" | "EphemeralStorage" | "FunctionName"
            | "Handler" | "MemorySize" | "PackageType" | "Role" | "Runtime" | "Timeout" => {
                function.push(property.clone());
            }
            "Events" => unsupported.extend(events(transform, resource, value, &path)?),
            name if transform.evaluator.choose(value, &path)?.is_some() => {
                unsupported.push(unsupported_property(resource, name.to_owned(), property.at));
            }
            _ => {}
        }
    }
    for required in ["Handler", "Runtime"] {
        if properties.get(required).is_none() {
            return Err(properties.error(
                Problem::Missing {
                    key: required.to_owned(),
                },
                path,
            ));
        }
    }
    let tags = tags(
        &[CREATED_BY],
        properties.get("Tags"),
        &properties,
        &path.key("Tags"),
    )?;
    function.push(entry("Tags", tags.clone()));

    let mut resources = Vec::new();
    let role_given = match properties.get("Role") {
        Some(role) => transform.evaluator.choose(role, &path.key("Role"))?.is_some(),
        None => false,
    };
    if !role_given {
        let role = role_id(&resource.logical_id);
        let arn = Node::list(vec![Node::text(&*role, at), Node::text("Arn", at)], at);
        function.retain(|entry| entry.key != "Role");
        function.push(entry("Role", Node::map([("Fn::GetAtt", arn)], at)));
        let properties = execution_role(transform, &properties, &role, tags, path)?;
        resources.push(generated(resource, &role, "AWS::IAM::Role", properties));
    }
    let mut function = generated(resource, &resource.logical_id, "AWS::Lambda::Function", function);
    function.depends_on.clone_from(&resource.depends_on);
    resources.push(function);
    Ok(Expanded {
        resources,
        unsupported,
    })
}

/// `CodeUri` or `InlineCode` as `Code`; a local path stays the string it is.
fn code(transform: &Transform<'_>, properties: &Node, path: &Path<'_>) -> Result<Node, TemplateError> {
    let chosen = |name: &str| -> Result<Option<&Node>, TemplateError> {
        properties
            .get(name)
            .map_or(Ok(None), |node| transform.evaluator.choose(node, &path.key(name)))
    };
    if let Some(text) = chosen("InlineCode")? {
        return Ok(Node::map([("ZipFile", text.clone())], text.at));
    }
    let Some(code) = chosen("CodeUri")? else {
        return Err(properties.error(
            Problem::Missing {
                key: "CodeUri".to_owned(),
            },
            path,
        ));
    };
    let path = path.key("CodeUri");
    match &code.content {
        Content::Text(text) => match text.strip_prefix("s3://") {
            Some(object) => match object.split_once('/') {
                Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
                    let (bucket, key) = (Node::text(bucket, code.at), Node::text(key, code.at));
                    Ok(Node::map([("S3Bucket", bucket), ("S3Key", key)], code.at))
                }
                _ => {
                    let reason = "an S3 address is s3://BUCKET/KEY; name both".to_owned();
                    Err(code.error(Problem::Value { reason }, &path))
                }
            },
            None => Ok(code.clone()),
        },
        Content::Map(_) if code.intrinsic().is_some() => Ok(code.clone()),
        Content::Map(entries) => {
            let mut object = Vec::new();
            for Entry { key, at, value } in entries {
                let key = match key.as_str() {
                    "Bucket" => "S3Bucket",
                    "Key" => "S3Key",
                    "Version" => "S3ObjectVersion",
                    _ => {
                        let problem = Problem::UnknownKey {
                            key: key.clone(),
                            allowed: "Bucket, Key, Version".to_owned(),
                        };
                        return Err(TemplateError::new(problem, path, *at));
                    }
                };
                object.push((key, value.clone()));
            }
            for (required, name) in [("S3Bucket", "Bucket"), ("S3Key", "Key")] {
                if object.iter().all(|(key, _)| *key != required) {
                    return Err(code.error(Problem::Missing { key: name.to_owned() }, &path));
                }
            }
            Ok(Node::map(object, code.at))
        }
        _ => Err(code.wrong_kind("a path, an S3 address or a map", &path)),
    }
}

/// Each event is a resource of its own, or several: named one by one with its type.
fn events(
    transform: &Transform<'_>,
    resource: &Resource,
    node: &Node,
    path: &Path<'_>,
) -> Result<Vec<Unsupported>, TemplateError> {
    let Some(node) = transform.evaluator.choose(node, path)? else {
        return Ok(Vec::new());
    };
    let mut unsupported = Vec::new();
    for event in node.as_map(path)? {
        let path = path.key(&event.key);
        event.value.as_map(&path)?;
        let Some(kind) = event.value.get("Type") else {
            return Err(event.value.error(
                Problem::Missing {
                    key: "Type".to_owned(),
                },
                &path,
            ));
        };
        let property = format!("Events.{} ({})", event.key, kind.as_text(&path.key("Type"))?);
        unsupported.push(unsupported_property(resource, property, event.at));
    }
    Ok(unsupported)
}

fn execution_role(
    transform: &Transform<'_>,
    properties: &Node,
    role: &str,
    tags: Node,
    path: &Path<'_>,
) -> Result<Vec<Entry>, TemplateError> {
    let at = properties.at;
    let basic = "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
    let basic_name = "AWSLambdaBasicExecutionRole";
    let mut managed = vec![Node::map([("Fn::Sub", Node::text(basic, at))], at)];
    let mut inline = Vec::new();
    if let Some(node) = properties.get("Policies") {
        let policies = policies::read(transform, node, role, &path.key("Policies"))?;
        let is_basic = |node: &Node| matches!(&node.content, Content::Text(arn) if arn.starts_with("arn:") && arn.ends_with(&format!(":policy/service-role/{basic_name}")));
        managed.extend(policies.managed.into_iter().filter(|node| !is_basic(node)));
        inline = policies.inline;
    }
    let trust = properties
        .get("AssumeRolePolicyDocument")
        .cloned()
        .unwrap_or_else(|| trust_policy(at));
    let mut entries = vec![
        entry("AssumeRolePolicyDocument", trust),
        entry("ManagedPolicyArns", Node::list(managed, at)),
        entry("Tags", tags),
    ];
    if !inline.is_empty() {
        entries.push(entry("Policies", Node::list(inline, at)));
    }
    for (from, to) in [
        ("RolePath", "Path"),
        ("PermissionsBoundary", "PermissionsBoundary"),
    ] {
        entries.extend(properties.get(from).map(|node| entry(to, node.clone())));
    }
    Ok(entries)
}

fn trust_policy(at: crate::error::Position) -> Node {
    let document = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com"]},
            "Action": ["sts:AssumeRole"],
        }],
    });
    Node::from_json(&document, at)
}
