//! Access can be taken back: in the list, at the next play, and in the middle of a film.

use std::time::{Duration, Instant};

use chill_sim::Plan;
use hyper::Method;

use crate::app::{App, KEY_TWO};
use crate::database::{TestDatabase, on_both_engines};
use crate::streams::FILM;
use crate::web::{watch, watch_some};

/// Revoke → last byte.
const PROMISE: Duration = Duration::from_secs(1);

on_both_engines!(
    a_suspended_users_film_stops_within_a_second,
    a_reset_link_stops_the_old_one_and_keeps_the_history,
    a_revoked_device_stops_and_stays_out,
    a_disabled_key_stops_its_films,
    a_draining_keys_film_goes_on_while_its_user_moves,
);

async fn a_suspended_users_film_stops_within_a_second(database: TestDatabase) {
    let (app, viewer) = App::with_viewer(database).await;
    let stream = app.endless(&viewer).await;
    let mut film = app.web.open(Method::GET, &stream.url, &[]).await.into_body();
    watch_some(&mut film, 100_000).await;
    app.cli(&["user", "suspend", "ada", "--json"], "");
    let suspended = Instant::now();
    let rest = watch(film).await;
    assert!(rest.broken, "the film must break, not end as if it were whole");
    assert!(suspended.elapsed() < PROMISE, "{:?}", suspended.elapsed());

    let list = app.web.get(&viewer.streams("movie", FILM)).await;
    assert_eq!((list.status.as_u16(), list.header("x-chillproxy-refusal")), (200, "user_inactive"));
    let play = app.web.get(&stream.url).await;
    assert_eq!((play.status.as_u16(), play.header("x-chillproxy-refusal")), (302, "user_inactive"));

    let metrics = app.web.get(&format!("{}/metrics", app.metrics)).await.text();
    for name in ["chillproxy_feed_lag_seconds", "chillproxy_revocation_seconds"] {
        assert!(metrics.contains(&format!("{name}_count")), "{name}: {metrics}");
    }
    app.cli(&["user", "activate", "ada", "--json"], "");
    app.until("the user is let in again", async || {
        app.web.get(&viewer.streams("movie", FILM)).await.header("x-chillproxy-refusal").is_empty()
    })
    .await;
}

async fn a_reset_link_stops_the_old_one_and_keeps_the_history(database: TestDatabase) {
    let (app, viewer) = App::with_viewer(database).await;
    let small = app.smallest(&viewer, FILM).await;
    app.web.get(&small.url).await;
    app.usage_until("the first film is counted", |row| row["bytes"] == small.size).await;
    let stream = app.endless(&viewer).await;
    let mut film = app.web.open(Method::GET, &stream.url, &[]).await.into_body();
    watch_some(&mut film, 100_000).await;
    let renewed = crate::app::viewer(&app.cli(&["user", "reset-link", &viewer.id, "--json"], ""));
    assert!(watch(film).await.broken);
    assert_ne!(renewed.link, viewer.link);
    assert_eq!(renewed.id, viewer.id);
    let old = app.web.get(&viewer.streams("movie", FILM)).await;
    assert_eq!(old.header("x-chillproxy-refusal"), "user_unknown");
    assert!(!app.streams(&renewed, FILM).await.is_empty());
    assert!(app.usage()["bytes"].as_u64().unwrap() >= small.size);
}

async fn a_revoked_device_stops_and_stays_out(database: TestDatabase) {
    let (app, viewer) = App::with_viewer(database).await;
    let stream = app.endless(&viewer).await;
    let mut film = app.web.open(Method::GET, &stream.url, &[]).await.into_body();
    watch_some(&mut film, 100_000).await;
    let devices = app.cli(&["device", "list", "--user", "ada", "--json"], "");
    assert_eq!(devices.as_array().unwrap().len(), 1, "{devices}");
    assert_eq!(devices[0]["state"], "active");
    let revoked = app.run(&["device", "revoke", devices[0]["id"].as_str().unwrap()], "");
    assert!(revoked.status.success());
    let asked = Instant::now();
    assert!(watch(film).await.broken);
    assert!(asked.elapsed() < PROMISE);
    let list = app.web.get(&viewer.streams("movie", FILM)).await;
    assert_eq!(list.header("x-chillproxy-refusal"), "device_revoked");
    let other = crate::web::Web::new("OtherPlayer/2.0").get(&viewer.streams("movie", FILM)).await;
    assert_eq!(other.header("x-chillproxy-refusal"), "", "another device of the same user goes on");
}

async fn a_disabled_key_stops_its_films(database: TestDatabase) {
    let (app, viewer) = App::with_viewer(database).await;
    let stream = app.endless(&viewer).await;
    let mut film = app.web.open(Method::GET, &stream.url, &[]).await.into_body();
    watch_some(&mut film, 100_000).await;
    assert!(app.run(&["key", "disable", "main"], "").status.success());
    let asked = Instant::now();
    assert!(watch(film).await.broken);
    assert!(asked.elapsed() < PROMISE);
    let list = app.web.get(&viewer.streams("movie", FILM)).await;
    assert_eq!(list.header("x-chillproxy-refusal"), "no_key");
}

async fn a_draining_keys_film_goes_on_while_its_user_moves(database: TestDatabase) {
    let (app, viewer) = App::with_viewer(database).await;
    let stream = app.endless(&viewer).await;
    let mut film = app.web.open(Method::GET, &stream.url, &[]).await.into_body();
    watch_some(&mut film, 100_000).await;
    app.world.torbox().add_account(KEY_TWO, Plan::Pro, 0);
    app.add_key("second", KEY_TWO);
    assert!(app.run(&["key", "drain", "main"], "").status.success());
    let moved = async || {
        assert_eq!(app.web.get(&viewer.streams("movie", FILM)).await.header("x-chillproxy-refusal"), "");
        app.cli(&["key", "show", "second", "--json"], "")["users"] == 1
    };
    app.until("the user's next list is asked with the other key", moved).await;
    assert_eq!(app.cli(&["key", "show", "main", "--json"], "")["users"], 0);
    for _ in 0..10 {
        watch_some(&mut film, 100_000).await;
    }
    assert!(app.world.torbox().calls().iter().any(|call| call.key() == Some(KEY_TWO)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_that_does_not_read_is_cut_too() {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    let stream = app.endless(&viewer).await;
    let mut film = app.web.open(Method::GET, &stream.url, &[]).await.into_body();
    watch_some(&mut film, 1_000).await;
    app.until("the CDN serves the film", async || app.world.cdn().open_streams() == 1).await;
    app.cli(&["user", "suspend", "ada", "--json"], "");
    let suspended = Instant::now();
    app.until("the CDN's side is closed though the player read nothing", async || app.world.cdn().open_streams() == 0)
        .await;
    assert!(suspended.elapsed() < PROMISE, "{:?}", suspended.elapsed());
    assert!(watch(film).await.broken);
}
