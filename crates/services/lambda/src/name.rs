//! The forms a function is named by: name, partial ARN, ARN, each with or without a qualifier.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>, `FunctionName`.

use rolecall_service::ServiceError;

use crate::error::{invalid, user};

/// Longest function name in AWS.
const MAXIMUM_NAME: usize = 64;
/// The qualifier of the version that can be changed.
pub(crate) const LATEST: &str = "$LATEST";

/// Which function, and which version of it, a request means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionName {
    /// Account in the ARN, or the endpoint's own.
    pub(crate) account: String,
    /// Region in the ARN, or the endpoint's own.
    pub(crate) region: String,
    /// Its name.
    pub(crate) name: String,
    /// `$LATEST`, a version number or an alias, if the request has one.
    pub(crate) qualifier: Option<String>,
}

impl FunctionName {
    /// Reads `text`; `qualifier` is the parameter of that name.
    ///
    /// # Errors
    /// It is no function name, or names two qualifiers that differ.
    pub(crate) fn parse(
        text: &str,
        qualifier: Option<&str>,
        region: &str,
        account: &str,
    ) -> Result<Self, ServiceError> {
        let unreadable = || {
            user(
                "ValidationException",
                400,
                format!(
                    "1 validation error detected: Value '{text}' at 'functionName' failed to satisfy constraint: \
                     Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?\
                     ([a-z]{{2}}(-gov)?-[a-z]+-\\d{{1}}:)?(\\d{{12}}:)?(function:)?([a-zA-Z0-9-_]+)\
                     (:(\\$LATEST|[a-zA-Z0-9-_]+))?"
                ),
            )
        };
        let parts: Vec<&str> = text.split(':').collect();
        let (region_found, account_found, rest) = match parts.as_slice() {
            ["arn", _, "lambda", region, account, "function", rest @ ..] => {
                (Some(*region), Some(*account), rest)
            }
            [account, "function", rest @ ..] if is_account(account) => (None, Some(*account), rest),
            ["function", rest @ ..] | rest => (None, None, rest),
        };
        let (name, derived) = match rest {
            [name] => (*name, None),
            [name, derived] => (*name, Some(*derived)),
            _ => return Err(unreadable()),
        };
        let is_word = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let is_qualifier = |text: &str| text == LATEST || is_word(text);
        if !is_word(name)
            || derived.is_some_and(|derived| !is_qualifier(derived))
            || qualifier.is_some_and(|qualifier| !is_qualifier(qualifier))
            || account_found.is_some_and(|account| !is_account(account))
            || region_found.is_some_and(|region| !is_word(region))
        {
            return Err(unreadable());
        }
        if name.len() > MAXIMUM_NAME {
            return Err(user(
                "ValidationException",
                400,
                format!(
                    "1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: \
                     Member must have length less than or equal to {MAXIMUM_NAME}"
                ),
            ));
        }
        if let (Some(derived), Some(qualifier)) = (derived, qualifier)
            && derived != qualifier
        {
            return Err(invalid(
                "The derived qualifier from the function name does not match the specified qualifier.",
            ));
        }
        Ok(Self {
            account: account_found.unwrap_or(account).to_owned(),
            region: region_found.unwrap_or(region).to_owned(),
            name: name.to_owned(),
            qualifier: qualifier.or(derived).map(str::to_owned),
        })
    }

    /// ARN without qualifier.
    pub(crate) fn arn(&self) -> String {
        function_arn(&self.region, &self.account, &self.name)
    }

    /// ARN with the qualifier of the request, if it has one.
    pub(crate) fn qualified_arn(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.arn()),
            None => self.arn(),
        }
    }
}

/// The unqualified ARN of a function.
pub(crate) fn function_arn(region: &str, account: &str, name: &str) -> String {
    format!("arn:aws:lambda:{region}:{account}:function:{name}")
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const REGION: &str = "us-east-1";
    const ACCOUNT: &str = "123456789012";

    #[test]
    fn every_form_names_the_function() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:orders";
        let cases = [
            ("orders", None, arn.to_owned()),
            ("orders:7", None, format!("{arn}:7")),
            ("orders", Some("$LATEST"), format!("{arn}:$LATEST")),
            ("function:orders", None, arn.to_owned()),
            (
                "123456789012:function:orders",
                Some("prod"),
                format!("{arn}:prod"),
            ),
            (arn, None, arn.to_owned()),
            (
                &format!("{arn}:$LATEST"),
                Some("$LATEST"),
                format!("{arn}:$LATEST"),
            ),
            (
                "arn:aws:lambda:eu-west-1:999999999999:function:orders",
                None,
                "arn:aws:lambda:eu-west-1:999999999999:function:orders".to_owned(),
            ),
        ];
        for (text, qualifier, expected) in cases {
            let name = FunctionName::parse(text, qualifier, REGION, ACCOUNT).unwrap();
            assert_eq!(name.qualified_arn(), expected, "{text}");
            assert_eq!(name.name, "orders", "{text}");
        }
    }

    #[test]
    fn what_names_no_function_is_refused() {
        let long = "x".repeat(65);
        for text in [
            "",
            ":",
            "a:b:c",
            "a b",
            "../x",
            "orders:",
            "orders:$OTHER",
            "arn:aws:s3:us-east-1:123456789012:function:orders",
            "arn:aws:lambda:us-east-1:12:function:orders",
            &long,
        ] {
            let error = FunctionName::parse(text, None, REGION, ACCOUNT).unwrap_err();
            assert_eq!(error.code(), "ValidationException", "{text}");
        }
        for qualifier in ["", "*", "+1", "$OTHER", "1:2"] {
            assert!(FunctionName::parse("orders", Some(qualifier), REGION, ACCOUNT).is_err());
        }
        let error = FunctionName::parse("orders:1", Some("2"), REGION, ACCOUNT).unwrap_err();
        assert_eq!(error.code(), "InvalidParameterValueException");
    }
}
