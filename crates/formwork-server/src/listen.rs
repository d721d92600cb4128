//! Listeners: accept, serve, and drain. A slow or silent caller holds nothing but its own connection, and that not
//! for long.

mod deadlines;
mod wire;

pub(crate) use deadlines::Open;

use crate::config::Limits;
use crate::respond::Answer;
use crate::tls::Tls;
use bytes::Bytes;
use deadlines::Deadlines;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use wire::Wire;

/// Buffered bytes of a header beyond which the connection itself refuses (`431`), before ours (`Limits`) is asked.
const MOST_BUFFERED: usize = 32 * 1024;

/// How long a connection may be silent between requests.
const IDLE: Duration = Duration::from_secs(60);

/// How long a caller of HTTP/2 that has been silent may take to say that it is still there.
const AWAKE: Duration = Duration::from_secs(10);

/// Requests at once on one connection of HTTP/2.
const MOST_STREAMS: u32 = 128;

/// The whole answer to a head that cannot be read, with this status.
pub(crate) type Unread = Arc<dyn Fn(u16) -> Bytes + Send + Sync>;

/// Serves connections until `stop` turns true; then finishes those under way, at most for the drain's time.
pub(crate) async fn listen<S, F>(
    listener: TcpListener,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
    tls: Option<Arc<Tls>>,
    (unread, serve): (Unread, S),
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
        let (limits, unread) = (limits.clone(), unread.clone());
        let served = Served { peer, stop: stop.clone(), limits, unread, serve: serve.clone() };
        let tls = tls.clone();
        connections.spawn(async move {
            connection(stream, tls, served).await;
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

/// What is served on a connection.
struct Served<S> {
    peer: SocketAddr,
    stop: watch::Receiver<bool>,
    limits: Limits,
    unread: Unread,
    serve: S,
}

/// A connection of a caller, over TLS where the listener speaks it.
async fn connection<S, F>(stream: TcpStream, tls: Option<Arc<Tls>>, served: Served<S>)
where
    S: Fn(SocketAddr, hyper::Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let Some(tls) = tls else { return http1(stream, served).await };
    // Who does not greet in time, or in another tongue, is told nothing more.
    let greeted = tokio::time::timeout(served.limits.read, tls.acceptor().accept(stream)).await;
    let Ok(Ok(stream)) = greeted else { return };
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => http2(stream, served).await,
        _ => http1(stream, served).await,
    }
}

async fn http1<I, S, F>(stream: I, served: Served<S>)
where
    I: AsyncRead + AsyncWrite + Unpin,
    S: Fn(SocketAddr, hyper::Request<Incoming>) -> F,
    F: Future<Output = Answer>,
{
    let Served { peer, stop, limits, unread, serve } = served;
    let deadlines = Deadlines::new(limits.request, limits.read);
    let service = service_fn(|request| answered(deadlines.begin(), serve(peer, request)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.read.min(IDLE))
        .max_buf_size(MOST_BUFFERED)
        .half_close(false)
        .serve_connection(TokioIo::new(Wire::new(stream, deadlines.clone(), Some(unread))), service);
    until_over(connection, http1::Connection::graceful_shutdown, stop, &deadlines).await;
}

async fn http2<I, S, F>(stream: I, served: Served<S>)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Fn(SocketAddr, hyper::Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let Served { peer, stop, limits, serve, .. } = served;
    let deadlines = Deadlines::new(limits.request, limits.read);
    let begun = deadlines.clone();
    let service = service_fn(move |request| answered(begun.begin(), serve(peer, request)));
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(u32::try_from(MOST_BUFFERED).unwrap_or(u32::MAX))
        // Who no longer answers is let go.
        .keep_alive_interval(IDLE)
        .keep_alive_timeout(AWAKE)
        .serve_connection(TokioIo::new(Wire::new(stream, deadlines.clone(), None)), service);
    until_over(connection, http2::Connection::graceful_shutdown, stop, &deadlines).await;
}

/// An answer whose request is open until its last byte is handed over.
async fn answered(open: Open, answer: impl Future<Output = Answer>) -> Result<Answer, Infallible> {
    let mut answer = answer.await;
    answer.body_mut().keep_open(open);
    Ok(answer)
}

/// Serves a connection until it ends by itself. When the process stops it takes no further request; when something of
/// it is late it is cut off.
async fn until_over<C: Future>(
    connection: C,
    take_no_more: impl FnOnce(Pin<&mut C>),
    mut stop: watch::Receiver<bool>,
    deadlines: &Deadlines,
) {
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = deadlines.missed() => return,
        _ = stop.wait_for(|stop| *stop) => take_no_more(connection.as_mut()),
    }
    tokio::select! {
        _ = connection => {}
        () = deadlines.missed() => {}
    }
}
