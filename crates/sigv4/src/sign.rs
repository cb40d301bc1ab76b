//! Signing as a client does it, for rolecall's own calls and for tests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::canonical::{self, UriForm, encode_component};
use crate::chunked::ChunkSignatures;
use crate::claim::{ALGORITHM, PayloadHash, Scope, parse_hex_32};
use crate::error::AuthError;
use crate::key::{SecretKey, SigningKey};
use crate::legacy;
use crate::request::RequestHead;
use crate::time;

/// Headers that proxies change and that are therefore not signed, as in AWS's SDKs.
const UNSIGNABLE: [&str; 7] = [
    "authorization",
    "connection",
    "content-length",
    "expect",
    "transfer-encoding",
    "user-agent",
    "x-amzn-trace-id",
];

/// Who signs.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    /// The access key identifier.
    pub access_key_id: &'a str,
    /// The secret access key.
    pub secret: &'a SecretKey,
    /// The session token of temporary credentials.
    pub session_token: Option<&'a str>,
}

/// What to sign of the body.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// The body itself.
    Body(&'a [u8]),
    /// One of the words or hashes of `x-amz-content-sha256`; not [`PayloadHash::Body`].
    Declared(PayloadHash),
}

impl Payload<'_> {
    fn canonical(&self) -> Result<String, AuthError> {
        match self {
            Self::Body(body) => Ok(hex::encode(Sha256::digest(body))),
            Self::Declared(declared) => declared.canonical().ok_or(AuthError::BodyHashNeeded),
        }
    }
}

/// Signs a request. Returns the headers to add: `x-amz-date`, for S3 `x-amz-content-sha256`, for temporary credentials
/// `x-amz-security-token`, and last `authorization`.
///
/// `head` must contain `host`, and must not yet contain any of these.
///
/// # Errors
/// Fails if the head exceeds the crate's limits or the payload is [`PayloadHash::Body`].
pub fn sign(
    head: &RequestHead<'_>,
    credentials: &Credentials<'_>,
    region: &str,
    service: &str,
    now: Timestamp,
    payload: &Payload<'_>,
) -> Result<Vec<(String, String)>, AuthError> {
    head.check()?;
    let timestamp = time::format_basic(now);
    let scope = scope_at(&timestamp, region, service);
    let hash = payload.canonical()?;
    let mut added = vec![("x-amz-date".to_owned(), timestamp.clone())];
    if scope.is_s3() {
        added.push(("x-amz-content-sha256".to_owned(), hash.clone()));
    }
    if let Some(token) = credentials.session_token {
        added.push(("x-amz-security-token".to_owned(), token.to_owned()));
    }
    let mut headers = head.headers.to_vec();
    headers.extend(
        added
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes())),
    );
    let names = signable_names(&headers);
    let full = RequestHead {
        headers: &headers,
        ..*head
    };
    let signature = signature(&full, credentials.secret, &scope, &timestamp, &names, &hash)?;
    let authorization = format!(
        "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={signature}",
        credentials.access_key_id,
        scope.text(),
        names.join(";"),
    );
    added.push(("authorization".to_owned(), authorization));
    Ok(added)
}

/// Presigns a request: returns the whole query string to use instead of `head.query`.
///
/// # Errors
/// As [`sign`].
pub fn presign(
    head: &RequestHead<'_>,
    credentials: &Credentials<'_>,
    region: &str,
    service: &str,
    now: Timestamp,
    expires_seconds: u32,
    payload: &Payload<'_>,
) -> Result<String, AuthError> {
    let timestamp = time::format_basic(now);
    let scope = scope_at(&timestamp, region, service);
    let names = signable_names(head.headers);
    let mut query = head.query.to_owned();
    let mut add = |name: &str, value: &str| {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        query.push_str(&encode_component(value));
    };
    add("X-Amz-Algorithm", ALGORITHM);
    add(
        "X-Amz-Credential",
        &format!("{}/{}", credentials.access_key_id, scope.text()),
    );
    add("X-Amz-Date", &timestamp);
    add("X-Amz-Expires", &expires_seconds.to_string());
    add("X-Amz-SignedHeaders", &names.join(";"));
    if let Some(token) = credentials.session_token {
        add("X-Amz-Security-Token", token);
    }
    let full = RequestHead {
        query: &query,
        ..*head
    };
    full.check()?;
    let signature = signature(
        &full,
        credentials.secret,
        &scope,
        &timestamp,
        &names,
        &payload.canonical()?,
    )?;
    query.push_str("&X-Amz-Signature=");
    query.push_str(&signature);
    Ok(query)
}

