//! What a stream list costs without a socket: an edge with a real control plane on SQLite, a real TorBox client, indexer
//! and Cinemeta client around it, all of them asked once and cached from then on. Prints one line of JSON: µs of CPU per
//! request, the median of interleaved slices with the least and the most.
//!
//! `cargo xtask bench streams` runs it. What each figure includes:
//!
//! * `no_route`: the router says there is nothing there;
//! * `who_asks`: a list that needs no right: link decoded, address, device and public address found out;
//! * `leased`: an empty list of a known film: the same, and a cached lease, the film's gathering and its layout looked up;
//! * `fifty`, `hundred`, `thousand`: the same with streams to write;
//! * `serde`: the hundred streams written by `serde_json` from structs, without anything else.

use std::error::Error;
use std::hint::black_box;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use chill_control::{Actor, AddKey, AddUser, Control, ControlConfig, MasterKeys, Vault};
use chill_core::pool::{Passport, Terms};
use chill_core::{Chance, Clock, Found, Secret, Source, SourceError, StoreCode, Wanted};
use chill_db::{Db, DbUrl, Options, SqliteSpool, TorrentLibrary};
use chill_edge::{Edge, EdgeConfig, Ports, router};
use chill_sim::{Plan, Release, Title, Torrent, World};
use chill_sources::{Cinemeta, Http, TorznabSource, parse_indexers};
use chill_stores::StoresConfig;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use http::{Request, StatusCode};

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Interleaved slices of each kind of request.
const ROUNDS: usize = 9;
const SLICE: Duration = Duration::from_millis(250);
/// The account at the simulated store.
const ACCOUNT: &str = "bench-store-key-0123456789";
const EMPTY: (&str, usize) = ("tt9000000", 0);
const FIFTY: (&str, usize) = ("tt9000050", 50);
const HUNDRED: (&str, usize) = ("tt9000100", 100);
const THOUSAND: (&str, usize) = ("tt9001000", 1_000);

/// One stream as players read it, for the comparison with `serde_json`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stream {
    url: String,
    name: String,
    description: String,
    behavior_hints: Hints,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Hints {
    binge_group: String,
    filename: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    video_size: Option<u64>,
}

#[derive(Debug, Deserialize, Serialize)]
struct List {
    streams: Vec<Stream>,
}

fn main() -> Outcome<()> {
    // One thread, so that its CPU time is the request's alone.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure())
}

