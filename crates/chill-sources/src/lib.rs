//! Where titles and torrents come from: Torznab indexers with their `.torrent` files, Cinemeta, Kitsu, IMDb's dataset.
//!
//! For: asking indexers for what a viewer wants and reading whatever they answer; finding out what a film is called.
//!
//! Refuses: to know users, store keys or databases; to put an indexer's key or address into an error or a log; to read an
//! answer without bounds; to go into the operator's network because an indexer's answer says so.
//!
//! Start reading at [`TorznabSource`] and [`Cinemeta`]; [`parse_indexers`] reads the operator's list, [`Http`] is the
//! client they share. [`AnimeTitles`] joins what is known of anime. [`ImdbFile`], [`AnimeMapFile`] and [`Torrent`] read
//! files.

mod anime;
mod cinemeta;
mod first_of;
mod http_client;
mod imdb_file;
mod kept;
mod public;
mod torrent;
mod torznab;

pub use anime::{AnimeFileError, AnimeMapFile, AnimeTitles, Kitsu};
pub use cinemeta::Cinemeta;
pub use first_of::FirstOf;
pub use http_client::Http;
pub use imdb_file::{ImdbFile, ImdbFileError, TitleKind, TitleRow};
pub use torrent::{Torrent, TorrentError};
#[doc(hidden)]
pub use torznab::doors as fuzz;
pub use torznab::{IndexersError, OwnIndexers, TorznabConfig, TorznabSource, parse_indexers};
