//! Origins that answer as no simulated CDN does: a listener that is told its answers in advance.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chill_core::Secret;
use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::DropGuard;

use super::stage::{Reply, ask, film, listen, quick};
use crate::relay::{Link, Origin, OriginError, Relay, RelayConfig};

/// Answers each connection with the next of its answers, byte for byte, and closes it.
pub(super) struct Scripted {
    heads: Arc<Mutex<Vec<String>>>,
    pub(super) url: String,
    address: SocketAddr,
    _stop: DropGuard,
}

pub(super) struct FixedLink(pub(super) String);

#[async_trait]
impl Origin for FixedLink {
    async fn link(&self, _fresh: bool) -> Result<Link, OriginError> {
        Ok(Link::lasting(Secret::new(&*self.0)))
    }
}

impl Scripted {
    pub(super) async fn new(answers: Vec<Vec<u8>>) -> Self {
        Self::with(quick(), answers).await
    }

    pub(super) async fn with(config: RelayConfig, answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/a/film?token=t", listener.local_addr().unwrap());
        let heads = Arc::<Mutex<Vec<String>>>::default();
        tokio::spawn(play(listener, answers.into(), heads.clone()));
        let (address, stop) = listen(Relay::new(config), film(Arc::new(FixedLink(url.clone())))).await;
        Self { heads, url, address, _stop: stop }
    }

