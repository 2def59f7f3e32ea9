//! Playing: bytes, redirects, clips, and how few questions they take.

use std::time::Duration;

use chill_core::control::Delivery;
use chill_core::store::ItemStatus;
use chill_core::{DenialCode, StoreErrorKind};
use http::{Method, StatusCode};

use super::fakes::{denied, lease, lock};
use super::stage::{Cdn, EPISODE, FILM, LINK, Reply, Stage, both, click, hash, own, pool, segment};
use crate::EdgeConfig;

#[tokio::test]
async fn a_film_plays_through_the_relay_with_ranges() {
    let (stage, cdn) = (Stage::new().with_film(), Cdn::with_film_of(300_000).await);
    lock(&stage.torbox.link).clone_from(&cdn.link);
    let whole = Reply::read(stage.play(&pool()).await).await;
    assert_eq!((whole.status, whole.body.len()), (StatusCode::OK, 300_000));
    assert_eq!(&whole.body[..], chill_sim::content_bytes(cdn.seed, 0, 300_000));
    for first in [0_usize, 1_000, 299_990] {
        let range = format!("bytes={first}-");
        let part = Reply::read(stage.send(Method::GET, &click(&pool()), &[("range", &range)]).await).await;
        assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
        assert_eq!(&part.body[..], &whole.body[first..]);
        assert_eq!(part.header("access-control-allow-origin"), "*");
    }
    let head = stage.send(Method::HEAD, &click(&pool()), &[]).await;
    assert_eq!((head.status(), head.headers()["content-length"].to_str().unwrap()), (StatusCode::OK, "300000"));
    let calls = stage.torbox.calls();
    assert_eq!(calls.iter().filter(|call| *call == "add key-1").count(), 1, "{calls:?}");
    assert_eq!(stage.control.asked(), 1, "a seek asks nobody");
}

#[tokio::test]
async fn twenty_requests_of_one_tap_are_one_playback() {
    let stage = Stage::with(EdgeConfig { delivery: Delivery::Redirect, ..EdgeConfig::default() }).with_film();
    *lock(&stage.torbox.takes) = Duration::from_millis(20);
    let segment = pool();
    let replies = futures_util::future::join_all((0..20).map(|_| stage.play(&segment))).await;
    assert!(replies.iter().all(|reply| reply.status() == StatusCode::FOUND));
    let calls = stage.torbox.calls();
    assert_eq!(calls.iter().filter(|call| *call == "add key-1").count(), 1);
    assert_eq!(stage.control.asked(), 1);
    assert_eq!(lock(&stage.spool.events).len(), 1, "one stream-request");
}

#[tokio::test]
async fn a_failed_start_is_shared_too() {
    let stage = Stage::new().with_film();
    *lock(&stage.torbox.takes) = Duration::from_millis(20);
    stage.torbox.fail("key-1", "add", StoreErrorKind::Unavailable);
    let segment = pool();
    let replies = futures_util::future::join_all((0..20).map(|_| stage.play(&segment))).await;
    assert!(replies.iter().all(|reply| reply.headers()["x-chillproxy-refusal"] == "store_unavailable"));
    assert_eq!(stage.torbox.calls(), ["add key-1"]);
    stage.play(&segment).await;
    assert_eq!(stage.torbox.calls().len(), 2, "the next click tries again");
}

#[tokio::test]
async fn an_own_token_is_sent_to_the_store() {
    let stage = Stage::new().with_film();
    let reply = Reply::read(stage.play(&own()).await).await;
    assert_eq!((reply.status, reply.header("location")), (StatusCode::FOUND, "http://127.0.0.1:9/film"));
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(stage.torbox.calls(), ["add own-token", "link own-token"]);
    assert!(lock(&stage.spool.events).is_empty(), "his token is his own business");
}

