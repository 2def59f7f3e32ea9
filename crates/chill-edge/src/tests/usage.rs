//! Usage: written down before the first byte, counted to the last, delivered when the control plane is back.

use std::sync::Arc;
use std::time::Duration;

use chill_core::{Action, Chance, Clock, ControlError, EventId, Outcome, UsageEvent};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;

use tokio_util::sync::CancellationToken;

use super::fakes::{FakeControl, MemorySpool, lock};
use super::stage::{Cdn, LINK, Reply, Stage, click, hash, pool, until};
use crate::usage::Usage;

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
async fn a_head_of_a_film_that_is_relayed_writes_nothing_down() {
    let (stage, _cdn) = stage(10_000).await;
    assert_eq!(stage.send(Method::HEAD, &click(&pool()), &[]).await.status(), StatusCode::OK);
    assert!(lock(&stage.spool.events).is_empty());
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
    let first = frame(&mut film).await.unwrap();
    stage.stop().await;
    until("the goodbye is delivered", || lock(&stage.control.recorded).iter().any(|event| event.bytes >= first)).await;
    drop(film);
}

#[tokio::test]
async fn a_film_that_runs_on_while_the_server_stops_is_counted_to_its_end() {
    let (stage, _cdn) = stage(60_000_000).await;
    let mut stage = stage.background().await;
    let mut film = stage.play(&pool()).await;
    let mut got = frame(&mut film).await.unwrap();
    stage.edge.drain();
    let served = |stage: &Stage| lock(&stage.control.recorded).iter().map(|event| event.bytes).sum::<u64>();
    until("what was carried so far is counted at once", || served(&stage) >= got).await;
    for _ in 0..3 {
        got += frame(&mut film).await.unwrap();
    }
    stage.edge.cut();
    assert_eq!(frame(&mut film).await, None, "the film breaks");
    stage.stop().await;
    until("the rest is counted", || served(&stage) >= got).await;
}

/// How many bytes the next frame of a film has; none when it broke.
async fn frame(film: &mut http::Response<axum::body::Body>) -> Option<u64> {
    let frame = film.body_mut().frame().await.expect("the film goes on or breaks").ok()?;
    Some(frame.into_data().unwrap().len() as u64)
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

/// How long a delivery waited before its second and third try.
async fn waits(later: Option<Duration>) -> [Duration; 2] {
    let control = FakeControl::new(|_| Err(ControlError::unavailable("not asked")));
    *lock(&control.record_fails) = true;
    *lock(&control.record_later) = later;
    let spool = Arc::new(MemorySpool::default());
    let (clock, chance) = (Clock::fixed(1_000_000), Chance::System);
    lock(&spool.events).push(UsageEvent {
        id: EventId::new(clock.now(), &chance).unwrap(),
        link: LINK.parse().unwrap(),
        key: "k1".parse().unwrap(),
        device: None,
        action: Action::known(Action::STREAM_REQUEST),
        hash: None,
        cached: None,
        bytes: 1,
        outcome: Outcome::Ok,
        at: clock.now(),
    });
    let usage = Usage::new(control.clone(), spool.clone(), clock, chance);
    let token = CancellationToken::new();
    let stop = async {
        tokio::time::sleep(Duration::from_secs(150)).await;
        *lock(&control.record_fails) = false;
        tokio::time::sleep(Duration::from_secs(90)).await;
        token.cancel();
    };
    tokio::join!(usage.deliver(&token), stop);
    assert_eq!((lock(&control.recorded).len(), lock(&spool.events).len()), (1, 0), "delivered in the end, once");
    let asked = lock(&control.record_asked).clone();
    [asked[1] - asked[0], asked[2] - asked[1]]
}

#[tokio::test(start_paused = true)]
async fn a_delivery_comes_back_when_the_control_plane_said() {
    let near = |waited: Duration, wanted: u64| waited.abs_diff(Duration::from_secs(wanted)) < Duration::from_millis(50);
    assert!(waits(Some(Duration::from_secs(40))).await.iter().all(|waited| near(*waited, 40)));
    assert!(waits(Some(Duration::from_secs(3_600))).await.iter().all(|waited| near(*waited, 60)), "a minute at most");
    let [first, second] = waits(None).await;
    assert!(first <= Duration::from_secs(1) && second <= Duration::from_secs(2), "{first:?} {second:?}");
}
