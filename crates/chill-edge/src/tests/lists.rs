//! Stream lists: what is in them, in which order, and who asked whom for it.

use std::time::Duration;

use chill_core::{DenialCode, KnownFile, KnownTorrent, StoreErrorKind};
use http::StatusCode;

use super::fakes::{denied, lease, lock};
use super::stage::{EPISODE, FILM, LINK, Stage, both, found, hash, own, pool, segment};
use crate::EdgeConfig;

fn names(streams: &[serde_json::Value]) -> Vec<String> {
    streams.iter().map(|stream| stream["name"].as_str().unwrap().replace('\n', " ")).collect()
}

#[tokio::test]
async fn cached_comes_first_then_resolution_quality_and_size() {
    let stage = Stage::new();
    *lock(&stage.source.found) = vec![
        found(1, "Quiet.Hills.1968.720p.BluRay.x264-A"),
        found(2, "Quiet.Hills.1968.2160p.WEB-DL.HEVC-B"),
        found(3, "Quiet.Hills.1968.1080p.WEB-DL.x264-C"),
        found(4, "Quiet.Hills.1968.1080p.BluRay.x264-D"),
        found(5, "Quiet.Hills.1968.1080p.BluRay.x264-E"),
    ];
    for n in [1, 3, 4, 5] {
        stage.torbox.has(hash(n), &[("/Quiet.Hills.mkv", 4_000_000_000)]);
    }
    let reply = stage.list(&pool()).await;
    assert_eq!((reply.status, reply.header("cache-control")), (StatusCode::OK, "private, no-store"));
    let streams = reply.streams();
    let hashes: Vec<u8> = streams
        .iter()
        .map(|stream| {
            let url = stream["url"].as_str().unwrap();
            (1..=5).find(|n| url.contains(&hash(*n).to_string())).unwrap()
        })
        .collect();
    assert_eq!(hashes, [5, 4, 3, 1, 2], "1080p BluRay (larger first), 1080p WEB-DL, 720p, then what must be fetched");
    let names = names(&streams);
    assert_eq!(names[0], "✨ ⚡️ [TB] Torz 1080p");
    assert_eq!(names[4], "✨ ⏳ [TB] Torz 4k");
    assert_eq!(lock(&stage.torbox.calls).len(), 1, "one batch");
}

#[tokio::test]
async fn a_stream_tells_the_player_what_it_needs() {
    let stage = Stage::new().with_film();
    let reply = stage.list(&pool()).await;
    let stream = &reply.streams()[0];
    let url = stream["url"].as_str().unwrap();
    let start = format!("http://edge.example/stremio/torz/{}/_/strem/{FILM}/tb/{}/-1/", pool(), hash(1));
    assert_eq!(url, format!("{start}Quiet.Hills.1968.mkv"));
    assert_eq!(stream["behaviorHints"]["filename"], "Quiet.Hills.1968.mkv");
    assert_eq!(stream["behaviorHints"]["videoSize"], 4_000);
    assert!(stream["behaviorHints"]["bingeGroup"].as_str().unwrap().starts_with("torz:1080p|bluray"));
    assert!(stream["description"].as_str().unwrap().contains("💿 BluRay"));
}

#[tokio::test]
async fn the_same_torrent_from_two_places_is_one_stream() {
    let stage = Stage::new().with_film();
    let known = KnownTorrent { found: found(1, "Quiet Hills 1968 1080p BluRay"), files: Vec::new() };
    lock(&stage.library.known).insert(FILM.to_owned(), vec![known]);
    lock(&stage.source.found).push(found(1, "Quiet.Hills.1968.1080p"));
    assert_eq!(stage.list(&pool()).await.streams().len(), 1);
}

