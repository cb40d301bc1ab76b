//! Key material: the secret access key and the signing key derived from it. Neither can be printed.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use crate::claim::Scope;

/// A secret access key. It has no `Display`, its `Debug` is redacted, and it cannot be cloned by accident.
pub struct SecretKey(String);

impl SecretKey {
    /// Takes the secret access key as AWS gives it out, without the prefix `AWS4`.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The HMAC-SHA1 of a string to sign, for Signature Version 2.
    pub(crate) fn hmac_sha1(&self, message: &[u8]) -> [u8; 20] {
        let mut mac = new_hmac_sha1(self.0.as_bytes());
        mac.update(message);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(redacted)")
    }
}

/// The key derived from a secret for one day, region and service.
///
/// Deriving it costs four HMACs, verifying with it one: a busy service keeps it, keyed by access key identifier,
/// [`Scope`] and a revision of the secret. It is as secret as the secret itself within its scope.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    /// Derives the key: `HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), service), "aws4_request")`.
    pub fn derive(secret: &SecretKey, scope: &Scope) -> Self {
        let mut prefixed = Vec::with_capacity(4 + secret.0.len());
        prefixed.extend_from_slice(b"AWS4");
        prefixed.extend_from_slice(secret.0.as_bytes());
        let date = hmac_once(&prefixed, scope.date.as_bytes());
        let region = hmac_once(&date, scope.region.as_bytes());
        let service = hmac_once(&region, scope.service.as_bytes());
        Self(new_hmac_sha256(&hmac_once(&service, b"aws4_request")))
    }

    /// The signature of a string to sign.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(message);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(redacted)")
    }
}

fn hmac_once(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = new_hmac_sha256(key);
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[expect(
    clippy::expect_used,
    reason = "HMAC takes keys of every length; the error type is there for other MACs"
)]
fn new_hmac_sha256(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("hmac takes a key of any length")
}

#[expect(
    clippy::expect_used,
    reason = "HMAC takes keys of every length; the error type is there for other MACs"
)]
fn new_hmac_sha1(key: &[u8]) -> Hmac<Sha1> {
    Hmac::new_from_slice(key).expect("hmac takes a key of any length")
}
