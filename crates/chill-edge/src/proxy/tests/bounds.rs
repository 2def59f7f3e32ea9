//! How much one request may ask for.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::stage::{ALICE, Origin, Reply, Stage, encoded};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const LONG_HEADER: &str = "a request header is too long, max allowed 256 bytes of name and 4096 of value";
const LONG_LINK: &str = "the link would be longer than servers take, shorten the url or its headers";

async fn posted(stage: &Stage, body: &str) -> Reply {
    stage.ask("POST", "/v0/proxy", &[ALICE, FORM], body).await
}

#[tokio::test]
async fn headers_beyond_their_bounds_are_refused_and_not_left_out() {
    let stage = Stage::new().await;
    let many = |count: usize| (0..count).map(|at| format!("x-{at}: {at}\n")).collect::<String>();
    let named = |length: usize| format!("{}: x", "n".repeat(length));
    let valued = |length: usize| format!("x: {}", "v".repeat(length));
    for (lines, status, message) in [
        (many(32), 200, ""),
        (many(33), 400, "too many request headers, max allowed 32"),
        (many(32) + "x-0: again\nHost: evil\nno header", 200, ""),
        (named(256), 200, ""),
        (named(257), 400, LONG_HEADER),
        (valued(4_096), 200, ""),
        (valued(4_097), 400, LONG_HEADER),
        ("no header\n".repeat(4_000), 400, "the request headers are too long, max allowed 32768 bytes together"),
    ] {
        let made = posted(&stage, &format!("url=http://a.example/&req_headers={}", encoded(&lines))).await;
        assert_eq!(made.refusal(), (status, message.to_owned()), "{}", &lines[..lines.len().min(40)]);
    }
}

#[tokio::test]
async fn no_link_is_made_that_a_listener_would_not_take() {
    let (_origin, _listening, url) = Origin::on("127.0.0.1").await;
    let stage = Stage::new().await;
    let long = format!("{url}/film.mkv?{}", "z".repeat(8_192 - url.len() - 10));
    let name = encoded(&"é".repeat(300));
    let made = posted(&stage, &format!("url={long}&filename={name}")).await;
    let link = stage.path(made.json()["data"]["items"][0].as_str().unwrap());
    assert!(link.len() <= 16 * 1024, "{}", link.len());
    assert_eq!(stage.get(&link, &[("user-agent", &"p".repeat(8_000))]).await.text(), "0123456789");
    let header = encoded(&format!("Cookie: {}", "c".repeat(4_000)));
    let refused = posted(&stage, &format!("url={long}&req_headers={header}")).await;
    assert_eq!(refused.refusal(), (400, LONG_LINK.to_owned()));
}

#[tokio::test]
async fn one_request_makes_only_so_much() {
    let stage = Stage::new().await;
    let headers = encoded(&format!("Cookie: {}\nX-Other: {}", "c".repeat(4_000), "d".repeat(4_000)));
    let urls = |count| "url=http://a.example/f&".repeat(count);
    let refused = posted(&stage, &format!("{}req_headers={headers}", urls(500))).await;
    assert_eq!(refused.refusal(), (400, "the links would be too long together, ask for fewer at a time".to_owned()));
    let made = posted(&stage, &format!("{}req_headers={headers}", urls(200))).await;
    assert_eq!(made.json()["data"]["total_items"], 200);
    assert_eq!(posted(&stage, &urls(500)).await.status, 200);
}

/// The beginning of an answer to a request whose body is announced and never sent.
async fn bodiless(stage: &Stage, path: &str, headers: &str) -> String {
    let mut tcp = TcpStream::connect(stage.at()).await.unwrap();
    let form = format!("{}: {}\r\ncontent-length: 9", FORM.0, FORM.1);
    let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\n{form}\r\n{headers}\r\n");
    tcp.write_all(head.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    tcp.read_exact(&mut status).await.unwrap();
    String::from_utf8(status.to_vec()).unwrap()
}

#[tokio::test]
async fn a_stranger_is_refused_before_his_body_is_read() {
    let stage = Stage::new().await;
    for (path, headers) in [
        ("/v0/proxy", "x-stremthru-authorization: alice:wrong\r\n"),
        ("/v0/proxy", "proxy-authorization: Basic eA==\r\n"),
        ("/v0/proxy?token=alice:wrong", ""),
    ] {
        let refused = tokio::time::timeout(Duration::from_secs(5), bodiless(&stage, path, headers)).await;
        assert_eq!(refused.as_deref(), Ok("HTTP/1.1 403"), "{path} {headers}");
    }
}

#[tokio::test]
async fn a_body_too_large_is_told_to_users_alone() {
    let stage = Stage::new().await;
    let large = format!("url=u&x={}", "y".repeat(1 << 20));
    let by_query = stage.ask("POST", "/v0/proxy?token=alice:s3cret", &[FORM], &large).await;
    assert_eq!(by_query.refusal(), (400, "failed to parse data".to_owned()));
    let unknown = stage.ask("POST", "/v0/proxy", &[FORM], &(large + "&token=alice:s3cret")).await;
    assert_eq!(unknown.refusal(), (403, "forbidden".to_owned()));
    let by_form = stage.ask("POST", "/v0/proxy", &[FORM], "url=u&token=alice:s3cret").await;
    assert_eq!(by_form.status, 200);
}
