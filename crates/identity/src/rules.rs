//! What IAM demands of a policy document when it is saved, in its own words.
//!
//! The engine's parser is the judge of syntax; these are the rules of the service in front of it: which elements a
//! kind of policy must and must not have, and how actions and resources are written. Sources: IAM User Guide, "IAM JSON
//! policy elements reference" and "Grammar of the IAM JSON policy language"; sentences as the service answers them.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// The sentence for a document that is no policy at all.
pub(crate) const SYNTAX: &str = "Syntax errors in policy.";

type Outcome = Result<(), String>;

/// The kinds IAM keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A version of a managed policy.
    Managed,
    /// An inline or a session policy.
    Inline,
    /// A role's trust policy.
    Trust,
}

/// Checks a document that is valid JSON.
pub(crate) fn check(document: &Value, kind: Kind) -> Outcome {
    let Value::Object(document) = document else {
        return syntax();
    };
    if document
        .keys()
        .any(|key| !matches!(key.as_str(), "Version" | "Id" | "Statement"))
    {
        return syntax();
    }
    match document.get("Version") {
        None if kind == Kind::Managed => {
            return Err("Policy document must be version 2012-10-17 or greater.".to_owned());
        }
        Some(Value::String(version)) if version == "2008-10-17" && kind == Kind::Managed => {
            return Err("Policy document must be version 2012-10-17 or greater.".to_owned());
        }
        None => {}
        Some(Value::String(version)) if version == "2012-10-17" || version == "2008-10-17" => {}
        Some(_) => return syntax(),
    }
    let statements: Vec<&Value> = match document.get("Statement") {
        Some(Value::Array(statements)) if !statements.is_empty() => statements.iter().collect(),
        Some(statement @ Value::Object(_)) => vec![statement],
        _ => return syntax(),
    };
    let mut ids = HashSet::new();
    for statement in statements {
        let Value::Object(statement) = statement else {
            return syntax();
        };
        sid(statement, kind, &mut ids)?;
        if !matches!(
            statement.get("Effect").and_then(Value::as_str),
            Some("Allow" | "Deny")
        ) {
            return syntax();
        }
        match kind {
            Kind::Managed | Kind::Inline => identity(statement)?,
            Kind::Trust => trust(statement)?,
        }
    }
    Ok(())
}

fn syntax() -> Outcome {
    Err(SYNTAX.to_owned())
}

fn sid<'a>(statement: &'a Map<String, Value>, kind: Kind, ids: &mut HashSet<&'a str>) -> Outcome {
    let Some(sid) = statement.get("Sid") else {
        return Ok(());
    };
    let Value::String(sid) = sid else { return syntax() };
    if !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) && kind != Kind::Trust {
        return Err("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*".to_owned());
    }
    if !sid.is_empty() && !ids.insert(sid) {
        return Err("Statement IDs (SID) in a single policy must be unique.".to_owned());
    }
    Ok(())
}

fn identity(statement: &Map<String, Value>) -> Outcome {
    if statement.contains_key("Principal") || statement.contains_key("NotPrincipal") {
        return Err("Policy document should not specify a principal.".to_owned());
    }
    let actions = one_of(
        statement,
        "Action",
        "NotAction",
        "Policy statement must contain actions.",
    )?;
    for action in actions {
        action_form(action)?;
    }
    let resources = one_of(
        statement,
        "Resource",
        "NotResource",
        "Policy statement must contain resources.",
    )?;
    for resource in resources {
        resource_form(resource)?;
    }
    Ok(())
}

fn trust(statement: &Map<String, Value>) -> Outcome {
    for forbidden in ["Resource", "NotResource"] {
        if statement.contains_key(forbidden) {
            return Err(format!("Has prohibited field {forbidden}"));
        }
    }
    if statement.contains_key("NotPrincipal") {
        return Err("Has prohibited field NotPrincipal".to_owned());
    }
    if !statement.contains_key("Principal") {
        return Err("Missing required field Principal".to_owned());
    }
    let actions = one_of(statement, "Action", "NotAction", "Missing required field Action")?;
    for action in actions {
        let action = action.to_ascii_lowercase();
        let Some(name) = action.strip_prefix("sts:") else {
            return Err("AssumeRole policy may only specify STS AssumeRole actions.".to_owned());
        };
        let is_assuming = ["assumerole", "tagsession", "setsourceidentity", "setcontext"]
            .iter()
            .any(|known| name.starts_with(known))
            || name.contains(['*', '?']);
        if !is_assuming {
            return Err("AssumeRole policy may only specify STS AssumeRole actions.".to_owned());
        }
    }
    Ok(())
}

