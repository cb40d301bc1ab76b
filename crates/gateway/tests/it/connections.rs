//! Connections: several requests on one, clients that hang up, and the end of the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rolecall_service::{BoxFuture, Call, Needs, Prepared, RequestContext, Service, ServiceError};
use rolecall_sigv4::{Credentials, Payload, RequestHead, SecretKey, sign};
use rolecall_testkit::{RawRequest, Signing, TestCredentials, send_bytes};
use rolecall_wire::{OperationModel, ServiceModel, Value};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};

use crate::block_on;
use crate::endpoint::{Endpoint, REGION, code};

/// A service whose calls wait until they are let go, or panic. It has the model of CloudWatch Logs under another name.
struct Waiting {
    model: &'static ServiceModel,
    begun: Notify,
    let_go: Semaphore,
    ended: AtomicBool,
}

impl Waiting {
    fn new() -> Arc<Self> {
        let logs =
            rolecall_service_logs::Logs::open(Arc::new(rolecall_store::EmbeddedStore::in_memory().unwrap()))
                .unwrap();
        let model = ServiceModel {
            signing_name: "waiting",
            ..*logs.model()
        };
        Arc::new(Self {
            model: Box::leak(Box::new(model)),
            begun: Notify::new(),
            let_go: Semaphore::new(0),
            ended: AtomicBool::new(false),
        })
    }
}

impl Service for Waiting {
    fn model(&self) -> &'static ServiceModel {
        self.model
    }

    fn event_source(&self) -> &'static str {
        "waiting.amazonaws.com"
    }

    fn prepare(
        self: Arc<Self>,
        operation: &'static OperationModel,
        _: Value,
        _: Arc<RequestContext>,
    ) -> BoxFuture<'static, Result<Prepared, ServiceError>> {
        Box::pin(async move {
            Ok(Prepared {
                needs: Needs::Always {
                    action: "waiting:Wait",
                },
                resources: Vec::new(),
                call: Call::new(move |_| async move {
                    assert!(operation.name != "DeleteLogGroup", "this operation is broken");
                    self.begun.notify_one();
                    drop(self.let_go.acquire().await);
                    self.ended.store(true, Ordering::SeqCst);
                    Ok(Value::empty())
                }),
            })
        })
    }
}

fn call(operation: &str) -> RawRequest {
    RawRequest::json_call(
        "1.1",
        &format!("Logs_20140328.{operation}"),
        r#"{"logGroupName":"g"}"#,
    )
}

/// The bytes of a signed call.
fn bytes_of(address: SocketAddr, who: &TestCredentials, service: &str, target: &str, body: &str) -> String {
    let host = address.to_string();
    let headers: [(&str, &[u8]); 3] = [
        ("host", host.as_bytes()),
        ("content-type", b"application/x-amz-json-1.1"),
        ("x-amz-target", target.as_bytes()),
    ];
    let head = RequestHead {
        method: "POST",
        path: "/",
        query: "",
        headers: &headers,
    };
    let secret = SecretKey::new(who.secret_access_key.clone());
    let credentials = Credentials {
        access_key_id: &who.access_key_id,
        secret: &secret,
        session_token: None,
    };
    let now = jiff::Timestamp::now();
    let added = sign(
        &head,
        &credentials,
        REGION,
        service,
        now,
        &Payload::Body(body.as_bytes()),
    )
    .unwrap();
    let mut text = format!(
        "POST / HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/x-amz-json-1.1\r\nx-amz-target: {target}\r\n"
    );
    for (name, value) in added {
        text.push_str(&name);
        text.push_str(": ");
        text.push_str(&value);
        text.push_str("\r\n");
    }
    text.push_str("content-length: ");
    text.push_str(&body.len().to_string());
    text.push_str("\r\n\r\n");
    text.push_str(body);
    text
}

