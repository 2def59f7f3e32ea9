//! A right that ends: the film stops, and nothing that was decided before comes back.

use std::time::Duration;

use axum::response::Response;
use chill_core::DenialCode;
use chill_core::control::{Act, Delivery, Subject};
use http::StatusCode;
use http_body_util::BodyExt as _;

use super::fakes::{denied, lease, lock};
use super::stage::{Cdn, LINK, Stage, own, pool, until};
use crate::EdgeConfig;

const LONG: u64 = 60_000_000;

async fn playing(stage: &Stage, segment: &str) -> Response {
    let mut film = stage.play(segment).await;
    assert_eq!(film.status(), StatusCode::OK);
    assert!(film.body_mut().frame().await.unwrap().is_ok());
    film
}

/// Waits for the cut, then reads on; true when the film breaks off.
async fn is_cut(stage: &Stage, film: Response) -> bool {
    until("the playback is cut", || stage.edge.playbacks.running().is_empty()).await;
    breaks(film).await
}

/// Reads to the end; true when the film broke off.
async fn breaks(mut film: Response) -> bool {
    let read = async {
        while let Some(frame) = film.body_mut().frame().await {
            if frame.is_err() {
                return true;
            }
        }
        false
    };
    tokio::time::timeout(Duration::from_secs(20), read).await.expect("the film neither ends nor breaks")
}

async fn stage() -> (Stage, Cdn) {
    let (stage, cdn) = (Stage::new().with_film().background().await, Cdn::with_film_of(LONG).await);
    lock(&stage.torbox.link).clone_from(&cdn.link);
    (stage, cdn)
}

fn device(stage: &Stage) -> chill_core::DeviceId {
    lock(&stage.control.asked)[0].device.clone()
}

#[tokio::test]
async fn a_revoked_viewers_film_stops_and_he_hears_why() {
    for which in ["link", "device", "key", "everything"] {
        let (stage, _cdn) = stage().await;
        let film = playing(&stage, &pool()).await;
        let subject = match which {
            "link" => Subject::Link(LINK.parse().unwrap()),
            "device" => Subject::Device(LINK.parse().unwrap(), device(&stage)),
            "key" => Subject::Key("key-1".parse().unwrap()),
            _ => Subject::Everything,
        };
        stage.control.decide(|_| Err(denied(DenialCode::UserInactive)));
        stage.control.tell(2, subject, Act::Revoke);
        assert!(is_cut(&stage, film).await, "{which}");
        assert_eq!(stage.play(&pool()).await.headers()["x-chillproxy-refusal"], "user_inactive", "{which}");
        assert_eq!(stage.list(&pool()).await.refusal(), "user_inactive", "{which}");
    }
}

#[tokio::test]
async fn others_and_own_tokens_play_on() {
    let (stage, _cdn) = stage().await;
    let film = playing(&stage, &pool()).await;
    stage.control.tell(2, Subject::Link("99999999-2222-4333-8444-555555555555".parse().unwrap()), Act::Revoke);
    stage.control.tell(3, Subject::Key("another".parse().unwrap()), Act::Revoke);
    stage.control.tell(4, Subject::Link(LINK.parse().unwrap()), Act::Refresh);
    assert!(!breaks(film).await);
    assert_eq!(stage.play(&own()).await.status(), StatusCode::FOUND);
}

#[tokio::test]
async fn a_refresh_asks_again_at_the_next_start() {
    let (stage, _cdn) = stage().await;
    stage.list(&pool()).await;
    stage.list(&pool()).await;
    assert_eq!(stage.control.asked(), 1);
    stage.control.decide(|_| Ok(lease("key-1", 5)));
    stage.control.tell(5, Subject::Link(LINK.parse().unwrap()), Act::Refresh);
    until("the change is heard", || stage.edge.leases.newest() == 5).await;
    stage.list(&pool()).await;
    assert_eq!(stage.control.asked(), 2);
}

#[tokio::test]
async fn a_start_that_was_on_its_way_during_the_revocation_does_not_play() {
    let (stage, _cdn) = stage().await;
    let gate = stage.control.hold();
    let segment = pool();
    let start = stage.play(&segment);
    let revoke = async {
        stage.control.decided.notified().await;
        // Decided before, delivered after: the lease says epoch 1, the change says 2.
        stage.control.decide(|_| Err(denied(DenialCode::UserInactive)));
        stage.control.tell(2, Subject::Link(LINK.parse().unwrap()), Act::Revoke);
        until("the change is heard", || stage.edge.leases.newest() == 2).await;
        stage.control.release();
        drop(gate);
    };
    let (reply, ()) = tokio::join!(start, revoke);
    assert_eq!(reply.headers()["x-chillproxy-refusal"], "user_inactive");
    assert!(stage.torbox.calls().is_empty());
    assert_eq!(stage.control.asked(), 2, "the overtaken answer was not used");
}

#[tokio::test]
async fn a_start_is_cut_when_the_revocation_comes_while_the_store_is_asked() {
    let (stage, _cdn) = stage().await;
    *lock(&stage.torbox.takes) = Duration::from_millis(100);
    let segment = pool();
    let start = stage.play(&segment);
    let revoke = async {
        until("the store is asked", || !stage.torbox.calls().is_empty()).await;
        stage.control.decide(|_| Err(denied(DenialCode::DeviceRevoked)));
        stage.control.tell(2, Subject::Link(LINK.parse().unwrap()), Act::Revoke);
    };
    let (reply, ()) = tokio::join!(start, revoke);
    assert_eq!(reply.headers()["x-chillproxy-refusal"], "device_revoked");
}

#[tokio::test]
async fn no_link_is_handed_out_when_the_revocation_comes_while_it_is_asked_for() {
    let config = EdgeConfig { delivery: Delivery::Redirect, ..EdgeConfig::default() };
    let stage = Stage::with(config).with_film().background().await;
    *lock(&stage.torbox.link_takes) = Duration::from_millis(200);
    let segment = pool();
    let start = stage.play(&segment);
    let revoke = async {
        until("a link is asked for", || stage.torbox.calls().iter().any(|call| call == "link key-1")).await;
        stage.control.decide(|_| Err(denied(DenialCode::UserInactive)));
        stage.control.tell(2, Subject::Link(LINK.parse().unwrap()), Act::Revoke);
    };
    let (reply, ()) = tokio::join!(start, revoke);
    assert_eq!(reply.headers()["x-chillproxy-refusal"], "user_inactive");
    assert!(lock(&stage.spool.events).iter().all(|event| event.action.as_str() != "stream-request"));
}

#[tokio::test]
async fn a_revocation_missed_while_nobody_heard_is_found_out() {
    let (stage, _cdn) = stage().await;
    let film = playing(&stage, &pool()).await;
    stage.control.feed(false);
    until("the feed is gone", || stage.edge.leases.deaf_since().is_some()).await;
    stage.control.decide(|_| Err(denied(DenialCode::UserInactive)));
    assert!(is_cut(&stage, film).await, "his right is asked for again");
}

#[tokio::test]
async fn a_revocation_of_before_does_not_cut_a_film_that_was_allowed_after_it() {
    let (stage, _cdn) = stage().await;
    stage.control.decide(|_| Ok(lease("key-1", 9)));
    let film = playing(&stage, &pool()).await;
    stage.control.tell(9, Subject::Link(LINK.parse().unwrap()), Act::Revoke);
    assert!(!breaks(film).await);
}
