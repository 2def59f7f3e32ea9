//! Links, opened.

use std::time::Duration;

use chill_core::Secret;
use chill_sim::{Plan, Torrent, World, content_bytes};
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::stage::{Origin, Stage, config, encoded, request};
use crate::proxy::{ProxyConfig, ProxyUsers};

const KEY: &str = "11111111-2222-3333-4444-555555555555";

/// A link of the simulated CDN to the one file of a torrent.
async fn cdn_link(world: &World, torrent: Torrent) -> String {
    world.torbox().add_account(KEY, Plan::Pro, 0);
    let form = format!("magnet={}", encoded(&torrent.magnet()));
    world.torbox().add_torrent(torrent);
    let torbox = world.torbox_url().strip_prefix("http://").unwrap().parse().unwrap();
    let bearer = format!("Bearer {KEY}");
    let headers = [("authorization", &*bearer), ("content-type", "application/x-www-form-urlencoded")];
    let created = json_of(request(torbox, "POST", "/v1/api/torrents/createtorrent", &headers, &form).await).await;
    let id = &created["data"]["torrent_id"];
    let path = format!("/v1/api/torrents/requestdl?token={KEY}&torrent_id={id}&file_id=0");
    json_of(request(torbox, "GET", &path, &[], "").await).await["data"].as_str().unwrap().to_owned()
}

async fn json_of(response: http::Response<hyper::body::Incoming>) -> Value {
    let body = axum::body::to_bytes(axum::body::Body::new(response.into_body()), 1 << 20).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn a_link_carries_a_film_with_its_ranges() {
    let world = World::start().await.unwrap();
    let torrent = Torrent::single("A Film (1968).mkv", 3_000_000);
    let seed = torrent.seed(0);
    let (stage, url) = (Stage::new().await, cdn_link(&world, torrent).await);
    let link = stage.link(&url, "&exp=1h").await;
    assert!(link.ends_with("/A%20Film%20%281968%29.mkv"), "{link}");

    let whole = stage.get(&link, &[]).await;
    assert_eq!((whole.status, whole.header("content-type")), (200, "video/x-matroska"));
    assert!(whole.body == content_bytes(seed, 0, 3_000_000));
    assert!(whole.header("content-disposition").starts_with("inline; filename=\"A Film (1968).mkv\""));
    for (range, status, told, first, count) in [
        ("bytes=1000-1999", 206, "bytes 1000-1999/3000000", 1_000, 1_000),
        ("bytes=2999990-", 206, "bytes 2999990-2999999/3000000", 2_999_990, 10),
        ("bytes=-5", 206, "bytes 2999995-2999999/3000000", 2_999_995, 5),
        ("bytes=3000000-", 416, "bytes */3000000", 0, 0),
    ] {
        let part = stage.get(&link, &[("range", range)]).await;
        assert_eq!((part.status, part.header("content-range")), (status, told), "{range}");
        assert!(part.body == content_bytes(seed, first, count), "{range}");
    }
    let head = stage.ask("HEAD", &link, &[], "").await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "3000000", 0));
    assert_eq!(head.header("accept-ranges"), "bytes");
    assert_eq!(world.cdn().calls().last().unwrap().method, "HEAD");
    let nameless = link.rsplit_once('/').unwrap().0;
    assert_eq!(stage.ask("HEAD", nameless, &[], "").await.status, 200);
}

#[tokio::test]
async fn an_expiry_counts_on_every_use() {
    let (_origin, _listening, url) = Origin::on("127.0.0.1").await;
    let stage = Stage::new().await;
    let link = stage.link(&format!("{url}/film.mkv"), "&exp=60").await;
    let forever = stage.link(&format!("{url}/film.mkv"), "&exp=0").await;
    let past = stage.link(&format!("{url}/film.mkv"), "&exp=-1s").await;
    assert_eq!(stage.get(&link, &[]).await.text(), "0123456789");
    assert_eq!(stage.get(&past, &[]).await.status, 401);
    stage.clock.advance(Duration::from_secs(60));
    assert_eq!(stage.get(&link, &[]).await.refusal(), (401, "unauthorized".to_owned()));
    stage.clock.advance(Duration::from_secs(1_000_000));
    assert_eq!(stage.get(&forever, &[]).await.status, 200);
}

