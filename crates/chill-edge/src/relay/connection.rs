//! A viewer's connection, as far as the relay must reach it.
//!
//! hyper asks a body for bytes only while the player takes them, so a body alone can neither notice a cut nor give up on
//! a player that stopped reading. A listener therefore does three things for each accepted connection:
//!
//! 1. makes a [`ConnectionCut`] and wraps the socket in a [`Wire`] with it;
//! 2. shows each response to [`ConnectionCut::follow`] before hyper gets it;
//! 3. drops the connection when [`ConnectionCut::due`] resolves.
//!
//! ```no_run
//! # use std::{convert::Infallible, time::Duration};
//! # use axum::{Router, body::Body};
//! # use chill_edge::relay::{ConnectionCut, VIEWER_BUFFER, Wire};
//! # use hyper::{body::Incoming, server::conn::http1, service::service_fn};
//! # use hyper_util::rt::{TokioIo, TokioTimer};
//! # use tower::ServiceExt as _;
//! async fn converse(tcp: tokio::net::TcpStream, router: Router) {
//!     let cut = ConnectionCut::new();
//!     let wire = Wire::new(tcp, cut.clone(), Duration::from_secs(60));
//!     let followed = cut.clone();
//!     let service = service_fn(move |request: http::Request<Incoming>| {
//!         let (router, cut) = (router.clone(), followed.clone());
//!         async move {
//!             let response = router.oneshot(request.map(Body::new)).await.unwrap_or_else(|never| match never {});
//!             cut.follow(&response);
//!             Ok::<_, Infallible>(response)
//!         }
//!     });
//!     let mut server = http1::Builder::new();
//!     server.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(10)).max_buf_size(VIEWER_BUFFER);
//!     tokio::select! {
//!         _ended = server.serve_connection(TokioIo::new(wire), service) => {}
//!         () = cut.due() => {}
//!     }
//! }
//! ```

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::Response;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::bypass::{Bypass, is_stand_in};
use super::outlet::{Exit, Outlet};
use super::patience::Patience;
use super::unsent::{Unsent, copy_behind};

/// What to set as `max_buf_size` of the viewers' HTTP server, in bytes: when so much waits for the player, no further
/// piece of the film is taken. hyper's own 400 KiB would hold several, and gains nothing. A request head may be as long.
pub const VIEWER_BUFFER: usize = 32 * 1024;

/// Most films of which the kernel may still hold bytes, that a cut is looked for; a player that asks before it has its answer
/// mostly asks for the same one.
const MOST_CARRIED: usize = 16;

/// In the extensions of each response the relay makes.
#[derive(Clone, Debug)]
pub(super) struct Relayed {
    /// Ends it.
    pub(super) cut: CancellationToken,
    /// Learns of the connection that carries it.
    pub(super) outlet: Outlet,
}

/// Ends one viewer's connection when the film it carries is cut; one that has carried it whole by then goes on. Clones
/// are the same connection.
#[derive(Clone, Debug)]
pub struct ConnectionCut(Arc<State>);

/// The same for what its connection holds in turn.
#[derive(Clone, Debug)]
pub(super) struct WeakCut(Weak<State>);

impl WeakCut {
    /// As [`ConnectionCut::reset`].
    pub(super) fn reset(&self) {
        if let Some(state) = self.0.upgrade() {
            ConnectionCut(state).reset();
        }
    }
}

#[derive(Debug)]
struct State {
    /// What it carries, the last one last: mostly one film, or none.
    films: watch::Sender<Vec<Relayed>>,
    /// The connection's socket, once it is wrapped.
    exit: OnceLock<Exit>,
    reset: AtomicBool,
}

impl Default for ConnectionCut {
    fn default() -> Self {
        Self::new()
    }
}

