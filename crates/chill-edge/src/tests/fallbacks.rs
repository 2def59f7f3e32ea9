//! A link with two rights at one store: which one plays, under whose rule, and through whom the bytes come.

use std::time::Duration;

use axum::response::Response;
use chill_core::control::{Act, Delivery, Subject};
use chill_core::{Chance, DenialCode, Lease, StoreErrorKind};
use chill_sim::{CdnFault, CdnFaultRule};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;

use super::fakes::{denied, lease, lock};
use super::stage::{Cdn, LINK, Reply, Stage, both, click, pool, segment, until};
use crate::EdgeConfig;
use crate::relay::RelayConfig;

const LONG: u64 = 60_000_000;
const BREAK: u64 = 1_000_000;

/// The film is at the pool's key and at the viewer's own account; the pool's CDN breaks off in the middle, for good.
async fn stage() -> (Stage, [Cdn; 2]) {
    let relay =
        RelayConfig { resume_pause: Duration::from_millis(1), chance: Chance::seeded(1), ..RelayConfig::default() };
    let stage = Stage::with(EdgeConfig { relay, ..EdgeConfig::default() }).with_film().background().await;
    let cdns = [Cdn::with_film_of(LONG).await, Cdn::with_film_of(LONG).await];
    for (key, cdn) in ["key-1", "own-token"].into_iter().zip(&cdns) {
        lock(&stage.torbox.links).insert(key.to_owned(), cdn.link.clone());
    }
    cdns[0].world.cdn().fault(CdnFault::CutAt { bytes: BREAK }, 1);
    cdns[0].world.cdn().add_fault(CdnFaultRule::new(CdnFault::Status { status: 403 }).after(1));
    stage.control.decide(|ask| match ask.exclude.len() {
        0 => Ok(lease("key-1", 1)),
        _ => Err(denied(DenialCode::NoKey)),
    });
    (stage, cdns)
}

