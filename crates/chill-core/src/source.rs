//! Where titles and torrents come from, as the edge sees them.

use std::time::Duration;

use async_trait::async_trait;

use crate::{ContentId, InfoHash};

/// What a film or series is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title {
    /// Its name.
    pub name: String,
    /// Year of the film, or the first year of the series.
    pub year: Option<u16>,
}

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The film or episode.
    pub content: ContentId,
    /// Its title, when it could be found out; without it only sources that know IMDb ids can search.
    pub title: Option<Title>,
    /// After this long a source returns what it has.
    pub budget: Duration,
}

/// A torrent a source knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its hash.
    pub hash: InfoHash,
    /// The release name.
    pub name: String,
    /// Bytes of the whole torrent, when known.
    pub size: Option<u64>,
    /// How many peers have all of it, when known.
    pub seeders: Option<u32>,
    /// Which indexer told, by the operator's name for it.
    pub source: String,
    /// From a private tracker: never shown to others.
    pub private: bool,
    /// The source searched by id, so the release needs no check against the title.
    pub exact: bool,
}

/// A source could not search. What it found before is not lost: a source returns partial results as success.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{origin}: {message}")]
pub struct SourceError {
    /// The operator's name for the source.
    pub origin: String,
    /// What happened, without keys and URLs.
    pub message: String,
}

/// A place that knows torrents.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// The operator's name for it.
    fn name(&self) -> &str;

    /// Torrents for what is wanted, at most some hundreds, within the budget.
    ///
    /// # Errors
    /// [`SourceError`] when nothing at all could be found out.
    async fn search(&self, wanted: &Wanted) -> Result<Vec<Found>, SourceError>;
}

/// A place that knows titles.
#[async_trait]
pub trait Titles: Send + Sync + 'static {
    /// The title of a film or series; `None` when nobody knows the id.
    ///
    /// # Errors
    /// [`SourceError`] when the place cannot be asked.
    async fn title(&self, content: &ContentId) -> Result<Option<Title>, SourceError>;
}
