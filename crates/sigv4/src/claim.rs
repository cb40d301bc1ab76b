//! What a request claims about its signature, read but not yet believed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::error::{AuthError, PresignedProblem};
use crate::request::{MAX_HEADERS, RequestHead, decode_component};
use crate::time;

/// The algorithm every request must name.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Seven days, the longest life of a presigned URL.
const MAX_EXPIRES_SECONDS: u32 = 604_800;

/// The credential scope: what a signing key is good for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// `YYYYMMDD`; empty for Signature Version 2.
    pub date: String,
    /// Such as `eu-central-1`; empty for Signature Version 2.
    pub region: String,
    /// Such as `lambda`; `s3` for Signature Version 2.
    pub service: String,
}

impl Scope {
    /// S3 has its own rules for paths and payloads.
    pub fn is_s3(&self) -> bool {
        matches!(
            self.service.as_str(),
            "s3" | "s3-outposts" | "s3express" | "s3-object-lambda"
        )
    }

    /// As it stands in the string to sign.
    pub(crate) fn text(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }
}

/// Where the signature was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In the `Authorization` header.
    Header,
    /// In query parameters `X-Amz-…`.
    Presigned,
    /// In the query parameters of Signature Version 2, `AWSAccessKeyId`, `Signature` and `Expires`; S3 only.
    LegacyPresigned,
}

