//! Names for the statements of a least policy: letters and digits only, unique, the same for the same statement.

use std::collections::BTreeSet;

use rolecall_policy::Arn;

/// Longest name before a number is added.
const LONGEST: usize = 48;

/// Names of services as people write them, where capitalising the prefix is not enough.
const SERVICE_NAMES: &[(&str, &str)] = &[
    ("dynamodb", "DynamoDB"),
    ("kms", "KMS"),
    ("sns", "SNS"),
    ("sqs", "SQS"),
    ("ssm", "SSM"),
    ("sts", "STS"),
    ("iam", "IAM"),
];

/// Gives names and remembers which are taken.
#[derive(Debug, Default)]
pub(crate) struct Sids {
    taken: BTreeSet<String>,
}

impl Sids {
    /// A name for a statement about `service` whose first resource is `resource`: `S3Incoming` for
    /// `arn:aws:s3:::orders/incoming/*`.
    pub(crate) fn name(&mut self, service: &str, resource: &str) -> String {
        let mut base = service_name(service);
        base.push_str(&words(subject(resource)));
        base.truncate(LONGEST);
        let mut name = base.clone();
        let mut number = 2_usize;
        while !self.taken.insert(name.clone()) {
            name = format!("{base}{number}");
            number += 1;
        }
        name
    }
}

fn service_name(service: &str) -> String {
    SERVICE_NAMES
        .iter()
        .find(|(prefix, _)| *prefix == service)
        .map_or_else(|| words(service), |(_, name)| (*name).to_owned())
}

/// The part of an ARN that tells it from others of its service: a key's folders, else the name without its type.
fn subject(resource: &str) -> &str {
    let Some(arn) = Arn::parse(resource) else {
        return "";
    };
    if arn.service == "s3" {
        return match arn.resource.split_once('/') {
            Some((bucket, "*")) => bucket,
            Some((_, key)) => key,
            None => arn.resource,
        };
    }
    arn.resource
        .split_once([':', '/'])
        .map_or(arn.resource, |(_, name)| name)
}

/// ASCII letters and digits only, each word capitalised: `order-intake/*` gives `OrderIntake`.
fn words(text: &str) -> String {
    let mut words = String::new();
    let mut begins = true;
    for character in text.chars() {
        if !character.is_ascii_alphanumeric() {
            begins = true;
        } else if begins {
            words.push(character.to_ascii_uppercase());
            begins = false;
        } else {
            words.push(character);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_letters_and_digits_and_unique() {
        let mut sids = Sids::default();
        for (service, resource, expected) in [
            ("s3", "arn:aws:s3:::orders/incoming/*", "S3Incoming"),
            ("s3", "arn:aws:s3:::orders/incoming/*", "S3Incoming2"),
            ("s3", "arn:aws:s3:::orders/*", "S3Orders"),
            ("s3", "arn:aws:s3:::orders", "S3Orders2"),
            ("s3", "arn:aws:s3:::orders/注文/*", "S3"),
            (
                "dynamodb",
                "arn:aws:dynamodb:us-east-1:123456789012:table/order-table",
                "DynamoDBOrderTable",
            ),
            (
                "logs",
                "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f:*",
                "LogsAwsLambdaF",
            ),
            ("execute-api", "*", "ExecuteApi"),
        ] {
            assert_eq!(sids.name(service, resource), expected, "{resource}");
        }
    }
}
