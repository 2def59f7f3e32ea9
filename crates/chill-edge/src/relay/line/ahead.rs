//! What lies below TLS: rustls asks the socket for 4 KiB at a time, and gets them out of one larger read.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper_util::client::legacy::connect::{Connected, Connection};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::super::sockets::Leave;
use super::copy;

/// The largest record of TLS on the wire, about (RFC 8446 §5.2).
pub(super) const RECORD: usize = 16 * 1024 + 256;
/// A read of at least so much goes past the buffer.
const LARGE: usize = 8 * 1024;

/// An origin's socket, read ahead of who asks for little.
#[derive(Debug)]
pub(in crate::relay) struct Ahead {
    tcp: TcpStream,
    kept: Bytes,
    /// What the reader above wants in all.
    wanted: usize,
    /// Given back with the connection.
    _leave: Leave,
}

impl Ahead {
    pub(in crate::relay) fn new(tcp: TcpStream, leave: Leave) -> Self {
        Self { tcp, kept: Bytes::new(), wanted: 0, _leave: leave }
    }

    /// So many bytes of the film are wanted next.
    pub(super) fn wants(&mut self, bytes: usize) {
        self.wanted = bytes;
    }

    /// Whether nothing has come that nobody asked for, the end included.
    pub(super) fn is_quiet(&self) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let readable = poll(&mut [PollFd::new(&self.tcp, PollFlags::IN)], Some(&now));
        self.kept.is_empty() && matches!(readable, Ok(0))
    }
}

impl AsyncRead for Ahead {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.kept.is_empty() {
            copy(&mut this.kept, buf);
            return Poll::Ready(Ok(()));
        }
        let ahead = this.wanted.next_multiple_of(RECORD);
        if buf.remaining() >= LARGE || ahead <= buf.remaining() {
            return Pin::new(&mut this.tcp).poll_read(cx, buf);
        }
        let mut space = [const { std::mem::MaybeUninit::uninit() }; 4 * RECORD];
        let space_len = ahead.min(space.len());
        let mut read = ReadBuf::uninit(&mut space[..space_len]);
        std::task::ready!(Pin::new(&mut this.tcp).poll_read(cx, &mut read))?;
        let read = read.filled();
        let (now, later) = read.split_at(read.len().min(buf.remaining()));
        buf.put_slice(now);
        this.kept = Bytes::copy_from_slice(later);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Ahead {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

impl Connection for Ahead {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
