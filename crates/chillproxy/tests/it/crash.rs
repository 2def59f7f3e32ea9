//! Crashes: what a viewer's bytes belong to is counted, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::json;

use crate::app::{App, KEY};
use crate::database::{TestDatabase, on_both_engines};
use crate::planes::{CONTROL, EdgeNode, INTERNAL};
use crate::streams::FILM;
use crate::web::{Web, watch, watch_some};

on_both_engines!(a_killed_server_has_counted_the_film_that_was_running);

async fn a_killed_server_has_counted_the_film_that_was_running(database: TestDatabase) {
    let (mut app, viewer) = App::with_viewer(database).await;
    let small = app.smallest(&viewer, FILM).await;
    app.web.get(&small.url).await;
    let stream = app.endless(&viewer).await;
    let mut film = app.web.open(Method::GET, &stream.url, &[]).await.into_body();
    watch_some(&mut film, 10_000).await;
    app.kill();
    app.boot().await;
    let usage = app.usage_until("both starts are counted", |row| row["streams"] == 2).await;
    assert_eq!(usage["cached"], 2, "{usage}");
    app.kill();
    app.boot().await;
    assert_eq!(app.usage()["streams"], 2, "nothing is counted twice after another start");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_asked_to_stop_delivers_its_usage_first() {
    let (mut app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    let stream = app.smallest(&viewer, FILM).await;
    app.web.get(&stream.url).await;
    assert!(app.stop().success());
    let usage = app.usage();
    assert_eq!((&usage["streams"], &usage["bytes"]), (&1.into(), &stream.size.into()), "{usage}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_that_runs_on_after_the_signal_is_counted_and_can_still_be_revoked() {
    let (mut app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    let stream = app.endless(&viewer).await;
    let mut film = app.web.open(Method::GET, &stream.url, &[]).await.into_body();
    let mut got = watch_some(&mut film, 10_000).await.len();
    app.ask_to_stop();
    app.until("the server drains", async || app.log_text().contains("stopping")).await;
    got += watch_some(&mut film, 20_000_000).await.len();
    app.cli(&["user", "suspend", "ada", "--json"], "");
    let suspended = Instant::now();
    let rest = watch(film).await;
    assert!(rest.broken && suspended.elapsed() < Duration::from_secs(1), "{:?}", suspended.elapsed());
    assert!(app.ended().success());
    let usage = app.usage();
    assert!(usage["bytes"].as_u64().unwrap() >= (got + rest.bytes.len()) as u64, "{usage}: {got} and more were seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn users_and_keys_survive_a_restart() {
    let (mut app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    assert!(!app.streams(&viewer, FILM).await.is_empty());
    app.kill();
    app.boot().await;
    let stream = app.smallest(&viewer, FILM).await;
    assert_eq!(app.web.send(Method::HEAD, &stream.url, &[]).await.status, 200);
}

/// What viewers and another edge were told.
#[derive(Default)]
struct Ledger {
    tried: AtomicU64,
    seen: AtomicU64,
    acknowledged: AtomicU64,
    stop: AtomicBool,
}

/// Plays one file, each time as another device: each is a playback of its own.
async fn play(url: String, ledger: Arc<Ledger>) {
    while !ledger.stop.load(Ordering::SeqCst) {
        let device = ledger.tried.fetch_add(1, Ordering::SeqCst);
        let played = Web::new(&format!("Crash/{device}")).try_get(&url).await;
        if played.is_some_and(|answer| answer.status == 200) {
            ledger.seen.fetch_add(1, Ordering::SeqCst);
        }
        tokio::task::yield_now().await;
    }
}

/// Tells events of a thousand bytes, each until it is acknowledged.
async fn tell(base: String, user: String, key: String, ledger: Arc<Ledger>) {
    let (web, url) = (Web::new("AnotherEdge/1.0"), format!("{base}/api/v1/internal/pool/log-usage"));
    for n in 0_u64.. {
        let id = format!("0198c7d2-0000-4000-8000-{n:012}");
        let event = json!({"userId": user, "poolKeyId": key, "action": "told", "bytes": 1_000, "eventId": id});
        while web.try_post(&url, INTERNAL, &event).await.is_none_or(|answer| answer.status != 200) {
            tokio::task::yield_now().await;
        }
        ledger.acknowledged.fetch_add(1, Ordering::SeqCst);
        if ledger.stop.load(Ordering::SeqCst) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_of_edge_control_node_and_database_lose_and_double_nothing() {
    let mut app = App::serving(CONTROL, TestDatabase::postgres(), &[("INTERNAL_API_KEY", INTERNAL)]).await;
    let key = app.add_key("main", KEY)["id"].as_str().unwrap().to_owned();
    let mut edge = EdgeNode::start(&app.world, &app.base);
    let web = Web::new("Readiness/1.0");
    app.until("the edge", async || edge.node.readiness(&web).await == Some(200)).await;
    app.cli(&["user", "add", "--name", "player", "--max-devices", "1000", "--json"], "");
    let player = crate::app::viewer(&app.cli(&["user", "show", "player", "--json"], ""));
    let small = app.smallest(&edge.seen_by(&app, &player), FILM).await;
    let (told, ledger) = (app.add_user("told"), Arc::new(Ledger::default()));
    let playing = tokio::spawn(play(small.url, Arc::clone(&ledger)));
    let telling = tokio::spawn(tell(app.base.clone(), told.link, key, Arc::clone(&ledger)));

    let seed = std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos() as usize;
    for kill in 0..6 {
        // Each of the three is killed twice, in an order that the seed makes.
        match (kill + seed) % 3 {
            0 => {
                edge.node.kill();
                edge.restart();
                app.until("the edge", async || edge.node.readiness(&web).await == Some(200)).await;
            }
            1 => {
                app.kill();
                app.boot().await;
            }
            _ => app.database.end_sessions(),
        }
        let (seen, acknowledged) = (ledger.seen.load(Ordering::SeqCst), ledger.acknowledged.load(Ordering::SeqCst));
        let goes_on = async || {
            ledger.seen.load(Ordering::SeqCst) > seen && ledger.acknowledged.load(Ordering::SeqCst) > acknowledged
        };
        app.until(&format!("films and usage go on after kill {kill} of seed {seed}"), goes_on).await;
    }
    ledger.stop.store(true, Ordering::SeqCst);
    playing.await.unwrap();
    telling.await.unwrap();

    let number = |sql: &str| app.database.query(sql).parse::<u64>().unwrap();
    let starts = || number("SELECT count(*) FROM usage_events WHERE action = 'stream-request'");
    let [tried, seen, acknowledged] =
        [&ledger.tried, &ledger.seen, &ledger.acknowledged].map(|counter| counter.load(Ordering::SeqCst));
    app.until(&format!("all {seen} starts are counted, seed {seed}"), async || starts() >= seen).await;
    assert!(starts() <= tried, "{} of {tried} tried, seed {seed}", starts());
    let counted = number("SELECT count(*) FROM usage_events WHERE action = 'told'");
    assert_eq!(counted, acknowledged, "seed {seed}");
    // In one statement, since bytes of the last films may still be on their way.
    let sums = "(SELECT count(*) FROM usage_events) = (SELECT sum(events) FROM usage_hourly) \
        AND (SELECT sum(bytes) FROM usage_events) = (SELECT sum(bytes) FROM usage_hourly) \
        AND (SELECT sum(bytes) FROM usage_events) = (SELECT sum(bytes) FROM usage_daily)";
    assert_eq!(app.database.query(&format!("SELECT {sums}")), "t", "seed {seed}");
}
