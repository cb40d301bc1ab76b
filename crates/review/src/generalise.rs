//! From the resources that were used to the ARNs of a policy: what is an instance of data becomes a wildcard.

use std::collections::BTreeSet;

use rolecall_policy::Arn;

/// The ARN pattern for a resource that was used.
///
/// Partition, service, region and account are kept, and so is everything a template or a person names: buckets, tables,
/// indexes, functions, log groups. What the next event brings anew becomes `*`:
///
/// | resource | becomes |
/// |---|---|
/// | object `…:::bucket/incoming/order-1.json` | `…:::bucket/incoming/*`: the key's folder; `bucket/*` for a key without one |
/// | object `…:::bucket/in/2026/11/24/a.json` | `…:::bucket/in/*`: folders stop before the first that is itself data (below) |
/// | log stream `…:log-group:G:log-stream:S` | `…:log-group:G:*` |
/// | log group `…:log-group:G:*` | itself: this is how CloudWatch Logs asks for a group |
/// | table stream `…:table/T/stream/LABEL`, also `backup`, `export`, `import` | `…:table/T/stream/*` |
/// | everything else | itself, exactly |
///
/// A folder is data when it is a number or date (`2026`, `2026-11-24`), a partition (`year=2026`), or an id of sixteen or
/// more hexadecimal digits and hyphens (a UUID). The pattern never reaches beyond the bucket.
///
/// Characters of a name that mean something in a policy (`*`, `?`, `${`) are escaped as `${*}`, `${?}`, `${$}`; those IAM
/// does not take (beyond U+00FF) become `?`, which stands for any one character
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>).
pub fn resource_pattern(resource: &str) -> String {
    let Some(arn) = Arn::parse(resource) else {
        return if resource == "*" {
            resource.to_owned()
        } else {
            escape(resource)
        };
    };
    let part = match arn.service {
        "s3" => object(arn.resource),
        "logs" => log_group(arn.resource),
        "dynamodb" => table(arn.resource),
        _ => None,
    };
    let Arn {
        partition,
        service,
        region,
        account,
        ..
    } = arn;
    let head = escape(&format!("arn:{partition}:{service}:{region}:{account}:"));
    head + &part.unwrap_or_else(|| escape(arn.resource))
}

/// The patterns of `resources`, without those another one covers.
pub(crate) fn resource_patterns<'a>(resources: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let patterns: BTreeSet<String> = resources.into_iter().map(resource_pattern).collect();
    let stems: BTreeSet<&str> = patterns
        .iter()
        .filter_map(|pattern| pattern.strip_suffix('*'))
        .collect();
    patterns
        .iter()
        .filter(|pattern| !is_covered(pattern, &stems))
        .cloned()
        .collect()
}

/// Whether another pattern matches everything this one does, given what stands before the `*` of each. Patterns as
/// [`resource_pattern`] makes them are fixed text, then at most one `*` at the end.
fn is_covered(pattern: &str, stems: &BTreeSet<&str>) -> bool {
    let own = pattern.strip_suffix('*');
    let ends = pattern.char_indices().map(|(end, _)| end).chain([pattern.len()]);
    ends.filter_map(|end| pattern.get(..end))
        .any(|head| stems.contains(head) && own != Some(head))
}

/// `bucket/key` of Amazon S3's object ARNs; `None` for a bucket and for access points, which have no slash or are named.
fn object(resource: &str) -> Option<String> {
    let (bucket, key) = resource.split_once('/')?;
    if bucket.is_empty() || bucket.contains(':') || bucket == "accesspoint" {
        return None;
    }
    let mut pattern = escape(bucket) + "/";
    if let Some((folders, _)) = key.rsplit_once('/') {
        for folder in folders.split('/').take_while(|folder| !is_data(folder)) {
            pattern.push_str(&escape(folder));
            pattern.push('/');
        }
    }
    pattern.push('*');
    Some(pattern)
}

/// Whether a folder's name is one of many that data brings along.
fn is_data(folder: &str) -> bool {
    let is_number_or_date = folder.bytes().any(|byte| byte.is_ascii_digit())
        && folder
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'T' | b'Z'));
    let is_partition = folder.split_once('=').is_some_and(|(name, _)| !name.is_empty());
    let is_id = folder.bytes().filter(u8::is_ascii_hexdigit).count() >= 16
        && folder
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_number_or_date || is_partition || is_id
}

fn log_group(resource: &str) -> Option<String> {
    let group = resource.strip_prefix("log-group:")?;
    // A log group's name has no colon.
    let (name, _) = group.split_once(':')?;
    Some(format!("log-group:{}:*", escape(name)))
}