/// Nobody hides a call by hanging up before it is recorded.
#[test]
fn a_client_that_hangs_up_leaves_an_event() {
    block_on(async {
        let waiting = Waiting::new();
        let endpoint = Endpoint::with([Arc::clone(&waiting) as Arc<dyn Service>]).await;
        let request = bytes_of(
            endpoint.address,
            &endpoint.root,
            "waiting",
            "Logs_20140328.CreateLogGroup",
            r#"{"logGroupName":"g"}"#,
        );
        let mut stream = TcpStream::connect(endpoint.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        waiting.begun.notified().await;
        drop(stream);
        // Long enough for the server to see that nobody is there.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(endpoint.trail().is_empty());
        waiting.let_go.add_permits(1);
        for _ in 0..200 {
            if !endpoint.trail().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(waiting.ended.load(Ordering::SeqCst));
        let trail = endpoint.trail();
        assert_eq!(trail.len(), 1);
        assert_eq!(trail[0].event.event_name, "CreateLogGroup");
        assert_eq!(trail[0].event.error_code, None);
    });
}

#[test]
fn a_broken_operation_is_one_failed_request() {
    block_on(async {
        let endpoint = Endpoint::with([Waiting::new() as Arc<dyn Service>]).await;
        let answer = endpoint
            .send(call("DeleteLogGroup"), &endpoint.root, "waiting")
            .await;
        assert_eq!((code(&answer).as_str(), answer.status), ("InternalFailure", 500));
        assert!(!answer.text().contains("broken"), "{}", answer.text());
        let event = endpoint.last().event;
        assert_eq!(event.event_name, "DeleteLogGroup");
        assert_eq!(event.error_code.as_deref(), Some("InternalFailure"));
        assert_eq!(
            endpoint
                .logs(&endpoint.root, "DescribeLogGroups", "{}")
                .await
                .status,
            200
        );
    });
}

#[test]
fn a_stop_waits_for_requests_under_way() {
    block_on(async {
        let waiting = Waiting::new();
        let endpoint = Endpoint::with([Arc::clone(&waiting) as Arc<dyn Service>]).await;
        let request = call("CreateLogGroup").sign(Signing::Header, &endpoint.root, REGION, "waiting");
        let address = endpoint.address;
        let answer = tokio::spawn(async move { request.send(address).await });
        waiting.begun.notified().await;
        endpoint.stop.send(true).unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert!(!endpoint.server.is_finished());
        assert!(!answer.is_finished());
        waiting.let_go.add_permits(1);
        assert_eq!(answer.await.unwrap().unwrap().status, 200);
        let ended = tokio::time::timeout(Duration::from_secs(5), endpoint.server).await;
        ended.unwrap().unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    });
}

#[test]
fn several_requests_on_one_connection() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let stream = TcpStream::connect(endpoint.address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let host = endpoint.address.to_string();
        for (user, status) in [
            ("AKIAROOTROOTROOTROOT", 200),
            ("AKIANOBODYNOBODYNOBO", 400),
            ("AKIAROOTROOTROOTROOT", 200),
        ] {
            let target = "Logs_20140328.DescribeLogGroups";
            let mut who = endpoint.root.clone();
            who.access_key_id = user.to_owned();
            let text = bytes_of(endpoint.address, &who, "logs", target, "{}");
            let mut builder = hyper::Request::builder().method("POST").uri("/");
            for line in text.lines().skip(1).take_while(|line| !line.is_empty()) {
                let (name, value) = line.split_once(": ").unwrap();
                builder = builder.header(name, value);
            }
            let request = builder.body(Full::new(bytes::Bytes::from_static(b"{}"))).unwrap();
            sender.ready().await.unwrap();
            let answer = sender.send_request(request).await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{user} at {host}");
            answer.into_body().collect().await.unwrap();
        }
        // Who asked before asks again: no request has the caller of another.
        assert_eq!(endpoint.trail().len(), 2);
        connection.abort();
    });
}

#[test]
fn what_is_no_http() {
    block_on(async {
        let endpoint = Endpoint::start().await;
        let many_headers = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(5000));
        let long_header = format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(400 * 1024));
        for bytes in [
            &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"[..],
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST / HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
            b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
            many_headers.as_bytes(),
            long_header.as_bytes(),
        ] {
            // A connection that is reset is an answer too.
            let answer = send_bytes(endpoint.address, bytes, 4096)
                .await
                .unwrap_or_default();
            assert!(
                !String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 2"),
                "{:?}",
                String::from_utf8_lossy(&answer)
            );
        }
        assert_eq!(
            endpoint
                .logs(&endpoint.root, "DescribeLogGroups", "{}")
                .await
                .status,
            200
        );
    });
}
