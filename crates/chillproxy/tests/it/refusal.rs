//! What a refused viewer sees, and what a broken link is told.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};
use hyper::Method;
use serde_json::json;

use crate::app::{App, KEY};
use crate::database::{TestDatabase, on_both_engines};
use crate::streams::FILM;
use crate::web::Web;

on_both_engines!(refusals_are_explained_in_the_player, the_fourth_device_is_refused);

async fn refusals_are_explained_in_the_player(database: TestDatabase) {
    let app = App::start(database).await;
    let viewer = app.add_user("ada");
    let no_key = app.web.get(&viewer.streams("movie", FILM)).await;
    assert_eq!((no_key.status.as_u16(), no_key.header("x-chillproxy-refusal")), (200, "no_key"));
    assert_eq!(no_key.header("access-control-allow-origin"), "*");
    let streams = no_key.json()["streams"].clone();
    assert_eq!(streams.as_array().unwrap().len(), 1);
    assert!(
        streams[0]["name"].as_str().unwrap().len() > 5 && streams[0]["description"].as_str().unwrap().len() > 20,
        "{streams}"
    );
    let support = no_key.header("x-chillproxy-support");
    assert!(!support.is_empty());
    assert!(streams[0]["description"].as_str().unwrap().contains(support));
    app.until("the operator finds the support id", async || app.log_text().contains(support)).await;
    let log = app.log_text();
    let line = log.lines().find(|line| line.contains(support)).unwrap();
    assert!(line.contains(r#""device":""#), "the line names the device: {line}");

    app.add_key("main", KEY);
    let unknown = BASE64URL_NOPAD.encode(
        json!({"stores": [{"c": "tb", "auth": "99999999-9999-4999-8999-999999999999"}]}).to_string().as_bytes(),
    );
    let play = format!("{}/stremio/torz/{unknown}/_/strem/{FILM}/tb/{}/0/film.mkv", app.base, "0".repeat(40));
    for method in [Method::GET, Method::HEAD] {
        let answer = app.web.send(method, &play, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-chillproxy-refusal")), (302, "user_unknown"));
        let clip = app.web.send(Method::GET, answer.header("location"), &[("range", "bytes=0-99")]).await;
        assert_eq!((clip.status.as_u16(), clip.body.len()), (206, 100));
    }
}

async fn the_fourth_device_is_refused(database: TestDatabase) {
    let (app, viewer) = App::with_viewer(database).await;
    for n in 1..=3 {
        let answer = Web::new(&format!("Device/{n}")).get(&viewer.streams("movie", FILM)).await;
        assert_eq!(answer.header("x-chillproxy-refusal"), "", "device {n}");
    }
    let fourth = Web::new("Device/4").get(&viewer.streams("movie", FILM)).await;
    assert_eq!(fourth.header("x-chillproxy-refusal"), "device_limit");
    assert!(fourth.text().contains("Maximum 3 devices allowed per user"), "{}", fourth.text());
    let first = Web::new("Device/1").get(&viewer.streams("movie", FILM)).await;
    assert_eq!(first.header("x-chillproxy-refusal"), "", "a known device goes on");
    let devices = app.cli(&["device", "list", "--user", &viewer.id, "--json"], "");
    assert_eq!(devices.as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn user_data_that_is_not_ours_is_a_400_with_the_envelope() {
    let app = App::start(TestDatabase::sqlite()).await;
    let coded = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let bad = [
        "%21%21%21".to_owned(),
        "AAAA".to_owned(),
        coded("not json"),
        coded("[]"),
        coded("{}"),
        coded(r#"{"stores":[]}"#),
        coded(r#"{"stores":"tb"}"#),
        coded(r#"{"stores":[{"c":"tb"}]}"#),
        coded(r#"{"stores":[{"c":"zz","t":"x"}]}"#),
        coded(r#"{"stores":[{"c":7,"auth":true}]}"#),
        coded(r#"{"stores":[{"c":"tb","auth":"not-a-uuid"}]}"#),
        coded(&format!(r#"{{"stores":[{{"c":"tb","t":"{}"}}]}}"#, "x".repeat(20_000))),
    ];
    for data in &bad {
        for tail in ["manifest.json", &format!("stream/movie/{FILM}.json")] {
            let answer = app.web.get(&format!("{}/stremio/torz/{data}/{tail}", app.base)).await;
            assert_eq!(answer.status, 400, "{data} {tail}: {}", answer.text());
            let error = answer.json()["error"].clone();
            assert!(error["code"].is_string() && error["message"].as_str().unwrap().len() > 10, "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn user_data_is_read_in_every_base64() {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    // The ü and ? make all alphabets and paddings differ.
    for filler in ["", "ü?", "ü??", "ü???>>>~~~"] {
        let data = json!({"stores": [{"c": "tb", "auth": viewer.link}], "note": filler}).to_string();
        for encoding in [&BASE64, &BASE64_NOPAD, &BASE64URL, &BASE64URL_NOPAD] {
            let text = encoding.encode(data.as_bytes());
            let escaped = text.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
            let answer = app.web.get(&format!("{}/stremio/torz/{escaped}/manifest.json", app.base)).await;
            assert_eq!(answer.status, 200, "{text}: {}", answer.text());
            let streams = app.web.get(&format!("{}/stremio/torz/{escaped}/stream/movie/{FILM}.json", app.base)).await;
            let streams = crate::streams::read(&streams);
            assert!(!streams.is_empty());
            let play = app.web.send(Method::HEAD, &streams.iter().find(|s| s.cached()).unwrap().url, &[]).await;
            assert_eq!(play.status, 200, "the emitted link works");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_pool_users_only_tokens_are_taken() {
    let app = App::with(TestDatabase::sqlite(), &[("ENABLE_CHILLSTREAMS_AUTH", "false")]).await;
    app.add_key("main", KEY);
    let viewer = app.add_user("ada");
    let answer = app.web.get(&viewer.streams("movie", FILM)).await;
    assert!(
        answer.status == 400 || !answer.header("x-chillproxy-refusal").is_empty(),
        "{} {}",
        answer.status,
        answer.text()
    );
    assert!(answer.status == 400 || crate::streams::read(&answer).is_empty());
}
