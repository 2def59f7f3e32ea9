//! A film that breaks off in the middle goes on with a fresh link, then with another key; never with another film.

use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use chill_core::control::{Act, Subject};
use chill_core::{Chance, DenialCode, Lease, Outcome, Secret, StoreErrorKind};
use chill_sim::{CdnFault, CdnFaultRule};
use http::StatusCode;
use http_body_util::BodyExt as _;

use super::fakes::{denied, lease, lock};
use super::stage::{Cdn, Stage, pool, until};
use super::store::ROTATED;
use crate::EdgeConfig;
use crate::relay::RelayConfig;

const SIZE: u64 = 3_000_000;
const BREAK: u64 = 1_000_000;

/// Two keys with the same film at two CDNs.
async fn stage() -> (Stage, Cdn, Cdn) {
    let relay = RelayConfig {
        stall_timeout: Duration::from_millis(500),
        head_timeout: Duration::from_secs(2),
        resume_pause: Duration::from_millis(1),
        chance: Chance::seeded(1),
        ..RelayConfig::default()
    };
    let stage = Stage::with(EdgeConfig { relay, ..EdgeConfig::default() }).with_film();
    let (first, second) = (Cdn::with_film_of(SIZE).await, Cdn::with_film_of(SIZE).await);
    for (key, cdn) in [("key-1", &first), ("key-2", &second)] {
        lock(&stage.torbox.links).insert(key.to_owned(), cdn.link.clone());
    }
    stage.control.decide(|ask| Ok(lease(["key-1", "key-2"][ask.exclude.len().min(1)], 1)));
    (stage, first, second)
}

/// All the bytes; none when the film broke off.
async fn whole(film: Response) -> Option<Bytes> {
    assert_eq!(film.status(), StatusCode::OK);
    axum::body::to_bytes(film.into_body(), 64 << 20).await.ok()
}

fn assert_right(film: &Bytes, cdn: &Cdn) {
    assert!(film[..] == chill_sim::content_bytes(cdn.seed, 0, SIZE as usize));
}

#[tokio::test]
async fn a_link_that_dies_in_the_middle_is_replaced_on_the_same_key() {
    let (stage, first, second) = stage().await;
    first.world.cdn().fault(CdnFault::CutAt { bytes: BREAK }, 1);
    first.world.cdn().add_fault(CdnFaultRule::new(CdnFault::Status { status: 410 }).after(1).times(1));
    assert_right(&whole(stage.play(&pool()).await).await.unwrap(), &first);
    assert_eq!(stage.torbox.calls(), ["add key-1", "link key-1", "link key-1"]);
    assert!(second.world.cdn().calls().is_empty());
}

#[tokio::test]
async fn a_key_rejected_in_the_middle_is_replaced() {
    let (stage, first, second) = stage().await;
    first.world.cdn().fault(CdnFault::CutAt { bytes: BREAK }, 1);
    first.world.cdn().add_fault(CdnFaultRule::new(CdnFault::Status { status: 403 }).after(1));
    let film = stage.play(&pool()).await;
    stage.torbox.fail("key-1", "link", StoreErrorKind::Unauthorized);
    assert_right(&whole(film).await.unwrap(), &first);
    assert_eq!(stage.torbox.calls(), ["add key-1", "link key-1", "link key-1", "add key-2", "link key-2"]);
    assert_eq!(second.world.cdn().calls().len(), 1, "one request for the rest");
    let asked = lock(&stage.control.asked).clone();
    assert_eq!(asked.last().unwrap().exclude[0].as_str(), "key-1");
    let told = lock(&stage.spool.events).clone();
    let told = told.iter().find(|event| event.outcome == StoreErrorKind::Unauthorized.outcome());
    assert_eq!(told.unwrap().key.as_str(), "key-1");
}

