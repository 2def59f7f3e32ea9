//! Lines to origins: HTTP/1.1 as a client, over kept connections.
//!
//! For: reading a film's bytes only when a player has room for them, into a buffer that all films of a thread share. A
//! general client reads ahead of who asks, and keeps a buffer for each of its connections.
//!
//! Refuses: request bodies, upgrades, and every head it is not sure about (RFC 9112 §6.3, §11.2): two answers to one
//! request would be two films in one.
//!
//! Start reading at [`Lines::enter`] and [`Lines::send`]; `head` is what is said first, `framing` where a body ends, `body`
//! the bytes, `tcp` and `sealed` what lies below, `plain` the way around all of this.

mod body;
pub(super) mod doors;
mod framing;
mod head;
mod plain;
mod pool;
mod scratch;
mod sealed;
mod tcp;

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::uri::Scheme;
use http::{HeaderMap, Method, Response, Uri};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt as _;

use super::guard::Guard;
use super::sockets::{Leave, Place};
pub(super) use body::OriginBody;
use head::Head;
pub(super) use plain::Plain;
use pool::Pool;
use sealed::Sealed;
pub(super) use tcp::Tcp;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Read at a time while an answer's head is awaited, in bytes.
const HEAD_READ: usize = 4 * 1024;

/// What a line speaks over.
#[derive(Debug)]
enum Stream {
    Open(Tcp),
    Sealed(Box<Sealed>),
}

/// One connection to an origin, and what was read from it beyond what was wanted.
#[derive(Debug)]
pub(super) struct Line {
    stream: Stream,
    left: Bytes,
}

/// Why a request brought no head.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// Name, TCP or TLS; the reason is in it.
    Connect(BoxError),
    /// The connection ended, or spoke something that is not HTTP.
    Broken,
}

/// Why a line brought no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unanswered {
    /// It ended before a byte of an answer.
    Unheard,
    /// It broke in the middle, or speaks something that is not HTTP.
    Broken,
}

/// What a request may go over.
pub(super) struct Entry {
    place: Place,
    way: Way,
}

enum Way {
    Kept(Line),
    New(Leave),
}

/// Connections to origins, and those that wait for their next request.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    connector: Guard,
    tls: Arc<ClientConfig>,
    pool: Arc<Pool>,
}

impl Lines {
    /// `idle`: how long an unused connection is kept. `most`: how many per origin.
    pub(super) fn new(connector: Guard, mut tls: ClientConfig, idle: Duration, most: usize) -> Self {
        tls.enable_secret_extraction = true;
        Self { connector, tls: Arc::new(tls), pool: Arc::new(Pool::new(idle, most)) }
    }

    /// Waits for a connection to this URL's host, or for the leave to open one: whichever there is first. None when the URL
    /// names no host.
    pub(super) async fn enter(&self, uri: &Uri) -> Option<Entry> {
        let place = Place::of(uri)?;
        let mut leave = pin!(self.connector.leave(uri));
        loop {
            let returned = self.pool.returned();
            if let Some(line) = self.pool.take(&place) {
                return Some(Entry { place, way: Way::Kept(line) });
            }
            tokio::select! {
                biased;
                leave = &mut leave => return Some(Entry { place, way: Way::New(leave) }),
                () = returned => {}
            }
        }
    }

