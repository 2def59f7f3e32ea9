//! One release an indexer lists.

use serde::{Deserialize, Serialize};

use crate::torbox::Torrent;

/// A release; [`Release::movie`] and [`Release::episode`] fill what every one has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Release name; may hold anything, it is escaped in the feed.
    pub title: String,
    /// Infohash.
    pub hash: String,
    /// Bytes.
    pub size: u64,
    /// IMDb id with `tt`, where the indexer knows it.
    #[serde(default)]
    pub imdb: Option<String>,
    /// Season, for series.
    #[serde(default)]
    pub season: Option<u32>,
    /// Episode; none for a season pack.
    #[serde(default)]
    pub episode: Option<u32>,
    /// Torznab categories, e.g. 2000 movies, 2040 movies in HD, 5000 series, 5040 series in HD.
    pub categories: Vec<u32>,
    /// Seeders.
    #[serde(default)]
    pub seeders: u32,
    /// Seeders and leechers together.
    #[serde(default)]
    pub peers: u32,
    /// Age in days.
    #[serde(default)]
    pub age_days: u32,
    /// An indexer without magnets gives this torrent's file; without it, its download address redirects to the magnet.
    #[serde(default)]
    pub file: Option<Torrent>,
}

impl Release {
    /// A film's release for a torrent, in category 2040.
    pub fn movie(torrent: &Torrent, imdb: &str, seeders: u32) -> Self {
        Self {
            title: torrent.name.clone(),
            hash: torrent.hash.clone(),
            size: torrent.size(),
            imdb: Some(imdb.to_owned()),
            season: None,
            episode: None,
            categories: vec![2000, 2040],
            seeders,
            peers: seeders + seeders / 4,
            age_days: 30,
            file: None,
        }
    }

    /// A series' release for a torrent, in category 5040; without `episode` it is a season pack.
    pub fn episode(torrent: &Torrent, imdb: &str, season: u32, episode: Option<u32>, seeders: u32) -> Self {
        let film = Self::movie(torrent, imdb, seeders);
        Self { season: Some(season), episode, categories: vec![5000, 5040], ..film }
    }

    /// Under another name than the torrent's.
    #[must_use]
    pub fn titled(mut self, title: &str) -> Self {
        title.clone_into(&mut self.title);
        self
    }

    /// Given out as a `.torrent` file: this torrent's, which should be the release's own.
    #[must_use]
    pub fn with_file(mut self, torrent: &Torrent) -> Self {
        self.file = Some(torrent.clone());
        self
    }

    pub(super) fn magnet(&self) -> String {
        let name = percent_encoding::utf8_percent_encode(&self.title, percent_encoding::NON_ALPHANUMERIC);
        format!("magnet:?xt=urn:btih:{}&dn={name}&tr=udp%3A%2F%2Ftracker.example.net%3A6969", self.hash)
    }
}
