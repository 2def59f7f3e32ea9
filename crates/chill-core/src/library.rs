//! Known torrents: what earlier searches and playbacks found out.

use async_trait::async_trait;

use crate::{ContentId, Found, InfoHash};

/// A torrent seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownTorrent {
    /// As a source described it.
    pub found: Found,
    /// Its files, when a store listed them once.
    pub files: Vec<KnownFile>,
}

/// A file of a known torrent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// Path inside the torrent, root folder removed, starting with `/`.
    pub path: String,
    /// Bytes, when known.
    pub size: Option<u64>,
}

/// The library cannot be read or written now. The text is for the log.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the library of known torrents is not available: {0}")]
pub struct LibraryError(pub String);

/// What is known about torrents. May be lost without harm: only speed is in it.
#[async_trait]
pub trait Library: Send + Sync + 'static {
    /// Torrents remembered for a film, an episode or its whole series, at most 500, newest first.
    ///
    /// # Errors
    /// [`LibraryError`].
    async fn find(&self, content: &ContentId) -> Result<Vec<KnownTorrent>, LibraryError>;

    /// Remembers what a search found. A private torrent is not remembered.
    ///
    /// # Errors
    /// [`LibraryError`].
    async fn remember(&self, content: &ContentId, found: &[Found]) -> Result<(), LibraryError>;

    /// Remembers the files of a torrent.
    ///
    /// # Errors
    /// [`LibraryError`].
    async fn remember_files(&self, hash: &InfoHash, files: &[KnownFile]) -> Result<(), LibraryError>;
}
