//! The budgets of a key, as TorBox tells about them.

use chill_core::store::{AddMode, ItemStatus};
use chill_sim::{Behaviour, RateReset, Torrent, TorrentState};

use super::*;

fn unseeded(n: usize) -> Torrent {
    Torrent::single(&format!("New {n}.mkv"), 50).state(TorrentState::Downloadable { bytes_per_s: 1 })
}

fn is_too_many(error: &StoreError) -> bool {
    matches!(error.kind, StoreErrorKind::DownloadsClosed { retry_after: Some(_) })
}

#[tokio::test]
async fn new_downloads_stop_before_torbox_has_to_say_so() {
    let setting = Setting::new().await;
    for n in 0..20 {
        let hash = setting.knows(unseeded(n));
        setting.add(&hash, AddMode::Download).await.unwrap();
    }
    let hash = setting.knows(unseeded(20));
    let error = setting.add(&hash, AddMode::Download).await.unwrap_err();
    assert!(is_too_many(&error), "{error}");
    assert!(setting.world.torbox().items(KEY).len() + setting.world.torbox().queue(KEY).len() == 20);
    let cached = setting.knows(film());
    assert_eq!(setting.add(&cached, AddMode::Download).await.unwrap().status, ItemStatus::Downloaded);
}

#[tokio::test]
async fn the_hourly_429_closes_new_downloads_only() {
    for rate_headers in [true, false] {
        let setting = Setting::new().await;
        let behaviour = Behaviour { uncached_creates_per_hour: 1, rate_headers: false, ..Behaviour::default() };
        setting.world.torbox().set_behaviour(Behaviour { retry_after: rate_headers, ..behaviour });
        let first = setting.knows(unseeded(1));
        setting.add(&first, AddMode::Download).await.unwrap();
        let second = setting.knows(unseeded(2));
        let error = setting.add(&second, AddMode::Download).await.unwrap_err();
        assert!(matches!(error.kind, StoreErrorKind::DownloadsClosed { .. }), "{error}");
        let sent_before = setting.world.torbox().calls().len();
        let error = setting.add(&second, AddMode::Download).await.unwrap_err();
        assert!(is_too_many(&error), "{error}");
        let calls = setting.world.torbox().calls();
        assert!(calls[sent_before..].iter().all(|call| !call.body.contains("add_only_if_cached=false")));
        let cached = setting.knows(film());
        assert_eq!(setting.add(&cached, AddMode::Download).await.unwrap().status, ItemStatus::Downloaded);
        setting.store.account(&setting.key).await.unwrap();
    }
}

#[tokio::test]
async fn the_headers_of_a_success_say_that_the_hour_is_used_up() {
    for rate_reset in [RateReset::Seconds, RateReset::UnixTime] {
        let setting = Setting::new().await;
        let behaviour = Behaviour { uncached_creates_per_hour: 1, rate_reset, ..Behaviour::default() };
        setting.world.torbox().set_behaviour(behaviour);
        let first = setting.knows(unseeded(1));
        setting.add(&first, AddMode::Download).await.unwrap();
        let second = setting.knows(unseeded(2));
        let StoreErrorKind::DownloadsClosed { retry_after: Some(wait) } =
            kind(setting.add(&second, AddMode::Download).await)
        else {
            panic!("the hour is used up");
        };
        assert!(wait > Duration::from_secs(3_500) && wait < Duration::from_secs(3_620), "{wait:?}");
        assert!(setting.world.torbox().calls().iter().all(|call| call.status != 429), "{rate_reset:?}");
    }
}
