//! Where a body ends (RFC 9112 §6 and §7.1).

use bytes::{Buf as _, Bytes};

/// Longest line of a chunk's size with its extensions, and of one trailer field, in bytes.
const LONGEST_LINE: usize = 4 * 1024;
/// Longest trailer section, in bytes.
const LONGEST_TRAILER: usize = 32 * 1024;

/// Read at a time of a body in chunks, in bytes.
const LONGEST_READ: usize = 32 * 1024;

/// How the rest of a body is told from what comes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes are left.
    Length(u64),
    /// Chunks.
    Chunks(Chunks),
    /// To the end of the connection, broken or not.
    UntilClose,
}

/// These bytes are not chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoChunks;

impl Framing {
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunks(chunks) => chunks.state == State::Over,
            Self::UntilClose => false,
        }
    }

    /// How much may be read from the connection when so much is wanted.
    pub(super) fn reach(&self, wanted: usize) -> usize {
        match self {
            // Not a byte of the next answer.
            Self::Length(left) => usize::try_from(*left).map_or(wanted, |left| left.min(wanted)),
            // What is read beyond a chunk waits here, for as long as the player does.
            Self::Chunks(_) => wanted.min(LONGEST_READ),
            Self::UntilClose => wanted,
        }
    }

    /// So many bytes of the body went past unread.
    pub(super) fn pass(&mut self, bytes: usize) {
        if let Self::Length(left) = self {
            *left -= bytes as u64;
        }
    }

    /// Takes the next piece of the body out of what was read; empty when there is none in it.
    pub(super) fn take(&mut self, read: &mut Bytes) -> Result<Bytes, NoChunks> {
        match self {
            Self::Length(left) => {
                let piece = read.split_to(usize::try_from(*left).map_or(read.len(), |left| left.min(read.len())));
                *left -= piece.len() as u64;
                Ok(piece)
            }
            Self::Chunks(chunks) => chunks.take(read),
            Self::UntilClose => Ok(std::mem::take(read)),
        }
    }
}

/// A body in chunks, as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chunks {
    state: State,
    /// Of the line, or the trailer section, that is being read.
    length: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the first digit of a size.
    #[default]
    Begin,
    /// Within the digits.
    Size(u64),
    /// Behind the digits, before the end of the line.
    Extension(u64),
    /// The CR was there, the LF must come.
    SizeEnd(u64),
    Data(u64),
    DataCr,
    DataLf,
    /// At the beginning of a line of the trailer section.
    TrailerBegin,
    Trailer,
    /// The CR of the last, empty line was there.
    TrailerEnd,
    Over,
}

impl Chunks {
    fn take(&mut self, read: &mut Bytes) -> Result<Bytes, NoChunks> {
        while self.state != State::Over && !read.is_empty() {
            if let State::Data(left) = &mut self.state {
                let piece = read.split_to(usize::try_from(*left).map_or(read.len(), |left| left.min(read.len())));
                *left -= piece.len() as u64;
                if *left == 0 {
                    self.state = State::DataCr;
                }
                return Ok(piece);
            }
            self.step(read.get_u8())?;
        }
        Ok(Bytes::new())
    }