/// Presigns a request to S3 with Signature Version 2: returns the whole query string to use instead of `head.query`.
/// `expires_at` is in seconds since the epoch; `bucket` is given if the host names it instead of the path.
///
/// # Errors
/// As [`sign`].
pub fn presign_legacy(
    head: &RequestHead<'_>,
    credentials: &Credentials<'_>,
    expires_at: i64,
    bucket: Option<&str>,
) -> Result<String, AuthError> {
    let mut query = head.query.to_owned();
    if let Some(token) = credentials.session_token {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str("x-amz-security-token=");
        query.push_str(&encode_component(token));
    }
    let full = RequestHead {
        query: &query,
        ..*head
    };
    full.check()?;
    let signature = STANDARD.encode(
        credentials
            .secret
            .hmac_sha1(&legacy::string_to_sign(&full, expires_at, bucket)),
    );
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str("AWSAccessKeyId=");
    query.push_str(&encode_component(credentials.access_key_id));
    query.push_str("&Signature=");
    query.push_str(&encode_component(&signature));
    query.push_str("&Expires=");
    query.push_str(&expires_at.to_string());
    Ok(query)
}

/// Writes a body in signed `aws-chunked` framing.
pub struct ChunkSigner(ChunkSignatures);

impl ChunkSigner {
    /// Continues from the signature of the request's head: the `authorization` header that [`sign`] returned for
    /// [`PayloadHash::StreamingSigned`] or [`PayloadHash::StreamingSignedTrailer`] at the same time and scope.
    ///
    /// # Errors
    /// Fails if `authorization` does not end in a signature.
    pub fn new(
        secret: &SecretKey,
        region: &str,
        service: &str,
        now: Timestamp,
        authorization: &str,
    ) -> Result<Self, AuthError> {
        let timestamp = time::format_basic(now);
        let scope = scope_at(&timestamp, region, service);
        let previous = authorization
            .rsplit_once("Signature=")
            .and_then(|(_, signature)| parse_hex_32(signature))
            .ok_or(AuthError::SignatureMismatch)?;
        let key = SigningKey::derive(secret, &scope);
        Ok(Self(ChunkSignatures {
            key,
            scope: scope.text(),
            timestamp,
            previous,
        }))
    }

    /// Frames one chunk. The last chunk is empty and is followed by [`ChunkSigner::trailer`].
    pub fn chunk(&mut self, data: &[u8]) -> Vec<u8> {
        self.0.previous = self.0.chunk(&Sha256::digest(data));
        let mut out = format!(
            "{:x};chunk-signature={}\r\n",
            data.len(),
            hex::encode(self.0.previous)
        )
        .into_bytes();
        if !data.is_empty() {
            out.extend_from_slice(data);
            out.extend_from_slice(b"\r\n");
        }
        out
    }

    /// Ends the body, with signed trailers if there are any.
    pub fn trailer(self, trailers: &[(&str, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut hash = Sha256::new();
        for (name, value) in trailers {
            hash.update(format!("{name}:{value}\n"));
            out.extend_from_slice(format!("{name}:{value}\r\n").as_bytes());
        }
        if !trailers.is_empty() {
            let signature = hex::encode(self.0.trailer(&hash.finalize()));
            out.extend_from_slice(format!("x-amz-trailer-signature:{signature}\r\n").as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out
    }
}

fn scope_at(timestamp: &str, region: &str, service: &str) -> Scope {
    Scope {
        date: timestamp.get(..8).unwrap_or_default().to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
    }
}

fn signable_names(headers: &[(&str, &[u8])]) -> Vec<String> {
    let mut names: Vec<String> = headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .filter(|name| !UNSIGNABLE.contains(&name.as_str()))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn signature(
    head: &RequestHead<'_>,
    secret: &SecretKey,
    scope: &Scope,
    timestamp: &str,
    names: &[String],
    payload_hash: &str,
) -> Result<String, AuthError> {
    let request =
        canonical::canonical_request(head, names, scope.is_s3(), UriForm::Normalised, payload_hash)?;
    let message = canonical::string_to_sign(timestamp, &scope.text(), &request);
    Ok(hex::encode(SigningKey::derive(secret, scope).sign(&message)))
}
