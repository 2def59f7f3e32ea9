//! The byte path through the whole system, on bad days of the CDN.

use std::time::Instant;

use chill_sim::CdnFault;
use hyper::Method;

use crate::app::{App, KEY};
use crate::database::TestDatabase;
use crate::streams::{FILM, Stream, sha256};
use crate::web::{watch, watch_some, watched};

#[tokio::test(flavor = "multi_thread")]
async fn a_body_cut_by_the_cdn_is_carried_on_from_the_same_byte() {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    let stream = app.smallest(&viewer, FILM).await;
    for bytes in [1, 65_536, 300_001, 799_999] {
        app.world.cdn().fault(CdnFault::CutAt { bytes }, 1);
        let played = app.web.get(&stream.url).await;
        assert_eq!(sha256(&played.body), app.original(&stream), "cut at {bytes}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_names_another_file_after_a_break_is_replaced() {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    let stream = app.smallest(&viewer, FILM).await;
    app.world.cdn().fault(CdnFault::CutAt { bytes: 100_000 }, 1);
    app.world.cdn().add_fault(chill_sim::CdnFaultRule::new(CdnFault::WrongEtagAfter { answers: 1 }));
    let film = watch(app.web.open(Method::GET, &stream.url, &[]).await.into_body()).await;
    assert!(!film.broken);
    assert_eq!(sha256(&film.bytes), app.original(&stream), "the fresh link leads to the file that was promised");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_link_is_renewed_without_the_viewer_noticing() {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    let stream = app.smallest(&viewer, FILM).await;
    app.web.send(Method::HEAD, &stream.url, &[]).await;
    app.world.cdn().expire_links();
    let played = app.web.get(&stream.url).await;
    assert_eq!((played.status.as_u16(), sha256(&played.body)), (200, app.original(&stream)));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_headers_that_belong_there_reach_the_cdn() {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    let stream = app.smallest(&viewer, FILM).await;
    app.world.cdn().forget_calls();
    let private = [
        ("cookie", "session=1"),
        ("authorization", "Basic eA=="),
        ("x-forwarded-for", "1.2.3.4"),
        ("referer", "http://x/"),
        ("range", "bytes=5-9"),
    ];
    assert_eq!(app.web.send(Method::GET, &stream.url, &private).await.status, 206);
    for call in app.world.cdn().calls() {
        for name in ["cookie", "authorization", "x-forwarded-for", "referer", "forwarded", "x-real-ip"] {
            assert_eq!(call.header(name), None, "{name} reached the CDN");
        }
        assert_ne!(call.header("user-agent"), Some("TestPlayer/1.0"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_that_leaves_ends_the_upstream() {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    let stream = app.endless(&viewer).await;
    let mut film = app.web.open(Method::GET, &stream.url, &[]).await.into_body();
    watch_some(&mut film, 10_000).await;
    app.until("the CDN serves", async || app.world.cdn().open_streams() == 1).await;
    drop(film);
    app.until("the CDN's stream is closed", async || app.world.cdn().open_streams() == 0).await;
}

/// A server with such settings, a viewer, and a film for him.
async fn set(settings: &[(&str, &str)]) -> (App, Stream) {
    let app = App::with(TestDatabase::sqlite(), settings).await;
    app.add_key("main", KEY);
    let stream = app.smallest(&app.add_user("ada"), FILM).await;
    (app, stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_patience_that_is_set_is_that_of_the_relay() {
    let (app, stream) = set(&[("CHILLPROXY_STALL_TIMEOUT", "1s"), ("CHILLPROXY_ORIGIN_TIMEOUT", "1s")]).await;
    app.world.cdn().fault(CdnFault::StallAt { bytes: 100_000 }, 1);
    let begun = Instant::now();
    assert_eq!(sha256(&app.web.get(&stream.url).await.body), app.original(&stream));
    assert!((1..8).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    app.world.cdn().fault(CdnFault::Hang, 1);
    let begun = Instant::now();
    assert_eq!(sha256(&app.web.get(&stream.url).await.body), app.original(&stream));
    assert!((1..8).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_that_takes_nothing_is_let_go_after_the_time_that_is_set() {
    let app = App::with(TestDatabase::sqlite(), &[("CHILLPROXY_PLAYER_TIMEOUT", "1s")]).await;
    app.add_key("main", KEY);
    let stream = app.endless(&app.add_user("ada")).await;
    let film = app.web.open(Method::GET, &stream.url, &[]).await;
    app.until("the CDN serves", async || app.world.cdn().open_streams() == 1).await;
    app.until("it is let go", async || app.world.cdn().open_streams() == 0).await;
    drop(film);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plain_client_carries_films_too() {
    let (app, stream) = set(&[("CHILLPROXY_RELAY_PLAIN", "true")]).await;
    app.world.cdn().fault(CdnFault::CutAt { bytes: 200_000 }, 1);
    assert_eq!(sha256(&app.web.get(&stream.url).await.body), app.original(&stream));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_carries_as_many_films_as_are_set() {
    let app = App::with(TestDatabase::sqlite(), &[("CHILLPROXY_MAX_STREAMS", "1")]).await;
    app.add_key("main", KEY);
    let (ada, grace) = (app.add_user("ada"), app.add_user("grace"));
    let (first, second) = (app.endless(&ada).await, app.endless(&grace).await);
    let mut film = app.web.open(Method::GET, &first.url, &[]).await;
    let refused = watched(film.body_mut(), app.web.open(Method::GET, &second.url, &[])).await;
    assert_eq!(refused.headers()["x-chillproxy-refusal"], "stream_limit");
    drop(film);
    assert_eq!(app.web.open(Method::GET, &second.url, &[]).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_finishes_its_head_does_not_stop_others() {
    use tokio::io::AsyncWriteExt;
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    let address = app.base.strip_prefix("http://").unwrap();
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        socket.write_all(b"GET /health HTTP/1.1\r\nx-slow: ").await.unwrap();
        slow.push(socket);
    }
    assert!(!app.streams(&viewer, FILM).await.is_empty());
}
