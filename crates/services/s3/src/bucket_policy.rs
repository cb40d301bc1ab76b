//! Bucket policies.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html>. Block Public Access is on for every bucket, as
//! AWS has it for new ones since April 2023, and cannot be turned off here: a policy that would make the bucket public is
//! refused (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>).

use std::sync::Arc;

use rolecall_policy::{
    Condition, Document, DocumentKind, Effect, ParseError, ParseErrorKind, PrincipalType, Principals,
    Statement,
};
use rolecall_service::{Permit, RequestContext, ServiceError};

use crate::generated::{
    DeleteBucketPolicyInput, GetBucketPolicyInput, GetBucketPolicyOutput, GetBucketPolicyStatusInput,
    GetBucketPolicyStatusOutput, PolicyStatus, PutBucketPolicyInput,
};
use crate::names::bucket_arn;
use crate::{S3, error};

/// Largest bucket policy, in bytes.
const LARGEST: usize = 20 * 1024;

fn malformed(message: impl Into<String>) -> ServiceError {
    error::coded("MalformedPolicy", 400, message)
}

/// `PutBucketPolicy`.
pub(crate) async fn put_bucket_policy(
    s3: Arc<S3>,
    context: Arc<RequestContext>,
    input: PutBucketPolicyInput,
    _: Permit,
) -> Result<(), ServiceError> {
    s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    let document = parse(&input.bucket, &input.policy)?;
    if is_public(&document) {
        return Err(error::access_denied(Some(&format!(
            "User: {} is not authorized to perform: s3:PutBucketPolicy on resource: \"{}\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
            context.caller.principal.arn(),
            bucket_arn(&input.bucket)
        ))));
    }
    let bound = s3
        .directory
        .bind_principals(&input.policy)
        .map_err(|cause| malformed("Invalid principal in policy").with_field("Detail", cause.to_string()))?;
    // Whoever reads the policy back must be able to compile it, also at the next start.
    Document::parse(&bound, DocumentKind::Resource).map_err(|cause| refused(&cause))?;
    s3.change_bucket(&input.bucket, |record| record.policy = Some(bound.clone()))
        .await
}

/// `GetBucketPolicy`.
pub(crate) async fn get_bucket_policy(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: GetBucketPolicyInput,
    _: Permit,
) -> Result<GetBucketPolicyOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    let policy = bucket
        .record
        .policy
        .as_deref()
        .ok_or_else(|| no_policy(&input.bucket))?;
    Ok(GetBucketPolicyOutput {
        policy: Some(s3.directory.show_principals(policy)),
    })
}

/// `DeleteBucketPolicy`: succeeds also when there is none.
pub(crate) async fn delete_bucket_policy(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: DeleteBucketPolicyInput,
    _: Permit,
) -> Result<(), ServiceError> {
    s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    s3.change_bucket(&input.bucket, |record| record.policy = None)
        .await
}

/// `GetBucketPolicyStatus`.
pub(crate) async fn get_bucket_policy_status(
    s3: Arc<S3>,
    _: Arc<RequestContext>,
    input: GetBucketPolicyStatusInput,
    _: Permit,
) -> Result<GetBucketPolicyStatusOutput, ServiceError> {
    let bucket = s3.bucket(&input.bucket, input.expected_bucket_owner.as_deref())?;
    let policy = bucket
        .record
        .policy
        .as_deref()
        .ok_or_else(|| no_policy(&input.bucket))?;
    let document = Document::parse(policy, DocumentKind::Resource).map_err(ServiceError::internal)?;
    Ok(GetBucketPolicyStatusOutput {
        policy_status: Some(PolicyStatus {
            is_public: Some(is_public(&document)),
        }),
    })
}

fn no_policy(bucket: &str) -> ServiceError {
    error::coded("NoSuchBucketPolicy", 404, "The bucket policy does not exist")
        .with_field("BucketName", bucket)
}

/// Reads a policy for the bucket called `bucket`.
///
/// # Errors
/// `MalformedPolicy`, in S3's words.
fn parse(bucket: &str, text: &str) -> Result<Document, ServiceError> {
    if text.is_empty() {
        return Err(error::coded(
            "MissingRequestBodyError",
            400,
            "Request Body is empty",
        ));
    }
    if text.len() > LARGEST {
        return Err(error::coded(
            "PolicyTooLarge",
            400,
            "Normalized policy document exceeds the maximum allowed size of 20480 bytes.",
        ));
    }
    if !text.starts_with('{') {
        return Err(malformed(
            "Policies must be valid JSON and the first byte must be '{'",
        ));
    }
    let document = Document::parse(text, DocumentKind::Resource).map_err(|cause| refused(&cause))?;
    let arn = bucket_arn(bucket);
    for statement in &document.statements {
        if !names_only(statement, &arn) {
            return Err(malformed("Policy has invalid resource"));
        }
        if !has_only_s3_actions(statement) {
            return Err(malformed("Policy has invalid action"));
        }
        if let Some(message) = mismatch(statement, &arn) {
            return Err(malformed(message));
        }
    }
    Ok(document)
}

