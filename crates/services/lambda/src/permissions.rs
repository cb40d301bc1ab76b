//! `AddPermission`, `RemovePermission`, `GetPolicy`: the resource-based policies of functions and their versions.
//!
//! Statements are kept with this account's users and roles as unique ids, as every resource-based policy is, and shown
//! with ARNs. <https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html>

use std::sync::Arc;

use rolecall_identity::Directory;
use rolecall_service::{Permit, RequestContext, ServiceError};
use serde_json::{Map, Value, json};

use crate::error::{invalid, no_resource, user};
use crate::generated::{
    AddPermissionInput, AddPermissionOutput, GetPolicyInput, GetPolicyOutput, RemovePermissionInput,
};
use crate::name::LATEST;
use crate::record::{PolicyRecord, StatementRecord};
use crate::state::Function;
use crate::{Lambda, new_revision};

/// Largest policy, in bytes: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
const MAXIMUM_POLICY: usize = 20_480;

/// Whose policy: the unqualified function's (empty) or a version's.
fn place(qualifier: Option<&str>) -> &str {
    qualifier.unwrap_or_default()
}

/// The policy of a function or version as it is kept; `None` if it has none.
pub(crate) fn policy_text(function: &Function, qualifier: Option<&str>) -> Option<String> {
    let policy = function.record.policies.get(place(qualifier))?;
    Some(document(policy))
}

/// What `lambda:RemovePermission` has condition keys for.
pub(crate) struct StatementKeys {
    /// `lambda:Principal`.
    pub(crate) principal: String,
    /// `lambda:FunctionUrlAuthType`.
    pub(crate) url_auth_type: Option<String>,
}

/// The condition keys of removing a statement; `None` if it is not there.
pub(crate) fn statement_keys(
    directory: &Directory,
    function: &Function,
    qualifier: Option<&str>,
    id: &str,
) -> Option<StatementKeys> {
    let policy = function.record.policies.get(place(qualifier))?;
    let shown: Value = serde_json::from_str(&directory.show_principals(&document(policy))).ok()?;
    let statement = shown
        .get("Statement")?
        .as_array()?
        .iter()
        .find(|statement| statement.get("Sid").and_then(Value::as_str) == Some(id))?;
    let principal = match statement.get("Principal")? {
        Value::String(principal) => principal.clone(),
        Value::Object(principals) => principals.values().next()?.as_str()?.to_owned(),
        _ => return None,
    };
    let url_auth_type = statement
        .pointer("/Condition/StringEquals/lambda:FunctionUrlAuthType")
        .and_then(Value::as_str)
        .map(str::to_owned);
    Some(StatementKeys {
        principal,
        url_auth_type,
    })
}

fn document(policy: &PolicyRecord) -> String {
    let statements: Vec<&str> = policy
        .statements
        .iter()
        .map(|statement| statement.text.as_str())
        .collect();
    format!(
        r#"{{"Version":"2012-10-17","Id":"default","Statement":[{}]}}"#,
        statements.join(",")
    )
}

pub(crate) async fn add_permission(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    input: AddPermissionInput,
    _: Permit,
) -> Result<AddPermissionOutput, ServiceError> {
    let name = lambda
        .state
        .name(&input.function_name, input.qualifier.as_deref())?;
    if name.qualifier.as_deref() == Some(LATEST) {
        return Err(invalid(
            "We currently do not support adding policies for $LATEST.",
        ));
    }
    let writer = lambda.state.writer().await;
    let (function, _) = lambda.find(&input.function_name, input.qualifier.as_deref())?;
    let qualifier = place(name.qualifier.as_deref()).to_owned();
    let shown = statement(&input, &name.qualified_arn())?;
    let bound = bind(&lambda.directory, &shown)?;
    let mut changed = Function::clone(&function);
    let policy = changed
        .record
        .policies
        .entry(qualifier)
        .or_insert_with(|| PolicyRecord {
            revision: String::new(),
            statements: Vec::new(),
        });
    check_revision(policy, input.revision_id.as_ref())?;
    if policy
        .statements
        .iter()
        .any(|statement| statement.id == input.statement_id)
    {
        return Err(user(
            "ResourceConflictException",
            409,
            format!(
                "The statement id ({}) provided already exists. Please provide a new statement id, or remove the \
                 existing statement.",
                input.statement_id
            ),
        ));
    }
    policy.statements.push(StatementRecord {
        id: input.statement_id,
        text: bound,
    });
    policy.revision = new_revision()?;
    let size = document(policy).len();
    if size > MAXIMUM_POLICY {
        return Err(user(
            "PolicyLengthExceededException",
            400,
            format!("The final policy size ({size}) is bigger than the limit ({MAXIMUM_POLICY})."),
        ));
    }
    writer.put(changed, &[], None).await?;
    Ok(AddPermissionOutput {
        statement: Some(shown),
    })
}

