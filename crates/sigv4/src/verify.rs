//! Deciding whether a claimed signature is right.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::canonical::{self, UriForm};
use crate::claim::{Claim, Form};
use crate::error::AuthError;
use crate::key::{SecretKey, SigningKey};
use crate::legacy;
use crate::request::RequestHead;
use crate::time;

/// AWS's tolerance between the client's clock and its own: 15 minutes.
pub const DEFAULT_CLOCK_SKEW_SECONDS: i64 = 15 * 60;

/// What the service expects of a signature.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The region the scope must name; `None` accepts every region.
    pub expected_region: Option<&'a str>,
    /// The signing name the scope must name. `None` accepts every service, and then the caller must route by the
    /// claim's service and nothing else.
    pub expected_service: Option<&'a str>,
    /// Tolerance between the clocks, in seconds.
    pub clock_skew_seconds: i64,
    /// SHA-256 of the body. Needed for [`crate::PayloadHash::Body`], ignored otherwise.
    pub body_sha256: Option<[u8; 32]>,
    /// For Signature Version 2: the bucket named in the host instead of in the path.
    pub virtual_host_bucket: Option<&'a str>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            expected_region: None,
            expected_service: None,
            clock_skew_seconds: DEFAULT_CLOCK_SKEW_SECONDS,
            body_sha256: None,
            virtual_host_bucket: None,
        }
    }
}

/// The proof that the head of a request is signed, and what is needed to verify its body.
#[derive(Clone, Debug)]
pub struct Verified {
    pub(crate) signing_key: Option<SigningKey>,
    pub(crate) body_sha256: Option<[u8; 32]>,
    pub(crate) timestamp: String,
    pub(crate) scope: String,
    pub(crate) seed_signature: [u8; 32],
}

/// Verifies the head of a request with the secret of the claimed access key.
///
/// # Errors
/// Time first, then scope, then the set of signed headers, then the signature.
pub fn verify(
    head: &RequestHead<'_>,
    claim: &Claim,
    secret: &SecretKey,
    now: Timestamp,
    options: &Options<'_>,
) -> Result<Verified, AuthError> {
    if claim.form == Form::LegacyPresigned {
        return verify_legacy(head, claim, secret, now, options);
    }
    verify_with_key(
        head,
        claim,
        &SigningKey::derive(secret, &claim.scope),
        now,
        options,
    )
}

/// As [`verify`], with a signing key that the caller has kept for the claim's scope.
///
/// # Errors
/// As [`verify`]. A claim of Signature Version 2 is always refused: it is not made with a signing key.
pub fn verify_with_key(
    head: &RequestHead<'_>,
    claim: &Claim,
    key: &SigningKey,
    now: Timestamp,
    options: &Options<'_>,
) -> Result<Verified, AuthError> {
    if claim.form == Form::LegacyPresigned {
        return Err(AuthError::SignatureMismatch);
    }
    head.check()?;
    check_time(claim, now, options)?;
    check_scope(claim, options)?;
    check_signed_headers(head, claim)?;
    let s3 = claim.scope.is_s3();
    let payload_hash = match claim.payload.canonical() {
        Some(hash) => hash,
        None => hex::encode(options.body_sha256.ok_or(AuthError::BodyHashNeeded)?),
    };
    let timestamp = time::format_basic(claim.timestamp);
    let scope = claim.scope.text();
    let mut previous = Vec::new();
    for form in [UriForm::Normalised, UriForm::AsSent] {
        let request = canonical::canonical_request(head, &claim.signed_headers, s3, form, &payload_hash)?;
        if request == previous {
            break;
        }
        let signature = key.sign(&canonical::string_to_sign(&timestamp, &scope, &request));
        if bool::from(signature.as_slice().ct_eq(&claim.signature)) {
            let body_sha256 = if claim.payload.canonical().is_none() {
                options.body_sha256
            } else {
                None
            };
            return Ok(Verified {
                signing_key: Some(key.clone()),
                body_sha256,
                timestamp,
                scope,
                seed_signature: signature,
            });
        }
        previous = request;
    }
    Err(AuthError::SignatureMismatch)
}

