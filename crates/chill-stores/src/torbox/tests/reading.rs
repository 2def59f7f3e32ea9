//! The account and the cache check.

use chill_core::store::Account;
use chill_sim::{Behaviour, ErrorField, Fault, FaultRule, Plan, Torrent, TorrentState};

use super::*;

async fn account(setting: &Setting) -> Account {
    setting.store.account(&setting.key).await.unwrap()
}

#[tokio::test]
async fn an_account_tells_its_plan_its_slots_and_its_cooldown() {
    let setting = Setting::new().await;
    let torbox = setting.world.torbox();
    let pro = account(&setting).await;
    assert_eq!((pro.active, pro.plan.as_str(), pro.slots, pro.cooldown_until), (true, "Pro", Some(10), None));
    assert!(pro.expires_at.unwrap() > setting.clock.now());
    torbox.set_plan(KEY, Plan::Essential, 4);
    torbox.set_cooldown(KEY, Duration::from_secs(3_600));
    let essential = account(&setting).await;
    assert_eq!((essential.active, essential.plan.as_str(), essential.slots), (true, "Essential", Some(7)));
    let cooldown = essential.cooldown_until.unwrap() - setting.clock.now();
    assert!((3_590_000..=3_605_000).contains(&cooldown), "{cooldown}");
    torbox.set_plan(KEY, Plan::Free, 0);
    assert!(!account(&setting).await.active, "the free plan has no use of the API");
}

#[tokio::test]
async fn an_account_past_its_end_is_not_active() {
    let setting = Setting::new().await;
    assert!(account(&setting).await.active);
    setting.clock.advance(Duration::from_secs(91 * 86_400));
    assert!(!account(&setting).await.active);
}

#[tokio::test]
async fn the_cache_check_gives_what_is_there_and_only_that() {
    let setting = Setting::new().await;
    let cached = setting.knows(film());
    let other = setting.knows(Torrent::single("B.mkv", 7).state(TorrentState::Downloadable { bytes_per_s: 1 }));
    for null_when_uncached in [true, false] {
        setting.world.torbox().set_behaviour(Behaviour { null_when_uncached, ..Behaviour::default() });
        assert_eq!(setting.store.cached(&setting.key, &[other]).await.unwrap(), []);
    }
    let found = setting.store.cached(&setting.key, &[other, cached, cached]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].hash, cached);
    let mut files: Vec<_> = found[0].files.iter().map(|file| (file.id, file.path.as_str(), file.size)).collect();
    files.sort_unstable();
    assert_eq!(files, [(None, "/A.Film.1968.1080p.mkv", Some(5_000)), (None, "/Sample/sample.mkv", Some(10))]);
    assert!(setting.world.torbox().items(KEY).is_empty(), "a check adds nothing");
}

#[tokio::test]
async fn the_cache_check_reads_the_object_form_too() {
    let setting = Setting::new().await;
    let hash = setting.knows(film());
    let upper = hash.to_string().to_uppercase();
    let answer = Fault::Answer {
        status: 200,
        content_type: "application/json".to_owned(),
        body: format!(r#"{{"success":true,"error":"null","detail":"","data":{{"{upper}":{{"name":"A","size":1}}}}}}"#),
    };
    setting.world.torbox().fault("checkcached", answer, 1);
    let found = setting.store.cached(&setting.key, &[hash]).await.unwrap();
    assert_eq!((found.len(), found[0].hash, found[0].files.len()), (1, hash, 0));
}

#[tokio::test]
async fn a_long_list_is_checked_in_few_calls_and_an_empty_one_in_none() {
    let setting = Setting::new().await;
    let hashes: Vec<InfoHash> =
        (0..450).map(|n| setting.knows(Torrent::single(&format!("Film {n}.mkv"), 100))).collect();
    assert_eq!(setting.store.cached(&setting.key, &hashes).await.unwrap().len(), 450);
    assert_eq!(setting.calls("checkcached"), 3);
    assert_eq!(setting.store.cached(&setting.key, &[]).await.unwrap(), []);
    assert_eq!(setting.calls("checkcached"), 3);
}

#[tokio::test]
async fn odd_error_fields_on_successes_mean_nothing() {
    for error in [ErrorField::True, ErrorField::False, ErrorField::Null, ErrorField::NullText] {
        let setting = Setting::new().await;
        let hash = setting.knows(film());
        setting.world.torbox().add_fault(FaultRule::new("", Fault::OddError { error }));
        assert_eq!(setting.store.cached(&setting.key, &[hash]).await.unwrap().len(), 1, "{error:?}");
        assert!(account(&setting).await.active, "{error:?}");
    }
}
