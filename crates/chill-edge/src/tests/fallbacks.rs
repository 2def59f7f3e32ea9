//! A link with two rights at one store: which one plays, under whose rule, and through whom the bytes come.

use std::time::Duration;

use axum::response::Response;
use chill_core::control::{Act, Subject};
use chill_core::{Chance, DenialCode, StoreErrorKind};
use chill_sim::{CdnFault, CdnFaultRule};
use http::StatusCode;
use http_body_util::BodyExt as _;

use super::fakes::{denied, lease, lock};
use super::stage::{Cdn, LINK, Stage, both, until};
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