    pub(super) async fn get(&self, headers: &[(&str, &str)]) -> Reply {
        ask(self.address, &Method::GET, headers).await
    }

    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn play(listener: TcpListener, mut answers: VecDeque<Vec<u8>>, heads: Arc<Mutex<Vec<String>>>) {
    while let Ok((mut tcp, _)) = listener.accept().await {
        let head = request_head(&mut tcp).await;
        heads.lock().unwrap().push(head);
        let Some(answer) = answers.pop_front() else { return };
        tcp.write_all(&answer).await.unwrap();
        tcp.shutdown().await.unwrap();
    }
}

async fn request_head(tcp: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match tcp.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

pub(super) fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {}\r\n\r\n", head.replace('\n', "\r\n")).as_bytes(), body].concat()
}

/// A film whose bytes differ everywhere.
pub(super) fn bytes(first: usize, count: usize) -> Vec<u8> {
    chill_sim::content_bytes(3, first as u64, count)
}

#[tokio::test]
async fn a_page_is_never_a_film() {
    let page = answer("200 OK\nContent-Type: text/html\nContent-Length: 13", b"<html></html>");
    let origin = Scripted::new(vec![page.clone(), page]).await;
    let reply = origin.get(&[]).await;
    assert_eq!((reply.status, reply.text()), (502, "LinkBroken"));
    assert_eq!(origin.heads().len(), 2);
}

#[tokio::test]
async fn a_film_of_unknown_length_needs_chunks() {
    let unbounded = answer("200 OK\nContent-Type: video/mp4", b"abc");
    let origin = Scripted::new(vec![unbounded.clone(), unbounded]).await;
    assert_eq!(origin.get(&[]).await.text(), "LinkBroken");

    let head = "200 OK\nTransfer-Encoding: chunked";
    let origin = Scripted::new(vec![answer(head, b"3\r\nabc\r\n0\r\n\r\n"), answer(head, b"3\r\nabc\r\n")]).await;
    let reply = origin.get(&[]).await;
    assert_eq!((reply.status, reply.text(), reply.whole), (200, "abc", true));
    let broken = origin.get(&[]).await;
    assert!(!broken.whole);
}

#[tokio::test]
async fn an_origin_that_ignores_ranges_is_read_forward_to_a_near_one() {
    let whole = answer("200 OK\nContent-Length: 2000000\nETag: \"v1\"", &bytes(0, 2_000_000));
    for (range, status, first, count) in [
        ("bytes=0-99", 206, 0, 100),
        ("bytes=1048576-1048600", 206, 1_048_576, 25),
        ("bytes=1048577-1048600", 200, 0, 2_000_000),
        ("bytes=1000000-", 206, 1_000_000, 1_000_000),
        ("bytes=-100", 200, 0, 2_000_000),
        ("bytes=2000000-", 200, 0, 2_000_000),
    ] {
        let origin = Scripted::new(vec![whole.clone()]).await;
        let reply = origin.get(&[("range", range)]).await;
        assert_eq!((reply.status, reply.whole), (status, true), "{range}");
        assert_eq!(reply.header("content-length"), count.to_string(), "{range}");
        assert!(reply.body == bytes(first, count), "{range}");
    }
}

#[tokio::test]
async fn without_a_validator_the_bytes_before_the_break_decide() {
    let whole = bytes(0, 800_000);
    let cut = answer("200 OK\nContent-Length: 800000", &whole[..700_000]);
    // The last block that was remembered.
    let first = 512 * 1024;
    let head =
        format!("206 Partial Content\nContent-Range: bytes {first}-799999/800000\nContent-Length: {}", 800_000 - first);
    let origin = Scripted::new(vec![cut.clone(), answer(&head, &whole[first..])]).await;
    let reply = origin.get(&[]).await;
    assert!(reply.whole && reply.body == whole);
    assert!(origin.heads()[1].contains("range: bytes=524288-799999"), "{}", origin.heads()[1]);

    let mut other = whole[first..].to_vec();
    other[65_535] ^= 1;
    let origin = Scripted::new(vec![cut, answer(&head, &other)]).await;
    let reply = origin.get(&[]).await;
    assert!(!reply.whole && reply.body == whole[..700_000]);
}

#[tokio::test]
async fn behind_a_fresh_link_the_bytes_decide_and_not_what_the_copy_is_called() {
    let whole = bytes(0, 800_000);
    let cut = answer("200 OK\nContent-Length: 800000\nETag: \"v1\"", &whole[..700_000]);
    let part = |first: usize, film: &[u8]| {
        let (from, left) = (format!("bytes {first}-799999/800000"), 800_000 - first);
        answer(
            &format!("206 Partial Content\nETag: \"v2\"\nContent-Range: {from}\nContent-Length: {left}"),
            &film[first..],
        )
    };
    let mut other = whole.clone();
    other[550_000] ^= 1;
    for (film, goes_on) in [(&whole, true), (&other, false)] {
        let answers = vec![cut.clone(), part(700_000, film), part(700_000, film), part(524_288, film)];
        let origin = Scripted::new(answers).await;
        let reply = origin.get(&[]).await;
        assert!(reply.whole == goes_on && reply.body == whole[..if goes_on { 800_000 } else { 700_000 }]);
        let asked: Vec<_> = origin.heads().iter().map(|head| head.contains("range: bytes=524288-799999")).collect();
        assert_eq!(
            asked[..4],
            [false, false, false, true],
            "first the link at hand, then the fresh one, then its bytes"
        );
    }
}

#[tokio::test]
async fn another_version_is_not_appended_to_less_than_its_bytes_can_prove() {
    let whole = bytes(0, 300_000);
    let cut = answer("200 OK\nContent-Length: 300000\nETag: \"v1\"", &whole[..60_000]);
    let head = "206 Partial Content\nETag: \"v2\"\nContent-Range: bytes 60000-299999/300000\nContent-Length: 240000";
    let mut answers = vec![answer(head, &whole[60_000..]); 6];
    answers[0] = cut;
    let reply = Scripted::new(answers).await.get(&[]).await;
    assert!(!reply.whole && reply.body == whole[..60_000]);
}

/// Another link each time a fresh one is wanted.
struct ChangingLink(String, AtomicU32);

#[async_trait]
impl Origin for ChangingLink {
    async fn link(&self, fresh: bool) -> Result<Link, OriginError> {
        let number = self.1.fetch_add(u32::from(fresh), Ordering::SeqCst) + u32::from(fresh);
        Ok(Link::lasting(Secret::new(format!("{}&n={number}", self.0))))
    }
}

#[tokio::test]
async fn behind_another_link_fewer_bytes_prove_no_film_without_a_validator() {
    let (film_before, other) = (bytes(0, 300_000), bytes(7, 300_000));
    for (sent, same_link, goes_on) in [(60_000, false, false), (60_000, true, true), (0, false, true)] {
        let cut = answer("200 OK\nContent-Length: 300000", &film_before[..sent]);
        let rest = if goes_on && sent > 0 { &film_before } else { &other };
        let part = answer("206 Partial Content\nContent-Range: bytes 0-299999/300000", rest);
        let gone = answer("503 Service Unavailable\nContent-Length: 0", b"");
        let origin = Scripted::new(vec![cut, gone, part]).await;
        let link: Arc<dyn Origin> = match same_link {
            true => Arc::new(FixedLink(origin.url.clone())),
            false => Arc::new(ChangingLink(origin.url.clone(), AtomicU32::new(0))),
        };
        let (address, _stop) = listen(Relay::new(quick()), film(link)).await;
        let reply = ask(address, &Method::GET, &[]).await;
        assert_eq!((reply.whole, origin.heads().len()), (goes_on, if goes_on { 3 } else { 2 }), "{sent} {same_link}");
        assert!(reply.body == rest[..reply.body.len()] || !goes_on && reply.body == film_before[..sent]);
    }
}

#[tokio::test]
async fn a_part_of_another_version_is_not_joined_to_what_the_player_has() {
    let other = answer("206 Partial Content\nETag: \"v2\"\nContent-Range: bytes 4-9/10", &bytes(4, 6));
    let whole = answer("200 OK\nETag: \"v2\"\nContent-Length: 10", &bytes(0, 10));
    let asked = [("range", "bytes=4-"), ("if-range", "\"v1\"")];
    let origin = Scripted::new(vec![other.clone(), whole]).await;
    let reply = origin.get(&asked).await;
    assert_eq!((reply.status, reply.header("etag"), reply.whole), (200, "\"v2\"", true));
    assert!(reply.body == bytes(0, 10));
    let second = origin.heads()[1].clone();
    assert!(!second.contains("range:"), "{second}");
    let unquoted = answer("206 Partial Content\nETag: v1\nLast-Modified: x\nContent-Range: bytes 4-9/10", &bytes(4, 6));
    assert_eq!(Scripted::new(vec![unquoted]).await.get(&[asked[0], ("if-range", "v1")]).await.status, 206);
    let origin = Scripted::new(vec![other]).await;
    assert_eq!(origin.get(&[asked[0], ("if-range", "\"v2\"")]).await.status, 206);
}

#[tokio::test]
async fn only_headers_that_belong_go_each_way() {
    let head = "200 OK\nContent-Length: 3\nContent-Type: video/mp4\nSet-Cookie: store=1\nServer: store/1\nVia: 1.1 store\n\
                Connection: X-Hop, keep-alive\nX-Hop: 1\nKeep-Alive: timeout=5\nX-Account: someone\nAlt-Svc: h3=\":443\"\n\
                Content-Security-Policy: x\nStrict-Transport-Security: max-age=1\nAccess-Control-Allow-Origin: store";
    let origin = Scripted::new(vec![answer(head, b"abc")]).await;
    let reply = origin
        .get(&[
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("proxy-authorization", "Basic eDp5"),
            ("authorization", "Basic eDp5"),
            ("cookie", "viewer=1"),
            ("forwarded", "for=192.0.2.1"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-real-ip", "192.0.2.1"),
            ("cf-connecting-ip", "192.0.2.1"),
            ("via", "1.1 home"),
            ("origin", "https://viewer.example"),
            ("referer", "https://viewer.example/"),
            ("x-stremthru-authorization", "Basic eDp5"),
        ])
        .await;
    let mut names: Vec<_> = reply.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let ours = ["access-control-allow-origin", "access-control-expose-headers", "cache-control", "content-disposition"];
    let all: Vec<_> =
        ours.into_iter().chain(["content-length", "content-type", "date", "x-content-type-options"]).collect();
    assert_eq!((names, reply.header("access-control-allow-origin")), (all, "*"));
    let sent = origin.heads()[0].clone();
    let mut fields: Vec<_> = sent.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0)).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["accept", "accept-encoding", "host", "user-agent"]);
}

