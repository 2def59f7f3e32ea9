//! What a viewer asked for, as Stremio names it: a film or one episode.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::id::InvalidId;

/// A film or an episode: by its IMDb id (`tt0063350`, `tt0047706:1:2`), or an anime's by a catalogue of anime
/// (`kitsu:7442:5`, `mal:16498:5`, a film without episode).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ContentId {
    /// A film.
    Movie {
        /// IMDb id with its `tt`.
        imdb: String,
    },
    /// One episode of a series.
    Episode {
        /// IMDb id of the series with its `tt`.
        imdb: String,
        /// Season; 0 holds the specials.
        season: u16,
        /// Episode within the season.
        episode: u16,
    },
    /// An anime film, or one episode of an anime.
    Anime {
        /// The film, or the part of a series that the catalogue has as one work: mostly a season.
        id: AnimeId,
        /// The episode as that work counts; none for a film.
        episode: Option<u16>,
    },
}

/// A work in a catalogue of anime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AnimeId {
    /// Which catalogue.
    pub site: AnimeSite,
    /// Its number there.
    pub number: u32,
}

/// A catalogue of anime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AnimeSite {
    /// Kitsu.
    Kitsu,
    /// MyAnimeList.
    Mal,
}

impl AnimeSite {
    /// As ids begin: `kitsu`, `mal`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kitsu => "kitsu",
            Self::Mal => "mal",
        }
    }
}

impl fmt::Display for AnimeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.site.as_str(), self.number)
    }
}

impl ContentId {
    /// What Stremio's ids of this kind begin with.
    pub const PREFIXES: [&str; 3] = ["tt", "kitsu:", "mal:"];

    /// IMDb id of the film or of the whole series, when that is how it was asked for.
    #[must_use]
    pub fn imdb(&self) -> Option<&str> {
        match self {
            Self::Movie { imdb } | Self::Episode { imdb, .. } => Some(imdb),
            Self::Anime { .. } => None,
        }
    }

    /// The id of the film or of the whole series: without its episode.
    #[must_use]
    pub fn work(&self) -> Cow<'_, str> {
        match self {
            Self::Movie { imdb } | Self::Episode { imdb, .. } => Cow::Borrowed(imdb),
            Self::Anime { id, .. } => Cow::Owned(id.to_string()),
        }
    }

    /// Whether it is a film.
    #[must_use]
    pub fn is_film(&self) -> bool {
        matches!(self, Self::Movie { .. } | Self::Anime { episode: None, .. })
    }

    /// The content type as catalogues name it: `movie` or `series`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.is_film() { "movie" } else { "series" }
    }

    /// Whether Stremio may ask for it with this content type: anime also has a type of its own.
    #[must_use]
    pub fn is_of_type(&self, kind: &str) -> bool {
        match self {
            Self::Anime { .. } => matches!(kind, "movie" | "series" | "anime"),
            _ => kind == self.kind(),
        }
    }
}

impl FromStr for ContentId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId {
            what: "the content id",
            expected: "tt0063350 or kitsu:1376 for a film, tt0047706:1:2, kitsu:7442:5 or mal:16498:5 for an episode",
        };
        let mut parts = text.split(':');
        let first = parts.next().unwrap_or_default();
        let site = [AnimeSite::Kitsu, AnimeSite::Mal].into_iter().find(|site| site.as_str() == first);
        let read = match site {
            Some(site) => anime(site, parts),
            None => imdb(first, parts),
        };
        read.ok_or(invalid)
    }
}

type Parts<'a> = std::str::Split<'a, char>;

fn imdb(first: &str, mut parts: Parts<'_>) -> Option<ContentId> {
    let imdb = Some(first).filter(|id| is_imdb(id))?.to_owned();
    match (parts.next(), parts.next(), parts.next()) {
        (None, None, None) => Some(ContentId::Movie { imdb }),
        (Some(season), Some(episode), None) => {
            Some(ContentId::Episode { imdb, season: number(season)?, episode: number(episode)? })
        }
        _ => None,
    }
}

fn anime(site: AnimeSite, mut parts: Parts<'_>) -> Option<ContentId> {
    let number_text = parts.next().filter(|text| digits(text, 9))?;
    let id = AnimeId { site, number: number_text.parse().ok().filter(|number| *number > 0)? };
    match (parts.next(), parts.next()) {
        (None, None) => Some(ContentId::Anime { id, episode: None }),
        (Some(episode), None) => Some(ContentId::Anime { id, episode: Some(number(episode)?) }),
        _ => None,
    }
}

fn number(part: &str) -> Option<u16> {
    digits(part, 4).then(|| part.parse().ok()).flatten()
}

fn digits(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Movie { imdb } => f.write_str(imdb),
            Self::Episode { imdb, season, episode } => write!(f, "{imdb}:{season}:{episode}"),
            Self::Anime { id, episode: None } => write!(f, "{id}"),
            Self::Anime { id, episode: Some(episode) } => write!(f, "{id}:{episode}"),
        }
    }
}

/// Whether it is an IMDb id of a title: `tt` and digits.
#[must_use]
pub fn is_imdb(text: &str) -> bool {
    text.strip_prefix("tt").is_some_and(|n| digits(n, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn films_and_episodes_round_trip() {
        for text in ["tt0063350", "tt0047706:1:2", "tt0047706:0:15", "kitsu:1376", "kitsu:12:1071", "mal:16498:5"] {
            assert_eq!(text.parse::<ContentId>().unwrap().to_string(), text);
        }
        let episode = "tt0047706:01:02".parse::<ContentId>().unwrap();
        assert_eq!(episode, ContentId::Episode { imdb: "tt0047706".to_owned(), season: 1, episode: 2 });
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "tt",
            "0063350",
            "ttabc",
            "tt1:1",
            "tt1:1:2:3",
            "tt1:a:b",
            "tt1:99999:1",
            "tt99999999999",
            "tt1:-1:2",
            "kitsu",
            "kitsu:",
            "kitsu:0:1",
            "kitsu:x:1",
            "kitsu:1:2:3",
            "kitsu:1:",
            "kitsu:9999999999",
            "anilist:1:2",
        ] {
            assert!(text.parse::<ContentId>().is_err(), "{text}");
        }
    }

    #[test]
    fn works_and_kinds() {
        for (text, work, kind, types) in [
            ("tt1", "tt1", "movie", ["movie"].as_slice()),
            ("tt1:2:3", "tt1", "series", ["series"].as_slice()),
            ("kitsu:5", "kitsu:5", "movie", ["movie", "series", "anime"].as_slice()),
            ("mal:5:7", "mal:5", "series", ["movie", "series", "anime"].as_slice()),
        ] {
            let content: ContentId = text.parse().unwrap();
            assert_eq!((content.work().as_ref(), content.kind()), (work, kind));
            let fits = ["movie", "series", "anime", "tv"].into_iter().filter(|kind| content.is_of_type(kind));
            assert_eq!(fits.collect::<Vec<_>>(), types, "{text}");
        }
    }
}
