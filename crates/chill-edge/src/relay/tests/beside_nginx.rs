//! The relay beside nginx: each request of a table goes to nginx, which has the file, and through the relay to the same
//! nginx. Status, bytes and what a player reads in the head are the same, or the row says what differs and why it may.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use chill_core::Secret;
use chill_sim::content_bytes;
use data_encoding::HEXLOWER;
use http::Method;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::net::{TcpSocket, TcpStream};

use super::stage::{Reply, ask, film, listen, quick};
use crate::relay::{Link, Origin, OriginError, Relay, RelayConfig};

const SIZE: usize = 100_000;
/// When the file was changed last: Thu, 01 Jan 2026 00:00:00 GMT.
const CHANGED: u64 = 1_767_225_600;
const DATE: &str = "Thu, 01 Jan 2026 00:00:00 GMT";
const LATER: &str = "Fri, 02 Jan 2026 00:00:00 GMT";
const EARLIER: &str = "Wed, 31 Dec 2025 00:00:00 GMT";
/// Stands for the file's entity tag, which nginx makes.
const TAG: &str = "<tag>";

/// What a player reads in the head of an answer that carries the film.
const TELLING: [&str; 5] = ["content-length", "content-range", "accept-ranges", "etag", "last-modified"];

/// The relay answers with another status than nginx, both as RFC 9110 allows.
struct Differs {
    nginx: u16,
    relay: u16,
    why: &'static str,
}

const fn differs(nginx: u16, relay: u16, why: &'static str) -> Option<Differs> {
    Some(Differs { nginx, relay, why })
}

