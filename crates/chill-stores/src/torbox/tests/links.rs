//! Links: kept, renewed, asked for once.

use chill_core::store::{AddMode, ItemId};
use chill_sim::{Fault, FaultRule};

use super::*;

async fn added() -> (Setting, ItemId) {
    let setting = Setting::new().await;
    let hash = setting.knows(film());
    let id = setting.add(&hash, AddMode::CachedOnly).await.unwrap().id.unwrap();
    (setting, id)
}

async fn link(setting: &Setting, id: &ItemId, file: u64, fresh: bool) -> Secret {
    setting.store.link(&setting.key, id, file, None, fresh).await.unwrap()
}

#[tokio::test]
async fn a_link_is_asked_for_once_in_fifty_minutes() {
    let (setting, id) = added().await;
    let first = link(&setting, &id, 0, false).await;
    setting.clock.advance(Duration::from_secs(49 * 60));
    assert_eq!(link(&setting, &id, 0, false).await.expose(), first.expose());
    assert_eq!(setting.calls("requestdl"), 1);
    setting.clock.advance(Duration::from_secs(60));
    assert_ne!(link(&setting, &id, 0, false).await.expose(), first.expose());
    assert_eq!(setting.calls("requestdl"), 2);
    link(&setting, &id, 1, false).await;
    assert_eq!(setting.calls("requestdl"), 3, "every file has its own");
}

#[tokio::test]
async fn a_dead_link_is_renewed_once_for_all_who_need_it() {
    let (setting, id) = added().await;
    let dead = link(&setting, &id, 0, false).await;
    let renewals = futures_util::future::join_all((0..8).map(|_| link(&setting, &id, 0, true))).await;
    assert!(renewals.iter().all(|new| new.expose() == renewals[0].expose() && new.expose() != dead.expose()));
    assert_eq!(link(&setting, &id, 0, false).await.expose(), renewals[0].expose());
    assert_eq!(setting.calls("requestdl"), 2);
}

#[tokio::test]
async fn many_viewers_of_a_file_ask_once() {
    let (setting, id) = added().await;
    setting.world.torbox().fault("requestdl", Fault::Latency { ms: 100 }, 1);
    futures_util::future::join_all((0..8).map(|_| link(&setting, &id, 0, false))).await;
    assert_eq!(setting.calls("requestdl"), 1);
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let (setting, id) = added().await;
    let bad = Fault::Code { status: 400, code: "INVALID_OPTION".to_owned() };
    setting.world.torbox().fault("requestdl", bad, 1);
    assert_eq!(kind(setting.store.link(&setting.key, &id, 0, None, false).await), StoreErrorKind::BadRequest);
    link(&setting, &id, 0, false).await;
}

#[tokio::test]
async fn the_viewers_address_is_passed_on_when_there_is_one() {
    let (setting, id) = added().await;
    let viewer = Some("2001:db8::7".parse().unwrap());
    setting.store.link(&setting.key, &id, 0, viewer, false).await.unwrap();
    link(&setting, &id, 1, false).await;
    let calls: Vec<_> =
        setting.world.torbox().calls().into_iter().filter(|call| call.path.ends_with("requestdl")).collect();
    assert_eq!(calls[0].param("user_ip"), Some("2001:db8::7"));
    assert_eq!(calls[0].param("file_id"), Some("0"));
    assert_eq!(calls[1].param("user_ip"), None);
    assert!(calls.iter().all(|call| call.param("redirect").is_none()), "only JSON: a redirect would be a permalink");
}

#[tokio::test]
async fn what_is_gone_or_not_ready_has_no_link() {
    let (setting, id) = added().await;
    assert_eq!(kind(setting.store.link(&setting.key, &id, 9, None, false).await), StoreErrorKind::NotFound);
    setting.store.remove(&setting.key, &id).await.unwrap();
    assert_eq!(kind(setting.store.link(&setting.key, &id, 0, None, false).await), StoreErrorKind::NotFound);
}

#[tokio::test]
async fn a_permalink_never_leaves() {
    let (setting, id) = added().await;
    let permalink = format!("{}/v1/api/torrents/requestdl?token={KEY}&redirect=true", setting.world.torbox_url());
    for data in [permalink, format!("https://cdn.example/a.mkv?k={KEY}"), "no link".to_owned()] {
        setting.world.torbox().clear_faults();
        let body = format!(r#"{{"success":true,"error":null,"detail":"","data":"{data}"}}"#);
        let fault = Fault::Answer { status: 200, content_type: "application/json".to_owned(), body };
        setting.world.torbox().add_fault(FaultRule::new("requestdl", fault));
        let error = setting.store.link(&setting.key, &id, 0, None, false).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
        assert!(!format!("{error} {error:?}").contains(KEY));
    }
}
