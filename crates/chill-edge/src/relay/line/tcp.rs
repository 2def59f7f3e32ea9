//! An origin's socket, with the leave to have it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::{Connected, Connection};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::super::bypass::Bypass;
use super::super::sockets::Leave;

/// A connection to an origin, before anything is known of what is spoken on it.
#[derive(Debug)]
pub(in crate::relay) struct Tcp {
    stream: TcpStream,
    /// Whether the kernel's buffer has a size that does not grow.
    bounded: bool,
    /// Given back with the connection.
    _leave: Leave,
}

impl Tcp {
    /// `bounded`: the kernel's buffer has a size that does not grow.
    pub(in crate::relay) fn new(stream: TcpStream, leave: Leave, bounded: bool) -> Self {
        Self { stream, bounded, _leave: leave }
    }

    pub(super) fn is_bounded(&self) -> bool {
        self.bounded
    }

    /// Waits until there is something to read, or an end of it.
    pub(super) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_read_ready(cx).map(|_| ())
    }

    /// As [`Bypass::poll_fill`].
    pub(super) fn poll_pass(&self, cx: &mut Context<'_>, bypass: &Bypass, most: usize) -> Option<Poll<usize>> {
        bypass.poll_fill(cx, &self.stream, most)
    }

    /// Whether nothing has come that nobody asked for, the end included.
    pub(super) fn is_quiet(&self) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        matches!(poll(&mut [PollFd::new(&self.stream, PollFlags::IN)], Some(&now)), Ok(0))
    }
}

impl AsyncRead for Tcp {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Connection for Tcp {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
