//! Every way a create can end.

use chill_core::store::{AddMode, ItemStatus};
use chill_core::{Secret, StoreErrorKind};
use chill_sim::{Behaviour, Duplicate, Fault, FaultRule, Plan, Torrent, TorrentState, WhenFull};

use super::*;

const SLOW: TorrentState = TorrentState::Downloadable { bytes_per_s: 100 };

fn slow(name: &str) -> Torrent {
    Torrent::single(name, 100_000).state(SLOW)
}

/// Fills every slot of the account.
async fn fill(setting: &Setting) {
    for n in 0..10 {
        let hash = setting.knows(slow(&format!("Filler {n}.mkv")));
        setting.add(&hash, AddMode::Download).await.unwrap();
    }
}

#[tokio::test]
async fn a_play_from_the_cache_takes_three_calls() {
    let setting = Setting::new().await;
    let hash = setting.knows(film());
    let item = setting.add(&hash, AddMode::CachedOnly).await.unwrap();
    assert_eq!((item.status, item.hash), (ItemStatus::Downloaded, hash));
    let files: Vec<_> = item.files.iter().map(|file| (file.id, file.path.as_str(), file.size)).collect();
    assert_eq!(files, [(Some(0), "/A.Film.1968.1080p.mkv", Some(5_000)), (Some(1), "/Sample/sample.mkv", Some(10))]);
    let link = setting.store.link(&setting.key, &item.id.unwrap(), 0, None, false).await.unwrap();
    assert!(link.expose().starts_with(&setting.world.cdn_url()));
    assert_eq!(setting.calls(""), 3);
    let create = &setting.world.torbox().calls()[0];
    for field in ["seed=3", "allow_zip=false", "add_only_if_cached=true", "magnet=magnet%3A%3Fxt%3Durn%3Abtih%3A"] {
        assert!(create.body.contains(field), "{field} in {}", create.body);
    }
}

#[tokio::test]
async fn what_is_not_cached_is_fetched_only_when_asked() {
    let setting = Setting::new().await;
    let hash = setting.knows(slow("A Film.mkv"));
    assert_eq!(kind(setting.add(&hash, AddMode::CachedOnly).await), StoreErrorKind::NotCached);
    assert!(setting.world.torbox().items(KEY).is_empty());
    let item = setting.add(&hash, AddMode::Download).await.unwrap();
    assert!(matches!(item.status, ItemStatus::Queued | ItemStatus::Downloading), "{item:?}");
    let id = item.id.unwrap();
    setting.world.clock().advance(Duration::from_secs(500));
    assert_eq!(setting.store.item(&setting.key, &id).await.unwrap().status, ItemStatus::Downloading);
    setting.world.clock().advance(Duration::from_secs(5_000));
    let item = setting.store.item(&setting.key, &id).await.unwrap();
    assert_eq!((item.status, item.files.len()), (ItemStatus::Downloaded, 1));
}

#[tokio::test]
async fn a_torrent_waits_in_the_queue_and_is_found_there_and_later_in_the_list() {
    let setting = Setting::new().await;
    fill(&setting).await;
    let hash = setting.knows(slow("Patient.mkv"));
    assert!(is_waiting(&setting.add(&hash, AddMode::Download).await.unwrap()));
    let creates = setting.calls("createtorrent");
    assert!(is_waiting(&setting.add(&hash, AddMode::Download).await.unwrap()));
    setting.world.clock().advance(Duration::from_secs(10_000));
    let started = setting.add(&hash, AddMode::Download).await.unwrap();
    assert!(started.id.is_some());
    assert_eq!(setting.calls("createtorrent"), creates, "asking again starts no second download");
}

#[tokio::test]
async fn queued_told_as_a_failure_is_queued() {
    let setting = Setting::new().await;
    setting.world.torbox().set_behaviour(Behaviour { when_full: WhenFull::QueueAsFailure, ..Behaviour::default() });
    fill(&setting).await;
    let hash = setting.knows(slow("Patient.mkv"));
    assert!(is_waiting(&setting.add(&hash, AddMode::Download).await.unwrap()));
}

#[tokio::test]
async fn full_slots_are_a_limit_with_and_without_their_code() {
    for limit_codes in [true, false] {
        let setting = Setting::new().await;
        let behaviour = Behaviour { when_full: WhenFull::ActiveLimit, limit_codes, ..Behaviour::default() };
        setting.world.torbox().set_behaviour(behaviour);
        fill(&setting).await;
        let hash = setting.knows(slow("One more.mkv"));
        assert_eq!(
            kind(setting.add(&hash, AddMode::Download).await),
            StoreErrorKind::DownloadsClosed { retry_after: None }
        );
        let cached = setting.knows(film());
        assert_eq!(setting.add(&cached, AddMode::Download).await.unwrap().status, ItemStatus::Downloaded);
    }
}