/// The strings of exactly one of two elements.
fn one_of<'a>(
    statement: &'a Map<String, Value>,
    element: &str,
    negated: &str,
    missing: &str,
) -> Result<Vec<&'a str>, String> {
    let value = match (statement.get(element), statement.get(negated)) {
        (Some(value), None) | (None, Some(value)) => value,
        (None, None) => return Err(missing.to_owned()),
        (Some(_), Some(_)) => return Err(SYNTAX.to_owned()),
    };
    let strings: Option<Vec<&str>> = match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(values) => values.iter().map(Value::as_str).collect(),
        _ => None,
    };
    match strings {
        Some(strings) if strings.is_empty() => Err(missing.to_owned()),
        Some(strings) => Ok(strings),
        None => Err(SYNTAX.to_owned()),
    }
}

fn action_form(action: &str) -> Outcome {
    if action == "*" {
        return Ok(());
    }
    let Some((vendor, name)) = action.split_once(':') else {
        return Err("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".to_owned());
    };
    if name.contains(':') {
        return Err("Actions/Condition can contain only one colon.".to_owned());
    }
    if vendor.is_empty()
        || !vendor
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
    {
        return Err(format!("Vendor {vendor} is not valid"));
    }
    if name.is_empty() { syntax() } else { Ok(()) }
}

fn resource_form(resource: &str) -> Outcome {
    if resource == "*" {
        return Ok(());
    }
    let Some(rest) = resource.strip_prefix("arn:") else {
        return Err(format!("Resource {resource} must be in ARN format or \"*\"."));
    };
    let partition = rest.split(':').next().unwrap_or_default();
    let is_partition =
        partition.contains(['*', '?', '$']) || partition == "aws" || partition.starts_with("aws-");
    if is_partition {
        Ok(())
    } else {
        Err(format!(
            "Partition \"{partition}\" is not valid for resource \"{resource}\"."
        ))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn outcome(text: &str, kind: Kind) -> Outcome {
        check(&serde_json::from_str(text).unwrap(), kind)
    }

    #[test]
    fn managed() {
        let version = "Policy document must be version 2012-10-17 or greater.";
        for (text, expected) in [
            (
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
                None,
            ),
            (
                r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
                Some(version),
            ),
            (
                r#"{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
                Some(version),
            ),
            (r#"{"Version":"2012-10-17","Statement":[]}"#, Some(SYNTAX)),
            (
                r#"{"Version":"2012-10-17","Statement":[],"Other":1}"#,
                Some(SYNTAX),
            ),
            (
                r#"{"Version":"2012-10-17","Statement":{"Effect":"allow","Action":"s3:*","Resource":"*"}}"#,
                Some(SYNTAX),
            ),
            (
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}}"#,
                Some("Policy document should not specify a principal."),
            ),
            (
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*"}}"#,
                Some("Policy statement must contain resources."),
            ),
            (
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Resource":"*"}}"#,
                Some("Policy statement must contain actions."),
            ),
            (
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"invalid","Resource":"*"}}"#,
                Some("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
            ),
            (
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a:b:c","Resource":"*"}}"#,
                Some("Actions/Condition can contain only one colon."),
            ),
            (
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s*:Get","Resource":"*"}}"#,
                Some("Vendor s* is not valid"),
            ),
            (
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}}"#,
                Some("Resource bucket must be in ARN format or \"*\"."),
            ),
            (
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:other:s3:::b"}}"#,
                Some("Partition \"other\" is not valid for resource \"arn:other:s3:::b\"."),
            ),
            (
                r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#,
                Some("Statement IDs (SID) in a single policy must be unique."),
            ),
        ] {
            assert_eq!(outcome(text, Kind::Managed).err().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn trust_policies() {
        for (text, expected) in [
            (
                r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}"#,
                None,
            ),
            (
                r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":["sts:assumerole","sts:TagSession"]}}"#,
                None,
            ),
            (
                r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}}"#,
                Some("AssumeRole policy may only specify STS AssumeRole actions."),
            ),
            (
                r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:GetCallerIdentity"}}"#,
                Some("AssumeRole policy may only specify STS AssumeRole actions."),
            ),
            (
                r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}}"#,
                Some("Has prohibited field Resource"),
            ),
            (
                r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}}"#,
                Some("Missing required field Principal"),
            ),
            (
                r#"{"Statement":{"Effect":"Allow","NotPrincipal":"*","Action":"sts:AssumeRole"}}"#,
                Some("Has prohibited field NotPrincipal"),
            ),
        ] {
            assert_eq!(outcome(text, Kind::Trust).err().as_deref(), expected, "{text}");
        }
    }
}