impl ConnectionCut {
    /// For a connection that carries nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(State { films: watch::Sender::default(), exit: OnceLock::new(), reset: AtomicBool::new(false) }))
    }

    /// Notes what the connection carries from now on: a film, when the relay made this response, else nothing. The film
    /// before it is forgotten once the kernel has sent it whole; a player may ask for the next one sooner.
    pub fn follow<B>(&self, response: &Response<B>) {
        let relayed = response.extensions().get::<Relayed>();
        if let Some((relayed, exit)) = relayed.zip(self.0.exit.get()) {
            relayed.outlet.lead_to(exit.clone(), self.downgrade());
        }
        let film = relayed.cloned();
        // A list after a list is no news: waking the connection's task for it costs more than the rest of this.
        self.0.films.send_if_modified(|carried| {
            let news = film.is_some() || !carried.is_empty();
            if carried.last().is_some_and(|last| last.outlet.has_sent_all()) {
                carried.clear();
            }
            carried.extend(film);
            let oldest = carried.len().saturating_sub(MOST_CARRIED);
            carried.drain(..oldest);
            news
        });
    }

    pub(super) fn downgrade(&self) -> WeakCut {
        WeakCut(Arc::downgrade(&self.0))
    }

    /// Resolves when the connection must be dropped at once; never, when nothing is cut.
    pub async fn due(&self) {
        let mut films = self.0.films.subscribe();
        loop {
            let carried = films.borrow_and_update().clone();
            tokio::select! {
                () = cut_midway(carried) => break,
                // The sender lives in `self`, so this is always a new film.
                _ = films.changed() => {}
            }
        }
        self.reset();
    }

    /// Makes the end of the connection throw away what the kernel still holds for the player.
    pub(super) fn reset(&self) {
        self.0.reset.store(true, Ordering::Release);
    }

    fn is_reset(&self) -> bool {
        self.0.reset.load(Ordering::Acquire)
    }
}

