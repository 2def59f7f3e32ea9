//! Crashes: what a viewer's bytes belong to is counted, once.

use hyper::Method;

use crate::app::App;
use crate::database::{TestDatabase, on_both_engines};
use crate::streams::FILM;
use crate::web::watch_some;

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
async fn users_and_keys_survive_a_restart() {
    let (mut app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    assert!(!app.streams(&viewer, FILM).await.is_empty());
    app.kill();
    app.boot().await;
    let stream = app.smallest(&viewer, FILM).await;
    assert_eq!(app.web.send(Method::HEAD, &stream.url, &[]).await.status, 200);
}
