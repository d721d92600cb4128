//! Listeners: accept, serve, and drain. A slow or silent caller holds nothing but its own connection, and that not
//! for long.

use crate::config::Limits;
use crate::respond::Answer;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Buffered bytes of a header beyond which the connection itself refuses (`431`), before ours (`Limits`) is asked.
const MOST_BUFFERED: usize = 64 * 1024;

/// How long a connection may be silent between requests.
const IDLE: Duration = Duration::from_secs(60);

/// Serves connections until `stop` turns true; then finishes those under way, at most for the drain's time.
pub(crate) async fn listen<S, F>(
    listener: TcpListener,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
    serve: S,
) where
    S: Fn(SocketAddr, hyper::Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            Some(_) = connections.join_next() => continue,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Some((stream, peer, permit)) = accepted else { continue };
        // Without this an answer may wait 40 ms for an acknowledgement.
        let _ = stream.set_nodelay(true);
        let (serve, stop, read) = (serve.clone(), stop.clone(), limits.read);
        connections.spawn(async move {
            connection(stream, peer, stop, read, serve).await;
            drop(permit);
        });
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    // Past the time what is left is cut off: dropping the set aborts it.
    let _ = tokio::time::timeout(limits.drain, drained).await;
}

/// The next connection once there is room for it; nothing when accepting failed, after a short rest.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = room.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(_) => {
            // Out of file descriptors, most likely: trying again at once would only burn time.
            tokio::time::sleep(Duration::from_millis(20)).await;
            None
        }
    }
}

async fn connection<S, F>(
    stream: TcpStream,
    peer: SocketAddr,
    mut stop: watch::Receiver<bool>,
    read: Duration,
    serve: S,
) where
    S: Fn(SocketAddr, hyper::Request<Incoming>) -> F,
    F: Future<Output = Answer>,
{
    let service = service_fn(|request| {
        let answer = serve(peer, request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(read.min(IDLE))
        .max_buf_size(MOST_BUFFERED)
        .half_close(false)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