/// What the engine's parser refused, in S3's words; its own are the detail.
fn refused(cause: &ParseError) -> ServiceError {
    let message = match cause.kind {
        ParseErrorKind::Json => "Policies must be valid JSON and the first byte must be '{'".to_owned(),
        ParseErrorKind::Resource => "Policy has invalid resource".to_owned(),
        ParseErrorKind::Principal => "Invalid principal in policy".to_owned(),
        ParseErrorKind::Action => "Policy has invalid action".to_owned(),
        ParseErrorKind::Operator => "Invalid Condition type".to_owned(),
        ParseErrorKind::Syntax => match missing_field(&cause.problem) {
            Some(field) => format!("Missing required field {field}"),
            None => "Policy document is invalid".to_owned(),
        },
    };
    malformed(message).with_field("Detail", cause.to_string())
}

/// The element that a document or statement lacks, by the parser's sentence.
fn missing_field(problem: &str) -> Option<&str> {
    problem.strip_prefix("the element ")?.strip_suffix(" is missing")
}

fn resources(statement: &Statement) -> impl Iterator<Item = &str> {
    statement.resource.iter().flat_map(|element| element.value.iter())
}

/// Whether each resource of a statement is the bucket or in it.
fn names_only(statement: &Statement, arn: &str) -> bool {
    resources(statement).all(|resource| {
        resource == arn
            || resource
                .strip_prefix(arn)
                .is_some_and(|rest| rest.starts_with('/') || rest == "*")
    })
}

fn has_only_s3_actions(statement: &Statement) -> bool {
    statement.action.value.iter().all(|action| {
        action == "*"
            || action
                .get(..3)
                .is_some_and(|prefix| prefix.eq_ignore_ascii_case("s3:"))
    })
}

/// S3 refuses a statement none of whose actions can apply to its resources: all on objects and no object named, or all
/// on the bucket and only objects named.
fn mismatch(statement: &Statement, arn: &str) -> Option<&'static str> {
    let resource = statement.resource.as_ref().filter(|resource| !resource.negated)?;
    if statement.action.negated {
        return None;
    }
    let actions = statement.action.value.as_slice();
    let is_exact = |action: &String| !action.contains(['*', '?']);
    let on_objects = actions
        .iter()
        .all(|action| is_exact(action) && is_object_action(action));
    let on_bucket = actions
        .iter()
        .all(|action| is_exact(action) && !is_object_action(action));
    let only_bucket = resource.value.iter().all(|resource| resource == arn);
    let only_objects = resource.value.iter().all(|resource| {
        resource
            .get(arn.len()..)
            .is_some_and(|rest| rest.starts_with('/'))
    });
    ((on_objects && only_bucket) || (on_bucket && only_objects))
        .then_some("Action does not apply to any resource(s) in statement")
}

/// Service Authorization Reference, Amazon S3: actions on the resource type `object`.
fn is_object_action(action: &str) -> bool {
    const PARTS: [&str; 7] = [
        "s3:abortmultipartupload",
        "s3:listmultipartuploadparts",
        "s3:bypassgovernanceretention",
        "s3:objectowneroverridetobucketowner",
        "s3:restoreobject",
        "s3:initiatereplication",
        "s3:updateobjectencryption",
    ];
    const FAMILIES: [&str; 4] = ["s3:getobject", "s3:putobject", "s3:deleteobject", "s3:replicate"];
    let action = action.to_ascii_lowercase();
    PARTS.contains(&action.as_str()) || FAMILIES.iter().any(|family| action.starts_with(family))
}

/// Whether a policy makes the bucket public: it allows something to everybody, and no condition pins who that is.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>, "The meaning of public".
pub(crate) fn is_public(document: &Document) -> bool {
    document.statements.iter().any(|statement| {
        statement.effect == Effect::Allow
            && names_everybody(statement)
            && !statement.conditions.iter().any(pins)
    })
}

fn names_everybody(statement: &Statement) -> bool {
    let Some(principal) = &statement.principal else {
        return true;
    };
    if principal.negated {
        return true;
    }
    match &principal.value {
        Principals::Everyone => true,
        Principals::Listed(lists) => lists
            .iter()
            .any(|(kind, names)| *kind == PrincipalType::Aws && names.iter().any(|name| name == "*")),
    }
}

