//! How far an origin may be ahead of a film's player, in the kernel's memory.
//!
//! Left alone, Linux lets a socket's receive buffer grow with what is read at once, to 6 MB or 32 MB (`tcp_rmem`, tcp(7)).
//! 200 films from a near origin, read at 10 Mbit/s, came to hold 5 MB each; that is past what all sockets may have
//! (`tcp_mem`), so the kernel dropped what came, and films stalled.

use std::io;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::TcpStream;

/// A film may come this fast, in bytes/s (200 Mbit/s). A buffer that is enlarged later lets none come faster: Linux keeps the
/// window that it had first. Of a buffer as large as the kernel makes it, twice what is asked for, packets of 1,500 bytes fill
/// two thirds.
const RATE: f64 = 25.6e6;
/// For an origin up to 20 ms away, in bytes.
const LEAST: usize = 512 * 1024;

/// How large receive buffers may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReceiveBuffer {
    /// The most that this system lets anybody ask for, in bytes (`rmem_max`, socket(7)).
    most: usize,
}

impl ReceiveBuffer {
    /// Asks the system.
    pub(super) fn of_system() -> Self {
        Self { most: most().unwrap_or(0) }
    }

    /// Bounds what the kernel receives ahead on a connection that took so long to open. False where it may not have what it
    /// needs for its distance: the kernel goes on to choose.
    pub(super) fn bound(self, tcp: &TcpStream, opening: Duration) -> bool {
        self.size(opening).is_some_and(|size| SockRef::from(tcp).set_recv_buffer_size(size).is_ok())
    }

    /// Opening took a round trip or more.
    fn size(self, opening: Duration) -> Option<usize> {
        let size = (opening.as_secs_f64() * RATE) as usize;
        Some(size.max(LEAST)).filter(|size| *size <= self.most)
    }
}

fn most() -> io::Result<usize> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_recv_buffer_size(1 << 30)?;
    // It tells twice what it grants.
    Ok(socket.recv_buffer_size()? / 2)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn a_far_origin_may_be_further_ahead() {
        let buffer = ReceiveBuffer { most: 4 * 1024 * 1024 };
        let size = |ms| buffer.size(Duration::from_millis(ms));
        assert_eq!(
            [size(0), size(20), size(50), size(150)],
            [Some(LEAST), Some(LEAST), Some(1_280_000), Some(3_840_000)]
        );
        assert_eq!(size(200), None, "less than it needs would be worse than what the kernel chooses");
        assert_eq!(ReceiveBuffer { most: 212_992 }.size(Duration::ZERO), None);
    }

    #[tokio::test]
    async fn the_buffer_is_as_large_as_was_said_where_the_system_allows_it() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (buffer, usual) = (ReceiveBuffer::of_system(), SockRef::from(&tcp).recv_buffer_size().unwrap());
        assert!(buffer.most > 0);
        let expected = if buffer.bound(&tcp, Duration::ZERO) { 2 * LEAST } else { usual };
        assert_eq!(expected == usual, buffer.most < LEAST);
        assert_eq!(SockRef::from(&tcp).recv_buffer_size().unwrap(), expected);
    }
}
