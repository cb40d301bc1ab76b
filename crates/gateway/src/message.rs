//! Between hyper's messages and the wire's.

use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use rolecall_sigv4::RequestHead;
use rolecall_wire::{ByteStream, Response};

/// Body of an answer.
pub(crate) type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

/// A request's head, owned and exactly as received.
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl Head {
    /// Copies the head out of hyper's request.
    pub(crate) fn of(parts: &hyper::http::request::Parts) -> Self {
        let mut headers: Vec<(String, Vec<u8>)> = Vec::with_capacity(parts.headers.len());
        for (name, value) in &parts.headers {
            headers.push((name.as_str().to_owned(), value.as_bytes().to_vec()));
        }
        Self {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers,
        }
    }

    /// The first value of a header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .headers
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// Calls `use_head` with the borrowed form the signature check wants.
    pub(crate) fn with_borrowed<T>(&self, use_head: impl FnOnce(&RequestHead<'_>) -> T) -> T {
        let headers: Vec<(&str, &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect();
        use_head(&RequestHead {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
        })
    }
}

/// Turns an answer into hyper's response.
pub(crate) fn into_http(response: Response) -> hyper::Response<ResponseBody> {
    let Response {
        status,
        headers,
        body,
    } = response;
    let mut builder = hyper::Response::builder().status(status);
    for (name, value) in headers.into_inner() {
        builder = builder.header(&*name, header_value(&value));
    }
    let length = body.len();
    if !builder
        .headers_ref()
        .is_some_and(|headers| headers.contains_key("content-length"))
        && status != 204
        && status != 304
    {
        builder = builder.header("content-length", length);
    }
    builder.body(into_body(body)).unwrap_or_else(|error| {
        // A header that HTTP does not allow: the caller learns that it failed, the log why.
        tracing::error!(%error, "an answer could not be written");
        let mut failed = hyper::Response::new(empty());
        *failed.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}

/// HTTP header values are bytes; what is not visible ASCII (metadata in UTF-8) goes out as it is, line breaks do not.
fn header_value(value: &str) -> hyper::header::HeaderValue {
    hyper::header::HeaderValue::from_bytes(value.as_bytes())
        .unwrap_or_else(|_| hyper::header::HeaderValue::from_static(""))
}

fn empty() -> ResponseBody {
    Full::new(Bytes::new())
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

fn into_body(body: ByteStream) -> ResponseBody {
    match body {
        ByteStream::Memory(bytes) => Full::new(bytes)
            .map_err(|never: Infallible| match never {})
            .boxed_unsync(),
        file @ ByteStream::File { .. } => match file.chunks() {
            // Reading is blocking but short: 64 KiB at a time, from the page cache as a rule.
            Ok(chunks) => {
                StreamBody::new(stream::iter(chunks.map(|chunk| chunk.map(Frame::data)))).boxed_unsync()
            }
            Err(error) => StreamBody::new(stream::iter([Err(error)])).boxed_unsync(),
        },
    }
}
