//! Records of an origin after the handshake: where they begin and end, and what is in them (RFC 8446 §5, RFC 5246 §6.2).

use std::fmt;
use std::io;
use std::ops::Range;

use bytes::BytesMut;
use rustls::crypto::cipher::{InboundOpaqueMessage, MessageDecrypter};
use rustls::{AlertDescription, ContentType, ProtocolVersion};

/// Type, version and length of a record.
const HEAD: usize = 5;
/// Bytes of a message in one record (RFC 8446 §5.1).
pub(super) const LARGEST: usize = 16 * 1024;
/// What a record may have beyond its message (RFC 5246 §6.2.3; of TLS 1.3 it is less).
const EXPANSION: usize = 2048;
/// Of the records nearly all servers send films in: a full message, its type and its tag.
const USUAL: usize = HEAD + LARGEST + 17;
/// Records in a row without a byte of the film. More serve nobody.
const BARREN: u32 = 64;

/// What opens records, and the number of the next one.
pub(super) struct Opener {
    pub(super) key: Box<dyn MessageDecrypter>,
    pub(super) next: u64,
    /// The only type that records of TLS 1.3 show (RFC 8446 §5.2).
    pub(super) only: Option<ContentType>,
}

/// The origin's direction of a connection.
pub(super) struct Records {
    opener: Opener,
    /// The beginning of a record whose end has not come.
    part: Box<[u8]>,
    /// How long the last record of the film was, as it came.
    usual: usize,
    barren: u32,
    ended: bool,
    /// Messages about the connection, for whoever acts on them.
    pub(super) messages: Vec<u8>,
}

/// How far a buffer is opened: up to `read` of what came, and the film's bytes of that end at `end`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    read: usize,
    end: usize,
}

impl Place {
    /// Behind what is in the buffer already.
    pub(super) fn behind(buffer: &BytesMut) -> Self {
        Self { read: buffer.len(), end: buffer.len() }
    }

    /// Leaves only the film's bytes in the buffer.
    pub(super) fn close(self, buffer: &mut BytesMut) {
        buffer.truncate(self.end);
    }
}

/// Why opening stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// All that came is open.
    All,
    /// Messages came, which may change the key of what follows them.
    Messages,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl Records {
    /// `heard`: what came behind the handshake already.
    pub(super) fn new(opener: Opener, heard: Vec<u8>) -> Self {
        let part = heard.into_boxed_slice();
        Self { opener, part, usual: USUAL, barren: 0, ended: false, messages: Vec::new() }
    }

    /// Opens the next records with another key.
    pub(super) fn change(&mut self, opener: Opener) {
        self.opener = opener;
    }

    /// Whether the origin has said that nothing more comes.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Whether nothing is left of what came.
    pub(super) fn is_quiet(&self) -> bool {
        self.part.is_empty() && self.messages.is_empty() && !self.ended
    }

    /// Puts the beginning of a record behind what is in `buffer`, for more to be read behind it; gives how much that
    /// should be for about `most` bytes of the film, so that it ends with a record and nothing has to be kept until the
    /// next time.
    pub(super) fn begin(&self, buffer: &mut BytesMut, most: usize) -> usize {
        let first = record_length(&self.part).unwrap_or(self.usual);
        let further = (most / (self.usual - HEAD)).saturating_sub(1) * self.usual;
        let reach = (first + further).saturating_sub(self.part.len()).max(HEAD);
        buffer.reserve(self.part.len() + reach);
        buffer.extend_from_slice(&self.part);
        reach
    }

    /// Opens whole records in `buffer`, in place, from `place` on. In the end only the film's bytes are left in it; after
    /// messages it is to be called again.
    ///
    /// # Errors
    /// `InvalidData` for anything that is not a record of this connection; what was opened before it stays.
    pub(super) fn open(&mut self, buffer: &mut BytesMut, place: &mut Place) -> io::Result<Stop> {
        let stop = self.open_whole(buffer, place);
        if stop.as_ref().is_ok_and(|stop| *stop == Stop::Messages) {
            return stop;
        }
        self.part = match stop.is_ok() && !self.ended {
            true => buffer.get(place.read..).unwrap_or_default().into(),
            false => Box::default(),
        };
        place.close(buffer);
        stop
    }

    fn open_whole(&mut self, buffer: &mut BytesMut, place: &mut Place) -> io::Result<Stop> {
        while let Some(length) = record_length(buffer.get(place.read..).unwrap_or_default()) {
            if length > HEAD + LARGEST + EXPANSION {
                return Err(invalid());
            }
            let whole = place.read..place.read + length;
            let Some(record) = buffer.get_mut(whole.clone()).filter(|_| !self.ended) else { break };
            let film = self.open_one(record)?;
            if !film.is_empty() {
                self.usual = length;
            }
            buffer.copy_within(whole.start + film.start..whole.start + film.end, place.end);
            (place.read, place.end) = (whole.end, place.end + film.len());
            if !self.messages.is_empty() {
                return Ok(Stop::Messages);
            }
        }
        Ok(Stop::All)
    }

    /// Where in a record the film's bytes are, once it is open.
    fn open_one(&mut self, record: &mut [u8]) -> io::Result<Range<usize>> {
        let (head, sealed) = record.split_first_chunk_mut::<HEAD>().ok_or_else(invalid)?;
        let [kind, major, minor, ..] = *head;
        let (kind, version) = (ContentType::from(kind), ProtocolVersion::from(u16::from_be_bytes([major, minor])));
        if self.opener.only.is_some_and(|only| only != kind) {
            return Err(invalid());
        }
        let begin = sealed.as_ptr().addr();
        let sealed = InboundOpaqueMessage::new(kind, version, sealed);
        let plain = self.opener.key.decrypt(sealed, self.opener.next).map_err(|_| invalid())?;
        self.opener.next += 1;
        match plain.typ {
            // Messages in several records stand together (RFC 8446 §5.1).
            ContentType::ApplicationData if !self.messages.is_empty() => return Err(invalid()),
            ContentType::ApplicationData if !plain.payload.is_empty() => {
                self.barren = 0;
                let start = HEAD + plain.payload.as_ptr().addr() - begin;
                return Ok(start..start + plain.payload.len());
            }
            ContentType::ApplicationData => {}
            ContentType::Handshake => self.messages.extend_from_slice(plain.payload),
            ContentType::Alert => self.ended = is_goodbye(plain.payload)?,
            _ => return Err(invalid()),
        }
        self.barren += 1;
        if self.barren > BARREN { Err(invalid()) } else { Ok(0..0) }
    }
}

/// Whether an alert says that nothing more comes; one that only announces it does not yet (RFC 8446 §6.1).
fn is_goodbye(alert: &[u8]) -> io::Result<bool> {
    match *alert {
        [_, kind] if AlertDescription::from(kind) == AlertDescription::CloseNotify => Ok(true),
        [_, kind] if AlertDescription::from(kind) == AlertDescription::UserCanceled => Ok(false),
        _ => Err(invalid()),
    }
}

/// How long the record is that begins here, once its head has come.
fn record_length(bytes: &[u8]) -> Option<usize> {
    let [_, _, _, high, low] = *bytes.first_chunk::<HEAD>()?;
    Some(HEAD + usize::from(u16::from_be_bytes([high, low])))
}

pub(super) fn invalid() -> io::Error {
    io::ErrorKind::InvalidData.into()
}