#[tokio::test]
async fn delivery_is_the_instances_unless_the_user_has_his_own() {
    let redirect = EdgeConfig { delivery: Delivery::Redirect, ..EdgeConfig::default() };
    let (stage, cdn) = (Stage::with(redirect).with_film(), Cdn::with_film_of(1_000).await);
    lock(&stage.torbox.link).clone_from(&cdn.link);
    assert_eq!(stage.play(&pool()).await.status(), StatusCode::FOUND);
    let events = lock(&stage.spool.events).clone();
    assert_eq!((events.len(), events[0].action.as_str(), events[0].bytes), (1, "stream-request", 0));
    let other = segment(r#"{"stores":[{"c":"tb","auth":"22222222-2222-4333-8444-555555555555"}]}"#);
    stage.control.decide(|_| Ok(chill_core::Lease { delivery: Some(Delivery::Relay), ..lease("key-1", 1) }));
    assert_eq!(stage.play(&other).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn every_refusal_is_a_clip_for_get_and_head() {
    let stage = Stage::new().with_film();
    for (n, code) in [
        DenialCode::UserUnknown,
        DenialCode::UserInactive,
        DenialCode::DeviceLimit,
        DenialCode::DeviceRevoked,
        DenialCode::NoKey,
        DenialCode::KeysExhausted,
        DenialCode::ServiceUnknown,
    ]
    .into_iter()
    .enumerate()
    {
        stage.control.decide(move |_| Err(denied(code)));
        let link = LINK.replace("1111-", &format!("111{n}-"));
        let segment = segment(&format!(r#"{{"stores":[{{"c":"tb","auth":"{link}"}}]}}"#));
        for method in [Method::GET, Method::HEAD] {
            let reply = Reply::read(stage.send(method, &click(&segment), &[]).await).await;
            assert_eq!((reply.status, reply.refusal()), (StatusCode::FOUND, code.as_str()));
            assert_eq!(reply.header("location"), format!("http://edge.example/stremio/_/clips/{code}.mp4"));
            assert_eq!(reply.header("x-chillproxy-support").len(), 8);
        }
    }
    assert!(stage.torbox.calls().is_empty());
}

#[tokio::test]
async fn a_clip_is_never_the_rest_of_a_film() {
    let stage = Stage::new();
    let path = "/stremio/_/clips/stream_limit.mp4";
    let length = crate::refusal::Code::StreamLimit.clip().len();
    let part = Reply::read(stage.send(Method::GET, path, &[("range", "bytes=5-9")]).await).await;
    assert_eq!((part.status, part.body.len()), (StatusCode::PARTIAL_CONTENT, 5));
    for range in ["bytes=1000-", "bytes=900000000-"] {
        for version in ["\"the-films\"", "Sat, 29 Nov 2025 19:43:31 GMT"] {
            let headers = [("range", range), ("if-range", version)];
            let whole = Reply::read(stage.send(Method::GET, path, &headers).await).await;
            assert_eq!((whole.status, whole.body.len()), (StatusCode::OK, length), "{range} {version}");
            assert_eq!(whole.header("content-range"), "");
        }
    }
}

#[tokio::test]
async fn what_the_store_says_becomes_a_clip() {
    let cases = [
        (StoreErrorKind::Unauthorized, "store_rejected_key"),
        (StoreErrorKind::PaymentRequired, "store_rejected_key"),
        (StoreErrorKind::LimitExceeded, "store_limit"),
        (StoreErrorKind::TooManyRequests { retry_after: None }, "rate_limited"),
        (StoreErrorKind::LegalReasons, "unavailable_for_legal_reasons"),
        (StoreErrorKind::MagnetInvalid, "link_broken"),
        (StoreErrorKind::NotCached, "not_cached"),
        (StoreErrorKind::Unavailable, "store_unavailable"),
        (StoreErrorKind::Timeout, "store_unavailable"),
    ];
    for (kind, code) in cases {
        let stage = Stage::new().with_film();
        stage.torbox.fail("own-token", "add", kind);
        assert_eq!(stage.play(&own()).await.headers()["x-chillproxy-refusal"], code, "{kind:?}");
        assert_eq!(stage.torbox.calls().len(), 1, "{kind:?}: nothing is retried blindly");
    }
}

#[tokio::test]
async fn another_key_is_taken_where_that_helps() {
    for kind in [
        StoreErrorKind::Unauthorized,
        StoreErrorKind::LimitExceeded,
        StoreErrorKind::TooManyRequests { retry_after: Some(Duration::from_secs(9)) },
    ] {
        let (stage, cdn) = (Stage::new().with_film(), Cdn::with_film_of(1_000).await);
        lock(&stage.torbox.link).clone_from(&cdn.link);
        stage.control.decide(|ask| Ok(lease(["key-1", "key-2"][ask.exclude.len().min(1)], 1)));
        stage.torbox.fail("key-1", "add", kind);
        assert_eq!(stage.play(&pool()).await.status(), StatusCode::OK);
        assert_eq!(stage.torbox.calls(), ["add key-1", "add key-2", "link key-2"]);
        let events = lock(&stage.spool.events).clone();
        assert_eq!(events[0].outcome, kind.outcome());
        assert_eq!((events[1].action.as_str(), events[1].key.as_str()), ("stream-request", "key-2"));
    }
}

#[tokio::test]
async fn a_key_that_fails_at_the_link_is_replaced_with_its_item() {
    let (stage, cdn) = (Stage::new().with_film(), Cdn::with_film_of(1_000).await);
    lock(&stage.torbox.link).clone_from(&cdn.link);
    stage.control.decide(|ask| Ok(lease(["key-1", "key-2"][ask.exclude.len().min(1)], 1)));
    stage.torbox.fail("key-1", "link", StoreErrorKind::Forbidden);
    assert_eq!(stage.play(&pool()).await.status(), StatusCode::OK);
    assert_eq!(stage.torbox.calls(), ["add key-1", "link key-1", "add key-2", "link key-2"]);
}

#[tokio::test]
async fn another_device_finds_what_the_account_has_and_puts_back_what_it_lost() {
    let (stage, cdn) = (Stage::new().with_film(), Cdn::with_film_of(1_000).await);
    lock(&stage.torbox.link).clone_from(&cdn.link);
    let plays = async |device| {
        lock(&stage.torbox.calls).clear();
        let played = stage.send(Method::GET, &click(&pool()), &[("user-agent", device)]).await;
        assert_eq!(played.status(), StatusCode::OK);
        stage.torbox.calls()
    };
    assert_eq!(plays("Parlour/1.0").await, ["add key-1", "link key-1"]);
    assert_eq!(plays("Kitchen/1.0").await, ["link key-1"]);
    lock(&stage.torbox.emptied).insert("key-1".to_owned());
    assert_eq!(plays("Attic/1.0").await, ["link key-1", "add key-1", "link key-1"]);
    stage.control.decide(|_| Ok(lease("key-2", 2)));
    let another = segment(r#"{"stores":[{"c":"tb","auth":"22222222-2222-4333-8444-555555555555"}]}"#);
    stage.play(&another).await;
    assert_eq!(stage.torbox.calls()[3..], ["add key-2", "link key-2"], "an account has only what is its own");
}

#[tokio::test]
async fn the_token_plays_when_the_pool_refuses_or_is_away() {
    for error in [denied(DenialCode::UserInactive), chill_core::ControlError::unavailable("gone")] {
        let stage = Stage::new().with_film();
        stage.control.decide(move |_| Err(error.clone()));
        assert_eq!(stage.play(&both()).await.status(), StatusCode::FOUND);
        assert_eq!(stage.torbox.calls(), ["add own-token", "link own-token"]);
    }
}

#[tokio::test]
async fn what_is_not_there_yet_is_a_clip() {
    let stage = Stage::new();
    assert_eq!(stage.play(&pool()).await.headers()["x-chillproxy-refusal"], "downloading");
    let events = lock(&stage.spool.events).clone();
    assert_eq!((events[0].action.as_str(), events[0].cached), ("add-torrent", Some(false)));
    *lock(&stage.torbox.status) = ItemStatus::Failed;
    assert_eq!(stage.play(&pool()).await.headers()["x-chillproxy-refusal"], "link_broken");
}

#[tokio::test(start_paused = true)]
async fn what_the_store_is_known_to_have_is_given_a_moment() {
    let stage = Stage::new().with_film();
    stage.list(&own()).await;
    *lock(&stage.torbox.lags) = true;
    assert_eq!(stage.play(&own()).await.status(), StatusCode::FOUND);
    assert_eq!(stage.torbox.calls()[1..], ["add own-token", "item own-token", "link own-token"]);
}

#[tokio::test]
async fn a_pack_without_the_episode_plays_nothing_else() {
    let stage = Stage::new();
    stage.torbox.has(hash(1), &[("/Show.S01E01.mkv", 9), ("/Show.S01E03.mkv", 9)]);
    let path = format!("/stremio/torz/{}/_/strem/{EPISODE}/tb/{}/0/Show.S01E01.mkv", own(), hash(1));
    assert_eq!(stage.get(&path).await.refusal(), "no_matching_file");
}

#[tokio::test]
async fn a_link_that_does_not_work_ends_in_a_clip_and_the_next_click_begins_anew() {
    let stage = Stage::new().with_film();
    for _ in 0..2 {
        let reply = stage.play(&pool()).await;
        assert_eq!(reply.headers()["x-chillproxy-refusal"], "store_unavailable", "nothing listens at that link");
    }
    let calls = stage.torbox.calls();
    assert_eq!(calls.iter().filter(|call| *call == "add key-1").count(), 2);
}

#[tokio::test]
async fn broken_clicks_are_sentences() {
    let stage = Stage::new();
    for rest in ["x/tb/h/0/", &format!("{FILM}/zz/{}/0/", hash(1)), &format!("{FILM}/tb/short/0/")] {
        let reply = stage.get(&format!("/stremio/torz/{}/_/strem/{rest}", own())).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{rest}");
    }
    let other_store = format!("/stremio/torz/{}/_/strem/{FILM}/rd/{}/0/", own(), hash(1));
    assert_eq!(stage.get(&other_store).await.refusal(), "link_broken");
}

#[tokio::test]
async fn another_store_that_has_it_plays_when_the_first_cannot() {
    let stage = Stage::new().with_film();
    stage.debrid.has(hash(1), &[("/Quiet.Hills.1968.mkv", 4_000)]);
    let two = segment(r#"{"stores":[{"c":"tb","t":"tb-token"},{"c":"rd","t":"rd-token"}]}"#);
    assert_eq!(stage.list(&two).await.streams().len(), 1);
    stage.torbox.fail("tb-token", "add", StoreErrorKind::Unavailable);
    assert_eq!(stage.play(&two).await.status(), StatusCode::FOUND);
    assert_eq!(stage.debrid.calls(), ["cached rd-token", "add rd-token", "link rd-token"]);
}

#[tokio::test]
async fn a_control_plane_that_cannot_leave_a_key_out_is_not_asked_for_ever() {
    let stage = Stage::new().with_film();
    stage.torbox.fail("key-1", "add", StoreErrorKind::Unauthorized);
    assert_eq!(stage.play(&pool()).await.headers()["x-chillproxy-refusal"], "store_rejected_key");
    assert_eq!((stage.torbox.calls().len(), stage.control.asked()), (1, 2));
}

#[tokio::test]
async fn a_key_carries_as_many_streams_as_its_passport_allows() {
    let (stage, cdn) = (Stage::new().with_film(), Cdn::with_film_of(50_000_000).await);
    lock(&stage.torbox.link).clone_from(&cdn.link);
    stage.control.decide(|ask| match ask.exclude.len() {
        0 => Ok(chill_core::Lease { max_streams: Some(1), ..lease("key-1", 1) }),
        _ => Err(denied(DenialCode::NoKey)),
    });
    let first = stage.play(&pool()).await;
    assert_eq!(first.status(), StatusCode::OK);
    let other = segment(r#"{"stores":[{"c":"tb","auth":"22222222-2222-4333-8444-555555555555"}]}"#);
    // Nobody closes his film meanwhile, however long the other one waits.
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    assert_eq!(stage.play(&other).await.headers()["x-chillproxy-refusal"], "stream_limit");
    assert!((3..4).contains(&begun.elapsed().as_secs()), "he is told within some seconds");
    tokio::time::resume();
    assert_eq!(stage.send(Method::HEAD, &click(&pool()), &[]).await.status(), StatusCode::OK, "a HEAD takes no place");
    let next_film = click(&pool()).replace("Quiet.Hills.1968.mkv", "");
    stage.edge.clock.advance(Duration::from_secs(3));
    assert_eq!(stage.send(Method::GET, &next_film, &[]).await.status(), StatusCode::OK, "he hands his place over");
    assert!(axum::body::to_bytes(first.into_body(), 1 << 30).await.is_err(), "and his former film ends");
}

#[tokio::test]
async fn a_paused_film_is_left_alone_while_another_key_is_free() {
    for has_another in [true, false] {
        let (stage, cdn) = (Stage::new().with_film(), Cdn::with_film_of(50_000_000).await);
        lock(&stage.torbox.link).clone_from(&cdn.link);
        stage.control.decide(move |ask| match ask.exclude.len() {
            0 => Ok(chill_core::Lease { max_streams: Some(1), ..lease("key-1", 1) }),
            _ if has_another => Ok(lease("key-2", 1)),
            _ => Err(denied(DenialCode::NoKey)),
        });
        let paused = stage.play(&pool()).await;
        assert_eq!(paused.status(), StatusCode::OK);
        stage.edge.clock.advance(Duration::from_secs(300));
        let other = stage.send(Method::GET, &click(&pool()), &[("user-agent", "Kitchen/1.0")]).await;
        assert_eq!(other.status(), StatusCode::OK);
        let ended = axum::body::to_bytes(paused.into_body(), 1 << 30).await.is_err();
        assert_eq!(ended, !has_another);
    }
}

#[tokio::test]
async fn one_film_holds_so_many_connections_and_no_more() {
    let (stage, cdn) = (Stage::new().with_film(), Cdn::with_film_of(50_000_000).await);
    lock(&stage.torbox.link).clone_from(&cdn.link);
    let mut open = Vec::new();
    for _ in 0..16 {
        let film = stage.play(&pool()).await;
        assert_eq!(film.status(), StatusCode::OK);
        open.push(film);
    }
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    for method in [Method::GET, Method::HEAD] {
        let refused = Reply::read(stage.send(method.clone(), &click(&pool()), &[]).await).await;
        assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "3"));
        assert_eq!(refused.header("access-control-allow-origin"), "*", "the player must be able to read it");
        assert!(method == Method::HEAD || String::from_utf8_lossy(&refused.body).contains("16 requests"));
    }
    assert!((6..7).contains(&begun.elapsed().as_secs()), "each waited for one that ends");
    tokio::time::resume();
    assert_eq!(cdn.world.cdn().calls().len(), 16, "nothing was asked of the store's servers meanwhile");
    let segment = pool();
    let ends = async {
        tokio::task::yield_now().await;
        drop(open.pop());
    };
    let (film, ()) = tokio::join!(stage.play(&segment), ends);
    assert_eq!(film.status(), StatusCode::OK, "one ended while it waited");
    let other = stage.send(Method::GET, &click(&pool()), &[("user-agent", "Kitchen/1.0")]).await;
    assert_eq!(other.status(), StatusCode::OK, "another device's film is another one");
}

#[tokio::test]
async fn a_film_whose_place_was_taken_while_it_was_closed_goes_on_with_another_key() {
    let (stage, cdn) = (Stage::new().with_film(), Cdn::with_film_of(50_000_000).await);
    lock(&stage.torbox.link).clone_from(&cdn.link);
    stage.control.decide(|ask| {
        let key = ["key-1", "key-2"][ask.exclude.len().min(1)];
        Ok(chill_core::Lease { max_streams: Some(1), ..lease(key, 1) })
    });
    drop(stage.play(&pool()).await);
    stage.edge.clock.advance(Duration::from_secs(300));
    let other = segment(r#"{"stores":[{"c":"tb","auth":"22222222-2222-4333-8444-555555555555"}]}"#);
    let theirs = stage.play(&other).await;
    assert_eq!(theirs.status(), StatusCode::OK);
    let again = stage.send(Method::GET, &click(&pool()), &[("range", "bytes=1000000-")]).await;
    assert_eq!(again.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(stage.torbox.calls().last().unwrap(), "link key-2");
    assert!(axum::body::to_bytes(theirs.into_body(), 1 << 30).await.is_ok(), "nobody was cut for it");
}
