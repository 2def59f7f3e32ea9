//! Files that are no films, as their servers have them.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::stage::{Reply, Stage};

/// A server that answers each connection with the same head and body.
struct Told {
    url: String,
    /// Ends one connection with a reset; without it they end by themselves.
    reset: Option<mpsc::Sender<()>>,
}

impl Told {
    async fn new(head: &str, body: &[u8]) -> Self {
        let answer = [format!("HTTP/1.1 {}\r\n\r\n", head.replace('\n', "\r\n")).as_bytes(), body].concat();
        Self { url: listen(answer, None).await, reset: None }
    }

    async fn until_reset(head: &str, body: &[u8]) -> Self {
        let (reset, due) = mpsc::channel(1);
        let answer = [format!("HTTP/1.1 {}\r\n\r\n", head.replace('\n', "\r\n")).as_bytes(), body].concat();
        Self { url: listen(answer, Some(due)).await, reset: Some(reset) }
    }

    async fn asked(&self, stage: &Stage, method: &str) -> Reply {
        let link = stage.link(&self.url, "").await;
        stage.ask(method, &link, &[], "").await
    }
}

async fn listen(answer: Vec<u8>, mut due: Option<mpsc::Receiver<()>>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/file.mkv", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            heard(&mut tcp).await;
            tcp.write_all(&answer).await.unwrap();
            match &mut due {
                Some(due) => {
                    due.recv().await;
                    tcp.set_zero_linger().unwrap();
                }
                None => tcp.shutdown().await.unwrap(),
            }
        }
    });
    url
}

async fn heard(tcp: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tcp.read_u8().await.unwrap());
    }
}

#[tokio::test]
async fn a_page_comes_as_it_is_and_can_do_nothing_here() {
    let stage = Stage::new().await;
    let page = Told::new(
        "200 OK\nContent-Type: text/html; charset=utf-8\nContent-Encoding: gzip\nContent-Length: 3",
        b"\x1f\x8b!",
    )
    .await;
    for (method, body) in [("GET", &b"\x1f\x8b!"[..]), ("HEAD", b"")] {
        let reply = page.asked(&stage, method).await;
        assert_eq!((reply.status, &reply.body[..], reply.header("content-length")), (200, body, "3"), "{method}");
        assert_eq!(
            (reply.header("content-type"), reply.header("content-encoding")),
            ("text/html; charset=utf-8", "gzip")
        );
        assert_eq!(reply.header("content-security-policy"), "sandbox; default-src 'none'");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn a_file_has_the_type_its_server_says() {
    let stage = Stage::new().await;
    for (kind, told, guarded) in [
        ("application/json", "application/json", true),
        ("application/octet-stream", "application/octet-stream", true),
        ("image/svg+xml", "image/svg+xml", true),
        ("video/mp4; codecs=\"a, b\"", "video/mp4; codecs=\"a, b\"", false),
        // A browser would take the last of several types, and each part of a multipart for a document.
        ("video/mp4, text/html", "video/x-matroska", false),
        ("multipart/x-mixed-replace; boundary=b", "video/x-matroska", false),
    ] {
        let file = Told::new(&format!("200 OK\nContent-Type: {kind}\nContent-Length: 2"), b"{}").await;
        let reply = file.asked(&stage, "GET").await;
        assert_eq!((reply.status, reply.header("content-type"), reply.text()), (200, told, "{}"), "{kind}");
        assert_eq!(reply.headers.contains_key("content-security-policy"), guarded, "{kind}");
    }
}

#[tokio::test]
async fn a_body_that_its_connection_ends_comes_in_chunks() {
    let stage = Stage::new().await;
    for head in ["200 OK\nContent-Type: text/plain", "200 OK\nConnection: close"] {
        let reply = Told::new(head, b"all of it").await.asked(&stage, "GET").await;
        assert_eq!((reply.status, reply.text(), reply.whole), (200, "all of it", true), "{head}");
        assert_eq!((reply.header("transfer-encoding"), reply.headers.get("content-length")), ("chunked", None));
    }
    for coding in ["identity", "gzip", "gzip, chunked"] {
        let coded = Told::new(&format!("200 OK\nTransfer-Encoding: {coding}"), b"x").await;
        assert_eq!(coded.asked(&stage, "GET").await.status, 502, "{coding}");
    }
}

#[tokio::test]
async fn a_body_whose_connection_breaks_does_not_end() {
    let stage = Stage::new().await;
    let file = Told::until_reset("200 OK", b"half").await;
    let link = stage.link(&file.url, "").await;
    let begun = stage.start("GET", &link, &[], "").await;
    assert_eq!(begun.status(), 200);
    file.reset.as_ref().unwrap().send(()).await.unwrap();
    let reply = Reply::read(begun).await;
    assert!(!reply.whole && b"half".starts_with(&reply.body), "{reply:?}");
}

#[tokio::test]
async fn a_server_that_wants_to_be_asked_later_is_quoted() {
    let stage = Stage::new().await;
    for (status, later) in [(429, "120"), (503, "Fri, 31 Dec 2027 23:59:59 GMT"), (503, ""), (404, "")] {
        let told = if later.is_empty() { String::new() } else { format!("\nRetry-After: {later}") };
        let busy = Told::new(&format!("{status} Busy\nContent-Length: 0{told}"), b"").await;
        let reply = busy.asked(&stage, "GET").await;
        assert_eq!(
            (reply.refusal(), reply.header("retry-after")),
            ((status, "the url's server refused".to_owned()), later)
        );
    }
}
