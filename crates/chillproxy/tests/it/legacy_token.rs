//! A viewer's own token, as in StremThru's links: alone, and behind the pool.

use data_encoding::BASE64;
use hyper::Method;
use serde_json::json;

use crate::app::{App, KEY, KEY_TWO};
use crate::database::TestDatabase;
use crate::streams::{FILM, read, sha256};

fn addon(app: &App, stores: &serde_json::Value) -> String {
    let data = BASE64.encode(json!({ "stores": stores }).to_string().as_bytes());
    format!("{}/stremio/torz/{}", app.base, data.replace('/', "%2F"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_token_lists_and_redirects_without_any_user() {
    let app = App::start(TestDatabase::sqlite()).await;
    let addon = addon(&app, &json!([{"c": "tb", "t": KEY}]));
    let streams = read(&app.web.get(&format!("{addon}/stream/movie/{FILM}.json")).await);
    let stream = streams.iter().filter(|s| s.cached()).min_by_key(|s| s.size).expect("a cached stream");
    let answer = app.web.get(&stream.url).await;
    assert_eq!(answer.status, 302, "{}", answer.header("x-chillproxy-refusal"));
    assert!(answer.header("location").starts_with(&app.world.cdn_url()));
    assert_eq!(sha256(&app.web.get(answer.header("location")).await.body), app.original(stream));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_explained() {
    let app = App::start(TestDatabase::sqlite()).await;
    let addon = addon(&app, &json!([{"c": "tb", "t": "00000000-dead-4000-8000-000000000000"}]));
    let answer = app.web.get(&format!("{addon}/stream/movie/{FILM}.json")).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-chillproxy-refusal")), (200, "store_rejected_key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_serves_when_the_pool_refuses() {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    app.world.torbox().add_account(KEY_TWO, chill_sim::Plan::Pro, 0);
    let addon = addon(&app, &json!([{"c": "tb", "auth": viewer.link, "t": KEY_TWO}]));
    let list = format!("{addon}/stream/movie/{FILM}.json");
    assert!(!read(&app.web.get(&list).await).is_empty());
    assert!(app.world.torbox().calls().iter().all(|call| call.key() != Some(KEY_TWO)), "the pool first");
    let streams = read(&app.web.get(&list).await);
    let stream = streams.iter().filter(|s| s.cached()).min_by_key(|s| s.size).expect("a cached stream");
    app.cli(&["user", "suspend", "ada", "--json"], "");
    app.until("the viewer's own token redirects", async || {
        app.web.send(Method::HEAD, &stream.url, &[]).await.status == 302
    })
    .await;
    let answer = app.web.get(&stream.url).await;
    assert!(answer.header("location").starts_with(&app.world.cdn_url()), "{}", answer.header("location"));
    assert!(app.world.torbox().calls().iter().any(|call| call.key() == Some(KEY_TWO)));
    assert!(!read(&app.web.get(&list).await).is_empty(), "the list stays");
}
