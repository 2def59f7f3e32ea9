//! One stream, as filters, orders and templates see it.

use chill_core::{InfoHash, StoreCode};
use chill_release::{Language, Release, Set};

/// Everything that is known of a stream before it is shown. It borrows, so making one costs nothing.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The addon that lists it, such as `Torz`.
    pub addon: &'a str,
    /// Which list the viewer asked for.
    pub category: Category,
    /// What is behind the stream.
    pub kind: Kind,
    /// Season and episode the viewer asked for; none for a film.
    pub wanted: Option<(u16, u16)>,
    /// What the name says.
    pub release: &'a Release,
    /// The torrent.
    pub hash: InfoHash,
    /// Name of the torrent.
    pub title: &'a str,
    /// Bytes of the whole torrent, when known.
    pub size: Option<u64>,
    /// How many peers have all of it, when known.
    pub seeders: Option<u32>,
    /// Which indexer told, by the name shown to viewers; empty when none did.
    pub indexer: &'a str,
    /// From a private tracker.
    pub private: bool,
    /// The file it would play.
    pub file: ChosenFile<'a>,
    /// The store it would come from; none before the stores were asked.
    pub store: Option<AtStore>,
    /// Bits per second, when the file was probed.
    pub bit_rate: Option<u64>,
    /// Languages of subtitles inside the file, when it was probed.
    pub subtitles: Set<Language>,
}

/// The file of a torrent that would be played; everything is unknown until the files are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChosenFile<'a> {
    /// Its place in the torrent, from 0.
    pub index: Option<u32>,
    /// Its name, without folders.
    pub name: Option<&'a str>,
    /// Its bytes.
    pub size: Option<u64>,
}

/// A store, and what it has of a torrent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtStore {
    /// Which one.
    pub code: StoreCode,
    /// It plays at once.
    pub cached: bool,
    /// The bytes come through us.
    pub proxied: bool,
}

/// Stremio's content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// A film.
    Movie,
    /// An episode.
    Series,
}

impl Category {
    /// As Stremio writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Movie => "movie",
            Self::Series => "series",
        }
    }
}

/// What is behind a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A torrent.
    Torz,
    /// A Usenet post.
    Newz,
}

impl Kind {
    /// As filters and templates see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Torz => "torz",
            Self::Newz => "newz",
        }
    }
}