#[tokio::test]
async fn a_key_whose_secret_was_replaced_carries_its_films_on() {
    let (stage, first, _second) = stage().await;
    let stage = stage.background().await;
    stage
        .control
        .decide(|ask| if ask.exclude.is_empty() { Ok(lease("key-1", 1)) } else { Err(denied(DenialCode::NoKey)) });
    first.world.cdn().fault(CdnFault::CutAt { bytes: BREAK }, 1);
    first.world.cdn().add_fault(CdnFaultRule::new(CdnFault::Status { status: 403 }).after(1).times(1));
    let film = stage.play(&pool()).await;
    let newer = format!("{ROTATED}key-1");
    lock(&stage.torbox.links).insert(newer.clone(), first.link.clone());
    stage.torbox.fail("key-1", "link", StoreErrorKind::Unauthorized);
    stage.control.decide(move |_| Ok(Lease { key: Secret::new(newer.clone()), ..lease("key-1", 2) }));
    stage.control.tell(2, Subject::Key("key-1".parse().unwrap()), Act::Refresh);
    until("the change is heard", || stage.edge.leases.newest() == 2).await;
    assert_right(&whole(film).await.unwrap(), &first);
    assert_eq!(stage.torbox.calls(), ["add key-1", "link key-1", "link key-1", "link rotated-key-1"]);
    let told = lock(&stage.control.recorded).clone();
    assert!(told.iter().all(|event| event.outcome == Outcome::Ok), "nothing is wrong with the key");
}

#[tokio::test]
async fn each_key_is_charged_with_its_own_bytes() {
    let (stage, first, _second) = stage().await;
    let stage = stage.background().await;
    first.world.cdn().fault(CdnFault::CutAt { bytes: BREAK }, 1);
    first.world.cdn().add_fault(CdnFaultRule::new(CdnFault::Status { status: 403 }).after(1));
    let film = stage.play(&pool()).await;
    stage.torbox.fail("key-1", "link", StoreErrorKind::Unauthorized);
    assert_right(&whole(film).await.unwrap(), &first);
    let both = || (served(&stage, "key-1"), served(&stage, "key-2"));
    until("all bytes are counted", || both().0 + both().1 >= SIZE).await;
    assert_eq!(both(), (BREAK, SIZE - BREAK));
}

/// What a key is charged with.
fn served(stage: &Stage, key: &str) -> u64 {
    let recorded = lock(&stage.control.recorded);
    let served = recorded.iter().filter(|event| event.action.as_str() == "stream-served");
    served.filter(|event| event.key.as_str() == key).map(|event| event.bytes).sum()
}

#[tokio::test]
async fn all_requests_of_a_film_leave_the_key_that_one_of_them_left() {
    let (stage, first, second) = stage().await;
    let stage = stage.background().await;
    first.world.cdn().add_fault(CdnFaultRule::new(CdnFault::Status { status: 403 }).after(1));
    let mut film = stage.play(&pool()).await;
    let mut came = film.body_mut().frame().await.unwrap().unwrap().into_data().unwrap().to_vec();
    stage.torbox.fail("key-1", "link", StoreErrorKind::Unauthorized);
    assert_right(&whole(stage.play(&pool()).await).await.unwrap(), &second);
    let (by_first, unread) = (came.len() as u64, first.world.cdn().calls().len());
    came.extend(whole(film).await.unwrap());
    assert_right(&came.into(), &first);
    assert_eq!(second.world.cdn().calls().len(), 2, "the other request goes on there too");
    assert_eq!(first.world.cdn().calls().len(), unread);
    until("all bytes are counted", || served(&stage, "key-1") + served(&stage, "key-2") >= 2 * SIZE).await;
    assert_eq!((served(&stage, "key-1"), served(&stage, "key-2")), (by_first, 2 * SIZE - by_first));
    let told = stage.torbox.calls();
    assert_eq!(told.iter().filter(|call| *call == "add key-2").count(), 1, "{told:?}");
}

