//! The accept loop: bounded connections, bounded heads, a handle on each connection so that a film can be cut while its
//! player is not reading, and a drain when the process is asked to stop.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use chill_edge::relay::{ConnectionCut, VIEWER_BUFFER, Wire};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::gate::Gate;

/// A request's head must be here within this time, and an idle connection is closed after it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause after the system refused a connection (too many open files), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How much the listener bears.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// How many connections are served at once; more wait in the kernel's queue.
    pub(super) connections: usize,
    /// How long a player may take no byte that waits for it until it is dropped.
    pub(super) player: Duration,
    /// How long open requests may take to end after a stop.
    pub(super) drain: Duration,
}

/// Serves what is behind `gate` until `stop`, then lets open requests end.
pub(super) async fn serve(listener: TcpListener, gate: Gate, stop: CancellationToken, bounds: Bounds) {
    let open = TaskTracker::new();
    let places = Arc::new(Semaphore::new(bounds.connections));
    loop {
        let next = async {
            // Nobody closes it.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        // Also while all places are taken.
        let Some((place, accepted)) = stop.run_until_cancelled(next).await else { break };
        match accepted {
            Ok((stream, peer)) => {
                drop(open.spawn(connection(stream, peer, gate.clone(), bounds.player, stop.clone(), place)));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    open.close();
    if tokio::time::timeout(bounds.drain, open.wait()).await.is_err() {
        tracing::warn!(seconds = bounds.drain.as_secs(), "open requests did not end in time and are cut");
    }
}

/// Serves one connection to its end. One that became a socket of the change feed is served elsewhere from then on.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    gate: Gate,
    idle: Duration,
    stop: CancellationToken,
    _place: Option<OwnedSemaphorePermit>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let cut = ConnectionCut::new();
    let wire = Wire::new(stream, cut.clone(), idle);
    let followed = cut.clone();
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let (gate, cut) = (gate.clone(), followed.clone());
        async move {
            let response = gate.answer(request.map(Body::new)).await;
            cut.follow(&response);
            Ok::<_, Infallible>(response)
        }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(VIEWER_BUFFER)
        .serve_connection(TokioIo::new(wire), service)
        .with_upgrades();
    let mut serving = pin!(serving);
    let mut stopping = false;
    loop {
        tokio::select! {
            // In order, since a cut comes first and picking at random costs more.
            biased;
            () = cut.due() => break,
            // A player that goes away in the middle is no fault of ours.
            _ended = serving.as_mut() => break,
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::task::JoinHandle;
    use tokio::time::Instant;

    use super::*;

    /// A listener that serves so many at once.
    async fn listen(connections: usize) -> (SocketAddr, CancellationToken, JoinHandle<()>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let gate = Gate::only(Router::new().route("/", get(|| async { "here" })));
        let bounds = Bounds { connections, player: Duration::from_secs(60), drain: Duration::from_secs(60) };
        (address, stop.clone(), tokio::spawn(serve(listener, gate, stop, bounds)))
    }

    async fn two(address: SocketAddr) -> [TcpStream; 2] {
        [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()]
    }

    async fn ask(client: &mut TcpStream) {
        client.write_all(b"GET / HTTP/1.1\r\nHost: edge.example\r\n\r\n").await.unwrap();
    }

    async fn answer(client: &mut TcpStream) {
        let mut told = Vec::new();
        while !told.ends_with(b"here") {
            assert_ne!(client.read_buf(&mut told).await.unwrap(), 0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_come_ends_its_connection() {
        let (address, _stop, _serving) = listen(8).await;
        for (first, begun) in [(false, &b""[..]), (false, b"GET / HTTP/1.1\r\nHost: e"), (true, b""), (true, b"GET")] {
            let mut client = TcpStream::connect(address).await.unwrap();
            if first {
                ask(&mut client).await;
                answer(&mut client).await;
            }
            let since = Instant::now();
            client.write_all(begun).await.unwrap();
            let _told = client.read_to_end(&mut Vec::new()).await.unwrap();
            assert_eq!(since.elapsed().as_secs(), 30, "{first} {begun:?}");
        }
    }

    #[tokio::test]
    async fn who_comes_while_all_places_are_taken_waits_for_one() {
        let (address, _stop, _serving) = listen(1).await;
        let [mut first, mut second] = two(address).await;
        ask(&mut second).await;
        for _ in 0..3 {
            ask(&mut first).await;
            answer(&mut first).await;
            assert_eq!(second.try_read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        }
        drop(first);
        answer(&mut second).await;
    }

    #[tokio::test]
    async fn a_stop_is_heard_while_all_places_are_taken() {
        let (address, stop, serving) = listen(1).await;
        let [mut first, mut second] = two(address).await;
        ask(&mut first).await;
        answer(&mut first).await;
        ask(&mut second).await;
        stop.cancel();
        assert_eq!(first.read(&mut [0]).await.unwrap(), 0);
        serving.await.unwrap();
        second.read_to_end(&mut Vec::new()).await.expect_err("nobody accepted it");
    }
}
