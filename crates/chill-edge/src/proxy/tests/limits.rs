//! How many films a user's links may carry.

use std::time::Duration;

use super::stage::{Origin, Stage, limited};

#[tokio::test]
async fn a_film_too_many_is_sent_to_a_clip_until_one_ends() {
    let (_origin, _listening, url) = Origin::on("127.0.0.1").await;
    let stage = Stage::with(limited("alice:1,*:2")).await;
    let (slow, film) = (stage.link(&format!("{url}/slow"), "").await, stage.link(&format!("{url}/film.mkv"), "").await);
    let first = stage.start("GET", &slow, &[], "").await;
    assert_eq!(first.status(), 200);
    let seek = stage.start("GET", &slow, &[("range", "bytes=5-")], "").await;
    assert!(seek.status().is_success(), "another request for the same film: {}", seek.status());
    drop(seek);
    for method in ["GET", "GET"] {
        let refused = stage.ask(method, &film, &[], "").await;
        assert_eq!((refused.status, refused.header("x-chillproxy-refusal")), (302, "stream_limit"));
        assert_eq!(stage.path(refused.header("location")), "/stremio/_/clips/stream_limit.mp4");
        assert!(!refused.header("x-chillproxy-support").is_empty());
    }
    assert_eq!(stage.ask("HEAD", &film, &[], "").await.status, 200, "a question costs no place");
    drop(first);
    let mut reply = stage.get(&film, &[]).await;
    for _ in 0..100 {
        if reply.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        reply = stage.get(&film, &[]).await;
    }
    assert_eq!((reply.status, reply.text()), (200, "0123456789"));
    for _ in 0..5 {
        assert_eq!(stage.get(&film, &[]).await.status, 200, "a place comes back when a film is through");
    }
}

#[tokio::test]
async fn one_users_films_are_not_anothers() {
    let (_origin, _listening, url) = Origin::on("127.0.0.1").await;
    let stage = Stage::with(limited("*:1")).await;
    let slow = stage.link(&format!("{url}/slow"), "").await;
    let _first = stage.start("GET", &slow, &[], "").await;
    let made = stage.get(&format!("/v0/proxy?url={url}/film.mkv&token=bob:hunter2"), &[]).await;
    let bobs = stage.path(made.json()["data"]["items"][0].as_str().unwrap());
    assert_eq!(stage.get(&bobs, &[]).await.status, 200);
    let other = stage.link(&format!("{url}/film.mkv"), "").await;
    assert_eq!(stage.get(&other, &[]).await.status, 302);
}

#[tokio::test]
async fn a_link_that_fails_gives_its_place_back() {
    let (_origin, _listening, url) = Origin::on("127.0.0.1").await;
    let stage = Stage::with(limited("*:1")).await;
    let gone = stage.link(&format!("{url}/404"), "").await;
    for _ in 0..3 {
        assert_eq!(stage.get(&gone, &[]).await.status, 404);
    }
}
