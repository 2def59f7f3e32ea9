//! Usage: written down before the first byte, counted to the last, delivered when the control plane is back.

use chill_core::Outcome;
use http::StatusCode;
use http_body_util::BodyExt as _;

use super::fakes::lock;
use super::stage::{Cdn, LINK, Reply, Stage, hash, pool, until};

async fn stage(size: u64) -> (Stage, Cdn) {
    let (stage, cdn) = (Stage::new().with_film(), Cdn::with_film_of(size).await);
    lock(&stage.torbox.link).clone_from(&cdn.link);
    (stage, cdn)
}

#[tokio::test]
async fn a_start_is_written_down_before_its_first_byte() {
    let (stage, cdn) = stage(10_000).await;
    let film = stage.play(&pool()).await;
    assert_eq!(film.status(), StatusCode::OK);
    let events = lock(&stage.spool.events).clone();
    assert_eq!(events.len(), 1, "before the body was read at all");
    let event = &events[0];
    assert_eq!((event.action.as_str(), event.cached, event.bytes), ("stream-request", Some(true), 0));
    assert_eq!((event.link.to_string().as_str(), event.key.as_str(), event.hash), (LINK, "key-1", Some(hash(1))));
    assert_eq!((event.outcome, event.at), (Outcome::Ok, 1_700_000_000_000));
    drop(cdn);
}

#[tokio::test]
async fn every_byte_is_counted_once() {
    let (stage, _cdn) = stage(250_000).await;
    let stage = stage.background().await;
    for _ in 0..3 {
        let film = Reply::read(stage.play(&pool()).await).await;
        assert_eq!(film.body.len(), 250_000);
    }
    let served = || {
        let recorded = lock(&stage.control.recorded);
        let served = recorded.iter().filter(|event| event.action.as_str() == "stream-served");
        served.map(|event| event.bytes).sum::<u64>()
    };
    until("all bytes are counted", || served() == 750_000).await;
    let recorded = lock(&stage.control.recorded).clone();
    assert_eq!(recorded.iter().filter(|event| event.action.as_str() == "stream-request").count(), 1);
    until("what is delivered is forgotten", || lock(&stage.spool.events).is_empty()).await;
}

#[tokio::test]
async fn a_running_film_is_counted_when_the_server_stops() {
    let (stage, _cdn) = stage(60_000_000).await;
    let mut stage = stage.background().await;
    let mut film = stage.play(&pool()).await;
    let first = film.body_mut().frame().await.unwrap().unwrap().into_data().unwrap().len() as u64;
    stage.stop().await;
    until("the goodbye is delivered", || lock(&stage.control.recorded).iter().any(|event| event.bytes >= first)).await;
    drop(film);
}

#[tokio::test]
async fn usage_waits_while_the_control_plane_is_away() {
    let (stage, _cdn) = stage(1_000).await;
    *lock(&stage.control.record_fails) = true;
    let stage = stage.background().await;
    Reply::read(stage.play(&pool()).await).await;
    until("the bytes are written down", || lock(&stage.spool.events).len() == 2).await;
    assert!(lock(&stage.control.recorded).is_empty());
    *lock(&stage.control.record_fails) = false;
    until("it is delivered", || lock(&stage.control.recorded).len() == 2).await;
    until("it is forgotten", || lock(&stage.spool.events).is_empty()).await;
}
