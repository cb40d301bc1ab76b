//! The Runtime API, version 2018-06-01: how a runtime asks for events and answers them.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>. One server for each environment, on the listener inside
//! its network; so a connection needs no proof of who it is. The runtime is untrusted: every body is bounded, and a call that
//! does not fit the state answers 403 and changes nothing.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, oneshot, watch};

/// Largest answer of a function: 6 MB and the room Lambda leaves for the envelope.
pub(crate) const MAXIMUM_RESPONSE: usize = 6_291_556;
/// Largest error object that is kept.
const MAXIMUM_ERROR: usize = 256 * 1024;
/// Connections at once from one environment.
const MAXIMUM_CONNECTIONS: usize = 64;

/// One event on its way to the runtime.
pub(crate) struct Job {
    pub(crate) request_id: String,
    pub(crate) deadline_ms: i64,
    pub(crate) invoked_arn: String,
    pub(crate) trace_id: String,
    pub(crate) client_context: Option<String>,
    pub(crate) payload: Bytes,
}

/// How the runtime answered an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The function's result.
    Response(Bytes),
    /// The function's error object with its type.
    Error { kind: String, body: Bytes },
    /// The result is too large.
    TooLarge,
    /// The connection broke in the middle of the result.
    Truncated,
}

/// How initialisation went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Initialisation {
    /// Still at it.
    Pending,
    /// It asked for its first event.
    Done,
    /// It reported an error.
    Failed { kind: String, body: Bytes },
}

/// What the runtime may do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Phase {
    Started,
    InitError,
    Ready,
    Running,
    /// Lambda's own name differs from the others.
    #[serde(rename = "RuntimeResponseSentState")]
    ResponseSent,
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

struct State {
    phase: Phase,
    waiting: Option<(Job, oneshot::Sender<Answer>)>,
    running: Option<(String, oneshot::Sender<Answer>)>,
}

/// The API's state for one environment.
pub(crate) struct RuntimeApi {
    state: Mutex<State>,
    job_arrived: Notify,
    initialisation: watch::Sender<Initialisation>,
    /// Counts delivered events, so that the time of a function begins when it has its event.
    delivered: watch::Sender<u64>,
}

