//! `AWS::Serverless::SimpleTable` → `AWS::DynamoDB::Table`.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-simpletable.html>

use super::{Expanded, Transform, entry, generated, tags};
use crate::error::{Problem, TemplateError};
use crate::node::{Entry, Node};
use crate::path::Path;
use crate::plan::unsupported_property;
use crate::shape::one_of;
use crate::template::Resource;

pub(super) fn expand(
    transform: &Transform<'_>,
    resource: &Resource,
    path: &Path<'_>,
) -> Result<Expanded, TemplateError> {
    let properties = transform.globals.apply_to_simple_table(&resource.properties);
    let mut unsupported = Vec::new();
    let at = properties.at;
    let (name, kind) = match properties.get("PrimaryKey") {
        Some(key) => primary_key(key, &path.key("PrimaryKey"))?,
        None => (Node::text("id", at), Node::text("S", at)),
    };
    let definition = Node::map([("AttributeName", name.clone()), ("AttributeType", kind)], at);
    let key = Node::map([("AttributeName", name), ("KeyType", Node::text("HASH", at))], at);
    let mut table: Vec<Entry> = vec![
        entry("AttributeDefinitions", Node::list(vec![definition], at)),
        entry("KeySchema", Node::list(vec![key], at)),
    ];
    if properties.get("ProvisionedThroughput").is_none() {
        table.push(entry("BillingMode", Node::text("PAY_PER_REQUEST", at)));
    }
    for property in properties.as_map(path)? {
        let value = &property.value;
        match property.key.as_str() {
            "PrimaryKey" => {}
            "TableName" | "ProvisionedThroughput" => table.push(property.clone()),
            "Tags" => table.push(entry("Tags", tags(&[], Some(value), value, &path.key("Tags"))?)),
            name if transform.evaluator.choose(value, &path.key(name))?.is_some() => {
                unsupported.push(unsupported_property(resource, name.to_owned(), property.at));
            }
            _ => {}
        }
    }
    let mut table = generated(resource, &resource.logical_id, "AWS::DynamoDB::Table", table);
    table.depends_on.clone_from(&resource.depends_on);
    Ok(Expanded {
        resources: vec![table],
        unsupported,
    })
}

fn primary_key(key: &Node, path: &Path<'_>) -> Result<(Node, Node), TemplateError> {
    let part = |name: &str| {
        key.get(name)
            .ok_or_else(|| key.error(Problem::Missing { key: name.to_owned() }, path))
    };
    let (name, kind) = (part("Name")?, part("Type")?);
    let path = path.key("Type");
    one_of(kind, &path, &["String", "Number", "Binary"])?;
    let letter = kind.as_text(&path)?.chars().take(1).collect::<String>();
    Ok((name.clone(), Node::text(letter, kind.at)))
}