#[tokio::test]
async fn found_by_text_must_be_the_film() {
    let stage = Stage::new();
    let by_text = |n, name| chill_core::Found { exact: false, ..found(n, name) };
    *lock(&stage.source.found) = vec![
        by_text(1, "Quiet.Hills.1968.1080p.BluRay"),
        by_text(2, "Quiet.Hills.1999.1080p.BluRay"),
        by_text(3, "Loud.Valleys.1968.1080p.BluRay"),
        by_text(4, "Quiet.Hills.S01E01.1080p.WEB"),
    ];
    (1..=4).for_each(|n| stage.torbox.has(hash(n), &[("/a.mkv", 1)]));
    let streams = stage.list(&pool()).await.streams();
    assert_eq!(streams.len(), 1);
    assert!(streams[0]["url"].as_str().unwrap().contains(&hash(1).to_string()));
    let remembered = lock(&stage.library.known).get(FILM).cloned().unwrap();
    assert_eq!(remembered.len(), 1, "what does not suit is not remembered either");
}

#[tokio::test]
async fn an_episode_is_the_file_inside_the_pack() {
    let stage = Stage::new();
    *lock(&stage.source.found) =
        vec![found(1, "Harbour.Lights.S01.1080p.WEB"), found(2, "Harbour.Lights.S01.720p.WEB")];
    let pack = [("/Harbour.Lights.S01E01.mkv", 100), ("/Harbour.Lights.S01E02.mkv", 90), ("/Sample.S01E02.mkv", 1)];
    stage.torbox.has(hash(1), &pack);
    stage.torbox.has(hash(2), &[("/Harbour.Lights.S01E01.mkv", 100)]);
    let path = format!("/stremio/torz/{}/stream/series/{EPISODE}.json", pool());
    let streams = stage.get(&path).await.streams();
    assert_eq!(streams.len(), 1, "a pack without the episode is not listed");
    assert_eq!(streams[0]["behaviorHints"]["filename"], "Harbour.Lights.S01E02.mkv");
    assert_eq!(streams[0]["behaviorHints"]["videoSize"], 90);
    assert_eq!(streams[0]["behaviorHints"]["bingeGroup"], format!("torz:{}", hash(1)));
}

#[tokio::test]
async fn known_files_tell_that_a_pack_to_be_fetched_lacks_the_episode() {
    let stage = Stage::new();
    let file = KnownFile { path: "/Harbour.Lights.S01E05.mkv".to_owned(), size: Some(1) };
    let known = KnownTorrent { found: found(1, "Harbour.Lights.S01.1080p"), files: vec![file] };
    lock(&stage.library.known).insert("tt0047706".to_owned(), vec![known]);
    let path = format!("/stremio/torz/{}/stream/series/{EPISODE}.json", pool());
    assert!(stage.get(&path).await.streams().is_empty());
}

#[tokio::test]
async fn private_torrents_are_shown_only_when_they_play_and_never_remembered() {
    let stage = Stage::new();
    let private = |n, name| chill_core::Found { private: true, ..found(n, name) };
    *lock(&stage.source.found) = vec![private(1, "Quiet.Hills.1080p"), private(2, "Quiet.Hills.720p")];
    stage.torbox.has(hash(1), &[("/a.mkv", 1)]);
    let streams = stage.list(&pool()).await.streams();
    assert_eq!(streams.len(), 1);
    assert!(streams[0]["name"].as_str().unwrap().contains("🔑"));
    assert!(lock(&stage.library.known).is_empty());
}

#[tokio::test]
async fn a_list_has_an_end() {
    let stage = Stage::with(EdgeConfig { list_limit: 20, ..EdgeConfig::default() });
    *lock(&stage.source.found) = (0..200).map(|n| found(n, "Quiet.Hills.1968.1080p.BluRay")).collect();
    assert_eq!(stage.list(&pool()).await.streams().len(), 20);
}