    /// Sends a request without a body, and reads the head of its answer.
    pub(super) async fn send(
        &self,
        entry: Entry,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Response<OriginBody>, NoAnswer> {
        let request = head::request(method, uri, headers).ok_or(NoAnswer::Broken)?;
        let asked = match entry.way {
            Way::Kept(line) => match line.ask(&request, method).await {
                // An origin may close a kept connection while a request is on its way (RFC 9112 §9.3.1); none of ours
                // changes anything there, so it is simply sent again.
                Err(Unanswered::Unheard) => {
                    self.connect(uri, self.connector.leave(uri).await).await?.ask(&request, method).await
                }
                asked => asked,
            },
            Way::New(leave) => self.connect(uri, leave).await?.ask(&request, method).await,
        };
        let (line, Head { parts, framing, keep }) = asked.map_err(|_| NoAnswer::Broken)?;
        let home = keep.then(|| (self.pool.clone(), entry.place));
        Ok(Response::from_parts(parts, OriginBody::new(line, framing, home)))
    }

    async fn connect(&self, uri: &Uri, leave: Leave) -> Result<Line, NoAnswer> {
        let tcp = self.connector.connect(uri, leave).await.map_err(NoAnswer::Connect)?;
        let stream = match uri.scheme() == Some(&Scheme::HTTPS) {
            true => Stream::Sealed(Box::new(self.seal(tcp, uri).await.map_err(NoAnswer::Connect)?)),
            false => Stream::Open(tcp),
        };
        Ok(Line { stream, left: Bytes::new() })
    }

    async fn seal(&self, tcp: Tcp, uri: &Uri) -> Result<Sealed, BoxError> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        sealed::handshake(tcp, self.tls.clone(), ServerName::try_from(host)?.to_owned()).await
    }
}

impl Line {
    /// Sends a request and reads the head of its answer; the body comes from the line that is given back.
    async fn ask(mut self, request: &[u8], method: &Method) -> Result<(Self, Head), Unanswered> {
        self.say(request).await.map_err(|_| Unanswered::Unheard)?;
        let (mut read, mut begun) = (BytesMut::new(), false);
        loop {
            let more = std::future::poll_fn(|cx| self.poll_raw(cx, HEAD_READ)).await.unwrap_or_default();
            if more.is_empty() {
                return Err(if begun { Unanswered::Broken } else { Unanswered::Unheard });
            }
            // Where a line may end that began before.
            let new = read.len().saturating_sub(3);
            read.extend_from_slice(&more);
            begun = true;
            if !head::may_end(&read, new) {
                continue;
            }
            while let Some((head, length)) = head::read(&read, method).map_err(|_| Unanswered::Broken)? {
                let _head = read.split_to(length);
                // 100, 103 and the like announce the answer; an upgrade was not asked for.
                if !head.parts.status.is_informational() {
                    self.left = read.freeze();
                    return Ok((self, head));
                }
            }
        }
    }

    async fn say(&mut self, request: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Open(tcp) => tcp.write_all(request).await,
            Stream::Sealed(sealed) => sealed.say(request).await,
        }
    }

    /// Bytes of the connection, about `most`: what is left, or what can be read now. Empty: it has ended.
    fn poll_raw(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<Bytes>> {
        if !self.left.is_empty() {
            let most = most.min(self.left.len());
            return Poll::Ready(Ok(self.left.split_to(most)));
        }
        scratch::with(|buffer| {
            std::task::ready!(match &mut self.stream {
                Stream::Open(tcp) => {
                    buffer.reserve(most);
                    tokio_util::io::poll_read_buf(Pin::new(tcp), cx, &mut buffer.limit(most))
                }
                Stream::Sealed(sealed) => sealed.poll_read(cx, buffer, most),
            })?;
            Poll::Ready(Ok(buffer.split().freeze()))
        })
    }

    /// Waits until [`Line::poll_raw`] may have something.
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.stream {
            _ if !self.left.is_empty() => Poll::Ready(()),
            Stream::Open(tcp) => tcp.poll_ready(cx),
            Stream::Sealed(sealed) => sealed.poll_ready(cx),
        }
    }

    /// What lies below, when nothing but bytes of the body comes from it next, as they are.
    fn bare(&self) -> Option<&Tcp> {
        match &self.stream {
            Stream::Open(tcp) if self.left.is_empty() => Some(tcp),
            Stream::Open(_) | Stream::Sealed(_) => None,
        }
    }

    /// Bytes that were read too early come first next time.
    fn put_back(&mut self, raw: Bytes) {
        self.left = match self.left.is_empty() {
            true => raw,
            false => [raw, std::mem::take(&mut self.left)].concat().into(),
        };
    }

    /// Whether nothing came since its last answer: anything would be the end, or something that was not asked for.
    fn is_quiet(&self) -> bool {
        let quiet = match &self.stream {
            Stream::Open(tcp) => tcp.is_quiet(),
            Stream::Sealed(sealed) => sealed.is_quiet(),
        };
        self.left.is_empty() && quiet
    }
}
