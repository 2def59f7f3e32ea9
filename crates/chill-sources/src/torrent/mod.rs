//! `.torrent` files (BEP 3): which torrent it is, what is in it, and whether it is private.
//!
//! For: the info hash of a file, computed from its bytes. Refuses: to believe what a file says about its own hash, and
//! torrents of version 2 alone (BEP 52), which have no info hash that stores know.
//!
//! Start at [`Torrent`].

mod bencode;
#[cfg(test)]
mod tests;

use chill_core::{InfoHash, KnownFile};
use sha1::{Digest, Sha1};

use bencode::{Dict, Value};

/// Files kept of one torrent; the size counts all.
const FILES: usize = 10_000;
/// Bytes kept of a name or a path.
const TEXT: usize = 1_024;
/// What BitComet called its padding before BEP 47.
const PADDING: &str = "_____padding_file_";

/// What a `.torrent` file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torrent {
    /// SHA-1 of its info dictionary as it stands in the file.
    pub hash: InfoHash,
    /// Name of its root folder, or of its only file.
    pub name: String,
    /// Bytes of all files, padding not counted.
    pub size: u64,
    /// From a private tracker (BEP 27).
    pub private: bool,
    /// Its files without padding, at most 10,000; paths without the root folder, starting with `/`.
    pub files: Vec<KnownFile>,
}

/// A file is no torrent that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TorrentError {
    /// The bytes are no bencoded dictionary with an `info` dictionary in it.
    #[error("it is no .torrent file")]
    NotATorrent,
    /// There are no hashes of version 1.
    #[error("the torrent is of version 2 alone, which stores cannot use; a hybrid one would do")]
    OnlyVersion2,
    /// The info dictionary lacks what it must have: a name, pieces, files with their sizes.
    #[error("the .torrent file is damaged")]
    Damaged,
}

impl Torrent {
    /// Reads a `.torrent` file; of a hybrid one its version 1. Bytes after its end do not matter.
    ///
    /// # Errors
    /// [`TorrentError`].
    pub fn read(bytes: &[u8]) -> Result<Self, TorrentError> {
        let root = Value::read(bytes).and_then(Value::dict).ok_or(TorrentError::NotATorrent)?;
        let raw = root.raw("info").ok_or(TorrentError::NotATorrent)?;
        let info = Value::read(raw).and_then(Value::dict).ok_or(TorrentError::NotATorrent)?;
        let Some(pieces) = info.get("pieces").and_then(Value::text) else {
            let newer = info.get("meta version").and_then(Value::integer) == Some(2);
            return Err(if newer { TorrentError::OnlyVersion2 } else { TorrentError::Damaged });
        };
        let name = text(info, "name").filter(|name| !name.is_empty()).ok_or(TorrentError::Damaged)?;
        let (files, size) = files(info, &name).ok_or(TorrentError::Damaged)?;
        let piece_length = info.get("piece length").and_then(Value::integer).unwrap_or(0);
        if !pieces.len().is_multiple_of(20) || piece_length <= 0 {
            return Err(TorrentError::Damaged);
        }
        let hash = InfoHash::from_bytes(Sha1::digest(raw).into());
        let private = info.get("private").and_then(Value::integer) == Some(1);
        Ok(Self { hash, name, size, private, files })
    }
}

/// The files without padding, and the bytes of all of them together.
fn files(info: Dict<'_>, name: &str) -> Option<(Vec<KnownFile>, u64)> {
    if let Some(size) = length(info) {
        return Some((vec![KnownFile { path: format!("/{name}"), size: Some(size) }], size));
    }
    let (mut files, mut total) = (Vec::new(), 0_u64);
    for entry in info.get("files")?.list()? {
        let entry = entry.dict()?;
        let (size, path) = (length(entry)?, path(entry)?);
        let marked = entry.get("attr").and_then(Value::text).is_some_and(|marks| marks.contains(&b'p'));
        if marked || path.starts_with("/.pad/") || path.rsplit('/').next()?.starts_with(PADDING) {
            continue;
        }
        total = total.checked_add(size)?;
        if files.len() < FILES {
            files.push(KnownFile { path, size: Some(size) });
        }
    }
    Some((files, total))
}

fn length(of: Dict<'_>) -> Option<u64> {
    of.get("length").and_then(Value::integer).and_then(|length| u64::try_from(length).ok())
}

/// The parts of a path behind slashes; empty ones and `.` and `..` stand for nothing.
fn path(entry: Dict<'_>) -> Option<String> {
    let parts = entry.get("path.utf-8").and_then(Value::list).or_else(|| entry.get("path").and_then(Value::list))?;
    let mut path = String::new();
    for part in parts {
        let part = readable(part.text()?);
        if !matches!(part.as_str(), "" | "." | "..") && path.len() + part.len() < TEXT {
            path.push('/');
            path.push_str(&part);
        }
    }
    (!path.is_empty()).then_some(path)
}

/// A text by its key, or by the name that older programs gave its UTF-8 form.
fn text(of: Dict<'_>, key: &str) -> Option<String> {
    let text = of.get(&format!("{key}.utf-8")).and_then(Value::text).or_else(|| of.get(key).and_then(Value::text))?;
    Some(readable(text))
}

/// A part of a path, of any encoding: bounded, without control characters and slashes.
fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(TEXT)]);
    text.chars().filter(|c| !c.is_control()).map(|c| if matches!(c, '/' | '\\') { '_' } else { c }).collect()
}