#[tokio::test]
async fn a_link_ends_with_its_maker_and_not_with_his_password() {
    let (_origin, _listening, url) = Origin::on("127.0.0.1").await;
    let link = Stage::new().await.link(&format!("{url}/film.mkv"), "").await;
    let plain = json!({"u": "alice:s3cret", "v": format!("{url}/film.mkv?x"), "tunt": "a", "reqh": {"Cookie": "a=b"}});
    let plain = format!("/v0/proxy/{}", encoded(&format!("base64.{}", BASE64.encode(plain.to_string().as_bytes()))));
    for (users, secret, ours, theirs) in [
        ("alice:s3cret", None, 200, 200),
        ("alice:changed", None, 200, 401),
        ("bob:s3cret", None, 401, 401),
        ("", None, 401, 401),
        ("alice:s3cret", Some("another secret, also long enough to be one"), 401, 200),
    ] {
        let users = ProxyUsers::parse(users).unwrap();
        let secret = secret.map_or(config().secret, Secret::new);
        let stage = Stage::with(ProxyConfig { users, secret, ..config() }).await;
        assert_eq!(stage.get(&link, &[]).await.status, ours);
        assert_eq!(stage.get(&plain, &[]).await.status, theirs);
    }
}

#[tokio::test]
async fn a_link_outlives_another_secret_while_its_own_is_kept() {
    let (_origin, _listening, url) = Origin::on("127.0.0.1").await;
    let new = || Secret::new("a new secret of the tests, long enough");
    let former_secrets = vec![Secret::new("one from before, long enough as well"), config().secret];
    let old = Stage::new().await.link(&format!("{url}/film.mkv"), "").await;
    let rotated = Stage::with(ProxyConfig { secret: new(), former_secrets, ..config() }).await;
    assert_eq!(rotated.get(&old, &[]).await.text(), "0123456789");
    let link = rotated.link(&format!("{url}/film.mkv"), "").await;
    let done = Stage::with(ProxyConfig { secret: new(), ..config() }).await;
    assert_eq!((done.get(&link, &[]).await.status, done.get(&old, &[]).await.status), (200, 401));
}

#[tokio::test]
async fn what_is_no_link_is_refused_without_a_word_of_it() {
    let stage = Stage::new().await;
    let nobody = json!({"u": "nobody:", "v": "http://127.0.0.1/", "tunt": ""}).to_string();
    let nobody = encoded(&format!("base64.{}", BASE64.encode(nobody.as_bytes())));
    for (method, token, refusal) in [
        ("GET", "garbage", (400, "invalid token")),
        ("GET", "%FF%FE", (400, "invalid token")),
        ("GET", &*nobody, (401, "unauthorized")),
        ("POST", "garbage", (405, "method not allowed")),
    ] {
        for name in ["", "/film.mkv"] {
            let reply = stage.ask(method, &format!("/v0/proxy/{token}{name}"), &[], "").await;
            assert_eq!(reply.refusal(), (refusal.0, refusal.1.to_owned()), "{token}");
            assert_eq!(reply.json()["error"]["path"], "/v0/proxy/{token}");
            assert_eq!(reply.header("access-control-allow-origin"), "*");
        }
    }
    let head = stage.ask("HEAD", "/v0/proxy/garbage", &[], "").await;
    assert_eq!((head.status, head.body.len()), (400, 0));
    assert_eq!(stage.ask("OPTIONS", "/v0/proxy/garbage", &[], "").await.status, 200);
    assert_eq!(stage.get("/v0/proxy/a/b/c", &[]).await.status, 404);
}

