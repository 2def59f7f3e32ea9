//! Who plays in the tests: an edge with fakes around it, and a player that asks it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use bytes::Bytes;
use chill_core::{Chance, Clock, Found, InfoHash, StoreCode, Title};
use chill_sim::{Plan, Torrent, World};
use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt as _;

use super::fakes::{FakeControl, FakeIndexers, FakeSource, MemoryLibrary, MemorySpool, OneTitle, lease};
use super::store::FakeStore;
use crate::{Edge, EdgeConfig, Ports, router};

pub(super) const LINK: &str = "11111111-2222-4333-8444-555555555555";
pub(super) const FILM: &str = "tt0063350";
pub(super) const EPISODE: &str = "tt0047706:1:2";

/// The `n`th of some torrents.
pub(super) fn hash(n: u8) -> InfoHash {
    InfoHash::from_bytes([n; 20])
}

pub(super) fn found(n: u8, name: &str) -> Found {
    Found {
        hash: hash(n),
        name: name.to_owned(),
        size: Some(4_000_000_000 + u64::from(n)),
        seeders: Some(u32::from(n)),
        source: "indexer".to_owned(),
        private: false,
        exact: true,
    }
}

/// An install link's segment.
pub(super) fn segment(json: &str) -> String {
    BASE64URL_NOPAD.encode(json.as_bytes())
}

pub(super) fn pool() -> String {
    segment(&format!(r#"{{"stores":[{{"c":"tb","auth":"{LINK}"}}]}}"#))
}

pub(super) fn own() -> String {
    segment(r#"{"stores":[{"c":"tb","t":"own-token"}]}"#)
}

pub(super) fn both() -> String {
    segment(&format!(r#"{{"stores":[{{"c":"tb","auth":"{LINK}","t":"own-token"}}]}}"#))
}

pub(crate) struct Stage {
    pub(crate) edge: Arc<Edge>,
    pub(super) control: Arc<FakeControl>,
    pub(super) torbox: Arc<FakeStore>,
    pub(super) debrid: Arc<FakeStore>,
    pub(super) source: Arc<FakeSource>,
    pub(crate) library: Arc<MemoryLibrary>,
    pub(super) spool: Arc<MemorySpool>,
    pub(super) indexers: Arc<FakeIndexers>,
    router: Router,
    background: Option<DropGuard>,
}

/// What the player got.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) async fn read(response: Response) -> Self {
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 24).await.unwrap();
        Self { status: head.status, headers: head.headers, body }
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn streams(&self) -> Vec<Value> {
        self.json()["streams"].as_array().unwrap().clone()
    }

    pub(super) fn refusal(&self) -> &str {
        self.header("x-chillproxy-refusal")
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(EdgeConfig::default())
    }

    pub(super) fn with(config: EdgeConfig) -> Self {
        let control = FakeControl::new(|_| Ok(lease("key-1", 1)));
        let (torbox, debrid) = (FakeStore::new(StoreCode::TorBox), FakeStore::new(StoreCode::RealDebrid));
        let source = Arc::new(FakeSource::default());
        let library = Arc::new(MemoryLibrary::default());
        let spool = Arc::new(MemorySpool::default());
        let indexers = Arc::new(FakeIndexers::default());
        let title = Title::new("Quiet Hills", Some(1968));
        let ports = Ports {
            control: control.clone(),
            stores: vec![torbox.clone(), debrid.clone()],
            sources: vec![source.clone()],
            indexers: Some(indexers.clone()),
            titles: Arc::new(OneTitle(Some(title))),
            library: library.clone(),
            spool: spool.clone(),
            rates: Arc::new(chill_core::rate::Unlimited),
            places: None,
            clock: Clock::fixed(1_700_000_000_000),
            chance: Chance::seeded(7),
        };
        let edge = Edge::new(ports, config);
        let router = router(edge.clone());
        Self { edge, control, torbox, debrid, source, library, spool, indexers, router, background: None }
    }

    /// Runs the work in the background until the stage is dropped, and waits until changes are heard.
    pub(super) async fn background(mut self) -> Self {
        let token = CancellationToken::new();
        let (edge, stop) = (self.edge.clone(), token.clone());
        tokio::spawn(async move { edge.background(stop).await });
        self.background = Some(token.drop_guard());
        let edge = self.edge.clone();
        until("changes are heard", || edge.leases.deaf_since().is_none()).await;
        self
    }

    /// Stops the work in the background; it says goodbye first.
    pub(super) async fn stop(&mut self) {
        self.background = None;
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    /// What answers requests, for a listener.
    pub(super) fn router(&self) -> Router {
        self.router.clone()
    }

    /// One film that TorBox has, from a source.
    pub(super) fn with_film(self) -> Self {
        super::fakes::lock(&self.source.found).push(found(1, "Quiet.Hills.1968.1080p.BluRay.x264-GRP"));
        self.torbox.has(hash(1), &[("/Quiet.Hills.1968.mkv", 4_000), ("/sample/sample.mkv", 10)]);
        self
    }

    pub(super) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::builder().method(method).uri(path).header("host", "edge.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        let peer: SocketAddr = "203.0.113.9:4711".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        Reply::read(self.send(Method::GET, path, &[]).await).await
    }

    /// The stream list of the film for this link.
    pub(super) async fn list(&self, segment: &str) -> Reply {
        self.get(&format!("/stremio/torz/{segment}/stream/movie/{FILM}.json")).await
    }

    /// A click on the film's only torrent.
    pub(super) async fn play(&self, segment: &str) -> Response {
        self.send(Method::GET, &click(segment), &[]).await
    }
}

/// The address of the film's only torrent.
pub(super) fn click(segment: &str) -> String {
    format!("/stremio/torz/{segment}/_/strem/{FILM}/tb/{}/-1/Quiet.Hills.1968.mkv", hash(1))
}

/// Waits until something holds, and fails after a while if it does not.
pub(super) async fn until(what: &str, holds: impl Fn() -> bool) {
    let waited = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waited).await.unwrap_or_else(|_| panic!("{what}: it never happened"));
}

/// A film at the simulated CDN, and a link to it.
pub(super) struct Cdn {
    pub(super) world: World,
    pub(super) link: String,
    pub(super) seed: u64,
}

impl Cdn {
    pub(super) async fn with_film_of(size: u64) -> Self {
        let world = World::start().await.unwrap();
        let key = "99999999-2222-3333-4444-555555555555";
        world.torbox().add_account(key, Plan::Pro, 0);
        let torrent = Torrent::single("Quiet.Hills.1968.mkv", size);
        let (seed, magnet) = (torrent.seed(0), torrent.magnet());
        world.torbox().add_torrent(torrent);
        let api = format!("{}/v1/api/torrents", world.torbox_url());
        let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("magnet", &magnet).finish();
        let created = Request::post(format!("{api}/createtorrent"))
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form));
        let id = fetch(created.unwrap()).await["data"]["torrent_id"].clone();
        let link = Request::get(format!("{api}/requestdl?token={key}&torrent_id={id}&file_id=0")).body(Body::empty());
        let link = fetch(link.unwrap()).await["data"].as_str().unwrap().to_owned();
        Self { world, link, seed }
    }
}

async fn fetch(request: Request<Body>) -> Value {
    use hyper_util::{client::legacy::Client, rt::TokioExecutor};
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let answer = client.request(request).await.unwrap().map(Body::new);
    serde_json::from_slice(&axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap()).unwrap()
}