/// `statement` with this account's users and roles as unique ids, so that nobody inherits a permission with a name.
fn bind(directory: &Directory, statement: &str) -> Result<String, ServiceError> {
    const BEFORE: &str = r#"{"Statement":"#;
    const AFTER: &str = "}";
    // Only principals of a document are bound, and all else stays byte for byte.
    directory
        .bind_principals(&format!("{BEFORE}{statement}{AFTER}"))
        .ok()
        .and_then(|bound| Some(bound.strip_prefix(BEFORE)?.strip_suffix(AFTER)?.to_owned()))
        .ok_or_else(invalid_principal)
}

fn invalid_principal() -> ServiceError {
    invalid("The provided principal was invalid. Please check the principal and try again.")
}

/// The statement that the request describes, as JSON in the order AWS writes it.
fn statement(input: &AddPermissionInput, arn: &str) -> Result<String, ServiceError> {
    let principal = principal(&input.principal)?;
    let mut equals = Map::new();
    if let Some(account) = &input.source_account {
        equals.insert("AWS:SourceAccount".to_owned(), json!(account));
    }
    if let Some(token) = &input.event_source_token {
        equals.insert("lambda:EventSourceToken".to_owned(), json!(token));
    }
    if let Some(kind) = &input.function_url_auth_type {
        if !input.action.eq_ignore_ascii_case("lambda:InvokeFunctionUrl") {
            return Err(invalid(
                "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action",
            ));
        }
        equals.insert("lambda:FunctionUrlAuthType".to_owned(), json!(kind));
    }
    if let Some(organization) = &input.principal_org_id {
        equals.insert("aws:PrincipalOrgID".to_owned(), json!(organization));
    }
    let mut condition = Vec::new();
    if !equals.is_empty() {
        condition.push(format!(r#""StringEquals":{}"#, Value::Object(equals)));
    }
    if let Some(source) = &input.source_arn {
        condition.push(format!(r#""ArnLike":{}"#, json!({ "AWS:SourceArn": source })));
    }
    if let Some(by_url) = input.invoked_via_function_url {
        let value = json!({ "lambda:InvokedViaFunctionUrl": by_url.to_string() });
        condition.push(format!(r#""Bool":{value}"#));
    }
    let condition = if condition.is_empty() {
        String::new()
    } else {
        format!(r#","Condition":{{{}}}"#, condition.join(","))
    };
    Ok(format!(
        r#"{{"Sid":{},"Effect":"Allow","Principal":{principal},"Action":{},"Resource":{}{condition}}}"#,
        json!(input.statement_id),
        json!(input.action),
        json!(arn),
    ))
}

/// The `Principal` element: everybody, a service, an account, or a user or role by ARN.
fn principal(text: &str) -> Result<Value, ServiceError> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if text == "*" {
        Ok(json!("*"))
    } else if is_account {
        Ok(json!({ "AWS": format!("arn:aws:iam::{text}:root") }))
    } else if text.starts_with("arn:") {
        Ok(json!({ "AWS": text }))
    } else if text.contains('.')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
    {
        Ok(json!({ "Service": text }))
    } else {
        Err(invalid_principal())
    }
}

pub(crate) async fn remove_permission(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    input: RemovePermissionInput,
    _: Permit,
) -> Result<(), ServiceError> {
    let name = lambda
        .state
        .name(&input.function_name, input.qualifier.as_deref())?;
    let writer = lambda.state.writer().await;
    let (function, _) = lambda.find(&input.function_name, input.qualifier.as_deref())?;
    let qualifier = place(name.qualifier.as_deref());
    let mut changed = Function::clone(&function);
    let policy = changed.record.policies.get_mut(qualifier).ok_or_else(no_policy)?;
    check_revision(policy, input.revision_id.as_ref())?;
    let before = policy.statements.len();
    policy
        .statements
        .retain(|statement| statement.id != input.statement_id);
    if policy.statements.len() == before {
        return Err(user(
            "ResourceNotFoundException",
            404,
            format!(
                "Statement {} is not found in resource policy.",
                input.statement_id
            ),
        ));
    }
    policy.revision = new_revision()?;
    if policy.statements.is_empty() {
        changed.record.policies.remove(qualifier);
    }
    writer.put(changed, &[], None).await?;
    Ok(())
}

pub(crate) async fn get_policy(
    lambda: Arc<Lambda>,
    _: Arc<RequestContext>,
    input: GetPolicyInput,
    _: Permit,
) -> Result<GetPolicyOutput, ServiceError> {
    let name = lambda
        .state
        .name(&input.function_name, input.qualifier.as_deref())?;
    let (function, _) = lambda.find(&input.function_name, input.qualifier.as_deref())?;
    let policy = function
        .record
        .policies
        .get(place(name.qualifier.as_deref()))
        .ok_or_else(no_resource)?;
    Ok(GetPolicyOutput {
        policy: Some(lambda.directory.show_principals(&document(policy))),
        revision_id: Some(policy.revision.clone()),
    })
}

fn check_revision(policy: &PolicyRecord, expected: Option<&String>) -> Result<(), ServiceError> {
    if expected.is_some_and(|expected| *expected != policy.revision) {
        return Err(user(
            "PreconditionFailedException",
            412,
            "The RevisionId provided does not match the latest RevisionId. Call the GetPolicy API to retrieve the \
             latest RevisionId",
        ));
    }
    Ok(())
}

fn no_policy() -> ServiceError {
    user(
        "ResourceNotFoundException",
        404,
        "No policy is associated with the given resource.",
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn input(principal: &str) -> AddPermissionInput {
        AddPermissionInput {
            function_name: "orders".to_owned(),
            statement_id: "s".to_owned(),
            action: "lambda:InvokeFunction".to_owned(),
            principal: principal.to_owned(),
            ..AddPermissionInput::default()
        }
    }

    #[test]
    fn statements_are_written_as_lambda_does() {
        let with_source = AddPermissionInput {
            source_arn: Some("arn:aws:s3:::orders".to_owned()),
            source_account: Some("123456789012".to_owned()),
            ..input("s3.amazonaws.com")
        };
        let cases = [
            (
                input("123456789012"),
                r#"{"Sid":"s","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"lambda:InvokeFunction","Resource":"arn"}"#,
            ),
            (
                with_source,
                r#"{"Sid":"s","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn","Condition":{"StringEquals":{"AWS:SourceAccount":"123456789012"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::orders"}}}"#,
            ),
            (
                input("*"),
                r#"{"Sid":"s","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"arn"}"#,
            ),
        ];
        for (input, expected) in cases {
            assert_eq!(statement(&input, "arn").unwrap(), expected);
        }
        for principal in ["", "someone", "s3 amazonaws.com", "12345"] {
            assert!(statement(&input(principal), "arn").is_err(), "{principal}");
        }
    }

    #[test]
    fn what_is_kept_can_be_compiled() {
        use rolecall_policy::{Document, DocumentKind};
        let text = statement(
            &input("s3.amazonaws.com"),
            "arn:aws:lambda:us-east-1:123456789012:function:f",
        );
        let policy = PolicyRecord {
            revision: String::new(),
            statements: vec![StatementRecord {
                id: "s".to_owned(),
                text: text.unwrap(),
            }],
        };
        Document::parse(&document(&policy), DocumentKind::Resource).unwrap();
    }
}