async fn measure() -> Outcome<()> {
    let world = World::start().await?;
    for film in [EMPTY, FIFTY, HUNDRED, THOUSAND] {
        seed(&world, film);
    }
    let directory = tempfile::tempdir()?;
    let (edge, link) = edge(&world, directory.path()).await?;
    let stop = CancellationToken::new();
    let background = tokio::spawn({
        let (edge, stop) = (Arc::clone(&edge), stop.clone());
        async move { edge.background(stop).await }
    });
    let app = router(edge);
    let json = format!(r#"{{"stores":[{{"c":"tb","auth":"{link}"}}]}}"#);
    let addon = format!("/stremio/torz/{}", BASE64URL_NOPAD.encode(json.as_bytes()));
    let film = |(id, _): (&str, usize)| format!("{addon}/stream/movie/{id}.json");
    let kinds = [
        ("no_route", "/nothing/there".to_owned()),
        ("who_asks", format!("{addon}/stream/movie/tmdb:1.json")),
        ("leased", film(EMPTY)),
        ("fifty", film(FIFTY)),
        ("thousand", film(THOUSAND)),
        ("hundred", film(HUNDRED)),
    ];
    let body = warm_up(&app, &kinds).await?;
    let list: List = serde_json::from_slice(&body)?;
    let mut took: Vec<Vec<f64>> = vec![Vec::new(); kinds.len() + 1];
    for _ in 0..ROUNDS {
        for ((_, path), took) in kinds.iter().zip(&mut took) {
            took.push(requests(&app, path).await?);
        }
        if let Some(took) = took.last_mut() {
            took.push(serialised(&list)?);
        }
    }
    let names = kinds.iter().map(|(name, _)| *name).chain(["serde"]);
    let figures: serde_json::Map<String, serde_json::Value> =
        names.zip(took).map(|(name, took)| (name.to_owned(), figure(took))).collect();
    writeln!(std::io::stdout(), "{}", serde_json::json!({"bytes": body.len(), "us": figures}))?;
    stop.cancel();
    background.await?;
    Ok(())
}

/// A film with this many cached torrents. More than an indexer gives at once come from [`Plenty`].
fn seed(world: &World, film: (&str, usize)) {
    let (id, torrents) = film;
    world.cinemeta().add_title(Title::movie(id, "The Quiet Hills", 1968));
    for n in 0..torrents {
        let torrent = torrent(film, n);
        if film != THOUSAND {
            world.torznab().add_release(Release::movie(&torrent, id, 5 + u32::try_from(n).unwrap_or(0)));
        }
        world.torbox().add_torrent(torrent);
    }
}

fn torrent((id, _): (&str, usize), n: usize) -> Torrent {
    let resolution = ["2160p", "1080p", "720p", "480p"][n % 4];
    let quality = ["BluRay", "WEB-DL", "WEBRip", "HDTV", "BluRay.REMUX"][n % 5];
    let sound = ["DTS-HD.MA.5.1", "DDP5.1.Atmos", "AAC2.0"][n % 3];
    let name = format!("The.Quiet.Hills.1968.{resolution}.{quality}.{sound}.HEVC-GROUP{n:03}.{id}");
    Torrent::new(name.clone(), [(format!("{name}.mkv"), 4_000_000_000 + n as u64 * 77_000_000)])
}

/// An indexer that knows more of one film than a page of Torznab holds.
struct Plenty;

#[async_trait]
impl Source for Plenty {
    fn name(&self) -> &'static str {
        "plenty"
    }

    async fn search(&self, wanted: &Wanted) -> Result<Vec<Found>, SourceError> {
        if wanted.content.to_string() != THOUSAND.0 {
            return Ok(Vec::new());
        }
        let found = |n| {
            let torrent = torrent(THOUSAND, n);
            Some(Found {
                hash: torrent.hash.parse().ok()?,
                size: torrent.files.first().map(|file| file.size),
                name: torrent.name,
                seeders: Some(7),
                source: "plenty".to_owned(),
                private: false,
                exact: true,
            })
        };
        Ok((0..THOUSAND.1).filter_map(found).collect())
    }
}

/// An edge with a key and a user, and the user's link id.
async fn edge(world: &World, directory: &std::path::Path) -> Outcome<(Arc<Edge>, chill_core::LinkId)> {
    world.torbox().add_account(ACCOUNT, Plan::Pro, 0);
    let stores = chill_stores::stores(&StoresConfig {
        torbox_url: Some(world.torbox_url().parse()?),
        ..StoresConfig::default()
    });
    let db = Db::open(&DbUrl::sqlite(directory.join("chillproxy.db")), Options::default()).await?;
    db.migrate().await?;
    let vault = Vault::new(&MasterKeys::parse(&Secret::new(BASE64.encode(&[7; 32])))?);
    let config = ControlConfig::default();
    let control = Control::new(db.clone(), vault, stores.clone(), Clock::System, Chance::System, config);
    let actor = Actor::new("bench", "an example");
    let key = AddKey {
        store: StoreCode::TorBox,
        name: "bench".to_owned(),
        passport: Passport::new(Terms::Household, None, None)?,
        owner: None,
        weight: 1,
        secret: Secret::new(ACCOUNT),
        unchecked: false,
    };
    control.keys().add(&actor, key).await?;
    let user = control.users().add(&actor, AddUser { name: "bench".to_owned(), ..AddUser::default() }).await?;
    let http = Http::new("chillproxy-bench");
    let indexers = parse_indexers(&format!("simulated={}|{}", world.torznab_url(), world.torznab().api_key()))?;
    let sources =
        indexers.into_iter().map(|indexer| -> Arc<dyn Source> { Arc::new(TorznabSource::new(indexer, http.clone())) });
    let ports = Ports {
        indexers: None,
        control: Arc::new(control),
        stores,
        sources: sources.chain([Arc::new(Plenty) as Arc<dyn Source>]).collect(),
        titles: Arc::new(Cinemeta::new(&world.cinemeta_url().parse()?, http.clone(), Clock::System)),
        library: Arc::new(TorrentLibrary::new(db, Clock::System)),
        spool: Arc::new(SqliteSpool::open(&directory.join("spool.db")).await?),
        rates: Arc::new(chill_core::rate::Unlimited),
        places: None,
        clock: Clock::System,
        chance: Chance::System,
    };
    let config = EdgeConfig { list_limit: THOUSAND.1, ..EdgeConfig::default() };
    Ok((Edge::new(ports, config), user.link))
}

