//! One user, one film at once, two servers with one Redis: what becomes of the first film when the second server is asked.

use std::time::{Duration, Instant};

use hyper::Response;
use hyper::body::Incoming;

use crate::app::App;
use crate::limits::{open_at, shared_redis, two_for_one_film};
use crate::web::{watch, watch_some, watched};

/// A place that no server keeps any more ends so long after it was kept last; it is kept every ten seconds.
const LIFE: Duration = Duration::from_secs(30);

/// Whether a film plays; else it was refused because too many do.
fn plays(answer: &Response<Incoming>) -> bool {
    let refusal = answer.headers().get("x-chillproxy-refusal").map(|code| code.to_str().unwrap());
    match (answer.status().as_u16(), refusal) {
        (206, None) => true,
        (302, Some("stream_limit")) => false,
        other => panic!("{other:?}"),
    }
}

/// Asks for a film again and again until it plays: how long the answer took that time, and its body.
async fn asked_until_it_plays(app: &App, made_for: &App, url: &str, player: &str) -> (Duration, Incoming) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        let asked = Instant::now();
        let answer = open_at(app, made_for, url, player).await;
        if plays(&answer) {
            return (asked.elapsed(), answer.into_body());
        }
    }
    panic!("it is refused for a minute");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_paused_at_one_edge_is_cut_for_a_new_one_at_another() {
    let (one, two, ada) = two_for_one_film(&shared_redis()).await;
    let url = one.endless(&ada).await.url;
    let mut paused = open_at(&one, &one, &url, "Sofa/1.0").await.into_body();
    let asked = watched(&mut paused, open_at(&two, &one, &url, "Kitchen/1.0")).await;
    assert!(!plays(&asked), "it is watched meanwhile");
    let handed_over = || one.log_text().matches("a stream's place was handed over").count();
    assert_eq!(handed_over(), 0);
    let (waited, mut film) = asked_until_it_plays(&two, &one, &url, "Kitchen/1.0").await;
    assert!((Duration::from_secs(3)..Duration::from_secs(6)).contains(&waited), "{waited:?}");
    assert_eq!(handed_over(), 1);
    assert!(watch(paused).await.broken, "cut, not ended");
    watch_some(&mut film, 50_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zap_to_another_edge_waits_only_until_the_film_is_closed() {
    let (one, two, ada) = two_for_one_film(&shared_redis()).await;
    let url = one.endless(&ada).await.url;
    let mut film = open_at(&one, &one, &url, "Sofa/1.0").await.into_body();
    let asked = watched(&mut film, open_at(&two, &one, &url, "Sofa/1.0")).await;
    assert!(!plays(&asked), "it may be another television behind the same address");
    drop(film);
    let asked = Instant::now();
    assert!(plays(&open_at(&two, &one, &url, "Sofa/1.0").await));
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_film_of_a_killed_edge_counts_until_its_place_ends() {
    let (mut one, two, ada) = two_for_one_film(&shared_redis()).await;
    let url = one.endless(&ada).await.url;
    let mut film = open_at(&one, &one, &url, "Sofa/1.0").await.into_body();
    watch_some(&mut film, 50_000).await;
    one.kill();
    let killed = Instant::now();
    assert!(!plays(&open_at(&two, &one, &url, "Sofa/1.0").await), "nobody has given its place back");
    let (_, mut again) = asked_until_it_plays(&two, &one, &url, "Sofa/1.0").await;
    let after = killed.elapsed();
    assert!((LIFE / 2..LIFE * 3 / 2).contains(&after), "{after:?}");
    watch_some(&mut again, 50_000).await;
}
