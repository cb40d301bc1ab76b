//! The generated models of the services.

use rolecall_wire::{ByteStream, Headers, Request, ServiceModel};

macro_rules! models {
    ($($name:ident, $path:literal;)*) => {
        $(#[path = $path] pub(crate) mod $name;)*
    };
}

models! {
    cloudtrail, "../../../services/cloudtrail/src/generated.rs";
    dynamodb, "../../../services/dynamodb/src/generated.rs";
    iam, "../../../services/iam/src/generated.rs";
    lambda, "../../../services/lambda/src/generated.rs";
    logs, "../../../services/logs/src/generated.rs";
    s3, "../../../services/s3/src/generated.rs";
    sts, "../../../services/sts/src/generated.rs";
}

pub(crate) fn model(service: &str) -> &'static ServiceModel {
    match service {
        "cloudtrail" => &cloudtrail::MODEL,
        "dynamodb" => &dynamodb::MODEL,
        "iam" => &iam::MODEL,
        "lambda" => &lambda::MODEL,
        "logs" => &logs::MODEL,
        "s3" => &s3::MODEL,
        "sts" => &sts::MODEL,
        other => panic!("no model of {other}"),
    }
}

/// A request of `method` with the given target or none.
pub(crate) fn request(
    method: &str,
    path: &str,
    query: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Request {
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect::<Headers>(),
        body: ByteStream::from(body.to_vec()),
    }
}

/// A DynamoDB request.
pub(crate) fn dynamodb_request(operation: &str, body: &[u8]) -> Request {
    request(
        "POST",
        "/",
        "",
        &[("X-Amz-Target", &format!("DynamoDB_20120810.{operation}"))],
        body,
    )
}

/// An IAM request.
pub(crate) fn iam_request(form: &str) -> Request {
    request(
        "POST",
        "/",
        "",
        &[("Content-Type", "application/x-www-form-urlencoded")],
        form.as_bytes(),
    )
}

#[test]
fn every_pattern_compiles_and_operations_are_sorted() {
    for service in ["cloudtrail", "dynamodb", "iam", "lambda", "logs", "s3", "sts"] {
        let model = model(service);
        for shape in model.shapes {
            assert!(
                shape.pattern.is_none_or(rolecall_wire::Pattern::is_valid),
                "{service} {}",
                shape.name
            );
        }
        for operation in model.operations {
            assert_eq!(model.operation(operation.name).unwrap().name, operation.name);
        }
    }
}
