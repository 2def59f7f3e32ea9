//! Items that tell no hash but where their `.torrent` file is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use chill_core::InfoHash;
use chill_sim::{Fault, FaultRule};

use super::odd_servers::{CAPS, serve};
use super::*;

/// An indexer without hashes and magnets, and `count` films on it.
async fn files(count: u32) -> (World, TorznabSource) {
    let world = World::start().await.unwrap();
    let indexer = Indexer { api_key: KEY.to_owned(), magnets: false, infohash: false, ..Indexer::default() };
    world.torznab().set_indexer(indexer);
    for number in 0..count {
        let film = film(number);
        world.torznab().add_release(Release::movie(&film, FILM, number).with_file(&film));
    }
    let source = source(&world.torznab_url());
    (world, source)
}

fn film(number: u32) -> Torrent {
    Torrent::new(format!("Film.{number}"), [("a.mkv", 50_000_000), ("b.nfo", 100)]).with_own_hash()
}

fn hash(torrent: &Torrent) -> InfoHash {
    torrent.hash.parse().unwrap()
}

#[tokio::test]
async fn a_hash_is_computed_from_the_file() {
    let (world, source) = files(1).await;
    let found = source.search(&wanted(FILM, None)).await.unwrap();
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((one.hash, one.name.as_str(), one.size), (hash(&film(0)), "Film.0", Some(50_000_100)));
    assert!(one.exact && !one.private);
    assert_eq!(source.search(&wanted(FILM, None)).await.unwrap(), found);
    assert_eq!(world.torznab().calls_to("download"), 1, "a file is fetched once");
}

#[tokio::test]
async fn a_private_file_makes_the_torrent_private() {
    let (world, source) = files(0).await;
    let film = film(0).private().with_own_hash();
    world.torznab().add_release(Release::movie(&film, FILM, 1).with_file(&film));
    let found = source.search(&wanted(FILM, None)).await.unwrap();
    assert!(found[0].private && found[0].hash == hash(&film));
}

#[tokio::test]
async fn a_redirect_to_a_magnet_is_used() {
    let (world, source) = files(0).await;
    let film = Torrent::single("Film.mkv", 5_000);
    world.torznab().add_release(Release::movie(&film, FILM, 1));
    let found = source.search(&wanted(FILM, None)).await.unwrap();
    assert_eq!((found[0].hash, found[0].size), (hash(&film), Some(5_000)));
}

#[tokio::test]
async fn the_computed_hash_wins_over_what_is_said() {
    let (world, source) = files(0).await;
    let (film, other) = (film(0), "00000000000000000000000000000000000000aa");
    world.torznab().add_release(Release { hash: other.to_owned(), ..Release::movie(&film, FILM, 1).with_file(&film) });
    assert_eq!(source.search(&wanted(FILM, None)).await.unwrap()[0].hash, hash(&film));
    // From here on the item says a hash, and the file is known to have another one.
    world.torznab().set_indexer(Indexer { infohash: true, ..world.torznab().indexer() });
    assert_eq!(source.search(&wanted(FILM, None)).await.unwrap()[0].hash, hash(&film));
    assert_eq!(world.torznab().calls_to("download"), 1);
}

#[tokio::test]
async fn an_item_that_says_its_hash_costs_no_fetch() {
    let (world, source) = files(3).await;
    world.torznab().set_indexer(Indexer { infohash: true, ..world.torznab().indexer() });
    assert_eq!(source.search(&wanted(FILM, None)).await.unwrap().len(), 3);
    assert_eq!(world.torznab().calls_to("download"), 0);
}

#[tokio::test]
async fn a_search_fetches_forty_files_and_the_next_ones_the_rest() {
    let (world, source) = files(50).await;
    let mut counts = Vec::new();
    for _ in 0..3 {
        let found = source.search(&wanted(FILM, None)).await.unwrap();
        assert_eq!(found[0].seeders, Some(49), "the best seeded first");
        counts.push((found.len(), world.torznab().calls_to("download")));
    }
    assert_eq!(counts, [(40, 40), (50, 50), (50, 50)]);
}

#[tokio::test]
async fn what_comes_late_is_there_for_the_next_search() {
    let (world, source) = files(2).await;
    world.torznab().add_fault(FaultRule::new("download", Fault::Latency { ms: 700 }).times(1));
    let mut hasty = wanted(FILM, None);
    hasty.budget = Duration::from_millis(400);
    let started = std::time::Instant::now();
    assert_eq!(source.search(&hasty).await.unwrap().len(), 1, "the other one is not waited for");
    assert!(started.elapsed() < Duration::from_millis(400), "and the search ends within its budget");
    assert_eq!(source.search(&wanted(FILM, None)).await.unwrap().len(), 2);
    assert_eq!(world.torznab().calls_to("download"), 2, "what was begun is not begun again");
}