#[tokio::test]
async fn other_ids_are_empty_lists_and_nobody_is_asked() {
    let stage = Stage::new();
    for id in ["tv/kitsu:1", "movie/tt1:1:2", "tv/tt1", "series/tt1"] {
        let reply = stage.get(&format!("/stremio/torz/{}/stream/{id}.json", pool())).await;
        assert_eq!((reply.status, reply.streams().len()), (StatusCode::OK, 0), "{id}");
    }
    let broken = stage.get(&format!("/stremio/torz/{}/stream/movie/ttx.json", pool())).await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    assert_eq!((stage.control.asked(), *lock(&stage.source.searches)), (0, 0));
}

#[tokio::test]
async fn every_refusal_is_explained_in_the_list() {
    let stage = Stage::new().with_film();
    for code in [
        DenialCode::UserUnknown,
        DenialCode::UserInactive,
        DenialCode::DeviceLimit,
        DenialCode::DeviceRevoked,
        DenialCode::NoKey,
        DenialCode::KeysExhausted,
        DenialCode::ServiceUnknown,
    ] {
        stage.control.decide(move |_| Err(denied(code)));
        let segment = segment(&format!(r#"{{"stores":[{{"c":"tb","auth":"{LINK}"}}],"x":"{code}"}}"#));
        stage.edge.leases.changed(&chill_core::Change::everything(1)).await;
        let reply = stage.list(&segment).await;
        assert_eq!((reply.status, reply.refusal()), (StatusCode::OK, code.as_str()));
        let support = reply.header("x-chillproxy-support");
        assert_eq!(support.len(), 8);
        let entry = &reply.streams()[0];
        let text = entry["description"].as_str().unwrap();
        assert!(text.contains(&format!("the words for {code}")) && text.contains(support), "{text}");
        assert_eq!(entry["url"], format!("http://edge.example/stremio/_/clips/{code}.mp4"));
    }
    assert_eq!(*lock(&stage.source.searches), 0, "nobody searches for a viewer who may not watch");
}

#[tokio::test]
async fn the_token_serves_when_the_pool_refuses() {
    let stage = Stage::new().with_film();
    stage.control.decide(|_| Err(denied(DenialCode::DeviceLimit)));
    assert_eq!(stage.list(&both()).await.streams().len(), 1);
    assert_eq!(stage.torbox.calls(), ["cached own-token"]);
    assert_eq!(stage.list(&pool()).await.refusal(), "device_limit");
}

#[tokio::test]
async fn a_failing_key_is_told_and_replaced() {
    let stage = Stage::new().with_film();
    stage.control.decide(|ask| Ok(lease(["key-1", "key-2"][ask.exclude.len().min(1)], 1)));
    stage.torbox.fail("key-1", "", StoreErrorKind::Unauthorized);
    assert_eq!(stage.list(&pool()).await.streams().len(), 1);
    assert_eq!(stage.torbox.calls(), ["cached key-1", "cached key-2"]);
    let told = lock(&stage.spool.events).clone();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].key.as_str(), told[0].outcome.as_str(), told[0].action.as_str()),
        ("key-1", "key_rejected", "check-cache")
    );
    stage.list(&pool()).await;
    assert_eq!(stage.control.asked(), 2, "the good key is remembered");
}

#[tokio::test]
async fn keys_are_tried_three_times_and_then_the_token() {
    let stage = Stage::new().with_film();
    stage.control.decide(|ask| Ok(lease(["k1", "k2", "k3", "k4"][ask.exclude.len()], 1)));
    for key in ["k1", "k2", "k3", "k4"] {
        stage.torbox.fail(key, "", StoreErrorKind::PaymentRequired);
    }
    let refused = stage.list(&pool()).await;
    assert_eq!(refused.refusal(), "store_rejected_key");
    assert_eq!(stage.torbox.calls(), ["cached k1", "cached k2", "cached k3"]);
    assert_eq!(stage.list(&both()).await.streams().len(), 1);
}