#[tokio::test]
async fn a_part_whose_chunks_end_early_is_gone_on_with() {
    let head = "206 Partial Content\nContent-Range: bytes 0-9/10\nETag: \"v1\"\nTransfer-Encoding: chunked";
    let early = answer(head, &[b"4\r\n", &bytes(0, 4)[..], b"\r\n0\r\n\r\n"].concat());
    let rest = answer("206 Partial Content\nContent-Range: bytes 4-9/10\nETag: \"v1\"", &bytes(4, 6));
    let origin = Scripted::new(vec![early, rest]).await;
    let reply = origin.get(&[("range", "bytes=0-")]).await;
    assert_eq!((reply.status, reply.header("content-length"), reply.whole), (206, "10", true));
    assert!(reply.body == bytes(0, 10));
}

#[tokio::test]
async fn a_film_of_another_length_is_not_appended() {
    let whole = bytes(0, 1_000);
    let cut = answer("200 OK\nContent-Length: 1000\nETag: \"v1\"", &whole[..400]);
    let longer = answer("206 Partial Content\nContent-Range: bytes 400-999/1001\nETag: \"v1\"", &whole[400..]);
    let origin = Scripted::new(vec![cut, longer]).await;
    let reply = origin.get(&[]).await;
    assert!(!reply.whole && reply.body == whole[..400]);
}

