//! The known torrents that answer a query.

use std::collections::HashSet;

use chill_core::{ContentId, Library, LibraryError, Listed};
use chill_release::{Audio, Language, Release, normalise_title, parse};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::query::{Function, Query};
use super::{Refused, category};

/// Torrents looked at when nothing is named.
const NEWEST: usize = 1_000;

/// One torrent of the answer.
pub(super) struct Item {
    pub(super) listed: Listed,
    /// What its name says.
    pub(super) release: Release,
    pub(super) categories: Vec<u32>,
}

impl Item {
    pub(super) fn magnet(&self) -> String {
        let name = utf8_percent_encode(&self.listed.name, NON_ALPHANUMERIC);
        format!("magnet:?xt=urn:btih:{}&dn={name}", self.listed.hash)
    }

    /// Torznab's attributes, in the order they are written.
    pub(super) fn attributes(&self) -> Vec<(&'static str, String)> {
        let (listed, release) = (&self.listed, &self.release);
        let mut attributes: Vec<_> = self.categories.iter().map(|id| ("category", id.to_string())).collect();
        let mut add = |name, value: Option<String>| attributes.extend(value.map(|value| (name, value)));
        let imdb = listed.content.imdb();
        add("imdb", imdb.map(|imdb| imdb.trim_start_matches("tt").to_owned()));
        add("imdbid", imdb.map(str::to_owned));
        add("infohash", Some(listed.hash.to_string()));
        add("magneturl", Some(self.magnet()));
        add("seeders", listed.seeders.map(|seeders| seeders.to_string()));
        add("peers", listed.seeders.map(|seeders| seeders.to_string()));
        add("size", Some(listed.size.unwrap_or(0).to_string()));
        add("resolution", release.resolution.map(|resolution| resolution.to_string()));
        add("video", release.codec.map(|codec| codec.as_str().to_owned()));
        add("audio", joined(release.audio.iter().map(Audio::as_str)));
        add("language", joined(release.languages.iter().map(Language::as_str)));
        add("year", release.year.clone());
        attributes
    }
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> Option<String> {
    let words: Vec<&str> = words.collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// The page that was asked for, and how many torrents there are on all pages.
pub(super) struct Page {
    pub(super) items: Vec<Item>,
    pub(super) total: usize,
}

/// Finds the page: by id, by the words of a title, else the newest.
///
/// # Errors
/// Torznab's error 900 when the library is away.
pub(super) async fn search(library: &dyn Library, query: &Query) -> Result<Page, Refused> {
    let read = parse(&query.text);
    let listed = candidates(library, query, &read).await.map_err(|error| {
        tracing::warn!(%error, "a Torznab search found no library");
        Refused::new(900, "Unknown error: the library is not available now; try again")
    })?;
    let mut seen = HashSet::new();
    let wish = Wish::of(query, &read);
    let items = listed.into_iter().filter(|listed| seen.insert(listed.hash)).filter_map(|listed| {
        let release = parse(&listed.name);
        let categories = category::of(&listed.content, &release);
        let fits = wish.fits(&listed.content, &release) && category::wanted(&query.categories, &categories);
        fits.then_some(Item { listed, release, categories })
    });
    let items: Vec<Item> = items.collect();
    let total = items.len();
    Ok(Page { items: items.into_iter().skip(query.offset).take(query.limit).collect(), total })
}

async fn candidates(library: &dyn Library, query: &Query, read: &Release) -> Result<Vec<Listed>, LibraryError> {
    let works = match &query.imdb {
        Some(imdb) => vec![imdb.clone()],
        None if query.text.is_empty() => return library.newest(NEWEST).await,
        None => {
            let mut works = library.called(&normalise_title(&read.title)).await?;
            // A title may look like a year or an episode.
            works.extend(library.called(&normalise_title(&query.text)).await?);
            if let Some((title, _)) = counted(&query.text).filter(|_| works.is_empty()) {
                works = library.called(&normalise_title(title)).await?;
            }
            works
        }
    };
    let mut listed = Vec::new();
    for work in works {
        listed.extend(library.of_work(&work).await?);
    }
    Ok(listed)
}

/// A title and the number behind it, as anime is searched for: `Tidal Blades 137`.
fn counted(text: &str) -> Option<(&str, u16)> {
    let (title, number) = text.trim().rsplit_once(' ')?;
    Some((title, number.parse().ok().filter(|_| number.len() <= 4)?))
}

/// What a torrent must be of.
struct Wish {
    function: Function,
    season: Option<u16>,
    episode: Option<u16>,
    year: Option<u16>,
}

impl Wish {
    /// Numbers in the text count where no parameter gives them.
    fn of(query: &Query, read: &Release) -> Self {
        let year = read.years().map(|(first, _)| first);
        let through = counted(&query.text).filter(|_| read.episodes.is_empty() && year.is_none());
        Self {
            function: query.function,
            season: query.season.or_else(|| read.seasons.first().copied()),
            episode: query.episode.or_else(|| read.episodes.first().copied()).or(through.map(|(_, number)| number)),
            year: query.year.or(year),
        }
    }

    fn fits(&self, content: &ContentId, release: &Release) -> bool {
        let kind = match self.function {
            Function::Movie => content.is_film(),
            Function::Series => !content.is_film(),
            Function::Search | Function::Caps => true,
        };
        kind && self.fits_year(content, release) && self.fits_episode(content, release)
    }

    fn fits_year(&self, content: &ContentId, release: &Release) -> bool {
        match (self.year, release.years()) {
            (Some(year), Some((first, last))) if content.is_film() => {
                (first.saturating_sub(1)..=last.saturating_add(1)).contains(&year)
            }
            _ => true,
        }
    }

    /// A pack has all its episodes; what a name leaves out, the content it was found for may tell.
    fn fits_episode(&self, content: &ContentId, release: &Release) -> bool {
        let (of_season, of_episode) = match content {
            ContentId::Episode { season, episode, .. } => (Some(*season), Some(*episode)),
            ContentId::Anime { episode, .. } => (None, *episode),
            ContentId::Movie { .. } => (None, None),
        };
        let season = self.season.is_none_or(|season| match release.seasons.as_slice() {
            [] => of_season.is_none_or(|of| of == season),
            seasons => seasons.contains(&season),
        });
        let episode = self.episode.is_none_or(|episode| match release.episodes.as_slice() {
            [] => !release.seasons.is_empty() || release.complete || of_episode.is_none_or(|of| of == episode),
            episodes => episodes.contains(&episode),
        });
        season && episode
    }
}