#[tokio::test]
async fn one_store_in_trouble_does_not_fail_the_list() {
    let stage = Stage::new().with_film();
    lock(&stage.source.found).push(found(2, "Quiet.Hills.1968.720p.WEB"));
    let two = segment(&format!(r#"{{"stores":[{{"c":"rd","t":"rd-token"}},{{"c":"tb","auth":"{LINK}"}}]}}"#));
    stage.debrid.fail("rd-token", "", StoreErrorKind::Unavailable);
    let streams = stage.list(&two).await.streams();
    assert_eq!(names(&streams), ["✨ ⚡️ [TB] Torz 1080p", "✨ ⏳ [TB] Torz 720p"]);
    assert_eq!(stage.debrid.calls(), ["cached rd-token"], "a store in trouble is not asked again and again");
    stage.torbox.fail("own-token", "", StoreErrorKind::Unavailable);
    assert_eq!(stage.list(&own()).await.streams().len(), 2, "what is known from before still helps");
}

#[tokio::test]
async fn what_one_store_omits_is_still_asked_of_the_others() {
    let stage = Stage::new();
    for (n, quality) in [(1, "2160p"), (2, "1080p"), (3, "720p"), (4, "480p")] {
        lock(&stage.source.found).push(found(n, &format!("Quiet.Hills.1968.{quality}.WEB-DL.x264-GRP")));
    }
    let file = [("/Quiet.Hills.mkv", 4_000)];
    // The first store leaves out of its answer what it has not.
    for (store, n) in [(&stage.debrid, 1), (&stage.torbox, 2), (&stage.debrid, 4), (&stage.torbox, 4)] {
        store.has(hash(n), &file);
    }
    let two = segment(r#"{"stores":[{"c":"rd","t":"one"},{"c":"tb","t":"two"}],"cached":true}"#);
    let streams = stage.list(&two).await.streams();
    let shown = ["⚡️ [RD] Torz 4k", "⚡️ [TB] Torz 1080p", "⚡️ [RD] Torz 480p"];
    assert_eq!(names(&streams), shown, "at the first store of the link that has it");
    assert_eq!((stage.debrid.calls(), stage.torbox.calls()), (vec!["cached one".into()], vec!["cached two".into()]));
    stage.list(&two).await;
    assert_eq!(stage.debrid.calls().len() + stage.torbox.calls().len(), 2, "asked once, in one batch each");
}

#[tokio::test]
async fn a_store_that_is_down_is_explained() {
    let stage = Stage::new().with_film();
    stage.torbox.fail("key-1", "", StoreErrorKind::Timeout);
    let reply = stage.list(&pool()).await;
    assert_eq!((reply.status, reply.refusal()), (StatusCode::OK, "store_unavailable"));
    assert_eq!(stage.torbox.calls(), ["cached key-1"], "another key would not help");
}

#[tokio::test]
async fn a_store_without_a_client_is_explained() {
    let reply = Stage::new().with_film().list(&segment(r#"{"stores":[{"c":"pm","t":"x"}]}"#)).await;
    assert_eq!(reply.refusal(), "service_unknown");
}

#[tokio::test]
async fn what_was_found_out_serves_the_next_viewer() {
    let stage = Stage::new().with_film();
    let first = stage.list(&pool()).await;
    let second = stage.list(&own()).await;
    assert_eq!(first.streams().len(), second.streams().len());
    assert!(!String::from_utf8_lossy(&second.body).contains(&pool()), "but each gets links of his own");
    assert_eq!((lock(&stage.torbox.calls).len(), *lock(&stage.source.searches)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_a_store_lacks_is_asked_again_after_two_minutes() {
    let stage = Stage::new();
    lock(&stage.source.found).push(found(1, "Quiet.Hills.1968.1080p"));
    assert_eq!(names(&stage.list(&pool()).await.streams()), ["✨ ⏳ [TB] Torz 1080p"]);
    stage.torbox.has(hash(1), &[("/a.mkv", 1)]);
    assert_eq!(names(&stage.list(&pool()).await.streams()), ["✨ ⏳ [TB] Torz 1080p"]);
    tokio::time::advance(Duration::from_secs(121)).await;
    assert_eq!(names(&stage.list(&pool()).await.streams()), ["✨ ⚡️ [TB] Torz 1080p"]);
}

#[tokio::test(start_paused = true)]
async fn late_results_are_in_the_next_list() {
    let stage = Stage::new().with_film();
    *lock(&stage.source.takes) = Duration::from_secs(20);
    let begun = tokio::time::Instant::now();
    assert!(stage.list(&pool()).await.streams().is_empty());
    assert_eq!(begun.elapsed().as_secs(), 8, "the budget");
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(stage.list(&pool()).await.streams().len(), 1);
    assert_eq!(*lock(&stage.source.searches), 1);
    assert_eq!(lock(&stage.library.known).len(), 1);
}

#[tokio::test]
async fn many_viewers_at_once_are_one_search_one_lease_and_one_check() {
    let stage = Stage::new().with_film();
    let segment = pool();
    let lists = futures_util::future::join_all((0..30).map(|_| stage.list(&segment))).await;
    assert!(lists.iter().all(|list| list.streams().len() == 1));
    assert_eq!((stage.control.asked(), *lock(&stage.source.searches)), (1, 1));
    assert_eq!(lock(&stage.torbox.calls).len(), 1);
}

#[tokio::test]
async fn no_key_and_no_token_is_in_an_answer() {
    let stage = Stage::new().with_film();
    let reply = stage.list(&both()).await;
    let text = String::from_utf8_lossy(&reply.body);
    assert!(!text.contains("key-1") && !text.contains("own-token"), "{text}");
}

#[tokio::test]
async fn what_a_viewers_own_indexers_find_is_shown_to_him_alone() {
    let stage = Stage::new().with_film();
    let own = |n, name: &str| chill_core::Found { source: "my.example".to_owned(), ..found(n, name) };
    *lock(&stage.indexers.source.found) =
        vec![own(1, "Quiet.Hills.1968.1080p.BluRay.x264-GRP"), own(2, "Quiet.Hills.1968.720p.WEB-DL-MINE")];
    stage.torbox.has(hash(2), &[("/Quiet.Hills.720p.mkv", 2_000)]);
    let link = segment(
        r#"{"stores":[{"c":"tb","t":"x"}],"indexers":[{"n":"generic","u":"https://my.example","ak":"k"},{"n":"jackett","u":"odd"}]}"#,
    );
    for _ in 0..2 {
        let streams = stage.list(&link).await.streams();
        let about: Vec<&str> = streams.iter().map(|stream| stream["description"].as_str().unwrap()).collect();
        assert_eq!(streams.len(), 2, "{about:?}");
        assert!(about.iter().all(|about| about.contains("🔍 my.example")), "{about:?}");
    }
    assert_eq!((*lock(&stage.indexers.source.searches), *lock(&stage.source.searches)), (1, 1), "each searched once");
    let others = stage.list(&pool()).await.streams();
    assert_eq!(others.len(), 1);
    assert!(!others[0]["description"].as_str().unwrap().contains('🔍'), "the operator's indexers have no name");
    let remembered = lock(&stage.library.known).get(FILM).cloned().unwrap();
    assert_eq!(remembered.len(), 1, "strangers' words are not remembered for everybody");
}

#[tokio::test(start_paused = true)]
async fn both_kinds_of_indexers_are_searched_in_one_budget() {
    let stage = Stage::new().with_film();
    *lock(&stage.source.takes) = Duration::from_secs(20);
    *lock(&stage.indexers.source.takes) = Duration::from_secs(20);
    let link = segment(r#"{"stores":[{"c":"tb","t":"x"}],"indexers":[{"n":"generic","u":"https://my.example"}]}"#);
    let begun = tokio::time::Instant::now();
    assert!(stage.list(&link).await.streams().is_empty());
    assert_eq!(begun.elapsed().as_secs(), 8);
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(stage.list(&link).await.streams().len(), 1, "late results are in the next list");
}
