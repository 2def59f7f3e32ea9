//! The planes apart: two control nodes on one PostgreSQL and three edges, all processes of their own, which know nothing
//! of each other but addresses.

use std::time::{Duration, Instant};

use hyper::Method;
use tempfile::TempDir;

use crate::app::{App, INDEXER_KEY, KEY, Viewer, files_below};
use crate::database::TestDatabase;
use crate::node::{Node, Settings};
use crate::streams::{FILM, Stream, read, sha256};
use crate::web::{Web, watch, watch_some};

/// Revoke → last byte.
const PROMISE: Duration = Duration::from_secs(1);
pub(crate) const INTERNAL: &str = "an-internal-key-of-two-planes-0123456789abcdef";
pub(crate) const CONTROL: &[&str] = &["serve", "--role", "control"];
const EDGE: &[&str] = &["serve", "--role", "edge"];

/// What an edge process is told: where everything is, and nothing of a database.
pub(crate) fn edge_settings(world: &chill_sim::World, dir: &TempDir, address: &str, controls: &str) -> Settings {
    [
        ("CHILLPROXY_DATA_DIR", dir.path().join("data").display().to_string()),
        ("STREMTHRU_LISTEN_ADDR", address.to_owned()),
        ("STREMTHRU_BASE_URL", format!("http://{address}")),
        ("CHILLPROXY_METRICS_ADDR", "off".to_owned()),
        ("CHILLPROXY_TORBOX_URL", world.torbox_url()),
        ("CHILLPROXY_CINEMETA_URL", world.cinemeta_url()),
        ("CHILLPROXY_KITSU_URL", world.kitsu_url()),
        ("CHILLPROXY_INDEXERS", format!("simulated={}|{INDEXER_KEY}", world.torznab_url())),
        ("CHILLPROXY_RATE_PER_USER", "0".to_owned()),
        ("CHILLPROXY_RATE_PER_IP", "0".to_owned()),
        ("RUST_LOG", "debug".to_owned()),
        ("CHILLSTREAMS_API_URL", controls.to_owned()),
        ("CHILLSTREAMS_API_KEY", INTERNAL.to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// One edge with its own directory.
pub(crate) struct EdgeNode {
    pub(crate) node: Node,
    pub(crate) dir: TempDir,
    settings: Settings,
}

impl EdgeNode {
    pub(crate) fn start(world: &chill_sim::World, controls: &str) -> Self {
        Self::start_with(world, controls, &[])
    }

    /// The same with further settings.
    pub(crate) fn start_with(world: &chill_sim::World, controls: &str, more: &[(&str, &str)]) -> Self {
        let (dir, mut node) = (tempfile::tempdir().unwrap(), Node::new(EDGE));
        let mut settings = edge_settings(world, &dir, &node.address(), controls);
        settings.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        node.spawn(&settings);
        Self { node, dir, settings }
    }

    /// Starts again what was killed.
    pub(crate) fn restart(&mut self) {
        self.node.spawn(&self.settings);
    }

    /// The same viewer, whose link leads here.
    pub(crate) fn seen_by(&self, app: &App, viewer: &Viewer) -> Viewer {
        let manifest = viewer.manifest.replace(&app.base, &self.node.base);
        Viewer { id: viewer.id.clone(), link: viewer.link.clone(), manifest }
    }
}

/// Two control nodes, the first of them in `app`, and three edges.
struct Planes {
    edges: Vec<EdgeNode>,
    second: Node,
    second_settings: Settings,
    app: App,
}

impl Planes {
    async fn start(more: &[(&str, &str)]) -> Self {
        let master = data_encoding::BASE64.encode(&[7; 32]);
        let mut settings = vec![("INTERNAL_API_KEY", INTERNAL), ("CHILLPROXY_MASTER_KEY", master.as_str())];
        settings.extend_from_slice(more);
        let app = App::serving(CONTROL, TestDatabase::postgres(), &settings).await;
        let mut second = Node::new(CONTROL);
        let mut second_settings = app.settings.clone();
        let own = [
            ("CHILLPROXY_DATA_DIR", app.data.path().join("second").display().to_string()),
            ("STREMTHRU_LISTEN_ADDR", second.address()),
            ("CHILLPROXY_METRICS_ADDR", "off".to_owned()),
        ];
        second_settings.retain(|(name, _)| own.iter().all(|(mine, _)| mine != name));
        second_settings.extend(own.map(|(name, value)| (name.to_owned(), value)));
        second.spawn(&second_settings);
        let orders = [(&app.base, &second.base), (&second.base, &app.base), (&app.base, &second.base)];
        let edges = orders.map(|(one, two)| EdgeNode::start(&app.world, &format!("{one},{two}"))).into();
        let planes = Self { edges, second, second_settings, app };
        let web = Web::new("Readiness/1.0");
        planes.app.until("the second control node", async || planes.second.readiness(&web).await == Some(200)).await;
        for edge in &planes.edges {
            planes.app.until("an edge", async || edge.node.readiness(&web).await == Some(200)).await;
        }
        planes
    }

    /// A viewer as each of the edges sees him.
    fn viewer(&self, name: &str) -> Vec<Viewer> {
        let viewer = self.app.add_user(name);
        self.edges.iter().map(|edge| edge.seen_by(&self.app, &viewer)).collect()
    }

    async fn refusal(&self, viewer: &Viewer, device: &str) -> String {
        Web::new(device).get(&viewer.streams("movie", FILM)).await.header("x-chillproxy-refusal").to_owned()
    }
}

/// The film whose delivery takes long, begun by this viewer.
pub(crate) async fn endless(app: &App, viewer: &Viewer) -> hyper::body::Incoming {
    let stream = app.endless(viewer).await;
    let mut film = app.web.open(Method::GET, &stream.url, &[]).await.into_body();
    watch_some(&mut film, 50_000).await;
    film
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_one_server_does_is_done_by_five() {
    let planes = Planes::start(&[]).await;
    let app = &planes.app;
    app.add_key("main", KEY);
    let ada = planes.viewer("ada");
    let mut total = 0;
    for viewer in &ada {
        let stream = app.smallest(viewer, FILM).await;
        assert!(stream.url.starts_with(&viewer.manifest[..20]), "its own address: {}", stream.url);
        let played = app.web.get(&stream.url).await;
        assert_eq!((played.status.as_u16(), sha256(&played.body)), (200, app.original(&stream)));
        total += stream.size;
    }
    let usage = app.usage_until("three playbacks", |row| row["streams"] == 3 && row["bytes"] == total).await;
    assert_eq!(usage["cached"], 3, "{usage}");

    // One device is known; of thirty more that come at once, by all ways, two find a place.
    let asks = (0..30).map(|n| {
        let url = ada[n % 3].streams("movie", FILM);
        tokio::spawn(async move {
            Web::new(&format!("Device/{n}")).get(&url).await.header("x-chillproxy-refusal").to_owned()
        })
    });
    let mut refused = 0;
    for ask in asks.collect::<Vec<_>>() {
        let code = ask.await.unwrap();
        assert!(code.is_empty() || code == "device_limit", "{code}");
        refused += usize::from(!code.is_empty());
    }
    assert_eq!(refused, 28);
    assert_eq!(app.cli(&["device", "list", "--user", "ada", "--json"], "").as_array().unwrap().len(), 3);

    let nothing = app.web.get(&format!("{}/manifest.json", app.base.clone() + "/stremio/torz/x")).await;
    assert_eq!(nothing.status, 404, "a control plane has nothing for viewers");
    for edge in &planes.edges {
        let get_key = format!("{}/api/v1/internal/pool/get-key", edge.node.base);
        let bearer = format!("Bearer {INTERNAL}");
        let closed = app.web.post_json(&get_key, &serde_json::json!({}), &[("authorization", &bearer)]).await;
        assert_eq!(closed.status, 404, "an edge has nothing for edges");
        for file in files_below(&edge.dir.path().join("data")) {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            assert!(name.starts_with("spool.db") || name.starts_with("library.db"), "{name}");
            let bytes = std::fs::read(&file).unwrap();
            assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "{name} holds a key");
        }
        let log = edge.node.log.lock().unwrap().clone();
        assert!(!log.contains(KEY) && !log.contains(INTERNAL) && !log.contains(&ada[0].link), "a secret in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_cuts_films_on_every_edge_within_a_second() {
    let planes = Planes::start(&[]).await;
    let app = &planes.app;
    app.add_key("main", KEY);
    let ada = planes.viewer("ada");
    let mut films = Vec::new();
    for viewer in &ada {
        films.push(endless(app, viewer).await);
    }
    app.cli(&["user", "suspend", "ada", "--json"], "");
    let suspended = Instant::now();
    for film in films {
        assert!(watch(film).await.broken, "cut, not ended");
        assert!(suspended.elapsed() < PROMISE, "{:?}", suspended.elapsed());
    }
    for viewer in &ada {
        assert_eq!(planes.refusal(viewer, "TestPlayer/1.0").await, "user_inactive");
    }
    app.cli(&["user", "activate", "ada", "--json"], "");
    for viewer in &ada {
        app.until("he is let in again", async || planes.refusal(viewer, "TestPlayer/1.0").await.is_empty()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_control_node_is_replaced_by_the_other() {
    let mut planes = Planes::start(&[]).await;
    planes.app.add_key("main", KEY);
    let (ada, bert) = (planes.viewer("ada"), planes.viewer("bert"));
    let mut films = Vec::new();
    for viewer in &ada {
        films.push(endless(&planes.app, viewer).await);
    }
    planes.app.kill();
    for viewer in &bert {
        assert_eq!(planes.refusal(viewer, "New/1.0").await, "", "a new device is let in by the other node");
    }
    for film in &mut films {
        watch_some(film, 10_000).await;
    }
    planes.app.cli(&["user", "suspend", "ada", "--json"], "");
    let suspended = Instant::now();
    for film in films {
        assert!(watch(film).await.broken);
    }
    assert!(suspended.elapsed() < 5 * PROMISE, "{:?}", suspended.elapsed());
    for viewer in &ada {
        assert_eq!(planes.refusal(viewer, "TestPlayer/1.0").await, "user_inactive");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_no_control_plane_answers_films_go_on_and_usage_waits() {
    let mut planes = Planes::start(&[("CHILLPROXY_LEASE_GRACE", "6s")]).await;
    planes.app.add_key("main", KEY);
    let (ada, bert) = (planes.viewer("ada"), planes.viewer("bert"));
    let mut film = endless(&planes.app, &ada[0]).await;
    let small: Stream = planes.app.smallest(&bert[1], FILM).await;
    planes.app.kill();
    planes.second.kill();
    let away = Instant::now();
    let played = planes.app.web.get(&small.url).await;
    assert_eq!(sha256(&played.body), planes.app.original(&small), "a known device with a fresh lease starts");
    assert_eq!(planes.refusal(&bert[2], "New/1.0").await, "control_unavailable", "a new one does not");
    let unready = async || planes.edges[0].node.readiness(&planes.app.web).await == Some(503);
    planes.app.until("the edge says that it cannot serve", unready).await;
    let play = Web::new("New/2.0").get(&small.url).await;
    assert_eq!((play.status.as_u16(), play.header("x-chillproxy-refusal")), (302, "control_unavailable"));
    while away.elapsed() < Duration::from_secs(4) {
        watch_some(&mut film, 1_000).await;
    }
    let rest = watch(film).await;
    assert!(rest.broken, "its grace ended");
    assert!(away.elapsed() < Duration::from_secs(14), "{:?}", away.elapsed());

    planes.app.boot().await;
    planes.second.spawn(&planes.second_settings);
    let of = |app: &App, name: &str| {
        let rows = app.cli(&["usage", "--by", "user", "--json"], "");
        rows.as_array().unwrap().iter().find(|row| row["name"] == name).cloned().unwrap_or_default()
    };
    let counted = async || {
        let row = of(&planes.app, "bert");
        row["streams"] == 1 && row["bytes"] == small.size
    };
    planes.app.until("what was played meanwhile is counted", counted).await;
    let again = async || planes.app.web.get(&small.url).await.header("x-chillproxy-refusal").is_empty();
    planes.app.until("the edge finds its control plane again", again).await;
    let more = async || of(&planes.app, "bert")["bytes"].as_u64() >= Some(2 * small.size);
    planes.app.until("what is played now follows", more).await;
    assert_eq!(of(&planes.app, "bert")["bytes"], 2 * small.size, "nothing is counted twice");
    assert!(!read(&planes.app.web.get(&ada[2].streams("movie", FILM)).await).is_empty());
}