#[tokio::test]
async fn a_cooldown_closes_new_downloads_and_leaves_the_cache_open() {
    for limit_codes in [true, false] {
        let setting = Setting::new().await;
        setting.world.torbox().set_behaviour(Behaviour { limit_codes, ..Behaviour::default() });
        setting.world.torbox().set_cooldown(KEY, Duration::from_secs(7_200));
        let hash = setting.knows(slow("New.mkv"));
        let StoreErrorKind::DownloadsClosed { retry_after: Some(wait) } =
            kind(setting.add(&hash, AddMode::Download).await)
        else {
            panic!("a cooldown is a matter of waiting");
        };
        assert!(wait.as_secs() > 7_100 && wait.as_secs() <= 7_200, "{wait:?}");
        setting.world.torbox().forget_calls();
        assert!(matches!(
            kind(setting.add(&hash, AddMode::Download).await),
            StoreErrorKind::DownloadsClosed { retry_after: Some(_) }
        ));
        assert!(setting.world.torbox().calls()[0].body.contains("add_only_if_cached=true"));
        let cached = setting.knows(film());
        assert_eq!(setting.add(&cached, AddMode::Download).await.unwrap().status, ItemStatus::Downloaded);
    }
}

#[tokio::test]
async fn the_free_plans_month_is_a_limit() {
    let setting = Setting::new().await;
    setting.world.torbox().set_plan(KEY, Plan::Free, 0);
    let fault = Fault::Answer {
        status: 400,
        content_type: "application/json".to_owned(),
        body:
            r#"{"success":false,"error":null,"detail":"Used up.","data":{"monthly_limit":10,"current_downloads":10}}"#
                .to_owned(),
    };
    setting.world.torbox().fault("createtorrent", fault, 1);
    let hash = setting.knows(slow("New.mkv"));
    assert_eq!(
        kind(setting.add(&hash, AddMode::Download).await),
        StoreErrorKind::DownloadsClosed { retry_after: None }
    );
}

#[tokio::test]
async fn what_the_account_has_already_is_found_however_torbox_says_so() {
    for duplicate in [Duplicate::Existing, Duplicate::Refused, Duplicate::DiffIssue] {
        let setting = Setting::new().await;
        setting.world.torbox().set_behaviour(Behaviour { duplicate, ..Behaviour::default() });
        let hash = setting.knows(film());
        let first = setting.add(&hash, AddMode::CachedOnly).await.unwrap();
        setting.world.torbox().forget_calls();
        let second = setting.add(&hash, AddMode::CachedOnly).await.unwrap();
        assert_eq!(first, second, "{duplicate:?}");
        assert_eq!(setting.calls(""), 2, "{duplicate:?}");
    }
}

#[tokio::test]
async fn a_duplicate_among_hundreds_is_found_page_by_page() {
    let setting = Setting::new().await;
    let behaviour = Behaviour { duplicate: Duplicate::Refused, calls_per_minute: 10_000, ..Behaviour::default() };
    setting.world.torbox().set_behaviour(behaviour);
    let hash = setting.knows(film());
    let first = setting.add(&hash, AddMode::CachedOnly).await.unwrap();
    let magnets = (0..300).map(|n| setting.world.torbox().add_torrent(Torrent::single(&format!("{n}.mkv"), 5)));
    for hash in magnets.collect::<Vec<_>>() {
        raw_create(&setting, &hash).await;
    }
    setting.world.torbox().forget_calls();
    assert_eq!(setting.add(&hash, AddMode::CachedOnly).await.unwrap(), first);
    assert_eq!(setting.calls("mylist"), 2);
}

/// A create past our own client and its budgets.
async fn raw_create(setting: &Setting, hash: &str) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = setting.world.torbox_url().replace("http://", "");
    let body = format!("magnet=magnet%3A%3Fxt%3Durn%3Abtih%3A{hash}");
    let request = format!(
        "POST /v1/api/torrents/createtorrent HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {KEY}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn after_an_unknown_outcome_it_looks_instead_of_creating_again() {
    for fault in [Fault::NullData, Fault::TruncatedJson] {
        let setting = Setting::new().await;
        let hash = setting.knows(film());
        setting.world.torbox().fault("createtorrent", fault.clone(), 1);
        let item = setting.add(&hash, AddMode::Download).await.unwrap();
        assert_eq!(item.status, ItemStatus::Downloaded, "{fault:?}");
        assert_eq!((setting.calls("createtorrent"), setting.calls("mylist")), (1, 1), "{fault:?}");
    }
    let nothing_done =
        [Fault::ServerError, Fault::HtmlBadGateway, Fault::EmptyBadGateway, Fault::Reset, Fault::HtmlPage];
    for fault in nothing_done {
        let setting = Setting::new().await;
        let hash = setting.knows(film());
        setting.world.torbox().fault("createtorrent", fault.clone(), 1);
        assert_eq!(kind(setting.add(&hash, AddMode::Download).await), StoreErrorKind::Unavailable, "{fault:?}");
        assert_eq!(setting.calls("createtorrent"), 1, "{fault:?}");
        assert!(setting.world.torbox().items(KEY).is_empty());
    }
}

