//! The Torznab client against the simulated indexer, and against small servers for what that one does not do.

mod bad_days;
mod files;
mod odd_servers;
mod pages;
mod searching;

use std::time::Duration;

use chill_core::{ContentId, Found, Secret, Source, SourceError, Title, Wanted};
use chill_sim::{Indexer, Release, Torrent, World};

use super::{TorznabConfig, TorznabSource};
use crate::Http;

const FILM: &str = "tt0063350";
const SERIES: &str = "tt0047706";
const KEY: &str = "c4f2a9d1e8b74605";

fn source(url: &str) -> TorznabSource {
    let config = TorznabConfig { name: "home".to_owned(), url: url.parse().unwrap(), apikey: Secret::new(KEY) };
    TorznabSource::new(config, Http::new("chillproxy/test"))
}

fn wanted(content: &str, title: Option<(&str, Option<u16>)>) -> Wanted {
    let content: ContentId = content.parse().unwrap();
    let title = title.map(|(name, year)| Title::new(name, year));
    Wanted { content, title, budget: Duration::from_secs(10) }
}

/// A simulated indexer with a film, two episodes and their pack.
async fn shelf(indexer: Indexer) -> (World, TorznabSource) {
    let world = World::start().await.unwrap();
    world.torznab().set_indexer(Indexer { api_key: KEY.to_owned(), ..indexer });
    let film = Torrent::single("Night.of.the.Living.Dead.1968.1080p.mkv", 5_000);
    world
        .torznab()
        .add_release(Release::movie(&film, FILM, 12).titled("Night of the <Living> Dead & \"more\" 1968 'é'"));
    for (name, episode) in [
        ("The.Adventures.of.Robin.Hood.S01E02.720p", Some(2)),
        ("The.Adventures.of.Robin.Hood.S01E03.720p", Some(3)),
        ("The.Adventures.of.Robin.Hood.S01.720p", None),
    ] {
        let torrent = Torrent::new(name, [(format!("{name}.mkv"), 700)]);
        world.torznab().add_release(Release::episode(&torrent, SERIES, 1, episode, 3));
    }
    let source = source(&world.torznab_url());
    (world, source)
}

fn names(found: &[Found]) -> Vec<(&str, bool)> {
    found.iter().map(|found| (found.name.rsplit(' ').next().unwrap(), found.exact)).collect()
}

async fn failure(source: &TorznabSource, wanted: &Wanted) -> SourceError {
    source.search(wanted).await.unwrap_err()
}
