//! Planning and resolving in one step.

use std::collections::BTreeMap;

use rolecall_template::{Created, Plan, Pseudo, Template, TemplateError};
use serde_json::Value;

pub(crate) fn pseudo() -> Pseudo {
    Pseudo {
        account: "123456789012".to_owned(),
        region: "eu-central-1".to_owned(),
        partition: "aws".to_owned(),
        stack_name: "shop".to_owned(),
        stack_id: "arn:aws:cloudformation:eu-central-1:123456789012:stack/shop/1".to_owned(),
        url_suffix: "amazonaws.com".to_owned(),
    }
}

pub(crate) fn plan_with(text: &str, values: &[(&str, &str)]) -> Result<Plan, TemplateError> {
    let values = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let managed = |name: &str| match name {
        "AmazonS3FullAccess" | "AmazonDynamoDBFullAccess" | "CloudWatchLogsFullAccess" => {
            Some(format!("arn:aws:iam::aws:policy/{name}"))
        }
        "AWSLambdaBasicExecutionRole" => Some(format!("arn:aws:iam::aws:policy/service-role/{name}")),
        _ => None,
    };
    Template::parse(text)?.plan(&values, &pseudo(), &managed)
}

pub(crate) fn plan(text: &str) -> Result<Plan, TemplateError> {
    plan_with(text, &[])
}

/// Resolve everything in order; created resources answer `ref-ID` and `att-ID-NAME`.
pub(crate) fn resolve(plan: &Plan) -> Result<BTreeMap<String, Value>, TemplateError> {
    let mut created = BTreeMap::new();
    let mut resolved = BTreeMap::new();
    for resource in plan.resources() {
        let id = &resource.logical_id;
        resolved.insert(id.clone(), plan.resolve(id, &created)?);
        created.insert(id.clone(), answer(id));
    }
    Ok(resolved)
}

pub(crate) fn answer(id: &str) -> Created {
    let attributes = [
        "Arn",
        "RoleId",
        "PolicyArn",
        "DomainName",
        "RegionalDomainName",
        "Id",
    ];
    Created {
        reference: format!("ref-{id}"),
        attributes: attributes
            .iter()
            .map(|name| ((*name).to_owned(), format!("att-{id}-{name}")))
            .collect(),
    }
}

/// The error a template gives, wherever it shows.
pub(crate) fn error(text: &str) -> TemplateError {
    let result = plan(text).and_then(|plan| resolve(&plan));
    match result {
        Err(error) => error,
        Ok(resolved) => panic!("no error in {text}: {resolved:?}"),
    }
}
