//! The way out to a player: whether its connection takes bytes now, and how many.
//!
//! A film's bytes are read from the origin only when they can leave at once. What a player does not take stays where it
//! came from, and a film that is paused costs no buffer here.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::socket_send_buffer_size;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

use super::bypass::Bypass;
use super::connection::WeakCut;
use super::unsent::{self, LEAST};

/// Read at a time where the listener named no connection.
const USUAL: usize = 64 * 1024;
/// A connection that takes bytes has room for a third of its kernel buffer; a quarter leaves some for the kernel itself.
const SHARE: usize = 4;

/// A player's socket, and how long it may have no room.
#[derive(Clone, Debug)]
pub(super) struct Exit {
    /// Closed by whoever owns it.
    pub(super) tcp: Weak<OwnedWriteHalf>,
    pub(super) idle: Duration,
    /// Set while it has not taken all it was given.
    pub(super) behind: Arc<AtomicBool>,
    /// The way of bytes that need not be read.
    pub(super) bypass: Arc<Bypass>,
}

/// Shared by a film's body and the connection that carries it.
#[derive(Clone, Debug, Default)]
pub(super) struct Outlet(Arc<Way>);

#[derive(Debug, Default)]
struct Way {
    leads_to: OnceLock<(Exit, WeakCut)>,
    /// The film's last byte went out of the body.
    whole: AtomicBool,
}

impl Outlet {
    /// The connection is known.
    pub(super) fn lead_to(&self, exit: Exit, connection: WeakCut) {
        // A response is followed once.
        let _twice = self.0.leads_to.set((exit, connection));
    }

    /// Makes the end of the connection throw away what the kernel still holds for the player.
    pub(super) fn reset(&self) {
        if let Some((_, connection)) = self.0.leads_to.get() {
            connection.reset();
        }
    }

    /// The body has no more bytes to give.
    pub(super) fn close(&self) {
        self.0.whole.store(true, Ordering::Release);
    }

    /// Whether every byte of the film is on its way to the player, so that none could be held back any more.
    pub(super) fn has_sent_all(&self) -> bool {
        if !self.0.whole.load(Ordering::Acquire) {
            return false;
        }
        let Some((exit, _)) = self.0.leads_to.get() else { return false };
        let Some(half) = exit.tcp.upgrade().filter(|_| !exit.behind.load(Ordering::Acquire)) else { return false };
        is_empty((*half).as_ref()).unwrap_or(false)
    }

    /// How long the player may take nothing.
    pub(super) fn idle(&self) -> Option<Duration> {
        self.0.leads_to.get().map(|(exit, _)| exit.idle)
    }

    /// The way of bytes that need not be read, once the connection is known.
    pub(super) fn bypass(&self) -> Option<&Bypass> {
        self.0.leads_to.get().map(|(exit, _)| &*exit.bypass)
    }

    /// Waits for room; how many bytes there is room for. A broken connection has room: the write will tell.
    pub(super) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<usize> {
        let Some((exit, _)) = self.0.leads_to.get() else { return Poll::Ready(USUAL) };
        if exit.behind.load(Ordering::Acquire) {
            // The connection wakes its task, which asks again, when that is gone.
            return Poll::Pending;
        }
        let Some(half) = exit.tcp.upgrade() else { return Poll::Ready(LEAST) };
        let tcp: &TcpStream = (*half).as_ref();
        loop {
            if std::task::ready!(tcp.poll_write_ready(cx)).is_err() {
                return Poll::Ready(LEAST);
            }
            match tcp.try_io(Interest::WRITABLE, || room(tcp)) {
                Ok(room) => return Poll::Ready(room),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Poll::Ready(LEAST),
            }
        }
    }
}

/// Whether the kernel holds no byte that it has not sent. There is no portable question for that; but with a low-water
/// mark of one such byte a socket is writable only when there is none (`tcp(7)`, `TCP_NOTSENT_LOWAT`).
fn is_empty(tcp: &TcpStream) -> io::Result<bool> {
    let socket = SockRef::from(tcp);
    socket.set_tcp_notsent_lowat(1)?;
    let writable = is_writable(tcp);
    // Zero is the system's own mark again.
    socket.set_tcp_notsent_lowat(0)?;
    writable
}

fn is_writable(tcp: &TcpStream) -> io::Result<bool> {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    Ok(poll(&mut [PollFd::new(tcp, PollFlags::OUT)], Some(&now))? != 0)
}

/// tokio learns that a socket is full from a write; this asks beforehand, and the kernel then tells when it no longer is.
fn room(tcp: &TcpStream) -> io::Result<usize> {
    if !is_writable(tcp)? {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    Ok((socket_send_buffer_size(tcp)? / SHARE).clamp(LEAST, unsent::piece()))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::super::ConnectionCut;
    use super::*;

    #[tokio::test]
    async fn a_film_has_left_when_neither_the_connection_nor_the_kernel_holds_a_byte() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let player = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (_read, write) = listener.accept().await.unwrap().0.into_split();
        let (half, behind) = (Arc::new(write), Arc::new(AtomicBool::new(true)));
        let outlet = Outlet::default();
        outlet.close();
        assert!(!outlet.has_sent_all(), "no connection is known");
        let (idle, bypass) = (Duration::from_secs(60), Arc::default());
        let exit = Exit { tcp: Arc::downgrade(&half), idle, behind: behind.clone(), bypass };
        outlet.lead_to(exit, ConnectionCut::new().downgrade());
        assert!(!outlet.has_sent_all(), "the connection still holds some");
        behind.store(false, Ordering::Release);
        assert!(outlet.has_sent_all());
        while (*half).as_ref().try_write(&[0; 64 * 1024]).is_ok() {}
        assert!(!outlet.has_sent_all(), "the kernel holds some, for a player that does not read");
        drop(player);
    }
}
