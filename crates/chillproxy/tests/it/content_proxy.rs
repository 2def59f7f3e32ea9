//! `/v0/proxy` through the whole server: users make links, players open them, strangers get nothing.

use data_encoding::BASE64;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::app::{App, KEY};
use crate::database::TestDatabase;
use crate::streams::{FILM, Stream, read, sha256};
use hyper::Method;

const USER: &str = "carol:correct horse";

/// A film and its address on the simulated CDN.
async fn film(app: &App) -> (Stream, String) {
    let data = BASE64.encode(json!({"stores": [{"c": "tb", "t": KEY}]}).to_string().as_bytes()).replace('/', "%2F");
    let list = app.web.get(&format!("{}/stremio/torz/{data}/stream/movie/{FILM}.json", app.base)).await;
    let stream = read(&list).into_iter().filter(Stream::cached).min_by_key(|stream| stream.size).unwrap();
    let address = app.web.get(&stream.url).await.header("location").to_owned();
    (stream, address)
}

fn make(app: &App, address: &str) -> String {
    format!("{}/v0/proxy?url={}", app.base, utf8_percent_encode(address, NON_ALPHANUMERIC))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_makes_a_link_that_plays_and_outlives_a_restart_and_another_master_key() {
    let settings = [("STREMTHRU_AUTH", USER), ("CHILLPROXY_PROXY_ALLOW", "127.0.0.0/8")];
    let mut app = App::with(TestDatabase::sqlite(), &settings).await;
    let (stream, address) = film(&app).await;
    let basic = format!("Basic {}", BASE64.encode(USER.as_bytes()));
    let made = app.web.send(Method::GET, &make(&app, &address), &[("x-stremthru-authorization", &basic)]).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let link = made.json()["data"]["items"][0].as_str().unwrap().to_owned();
    assert!(!link.contains("correct") && !link.contains("tb-cdn"), "{link}");
    app.kill();
    app.boot().await;
    let played = app.web.get(&link).await;
    assert_eq!((played.status.as_u16(), sha256(&played.body)), (200, app.original(&stream)));
    let part = app.web.send(Method::GET, &link, &[("range", "bytes=10-19")]).await;
    assert_eq!((part.status.as_u16(), &part.body[..]), (206, &played.body[10..20]));
    // Another master key comes first, and the old one stays behind it.
    app.stop();
    let masters = app.data_dir().join("master.key");
    let old = std::fs::read_to_string(&masters).unwrap();
    std::fs::write(&masters, format!("{},{}", BASE64.encode(&[7; 32]), old.trim())).unwrap();
    app.boot().await;
    assert_eq!(sha256(&app.web.get(&link).await.body), app.original(&stream));
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_make_no_links_and_no_link_leads_inside() {
    let app = App::with(TestDatabase::sqlite(), &[("STREMTHRU_AUTH", USER)]).await;
    let (_, address) = film(&app).await;
    for wrong in ["", "carol:", "carol:wrong", "nobody:correct horse"] {
        let basic = format!("Basic {}", BASE64.encode(wrong.as_bytes()));
        let refused = app.web.send(Method::GET, &make(&app, &address), &[("x-stremthru-authorization", &basic)]).await;
        assert_eq!(refused.status, 403, "{wrong:?}: {}", refused.text());
    }
    let basic = format!("Basic {}", BASE64.encode(USER.as_bytes()));
    let made = app.web.send(Method::GET, &make(&app, &address), &[("x-stremthru-authorization", &basic)]).await;
    let inside = app.web.get(made.json()["data"]["items"][0].as_str().unwrap()).await;
    assert_eq!(inside.status, 403, "loopback is not allowed unless the operator says so: {}", inside.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_users_there_is_no_proxy() {
    let app = App::start(TestDatabase::sqlite()).await;
    assert_eq!(app.web.get(&make(&app, "http://example.org/")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_and_no_target_is_written_down() {
    let user = "carol:password-canary-3f";
    let settings = [("STREMTHRU_AUTH", user), ("CHILLPROXY_PROXY_ALLOW", "127.0.0.0/8")];
    let mut app = App::with(TestDatabase::sqlite(), &settings).await;
    let (_, address) = film(&app).await;
    let target = address.replacen("://", "://who:target-canary-7b@", 1);
    let made = format!("{}&req_headers=X-Key:%20header-canary-9d", make(&app, &target));
    let made = app.web.get(&format!("{made}&token={user}")).await;
    let link = made.json()["data"]["items"][0].as_str().unwrap().to_owned();
    assert_eq!(app.web.get(&link).await.status, 200);
    let path = address.splitn(4, '/').nth(3).unwrap();
    let gone = make(&app, &address.replace(path, "path-canary-5e?q=query-canary-1c"));
    let gone = app.web.get(&format!("{gone}&token={user}")).await;
    let gone = gone.json()["data"]["items"][0].as_str().unwrap().to_owned();
    let plain = json!({"u": "carol:guess-canary-2a", "v": target}).to_string();
    let plain = format!("{}/v0/proxy/base64.{}", app.base, BASE64.encode(plain.as_bytes()).replace('/', "%2F"));
    let guess = format!("{}&token=carol:guess-canary-2a", make(&app, &target));
    for (address, status) in [(&gone, 404), (&plain, 401), (&guess, 403)] {
        assert_eq!(app.web.get(address).await.status, status);
    }
    app.stop();
    assert!(app.log_text().contains("a proxy link could not be carried"), "the log says what it can");
    let mut said = vec![("the log".to_owned(), app.log_text().into_bytes())];
    let files = crate::app::files_below(&app.data_dir()).into_iter();
    said.extend(files.map(|file| (file.display().to_string(), std::fs::read(file).unwrap())));
    let basic = |credential: &str| BASE64.encode(credential.as_bytes());
    let token = link.rsplit('/').nth(1).unwrap();
    let secrets = ["-canary-", path, token, &basic(user), &basic("who:target-canary-7b")];
    for (place, bytes) in said {
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {place}");
        }
    }
}
