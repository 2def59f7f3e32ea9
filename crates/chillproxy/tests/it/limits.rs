//! Who asks too often is told to wait, and nobody else is: on one node, and on several that share a Redis.

use std::process::{Child, Command, Stdio};

use hyper::Method;

use crate::app::{App, KEY, Viewer};
use crate::database::TestDatabase;
use crate::node::HeldAddress;
use crate::planes::{CONTROL, INTERNAL};
use crate::streams::FILM;

/// The limits an operator gets who sets none.
const DEFAULTS: [(&str, &str); 2] = [("CHILLPROXY_RATE_PER_USER", "10"), ("CHILLPROXY_RATE_PER_IP", "50")];
/// A rate so low that no token comes back within a test: a burst of two.
const TWO: [(&str, &str); 2] = [("CHILLPROXY_RATE_PER_USER", "1"), ("CHILLPROXY_RATE_PER_IP", "0")];

async fn system(more: &[(&str, &str)]) -> (App, Viewer) {
    let app = App::with(TestDatabase::sqlite(), more).await;
    app.add_key("main", KEY);
    let viewer = app.add_user("ada");
    (app, viewer)
}

/// Asks for a manifest so often at once; returns how many were answered.
async fn answered(app: &App, viewer: &Viewer, times: usize) -> usize {
    let asked = futures_util::future::join_all((0..times).map(|_| app.web.get(&viewer.manifest))).await;
    asked.iter().filter(|answer| answer.status == 200).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_over_the_limit_is_told_to_wait_and_others_are_not() {
    let (app, loud) = system(&DEFAULTS).await;
    let quiet = app.add_user("grace");
    let passed = answered(&app, &loud, 60).await;
    assert!((20..60).contains(&passed), "{passed} of 60 with a burst of 20");
    let refused = loop {
        let answer = app.web.get(&loud.streams("movie", FILM)).await;
        if answer.status == 429 {
            break answer;
        }
    };
    assert!((1..=2).contains(&refused.header("retry-after").parse::<u64>().unwrap()));
    assert_eq!(refused.header("access-control-allow-origin"), "*", "the player must be able to read it");
    assert_eq!(refused.json()["error"]["code"], "TOO_MANY_REQUESTS");
    assert!(!app.streams(&quiet, FILM).await.is_empty(), "another user of the same address is not concerned");
    app.until("a moment later he is welcome", async || app.web.get(&loud.manifest).await.status == 200).await;
    let metrics = app.web.get(&format!("{}/metrics", app.metrics)).await.text();
    assert!(metrics.contains(r#"chillproxy_rate_limited_total{scope="user"}"#), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_a_limit_of_its_own() {
    let (app, viewer) = system(&[("CHILLPROXY_RATE_PER_USER", "0"), ("CHILLPROXY_RATE_PER_IP", "2")]).await;
    let passed = answered(&app, &viewer, 30).await;
    assert!((4..30).contains(&passed), "{passed} of 30 with a burst of 4");
    let unknown = app.web.get(&format!("{}/stremio/torz/manifest.json", app.base)).await;
    let again = app.web.get(&format!("{}/stremio/torz/manifest.json", app.base)).await;
    assert!(unknown.status == 429 || again.status == 429, "a manifest without a link counts for its address");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configure_page_counts_for_its_address() {
    let (app, viewer) = system(&[("CHILLPROXY_RATE_PER_USER", "0"), ("CHILLPROXY_RATE_PER_IP", "2")]).await;
    let page = viewer.manifest.replace("/manifest.json", "/configure");
    let asked = futures_util::future::join_all((0..30).map(|_| app.web.get(&page))).await;
    let shown = asked.iter().filter(|answer| answer.status == 200).count();
    assert!((4..30).contains(&shown), "{shown} of 30 with a burst of 4");
    let refused = asked.iter().find(|answer| answer.status == 429).expect("the others are told to wait");
    assert!((1..=2).contains(&refused.header("retry-after").parse::<u64>().unwrap()));
    assert!(refused.header("content-security-policy").contains("default-src 'none'"), "it is a page all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_twenty_requests_of_a_tap_cost_one_and_seeking_costs_nothing() {
    let (app, viewer) = system(&TWO).await;
    let stream = app.smallest(&viewer, FILM).await;
    let (app, url) = (&app, &stream.url);
    let tap = (0..20).map(|n| async move {
        let (method, range) = if n % 4 == 0 { (Method::HEAD, "bytes=0-") } else { (Method::GET, "bytes=0-999") };
        app.web.send(method, url, &[("range", range)]).await
    });
    for answer in futures_util::future::join_all(tap).await {
        assert_eq!(answer.status, 206, "{}", answer.text());
    }
    for seek in 0..40 {
        let range = format!("bytes={seek}-{}", seek + 9);
        assert_eq!(app.web.send(Method::GET, url, &[("range", &range)]).await.status, 206);
    }
    assert!(answered(app, &viewer, 10).await < 10, "the limit is there all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_with_one_redis_share_the_limit() {
    let redis = shared_redis();
    let database = TestDatabase::postgres();
    let url = database.url().unwrap();
    let master = data_encoding::BASE64.encode(&[7; 32]);
    let settings = [("REDIS_URI", redis.as_str()), ("CHILLPROXY_MASTER_KEY", master.as_str()), TWO[0], TWO[1]];
    let one = App::with(database, &settings).await;
    one.add_key("main", KEY);
    let (ada, grace) = (one.add_user("ada"), one.add_user("grace"));
    let same = [settings.as_slice(), &[("DATABASE_URL", url.as_str())]].concat();
    let two = App::with(TestDatabase::sqlite(), &same).await;
    assert_eq!(one.ready().await["redis"], "ok");
    let at = |app: &App, viewer: &Viewer| {
        let manifest = viewer.manifest.replace(&one.base, &app.base);
        Viewer { id: viewer.id.clone(), manifest, link: viewer.link.clone() }
    };
    let started = std::time::Instant::now();
    let passed = answered(&one, &ada, 5).await + answered(&two, &at(&two, &ada), 5).await;
    let refilled = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
    assert!((2..=2 + refilled).contains(&passed), "{passed} of 10 with a shared burst of 2");
    assert_eq!(two.web.get(&at(&two, &grace).manifest).await.status, 200, "another user is not concerned");
}

/// Two servers with one database and one Redis, and one user who may play one film.
pub(crate) async fn two_for_one_film(redis: &str) -> (App, App, Viewer) {
    let database = TestDatabase::postgres();
    let (url, master) = (database.url().unwrap(), data_encoding::BASE64.encode(&[7; 32]));
    let settings = [
        ("REDIS_URI", redis),
        ("CHILLPROXY_MASTER_KEY", master.as_str()),
        ("CHILLPROXY_MAX_STREAMS_PER_USER", "1"),
        ("DATABASE_URL", url.as_str()),
    ];
    let one = App::with(database, &settings).await;
    one.add_key("main", KEY);
    let ada = one.add_user("ada");
    let two = App::with(TestDatabase::sqlite(), &settings).await;
    (one, two, ada)
}

/// Opens a film at a server as another player of the user does; the status, and the body to be read.
pub(crate) async fn open_at(
    app: &App,
    made_for: &App,
    url: &str,
    player: &str,
) -> hyper::Response<hyper::body::Incoming> {
    let url = url.replace(&made_for.base, &app.base);
    crate::web::Web::new(player).open(Method::GET, &url, &[("range", "bytes=0-")]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_edges_with_one_redis_share_a_users_films() {
    let mut redis = Redis::start();
    let (one, two, ada) = two_for_one_film(&redis.url()).await;
    assert_eq!((one.ready().await["redis"].clone(), two.ready().await["redis"].clone()), ("ok".into(), "ok".into()));
    let url = one.endless(&ada).await.url;
    let mut film = open_at(&one, &one, &url, "Sofa/1.0").await;
    assert_eq!(film.status(), 206);
    let refused = crate::web::watched(film.body_mut(), open_at(&two, &one, &url, "Kitchen/1.0")).await;
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["x-chillproxy-refusal"]),
        (302, &"stream_limit".parse().unwrap())
    );
    drop(film);
    let mut second = open_at(&two, &one, &url, "Kitchen/1.0").await;
    assert_eq!(second.status(), 206, "the first film's place came free while this one waited");
    // Without Redis each edge counts alone: what runs runs on, and nobody meets an error.
    redis.kill();
    assert_eq!(open_at(&one, &one, &url, "Sofa/1.0").await.status(), 206);
    assert!(crate::web::watch_some(second.body_mut(), 64 * 1024).await.len() >= 64 * 1024);
    assert_eq!(one.log_text().matches("Redis is away").count(), 1, "said once");
}

/// How many of so many questions for a key, asked at once, were answered; the others are told to wait.
async fn keys_given(app: &App, link: &str, times: usize) -> usize {
    let url = format!("{}/api/v1/internal/pool/get-key", app.base);
    let ask = serde_json::json!({"userId": link, "deviceId": "tv", "action": "init"});
    let bearer = format!("Bearer {INTERNAL}");
    let headers = [("authorization", bearer.as_str())];
    let asked = futures_util::future::join_all((0..times).map(|_| app.web.post_json(&url, &ask, &headers))).await;
    for answer in &asked {
        assert!(answer.status == 200 || answer.header("retry-after") == "1", "{}", answer.text());
    }
    asked.iter().filter(|answer| answer.status == 200).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_control_nodes_share_the_limit_of_an_edge_and_count_alone_while_redis_is_away() {
    let mut redis = Redis::start();
    let (database, address) = (TestDatabase::postgres(), redis.url());
    let (url, master) = (database.url().unwrap(), data_encoding::BASE64.encode(&[7; 32]));
    let settings = [
        ("REDIS_URI", address.as_str()),
        ("CHILLPROXY_MASTER_KEY", master.as_str()),
        ("INTERNAL_API_KEY", INTERNAL),
        ("CHILLPROXY_GET_KEY_RATE", "1"),
        ("DATABASE_URL", url.as_str()),
    ];
    let one = App::serving(CONTROL, database, &settings).await;
    one.add_key("main", KEY);
    let ada = one.add_user("ada");
    let two = App::serving(CONTROL, TestDatabase::sqlite(), &settings).await;
    assert_eq!(two.ready().await["redis"], "ok");
    let started = std::time::Instant::now();
    let given = keys_given(&one, &ada.link, 5).await + keys_given(&two, &ada.link, 5).await;
    let refilled = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
    assert!((2..=2 + refilled).contains(&given), "{given} of 10 with a shared burst of 2");
    redis.kill();
    for app in [&one, &two] {
        let started = std::time::Instant::now();
        let given = keys_given(app, &ada.link, 5).await + keys_given(app, &ada.link, 5).await;
        let refilled = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
        assert!((2..=2 + refilled).contains(&given), "{given} of 10 with a burst of 2 of its own");
        assert_eq!(app.log_text().matches("Redis is away").count(), 1, "said once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_are_served_while_redis_is_away() {
    let mut redis = Redis::start();
    let (app, viewer) = system(&[("REDIS_URI", &redis.url()), DEFAULTS[0], DEFAULTS[1]]).await;
    assert_eq!(app.ready().await["redis"], "ok");
    assert!(!app.streams(&viewer, FILM).await.is_empty());
    redis.kill();
    for _ in 0..5 {
        assert!(!app.streams(&viewer, FILM).await.is_empty());
    }
    let parts = app.ready().await;
    assert!(parts["redis"].as_str().unwrap().starts_with("away"), "{parts}");
    assert!(answered(&app, &viewer, 60).await < 60, "this node goes on counting by itself");
    let warnings = app.log_text().matches("Redis is away").count();
    assert_eq!(warnings, 1, "one warning for one loss");
    redis.restart();
    app.until("Redis is used again", async || app.ready().await["redis"] == "ok").await;
    assert_eq!(app.log_text().matches("Redis is away").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_address_that_cannot_be_read_stops_the_start_and_is_not_shown() {
    let mut app = App::with(TestDatabase::sqlite(), &[]).await;
    app.settings.push(("REDIS_URI".to_owned(), "http://:hunter2@cache".to_owned()));
    let output = app.run(&["check-config"], "");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(said.contains("REDIS_URI") && !said.contains("hunter2"), "{said}");
}

impl App {
    /// The parts of a server that is ready.
    async fn ready(&self) -> serde_json::Value {
        let answer = self.web.get(&format!("{}/readyz", self.base)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["parts"].clone()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one door through which xtask tells where Redis is")]
pub(crate) fn shared_redis() -> String {
    std::env::var("CHILL_TEST_REDIS_URL")
        .expect("CHILL_TEST_REDIS_URL is not set: run `cargo xtask test`, which starts a Redis")
}

/// A Redis of a test's own, that it may kill.
struct Redis {
    address: HeldAddress,
    server: Child,
}

impl Redis {
    fn start() -> Self {
        let address = HeldAddress::new();
        Self { server: serve(address.port()), address }
    }

    fn url(&self) -> String {
        format!("redis://{}/0", self.address.text())
    }

    fn kill(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    fn restart(&mut self) {
        self.server = serve(self.address.port());
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// Starts a server and waits until it takes connections.
fn serve(port: u16) -> Child {
    let words = ["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    let mut redis = Command::new("redis-server");
    let redis = redis.args(words).current_dir(std::env::temp_dir()).stdout(Stdio::null());
    let mut server = redis.spawn().expect("redis-server is installed by `cargo xtask test`");
    let started = std::time::Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        if started.elapsed() > std::time::Duration::from_secs(20) || server.try_wait().unwrap().is_some() {
            drop(server.kill());
            panic!("redis-server does not listen on port {port}");
        }
        std::thread::yield_now();
    }
    server
}