#[tokio::test]
async fn the_makers_headers_go_up_and_of_the_viewers_those_about_his_player() {
    let (origin, _listening, url) = Origin::on("127.0.0.1").await;
    let stage = Stage::new().await;
    let lines = encoded(
        "Referer: https://site.example/\nAuthorization: Bearer x\nUser-Agent: Mine/1\nHost: evil.example\nX-Forwarded-For: 1.2.3.4\nRange: bytes=0-0\nContent-Length: 7",
    );
    let link =
        stage.link(&format!("{url}/film.mkv"), &format!("&req_headers[0]={lines}&req_headers=X-Other:%201")).await;
    let viewer = [
        ("user-agent", "Player/1"),
        ("cookie", "session=1"),
        ("authorization", "Basic viewer"),
        ("x-stremthru-authorization", "Basic viewer"),
        ("x-forwarded-for", "203.0.113.9"),
        ("request-id", "viewers"),
        ("accept-language", "de"),
    ];
    let reply = stage.get(&link, &viewer).await;
    assert_eq!((reply.status, reply.text()), (200, "0123456789"));
    let (_, _, sent) = &origin.asked()[0];
    let mut sent: Vec<_> = sent.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    sent.sort_unstable();
    let host = format!("host: {}", url.strip_prefix("http://").unwrap());
    let expected = [
        "accept-encoding: identity",
        "accept-language: de",
        "accept: */*",
        "authorization: Bearer x",
        &*host,
        "referer: https://site.example/",
        "user-agent: Mine/1",
    ];
    assert_eq!(sent, expected);
    for (name, value) in [("set-cookie", ""), ("server", ""), ("access-control-allow-origin", "*")] {
        assert_eq!(reply.headers.get_all(name).iter().count(), usize::from(!value.is_empty()), "{name}");
        assert_eq!(reply.header(name), value);
    }
    // What a link without headers of its own gets.
    let link = stage.link(&format!("{url}/film.mkv"), "&req_headers=X-Other:%201").await;
    stage.get(&link, &[("user-agent", "Player/1")]).await;
    let sent = origin.asked()[1].2.clone();
    assert_eq!((&sent["x-other"], &sent["user-agent"]), (&"1".parse().unwrap(), &"Player/1".parse().unwrap()));
    let long = "p".repeat(2_000);
    stage.get(&link, &[("user-agent", &long)]).await;
    assert!(origin.asked()[2].2["user-agent"].to_str().unwrap().starts_with("Chillproxy/"));
}

#[tokio::test]
async fn a_head_tells_no_length_that_nobody_knows() {
    let (_origin, _listening, url) = Origin::on("127.0.0.1").await;
    let stage = Stage::new().await;
    let chunked = stage.link(&format!("{url}/chunked"), "").await;
    for (method, text) in [("GET", "0123456789"), ("HEAD", "")] {
        let reply = stage.ask(method, &chunked, &[], "").await;
        assert_eq!((reply.status, reply.text(), reply.headers.get("content-length")), (200, text, None), "{method}");
    }
    let unchanged = stage.link(&format!("{url}/304"), "").await;
    for method in ["GET", "HEAD"] {
        let reply = stage.ask(method, &unchanged, &[("if-none-match", "\"v1\"")], "").await;
        assert_eq!((reply.status, reply.headers.get("content-length")), (304, None), "{method}");
    }
}

#[tokio::test]
async fn an_origin_that_fails_is_told_without_its_address() {
    let (origin, listening, url) = Origin::on("127.0.0.1").await;
    let stage = Stage::new().await;
    for (told, status, kind, message) in [
        (404, 404, "upstream_error", "the url's server refused"),
        (401, 401, "upstream_error", "the url's server refused"),
        (503, 503, "upstream_error", "the url's server refused"),
        (407, 502, "api_error", "failed to request url"),
        (204, 502, "api_error", "failed to request url"),
    ] {
        let asked = origin.asked().len();
        let reply = stage.get(&stage.link(&format!("{url}/{told}?key=k"), "").await, &[]).await;
        assert_eq!(reply.refusal(), (status, message.to_owned()), "{told}");
        assert_eq!(reply.json()["error"]["type"], kind);
        assert_eq!(origin.asked().len() - asked, 1, "a link that fails is not asked twice");
    }
    let link = stage.link(&format!("{url}/film.mkv?key=k"), "").await;
    let port = listening.at.port();
    drop(listening);
    tokio::task::yield_now().await;
    let gone = Stage::new().await.get(&link, &[]).await;
    assert_eq!(gone.refusal(), (502, "failed to request url".to_owned()));
    assert!(!gone.text().contains(&port.to_string()) && !gone.text().contains("127.0.0.1"));
    assert_eq!(stage.get(&stage.link("u", "").await, &[]).await.refusal(), (400, "invalid url".to_owned()));
}
