//! Origins whose connections stay open: what comes beyond an answer is nobody's answer.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::DropGuard;

use super::odd_origins::{FixedLink, answer, bytes};
use super::stage::{ask, film, listen, quick};
use crate::relay::Relay;

type Answers = Arc<Mutex<VecDeque<Vec<u8>>>>;

/// Answers each request with the next of its answers, and never closes a connection.
struct Kept {
    /// On which connection each request came.
    asked: Arc<Mutex<Vec<usize>>>,
    address: SocketAddr,
    _stop: DropGuard,
}

impl Kept {
    async fn new(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/film", listener.local_addr().unwrap());
        let (asked, answers) = (Arc::<Mutex<Vec<usize>>>::default(), Arc::new(Mutex::new(answers.into())));
        let noted = asked.clone();
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((tcp, _)) = listener.accept().await else { return };
                tokio::spawn(serve(tcp, connection, answers.clone(), noted.clone()));
            }
        });
        let (address, stop) = listen(Relay::new(quick()), film(Arc::new(FixedLink(url)))).await;
        Self { asked, address, _stop: stop }
    }
}

async fn serve(mut tcp: TcpStream, connection: usize, answers: Answers, asked: Arc<Mutex<Vec<usize>>>) {
    let mut head = Vec::new();
    while let Ok(byte) = tcp.read_u8().await {
        head.push(byte);
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            asked.lock().unwrap().push(connection);
            let next = answers.lock().unwrap().pop_front().unwrap();
            tcp.write_all(&next).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_comes_beyond_an_answer_is_nobodys_answer() {
    let right = answer("200 OK\nContent-Length: 10", &bytes(0, 10));
    let stray = answer("200 OK\nContent-Length: 10", b"0123456789");
    let chunks = [b"a\r\n", &bytes(0, 10)[..], b"\r\n0\r\n\r\n"].concat();
    let chunked = answer("200 OK\nTransfer-Encoding: chunked", &chunks);
    let tag = ("if-none-match", "\"v1\"");
    for (what, method, headers, first, kept) in [
        ("a body", Method::GET, &[][..], right.clone(), true),
        ("chunks", Method::GET, &[], chunked.clone(), true),
        ("a 304", Method::GET, &[tag], answer("304 Not Modified\nETag: \"v1\"", b""), true),
        ("a head", Method::HEAD, &[], answer("200 OK\nContent-Length: 10", b""), true),
        ("an answer behind a body", Method::GET, &[], [right.clone(), stray.clone()].concat(), false),
        ("an answer behind chunks", Method::GET, &[], [chunked, stray.clone()].concat(), false),
        ("a 304 with a body", Method::GET, &[tag], answer("304 Not Modified\nETag: \"v1\"", &stray), false),
        ("a head with a body", Method::HEAD, &[], answer("200 OK\nContent-Length: 10", b"0123456789"), false),
        (
            "both framings",
            Method::GET,
            &[],
            answer("200 OK\nTransfer-Encoding: chunked\nContent-Length: 10", &chunks),
            false,
        ),
    ] {
        let origin = Kept::new(vec![first, right.clone()]).await;
        assert!(ask(origin.address, &method, headers).await.status < 400, "{what}");
        let second = ask(origin.address, &Method::GET, &[]).await;
        assert!(second.whole && second.body == bytes(0, 10), "{what}: {:?}", second.body);
        assert_eq!(origin.asked.lock().unwrap().as_slice(), [0, usize::from(!kept)], "{what}");
    }
}
