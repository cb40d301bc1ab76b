//! Names and ARNs of log groups and log streams.
//!
//! CloudWatch Logs writes a log group's ARN in two ways: `…:log-group:NAME` (`logGroupArn`, and what the
//! tagging operations take) and `…:log-group:NAME:*` (`arn`). Source: CloudWatch Logs API Reference,
//! `LogGroup`.

use rolecall_service::{RequestContext, ServiceError};

use crate::error::invalid_parameter;

/// A log group as a request names it; whether there is one is not said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupName {
    /// Owner.
    pub(crate) account: String,
    /// Region.
    pub(crate) region: String,
    /// The name itself.
    pub(crate) name: String,
}

impl GroupName {
    /// The group `name` of the account and region the request is for.
    pub(crate) fn own(context: &RequestContext, name: &str) -> Self {
        Self {
            account: context.account.to_string(),
            region: context.region.to_string(),
            name: name.to_owned(),
        }
    }

    /// From `logGroupName` or `logGroupIdentifier` (a name or an ARN), of which a request gives exactly one.
    pub(crate) fn either(
        context: &RequestContext,
        name: Option<&str>,
        identifier: Option<&str>,
    ) -> Result<Self, ServiceError> {
        match (name, identifier) {
            (Some(name), None) => Ok(Self::own(context, name)),
            (None, Some(identifier)) => Self::identified(context, identifier),
            (Some(_), Some(_)) => Err(invalid_parameter(
                "LogGroup name and LogGroup identifier are mutually exclusive parameters.",
            )),
            (None, None) => Err(invalid_parameter(
                "Either a logGroupName or a logGroupIdentifier must be specified.",
            )),
        }
    }

    /// From a name or an ARN, with or without `:*`.
    pub(crate) fn identified(context: &RequestContext, identifier: &str) -> Result<Self, ServiceError> {
        if identifier.starts_with("arn:") {
            let plain = identifier.strip_suffix(":*").unwrap_or(identifier);
            Self::from_arn(plain)
                .ok_or_else(|| invalid_parameter(format!("Invalid log group identifier: {identifier}")))
        } else {
            Ok(Self::own(context, identifier))
        }
    }

    /// From the ARN the tagging operations take, without `:*`.
    pub(crate) fn tagged(arn: &str) -> Result<Self, ServiceError> {
        Self::from_arn(arn).ok_or_else(|| {
            invalid_parameter(format!(
                "Invalid resource ARN: {arn}. Log groups have the form \
                 arn:aws:logs:region:account-id:log-group:log-group-name."
            ))
        })
    }

    fn from_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.split(':');
        let head = [parts.next()?, parts.next()?, parts.next()?];
        let (region, account, kind, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let well_formed = head == ["arn", "aws", "logs"]
            && kind == "log-group"
            && parts.next().is_none()
            && ![region, account, name].contains(&"");
        well_formed.then(|| Self {
            account: account.to_owned(),
            region: region.to_owned(),
            name: name.to_owned(),
        })
    }

    /// `arn:aws:logs:…:log-group:NAME`.
    pub(crate) fn arn(&self) -> String {
        format!(
            "arn:aws:logs:{}:{}:log-group:{}",
            self.region, self.account, self.name
        )
    }

    /// `arn:aws:logs:…:log-group:NAME:*`.
    pub(crate) fn arn_with_streams(&self) -> String {
        format!("{}:*", self.arn())
    }

    /// `arn:aws:logs:…:log-group:NAME:log-stream:STREAM`.
    pub(crate) fn stream_arn(&self, stream: &str) -> String {
        format!("{}:log-stream:{stream}", self.arn())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_read_in_the_form_without_wildcard_only() {
        let read = GroupName::from_arn("arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/f");
        assert_eq!(
            read.as_ref().map(|group| group.name.as_str()),
            Some("/aws/lambda/f")
        );
        assert_eq!(
            read.map(|group| group.arn_with_streams()).as_deref(),
            Some("arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/f:*")
        );
        for wrong in [
            "arn:aws:logs:eu-west-1:123456789012:log-group:g:*",
            "arn:aws:logs:eu-west-1:123456789012:log-group:",
            "arn:aws:logs:eu-west-1:123456789012:destination:d",
            "arn:aws:s3:::bucket",
            "arn:aws:logs",
            "",
        ] {
            assert_eq!(GroupName::from_arn(wrong), None, "{wrong}");
        }
    }
}