/// A film that began with the pool's key and goes on with the viewer's own token.
async fn fallen_back(stage: &Stage) -> Response {
    let mut film = stage.play(&both()).await;
    assert_eq!(film.status(), StatusCode::OK);
    stage.torbox.fail("key-1", "link", StoreErrorKind::Unauthorized);
    let mut had = 0;
    while had < BREAK + 1_000 {
        had += film.body_mut().frame().await.unwrap().unwrap().into_data().unwrap().len() as u64;
    }
    assert_eq!(stage.torbox.calls().last().unwrap(), "link own-token");
    film
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

fn device(stage: &Stage) -> chill_core::DeviceId {
    lock(&stage.control.asked)[0].device.clone()
}

#[tokio::test]
async fn a_film_that_began_with_the_pool_stays_under_its_users_rule() {
    for which in ["link", "device", "everything"] {
        let (stage, _cdns) = stage().await;
        let film = fallen_back(&stage).await;
        let subject = match which {
            "link" => Subject::Link(LINK.parse().unwrap()),
            "device" => Subject::Device(LINK.parse().unwrap(), device(&stage)),
            _ => Subject::Everything,
        };
        stage.control.decide(|_| Err(denied(DenialCode::UserInactive)));
        stage.control.tell(2, subject, Act::Revoke);
        until("the playback is cut", || stage.edge.playbacks.running().is_empty()).await;
        assert!(breaks(film).await, "{which}");
    }
}

#[tokio::test]
async fn the_key_it_left_and_a_pool_without_keys_end_nothing() {
    let (stage, _cdns) = stage().await;
    let film = fallen_back(&stage).await;
    stage.control.tell(2, Subject::Key("key-1".parse().unwrap()), Act::Revoke);
    stage.control.decide(|_| Err(denied(DenialCode::NoKey)));
    stage.control.feed(false);
    until("the feed is gone", || stage.edge.leases.deaf_since().is_some()).await;
    let asked = stage.control.asked();
    until("his right is asked for again", || stage.control.asked() > asked).await;
    assert!(!breaks(film).await);
}

#[tokio::test]
async fn a_revocation_nobody_heard_ends_it_too() {
    let (stage, _cdns) = stage().await;
    let film = fallen_back(&stage).await;
    stage.control.feed(false);
    until("the feed is gone", || stage.edge.leases.deaf_since().is_some()).await;
    stage.control.decide(|_| Err(denied(DenialCode::UserInactive)));
    until("the playback is cut", || stage.edge.playbacks.running().is_empty()).await;
    assert!(breaks(film).await);
}

#[tokio::test]
async fn the_bytes_of_a_key_are_its_own_and_those_of_a_token_nobodys() {
    let (stage, _cdns) = stage().await;
    let film = fallen_back(&stage).await;
    assert!(!breaks(film).await);
    let served = || {
        let recorded = lock(&stage.control.recorded);
        let served = recorded.iter().filter(|event| event.action.as_str() == "stream-served");
        served.map(|event| (event.key.to_string(), event.bytes)).collect::<Vec<_>>()
    };
    until("they are counted", || !served().is_empty()).await;
    assert_eq!(served(), [("key-1".to_owned(), BREAK)]);
}

#[tokio::test]
async fn his_next_request_is_sent_to_his_own_account() {
    let (stage, cdns) = stage().await;
    let film = fallen_back(&stage).await;
    let seek = stage.send(Method::GET, &click(&both()), &[("range", "bytes=5000000-")]).await;
    let seek = Reply::read(seek).await;
    assert_eq!((seek.status, seek.header("location")), (StatusCode::FOUND, cdns[1].link.as_str()));
    assert!(!breaks(film).await, "what runs runs on");
}

/// The viewer's own token first, then the pool.
fn own_first() -> String {
    segment(&format!(r#"{{"stores":[{{"c":"tb","t":"own-token"}},{{"c":"tb","auth":"{LINK}"}}]}}"#))
}

#[tokio::test]
async fn the_pools_link_is_not_handed_out_when_the_token_fails() {
    let (stage, cdn) = (Stage::new().with_film(), Cdn::with_film_of(300_000).await);
    lock(&stage.torbox.links).insert("key-1".to_owned(), cdn.link.clone());
    assert_eq!(stage.play(&own_first()).await.status(), StatusCode::FOUND);
    assert!(lock(&stage.spool.events).is_empty());
    stage.torbox.fail("own-token", "link", StoreErrorKind::Unauthorized);
    for _ in 0..2 {
        let film = Reply::read(stage.play(&own_first()).await).await;
        assert_eq!((film.status, film.body.len()), (StatusCode::OK, 300_000));
    }
    let events = lock(&stage.spool.events).clone();
    let events: Vec<_> = events.iter().map(|event| (event.action.as_str(), event.key.as_str())).collect();
    assert_eq!(events, [("stream-request", "key-1")], "its start is the pool's business once");
}

#[tokio::test]
async fn the_pools_link_is_handed_out_where_its_user_is_redirected() {
    let stage = Stage::new().with_film();
    stage.control.decide(|_| Ok(Lease { delivery: Some(Delivery::Redirect), ..lease("key-1", 1) }));
    lock(&stage.torbox.links).insert("key-1".to_owned(), "http://127.0.0.1:9/of-the-pool".to_owned());
    assert_eq!(stage.play(&own_first()).await.status(), StatusCode::FOUND);
    stage.torbox.fail("own-token", "link", StoreErrorKind::Unauthorized);
    let sent = Reply::read(stage.play(&own_first()).await).await;
    assert_eq!((sent.status, sent.header("location")), (StatusCode::FOUND, "http://127.0.0.1:9/of-the-pool"));
    assert_eq!(lock(&stage.spool.events).len(), 1, "stream-request");
}

#[tokio::test]
async fn what_runs_through_the_pool_is_seen_by_its_limit_when_it_began_elsewhere() {
    let config = EdgeConfig { max_streams_per_user: Some(1), ..EdgeConfig::default() };
    let (stage, cdn) = (Stage::with(config).with_film(), Cdn::with_film_of(LONG).await);
    lock(&stage.torbox.links).insert("key-1".to_owned(), cdn.link.clone());
    assert_eq!(stage.play(&own_first()).await.status(), StatusCode::FOUND);
    stage.torbox.fail("own-token", "", StoreErrorKind::Unauthorized);
    let film = stage.play(&own_first()).await;
    assert_eq!(film.status(), StatusCode::OK);
    tokio::time::pause();
    let other = stage.send(Method::GET, &click(&pool()), &[("user-agent", "Kitchen/1.0")]).await;
    assert_eq!(other.headers()["x-chillproxy-refusal"], "stream_limit");
}