impl RuntimeApi {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                phase: Phase::Started,
                waiting: None,
                running: None,
            }),
            job_arrived: Notify::new(),
            initialisation: watch::Sender::new(Initialisation::Pending),
            delivered: watch::Sender::new(0),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows the initialisation.
    pub(crate) fn initialisation(&self) -> watch::Receiver<Initialisation> {
        self.initialisation.subscribe()
    }

    /// Follows the number of delivered events.
    pub(crate) fn delivered(&self) -> watch::Receiver<u64> {
        self.delivered.subscribe()
    }

    /// Gives the runtime an event; the answer comes on the receiver, which fails if the API ends without one.
    pub(crate) fn assign(&self, job: Job) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        self.state().waiting = Some((job, sender));
        self.job_arrived.notify_one();
        receiver
    }

    /// Serves connections until dropped.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener) {
        let room = Arc::new(Semaphore::new(MAXIMUM_CONNECTIONS));
        loop {
            let Ok(permit) = room.clone().acquire_owned().await else {
                return;
            };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "the Runtime API cannot accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                }
            };
            let api = self.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| {
                    let api = api.clone();
                    async move { Ok::<_, Infallible>(api.answer(request).await) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .max_buf_size(64 << 10)
                    .serve_connection(TokioIo::new(stream), service);
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a Runtime API connection ended early");
                }
                drop(permit);
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let Some(path) = path.strip_prefix("/2018-06-01/runtime/") else {
            return not_found();
        };
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method(), parts.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => {
                let id = (*id).to_owned();
                self.response(&id, request).await
            }
            (&Method::POST, ["invocation", id, "error"]) => {
                let id = (*id).to_owned();
                self.error(&id, request).await
            }
            (&Method::POST, ["init", "error"]) => self.init_error(request).await,
            (&Method::GET, ["restore", "next"]) | (&Method::POST, ["restore", "error"]) => {
                // Only environments restored from a snapshot have these states, and there are none here.
                refused(self.state().phase, "Restoring")
            }
            (_, ["invocation", "next"] | ["invocation", _, "response" | "error"] | ["init", "error"]) => {
                reply(
                    StatusCode::METHOD_NOT_ALLOWED,
                    &Problem::new("MethodNotAllowed", "Method not allowed"),
                )
            }
            _ => not_found(),
        }
    }

    async fn next(&self) -> Response<Full<Bytes>> {
        {
            let mut state = self.state();
            match state.phase {
                Phase::Running | Phase::InitError => return refused(state.phase, "Ready"),
                _ => state.phase = Phase::Ready,
            }
        }
        self.initialisation.send_if_modified(|current| {
            let first = *current == Initialisation::Pending;
            if first {
                *current = Initialisation::Done;
            }
            first
        });
        // The event is taken out only by a call that is still there: hyper drops this future when the runtime hangs up.
        let job = loop {
            let arrived = self.job_arrived.notified();
            {
                let mut state = self.state();
                if state.phase != Phase::Ready {
                    return refused(state.phase, "Running");
                }
                if let Some((job, sender)) = state.waiting.take() {
                    state.phase = Phase::Running;
                    state.running = Some((job.request_id.clone(), sender));
                    break job;
                }
            }
            arrived.await;
        };
        self.delivered
            .send_modify(|count| *count = count.saturating_add(1));
        deliver(job)
    }

    /// Whether `id` is the running event, or the refusal to send.
    fn check(&self, id: &str, wanted: &str) -> Option<Response<Full<Bytes>>> {
        let state = self.state();
        if state.phase != Phase::Running {
            return Some(refused(state.phase, wanted));
        }
        let running = state.running.as_ref().is_some_and(|(running, _)| running == id);
        (!running).then(|| {
            reply(
                StatusCode::BAD_REQUEST,
                &Problem::new("InvalidRequestID", "Invalid request ID"),
            )
        })
    }

    /// Hands the answer over if the event still runs.
    fn finish(&self, id: &str, answer: Answer) -> Option<Response<Full<Bytes>>> {
        let mut state = self.state();
        let is_running =
            state.phase == Phase::Running && state.running.as_ref().is_some_and(|(running, _)| running == id);
        match state.running.take_if(|_| is_running) {
            Some((_, sender)) => {
                state.phase = Phase::ResponseSent;
                // Nobody waits any more after a timeout.
                let _ = sender.send(answer);
                None
            }
            None => Some(refused(state.phase, "InvocationResponse")),
        }
    }

    async fn response(&self, id: &str, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if let Some(refusal) = self.check(id, "InvocationResponse") {
            return refusal;
        }
        let mode = request.headers().get("lambda-runtime-function-response-mode");
        if mode.is_some_and(|mode| !mode.as_bytes().eq_ignore_ascii_case(b"streaming")) {
            let kind = "Runtime.InvalidResponseModeHeader";
            return reply(
                StatusCode::BAD_REQUEST,
                &Problem::new(kind, "Invalid response mode header"),
            );
        }
        let answer = match read(request.into_body(), MAXIMUM_RESPONSE).await {
            Body::Whole { bytes, trailers } => match trailers.and_then(|trailers| error_in(&trailers)) {
                Some((kind, body)) => Answer::Error { kind, body },
                None => Answer::Response(bytes),
            },
            Body::TooLarge => Answer::TooLarge,
            Body::Broken => Answer::Truncated,
        };
        let too_large = answer == Answer::TooLarge;
        if let Some(refusal) = self.finish(id, answer) {
            return refusal;
        }
        if too_large {
            let message = format!("Exceeded maximum allowed payload size ({MAXIMUM_RESPONSE} bytes).");
            return reply(
                StatusCode::PAYLOAD_TOO_LARGE,
                &Problem::new("RequestEntityTooLarge", &message),
            );
        }
        accepted()
    }

    async fn error(&self, id: &str, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if let Some(refusal) = self.check(id, "InvocationErrorResponse") {
            return refusal;
        }
        let (kind, body) = reported_error(request).await;
        self.finish(id, Answer::Error { kind, body })
            .unwrap_or_else(accepted)
    }

    async fn init_error(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        {
            let mut state = self.state();
            if state.phase != Phase::Started {
                return refused(state.phase, "InitError");
            }
            state.phase = Phase::InitError;
        }
        let (kind, body) = reported_error(request).await;
        self.initialisation
            .send_replace(Initialisation::Failed { kind, body });
        accepted()
    }
}

/// An error the runtime reports: its type from the header, else from the body, and the body as it is.
async fn reported_error(request: Request<Incoming>) -> (String, Bytes) {
    let header = request
        .headers()
        .get("lambda-runtime-function-error-type")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let body = match read(request.into_body(), MAXIMUM_ERROR).await {
        Body::Whole { bytes, .. } => bytes,
        Body::TooLarge | Body::Broken => Bytes::from_static(b"{}"),
    };
    let kind = header.or_else(|| {
        let value: serde_json::Value = serde_json::from_slice(&body).ok()?;
        value.get("errorType")?.as_str().map(str::to_owned)
    });
    (
        kind.filter(|kind| kind.len() <= 256)
            .unwrap_or_else(|| "Runtime.UnknownReason".to_owned()),
        body,
    )
}