/// Whether a condition narrows everybody down to somebody: fixed values of a key that says who or from where.
fn pins(condition: &Condition) -> bool {
    const KEYS: [&str; 14] = [
        "aws:sourcearn",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourceowner",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:principalorgid",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        "aws:vpcsourceaccount",
    ];
    let operator = condition.operator.to_ascii_lowercase();
    let key = condition.key.to_ascii_lowercase();
    let mut values = condition.values.iter();
    match operator.as_str() {
        "ipaddress" if key == "aws:sourceip" => values.all(is_narrow_network),
        "stringequals" | "stringlike" | "arnequals" | "arnlike" | "stringequalsignorecase"
            if KEYS.contains(&key.as_str()) =>
        {
            values.all(|value| !value.contains(['*', '?']) && !value.contains("${"))
        }
        _ => false,
    }
}

/// Networks wider than /8 (IPv4) or /32 (IPv6) count as everybody's.
fn is_narrow_network(text: &str) -> bool {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, length.parse::<u8>().ok()),
        None => (text, Some(u8::MAX)),
    };
    let Some(length) = length else { return false };
    match address.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(_)) => length >= 8,
        Ok(std::net::IpAddr::V6(_)) => length >= 32,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn policy(principal: &str, action: &str, resource: &str, condition: &str) -> String {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": {principal}, "Action": "{action}", "Resource": "{resource}"{condition}}}]}}"#
        )
    }

    #[test]
    fn malformed_policies_get_their_text() {
        let user = r#"{"AWS": "arn:aws:iam::123456789012:user/ann"}"#;
        for (text, message) in [
            ("[]".to_owned(), "Policies must be valid JSON and the first byte must be '{'"),
            ("{".to_owned(), "Policies must be valid JSON and the first byte must be '{'"),
            (policy(user, "s3:GetObject", "arn:aws:s3:::other/*", ""), "Policy has invalid resource"),
            (policy(user, "s3:GetObject", "arn:aws:s3:::orders-2/*", ""), "Policy has invalid resource"),
            (policy(user, "s3:GetObject", "orders/*", ""), "Policy has invalid resource"),
            (policy(user, "iam:GetUser", "arn:aws:s3:::orders/*", ""), "Policy has invalid action"),
            (policy(r#"{"AWS": "ann"}"#, "s3:GetObject", "arn:aws:s3:::orders/*", ""), "Invalid principal in policy"),
            (
                policy(user, "s3:GetObject", "arn:aws:s3:::orders", ""),
                "Action does not apply to any resource(s) in statement",
            ),
            (
                policy(user, "s3:ListBucket", "arn:aws:s3:::orders/*", ""),
                "Action does not apply to any resource(s) in statement",
            ),
            (
                r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::orders"}]}"#.to_owned(),
                "Missing required field Principal",
            ),
        ] {
            let error = parse("orders", &text).unwrap_err();
            assert_eq!((error.code(), error.message()), ("MalformedPolicy", message), "{text}");
        }
        assert!(parse("orders", &policy(user, "s3:*", "arn:aws:s3:::orders/*", "")).is_ok());
        assert_eq!(
            parse("orders", &" ".repeat(LARGEST + 1)).unwrap_err().code(),
            "PolicyTooLarge"
        );
    }

    #[test]
    fn what_is_public() {
        for (principal, condition, expected) in [
            (r#""*""#, "", true),
            (r#"{"AWS": "*"}"#, "", true),
            (r#"{"AWS": "123456789012"}"#, "", false),
            (r#"{"Service": "lambda.amazonaws.com"}"#, "", false),
            (
                r#""*""#,
                r#", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}"#,
                false,
            ),
            (
                r#""*""#,
                r#", "Condition": {"StringLike": {"aws:PrincipalOrgID": "o-*"}}"#,
                true,
            ),
            (
                r#""*""#,
                r#", "Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}"#,
                true,
            ),
            (
                r#""*""#,
                r#", "Condition": {"StringEquals": {"aws:UserAgent": "x"}}"#,
                true,
            ),
            (
                r#""*""#,
                r#", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
                false,
            ),
            (
                r#""*""#,
                r#", "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/0"]}}"#,
                true,
            ),
        ] {
            let text = policy(principal, "s3:GetObject", "arn:aws:s3:::orders/*", condition);
            assert_eq!(is_public(&parse("orders", &text).unwrap()), expected, "{text}");
        }
    }
}
