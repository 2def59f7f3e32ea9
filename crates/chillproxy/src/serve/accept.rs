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

/// How many connections are served at once; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 10_000;
/// A request's head must be here within this time, and an idle connection is closed after it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause after the system refused a connection (too many open files), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How patient the listener is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// How long a player may take no byte that waits for it until it is dropped.
    pub(super) player: Duration,
    /// How long open requests may take to end after a stop.
    pub(super) drain: Duration,
}

/// Serves what is behind `gate` until `stop`, then lets open requests end.
pub(super) async fn serve(listener: TcpListener, gate: Gate, stop: CancellationToken, patience: Patience) {
    let open = TaskTracker::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
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
                drop(open.spawn(connection(stream, peer, gate.clone(), patience.player, stop.clone(), place)));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    open.close();
    if tokio::time::timeout(patience.drain, open.wait()).await.is_err() {
        tracing::warn!(seconds = patience.drain.as_secs(), "open requests did not end in time and are cut");
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
