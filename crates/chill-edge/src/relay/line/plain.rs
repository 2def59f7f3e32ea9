//! hyper's own client in place of ours, over the same connector: the way out when an origin and our client do not get on.
//!
//! It reads ahead of who asks and keeps a buffer for each connection; otherwise a film comes as it does over a line.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body::Body as _;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::super::guard::Guard;
use super::{NoAnswer, OriginBody};

/// What hyper may read ahead of a connection, in bytes.
const AHEAD: usize = 64 * 1024;

/// Connections to origins, kept by hyper.
#[derive(Clone, Debug)]
pub(in crate::relay) struct Plain(Client<HttpsConnector<Guard>, Empty<Bytes>>);

impl Plain {
    /// `idle`: how long an unused connection is kept. `most`: how many per origin.
    pub(in crate::relay) fn new(connector: HttpsConnector<Guard>, idle: Duration, most: usize) -> Self {
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_timer(TokioTimer::new()).pool_idle_timeout(idle).pool_max_idle_per_host(most);
        client.http1_max_buf_size(AHEAD);
        Self(client.build(connector))
    }

    /// As [`Lines::send`](super::Lines::send).
    pub(in crate::relay) async fn send(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Response<OriginBody>, NoAnswer> {
        let mut request = Request::new(Empty::new());
        (*request.method_mut(), *request.uri_mut()) = (method.clone(), uri.clone());
        *request.headers_mut() = headers.clone();
        let response = self.0.request(request).await.map_err(no_answer)?;
        Ok(response.map(|incoming| OriginBody::plain(PlainBody { incoming, left: Bytes::new() })))
    }
}

fn no_answer(error: legacy::Error) -> NoAnswer {
    if error.is_connect() { NoAnswer::Connect(error.into()) } else { NoAnswer::Broken }
}

/// The body of an answer, as hyper read it.
pub(super) struct PlainBody {
    incoming: Incoming,
    left: Bytes,
}

impl PlainBody {
    /// As [`OriginBody::poll_data`].
    pub(super) fn poll_data(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<Option<io::Result<Bytes>>> {
        while self.left.is_empty() {
            match std::task::ready!(Pin::new(&mut self.incoming).poll_frame(cx)) {
                Some(Ok(frame)) => self.left = frame.into_data().unwrap_or_default(),
                Some(Err(_)) => return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
                None => return Poll::Ready(None),
            }
        }
        Poll::Ready(Some(Ok(self.left.split_to(most.max(1).min(self.left.len())))))
    }
}