fn verify_legacy(
    head: &RequestHead<'_>,
    claim: &Claim,
    secret: &SecretKey,
    now: Timestamp,
    options: &Options<'_>,
) -> Result<Verified, AuthError> {
    head.check()?;
    if now >= claim.timestamp {
        return Err(AuthError::PresignedExpired {
            expired_at: time::format_basic(claim.timestamp),
            now: time::format_basic(now),
        });
    }
    if let Some(expected) = options.expected_service
        && expected != claim.scope.service
    {
        return Err(AuthError::WrongService {
            found: claim.scope.service.clone(),
            expected: expected.to_owned(),
        });
    }
    let message = legacy::string_to_sign(head, claim.timestamp.as_second(), options.virtual_host_bucket);
    if bool::from(secret.hmac_sha1(&message).as_slice().ct_eq(&claim.signature)) {
        return Ok(Verified {
            signing_key: None,
            body_sha256: None,
            timestamp: String::new(),
            scope: String::new(),
            seed_signature: Sha256::digest(b"").into(),
        });
    }
    Err(AuthError::SignatureMismatch)
}

fn check_time(claim: &Claim, now: Timestamp, options: &Options<'_>) -> Result<(), AuthError> {
    let signed = claim.timestamp.as_second();
    let current = now.as_second();
    let skew = options.clock_skew_seconds;
    let text =
        |second: i64| Timestamp::from_second(second).map_or_else(|_| second.to_string(), time::format_basic);
    if let Some(expires) = claim.expires {
        if signed > current.saturating_add(skew) {
            return Err(AuthError::PresignedNotYetValid {
                signed_at: text(signed),
                now: text(current),
            });
        }
        let end = signed.saturating_add(i64::from(expires));
        if current > end {
            return Err(AuthError::PresignedExpired {
                expired_at: text(end),
                now: text(current),
            });
        }
        return Ok(());
    }
    let minutes = skew / 60;
    let earliest = current.saturating_sub(skew);
    let latest = current.saturating_add(skew);
    if signed < earliest {
        return Err(AuthError::SignatureExpired {
            signed_at: text(signed),
            limit: text(earliest),
            now: text(current),
            minutes,
        });
    }
    if signed > latest {
        return Err(AuthError::SignatureNotYetCurrent {
            signed_at: text(signed),
            limit: text(latest),
            now: text(current),
            minutes,
        });
    }
    Ok(())
}

fn check_scope(claim: &Claim, options: &Options<'_>) -> Result<(), AuthError> {
    if let Some(expected) = options.expected_service
        && expected != claim.scope.service
    {
        return Err(AuthError::WrongService {
            found: claim.scope.service.clone(),
            expected: expected.to_owned(),
        });
    }
    if let Some(expected) = options.expected_region
        && expected != claim.scope.region
    {
        return Err(AuthError::WrongRegion {
            found: claim.scope.region.clone(),
            expected: expected.to_owned(),
        });
    }
    Ok(())
}

/// What is not signed can be changed on the way, so headers that say what is asked for must be signed. S3 demands it
/// of every `x-amz-` header, the other services of the operation and the date.
fn check_signed_headers(head: &RequestHead<'_>, claim: &Claim) -> Result<(), AuthError> {
    let signed = |name: &str| claim.signed_headers.iter().any(|have| have == name);
    if !signed("host") {
        return Err(AuthError::HostNotSigned);
    }
    let s3 = claim.scope.is_s3();
    let mut names: Vec<String> = Vec::new();
    for (name, _) in head.headers {
        let needed = if s3 {
            name.get(..6)
                .is_some_and(|prefix| prefix.eq_ignore_ascii_case("x-amz-"))
        } else {
            name.eq_ignore_ascii_case("x-amz-target")
                || (claim.form == Form::Header && name.eq_ignore_ascii_case("x-amz-date"))
        };
        if needed
            && !claim
                .signed_headers
                .iter()
                .any(|have| have.eq_ignore_ascii_case(name))
        {
            names.push(name.to_ascii_lowercase());
        }
    }
    if names.is_empty() {
        Ok(())
    } else {
        Err(AuthError::HeadersNotSigned { names })
    }
}