#[tokio::test]
async fn what_is_no_torrent_is_left_alone_for_ten_minutes() {
    for fault in [
        Fault::HtmlPage,
        Fault::HtmlBadGateway,
        Fault::Garbage,
        Fault::Reset,
        Fault::HugeBody { bytes: 50 << 20 },
        Fault::TruncatedJson,
    ] {
        let (world, source) = files(2).await;
        world.torznab().fault("download", fault.clone(), 1);
        for _ in 0..2 {
            assert_eq!(source.search(&wanted(FILM, None)).await.unwrap().len(), 1, "{fault:?}");
        }
        assert_eq!(world.torznab().calls_to("download"), 2, "{fault:?}");
        super::searching::later(Duration::from_secs(601)).await;
        assert_eq!(source.search(&wanted(FILM, None)).await.unwrap().len(), 2, "{fault:?}");
        assert_eq!(world.torznab().calls_to("download"), 3, "{fault:?}");
    }
}

#[tokio::test]
async fn a_known_file_is_asked_for_again_after_six_hours() {
    let (world, source) = files(1).await;
    source.search(&wanted(FILM, None)).await.unwrap();
    super::searching::later(Duration::from_secs(6 * 3600 + 1)).await;
    assert_eq!(source.search(&wanted(FILM, None)).await.unwrap().len(), 1);
    assert_eq!(world.torznab().calls_to("download"), 2);
}

/// An indexer whose only item links to `link`, and whose own `/file` answers with `file`.
async fn linking(link: impl Fn(&str) -> String, file: impl Fn() -> Response + Clone + Send + Sync + 'static) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let home = format!("http://{}", listener.local_addr().unwrap());
    let item = format!("<item><title>Film</title><link>{}</link></item>", link(&home).replace('&', "&amp;"));
    let feed = format!("<rss><channel>{item}</channel></rss>");
    let api = move |axum::extract::RawQuery(query): axum::extract::RawQuery| {
        let is_caps = query.is_some_and(|query| query.contains("t=caps"));
        std::future::ready(if is_caps { CAPS.to_owned() } else { feed.clone() })
    };
    let file = move || std::future::ready(file());
    let router = Router::new().route("/api", get(api)).route("/file", get(file));
    tokio::spawn(async move { axum::serve(listener, router).await });
    home
}

/// A server of somebody else that would give a file, and how often it was asked.
async fn stranger() -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let give = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(film(7).metainfo())
    };
    (serve(Router::new().fallback(give)).await, asked)
}

fn none() -> Response {
    http::StatusCode::NOT_FOUND.into_response()
}

#[tokio::test]
async fn links_into_the_operators_network_are_not_followed() {
    let (stranger, asked) = stranger().await;
    for place in [stranger.clone(), stranger.replace("127.0.0.1", "localhost"), stranger.replace("127.0.0.1", "[::1]")]
    {
        let (direct, there) = (place.clone(), format!("{place}/a"));
        let home = linking(|_| format!("{direct}/file.torrent"), none).await;
        assert_eq!(source(&home).search(&wanted(FILM, None)).await.unwrap(), [], "{place}");
        let home = linking(|home| format!("{home}/file"), move || Redirect::temporary(&there).into_response()).await;
        assert_eq!(source(&home).search(&wanted(FILM, None)).await.unwrap(), [], "{place} behind a redirect");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    // The same links work where such addresses count as public: it is the address that was refused.
    let home = linking(|_| format!("{stranger}/file.torrent"), none).await;
    let open = open(&home);
    assert_eq!(open.search(&wanted(FILM, None)).await.unwrap()[0].hash, hash(&film(7)));
}

fn open(home: &str) -> TorznabSource {
    let config = TorznabConfig { name: "home".to_owned(), url: home.parse().unwrap(), apikey: Secret::new(KEY) };
    TorznabSource::new(config, Http::all_public())
}

#[tokio::test]
async fn the_indexers_key_reaches_no_other_host() {
    let (stranger, asked) = stranger().await;
    let home = linking(|_| format!("{stranger}/file?a=1&apikey={KEY}"), none).await;
    assert_eq!(open(&home).search(&wanted(FILM, None)).await.unwrap(), []);
    let to = format!("{stranger}/file?apikey={KEY}");
    let home = linking(|home| format!("{home}/file"), move || Redirect::temporary(&to).into_response()).await;
    assert_eq!(open(&home).search(&wanted(FILM, None)).await.unwrap(), []);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    let to = format!("{stranger}/file");
    let home = linking(|home| format!("{home}/file?apikey={KEY}"), move || Redirect::temporary(&to).into_response());
    assert_eq!(open(&home.await).search(&wanted(FILM, None)).await.unwrap().len(), 1, "without the key it may");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn redirects_end() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let round = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        Redirect::temporary("/file").into_response()
    };
    let home = linking(|home| format!("{home}/file"), round).await;
    assert_eq!(source(&home).search(&wanted(FILM, None)).await.unwrap(), []);
    assert_eq!(count.load(Ordering::Relaxed), 4, "the link and three redirects");
}
