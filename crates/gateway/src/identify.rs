//! Stage two, identify: which service a request is for.
//!
//! Clients of one endpoint say it in several ways. The signature's scope is the surest; an unsigned request is told by
//! its target header, its form's `Version`, or its path. What is left goes to Amazon S3, whose paths are free.

use rolecall_sigv4::Claim;
use rolecall_wire::{Protocol, ServiceModel};

use crate::message::Head;

/// The signing name of the service the request is for.
pub(crate) fn signing_name<'a>(
    claim: Option<&'a Claim>,
    head: &'a Head,
    mut models: impl Iterator<Item = &'static ServiceModel>,
) -> &'a str {
    if let Some(claim) = claim {
        return &claim.scope.service;
    }
    if let Some(prefix) = head
        .header("x-amz-target")
        .and_then(|target| target.split('.').next())
    {
        return models
            .find(|model| !prefix.is_empty() && model.target_prefix == prefix)
            .map_or("unknown", |model| model.signing_name);
    }
    let form = head
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if form && head.path == "/" {
        return "sts";
    }
    if is_dated_path(&head.path) {
        return models
            .find(|model| model.protocol == Protocol::RestJson)
            .map_or("unknown", |model| model.signing_name);
    }
    "s3"
}

/// REST-JSON services put their API's date first: `/2015-03-31/functions`.
fn is_dated_path(path: &str) -> bool {
    let mut first = path
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default()
        .split('-');
    let digits = |part: Option<&str>, length: usize| {
        part.is_some_and(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    digits(first.next(), 4) && digits(first.next(), 2) && digits(first.next(), 2) && first.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::is_dated_path;

    #[test]
    fn dated_paths() {
        for (path, dated) in [
            ("/2015-03-31/functions", true),
            ("/2015-03-31", true),
            ("/2015-03-31-logs/key", false),
            ("/bucket/2015-03-31", false),
            ("/", false),
            ("", false),
        ] {
            assert_eq!(is_dated_path(path), dated, "{path}");
        }
    }
}
