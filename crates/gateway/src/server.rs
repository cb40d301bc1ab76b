//! Stage one, accept: connections and their limits.
//!
//! The public listener and the listeners inside execution environments are served alike; what differs is the
//! [`Origin`] every request of a connection gets.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use rolecall_service::{BoxFuture, EndpointConnector, FunctionOrigin, Origin};
use rolecall_trail::{Pruned, Recorder};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::Gateway;
use crate::impatient::Impatient;

/// Connections served at once; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 4096;

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client may read nothing of its answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// Largest head of a request, in bytes. A presigned URL with a session token is the longest that clients send.
const MAX_HEAD: usize = 160 * 1024;

/// How often old events are taken out of the trail.
const PRUNING: Duration = Duration::from_hours(1);

/// How long requests under way may take to end after the server was asked to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves the public listener until `stop` becomes true, then lets requests under way end.
///
/// # Errors
/// The listener failed for good; a failed connection is not an error of the server.
pub async fn serve(
    gateway: Arc<Gateway>,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let _pruning = AbortOnDrop(tokio::spawn(prune(gateway.recorder.clone())));
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    let draining = stop.clone();
    loop {
        while connections.try_join_next().is_some() {}
        let place = tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let Ok(place) = place else { break };
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let gateway = Arc::clone(&gateway);
                    let draining = draining.clone();
                    connections.spawn(async move {
                        serve_connection(gateway, stream, origin_of(peer), draining).await;
                        drop(place);
                    });
                }
                Err(error) if is_passing(&error) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(error) => return Err(error),
            },
        }
    }
    // Who comes now is told at once.
    drop(listener);
    let drained = tokio::time::timeout(DRAIN, async {
        while connections.join_next().await.is_some() {}
        gateway.calls.ended().await;
    })
    .await;
    if drained.is_err() {
        tracing::warn!(
            "requests were still under way {} s after the stop and are cut off",
            DRAIN.as_secs()
        );
    }
    Ok(())
}

/// A task that lives as long as this.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Takes events that are too old to be looked up out of the trail, now and then.
async fn prune(recorder: Recorder) {
    let mut period = tokio::time::interval(PRUNING);
    period.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        loop {
            match recorder.prune(Timestamp::now()).await {
                Ok(Pruned::Everything) => break,
                Ok(Pruned::Some) => tokio::task::yield_now().await,
                Err(error) => {
                    tracing::error!(%error, "old events could not be taken out of the trail");
                    break;
                }
            }
        }
    }
}

/// Ends when `stop` becomes true; never if its sender is gone without having said so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn origin_of(peer: SocketAddr) -> Origin {
    Origin::Network {
        address: peer.ip().to_canonical(),
    }
}

/// Whether accepting may go on: the client went away, or descriptors ran out for the moment.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    ) || matches!(error.raw_os_error(), Some(23 | 24))
}

async fn serve_connection(
    gateway: Arc<Gateway>,
    stream: TcpStream,
    origin: Origin,
    mut stop: watch::Receiver<bool>,
) {
    // Small answers must not wait for the peer's acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let gateway = Arc::clone(&gateway);
        let origin = origin.clone();
        async move { Ok::<_, Infallible>(gateway.handle(request, origin).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .max_headers(rolecall_sigv4::MAX_HEADERS)
        .serve_connection(TokioIo::new(Impatient::new(stream, PATIENCE)), service);
    tokio::pin!(connection);
    let asked_to_stop = tokio::select! {
        ended = connection.as_mut() => Err(ended),
        () = stopped(&mut stop) => Ok(()),
    };
    let ended = if let Err(ended) = asked_to_stop {
        ended
    } else {
        connection.as_mut().graceful_shutdown();
        connection.await
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Serves the endpoint inside execution environments.
pub struct EnvironmentEndpoint {
    gateway: Arc<Gateway>,
}

impl EnvironmentEndpoint {
    /// Through `gateway`.
    pub fn new(gateway: Arc<Gateway>) -> Self {
        Self { gateway }
    }
}

impl EndpointConnector for EnvironmentEndpoint {
    fn serve(&self, stream: std::net::TcpStream, function: Arc<FunctionOrigin>) -> BoxFuture<'static, ()> {
        let gateway = Arc::clone(&self.gateway);
        Box::pin(async move {
            let stream = match stream
                .set_nonblocking(true)
                .and_then(|()| TcpStream::from_std(stream))
            {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection from an execution environment could not be served");
                    return;
                }
            };
            let origin = Origin::Function {
                function_arn: Arc::clone(&function.function_arn),
            };
            let (_stop, never) = watch::channel(false);
            serve_connection(gateway, stream, origin, never).await;
        })
    }
}
