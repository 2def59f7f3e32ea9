//! One listener: accepts, counts connections, and can drop one in the middle of an answer.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt as _;

/// What a handler may do to the TCP connection its request came in on.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    flushes: AtomicU64,
    flushed: Notify,
    closed: Notify,
    reset: AtomicBool,
}

impl Connection {
    /// Waits until everything handed to the connection before is in the kernel's hands.
    pub(crate) async fn flushed(&self) {
        let seen = self.flushes.load(Ordering::Acquire);
        while self.flushes.load(Ordering::Acquire) == seen {
            self.flushed.notified().await;
        }
    }

    /// Closes the connection as it is; what was written still arrives.
    pub(crate) fn close(&self) {
        self.closed.notify_one();
    }

    /// Drops the connection with a TCP reset.
    pub(crate) fn reset(&self) {
        self.reset.store(true, Ordering::Release);
        self.close();
    }
}

struct Wire {
    tcp: TcpStream,
    connection: Arc<Connection>,
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    /// The server calls this once its own buffer is empty, which is what [`Connection::flushed`] waits for.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.flushes.fetch_add(1, Ordering::AcqRel);
        self.connection.flushed.notify_one();
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.connection.reset.load(Ordering::Acquire)
            && let Err(error) = self.tcp.set_zero_linger()
        {
            tracing::debug!(%error, "the connection ends with FIN instead of RST");
        }
    }
}

/// A running listener; dropping it stops it and every connection it accepted.
#[derive(Debug)]
pub(crate) struct Listening {
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
    task: tokio::task::JoinHandle<()>,
}

impl Listening {
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "a simulator's listener ended badly");
        }
    }
}

/// A bound port that does not answer yet: its URL is needed to build the router.
pub(crate) struct Bound {
    listener: TcpListener,
    addr: SocketAddr,
}

impl Bound {
    /// Binds a free port of the loopback address.
    pub(crate) async fn loopback() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let addr = listener.local_addr()?;
        Ok(Self { listener, addr })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Serves `router` until stopped, adding each accepted connection to `accepted`.
    pub(crate) fn serve(self, router: Router, accepted: Arc<AtomicU64>) -> Listening {
        let stop = CancellationToken::new();
        let task = tokio::spawn(accept(self.listener, router, accepted, stop.clone()));
        Listening { _stop_on_drop: stop.clone().drop_guard(), stop, task }
    }
}

async fn accept(listener: TcpListener, router: Router, accepted: Arc<AtomicU64>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            arrived = listener.accept() => match arrived {
                Ok((tcp, _)) => {
                    accepted.fetch_add(1, Ordering::Relaxed);
                    connections.spawn(converse(tcp, router.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::task::yield_now().await;
                }
            },
        }
    }
    connections.shutdown().await;
}

async fn converse(tcp: TcpStream, router: Router) {
    if let Err(error) = tcp.set_nodelay(true) {
        tracing::debug!(%error, "answers may be delayed");
    }
    let connection = Arc::new(Connection::default());
    let wire = Wire { tcp, connection: connection.clone() };
    let served = connection.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(served.clone());
        let router = router.clone();
        async move { Ok::<_, Infallible>(router.oneshot(request).await.unwrap_or_else(|never| match never {})) }
    });
    let conversation = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(wire), service);
    tokio::select! {
        ended = conversation => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
        }
        () = connection.closed.notified() => {}
    }
}
