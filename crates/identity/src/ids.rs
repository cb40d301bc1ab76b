//! Identifiers: unique ids, access key ids and secrets in AWS's forms.
//!
//! Source: IAM User Guide, "IAM identifiers", section "Unique identifiers" (the prefixes).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::{IdentityError, Secret};

/// The alphabet of ids: RFC 4648 base32.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What an id identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// `AIDA`
    User,
    /// `AGPA`
    Group,
    /// `AROA`
    Role,
    /// `ANPA`
    ManagedPolicy,
    /// `AKIA`
    AccessKey,
    /// `ASIA`
    TemporaryKey,
}

impl IdKind {
    /// The four characters ids of this kind begin with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::User => "AIDA",
            Self::Group => "AGPA",
            Self::Role => "AROA",
            Self::ManagedPolicy => "ANPA",
            Self::AccessKey => "AKIA",
            Self::TemporaryKey => "ASIA",
        }
    }
}

fn random<const N: usize>() -> Result<[u8; N], IdentityError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| IdentityError::Randomness)?;
    Ok(bytes)
}

fn base32(bytes: &[u8], length: usize) -> String {
    let mut text = String::with_capacity(length);
    let mut buffer: u16 = 0;
    let mut bits = 0_u8;
    for &byte in bytes {
        buffer = (buffer << 8) | u16::from(byte);
        bits += 8;
        while bits >= 5 {
            if text.len() == length {
                return text;
            }
            bits -= 5;
            text.push(char::from(ALPHABET[usize::from((buffer >> bits) & 31)]));
        }
        buffer &= (1 << bits) - 1;
    }
    text
}

/// A new unique id, 21 characters.
///
/// # Errors
/// The system gave no random bytes.
pub(crate) fn unique_id(kind: IdKind) -> Result<String, IdentityError> {
    Ok(format!("{}{}", kind.prefix(), base32(&random::<11>()?, 17)))
}

/// The id of an AWS managed policy: always the same for the same ARN.
pub(crate) fn aws_managed_policy_id(arn: &str) -> String {
    format!(
        "{}{}",
        IdKind::ManagedPolicy.prefix(),
        base32(&Sha256::digest(arn.as_bytes()), 17)
    )
}

/// A new access key id, 20 characters. As in AWS the account can be read from it.
///
/// # Errors
/// The system gave no random bytes.
pub(crate) fn access_key_id(kind: IdKind, account: &str) -> Result<String, IdentityError> {
    let mut bytes = random::<10>()?;
    let account: u64 = account.parse().unwrap_or(0);
    let low = u64::from(bytes[5] & 0x7f);
    let head = (1_u64 << 47) | ((account & 0xff_ffff_ffff) << 7) | low;
    bytes[..6].copy_from_slice(&head.to_be_bytes()[2..]);
    Ok(format!("{}{}", kind.prefix(), base32(&bytes, 16)))
}

/// A new secret access key: 40 characters of base64.
///
/// # Errors
/// The system gave no random bytes.
pub(crate) fn secret_access_key() -> Result<Secret, IdentityError> {
    Ok(Secret::new(STANDARD.encode(random::<30>()?)))
}

/// The key the endpoint signs session tokens with.
///
/// # Errors
/// The system gave no random bytes.
pub(crate) fn server_key() -> Result<[u8; 32], IdentityError> {
    random()
}

/// Random hexadecimal characters for values that only have to differ.
///
/// # Errors
/// The system gave no random bytes.
pub(crate) fn nonce() -> Result<String, IdentityError> {
    Ok(base32(&random::<10>()?, 16))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn ids_have_the_form_of_aws() {
        for (kind, prefix) in [
            (IdKind::User, "AIDA"),
            (IdKind::Role, "AROA"),
            (IdKind::Group, "AGPA"),
            (IdKind::ManagedPolicy, "ANPA"),
        ] {
            let id = unique_id(kind).unwrap();
            assert_eq!(id.len(), 21);
            assert!(id.starts_with(prefix));
            assert!(id.bytes().all(|byte| ALPHABET.contains(&byte)));
            assert_ne!(id, unique_id(kind).unwrap());
        }
        assert_eq!(secret_access_key().unwrap().expose().len(), 40);
    }

    #[test]
    fn access_key_ids_carry_the_account() {
        for account in ["123456789012", "000000000000", "999999999999"] {
            let id = access_key_id(IdKind::AccessKey, account).unwrap();
            assert_eq!(id.len(), 20);
            let mut bits: u128 = 0;
            for byte in id[4..].bytes() {
                bits = (bits << 5)
                    | u128::from(
                        u8::try_from(ALPHABET.iter().position(|&letter| letter == byte).unwrap()).unwrap(),
                    );
            }
            let head = u64::try_from(bits >> 32).unwrap();
            assert_eq!(format!("{:012}", (head & 0x7fff_ffff_ff80) >> 7), account);
        }
    }

    #[test]
    fn aws_managed_ids_are_stable() {
        let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
        assert_eq!(aws_managed_policy_id(arn), aws_managed_policy_id(arn));
        assert_eq!(aws_managed_policy_id(arn).len(), 21);
        assert_ne!(
            aws_managed_policy_id(arn),
            aws_managed_policy_id("arn:aws:iam::aws:policy/AdministratorAccess")
        );
    }
}
