//! What a viewer asked for, as Stremio names it: a film or one episode.

use std::fmt;
use std::str::FromStr;

use crate::id::InvalidId;

/// A film or an episode by its IMDb id: `tt0063350` or `tt0047706:1:2`.
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
}

impl ContentId {
    /// IMDb id of the film or of the whole series.
    #[must_use]
    pub fn imdb(&self) -> &str {
        match self {
            Self::Movie { imdb } | Self::Episode { imdb, .. } => imdb,
        }
    }

    /// Season and episode, when it is an episode.
    #[must_use]
    pub fn episode(&self) -> Option<(u16, u16)> {
        match self {
            Self::Movie { .. } => None,
            Self::Episode { season, episode, .. } => Some((*season, *episode)),
        }
    }

    /// Stremio's content type: `movie` or `series`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Movie { .. } => "movie",
            Self::Episode { .. } => "series",
        }
    }
}

impl FromStr for ContentId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid =
            InvalidId { what: "the content id", expected: "tt0063350 for a film or tt0047706:1:2 for an episode" };
        let mut parts = text.split(':');
        let imdb = parts.next().filter(|id| is_imdb(id)).ok_or(invalid.clone())?.to_owned();
        let number = |part: &str| {
            let short = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            short.then(|| part.parse::<u16>().ok()).flatten()
        };
        match (parts.next(), parts.next(), parts.next()) {
            (None, None, None) => Ok(Self::Movie { imdb }),
            (Some(season), Some(episode), None) => match (number(season), number(episode)) {
                (Some(season), Some(episode)) => Ok(Self::Episode { imdb, season, episode }),
                _ => Err(invalid),
            },
            _ => Err(invalid),
        }
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Movie { imdb } => f.write_str(imdb),
            Self::Episode { imdb, season, episode } => write!(f, "{imdb}:{season}:{episode}"),
        }
    }
}

fn is_imdb(text: &str) -> bool {
    text.strip_prefix("tt").is_some_and(|n| (1..=10).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn films_and_episodes_round_trip() {
        for text in ["tt0063350", "tt0047706:1:2", "tt0047706:0:15"] {
            assert_eq!(text.parse::<ContentId>().unwrap().to_string(), text);
        }
        assert_eq!("tt0047706:01:02".parse::<ContentId>().unwrap().episode(), Some((1, 2)));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in
            ["", "tt", "0063350", "ttabc", "tt1:1", "tt1:1:2:3", "tt1:a:b", "tt1:99999:1", "tt99999999999", "tt1:-1:2"]
        {
            assert!(text.parse::<ContentId>().is_err(), "{text}");
        }
    }
}