    /// One byte that is not data.
    fn step(&mut self, byte: u8) -> Result<(), NoChunks> {
        self.length += 1;
        let in_trailer = matches!(self.state, State::TrailerBegin | State::Trailer | State::TrailerEnd);
        if self.length > if in_trailer { LONGEST_TRAILER } else { LONGEST_LINE } {
            return Err(NoChunks);
        }
        self.state = match (self.state, byte) {
            (State::Begin, _) => State::Size(digit(byte).ok_or(NoChunks)?),
            (State::SizeEnd(size), b'\n') => {
                self.length = 0;
                if size == 0 { State::TrailerBegin } else { State::Data(size) }
            }
            (State::Size(size) | State::Extension(size), b'\r') => State::SizeEnd(size),
            (State::Size(size), b';' | b' ' | b'\t') => State::Extension(size),
            (State::Size(size), _) => {
                let more = digit(byte).ok_or(NoChunks)?;
                State::Size(size.checked_mul(16).and_then(|size| size.checked_add(more)).ok_or(NoChunks)?)
            }
            (State::Extension(_), b'\n') => return Err(NoChunks),
            (State::Extension(size), _) => State::Extension(size),
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => {
                self.length = 0;
                State::Begin
            }
            (State::TrailerBegin, b'\r') => State::TrailerEnd,
            (State::TrailerEnd, b'\n') => State::Over,
            (State::TrailerBegin, b'\n') | (State::Trailer, b'\0') => return Err(NoChunks),
            (State::Trailer, b'\n') => State::TrailerBegin,
            (State::TrailerBegin | State::Trailer, _) => State::Trailer,
            (State::SizeEnd(_) | State::DataCr | State::DataLf | State::TrailerEnd, _) => return Err(NoChunks),
            (State::Data(_) | State::Over, _) => self.state,
        };
        Ok(())
    }
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All of the body, read in pieces of this length; what is left behind it; whether it is over.
    fn read(mut framing: Framing, bytes: &[u8], piece: usize) -> Result<(Vec<u8>, usize, bool), NoChunks> {
        let (mut body, mut left) = (Vec::new(), 0);
        for piece in bytes.chunks(piece) {
            let mut piece = Bytes::copy_from_slice(piece);
            while !piece.is_empty() && !framing.is_over() {
                body.extend_from_slice(&framing.take(&mut piece)?);
            }
            left += piece.len();
        }
        Ok((body, left, framing.is_over()))
    }

    fn chunked(bytes: &str) -> Result<(Vec<u8>, usize, bool), NoChunks> {
        read(Framing::Chunks(Chunks::default()), bytes.as_bytes(), usize::MAX)
    }

    #[test]
    fn chunks_end_where_they_say() {
        for (bytes, body, left, over) in [
            ("3\r\nabc\r\n0\r\n\r\n", "abc", 0, true),
            ("3\r\nabc\r\n0\r\n\r\nHTTP", "abc", 4, true),
            ("A;x=\"y\"\r\n0123456789\r\n00\r\nTrailer: x\r\nMore: y\r\n\r\n", "0123456789", 0, true),
            ("1 \r\na\r\n1\t;e\r\nb\r\n0\r\n\r\n", "ab", 0, true),
            ("3\r\nabc\r\n", "abc", 0, false),
            ("3\r\nab", "ab", 0, false),
            ("0\r\n", "", 0, false),
        ] {
            assert_eq!(chunked(bytes), Ok((body.as_bytes().to_vec(), left, over)), "{bytes:?}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_read() {
        let long = format!("1;{}\r\na", "x".repeat(5_000));
        for bytes in [
            "",
            "\r\n",
            "x\r\n",
            "-1\r\n",
            "+1\r\na",
            "3\nabc",
            "3;x\nabc",
            "3\rabc",
            "3\r\nabcd\r\n",
            "3\r\nabc\n0\r\n",
            "0\r\n\n",
            "10000000000000000\r\n",
            "3 3\n",
            &long,
        ] {
            let read = chunked(bytes);
            assert!(bytes.is_empty() || read.is_err(), "{bytes:?}: {read:?}");
        }
    }

    #[test]
    fn a_length_is_a_length() {
        assert_eq!(read(Framing::Length(3), b"abcdef", 2), Ok((b"abc".to_vec(), 3, true)));
        assert_eq!(read(Framing::Length(9), b"abc", 2), Ok((b"abc".to_vec(), 0, false)));
        assert_eq!(read(Framing::UntilClose, b"abc", 2), Ok((b"abc".to_vec(), 0, false)));
        let far = 1 << 20;
        let chunks = Framing::Chunks(Chunks::default()).reach(far);
        assert_eq!(
            (Framing::Length(3).reach(10), Framing::Length(u64::MAX).reach(far), chunks),
            (3, far, LONGEST_READ)
        );
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..6), piece in 1..50_usize) {
            let mut bytes = Vec::new();
            for body in &bodies {
                bytes.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
                bytes.extend_from_slice(body);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\nnext");
            let all = read(Framing::Chunks(Chunks::default()), &bytes, piece);
            prop_assert_eq!(all, Ok((bodies.concat(), 4, true)));
        }

        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..200), piece in 1..20_usize) {
            let whole = read(Framing::Chunks(Chunks::default()), &bytes, usize::MAX);
            prop_assert_eq!(whole, read(Framing::Chunks(Chunks::default()), &bytes, piece));
        }
    }
}
