//! Where titles and torrents come from: Torznab indexers and Cinemeta.
//!
//! For: asking indexers for what a viewer wants and reading whatever they answer; finding out what a film is called.
//!
//! Refuses: to know users, store keys or databases; to put an indexer's key or address into an error or a log; to read an
//! answer without bounds.
//!
//! Start reading at [`TorznabSource`] and [`Cinemeta`]; [`parse_indexers`] reads the operator's list, [`Http`] is the
//! client they share.

mod cinemeta;
mod http_client;
mod public;
mod torrent;
mod torznab;

pub use cinemeta::Cinemeta;
pub use http_client::Http;
pub use torrent::{Torrent, TorrentError};
pub use torznab::{IndexersError, TorznabConfig, TorznabSource, parse_indexers};
