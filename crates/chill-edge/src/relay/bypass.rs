//! A way past this process: a film's bytes go from the origin's socket through a pipe into the player's, and only the
//! kernel ever holds them (`splice(2)`).
//!
//! For: films over plain HTTP, whose bytes need not be opened. Half of what such a film costs is copying it in and out.
//!
//! In the bytes' place a stand-in of the same length goes through hyper, which so keeps count; [`Wire`](super::Wire) knows
//! it by its address and sends what the pipe holds. A pipe is lent for a moment: what a player does not take at once is
//! read out of it, as with every other film, and a film that waits holds none.
//!
//! Whatever the kernel refuses here, the film is copied instead.

use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::unsent::MOST;

/// Room of a pipe, in bytes; the most that Linux gives everybody (`pipe-max-size`, pipe(7)). Each of its pages takes one
/// fragment of what the network card brought, and those are smaller than a page.
const ROOM: usize = 1024 * 1024;
/// Empty pipes that a thread keeps. One is in use at a time, but for a film whose connection ended meanwhile.
const KEPT: usize = 2;
/// How long a thread asks for no pipe after the kernel refused one: whoever has all that a user may have gives some back.
const PAUSE: Duration = Duration::from_secs(60);

/// Never read or written, so that the kernel never gives it memory.
static STAND_IN: LazyLock<Bytes> = LazyLock::new(|| vec![0; MOST].into());

thread_local! {
    static PIPES: RefCell<Pipes> = const { RefCell::new(Pipes { idle: Vec::new(), refused: None }) };
}

struct Pipes {
    idle: Vec<Pipe>,
    /// When it got no pipe of a useful size, or not the use of one; for a while it does not ask again.
    refused: Option<Instant>,
}

#[derive(Debug)]
struct Pipe {
    entry: OwnedFd,
    exit: OwnedFd,
}

impl Pipe {
    fn lend() -> Option<Self> {
        PIPES.with_borrow_mut(|pipes| match pipes.idle.pop() {
            None if pipes.refused.is_some_and(|when| when.elapsed() < PAUSE) => None,
            None => Self::open().inspect_err(|error| pipes.judge(*error)).ok(),
            idle => idle,
        })
    }

    fn open() -> Result<Self, Errno> {
        let (exit, entry) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // Beyond `pipe-user-pages-soft` this fails, and the pipe would have room for two fragments.
        fcntl_setpipe_size(&entry, ROOM)?;
        Ok(Self { entry, exit })
    }

    /// For an empty one.
    fn give_back(self) {
        PIPES.with_borrow_mut(|pipes| {
            if pipes.idle.len() < KEPT {
                pipes.idle.push(self);
            }
        });
    }
}

impl Pipes {
    /// What a kernel, or who guards it, refuses is not asked for again at once; too many open files may be fewer soon.
    fn judge(&mut self, error: Errno) {
        if matches!(error, Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM | Errno::ACCESS) {
            if self.refused.is_none() {
                tracing::info!(%error, "films over http are copied for a while");
            }
            self.refused = Some(Instant::now());
        }
    }
}

/// Bytes of this length stand for those that a [`Bypass`] holds.
pub(super) fn stand_in(length: usize) -> Bytes {
    STAND_IN.slice(..length.min(MOST))
}

/// Whether these bytes only stand for others.
pub(super) fn is_stand_in(bytes: &[u8]) -> bool {
    // One that is empty may lie at the end of what it was cut from.
    !bytes.is_empty() && STAND_IN.as_ptr_range().contains(&bytes.as_ptr())
}

/// Between the body of a film and the connection it leaves by: bytes that are on their way.
#[derive(Debug, Default)]
pub(super) struct Bypass {
    pipe: Mutex<Option<Pipe>>,
    holds: AtomicUsize,
}

impl Bypass {
    /// How many bytes are on their way.
    pub(super) fn holds(&self) -> usize {
        self.holds.load(Ordering::Acquire)
    }

    /// Takes what there is, at most `most` bytes; 0: the connection has ended. None when it must be read: the last bytes have
    /// not left yet, or the kernel would not.
    pub(super) fn poll_fill(&self, cx: &mut Context<'_>, from: &TcpStream, most: usize) -> Option<Poll<usize>> {
        let mut place = self.lock();
        if place.is_some() {
            return None;
        }
        let pipe = Pipe::lend()?;
        let filled = loop {
            match from.poll_read_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => break Err(error),
                Poll::Pending => {
                    pipe.give_back();
                    return Some(Poll::Pending);
                }
            }
            let fill = || Ok(splice(from, None, &pipe.entry, None, most.min(MOST), SpliceFlags::NONBLOCK)?);
            match from.try_io(Interest::READABLE, fill) {
                // The pipe is empty, so it is the socket that has nothing.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                filled => break filled,
            }
        };
        match filled {
            Ok(count) if count > 0 => {
                self.holds.store(count, Ordering::Release);
                *place = Some(pipe);
            }
            _ => pipe.give_back(),
        }
        // Reading tells whether it is the connection.
        let judge = |error: Errno| PIPES.with_borrow_mut(|pipes| pipes.judge(error));
        let count = filled.inspect_err(|error| Errno::from_io_error(error).into_iter().for_each(judge)).ok()?;
        Some(Poll::Ready(count))
    }

    /// Sends what it holds; how many bytes were taken. Whatever was not is read next, with [`Bypass::read_rest`].
    pub(super) fn send(&self, to: &TcpStream) -> usize {
        let mut place = self.lock();
        let Some(pipe) = &*place else { return 0 };
        let mut left = self.holds();
        let before = left;
        while left > 0 {
            let send = || Ok(splice(&pipe.exit, None, to, None, left, SpliceFlags::NONBLOCK)?);
            match to.try_io(Interest::WRITABLE, send) {
                Ok(0) | Err(_) => break,
                Ok(count) => left = left.saturating_sub(count),
            }
        }
        self.holds.store(left, Ordering::Release);
        if left == 0 {
            place.take().into_iter().for_each(Pipe::give_back);
        }
        before - left
    }

    /// Reads what it still holds.
    ///
    /// # Errors
    /// When the kernel does not give back what it took.
    pub(super) fn read_rest(&self, into: &mut Vec<u8>) -> io::Result<()> {
        let Some(pipe) = self.lock().take() else { return Ok(()) };
        let end = into.len() + self.holds.swap(0, Ordering::AcqRel);
        while into.len() < end {
            into.reserve_exact(end - into.len());
            if rustix::io::read(&pipe.exit, spare_capacity(into))? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        pipe.give_back();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Pipe>> {
        self.pipe.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(super) mod of_this_thread {
    //! What a test may know and change.

    use super::{Instant, PIPES};

    /// Whether any bytes went past this thread.
    pub(in crate::relay) fn used() -> bool {
        PIPES.with_borrow(|pipes| !pipes.idle.is_empty())
    }

    /// As where the kernel gives no pipe.
    pub(in crate::relay) fn refuse() {
        PIPES.with_borrow_mut(|pipes| pipes.refused = Some(Instant::now()));
    }
}