#[tokio::test]
async fn bytes_that_could_not_be_written_down_when_the_key_changed_are_charged_to_it_later() {
    let (stage, first, _second) = stage().await;
    let stage = stage.background().await;
    first.world.cdn().fault(CdnFault::CutAt { bytes: BREAK }, 1);
    first.world.cdn().add_fault(CdnFaultRule::new(CdnFault::Status { status: 403 }).after(1));
    let film = stage.play(&pool()).await;
    stage.torbox.fail("key-1", "link", StoreErrorKind::Unauthorized);
    *lock(&stage.spool.broken) = true;
    assert_right(&whole(film).await.unwrap(), &first);
    *lock(&stage.spool.broken) = false;
    let served = || {
        let recorded = lock(&stage.control.recorded);
        let served = recorded.iter().filter(|event| event.action.as_str() == "stream-served");
        served.map(|event| (event.key.to_string(), event.bytes)).collect::<Vec<_>>()
    };
    until("all bytes are counted", || served().len() == 2).await;
    assert_eq!(served(), [("key-1".to_owned(), BREAK), ("key-2".to_owned(), SIZE - BREAK)]);
}

#[tokio::test]
async fn a_dead_cdn_of_one_key_is_left_for_another_key() {
    for fault in [CdnFault::Status { status: 503 }, CdnFault::Reset, CdnFault::StallAt { bytes: 0 }] {
        let (stage, first, _second) = stage().await;
        first.world.cdn().fault(CdnFault::CutAt { bytes: BREAK }, 1);
        first.world.cdn().add_fault(CdnFaultRule::new(fault).after(1));
        assert_right(&whole(stage.play(&pool()).await).await.unwrap(), &first);
        let calls = stage.torbox.calls();
        assert_eq!(calls, ["add key-1", "link key-1", "link key-1", "add key-2", "link key-2"], "{fault:?}");
        let told = lock(&stage.spool.events).clone();
        assert!(told.iter().all(|event| event.action.as_str() == "stream-request"), "the key did nothing wrong");
        // The next seek stays with what works.
        assert_right(&whole(stage.play(&pool()).await).await.unwrap(), &first);
        assert_eq!(stage.torbox.calls().last().unwrap(), "link key-2");
    }
}

#[tokio::test]
async fn a_cdn_that_is_dead_from_the_start_is_left_too() {
    let (stage, first, second) = stage().await;
    first.world.cdn().add_fault(CdnFaultRule::new(CdnFault::Status { status: 503 }));
    assert_right(&whole(stage.play(&pool()).await).await.unwrap(), &second);
    assert_eq!(stage.torbox.calls(), ["add key-1", "link key-1", "link key-1", "add key-2", "link key-2"]);
}

#[tokio::test]
async fn another_keys_film_is_not_appended_when_it_is_another_one() {
    let (stage, first, _) = stage().await;
    let second = Cdn::with_film_of(SIZE + 1).await;
    lock(&stage.torbox.links).insert("key-2".to_owned(), second.link.clone());
    first.world.cdn().fault(CdnFault::CutAt { bytes: BREAK }, 1);
    first.world.cdn().add_fault(CdnFaultRule::new(CdnFault::Status { status: 503 }).after(1));
    assert!(whole(stage.play(&pool()).await).await.is_none(), "it breaks, rather than become another film");
    assert!((1..=5).contains(&second.world.cdn().calls().len()), "asked, and not for ever");
}

#[tokio::test]
async fn another_keys_copy_goes_on_by_whatever_name_when_its_bytes_are_the_same() {
    let (stage, first, second) = stage().await;
    second.world.cdn().add_fault(CdnFaultRule::new(CdnFault::WrongEtagAfter { answers: 0 }));
    first.world.cdn().fault(CdnFault::CutAt { bytes: BREAK }, 1);
    first.world.cdn().add_fault(CdnFaultRule::new(CdnFault::Status { status: 503 }).after(1));
    assert_right(&whole(stage.play(&pool()).await).await.unwrap(), &first);
    assert_eq!(second.world.cdn().calls().len(), 2, "once by its name, once by its bytes");
}
