//! A map of anime ids as a file: a JSON array of objects, one anime each, as the open list of Fribb's anime-lists has it.
//!
//! Read: `kitsu_id`, `mal_id`, `imdb_id`, `type`, `season`, `episode_offset` and `episodes`, which is how many it has; season and
//! offset are a number or an object with `tvdb` or `tmdb`. Everything else, and what cannot be read, is passed over.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};

use chill_core::content::is_imdb;
use chill_core::{AnimeId, AnimePlace, AnimeSite};
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::Value;

/// Bytes of a file; the whole list has some ten million.
const BYTES: u64 = 128 << 20;
/// Anime in a file; the whole list has some forty thousand.
const ENTRIES: usize = 500_000;

/// A map that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnimeMapFile {
    /// The places, by the ids of both catalogues.
    pub places: BTreeMap<AnimeId, AnimePlace>,
    /// Anime in the file.
    pub entries: usize,
    /// Those without any id that is looked up.
    pub skipped: usize,
}

/// A file that is no map.
#[derive(Debug, thiserror::Error)]
pub enum AnimeFileError {
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// It is not JSON of this shape.
    #[error("this is no map of anime: {0}; expected a JSON array of objects with `kitsu_id`, `mal_id` and `imdb_id`")]
    Malformed(#[source] serde_json::Error),
    /// No entry has an id.
    #[error("this is no map of anime: none of its {0} entries has a `kitsu_id` or `mal_id`")]
    Empty(usize),
    /// More than is read.
    #[error("the file is too large: at most {} MB and {ENTRIES} anime are read", BYTES >> 20)]
    TooLarge,
}

impl AnimeMapFile {
    /// Reads a map, one anime after the other.
    ///
    /// # Errors
    /// [`AnimeFileError`].
    pub fn read(from: impl Read) -> Result<Self, AnimeFileError> {
        let mut from = io::BufReader::new(from.take(BYTES));
        let mut json = serde_json::Deserializer::from_reader(&mut from);
        let read = json.deserialize_seq(Entries).and_then(|map| json.end().map(|()| map));
        let full = from.get_ref().limit() == 0;
        match read {
            Ok(map) if map.entries > ENTRIES => Err(AnimeFileError::TooLarge),
            Ok(map) if map.places.is_empty() => Err(AnimeFileError::Empty(map.entries)),
            Ok(map) => Ok(map),
            Err(_) if full => Err(AnimeFileError::TooLarge),
            Err(error) if error.is_io() => Err(AnimeFileError::Unreadable(error.into())),
            Err(error) => Err(AnimeFileError::Malformed(error)),
        }
    }

    fn add(&mut self, entry: &Value) {
        self.entries += 1;
        let id = |key: &str| number(entry.get(key)?).and_then(|id| u32::try_from(id).ok()).filter(|id| *id > 0);
        let (kitsu, mal) = (id("kitsu_id"), id("mal_id"));
        let film = entry.get("type").and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("movie"));
        let place = AnimePlace {
            kitsu,
            imdb: entry.get("imdb_id").and_then(first_imdb),
            season: entry.get("season").and_then(of_series).filter(|_| !film),
            offset: entry.get("episode_offset").and_then(of_series).unwrap_or(0),
            episodes: entry.get("episodes").and_then(of_series).filter(|episodes| *episodes > 0),
        };
        let ids = [(AnimeSite::Kitsu, kitsu), (AnimeSite::Mal, mal)];
        let ids: Vec<_> = ids.into_iter().filter_map(|(site, id)| Some(AnimeId { site, number: id? })).collect();
        self.skipped += usize::from(ids.is_empty());
        for id in ids {
            self.places.entry(id).or_insert_with(|| place.clone());
        }
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = AnimeMapFile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<AnimeMapFile, A::Error> {
        let mut map = AnimeMapFile::default();
        while let Some(entry) = entries.next_element::<Value>()? {
            map.add(&entry);
            if map.entries > ENTRIES {
                break;
            }
        }
        Ok(map)
    }
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The first of one or several ids.
fn first_imdb(value: &Value) -> Option<String> {
    let text = match value {
        Value::Array(ids) => ids.iter().find_map(Value::as_str)?,
        other => other.as_str()?,
    };
    text.split(',').map(str::trim).find(|id| is_imdb(id)).map(str::to_owned)
}

/// A number of the series' own counting; -1 stands for none.
fn of_series(value: &Value) -> Option<u16> {
    let value = match value {
        Value::Object(sites) => ["tvdb", "tmdb"].iter().find_map(|site| sites.get(*site))?,
        other => other,
    };
    number(value).and_then(|number| u16::try_from(number).ok())
}
