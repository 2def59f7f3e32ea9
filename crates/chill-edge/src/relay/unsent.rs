//! What a player's socket did not take at once, in a copy of its own size.
//!
//! Films are read into a buffer that many share; a few bytes that wait for a slow player would hold all of it.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Least and most bytes that are read for a player at a time. The most is a quarter of what Linux lets a socket's buffer
/// grow to: each piece costs a wake-up of its own.
pub(super) const LEAST: usize = 16 * 1024;
pub(super) const MOST: usize = 1024 * 1024;
/// By which part of itself a piece grows when the kernel took it whole: a few hundred of them forget that it once did not.
const GROWTH: usize = 256;

/// Once so many bytes wait here for all players together, pieces are small: no further player adds more than one of those.
const MOST_WAITING: usize = 64 * 1024 * 1024;

static WAITING: AtomicUsize = AtomicUsize::new(0);

/// How large pieces are now. The kernel takes less than a socket has room for when all sockets of the machine together
/// hold too much (`tcp_mem`, tcp(7)), and then what it leaves would lie here, for every player that is slow.
static PIECE: AtomicUsize = AtomicUsize::new(MOST);

/// The largest piece worth reading now, in bytes.
pub(super) fn piece() -> usize {
    if WAITING.load(Ordering::Relaxed) < MOST_WAITING { PIECE.load(Ordering::Relaxed) } else { LEAST }
}

/// Learns from a piece the kernel took whole, or did not. Players race here, and any of their results will do.
fn learn(whole: bool) {
    let now = PIECE.load(Ordering::Relaxed);
    let next = if whole { now + now / GROWTH } else { LEAST };
    if next != now {
        PIECE.store(next.clamp(LEAST, MOST), Ordering::Relaxed);
    }
}

/// Copies what of `slices` lies behind its first `skip` bytes.
pub(super) fn copy_behind(slices: &[IoSlice<'_>], mut skip: usize, into: &mut Vec<u8>) {
    for slice in slices {
        into.extend_from_slice(slice.get(skip..).unwrap_or_default());
        skip = skip.saturating_sub(slice.len());
    }
}

/// Bytes that go before all others.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    bytes: Box<[u8]>,
    /// How many of them are gone.
    gone: usize,
    /// Whether there are any, for who would read more of the film.
    waiting: Arc<AtomicBool>,
}

impl Unsent {
    /// Set while something is kept.
    pub(super) fn waiting(&self) -> Arc<AtomicBool> {
        self.waiting.clone()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes note that `all` bytes were to be written, and keeps the last ones, which were not.
    pub(super) fn keep(&mut self, all: usize, rest: Vec<u8>) {
        if all >= LEAST {
            learn(rest.is_empty());
        }
        if rest.is_empty() {
            return;
        }
        WAITING.fetch_add(rest.len(), Ordering::Relaxed);
        (self.bytes, self.gone) = (rest.into_boxed_slice(), 0);
        self.waiting.store(true, Ordering::Release);
    }

    fn forget(&mut self) {
        WAITING.fetch_sub(self.bytes.len(), Ordering::Relaxed);
        self.bytes = Box::default();
        self.waiting.store(false, Ordering::Release);
    }

    /// Hands what is kept to `write`, once.
    ///
    /// # Errors
    /// Those of `write`.
    pub(super) fn send(&mut self, write: impl FnOnce(&[u8]) -> io::Result<usize>) -> io::Result<()> {
        self.gone += write(self.bytes.get(self.gone..).unwrap_or_default())?;
        if self.gone >= self.bytes.len() {
            self.forget();
        }
        Ok(())
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        self.forget();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use socket2::SockRef;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::super::{ConnectionCut, Wire};
    use super::*;

    #[test]
    fn the_rest_leaves_in_order_and_takes_no_more_room_than_it_needs() {
        let film: Vec<u8> = (0..100).collect();
        for written in 0..=100 {
            let (mut unsent, mut out) = (Unsent::default(), film[..written].to_vec());
            let mut rest = Vec::with_capacity(100 - written);
            copy_behind(&[IoSlice::new(&film[..30]), IoSlice::new(&[]), IoSlice::new(&film[30..])], written, &mut rest);
            unsent.keep(100, rest);
            assert_eq!(unsent.bytes.len(), 100 - written);
            while !unsent.is_empty() {
                assert!(unsent.waiting().load(Ordering::Acquire));
                let sent = unsent.send(|bytes| {
                    let some = bytes.len().min(7);
                    out.extend_from_slice(&bytes[..some]);
                    Ok(some)
                });
                sent.unwrap();
            }
            assert!(!unsent.waiting().load(Ordering::Acquire));
            assert_eq!(out, film);
        }
    }

    #[test]
    fn many_bytes_that_wait_make_pieces_small_until_they_are_gone() {
        let usual = piece();
        let mut all: Vec<Unsent> = (0..MOST_WAITING / MOST).map(|_| Unsent::default()).collect();
        for unsent in &mut all {
            assert_eq!(piece(), usual);
            // Not so long that anything is learnt from it.
            unsent.keep(0, vec![0; MOST]);
        }
        assert_eq!(piece(), LEAST);
        all[0].send(|bytes| Ok(bytes.len())).unwrap();
        assert_eq!(piece(), usual);
        drop(all);
        assert_eq!(WAITING.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_socket_that_takes_little_at_a_time_gets_every_byte_and_the_end() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut player = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        SockRef::from(&tcp).set_send_buffer_size(4 * 1024).unwrap();
        let mut wire = Wire::new(tcp, ConnectionCut::new(), Duration::from_secs(60));
        let film: Vec<u8> = (0..3_000_000_u32).map(|at| at.to_le_bytes()[usize::from(at % 7 == 0)]).collect();
        let send = async {
            for piece in film.chunks(MOST) {
                wire.write_all(piece).await.unwrap();
            }
            wire.shutdown().await.unwrap();
        };
        let mut got = Vec::new();
        let (read, ()) = tokio::join!(player.read_to_end(&mut got), send);
        read.unwrap();
        assert!(got == film, "{} of {} bytes, or others", got.len(), film.len());
        assert!(piece() < MOST, "it was seen that sockets take little");
    }
}