/// Resolves when a film is cut of which something has not left yet. When all has, there is nothing to hold back, and
/// dropping the connection would only lose what the player asks next.
async fn cut_midway(carried: Vec<Relayed>) {
    let is_midway = async |relayed: Relayed| {
        relayed.cut.cancelled().await;
        !relayed.outlet.has_sent_all()
    };
    let mut cuts: FuturesUnordered<_> = carried.into_iter().map(is_midway).collect();
    while let Some(midway) = cuts.next().await {
        if midway {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// A viewer's socket. It fails when the player takes no byte for too long, and after a cut it closes with a reset: the
/// megabytes the kernel may hold for a slow player are not sent any more.
#[derive(Debug)]
pub struct Wire {
    /// tokio's own reading: it knows from a short read that nothing is left, without asking the kernel again.
    read: OwnedReadHalf,
    /// Gone only when this is.
    write: Option<Arc<OwnedWriteHalf>>,
    cut: ConnectionCut,
    /// What the socket did not take yet.
    unsent: Unsent,
    /// Bytes for which others stand in what is written.
    bypass: Arc<Bypass>,
    /// Wears out while a write waits for the player.
    patience: Patience,
}

impl Wire {
    /// Wraps an accepted socket. `idle`: how long a player may take no byte that waits for it, such as 60 s.
    #[must_use]
    pub fn new(tcp: TcpStream, cut: ConnectionCut, idle: Duration) -> Self {
        // Otherwise a short piece of a film, as after a break, waits some 40 ms for the player's delayed acknowledgement.
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, "short pieces may wait");
        }
        let (read, write) = tcp.into_split();
        let write = Arc::new(write);
        // A connection is wrapped once.
        let unsent = Unsent::default();
        let bypass = Arc::<Bypass>::default();
        let exit = Exit { tcp: Arc::downgrade(&write), idle, behind: unsent.waiting(), bypass: bypass.clone() };
        let _twice = cut.0.exit.set(exit);
        Self { read, write: Some(write), cut, unsent, bypass, patience: Patience::new(idle) }
    }

    /// Writes what is kept; an error when the player takes none of it for too long.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let tcp: &TcpStream = self.read.as_ref();
            let sent = match tcp.poll_write_ready(cx) {
                Poll::Ready(Ok(())) => self.unsent.send(|bytes| tcp.try_write(bytes)),
                Poll::Ready(Err(error)) => Err(error),
                Poll::Pending => return self.patience.poll_over(cx).map(|()| Err(self.lost_patience())),
            };
            match sent {
                Ok(()) => self.patience.renew(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            if self.unsent.is_empty() {
                // The film's body, which waited for it.
                cx.waker().wake_by_ref();
            }
        }
        Poll::Ready(Ok(()))
    }

    fn lost_patience(&self) -> io::Error {
        self.cut.reset();
        io::Error::new(io::ErrorKind::TimedOut, "the player took no byte for too long")
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(cx, buf)
    }
}

impl Wire {
    fn tcp(&self) -> &TcpStream {
        self.read.as_ref()
    }

    /// What it sends where stand-ins are written.
    pub(super) fn bypass(&self) -> Arc<Bypass> {
        self.bypass.clone()
    }

    /// Sends what the socket takes now, and gives the rest: bytes, whoever stood for them.
    fn send_now(&self, bufs: &[IoSlice<'_>], all: usize) -> io::Result<Vec<u8>> {
        self.check_stand_ins(bufs)?;
        let (mut rest, mut left) = (Vec::new(), all);
        for run in bufs.chunk_by(|one, next| is_stand_in(one) == is_stand_in(next)) {
            let passes = run.first().is_some_and(|buf| is_stand_in(buf));
            let written = match passes {
                // Nothing overtakes what was not taken.
                _ if !rest.is_empty() => 0,
                true => self.bypass.send(self.tcp()),
                false => try_write(self.tcp(), run)?,
            };
            left -= written;
            if written < length(run) {
                rest.reserve_exact(left - rest.len());
                if passes { self.bypass.read_rest(&mut rest)? } else { copy_behind(run, written, &mut rest) }
            }
        }
        Ok(rest)
    }

    /// Whatever came between would have the player get a stand-in for film.
    fn check_stand_ins(&self, bufs: &[IoSlice<'_>]) -> io::Result<()> {
        let standing: usize = bufs.iter().filter(|buf| is_stand_in(buf)).map(|buf| buf.len()).sum();
        if standing == self.bypass.holds() {
            return Ok(());
        }
        self.cut.reset();
        Err(io::Error::other("what is written is not what was read"))
    }
}

fn length(bufs: &[IoSlice<'_>]) -> usize {
    bufs.iter().map(|buf| buf.len()).sum()
}

fn try_write(tcp: &TcpStream, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    match tcp.try_write_vectored(bufs) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        written => written,
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    /// Takes all, once what was taken before is gone; the flush tells when that has left.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        std::task::ready!(self.poll_drain(cx))?;
        let all = length(bufs);
        let rest = self.send_now(bufs, all)?;
        if rest.len() < all {
            self.patience.renew();
        }
        self.unsent.keep(all, rest);
        Poll::Ready(Ok(all))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_drain(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_drain(cx))?;
        Poll::Ready(rustix::net::shutdown(self.tcp(), rustix::net::Shutdown::Write).map_err(Into::into))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.cut.is_reset()
            && let Err(error) = self.tcp().set_zero_linger()
        {
            tracing::debug!(%error, "a cut connection may still send what the kernel holds");
        }
        // Closing says the end by itself; a half that is dropped would say it first, and before a reset that is one too many.
        if let Some(write) = self.write.take().and_then(Arc::into_inner) {
            write.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn nothing_is_left_of_a_connection_that_carried_a_film() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let _player = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let connection = ConnectionCut::new();
        let wire = Wire::new(listener.accept().await.unwrap().0, connection.clone(), Duration::from_secs(60));
        let mut response = Response::new(());
        response.extensions_mut().insert(Relayed { cut: CancellationToken::new(), outlet: Outlet::default() });
        connection.follow(&response);
        let left = (connection.downgrade(), Arc::downgrade(&wire.bypass));
        drop((connection, wire, response));
        assert!(left.0.0.upgrade().is_none() && left.1.upgrade().is_none());
    }
}
