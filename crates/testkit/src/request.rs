//! Requests built by hand and sent over a connection of their own.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use rolecall_sigv4::{AuthError, Credentials, Payload, PayloadHash, RequestHead, SecretKey, presign, sign};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::credentials::TestCredentials;

/// The most bytes of an answer's body that are read.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// How long a presigned URL lives.
const PRESIGNED_SECONDS: u32 = 300;

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Signing failed.
    #[error("the request cannot be signed: {0}")]
    Sign(#[from] AuthError),
    /// The request cannot be expressed in HTTP; use [`send_bytes`] for what is not.
    #[error("the request is not valid http: {0}")]
    Http(#[from] hyper::http::Error),
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Connection(#[from] std::io::Error),
    /// The exchange failed.
    #[error("the exchange failed: {0}")]
    Exchange(#[from] hyper::Error),
    /// The answer's body is too large or was cut off.
    #[error("the answer's body cannot be read: {0}")]
    Body(String),
}

/// How a request is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// In the `Authorization` header.
    Header,
    /// In the query, valid for five minutes.
    Presigned,
}

/// One way to get a signature wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spoil {
    /// Sign with another secret.
    Secret,
    /// Name an access key that does not exist.
    AccessKey,
    /// Sign for another region.
    Region,
    /// Sign for another service.
    Service,
    /// Sign at another time, so many seconds from now; negative is the past.
    Time(i64),
    /// Change the last digit of the signature.
    Signature,
    /// Send another body than the signed one.
    Body,
    /// Add this header after signing.
    UnsignedHeader(String, String),
    /// Send another session token than the signed one.
    SessionToken,
}

/// A request under construction.
#[derive(Clone, Debug)]
pub struct RawRequest {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Bytes,
    signing: Option<(Signing, TestCredentials, String, String)>,
    payload: Option<PayloadHash>,
    spoil: Option<Spoil>,
    at: Option<Timestamp>,
}

/// An answer, read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawResponse {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, in order of arrival.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl RawResponse {
    /// The first value of a header; the name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl RawRequest {
    /// A request for a target such as `/path?query`, taken as it is.
    pub fn new(method: impl Into<String>, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.into(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
            signing: None,
            payload: None,
            spoil: None,
            at: None,
        }
    }

    /// A call of the AWS Query protocol: `Action=…&Version=…` with more parameters, already encoded.
    pub fn query_call(version: &str, action: &str, parameters: &str) -> Self {
        let separator = if parameters.is_empty() { "" } else { "&" };
        Self::new("POST", "/")
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .body(format!(
                "Action={action}&Version={version}{separator}{parameters}"
            ))
    }

    /// A call of the AWS JSON protocol: `version` is `1.0` or `1.1`, `target` such as `DynamoDB_20120810.ListTables`.
    pub fn json_call(version: &str, target: &str, body: impl Into<Bytes>) -> Self {
        Self::new("POST", "/")
            .header("content-type", format!("application/x-amz-json-{version}"))
            .header("x-amz-target", target)
            .body(body)
    }

    /// Adds a header. `Host` is added on sending unless it was given.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Signs the request on sending.
    #[must_use]
    pub fn sign(
        mut self,
        signing: Signing,
        credentials: &TestCredentials,
        region: &str,
        service: &str,
    ) -> Self {
        self.signing = Some((
            signing,
            credentials.clone(),
            region.to_owned(),
            service.to_owned(),
        ));
        self
    }

    /// Signs one of the words of `x-amz-content-sha256` instead of the body's hash.
    #[must_use]
    pub fn payload(mut self, payload: PayloadHash) -> Self {
        self.payload = Some(payload);
        self
    }

    /// Signs in a wrong way.
    #[must_use]
    pub fn spoil(mut self, spoil: Spoil) -> Self {
        self.spoil = Some(spoil);
        self
    }

    /// Signs at this time instead of now.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }

    /// Signs and sends the request over a new connection, and reads the answer.
    ///
    /// # Errors
    /// Fails if there is no answer. An error status is an answer.
    pub async fn send(&self, address: SocketAddr) -> Result<RawResponse, SendError> {
        let ready = self.prepare(address)?;
        let target = if ready.query.is_empty() {
            ready.path
        } else {
            format!("{}?{}", ready.path, ready.query)
        };
        let mut builder = hyper::Request::builder()
            .method(ready.method.as_str())
            .uri(target);
        for (name, value) in &ready.headers {
            builder = builder.header(name.as_str(), value.as_slice());
        }
        let request = builder.body(Full::new(ready.body))?;
        let stream = TcpStream::connect(address).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let response = sender.send_request(request).await;
        let answer = match response {
            Ok(response) => read(response).await,
            Err(error) => Err(error.into()),
        };
        connection.abort();
        answer
    }

    /// The request as it goes over the wire: signed, spoiled, with `Host`.
    fn prepare(&self, address: SocketAddr) -> Result<Self, SendError> {
        let mut ready = self.clone();
        if !ready
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            ready
                .headers
                .push(("host".to_owned(), address.to_string().into_bytes()));
        }
        if let Some((signing, credentials, region, service)) = &self.signing {
            ready.add_signature(*signing, credentials, region, service)?;
        }
        match &self.spoil {
            Some(Spoil::Body) => {
                let mut body = ready.body.to_vec();
                body.push(b' ');
                ready.body = body.into();
            }
            Some(Spoil::UnsignedHeader(name, value)) => {
                ready.headers.push((name.clone(), value.clone().into_bytes()));
            }
            Some(Spoil::Signature) => ready.change_signature(),
            Some(Spoil::SessionToken) => {
                for (name, value) in &mut ready.headers {
                    if name == "x-amz-security-token" {
                        value.push(b'x');
                    }
                }
                ready.query = ready
                    .query
                    .replace("X-Amz-Security-Token=", "X-Amz-Security-Token=x");
            }
            _ => {}
        }
        Ok(ready)
    }

    fn add_signature(
        &mut self,
        signing: Signing,
        credentials: &TestCredentials,
        region: &str,
        service: &str,
    ) -> Result<(), AuthError> {
        let spoil = self.spoil.clone();
        let secret = SecretKey::new(match spoil {
            Some(Spoil::Secret) => format!("{}x", credentials.secret_access_key),
            _ => credentials.secret_access_key.clone(),
        });
        let access_key_id = match spoil {
            Some(Spoil::AccessKey) => "AKIAIOSFODNN7NOTTHERE",
            _ => &credentials.access_key_id,
        };
        let region = if spoil == Some(Spoil::Region) {
            "xx-nowhere-1"
        } else {
            region
        };
        let service = if spoil == Some(Spoil::Service) {
            "nothing"
        } else {
            service
        };
        let mut now = self.at.unwrap_or_else(Timestamp::now);
        if let Some(Spoil::Time(seconds)) = spoil {
            now = now
                .saturating_add(SignedDuration::from_secs(seconds))
                .unwrap_or(now);
        }
        let credentials = Credentials {
            access_key_id,
            secret: &secret,
            session_token: credentials.session_token.as_deref(),
        };
        let body = self.body.clone();
        let payload = match (self.payload, signing, service) {
            (Some(declared), ..) => Payload::Declared(declared),
            (None, Signing::Presigned, "s3") => Payload::Declared(PayloadHash::Unsigned),
            (None, ..) => Payload::Body(&body),
        };
        let headers: Vec<(&str, &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect();
        let head = RequestHead {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
        };
        match signing {
            Signing::Header => {
                let added = sign(&head, &credentials, region, service, now, &payload)?;
                self.headers
                    .extend(added.into_iter().map(|(name, value)| (name, value.into_bytes())));
            }
            Signing::Presigned => {
                self.query = presign(
                    &head,
                    &credentials,
                    region,
                    service,
                    now,
                    PRESIGNED_SECONDS,
                    &payload,
                )?;
            }
        }
        Ok(())
    }

    /// The signature is the last thing in the header and in the query.
    fn change_signature(&mut self) {
        let other = |digit: u8| if digit == b'0' { b'1' } else { b'0' };
        for (name, value) in &mut self.headers {
            if let ("authorization", Some(last)) = (name.as_str(), value.last_mut()) {
                *last = other(*last);
            }
        }
        if self.query.contains("X-Amz-Signature=")
            && let Some(last) = self.query.pop()
        {
            self.query.push(if last == '0' { '1' } else { '0' });
        }
    }
}

async fn read(response: hyper::Response<hyper::body::Incoming>) -> Result<RawResponse, SendError> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, MAX_ANSWER_BYTES)
        .collect()
        .await
        .map_err(|error| SendError::Body(error.to_string()))?
        .to_bytes();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    Ok(RawResponse {
        status: parts.status.as_u16(),
        headers,
        body,
    })
}

/// Sends bytes that need not be HTTP at all, and returns whatever comes back until the other side closes or `limit`
/// bytes have come.
///
/// # Errors
/// Fails if the connection does.
pub async fn send_bytes(address: SocketAddr, bytes: &[u8], limit: usize) -> Result<Vec<u8>, SendError> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(bytes).await?;
    stream.shutdown().await?;
    let mut answer = Vec::new();
    stream
        .take(u64::try_from(limit).unwrap_or(u64::MAX))
        .read_to_end(&mut answer)
        .await?;
    Ok(answer)
}