type Row = (&'static [(&'static str, &'static str)], Option<Differs>);

const SEVERAL: &str =
    "several ranges may be answered whole (§14.2); no player asks for them, and parts cannot be resumed";
const IGNORED: &str = "a range that is none may be ignored or refused (§14.2); a player gets further with the film";
const FORGIVEN: &str = "spaces are not in the grammar (§14.1.1), and what is meant is clear";
const BEYOND: &str = "an end beyond the film means its end, however large the number is (§14.1.2)";

/// Single ranges, conditions, and everything that goes wrong with them.
const TABLE: &[Row] = &[
    (&[], None),
    (&[("range", "bytes=0-0")], None),
    (&[("range", "bytes=0-499")], None),
    (&[("range", "bytes=500-999")], None),
    (&[("range", "bytes=0-")], None),
    (&[("range", "bytes=99999-")], None),
    (&[("range", "bytes=99000-100000")], None),
    (&[("range", "bytes=0-99999")], None),
    (&[("range", "BYTES=7-8")], None),
    (&[("range", "bytes=007-008")], None),
    (&[("range", "bytes= 7-8 ")], None),
    (&[("range", "bytes = 7 - 8")], differs(200, 206, FORGIVEN)),
    (&[("range", "bytes=-1")], None),
    (&[("range", "bytes=-500")], None),
    (&[("range", "bytes=-100000")], None),
    (&[("range", "bytes=-100001")], None),
    (&[("range", "bytes=-0")], None),
    (&[("range", "bytes=100000-")], None),
    (&[("range", "bytes=100000-100001")], None),
    (&[("range", "bytes=9223372036854775807-")], None),
    (&[("range", "bytes=9223372036854775808-")], None),
    (&[("range", "bytes=18446744073709551615-")], None),
    (&[("range", "bytes=18446744073709551616-")], None),
    (&[("range", "bytes=99990-9223372036854775807")], None),
    (&[("range", "bytes=99990-9223372036854775808")], differs(416, 206, BEYOND)),
    (&[("range", "bytes=99990-99999999999999999999999")], differs(416, 206, BEYOND)),
    (&[("range", "bytes=-9223372036854775807")], None),
    (&[("range", "bytes=-9223372036854775808")], differs(416, 206, BEYOND)),
    (&[("range", "bytes=0-1,5-6")], differs(206, 200, SEVERAL)),
    (&[("range", "bytes=0-99,50-149")], differs(206, 200, SEVERAL)),
    (&[("range", "bytes=5-6,5-6,5-6")], differs(206, 200, SEVERAL)),
    (&[("range", "bytes=-1,0-0")], differs(206, 200, SEVERAL)),
    (&[("range", "bytes=0-99999,0-99999")], None),
    (&[("range", "bytes=0-1,200000-")], differs(206, 200, SEVERAL)),
    (&[("range", "bytes=200000-,300000-")], differs(416, 200, SEVERAL)),
    (&[("range", "bytes=5-1")], differs(416, 200, IGNORED)),
    (&[("range", "bytes=")], None),
    (&[("range", "bytes=-")], differs(416, 200, IGNORED)),
    (&[("range", "bytes=--1")], differs(416, 200, IGNORED)),
    (&[("range", "bytes=a-b")], differs(416, 200, IGNORED)),
    (&[("range", "bytes=1-2x")], differs(416, 200, IGNORED)),
    (&[("range", "bytes=+1-2")], differs(416, 200, IGNORED)),
    (&[("range", "bytes=0x1-2")], differs(416, 200, IGNORED)),
    (&[("range", "bytes")], None),
    (&[("range", "lines=1-2")], None),
    (&[("range", "none")], None),
    (&[("range", "bytes=1-2"), ("if-range", TAG)], None),
    (&[("range", "bytes=1-2"), ("if-range", "\"another\"")], None),
    (&[("range", "bytes=1-2"), ("if-range", "W/<tag>")], None),
    (&[("range", "bytes=1-2"), ("if-range", DATE)], None),
    (&[("range", "bytes=1-2"), ("if-range", EARLIER)], None),
    (&[("range", "bytes=1-2"), ("if-range", LATER)], None),
    (&[("range", "bytes=1-2"), ("if-range", "nonsense")], None),
    (&[("range", "bytes=200000-"), ("if-range", TAG)], None),
    (&[("range", "bytes=200000-"), ("if-range", "\"another\"")], None),
    (&[("if-range", TAG)], None),
    (&[("if-none-match", TAG)], None),
    (&[("if-none-match", "W/<tag>")], None),
    (&[("if-none-match", "\"a\", <tag>")], None),
    (&[("if-none-match", "*")], None),
    (&[("if-none-match", "\"another\"")], None),
    (&[("if-none-match", TAG), ("range", "bytes=1-2")], None),
    (&[("if-none-match", "\"another\""), ("range", "bytes=1-2")], None),
    (&[("if-none-match", "\"another\""), ("if-modified-since", DATE)], None),
    (&[("if-modified-since", DATE)], None),
    (&[("if-modified-since", EARLIER)], None),
    (&[("if-modified-since", LATER)], None),
    (&[("if-modified-since", "nonsense")], None),
    (&[("if-modified-since", DATE), ("range", "bytes=1-2")], None),
    (&[("if-match", TAG)], None),
    (&[("if-match", "*")], None),
    (&[("if-match", "\"another\"")], None),
    (&[("if-match", "\"another\""), ("range", "bytes=1-2")], None),
    (&[("if-match", TAG), ("range", "bytes=1-2")], None),
    (&[("if-unmodified-since", DATE)], None),
    (&[("if-unmodified-since", LATER)], None),
    (&[("if-unmodified-since", EARLIER)], None),
    (&[("if-unmodified-since", EARLIER), ("range", "bytes=1-2")], None),
];

/// nginx with one file; ends with the test.
struct Nginx {
    running: Child,
    address: SocketAddr,
    /// Bound and not listened at: nobody else gets the port, and nginx may listen there.
    _held: TcpSocket,
    _directory: TempDir,
}

impl Nginx {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("film.mkv");
        fs::write(&path, content_bytes(1, 0, SIZE)).unwrap();
        let changed = UNIX_EPOCH + Duration::from_secs(CHANGED);
        File::options().write(true).open(&path).unwrap().set_modified(changed).unwrap();
        let held = TcpSocket::new_v4().unwrap();
        held.set_reuseaddr(true).unwrap();
        held.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = held.local_addr().unwrap();
        fs::write(directory.path().join("nginx.conf"), configuration(directory.path(), address.port())).unwrap();
        let system = Path::new("/usr/sbin/nginx");
        let mut nginx = Command::new(if system.exists() { system } else { Path::new("nginx") });
        nginx.arg("-p").arg(directory.path()).args(["-e", "stderr", "-c", "nginx.conf"]).stdin(Stdio::null());
        let running =
            nginx.spawn().expect("nginx is missing: `cargo xtask test` installs it, or `apt-get install nginx`");
        let nginx = Self { running, address, _held: held, _directory: directory };
        nginx.listens().await;
        nginx
    }

    async fn listens(&self) {
        let reached = async {
            while TcpStream::connect(self.address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), reached).await.expect("nginx does not listen");
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // One process serves, so no worker is left behind.
        let _gone_already = self.running.kill();
        let _ended = self.running.wait();
    }
}