/// An error that a streaming function found out about after its answer had begun.
fn error_in(trailers: &HeaderMap) -> Option<(String, Bytes)> {
    use base64::Engine;
    let kind = trailers
        .get("lambda-runtime-function-error-type")?
        .to_str()
        .ok()?
        .to_owned();
    let body = trailers
        .get("lambda-runtime-function-error-body")
        .and_then(|body| {
            base64::engine::general_purpose::STANDARD
                .decode(body.as_bytes())
                .ok()
        })
        .unwrap_or_else(|| b"{}".to_vec());
    Some((kind, Bytes::from(body)))
}

/// What became of a request body.
enum Body {
    Whole {
        bytes: Bytes,
        trailers: Option<HeaderMap>,
    },
    TooLarge,
    Broken,
}

/// Reads a body to its end, keeping at most `limit` bytes.
async fn read(mut body: Incoming, limit: usize) -> Body {
    let mut bytes = BytesMut::new();
    let mut trailers = None;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Body::Broken };
        match frame.into_data() {
            Ok(data) if bytes.len().saturating_add(data.len()) > limit => return Body::TooLarge,
            Ok(data) => bytes.extend_from_slice(&data),
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    Body::Whole {
        bytes: bytes.freeze(),
        trailers,
    }
}

fn deliver(job: Job) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(job.payload));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut set = |name: &'static str, value: &str| {
        // A value that cannot be a header comes from the caller and is left out.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("lambda-runtime-aws-request-id", &job.request_id);
    set("lambda-runtime-deadline-ms", &job.deadline_ms.to_string());
    set("lambda-runtime-invoked-function-arn", &job.invoked_arn);
    set("lambda-runtime-trace-id", &job.trace_id);
    if let Some(context) = &job.client_context {
        set("lambda-runtime-client-context", context);
    }
    response
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "errorMessage")]
    message: &'a str,
    #[serde(rename = "errorType")]
    kind: &'a str,
}

impl<'a> Problem<'a> {
    fn new(kind: &'a str, message: &'a str) -> Self {
        Self { message, kind }
    }
}

fn refused(from: Phase, to: &str) -> Response<Full<Bytes>> {
    let message = format!(
        "State transition from {from} to {to} failed for runtime. Error: State transition is not allowed"
    );
    reply(
        StatusCode::FORBIDDEN,
        &Problem::new("InvalidStateTransition", &message),
    )
}

fn accepted() -> Response<Full<Bytes>> {
    json(StatusCode::ACCEPTED, Bytes::from_static(b"{\"status\":\"OK\"}\n"))
}

fn not_found() -> Response<Full<Bytes>> {
    reply(
        StatusCode::NOT_FOUND,
        &Problem::new("NotFound", "404 page not found"),
    )
}

fn reply(status: StatusCode, problem: &Problem<'_>) -> Response<Full<Bytes>> {
    // Two strings always have a JSON form.
    json(status, serde_json::to_vec(problem).unwrap_or_default().into())
}