fn table(resource: &str) -> Option<String> {
    let mut parts = resource.splitn(4, '/');
    let (Some("table"), Some(table), Some(kind), Some(_)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    matches!(kind, "stream" | "backup" | "export" | "import")
        .then(|| format!("table/{}/{kind}/*", escape(table)))
}

/// A name as a policy writes it, matching itself and nothing else as far as IAM's characters allow.
fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' => escaped.push_str("${*}"),
            '?' => escaped.push_str("${?}"),
            '$' if characters.peek() == Some(&'{') => escaped.push_str("${$}"),
            '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}' => escaped.push(character),
            _ => escaped.push('?'),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rolecall_policy::ResourcePattern;

    use super::*;

    #[test]
    fn resources_become_patterns() {
        for (resource, expected) in [
            ("*", "*"),
            ("arn:aws:s3:::orders", "arn:aws:s3:::orders"),
            (
                "arn:aws:s3:::orders/incoming/order-1001.json",
                "arn:aws:s3:::orders/incoming/*",
            ),
            ("arn:aws:s3:::orders/a/b/c.json", "arn:aws:s3:::orders/a/b/*"),
            ("arn:aws:s3:::orders/top.json", "arn:aws:s3:::orders/*"),
            (
                "arn:aws:s3:::orders/in/2026/11/24/a.json",
                "arn:aws:s3:::orders/in/*",
            ),
            (
                "arn:aws:s3:::orders/in/2026-11-24/a.json",
                "arn:aws:s3:::orders/in/*",
            ),
            (
                "arn:aws:s3:::orders/in/year=2026/a.json",
                "arn:aws:s3:::orders/in/*",
            ),
            (
                "arn:aws:s3:::orders/in/0b7e8c1e-5d1c-4e57-9f0a-8d6e5f4a3b2c/a.json",
                "arn:aws:s3:::orders/in/*",
            ),
            ("arn:aws:s3:::orders/2026/a.json", "arn:aws:s3:::orders/*"),
            (
                "arn:aws:s3:::orders/v1/facade/a.json",
                "arn:aws:s3:::orders/v1/facade/*",
            ),
            (
                "arn:aws:s3:::orders/why?/a*b/c.json",
                "arn:aws:s3:::orders/why${?}/a${*}b/*",
            ),
            (
                "arn:aws:s3:::orders/${aws:username}/c.json",
                "arn:aws:s3:::orders/${$}{aws:username}/*",
            ),
            ("arn:aws:s3:::orders/注文/c.json", "arn:aws:s3:::orders/??/*"),
            (
                "arn:aws:s3:us-east-1:123456789012:accesspoint/p",
                "arn:aws:s3:us-east-1:123456789012:accesspoint/p",
            ),
            (
                "arn:aws:dynamodb:us-east-1:123456789012:table/t",
                "arn:aws:dynamodb:us-east-1:123456789012:table/t",
            ),
            (
                "arn:aws:dynamodb:us-east-1:123456789012:table/t/index/by-customer",
                "arn:aws:dynamodb:us-east-1:123456789012:table/t/index/by-customer",
            ),
            (
                "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026-11-24T00:00:00.000",
                "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/*",
            ),
            (
                "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f:log-stream:2026/11/24/[$LATEST]abc",
                "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f:*",
            ),
            (
                "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f:*",
                "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f:*",
            ),
            (
                "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f",
                "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f",
            ),
            (
                "arn:aws:lambda:us-east-1:123456789012:function:f:prod",
                "arn:aws:lambda:us-east-1:123456789012:function:f:prod",
            ),
        ] {
            assert_eq!(resource_pattern(resource), expected);
        }
    }

    #[test]
    fn what_another_covers_is_left_out() {
        let patterns = resource_patterns([
            "arn:aws:s3:::b/in/1.json",
            "arn:aws:s3:::b/in/2.json",
            "arn:aws:s3:::b/in/deep/3.json",
            "arn:aws:s3:::b/out/1.json",
            "arn:aws:s3:::b",
            "arn:aws:s3:::bc/in/1.json",
        ]);
        let expected = [
            "arn:aws:s3:::b",
            "arn:aws:s3:::b/in/*",
            "arn:aws:s3:::b/out/*",
            "arn:aws:s3:::bc/in/*",
        ];
        assert_eq!(patterns.into_iter().collect::<Vec<_>>(), expected);
    }

    proptest! {
        /// Whatever was used is allowed again, whatever its name.
        #[test]
        fn the_pattern_matches_its_resource(
            head in prop::sample::select(&[
                "arn:aws:s3:::", "arn:aws:s3:::b/", "arn:aws:logs:r:1:log-group:", "arn:aws:dynamodb:r:1:table/t/", "",
            ]),
            rest in "[a-z0-9/:*?${}=注é -]{0,24}",
        ) {
            let resource = format!("{head}{rest}");
            let pattern = resource_pattern(&resource);
            prop_assert!(ResourcePattern::new(&pattern, true).matches(&resource), "{} {}", pattern, resource);
        }

        /// Nothing in another bucket is ever allowed along.
        #[test]
        fn the_pattern_stays_in_the_bucket(key in "[a-z0-9/:*?${}=注é -]{0,24}", other in "[a-z0-9/*?$]{1,24}") {
            let pattern = resource_pattern(&format!("arn:aws:s3:::orders/{key}"));
            let outside = format!("arn:aws:s3:::orders-{other}");
            prop_assert!(!ResourcePattern::new(&pattern, true).matches(&outside), "{} {}", pattern, outside);
        }
    }
}