fn configuration(directory: &Path, port: u16) -> String {
    let directory = directory.display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|of| format!("{of}_temp_path {directory}/{of};")).join(" ");
    format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr crit; events {{ }}
         http {{ {temporary} access_log off; types {{ video/x-matroska mkv; }} default_type video/x-matroska;
                 server {{ listen 127.0.0.1:{port}; root {directory};
                           location / {{ try_files /film.mkv =404; }} }} }}"
    )
}

/// A link to what nginx has.
struct At(String);

#[async_trait]
impl Origin for At {
    async fn link(&self, _fresh: bool) -> Result<Link, OriginError> {
        Ok(Link::lasting(Secret::new(&self.0)))
    }
}

/// Both answers to a request.
struct Beside {
    nginx: SocketAddr,
    relay: SocketAddr,
    tag: String,
}

impl Beside {
    async fn ask(&self, method: &Method, headers: &[(&str, &str)]) -> (Reply, Reply) {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.replace(TAG, &self.tag))).collect();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        (ask(self.nginx, method, &headers).await, ask(self.relay, method, &headers).await)
    }

    /// What is wrong with the answers to a row; nothing is right.
    async fn faults(&self, method: &Method, (headers, differs): &Row) -> Vec<String> {
        let (nginx, relay) = self.ask(method, headers).await;
        let expected = differs.as_ref().map_or((nginx.status, nginx.status), |differs| (differs.nginx, differs.relay));
        let why = differs.as_ref().map_or("as nginx", |differs| differs.why);
        let mut faults = Vec::new();
        let mut compare = |what: &str, got: &str, wanted: &str| {
            if got != wanted {
                faults.push(format!("{method} {headers:?}: {what} is {got:?}, not {wanted:?} ({why})"));
            }
        };
        compare("nginx's status", &nginx.status.to_string(), &expected.0.to_string());
        compare("the status", &relay.status.to_string(), &expected.1.to_string());
        let body = match (method == Method::HEAD, relay.status) {
            (false, 200) => content_bytes(1, 0, SIZE),
            (false, 206) => span(relay.header("content-range")),
            // nginx puts a page beside its refusals.
            _ => Vec::new(),
        };
        compare("the body's sum", &sum(&relay), &sum_of(&body, true));
        if differs.is_none() {
            if matches!(nginx.status, 200 | 206) {
                compare("the body's sum beside nginx's", &sum(&relay), &sum(&nginx));
            }
            for name in TELLING.into_iter().filter(|name| tells(nginx.status, name)) {
                compare(name, relay.header(name), nginx.header(name));
            }
        }
        faults
    }
}

fn sum(reply: &Reply) -> String {
    sum_of(&reply.body, reply.whole)
}

fn sum_of(body: &[u8], whole: bool) -> String {
    format!("{} bytes, whole {whole}, {}", body.len(), HEXLOWER.encode(&Sha256::digest(body)))
}

/// Whether a header of an answer with this status is about the film.
fn tells(status: u16, name: &str) -> bool {
    match status {
        200 => true,
        // nginx leaves out of a part that it takes ranges; the relay always says so.
        206 => name != "accept-ranges",
        304 => matches!(name, "etag" | "last-modified"),
        416 => name == "content-range",
        _ => false,
    }
}

/// The bytes that `bytes first-last/size` names.
fn span(content_range: &str) -> Vec<u8> {
    let span = chill_core::range::Span::parse(content_range).unwrap();
    content_bytes(1, span.first, usize::try_from(span.count()).unwrap())
}

async fn beside(nginx: &Nginx, plain: bool) -> (Beside, tokio_util::sync::DropGuard) {
    let link = format!("http://{}/film.mkv", nginx.address);
    let (relay, stop) = listen(Relay::new(RelayConfig { plain, ..quick() }), film(Arc::new(At(link)))).await;
    let tag = ask(nginx.address, &Method::GET, &[]).await.header("etag").to_owned();
    assert!(tag.starts_with('"'), "nginx has strong tags: {tag}");
    (Beside { nginx: nginx.address, relay, tag }, stop)
}

async fn table_holds(method: &Method) {
    let nginx = Nginx::start().await;
    let mut faults = Vec::new();
    // Our own client, and hyper's in its place.
    for plain in [false, true] {
        let (beside, _stop) = beside(&nginx, plain).await;
        for row in TABLE {
            faults.extend(beside.faults(method, row).await);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn every_request_is_answered_as_nginx_answers_it_or_as_the_table_says() {
    table_holds(&Method::GET).await;
}

#[tokio::test]
async fn the_same_holds_for_head() {
    table_holds(&Method::HEAD).await;
}