/// What the client says about the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadHash {
    /// Outside S3: the service hashes the body it received, whatever the header says.
    Body,
    /// The SHA-256 of the body as sent.
    Signed([u8; 32]),
    /// `UNSIGNED-PAYLOAD`.
    Unsigned,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`.
    StreamingSigned,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`.
    StreamingSignedTrailer,
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`.
    StreamingUnsignedTrailer,
}

impl PayloadHash {
    fn parse(text: &str) -> Result<Self, AuthError> {
        Ok(match text {
            "UNSIGNED-PAYLOAD" => Self::Unsigned,
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Self::StreamingSigned,
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Self::StreamingSignedTrailer,
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Self::StreamingUnsignedTrailer,
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
            | "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER" => {
                return Err(AuthError::UnsupportedAlgorithm {
                    algorithm: "AWS4-ECDSA-P256-SHA256".to_owned(),
                });
            }
            text => Self::Signed(parse_hex_32(text).ok_or(AuthError::InvalidPayloadHash)?),
        })
    }

    /// The last line of the canonical request; `None` if only the body's own hash will do.
    pub(crate) fn canonical(&self) -> Option<String> {
        Some(match self {
            Self::Body => return None,
            Self::Signed(hash) => hex::encode(hash),
            Self::Unsigned => "UNSIGNED-PAYLOAD".to_owned(),
            Self::StreamingSigned => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD".to_owned(),
            Self::StreamingSignedTrailer => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER".to_owned(),
            Self::StreamingUnsignedTrailer => "STREAMING-UNSIGNED-PAYLOAD-TRAILER".to_owned(),
        })
    }
}

/// A signature as claimed by a request. Nothing in it is verified; see [`crate::verify`].
#[derive(Clone, PartialEq, Eq)]
pub struct Claim {
    /// Where the signature was found.
    pub form: Form,
    /// Which key is said to have signed.
    pub access_key_id: String,
    /// The day, region and service it was signed for.
    pub scope: Scope,
    /// Lower-case names, in the order given; empty for Signature Version 2.
    pub signed_headers: Vec<String>,
    /// When it is said to have been signed; for Signature Version 2, when it expires.
    pub timestamp: Timestamp,
    /// How many seconds a presigned URL is valid from `timestamp` on.
    pub expires: Option<u32>,
    /// The session token of temporary credentials.
    pub session_token: Option<String>,
    /// What is said about the body.
    pub payload: PayloadHash,
    /// 32 bytes; 20 for Signature Version 2.
    pub(crate) signature: Vec<u8>,
}

impl fmt::Debug for Claim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Claim")
            .field("form", &self.form)
            .field("access_key_id", &self.access_key_id)
            .field("scope", &self.scope)
            .field("signed_headers", &self.signed_headers)
            .field("timestamp", &self.timestamp)
            .field("expires", &self.expires)
            .field("session_token", &self.session_token.as_ref().map(|_| "redacted"))
            .field("payload", &self.payload)
            .finish_non_exhaustive()
    }
}

/// Reads the signature of a request. `Ok(None)` means that the request is not signed at all.
///
/// # Errors
/// Fails if the request carries anything that looks like a signature but is not a complete one, if it carries two,
/// and if its head exceeds the crate's limits.
pub fn parse(head: &RequestHead<'_>) -> Result<Option<Claim>, AuthError> {
    head.check()?;
    let authorization = head.single_header("authorization")?;
    let presigned = head
        .query_pairs()
        .any(|(name, _)| matches!(name, "X-Amz-Algorithm" | "X-Amz-Signature" | "X-Amz-Credential"));
    let legacy = {
        let has = |wanted: &str| head.query_pairs().any(|(name, _)| name == wanted);
        has("AWSAccessKeyId") && has("Signature")
    };
    match (authorization, presigned, legacy) {
        (None, false, false) => Ok(None),
        (Some(header), false, false) => parse_header(head, header).map(Some),
        (None, true, false) => parse_presigned(head).map(Some),
        (None, false, true) => parse_legacy(head).map(Some),
        _ => Err(AuthError::SeveralMechanisms),
    }
}

fn parse_header(head: &RequestHead<'_>, header: &str) -> Result<Claim, AuthError> {
    let header_hash = || STANDARD.encode(Sha256::digest(header.as_bytes()));
    let (algorithm, rest) = header.split_once([' ', '\t']).unwrap_or((header, ""));
    let mut credential = None;
    let mut signed_headers = None;
    let mut signature = None;
    if algorithm == ALGORITHM {
        for part in rest.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| AuthError::NotKeyValue {
                header_hash: header_hash(),
            })?;
            let slot = match name.trim_end() {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => continue,
            };
            if slot.replace(value.trim_start()).is_some() {
                return Err(AuthError::Refused(
                    "A parameter of the Authorization header is given more than once.",
                ));
            }
        }
    } else if algorithm == "AWS" || algorithm.starts_with("AWS4-") {
        return Err(AuthError::UnsupportedAlgorithm {
            algorithm: algorithm.chars().take(64).collect(),
        });
    }
    let date = match head.single_header("x-amz-date")? {
        Some(date) => Some(date),
        None => head.single_header("date")?,
    };
    let (Some(credential), Some(signed_headers), Some(signature), Some(date)) =
        (credential, signed_headers, signature, date)
    else {
        let missing = [
            ("Credential", credential.is_none()),
            ("Signature", signature.is_none()),
            ("SignedHeaders", signed_headers.is_none()),
            ("Date", date.is_none()),
        ];
        return Err(AuthError::MissingParameters {
            missing: missing
                .into_iter()
                .filter(|(_, absent)| *absent)
                .map(|(name, _)| name)
                .collect(),
            header_hash: header_hash(),
        });
    };
    let (access_key_id, scope) =
        parse_credential(credential).ok_or_else(|| AuthError::MalformedCredential {
            credential: credential.to_owned(),
        })?;
    let timestamp = time::parse_date_header(date).ok_or_else(|| AuthError::MalformedDate {
        value: date.to_owned(),
    })?;
    check_scope_date(&scope, timestamp)?;
    let payload = if scope.is_s3() {
        PayloadHash::parse(
            head.single_header("x-amz-content-sha256")?
                .ok_or(AuthError::MissingPayloadHash)?,
        )?
    } else {
        PayloadHash::Body
    };
    Ok(Claim {
        form: Form::Header,
        access_key_id,
        scope,
        signed_headers: parse_signed_headers(signed_headers)?,
        signature: parse_hex_32(signature)
            .ok_or(AuthError::SignatureMismatch)?
            .to_vec(),
        timestamp,
        expires: None,
        session_token: head.single_header("x-amz-security-token")?.map(str::to_owned),
        payload,
    })
}

fn parse_presigned(head: &RequestHead<'_>) -> Result<Claim, AuthError> {
    let problem = AuthError::Presigned;
    let required =
        |name: &str| single_parameter(head, name)?.ok_or(AuthError::Presigned(PresignedProblem::Incomplete));
    let algorithm = required("X-Amz-Algorithm")?;
    if algorithm.starts_with("AWS4-ECDSA") {
        return Err(AuthError::UnsupportedAlgorithm {
            algorithm: algorithm.chars().take(64).collect(),
        });
    }
    if algorithm != ALGORITHM {
        return Err(problem(PresignedProblem::Algorithm));
    }
    let (access_key_id, scope) =
        parse_credential(&required("X-Amz-Credential")?).ok_or(problem(PresignedProblem::Credential))?;
    let timestamp = time::parse_basic(&required("X-Amz-Date")?).ok_or(problem(PresignedProblem::Date))?;
    check_scope_date(&scope, timestamp)?;
    // Only S3 demands a life time; elsewhere the URL lives as long as a request in header form.
    let expires = match single_parameter(head, "X-Amz-Expires")? {
        Some(text) => Some(parse_expires(&text)?),
        None if scope.is_s3() => return Err(problem(PresignedProblem::Incomplete)),
        None => None,
    };
    let payload = if scope.is_s3() {
        match head.single_header("x-amz-content-sha256")? {
            Some(text) => PayloadHash::parse(text)?,
            None => match single_parameter(head, "X-Amz-Content-Sha256")? {
                Some(text) => PayloadHash::parse(&text)?,
                None => PayloadHash::Unsigned,
            },
        }
    } else {
        PayloadHash::Body
    };
    Ok(Claim {
        form: Form::Presigned,
        access_key_id,
        scope,
        signed_headers: parse_signed_headers(&required("X-Amz-SignedHeaders")?)?,
        signature: parse_hex_32(&required("X-Amz-Signature")?)
            .ok_or(AuthError::SignatureMismatch)?
            .to_vec(),
        timestamp,
        expires,
        session_token: single_parameter(head, "X-Amz-Security-Token")?,
        payload,
    })
}

/// See [REST authentication, query string](https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html).
fn parse_legacy(head: &RequestHead<'_>) -> Result<Claim, AuthError> {
    let required =
        |name: &str| single_parameter(head, name)?.ok_or(AuthError::Presigned(PresignedProblem::Incomplete));
    let expires = required("Expires")?;
    let timestamp = expires
        .parse::<i64>()
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or(AuthError::MalformedDate { value: expires })?;
    let signature = STANDARD
        .decode(required("Signature")?)
        .map_err(|_| AuthError::SignatureMismatch)?;
    let session_token = match head.single_header("x-amz-security-token")? {
        Some(token) => Some(token.to_owned()),
        None => single_parameter(head, "x-amz-security-token")?,
    };
    Ok(Claim {
        form: Form::LegacyPresigned,
        access_key_id: required("AWSAccessKeyId")?,
        scope: Scope {
            date: String::new(),
            region: String::new(),
            service: "s3".to_owned(),
        },
        signed_headers: Vec::new(),
        signature,
        timestamp,
        expires: None,
        session_token,
        payload: PayloadHash::Unsigned,
    })
}

fn single_parameter(head: &RequestHead<'_>, name: &str) -> Result<Option<String>, AuthError> {
    let mut values = head
        .query_pairs()
        .filter(|(have, _)| *have == name)
        .map(|(_, value)| value);
    let Some(first) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(AuthError::Presigned(PresignedProblem::Incomplete));
    }
    String::from_utf8(decode_component(first).into_owned())
        .map(Some)
        .map_err(|_| AuthError::Presigned(PresignedProblem::Incomplete))
}

fn parse_credential(text: &str) -> Option<(String, Scope)> {
    let mut parts = text.split('/');
    let (access_key_id, date, region, service, terminator) = (
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
    );
    let well_formed = parts.next().is_none()
        && terminator == "aws4_request"
        && date.len() == 8
        && date.bytes().all(|byte| byte.is_ascii_digit())
        && [access_key_id, region, service].iter().all(|part| {
            (1..=128).contains(&part.len())
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        });
    well_formed.then(|| {
        let scope = Scope {
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
        };
        (access_key_id.to_owned(), scope)
    })
}

fn check_scope_date(scope: &Scope, timestamp: Timestamp) -> Result<(), AuthError> {
    let timestamp = time::format_basic(timestamp);
    if timestamp.get(..8) == Some(scope.date.as_str()) {
        return Ok(());
    }
    Err(AuthError::ScopeDateMismatch {
        scope_date: scope.date.clone(),
        timestamp,
    })
}

fn parse_signed_headers(text: &str) -> Result<Vec<String>, AuthError> {
    let names: Vec<String> = text.split(';').map(str::to_owned).collect();
    let token = |name: &String| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && byte != b':')
    };
    if names.len() > MAX_HEADERS {
        return Err(AuthError::Refused("The request has too many signed headers."));
    }
    // A name twice, or in capitals, has no canonical form: no client's signature over it can be right.
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    let repeated = sorted.windows(2).any(|pair| pair.first() == pair.last());
    if repeated || !names.iter().all(token) {
        return Err(AuthError::SignatureMismatch);
    }
    Ok(names)
}

fn parse_expires(text: &str) -> Result<u32, AuthError> {
    let seconds: i64 = text
        .parse()
        .map_err(|_| AuthError::Presigned(PresignedProblem::ExpiresNotNumber))?;
    if seconds < 0 {
        return Err(AuthError::Presigned(PresignedProblem::ExpiresNegative));
    }
    u32::try_from(seconds)
        .ok()
        .filter(|seconds| *seconds <= MAX_EXPIRES_SECONDS)
        .ok_or(AuthError::Presigned(PresignedProblem::ExpiresTooLong))
}

/// 64 lower-case hexadecimal digits.
pub(crate) fn parse_hex_32(text: &str) -> Option<[u8; 32]> {
    let mut out = [0_u8; 32];
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    hex::decode_to_slice(text, &mut out).ok()?;
    Some(out)
}
