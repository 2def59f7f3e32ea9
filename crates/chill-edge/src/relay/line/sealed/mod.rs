//! TLS below a line: rustls makes the keys, and records are opened where they were read.
//!
//! For: carrying a film's bytes from the socket to the player in one buffer. A general TLS stream copies each record in and
//! out, and keeps a buffer for each connection.
//!
//! Refuses: cryptography of its own. Handshakes, keys and the opening of a record are rustls'; here is only where records
//! begin and end, and what those without a byte of the film mean.
//!
//! Start reading at [`Sealed`]; `handshake` makes one, `records` is what comes after it, `keys` what opens and seals them.

pub(super) mod doors;
mod handshake;
mod keys;
mod records;
#[cfg(test)]
mod tests;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut as _, BytesMut};
use tokio::io::AsyncWriteExt as _;

pub(super) use handshake::handshake;
use keys::Keys;
use records::{Place, Records, Stop};

use super::tcp::Tcp;

/// Read at a time, in bytes: the most where the kernel's buffer is bounded; where it is not, least and most, and in between
/// this part of what the connection has carried. The kernel makes room then, several times, for what is read at once while
/// nothing waits behind it, and never takes it back. 400 players at 10 Mbit/s, who begin with all that their own kernels
/// take, made it keep 2.3 MB for each of their origins, in place of 1 MB.
const LEAST: usize = 2 * records::LARGEST;
const MOST: usize = 8 * records::LARGEST;
const PART: usize = 64;

/// A connection whose handshake is over.
#[derive(Debug)]
pub(super) struct Sealed {
    tcp: Tcp,
    keys: Keys,
    records: Records,
    /// Bytes read so far.
    carried: usize,
    /// What came is to be given out first.
    broken: Option<io::ErrorKind>,
}

impl Sealed {
    /// Reads and opens records into the empty `buffer`: about `most` bytes, at least one record. 0: the origin has said
    /// that nothing more comes.
    ///
    /// # Errors
    /// When the connection breaks, ends without a goodbye, or holds anything but records of this connection.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut BytesMut,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        buffer.reserve(most + 2 * records::LARGEST);
        let mut more = true;
        while more && self.wants(buffer.len(), most) {
            let sip = if self.tcp.is_bounded() { MOST } else { (self.carried / PART).clamp(LEAST, MOST) };
            more = match self.poll_sip(cx, buffer, sip.min(most.saturating_sub(buffer.len()))) {
                Poll::Ready(Ok(more)) => more || buffer.is_empty(),
                Poll::Ready(Err(error)) => {
                    self.broken = Some(error.kind());
                    false
                }
                Poll::Pending if buffer.is_empty() => return Poll::Pending,
                Poll::Pending => false,
            };
        }
        match self.broken.filter(|_| buffer.is_empty()) {
            Some(kind) => Poll::Ready(Err(kind.into())),
            None => Poll::Ready(Ok(buffer.len())),
        }
    }

    /// Waits until there is something to read, or an end of it.
    pub(super) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.broken.is_some() || self.records.is_ended() { Poll::Ready(()) } else { self.tcp.poll_ready(cx) }
    }

    /// Whether another record may be read behind so many bytes.
    fn wants(&self, read: usize, most: usize) -> bool {
        let room = read == 0 || most.saturating_sub(read) >= records::LARGEST;
        room && self.broken.is_none() && !self.records.is_ended()
    }

    /// Reads once, behind what is in the buffer; whether more may be there.
    fn poll_sip(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, sip: usize) -> Poll<io::Result<bool>> {
        let mut place = Place::behind(buffer);
        let before = buffer.len();
        let reach = self.records.begin(buffer, sip);
        let mut limited = (&mut *buffer).limit(reach);
        let read = match tokio_util::io::poll_read_buf(Pin::new(&mut self.tcp), cx, &mut limited) {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            read => read,
        };
        let Poll::Ready(Ok(read)) = read else {
            buffer.truncate(before);
            return read.map_ok(|_| false);
        };
        self.carried = self.carried.saturating_add(read);
        while self.records.open(buffer, &mut place)? == Stop::Messages {
            match self.keys.hear(&mut self.records.messages) {
                Ok(Some(opener)) => self.records.change(opener),
                Ok(None) => {}
                Err(error) => {
                    place.close(buffer);
                    return Poll::Ready(Err(error));
                }
            }
        }
        Poll::Ready(Ok(read == reach))
    }

    /// Sends all of it.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(super) async fn say(&mut self, text: &[u8]) -> io::Result<()> {
        let sealed = self.keys.seal(text)?;
        self.tcp.write_all(&sealed).await?;
        self.tcp.flush().await
    }

    /// Whether nothing has come that nobody asked for.
    pub(super) fn is_quiet(&self) -> bool {
        self.broken.is_none() && self.records.is_quiet() && self.tcp.is_quiet()
    }
}
