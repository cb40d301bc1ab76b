//! Rust names for AWS's names.

/// `SSEKMSKeyId` → `ssekms_key_id`, `TableName` → `table_name`, `ETag` → `e_tag`; keywords become raw identifiers.
pub(crate) fn field(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (position, letter) in letters.iter().enumerate() {
        if !letter.is_ascii_alphanumeric() {
            snake.push('_');
            continue;
        }
        let before = position.checked_sub(1).and_then(|index| letters.get(index));
        let after = letters.get(position + 1);
        let begins_word = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || (before.is_ascii_digit() && after.is_some_and(char::is_ascii_lowercase))
                    || (before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase))
            });
        if begins_word {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    if matches!(
        snake.as_str(),
        "type" | "match" | "ref" | "use" | "where" | "for" | "in" | "as" | "move" | "static"
    ) {
        return format!("r#{snake}");
    }
    snake
}

/// Shape names with their first letter in upper case.
pub(crate) fn type_name(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_ascii_uppercase().to_string() + letters.as_str()
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn fields_are_snake_case() {
        for (name, expected) in [
            ("TableName", "table_name"),
            ("ETag", "e_tag"),
            ("SSECustomerKeyMD5", "sse_customer_key_md5"),
            ("KMSMasterKeyId", "kms_master_key_id"),
            ("ACL", "acl"),
            ("Type", "r#type"),
            ("logGroupName", "log_group_name"),
            ("ContentMD5", "content_md5"),
            ("ChecksumCRC64NVME", "checksum_crc64nvme"),
            ("S3Bucket", "s3_bucket"),
            ("Ipv6AllowedForDualStack", "ipv6_allowed_for_dual_stack"),
        ] {
            assert_eq!(super::field(name), expected, "{name}");
        }
    }
}
