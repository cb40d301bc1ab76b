//! Amazon S3's virtual-host style: the bucket in the host name.
//!
//! `http://BUCKET.localhost:4566/KEY`, `BUCKET.s3.localhost`, `BUCKET.s3.us-east-1.localhost` and the same under
//! `s3.amazonaws.com` mean `/BUCKET/KEY`. Source: Amazon S3 User Guide, "Virtual hosting of general purpose buckets".

/// The bucket a `Host` header names, if it is in virtual-host style.
pub(crate) fn bucket_of_host(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) {
            name
        } else {
            host
        }
    });
    let before = name
        .strip_suffix(".localhost")
        .or_else(|| name.strip_suffix(".amazonaws.com"))?;
    let bucket = if let Some((bucket, endpoint)) = split_at_s3_label(before) {
        // `s3` itself, or `s3.us-east-1`, is the path style.
        if bucket.is_empty() || !is_endpoint(endpoint) {
            return None;
        }
        bucket
    } else if name.ends_with(".localhost") {
        before
    } else {
        return None;
    };
    is_bucket_label(bucket).then_some(bucket)
}

/// Splits `bucket.s3.region` into `bucket` and `s3.region`; the last label `s3` or `s3-region` decides.
fn split_at_s3_label(text: &str) -> Option<(&str, &str)> {
    let mut end = text.len();
    loop {
        let start = text.get(..end)?.rfind('.').map_or(0, |dot| dot + 1);
        let label = text.get(start..end)?;
        if label == "s3" || label.starts_with("s3-") {
            return Some((text.get(..start)?.trim_end_matches('.'), text.get(start..)?));
        }
        end = start.checked_sub(1)?;
    }
}

fn is_endpoint(labels: &str) -> bool {
    labels.split('.').count() <= 3
}

/// Characters a bucket's name may have; the service checks the rest.
fn is_bucket_label(bucket: &str) -> bool {
    (3..=63).contains(&bucket.len())
        && bucket
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
}

/// The path style of a request in virtual-host style: `/KEY` becomes `/BUCKET/KEY`.
pub(crate) fn path_style(bucket: &str, path: &str) -> String {
    format!("/{bucket}{path}")
}

#[cfg(test)]
mod tests {
    use super::bucket_of_host;

    #[test]
    fn buckets_in_host_names() {
        for (host, bucket) in [
            ("orders.localhost:4566", Some("orders")),
            ("orders.localhost", Some("orders")),
            ("orders.s3.localhost:4566", Some("orders")),
            ("my.orders.s3.us-east-1.localhost", Some("my.orders")),
            ("orders.s3.us-east-1.amazonaws.com", Some("orders")),
            ("orders.s3.amazonaws.com", Some("orders")),
            ("orders.s3-eu-west-1.amazonaws.com", Some("orders")),
            ("s3.us-east-1.amazonaws.com", None),
            ("s3.localhost:4566", None),
            ("localhost:4566", None),
            ("127.0.0.1:4566", None),
            ("lambda.us-east-1.amazonaws.com", None),
            ("[::1]:4566", None),
            ("UPPER.localhost", None),
            ("", None),
        ] {
            assert_eq!(bucket_of_host(host), bucket, "{host}");
        }
    }
}
