//! The main job: a viewer lists streams, plays a film through the relay, and every byte is counted.

use hyper::Method;

use crate::app::App;
use crate::database::{TestDatabase, on_both_engines};
use crate::streams::{EPISODE, FILM, Stream, sha256};

on_both_engines!(a_film_is_listed_played_and_counted, an_episode_is_found_inside_its_pack);

async fn a_film_is_listed_played_and_counted(database: TestDatabase) {
    let (app, viewer) = App::with_viewer(database).await;
    let streams = app.streams(&viewer, FILM).await;
    assert!(streams.len() >= 6, "{streams:?}");
    let cached: Vec<_> = streams.iter().map(Stream::cached).collect();
    assert!(cached.is_sorted_by(|a, b| a >= b), "cached first: {cached:?}");
    assert!(
        streams[0].name.contains("4K")
            || streams[0].name.to_lowercase().contains("2160p")
            || streams[0].name.contains("4k")
    );
    assert!(streams.iter().all(|s| !s.binge_group.is_empty() && !s.file_name.is_empty()));

    let stream = app.smallest(&viewer, FILM).await;
    let played = app.web.get(&stream.url).await;
    assert_eq!(played.status, 200);
    assert_eq!(played.header("content-length"), stream.size.to_string());
    assert_eq!(sha256(&played.body), app.original(&stream));

    let usage = app.usage_until("the film is counted", |row| row["bytes"] == stream.size).await;
    assert_eq!((&usage["streams"], &usage["cached"]), (&1.into(), &1.into()), "{usage}");
    assert_eq!(usage["name"], "ada");
    let by_key = app.cli(&["usage", "--by", "key", "--json"], "");
    assert_eq!((&by_key[0]["name"], &by_key[0]["bytes"]), (&"main".into(), &stream.size.into()), "{by_key}");
    let by_day = app.cli(&["usage", "--by", "day", "--json"], "");
    assert_eq!(by_day[0]["bytes"], stream.size, "{by_day}");
}

async fn an_episode_is_found_inside_its_pack(database: TestDatabase) {
    let (app, viewer) = App::with_viewer(database).await;
    let streams = app.streams(&viewer, EPISODE).await;
    let pack =
        streams.iter().find(|s| s.file_name.contains("The.Moneylender.1080p")).expect("the pack's episode is listed");
    let played = app.web.get(&pack.url).await;
    assert_eq!(played.status, 200);
    assert_eq!(sha256(&played.body), app.original(pack));
    assert!(
        streams.iter().all(|s| !s.file_name.to_lowercase().contains("sample") && !s.file_name.contains("Making.Of"))
    );
    assert!(streams.iter().all(|s| !s.name.contains("S01E01") && !s.file_name.contains("S01E01")), "{streams:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seek_and_a_head_cost_the_store_nothing() {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    let stream = app.smallest(&viewer, FILM).await;
    app.world.torbox().forget_calls();
    let head = app.web.send(Method::HEAD, &stream.url, &[]).await;
    assert_eq!((head.status.as_u16(), head.header("content-length")), (200, stream.size.to_string().as_str()));
    assert_eq!(head.header("accept-ranges"), "bytes");
    let cold = app.world.torbox().calls().len();
    assert!(cold <= 3, "a cold start made {cold} store calls: {:?}", app.world.torbox().calls());

    app.world.torbox().forget_calls();
    let whole = app.web.get(&stream.url).await.body;
    for (range, first, last) in
        [("bytes=0-0", 0, 0), ("bytes=1000-1999", 1000, 1999), ("bytes=-100", whole.len() - 100, whole.len() - 1)]
    {
        let part = app.web.send(Method::GET, &stream.url, &[("range", range)]).await;
        assert_eq!(part.status, 206, "{range}");
        assert_eq!(part.header("content-range"), format!("bytes {first}-{last}/{}", whole.len()));
        assert_eq!(part.body, whole[first..=last], "{range}");
    }
    let beyond = app.web.send(Method::GET, &stream.url, &[("range", &format!("bytes={}-", whole.len()))]).await;
    assert_eq!(
        (beyond.status.as_u16(), beyond.header("content-range")),
        (416, format!("bytes */{}", whole.len()).as_str())
    );
    assert_eq!(app.world.torbox().calls().len(), 0, "seeks ask the store nothing");
    let usage = app.usage_until("one playback", |row| row["streams"] == 1).await;
    assert_eq!(usage["streams"], 1, "many requests, one playback");
}

#[tokio::test(flavor = "multi_thread")]
async fn redirect_delivery_sends_the_player_to_the_cdn_without_the_key() {
    let app = App::with(TestDatabase::sqlite(), &[("CHILLPROXY_DELIVERY", "redirect")]).await;
    app.add_key("main", crate::app::KEY);
    let viewer = app.add_user("ada");
    let stream = app.smallest(&viewer, FILM).await;
    let answer = app.web.get(&stream.url).await;
    assert_eq!(answer.status, 302);
    let location = answer.header("location");
    assert!(location.starts_with(&app.world.cdn_url()), "{location}");
    assert!(!location.contains(crate::app::KEY));
    assert_eq!(sha256(&app.web.get(location).await.body), app.original(&stream));
    app.usage_until("the start is counted", |row| row["streams"] == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uncached_stream_is_fetched_and_says_so_until_it_is_there() {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    let streams = app.streams(&viewer, FILM).await;
    let stream = streams
        .iter()
        .find(|s| s.file_name.contains("ARCHIVE") || s.description.contains("ARCHIVE"))
        .expect("the uncached release is listed");
    assert!(!stream.cached());
    let answer = app.web.get(&stream.url).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-chillproxy-refusal")), (302, "downloading"));
    let clip = app.web.get(answer.header("location")).await;
    assert_eq!((clip.status.as_u16(), clip.header("content-type")), (200, "video/mp4"));
    app.world.clock().advance(std::time::Duration::from_secs(60));
    app.until("the film is there", async || app.web.send(Method::HEAD, &stream.url, &[]).await.status == 200).await;
    let played = app.web.get(&stream.url).await;
    assert_eq!(sha256(&played.body).len(), 64);
    assert_eq!(played.body.len(), 40_000_000);
}