#[tokio::test]
async fn the_right_film_is_looked_for_behind_a_fresh_link_when_the_first_leads_to_another() {
    let whole = bytes(0, 300_000);
    let cut = answer("200 OK\nContent-Length: 300000\nETag: \"v1\"", &whole[..200_000]);
    let other =
        answer("206 Partial Content\nContent-Range: bytes 200000-299999/300001\nETag: \"v1\"", &whole[200_000..]);
    let right =
        answer("206 Partial Content\nContent-Range: bytes 200000-299999/300000\nETag: \"v1\"", &whole[200_000..]);
    let reply = Scripted::new(vec![cut, other, right]).await.get(&[]).await;
    assert!(reply.whole && reply.body == whole);
}

#[tokio::test]
async fn an_origin_that_gives_less_than_it_is_asked_for_is_asked_for_the_rest() {
    let whole = bytes(0, 300_000);
    let mut answers = vec![answer("200 OK\nContent-Length: 300000\nETag: \"v1\"", &whole[..100_000])];
    for first in [100_000, 200_000] {
        let last = first + 99_999;
        let head = format!("206 Partial Content\nContent-Range: bytes {first}-{last}/300000\nETag: \"v1\"");
        answers.push(answer(&format!("{head}\nContent-Length: 100000"), &whole[first..=last]));
    }
    let origin = Scripted::new(answers).await;
    let reply = origin.get(&[]).await;
    assert!(reply.whole && reply.body == whole);
    assert!(origin.heads()[2].contains("range: bytes=200000-299999"), "{}", origin.heads()[2]);
}

#[tokio::test]
async fn a_player_of_http_1_0_sees_that_a_film_of_unknown_length_broke() {
    let head = "200 OK\nTransfer-Encoding: chunked";
    for (body, whole) in [("3\r\nabc\r\n0\r\n\r\n", true), ("3\r\nabc\r\n", false)] {
        let origin = Scripted::new(vec![answer(head, body.as_bytes())]).await;
        let mut tcp = TcpStream::connect(origin.address).await.unwrap();
        tcp.write_all(b"GET /film HTTP/1.0\r\n\r\n").await.unwrap();
        let read = tcp.read_to_end(&mut Vec::new()).await;
        assert_eq!(read.is_ok(), whole, "{read:?}");
    }
}

#[tokio::test]
async fn conditions_reach_the_origin_and_its_verdict_the_player() {
    let not_modified = answer("304 Not Modified\nETag: \"v1\"", b"");
    let origin = Scripted::new(vec![not_modified, answer("412 Precondition Failed\nContent-Length: 0", b"")]).await;
    let reply =
        origin.get(&[("if-none-match", "\"v1\""), ("if-modified-since", "Mon, 04 May 2026 10:11:12 GMT")]).await;
    assert_eq!((reply.status, reply.header("etag"), reply.body.len()), (304, "\"v1\"", 0));
    assert_eq!(origin.get(&[("if-match", "\"v2\"")]).await.status, 412);
    let heads = origin.heads();
    assert!(heads[0].contains("if-none-match: \"v1\"") && heads[0].contains("if-modified-since: Mon"), "{}", heads[0]);
    assert!(heads[1].contains("if-match: \"v2\""), "{}", heads[1]);
}

#[tokio::test]
async fn redirects_are_followed_three_times_as_they_are_written_and_only_to_http() {
    let film = answer("200 OK\nContent-Length: 3", b"abc");
    let away = answer("302 Found\nLocation: ../b?token=u\nContent-Length: 0", b"");
    let origin = Scripted::new(vec![away.clone(), away.clone(), away.clone(), film]).await;
    let reply = origin.get(&[]).await;
    assert_eq!((reply.status, reply.text()), (200, "abc"));
    assert!(origin.heads()[1].starts_with("GET /b?token=u HTTP/1.1"), "{}", origin.heads()[1]);
    assert!(reply.headers.get("location").is_none() && origin.url.contains("/a/film"));

    let origin = Scripted::new(vec![away; 8]).await;
    assert_eq!(origin.get(&[]).await.text(), "LinkBroken");
    assert_eq!(origin.heads().len(), 8, "four requests for the link and four for the fresh one");

    let raw = answer("302 Found\nLocation: ../b/Amélie 1.mkv?q=é\nContent-Length: 0", b"");
    let origin = Scripted::new(vec![raw, answer("200 OK\nContent-Length: 3", b"abc")]).await;
    assert_eq!(origin.get(&[]).await.text(), "abc");
    let second = &origin.heads()[1];
    assert!(second.starts_with("GET /b/Am%C3%A9lie%201.mkv?q=%C3%A9 HTTP/1.1"), "{second}");

    let file = answer("302 Found\nLocation: file:///etc/passwd\nContent-Length: 0", b"");
    let origin = Scripted::new(vec![file.clone(), file]).await;
    assert_eq!(origin.get(&[]).await.text(), "LinkBroken");
}

