//! Where titles and torrents come from, as the edge sees them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{AnimeId, ContentId, InfoHash, Secret};

/// What a film or series is called, and how its episodes count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Title {
    /// Its name.
    pub name: String,
    /// Year of the film, or the first year of the series.
    pub year: Option<u16>,
    /// Its other names: the original one, and for anime the one in Latin letters.
    pub also: Vec<String>,
    /// Names of one part of a series alone, whose episodes count from one. Only for anime.
    pub part: Vec<String>,
    /// The numbers of the episode that was asked for, where they are known better than its id gives them.
    pub numbers: Option<Numbers>,
    /// IMDb id of an anime's film or series.
    pub imdb: Option<String>,
    /// Releases count its episodes as anime: within the season, or through all of them.
    pub is_anime: bool,
}

impl Title {
    /// One with a name and perhaps a year.
    #[must_use]
    pub fn new(name: impl Into<String>, year: Option<u16>) -> Self {
        Self { name: name.into(), year, ..Self::default() }
    }

    /// The name and the other names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.also).map(String::as_str)
    }
}

/// The numbers under which releases have an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Numbers {
    /// Season; 0 holds the specials, none when it is not known.
    pub season: Option<u16>,
    /// Episode within the season.
    pub episode: u16,
    /// Its number when the episodes of all seasons are counted through.
    pub absolute: Option<u16>,
    /// Episode within the part of the series that a catalogue of anime has as one work.
    pub own: u16,
}

impl Numbers {
    /// The numbers of an episode; none for a film.
    #[must_use]
    pub fn of(content: &ContentId, title: Option<&Title>) -> Option<Self> {
        match *content {
            ContentId::Movie { .. } | ContentId::Anime { episode: None, .. } => None,
            ContentId::Episode { season, episode, .. } => {
                let plain = Self { season: Some(season), episode, absolute: None, own: episode };
                Some(title.and_then(|title| title.numbers).unwrap_or(plain))
            }
            ContentId::Anime { episode: Some(episode), .. } => {
                let plain = Self { season: None, episode, absolute: Some(episode), own: episode };
                Some(title.and_then(|title| title.numbers).unwrap_or(plain))
            }
        }
    }
}

/// Where an anime stands among the films and series of IMDb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnimePlace {
    /// Its number in the other catalogue, Kitsu, when that is known.
    pub kitsu: Option<u32>,
    /// IMDb id of the film or series.
    pub imdb: Option<String>,
    /// Season of the series that its episodes are in.
    pub season: Option<u16>,
    /// How many episodes of that season come before its first.
    pub offset: u16,
    /// How many episodes it has, when the map says so.
    pub episodes: Option<u16>,
}

/// A map from anime catalogues to IMDb.
#[async_trait]
pub trait AnimePlaces: Send + Sync + 'static {
    /// The place of an anime; `None` when the map does not have it.
    ///
    /// # Errors
    /// [`SourceError`] when the map cannot be read.
    async fn place(&self, id: AnimeId) -> Result<Option<AnimePlace>, SourceError>;

    /// The anime that a film or series of IMDb is, each once, by season and offset, at most some hundreds.
    ///
    /// # Errors
    /// [`SourceError`] when the map cannot be read.
    async fn of_imdb(&self, imdb: &str) -> Result<Vec<(AnimeId, AnimePlace)>, SourceError>;
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

impl Wanted {
    /// The numbers of the episode; none for a film.
    #[must_use]
    pub fn numbers(&self) -> Option<Numbers> {
        Numbers::of(&self.content, self.title.as_ref())
    }

    /// IMDb id of the film or series, by which it was asked for or which the map of anime gives.
    #[must_use]
    pub fn imdb(&self) -> Option<&str> {
        self.content.imdb().or_else(|| self.title.as_ref()?.imdb.as_deref())
    }

    /// Whether releases count its episodes as anime.
    #[must_use]
    pub fn is_anime(&self) -> bool {
        is_anime(&self.content, self.title.as_ref())
    }
}

/// Whether it is an anime: by the id it was asked for with, or by what is known of it.
#[must_use]
pub fn is_anime(content: &ContentId, title: Option<&Title>) -> bool {
    matches!(content, ContentId::Anime { .. }) || title.is_some_and(|title| title.is_anime)
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

/// An indexer of a viewer's own, as his link names it.
#[derive(Clone)]
pub struct OwnIndexer {
    /// Which program it is in: `generic`, `jackett` or `prowlarr`.
    pub kind: String,
    /// Its address, in one of the forms of that program; not checked yet.
    pub url: String,
    /// Its key; may be empty.
    pub apikey: Secret,
}

impl fmt::Debug for OwnIndexer {
    /// Without the address, which is the viewer's own affair.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnIndexer").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Makes sources of the indexers that viewers name.
#[async_trait]
pub trait Indexers: Send + Sync + 'static {
    /// The indexer as a source.
    ///
    /// # Errors
    /// A sentence that says what is wrong with its address; it does not repeat it.
    async fn open(&self, own: &OwnIndexer) -> Result<Arc<dyn Source>, String>;

    /// Asks the indexer whether it takes the key, and says what it can do.
    ///
    /// # Errors
    /// A sentence without address and key.
    async fn check(&self, own: &OwnIndexer) -> Result<String, String>;
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
