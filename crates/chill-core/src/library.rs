//! Known torrents: what earlier searches and playbacks found out.

use async_trait::async_trait;

use crate::{ContentId, Found, InfoHash, Millis};

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

/// A known torrent, as lists for other programs have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its hash.
    pub hash: InfoHash,
    /// The release name.
    pub name: String,
    /// Bytes of the whole torrent, when known.
    pub size: Option<u64>,
    /// How many peers have all of it, when known.
    pub seeders: Option<u32>,
    /// A film or episode it was found for.
    pub content: ContentId,
    /// When a source told of it last.
    pub seen_at: Millis,
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

    /// Remembers what a film or series is called. The names are normalised, as those of [`Library::called`] are.
    ///
    /// # Errors
    /// [`LibraryError`].
    async fn call(&self, content: &ContentId, names: &[String]) -> Result<(), LibraryError>;

    /// The torrents seen last, newest first, at most 1,000.
    ///
    /// # Errors
    /// [`LibraryError`].
    async fn newest(&self, limit: usize) -> Result<Vec<Listed>, LibraryError>;

    /// All torrents of a film or series ([`ContentId::work`]), newest first, at most 1,000.
    ///
    /// # Errors
    /// [`LibraryError`].
    async fn of_work(&self, work: &str) -> Result<Vec<Listed>, LibraryError>;

    /// Films and series of this name, as [`ContentId::work`] writes them.
    ///
    /// # Errors
    /// [`LibraryError`].
    async fn called(&self, name: &str) -> Result<Vec<String>, LibraryError>;

    /// Remembers the files of a torrent.
    ///
    /// # Errors
    /// [`LibraryError`].
    async fn remember_files(&self, hash: &InfoHash, files: &[KnownFile]) -> Result<(), LibraryError>;
}