#[tokio::test]
async fn a_head_that_the_origin_refuses_is_answered_from_a_get() {
    for status in ["403 Forbidden", "405 Method Not Allowed", "501 Not Implemented"] {
        let refused = answer(&format!("{status}\nContent-Length: 0"), b"");
        let film = answer("200 OK\nContent-Length: 1000\nETag: \"v1\"", &bytes(0, 1_000));
        let origin = Scripted::new(vec![refused, film]).await;
        let reply = ask(origin.address, &Method::HEAD, &[]).await;
        assert_eq!((reply.status, reply.header("content-length"), reply.body.len()), (200, "1000", 0), "{status}");
        assert!(origin.heads()[0].starts_with("HEAD ") && origin.heads()[1].starts_with("GET "), "{status}");
    }
}

#[tokio::test]
async fn an_empty_film_is_empty() {
    let origin = Scripted::new(vec![answer("200 OK\nContent-Length: 0", b"")]).await;
    let reply = origin.get(&[]).await;
    assert_eq!((reply.status, reply.header("content-length"), reply.whole), (200, "0", true));
}

#[tokio::test]
async fn an_origin_that_is_not_there_or_speaks_no_http_is_told_as_it_is() {
    // Bound, so that no other test gets it, and nobody listens.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = nobody.local_addr().unwrap().port();
    let origin = Scripted::new(vec![b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(); 4]).await;
    assert_eq!(origin.get(&[]).await.text(), "Unreachable");
    // The TLS client is complete without a provider installed for the process.
    let tls = Scripted::new(vec![b"not TLS".to_vec(); 2]).await;
    for (link, told) in [
        (format!("http://127.0.0.1:{port}/film"), "Unreachable"),
        (tls.url.replace("http:", "https:"), "Unreachable"),
        ("ftp://127.0.0.1/film".to_owned(), "LinkBroken"),
        ("film".to_owned(), "LinkBroken"),
    ] {
        let (address, _stop) = listen(Relay::new(quick()), film(Arc::new(FixedLink(link.clone())))).await;
        assert_eq!(ask(address, &Method::GET, &[]).await.text(), told, "{link}");
    }
}

/// Notes how often a fresh link is asked for.
struct Counted(String, Arc<Mutex<u32>>);

#[async_trait]
impl Origin for Counted {
    async fn link(&self, fresh: bool) -> Result<Link, OriginError> {
        *self.1.lock().unwrap() += u32::from(fresh);
        Ok(Link::lasting(Secret::new(&*self.0)))
    }
}

#[tokio::test]
async fn a_kept_connection_that_is_closed_in_the_same_moment_is_no_fault_of_the_link() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (url, fresh) = (format!("http://{}/film", listener.local_addr().unwrap()), Arc::default());
    let whole = answer("200 OK\nContent-Length: 1000\nETag: \"v1\"", &bytes(0, 1_000));
    let origin = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        request_head(&mut first).await;
        first.write_all(&whole).await.unwrap();
        // The next request comes on the same connection, and ends with it unheard.
        assert!(request_head(&mut first).await.starts_with("GET "));
        drop(first);
        let (mut second, _) = listener.accept().await.unwrap();
        request_head(&mut second).await;
        second.write_all(&whole).await.unwrap();
    });
    let film = film(Arc::new(Counted(url, Arc::clone(&fresh))));
    let (address, _stop) = listen(Relay::new(quick()), film).await;
    for _ in 0..2 {
        let reply = ask(address, &Method::GET, &[]).await;
        assert_eq!((reply.status, reply.whole, reply.body), (200, true, bytes(0, 1_000)));
    }
    origin.await.unwrap();
    assert_eq!(*fresh.lock().unwrap(), 0, "the link was good");
}