/// Asks for everything until it is cached; returns the long list.
async fn warm_up(app: &Router, kinds: &[(&str, String)]) -> Outcome<Vec<u8>> {
    let mut last = Vec::new();
    for (name, path) in kinds {
        for _ in 0..3 {
            let response = app.clone().oneshot(request(path)?).await?;
            let wanted = if *name == "no_route" { StatusCode::NOT_FOUND } else { StatusCode::OK };
            if response.status() != wanted {
                return Err(format!("{name} answered {}", response.status()).into());
            }
            last = axum::body::to_bytes(axum::body::Body::new(response.into_body()), 1 << 22).await?.to_vec();
        }
        let list: Option<List> = serde_json::from_slice(&last).ok();
        let streams = list.map_or(0, |list| list.streams.len());
        let wanted = [("fifty", FIFTY.1), ("hundred", HUNDRED.1), ("thousand", THOUSAND.1)]
            .iter()
            .find(|(of, _)| of == name)
            .map_or(0, |(_, n)| *n);
        if streams != wanted {
            return Err(format!("{name} lists {streams} streams instead of {wanted}").into());
        }
    }
    Ok(last)
}

/// As a player sends it and the listener hands it on.
fn request(path: &str) -> Outcome<Request<Body>> {
    let request = Request::get(path)
        .header("host", "films.example")
        .header("user-agent", "Mozilla/5.0 (Linux; Android 14) Stremio/1.7.2")
        .header("accept", "*/*")
        .header("accept-encoding", "gzip");
    let mut request = request.body(Body::empty())?;
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4711))));
    Ok(request)
}

/// µs of CPU per request over one slice.
async fn requests(app: &Router, path: &str) -> Outcome<f64> {
    let (start, before, mut count) = (Instant::now(), on_cpu()?, 0_u32);
    while start.elapsed() < SLICE {
        for _ in 0..32 {
            let response = app.clone().oneshot(request(path)?).await?;
            black_box(axum::body::to_bytes(axum::body::Body::new(response.into_body()), 1 << 22).await?);
        }
        count += 32;
        // The edge's own work in the background has its turn, and is counted.
        tokio::task::yield_now().await;
    }
    Ok((on_cpu()? - before) / f64::from(count))
}

/// µs of CPU for the long list by `serde_json`.
fn serialised(list: &List) -> Outcome<f64> {
    let (start, before, mut count) = (Instant::now(), on_cpu()?, 0_u32);
    while start.elapsed() < SLICE {
        black_box(serde_json::to_vec(black_box(list))?);
        count += 1;
    }
    Ok((on_cpu()? - before) / f64::from(count))
}

/// µs this thread has been on a CPU (Linux, `Documentation/scheduler/sched-stats.rst`).
fn on_cpu() -> Outcome<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos: u64 = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(Duration::from_nanos(nanos).as_secs_f64() * 1e6)
}

fn figure(mut values: Vec<f64>) -> serde_json::Value {
    values.sort_by(f64::total_cmp);
    serde_json::json!({"median": values.get(values.len() / 2), "least": values.first(), "most": values.last()})
}