#[tokio::test]
async fn a_create_that_hangs_is_looked_up_too() {
    let setting = Setting::with_deadline(Duration::from_millis(400)).await;
    let hash = setting.knows(film());
    setting.world.torbox().fault("createtorrent", Fault::Hang, 1);
    assert_eq!(kind(setting.add(&hash, AddMode::Download).await), StoreErrorKind::Timeout);
    assert_eq!((setting.calls("createtorrent"), setting.calls("mylist"), setting.calls("getqueued")), (1, 1, 1));
}

#[tokio::test]
async fn what_torbox_will_not_have() {
    let setting = Setting::new().await;
    for (state, expected) in [
        (TorrentState::Infringing, StoreErrorKind::LegalReasons),
        (TorrentState::Oversize, StoreErrorKind::Unprocessable),
        (TorrentState::Dead, StoreErrorKind::NotCached),
    ] {
        let hash = setting.knows(Torrent::single(&format!("{state:?}.mkv"), 5).state(state));
        assert_eq!(kind(setting.add(&hash, AddMode::CachedOnly).await), expected);
    }
    setting.world.torbox().set_behaviour(Behaviour { infringing_status: 503, ..Behaviour::default() });
    let hash = setting.knows(Torrent::single("x.mkv", 5).state(TorrentState::Infringing));
    assert_eq!(kind(setting.add(&hash, AddMode::Download).await), StoreErrorKind::LegalReasons);
}

#[tokio::test]
async fn quoted_ids_are_ids() {
    let setting = Setting::new().await;
    let hash = setting.knows(film());
    setting.world.torbox().add_fault(FaultRule::new("", Fault::QuotedIds));
    let item = setting.add(&hash, AddMode::CachedOnly).await.unwrap();
    assert_eq!(item.files[0].id, Some(0));
    assert_eq!(setting.store.item(&setting.key, item.id.as_ref().unwrap()).await.unwrap(), item);
}

#[tokio::test]
async fn a_list_behind_its_creates_leaves_the_id() {
    let setting = Setting::new().await;
    let hash = setting.knows(film());
    let not_there = Fault::Code { status: 404, code: "ITEM_NOT_FOUND".to_owned() };
    setting.world.torbox().fault("mylist", not_there, 1);
    let item = setting.add(&hash, AddMode::CachedOnly).await.unwrap();
    assert_eq!(item.status, ItemStatus::Queued);
    let id = item.id.unwrap();
    assert_eq!(setting.store.item(&setting.key, &id).await.unwrap().status, ItemStatus::Downloaded);
}

#[tokio::test]
async fn many_who_want_the_same_make_one_create() {
    let setting = Setting::new().await;
    let hash = setting.knows(film());
    setting.world.torbox().fault("createtorrent", Fault::Latency { ms: 100 }, 1);
    let adds = (0..8).map(|_| setting.add(&hash, AddMode::CachedOnly));
    let items = futures_util::future::join_all(adds).await;
    assert!(items.iter().all(|item| item.as_ref().unwrap().status == ItemStatus::Downloaded));
    assert_eq!(setting.calls("createtorrent"), 1);
}

#[tokio::test]
async fn removed_is_removed_and_twice_is_no_fault() {
    let setting = Setting::new().await;
    let hash = setting.knows(film());
    let id = setting.add(&hash, AddMode::CachedOnly).await.unwrap().id.unwrap();
    setting.store.remove(&setting.key, &id).await.unwrap();
    assert!(setting.world.torbox().items(KEY).is_empty());
    setting.store.remove(&setting.key, &id).await.unwrap();
    assert_eq!(kind(setting.store.item(&setting.key, &id).await), StoreErrorKind::NotFound);
    let foreign = chill_core::store::ItemId("ABCDEF".to_owned());
    assert_eq!(kind(setting.store.item(&setting.key, &foreign).await), StoreErrorKind::NotFound);
    let stranger = Secret::new("no-such-key");
    assert_eq!(kind(setting.store.remove(&stranger, &id).await), StoreErrorKind::Unauthorized);
}
