//! How far an origin may be ahead of a film's player, in the kernel's memory: what a film needs at its origin's distance,
//! and more once it is seen to be faster.
//!
//! Left alone, Linux lets a socket's receive buffer grow with what is read at once, to 6 MB or 32 MB (`tcp_rmem`, tcp(7)).
//! 200 films from a near origin, read at 10 Mbit/s, came to hold 5 MB each; that is past what all sockets may have
//! (`tcp_mem`), so the kernel dropped what came, and films stalled.

use std::io;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// A film may come this fast from its beginning, in bytes/s (100 Mbit/s). Of a buffer as large as the kernel makes it, twice what is asked for,
/// packets of 1,500 bytes fill about three fifths.
const RATE: f64 = 12.8e6;
/// For an origin up to 40 ms away, in bytes.
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

    /// Bounds what the kernel receives ahead on a connection that took so long to open. None where it may not have what it
    /// needs for its distance: the kernel goes on to choose.
    pub(super) fn bound(self, tcp: &TcpStream, opening: Duration) -> Option<Bound> {
        let size = self.size(opening)?;
        SockRef::from(tcp).set_recv_buffer_size(size).ok()?;
        Some(Bound { size, most: self.most, opening, read: 0, since: Instant::now() })
    }

    /// Opening took a round trip or more.
    fn size(self, opening: Duration) -> Option<usize> {
        let size = (opening.as_secs_f64() * RATE) as usize;
        Some(size.max(LEAST)).filter(|size| *size <= self.most)
    }
}

/// The bound of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    size: usize,
    most: usize,
    opening: Duration,
    /// Bytes read since then.
    read: usize,
    since: Instant,
}

impl Bound {
    /// Takes note that bytes were read from the connection. A buffer that was filled within two round trips is what the
    /// origin waits for: it is doubled.
    pub(super) fn note(&mut self, tcp: &TcpStream, read: usize) {
        self.read += read;
        if self.read < self.size {
            return;
        }
        let larger = (2 * self.size).min(self.most);
        if larger > self.size && self.since.elapsed() < 2 * self.opening {
            match SockRef::from(tcp).set_recv_buffer_size(larger) {
                Ok(()) => self.size = larger,
                Err(error) => tracing::debug!(%error, "a receive buffer does not grow"),
            }
        }
        (self.read, self.since) = (0, Instant::now());
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
            [size(0), size(40), size(100), size(300)],
            [Some(LEAST), Some(LEAST), Some(1_280_000), Some(3_840_000)]
        );
        assert_eq!(size(400), None, "less than it needs would be worse than what the kernel chooses");
        assert_eq!(ReceiveBuffer { most: 212_992 }.size(Duration::ZERO), None);
    }

    #[tokio::test]
    async fn the_buffer_is_as_large_as_was_said_where_the_system_allows_it() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (buffer, usual) = (ReceiveBuffer::of_system(), SockRef::from(&tcp).recv_buffer_size().unwrap());
        assert!(buffer.most > 0);
        let expected = if buffer.bound(&tcp, Duration::ZERO).is_some() { 2 * LEAST } else { usual };
        assert_eq!(expected == usual, buffer.most < LEAST);
        assert_eq!(SockRef::from(&tcp).recv_buffer_size().unwrap(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn it_grows_while_a_film_fills_it_within_two_round_trips() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        // What any system grants.
        let (size, most) = (16 * 1024, 56 * 1024);
        let opening = Duration::from_millis(40);
        let mut bound = Bound { size, most, opening, read: 0, since: Instant::now() };
        let mut sizes = Vec::new();
        for (ms, read) in [(79, size - 1), (0, 1), (80, 2 * size), (1, size), (1, size), (1, 4 * size), (1, 4 * size)] {
            tokio::time::advance(Duration::from_millis(ms)).await;
            bound.note(&tcp, read);
            sizes.push(bound.size);
        }
        assert_eq!(sizes, [size, 2 * size, 2 * size, 2 * size, most, most, most]);
        assert_eq!(SockRef::from(&tcp).recv_buffer_size().unwrap(), 2 * most);
    }
}
