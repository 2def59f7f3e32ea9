//! The control plane away, and back: what goes on, what stops, what may begin.

use std::time::Duration;

use chill_core::ControlError;
use http::StatusCode;

use super::fakes::{lease, lock};
use super::stage::{Stage, click, pool, segment, until};
use crate::EdgeConfig;
use chill_core::control::Delivery;

fn away() -> ControlError {
    ControlError::unavailable("connection refused")
}

/// Redirects need no CDN, so time can stand still.
async fn stage() -> Stage {
    Stage::with(EdgeConfig { delivery: Delivery::Redirect, ..EdgeConfig::default() }).with_film().background().await
}

#[tokio::test(start_paused = true)]
async fn a_lease_lives_five_minutes_while_changes_are_heard() {
    let stage = stage().await;
    stage.list(&pool()).await;
    stage.control.decide(|_| Err(away()));
    tokio::time::sleep(Duration::from_secs(290)).await;
    assert_eq!(stage.list(&pool()).await.refusal(), "");
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(stage.list(&pool()).await.refusal(), "control_unavailable");
}

#[tokio::test(start_paused = true)]
async fn a_lease_lives_five_seconds_while_they_are_not() {
    let stage = stage().await;
    stage.list(&pool()).await;
    stage.control.feed(false);
    stage.control.decide(|_| Err(away()));
    until("the feed is gone", || stage.edge.leases.deaf_since().is_some()).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(stage.list(&pool()).await.refusal(), "", "a known device may still begin");
    let unknown = segment(r#"{"stores":[{"c":"tb","auth":"22222222-2222-4333-8444-555555555555"}]}"#);
    assert_eq!(stage.list(&unknown).await.refusal(), "control_unavailable", "a new one may not");
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(stage.list(&pool()).await.refusal(), "control_unavailable");
    stage.control.feed(true);
    stage.control.decide(|_| Ok(lease("key-1", 1)));
    assert_eq!(stage.list(&pool()).await.refusal(), "", "and all is well again at once");
}

#[tokio::test(start_paused = true)]
async fn a_shorter_lease_is_asked_for_again_sooner() {
    let stage = stage().await;
    stage.control.decide(|_| Ok(chill_core::Lease { ttl: Duration::from_secs(20), ..lease("key-1", 1) }));
    stage.list(&pool()).await;
    tokio::time::sleep(Duration::from_secs(19)).await;
    stage.list(&pool()).await;
    assert_eq!(stage.control.asked(), 1);
    tokio::time::sleep(Duration::from_secs(2)).await;
    stage.list(&pool()).await;
    assert_eq!(stage.control.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_running_playback_goes_on_until_its_grace_ends() {
    let stage = stage().await;
    assert_eq!(stage.play(&pool()).await.status(), StatusCode::FOUND);
    let playback = stage.edge.playbacks.running()[0].clone();
    stage.control.feed(false);
    stage.control.decide(|_| Err(away()));
    until("the feed is gone", || stage.edge.leases.deaf_since().is_some()).await;
    tokio::time::sleep(Duration::from_secs(55)).await;
    assert!(!playback.cut.is_cancelled());
    assert_eq!(stage.play(&pool()).await.status(), StatusCode::FOUND, "a seek is no start");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(playback.cut.is_cancelled());
    assert_eq!(stage.play(&pool()).await.headers()["x-chillproxy-refusal"], "control_unavailable");
}

#[tokio::test(start_paused = true)]
async fn a_control_plane_that_hangs_does_not_stretch_the_grace() {
    let stage = stage().await;
    assert_eq!(stage.play(&pool()).await.status(), StatusCode::FOUND);
    let (playback, begun) = (stage.edge.playbacks.running()[0].clone(), tokio::time::Instant::now());
    let _held = stage.control.hold();
    stage.control.feed(false);
    playback.cut.cancelled().await;
    let ran = begun.elapsed().as_secs();
    assert!((59..=62).contains(&ran), "{ran} s");
}

#[tokio::test(start_paused = true)]
async fn the_grace_begins_with_the_last_sign_of_life() {
    let stage = stage().await;
    assert_eq!(stage.play(&pool()).await.status(), StatusCode::FOUND);
    tokio::time::sleep(Duration::from_secs(100)).await;
    stage.control.alive();
    let heard = tokio::time::Instant::now();
    until("it was heard", || stage.edge.leases.deaf_since().is_none()).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    stage.control.feed(false);
    until("the feed is gone", || stage.edge.leases.deaf_since().is_some()).await;
    let since = stage.edge.leases.deaf_since().unwrap().duration_since(heard);
    assert!(since < Duration::from_secs(1), "not when the silence was noticed: {since:?}");
}

#[tokio::test(start_paused = true)]
async fn a_running_playback_survives_a_long_outage_of_the_feed_alone() {
    let stage = stage().await;
    stage.play(&pool()).await;
    let playback = stage.edge.playbacks.running()[0].clone();
    stage.control.feed(false);
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert!(!playback.cut.is_cancelled(), "its right is confirmed again and again");
    let asked = stage.control.asked();
    assert!((20..=80).contains(&asked), "but not all the time: {asked}");
}

#[tokio::test(start_paused = true)]
async fn a_playback_nobody_asks_for_is_over_after_ten_minutes() {
    let stage = stage().await;
    stage.play(&pool()).await;
    tokio::time::sleep(Duration::from_secs(590)).await;
    assert_eq!(stage.edge.playbacks.running().len(), 1);
    stage.play(&pool()).await;
    tokio::time::sleep(Duration::from_secs(590)).await;
    assert_eq!(stage.edge.playbacks.running().len(), 1);
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert!(stage.edge.playbacks.running().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_control_plane_that_hangs_is_away() {
    let stage = stage().await;
    let _held = stage.control.hold();
    let begun = tokio::time::Instant::now();
    assert_eq!(stage.list(&pool()).await.refusal(), "control_unavailable");
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[tokio::test(start_paused = true)]
async fn refusals_are_forgotten_after_two_seconds() {
    let stage = stage().await;
    stage.control.decide(|_| Err(super::fakes::denied(chill_core::DenialCode::DeviceLimit)));
    for _ in 0..10 {
        assert_eq!(stage.list(&pool()).await.refusal(), "device_limit");
    }
    assert_eq!(stage.control.asked(), 1);
    stage.control.decide(|_| Ok(lease("key-1", 1)));
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(stage.list(&pool()).await.refusal(), "");
}

#[tokio::test(start_paused = true)]
async fn keys_that_rest_say_when_to_come_back() {
    let stage = stage().await;
    stage.control.decide(|_| Err(ControlError::Exhausted { retry_after: Duration::from_secs(42) }));
    let reply = stage.list(&pool()).await;
    assert_eq!((reply.refusal(), reply.header("retry-after")), ("keys_exhausted", "42"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_does_not_hold_the_list() {
    let stage = stage().await;
    *lock(&stage.torbox.takes) = Duration::from_secs(3_600);
    let begun = tokio::time::Instant::now();
    assert_eq!(stage.play(&pool()).await.headers()["x-chillproxy-refusal"], "store_unavailable");
    assert!(begun.elapsed() <= Duration::from_secs(46));
}

#[tokio::test]
async fn usage_that_cannot_be_written_down_stops_the_playback_not_the_server() {
    let stage = stage().await;
    *lock(&stage.spool.broken) = true;
    let reply = super::stage::Reply::read(stage.play(&pool()).await).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.header("retry-after"), "5");
    assert!(reply.json()["error"]["message"].as_str().unwrap().contains("try again"));
    *lock(&stage.spool.broken) = false;
    assert_eq!(stage.play(&pool()).await.status(), StatusCode::FOUND);
    assert_eq!(lock(&stage.spool.events).len() + lock(&stage.control.recorded).len(), 1);
}

#[tokio::test]
async fn whoever_gets_the_stores_link_is_written_down_and_once() {
    let stage = stage().await;
    for method in [http::Method::HEAD, http::Method::GET] {
        let answer = stage.send(method, &click(&pool()), &[]).await;
        assert_eq!(answer.status(), StatusCode::FOUND);
        let written =
            lock(&stage.spool.events).iter().map(|event| event.action.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!(written, ["stream-request"]);
    }
}