fn json(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    struct Client {
        api: Arc<RuntimeApi>,
        address: std::net::SocketAddr,
    }

    impl Client {
        async fn new() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let api = RuntimeApi::new();
            tokio::spawn(api.clone().serve(listener));
            Self { api, address }
        }

        async fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, String) {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            let head = format!(
                "{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            // The server may answer and close before it has read a body it does not want.
            let _ = stream.write_all(body).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            let text = String::from_utf8_lossy(&answer).into_owned();
            let status = text
                .split(' ')
                .nth(1)
                .and_then(|code| code.parse().ok())
                .unwrap_or(0);
            (status, text)
        }

        fn assign(&self, id: &str) -> oneshot::Receiver<Answer> {
            self.api.assign(Job {
                request_id: id.to_owned(),
                deadline_ms: 1234,
                invoked_arn: "arn:f".to_owned(),
                trace_id: "Root=1".to_owned(),
                client_context: Some("{}".to_owned()),
                payload: Bytes::from_static(b"{\"a\":1}"),
            })
        }
    }

    #[tokio::test]
    async fn an_event_goes_out_and_its_answer_comes_back() {
        let client = Client::new().await;
        let answer = client.assign("one");
        let (status, text) = client.send("GET", "invocation/next", "", b"").await;
        assert_eq!(status, 200);
        for header in [
            "lambda-runtime-aws-request-id: one",
            "lambda-runtime-deadline-ms: 1234",
            "lambda-runtime-invoked-function-arn: arn:f",
            "lambda-runtime-trace-id: Root=1",
            "lambda-runtime-client-context: {}",
        ] {
            assert!(text.contains(header), "{header} in {text}");
        }
        assert!(text.ends_with("{\"a\":1}"), "{text}");
        assert_eq!(*client.api.initialisation().borrow(), Initialisation::Done);
        let (status, text) = client
            .send("POST", "invocation/one/response", "", b"\"ok\"")
            .await;
        assert!(status == 202 && text.ends_with("{\"status\":\"OK\"}\n"), "{text}");
        assert_eq!(
            answer.await.unwrap(),
            Answer::Response(Bytes::from_static(b"\"ok\""))
        );
    }

    #[tokio::test]
    async fn calls_out_of_turn_are_refused() {
        let client = Client::new().await;
        let (status, text) = client.send("POST", "invocation/none/response", "", b"1").await;
        assert!(status == 403 && text.contains("InvalidStateTransition"), "{text}");
        let answer = client.assign("one");
        assert_eq!(client.send("GET", "invocation/next", "", b"").await.0, 200);
        assert_eq!(client.send("GET", "invocation/next", "", b"").await.0, 403);
        assert_eq!(client.send("POST", "init/error", "", b"{}").await.0, 403);
        let (status, text) = client.send("POST", "invocation/two/response", "", b"1").await;
        assert!(status == 400 && text.contains("InvalidRequestID"), "{text}");
        let mode = "lambda-runtime-function-response-mode: sideways\r\n";
        let (status, text) = client.send("POST", "invocation/one/response", mode, b"1").await;
        assert!(
            status == 400 && text.contains("Runtime.InvalidResponseModeHeader"),
            "{text}"
        );
        let kind = "lambda-runtime-function-error-type: Custom.Error\r\n";
        assert_eq!(
            client
                .send("POST", "invocation/one/error", kind, b"{\"errorType\":\"X\"}")
                .await
                .0,
            202
        );
        let expected = Answer::Error {
            kind: "Custom.Error".to_owned(),
            body: Bytes::from_static(b"{\"errorType\":\"X\"}"),
        };
        assert_eq!(answer.await.unwrap(), expected);
        assert_eq!(
            client.send("POST", "invocation/one/response", "", b"1").await.0,
            403
        );
        assert_eq!(client.send("GET", "restore/next", "", b"").await.0, 403);
        assert_eq!(client.send("GET", "nothing", "", b"").await.0, 404);
        assert_eq!(client.send("PUT", "invocation/next", "", b"").await.0, 405);
    }

    #[tokio::test]
    async fn an_answer_that_is_too_large_is_one() {
        let client = Client::new().await;
        let answer = client.assign("one");
        client.send("GET", "invocation/next", "", b"").await;
        client
            .send(
                "POST",
                "invocation/one/response",
                "",
                &vec![b' '; MAXIMUM_RESPONSE + 1],
            )
            .await;
        assert_eq!(answer.await.unwrap(), Answer::TooLarge);
    }

    #[tokio::test]
    async fn a_streamed_answer_is_put_together() {
        let client = Client::new().await;
        let answer = client.assign("one");
        client.send("GET", "invocation/next", "", b"").await;
        let mut stream = TcpStream::connect(client.address).await.unwrap();
        let request = "POST /2018-06-01/runtime/invocation/one/response HTTP/1.1\r\nhost: x\r\nlambda-runtime-function-response-mode: streaming\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(
            answer.await.unwrap(),
            Answer::Response(Bytes::from_static(b"abc"))
        );
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_truncated() {
        let client = Client::new().await;
        let answer = client.assign("one");
        client.send("GET", "invocation/next", "", b"").await;
        let mut stream = TcpStream::connect(client.address).await.unwrap();
        let request = "POST /2018-06-01/runtime/invocation/one/response HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf";
        stream.write_all(request.as_bytes()).await.unwrap();
        drop(stream);
        assert_eq!(answer.await.unwrap(), Answer::Truncated);
    }

    #[tokio::test]
    async fn a_failed_start_is_reported() {
        let client = Client::new().await;
        assert_eq!(
            client
                .send(
                    "POST",
                    "init/error",
                    "",
                    b"{\"errorType\":\"Runtime.ImportModuleError\"}"
                )
                .await
                .0,
            202
        );
        let seen = client.api.initialisation().borrow().clone();
        assert!(matches!(seen, Initialisation::Failed { kind, .. } if kind == "Runtime.ImportModuleError"));
        assert_eq!(client.send("GET", "invocation/next", "", b"").await.0, 403);
    }

    #[tokio::test]
    async fn an_event_is_kept_for_the_next_call_when_the_first_hangs_up() {
        let client = Client::new().await;
        let mut stream = TcpStream::connect(client.address).await.unwrap();
        stream
            .write_all(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let mut initialisation = client.api.initialisation();
        initialisation
            .wait_for(|state| *state == Initialisation::Done)
            .await
            .unwrap();
        drop(stream);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let _answer = client.assign("one");
        assert!(
            client
                .send("GET", "invocation/next", "", b"")
                .await
                .1
                .contains("request-id: one")
        );
    }
}
