//! Lines to origins: HTTP/1.1 as a client, over kept connections.
//!
//! For: reading a film's bytes only when a player has room for them, into a buffer that all films of a thread share. A
//! general client reads ahead of who asks, and keeps a buffer for each of its connections.
//!
//! Refuses: request bodies, upgrades, and every head it is not sure about (RFC 9112 §6.3, §11.2): two answers to one
//! request would be two films in one.
//!
//! Start reading at [`Lines::send`]; `head` is what is said first, `framing` where a body ends, `body` the bytes, `ahead`
//! what lies below TLS, `plain` the way around all of this.

mod ahead;
mod body;
pub mod doors;
mod framing;
mod head;
mod plain;
mod pool;
mod scratch;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Response, Uri};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWriteExt as _, ReadBuf};
use tower::{Service as _, ServiceExt as _};

use super::guard::Guard;
pub(super) use ahead::Ahead;
pub(super) use body::OriginBody;
use head::Head;
pub(super) use plain::Plain;
use pool::Pool;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Stream = TokioIo<MaybeHttpsStream<TokioIo<Ahead>>>;

/// What a request needs at least of the buffer while its answer's head is awaited, in bytes.
const HEAD_READ: usize = 4 * 1024;

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

/// Connections to origins, and those that wait for their next request.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    connector: HttpsConnector<Guard>,
    pool: Arc<Pool>,
}

impl Lines {
    /// `idle`: how long an unused connection is kept. `most`: how many per origin.
    pub(super) fn new(connector: HttpsConnector<Guard>, idle: Duration, most: usize) -> Self {
        Self { connector, pool: Arc::new(Pool::new(idle, most)) }
    }

    /// Sends a request without a body, and reads the head of its answer.
    pub(super) async fn send(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Response<OriginBody>, NoAnswer> {
        let place = pool::Place::of(uri).ok_or(NoAnswer::Broken)?;
        let request = head::request(method, uri, headers).ok_or(NoAnswer::Broken)?;
        let kept = match self.pool.take(&place) {
            Some(line) => line.ask(&request, method).await,
            None => Err(Unanswered::Unheard),
        };
        let (line, head) = match kept {
            // An origin may close a kept connection while a request is on its way (RFC 9112 §9.3.1); none of ours changes
            // anything there, so it is simply sent again.
            Err(Unanswered::Unheard) => self.connect(uri).await?.ask(&request, method).await,
            asked => asked,
        }
        .map_err(|_| NoAnswer::Broken)?;
        let Head { parts, framing, keep } = head;
        let home = keep.then(|| (self.pool.clone(), place));
        Ok(Response::from_parts(parts, OriginBody::new(line, framing, home)))
    }

    async fn connect(&self, uri: &Uri) -> Result<Line, NoAnswer> {
        let mut connector = self.connector.clone();
        let ready = connector.ready().await.map_err(NoAnswer::Connect)?;
        let stream = ready.call(uri.clone()).await.map_err(NoAnswer::Connect)?;
        Ok(Line { stream: TokioIo::new(stream), left: Bytes::new() })
    }
}

impl Line {
    /// Sends a request and reads the head of its answer; the body comes from the line that is given back.
    async fn ask(mut self, request: &[u8], method: &Method) -> Result<(Self, Head), Unanswered> {
        self.say(request).await.map_err(|_| Unanswered::Unheard)?;
        let (mut read, mut begun) = (BytesMut::new(), false);
        loop {
            read.reserve(HEAD_READ);
            let more = std::future::poll_fn(|cx| self.poll_into(cx, &mut read, HEAD_READ)).await.unwrap_or(0);
            if more == 0 {
                return Err(if begun { Unanswered::Broken } else { Unanswered::Unheard });
            }
            begun = true;
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
        self.stream.write_all(request).await?;
        self.stream.flush().await
    }

    /// Reads once into the buffer, at most so much.
    fn poll_into(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        let mut limited = bytes::BufMut::limit(buffer, most);
        tokio_util::io::poll_read_buf(Pin::new(&mut self.stream), cx, &mut limited)
    }

    /// Bytes of the connection, at most `most`: what is left, or what can be read now. Empty: it has ended.
    fn poll_raw(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<Bytes>> {
        if !self.left.is_empty() {
            let most = most.min(self.left.len());
            return Poll::Ready(Ok(self.left.split_to(most)));
        }
        scratch::with(|buffer| {
            buffer.reserve(most);
            let mut got = 0;
            while got < most {
                self.ahead().wants(most - got);
                match self.poll_into(cx, buffer, most - got) {
                    Poll::Ready(Ok(0)) => break,
                    Poll::Ready(Ok(more)) => got += more,
                    // What is here goes on its way; the next read tells again.
                    Poll::Ready(Err(_)) | Poll::Pending if got > 0 => break,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
                // A record that begins now would mostly have to wait inside of TLS.
                if !self.is_sealed() || most - got < ahead::RECORD {
                    break;
                }
            }
            Poll::Ready(Ok(buffer.split_to(got).freeze()))
        })
    }

    /// Bytes that were read too early come first next time.
    fn put_back(&mut self, raw: Bytes) {
        self.left = match self.left.is_empty() {
            true => raw,
            false => [raw, std::mem::take(&mut self.left)].concat().into(),
        };
    }

    fn is_sealed(&self) -> bool {
        matches!(self.stream.inner(), MaybeHttpsStream::Https(_))
    }

    fn ahead(&mut self) -> &mut Ahead {
        match self.stream.inner_mut() {
            MaybeHttpsStream::Http(tcp) => tcp.inner_mut(),
            MaybeHttpsStream::Https(tls) => tls.inner_mut().get_mut().0.inner_mut().inner_mut(),
        }
    }

    /// Whether nothing came since its last answer: anything would be the end, or something that was not asked for.
    fn is_quiet(&mut self) -> bool {
        let quiet = self.ahead().is_quiet();
        self.left.is_empty() && quiet
    }
}

/// Fills as much as there is without asking twice.
fn copy(from: &mut Bytes, to: &mut ReadBuf<'_>) {
    let some = from.split_to(from.len().min(to.remaining()));
    to.put_slice(&some);
}
