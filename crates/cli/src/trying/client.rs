//! A small client of the endpoint: signs and sends the requests a deployment makes, as AWS's own clients would.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rolecall_sigv4::{Credentials, Payload, RequestHead, SecretKey, sign};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use crate::failure::{Context, Failure};

/// Largest answer that is read.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Sends signed requests over one connection.
pub(crate) struct Client {
    address: SocketAddr,
    region: String,
    access_key_id: String,
    secret: SecretKey,
    connection: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

/// An answer with a status below 300.
pub(crate) struct Answer {
    /// Header fields, names in lower case.
    pub(crate) headers: hyper::HeaderMap,
    /// The body.
    pub(crate) body: Bytes,
}

impl Answer {
    /// The value of a header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

struct Call<'a> {
    service: &'a str,
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: Vec<(&'a str, String)>,
    body: Vec<u8>,
}

impl Client {
    /// A client with long-term credentials.
    pub(crate) fn new(address: SocketAddr, region: &str, access_key_id: &str, secret: &str) -> Self {
        Self {
            address,
            region: region.to_owned(),
            access_key_id: access_key_id.to_owned(),
            secret: SecretKey::new(secret),
            connection: Mutex::new(None),
        }
    }

    /// An IAM operation: the fields of a form of the Query protocol, `Action` first. Gives the XML of the answer.
    pub(crate) async fn iam(&self, fields: Vec<(String, String)>) -> Result<String, Failure> {
        let mut body = String::from("Version=2010-05-08");
        for (name, value) in &fields {
            body.push('&');
            body.push_str(&percent_encode(name));
            body.push('=');
            body.push_str(&percent_encode(value));
        }
        let headers = vec![(
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
        )];
        let call = Call {
            service: "iam",
            method: "POST",
            path: "/",
            query: "",
            headers,
            body: body.into_bytes(),
        };
        let doing = fields
            .first()
            .map_or("IAM", |(_, action)| action.as_str())
            .to_owned();
        let answer = self.send(call).await.map_err(|failure| failure.context(doing))?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }

    /// An operation of an AWS JSON service.
    pub(crate) async fn json(
        &self,
        service: &str,
        target: &str,
        version: &str,
        input: &Value,
    ) -> Result<Value, Failure> {
        let headers = vec![
            ("content-type", format!("application/x-amz-json-{version}")),
            ("x-amz-target", target.to_owned()),
        ];
        let body = serde_json::to_vec(input).context(target)?;
        let call = Call {
            service,
            method: "POST",
            path: "/",
            query: "",
            headers,
            body,
        };
        let answer = self.send(call).await.map_err(|failure| failure.context(target))?;
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body).context(format_args!("reading the answer to {target}"))
    }

    /// An operation of a REST-JSON service whose answer is JSON.
    pub(crate) async fn rest_json(
        &self,
        service: &str,
        method: &str,
        path: &str,
        input: &Value,
    ) -> Result<Value, Failure> {
        let body = serde_json::to_vec(input).context(path)?;
        let answer = self.rest(service, method, path, Vec::new(), body).await?;
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body).context(format_args!("reading the answer to {method} {path}"))
    }

    /// An operation of a REST-JSON service, as it is.
    pub(crate) async fn rest(
        &self,
        service: &str,
        method: &str,
        path: &str,
        mut headers: Vec<(&str, String)>,
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        headers.push(("content-type", "application/json".to_owned()));
        let call = Call {
            service,
            method,
            path,
            query: "",
            headers,
            body,
        };
        self.send(call)
            .await
            .map_err(|failure| failure.context(format_args!("{method} {path}")))
    }

    /// An operation of Amazon S3; `path` is percent-encoded.
    pub(crate) async fn s3(
        &self,
        method: &str,
        path: &str,
        query: &str,
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let call = Call {
            service: "s3",
            method,
            path,
            query,
            headers: Vec::new(),
            body,
        };
        self.send(call)
            .await
            .map_err(|failure| failure.context(format_args!("{method} {path}")))
    }

    async fn send(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let host = self.address.to_string();
        let mut headers: Vec<(&str, String)> = vec![("host", host)];
        headers.extend(call.headers);
        let borrowed: Vec<(&str, &[u8])> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        let head = RequestHead {
            method: call.method,
            path: call.path,
            query: call.query,
            headers: &borrowed,
        };
        let credentials = Credentials {
            access_key_id: &self.access_key_id,
            secret: &self.secret,
            session_token: None,
        };
        let payload = Payload::Body(&call.body);
        let signed = sign(
            &head,
            &credentials,
            &self.region,
            call.service,
            Timestamp::now(),
            &payload,
        )
        .context("signing the request")?;
        let uri = if call.query.is_empty() {
            call.path.to_owned()
        } else {
            format!("{}?{}", call.path, call.query)
        };
        let mut request = hyper::Request::builder()
            .method(call.method)
            .uri(uri)
            .header("user-agent", concat!("rolecall/", env!("CARGO_PKG_VERSION")));
        for (name, value) in headers
            .iter()
            .map(|(name, value)| (*name, value))
            .chain(signed.iter().map(|(name, value)| (name.as_str(), value)))
        {
            request = request.header(name, value);
        }
        let request = request
            .body(Full::new(Bytes::from(call.body)))
            .context("making the request")?;

        let mut place = self.connection.lock().await;
        if place.as_ref().is_none_or(SendRequest::is_closed) {
            *place = Some(connect(self.address).await?);
        }
        let Some(connection) = place.as_mut() else {
            return Err(Failure::new("the endpoint closed the connection"));
        };
        connection.ready().await.context("reaching the endpoint")?;
        let response = connection
            .send_request(request)
            .await
            .context("reaching the endpoint")?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER)
            .collect()
            .await
            .map_err(|error| Failure::new(format!("reading the endpoint's answer: {error}")))?
            .to_bytes();
        if parts.status.is_success() {
            return Ok(Answer {
                headers: parts.headers,
                body,
            });
        }
        Err(Failure::new(format!(
            "{} {}",
            parts.status.as_u16(),
            error_text(&body)
        )))
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, Failure> {
    let stream = TcpStream::connect(address)
        .await
        .context(format_args!("connecting to {address}"))?;
    let _ = stream.set_nodelay(true);
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .context("reaching the endpoint")?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Code and message of an error in either protocol; the body itself when it is neither.
fn error_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    if let Ok(Value::Object(error)) = serde_json::from_slice::<Value>(body) {
        let member = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| error.get(*name)?.as_str())
                .unwrap_or_default()
        };
        let code = member(&["__type", "code", "Code"]);
        return format!("{code}: {}", member(&["message", "Message"]))
            .trim_start_matches(": ")
            .to_owned();
    }
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>"))
            .map(|(text, _)| text.to_owned())
    };
    match (element("Code"), element("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ => text.into_owned(),
    }
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
pub(crate) fn percent_encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
