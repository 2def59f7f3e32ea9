//! IMDb's dataset `title.basics.tsv`, plain or gzip (`https://developer.imdb.com/non-commercial-datasets/`): one title a
//! line, about twelve million of them, of which films and series are wanted.
//!
//! For: reading it once from front to back in bounded memory, and going on where a reading was broken off. Refuses: to
//! fetch it, and to keep anything but titles and years.
//!
//! Start at [`ImdbFile`].

mod row;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

pub use row::{TitleKind, TitleRow};

/// The longest line that is read; the longest one there is has some hundred bytes.
const LINE: u64 = 64 * 1024;
/// Read ahead, in bytes.
const AHEAD: usize = 256 * 1024;
/// Bytes at either end of a file that its fingerprint is made of.
const ENDS: u64 = 64 * 1024;
const COLUMNS: &str = "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\t";

/// The dataset cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ImdbFileError {
    /// The file cannot be opened.
    #[error("the file cannot be opened: {0}")]
    Open(#[source] io::Error),
    /// The first line has other columns.
    #[error("this is not IMDb's title.basics.tsv or title.basics.tsv.gz: its first line names other columns")]
    NotTitles,
    /// It ends early, or is damaged.
    #[error("the file is damaged or ends early, after line {line}: {source}; download it again")]
    Damaged {
        /// Lines read before, the first one included.
        line: u64,
        /// What the system or the decoder said.
        source: io::Error,
    },
}

/// The dataset being read: an iterator over the films and series in it. After an error it ends.
pub struct ImdbFile {
    lines: BufReader<Box<dyn Read + Send>>,
    line: Vec<u8>,
    fingerprint: String,
    bytes: u64,
    bytes_read: Arc<AtomicU64>,
    lines_read: u64,
    unreadable: u64,
    ended: bool,
}

impl std::fmt::Debug for ImdbFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ImdbFile({}, after {} lines)", self.fingerprint, self.lines_read)
    }
}

impl ImdbFile {
    /// Opens the file, whose first bytes say whether it is gzip.
    ///
    /// # Errors
    /// [`ImdbFileError`].
    pub fn open(path: &Path) -> Result<Self, ImdbFileError> {
        let mut file = File::open(path).map_err(ImdbFileError::Open)?;
        let bytes = file.metadata().map_err(ImdbFileError::Open)?.len();
        let fingerprint = fingerprint(&mut file, bytes).map_err(ImdbFileError::Open)?;
        let bytes_read = Arc::<AtomicU64>::default();
        let mut counted = BufReader::new(Counted { file, bytes_read: bytes_read.clone() });
        let is_gzip = counted.fill_buf().map_err(ImdbFileError::Open)?.starts_with(&[0x1f, 0x8b]);
        let text: Box<dyn Read + Send> =
            if is_gzip { Box::new(MultiGzDecoder::new(counted)) } else { Box::new(counted) };
        let lines = BufReader::with_capacity(AHEAD, text);
        let (line, lines_read, unreadable, ended) = (Vec::new(), 0, 0, false);
        let mut opened = Self { lines, line, fingerprint, bytes, bytes_read, lines_read, unreadable, ended };
        let first = opened.next_line()?;
        if first && opened.line.starts_with(COLUMNS.as_bytes()) { Ok(opened) } else { Err(ImdbFileError::NotTitles) }
    }

    /// What tells this file from others, also from another day's: its size and a digest of both its ends.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Bytes of the file, compressed if it is.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many of them were read.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed).min(self.bytes)
    }

    /// Lines read so far, the first one and the unwanted ones included. All titles before were given out.
    #[must_use]
    pub fn lines_read(&self) -> u64 {
        self.lines_read
    }

    /// Lines that were too long or held no id or title.
    #[must_use]
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// Goes on where a reading was broken off: after `lines` lines of the same file, as [`ImdbFile::lines_read`] told.
    ///
    /// # Errors
    /// [`ImdbFileError::Damaged`].
    pub fn skip_to(&mut self, lines: u64) -> Result<(), ImdbFileError> {
        while self.lines_read < lines && self.next_line()? {}
        Ok(())
    }

    /// Reads the next line; false at the end. Of one that is too long nothing is kept.
    fn next_line(&mut self) -> Result<bool, ImdbFileError> {
        self.line.clear();
        let read = (&mut self.lines).take(LINE).read_until(b'\n', &mut self.line).and_then(|read| {
            if read as u64 == LINE && self.line.last() != Some(&b'\n') {
                self.line.clear();
                self.lines.skip_until(b'\n')?;
            }
            Ok(read)
        });
        match read {
            Ok(0) => {
                self.ended = true;
                Ok(false)
            }
            Ok(_) => {
                self.lines_read += 1;
                Ok(true)
            }
            Err(source) => {
                self.ended = true;
                Err(ImdbFileError::Damaged { line: self.lines_read, source })
            }
        }
    }
}

impl Iterator for ImdbFile {
    type Item = Result<TitleRow, ImdbFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.next_line() {
                Ok(true) => match row::read(&self.line) {
                    Ok(Some(row)) => return Some(Ok(row)),
                    Ok(None) => {}
                    Err(row::Unreadable) => self.unreadable += 1,
                },
                Ok(false) => {}
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }
}

/// A file that counts what was read of it.
struct Counted {
    file: File,
    bytes_read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.bytes_read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Of both ends, since files of two days begin alike, and gzip has its checksum at the end.
fn fingerprint(file: &mut File, bytes: u64) -> io::Result<String> {
    let mut digest = Sha256::new();
    for start in [0, bytes.saturating_sub(ENDS)] {
        file.seek(SeekFrom::Start(start))?;
        let mut end = Vec::new();
        file.take(ENDS).read_to_end(&mut end)?;
        digest.update(&end);
    }
    file.rewind()?;
    Ok(format!("{bytes}-{}", &data_encoding::HEXLOWER.encode(&digest.finalize())[..16]))
}
