//! Who may call: edges that present one of the configured bearer keys.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chill_core::rate::{Bucket, Verdict};
use chill_core::{Rates, Secret};
use http::header::{AUTHORIZATION, HeaderName};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::Api;
use super::answer::Refusal;
use crate::Actor;

/// The header in which an edge calls itself something, so that edges with one key are counted apart.
pub(crate) const EDGE: HeaderName = HeaderName::from_static("x-chillproxy-edge");

/// The bearer keys edges may present, as digests. An empty set lets nobody in.
#[derive(Clone, Default)]
pub struct InternalKeys {
    digests: Arc<[[u8; 32]]>,
    /// Where `get-key` calls are counted; none: nowhere.
    rates: Option<Arc<dyn Rates>>,
}

/// A key that could be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an internal API key must have at least 32 characters, several are separated by commas; `openssl rand -hex 32` makes one"
)]
pub struct InvalidInternalKey;

impl InternalKeys {
    const SHORTEST: usize = 32;
    const MOST: usize = 32;

    /// Reads keys separated by commas; an empty text is no key.
    ///
    /// # Errors
    /// [`InvalidInternalKey`].
    pub fn parse(text: &Secret) -> Result<Self, InvalidInternalKey> {
        let keys: Vec<_> = text.expose().split(',').map(str::trim).filter(|key| !key.is_empty()).collect();
        if keys.len() > Self::MOST || keys.iter().any(|key| key.len() < Self::SHORTEST) {
            return Err(InvalidInternalKey);
        }
        let digests = keys.into_iter().map(|key| Sha256::digest(key.as_bytes()).into()).collect();
        Ok(Self { digests, rates: None })
    }

    /// Counts `get-key` calls of each edge with a key, as the scope [`chill_core::rate::Scope::Edge`].
    #[must_use]
    pub fn counted_by(self, rates: Arc<dyn Rates>) -> Self {
        Self { rates: Some(rates), ..self }
    }

    /// Which key it is. Every key is compared in full, whatever the first bytes say.
    fn caller(&self, presented: &str) -> Option<usize> {
        let digest: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
        let matches: Vec<Choice> = self.digests.iter().map(|known| known.ct_eq(&digest)).collect();
        matches.into_iter().position(bool::from)
    }

    /// How long this caller must wait before the next `get-key`; none when he need not.
    pub(super) async fn wait(&self, caller: &CallerId) -> Option<Duration> {
        let (rates, digest) = (self.rates.as_ref()?, self.digests.get(caller.key)?);
        match rates.take(&[Bucket::edge(digest, caller.edge.as_deref())]).await {
            Verdict::Allowed => None,
            Verdict::Refused { scope, retry_after } => {
                metrics::counter!("chillproxy_rate_limited_total", "scope" => scope.as_str()).increment(1);
                Some(retry_after)
            }
        }
    }
}

impl fmt::Debug for InternalKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InternalKeys({})", self.digests.len())
    }
}

/// Which of the keys a request presented, and what the edge calls itself.
#[derive(Clone)]
pub(super) struct CallerId {
    key: usize,
    edge: Option<Arc<str>>,
}

/// Lets a request through that presents a key, before anything of its body is read.
pub(super) async fn check(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let bearer = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match bearer.and_then(|(_, key)| api.keys.caller(key.trim())) {
        Some(key) => {
            let actor = actor(&request);
            let edge = request.headers().get(EDGE).and_then(|value| value.to_str().ok()).map(Arc::from);
            request.extensions_mut().insert(CallerId { key, edge });
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        None => Refusal::Forbidden.into_response(),
    }
}

/// The edge by the address it calls from, for the audit trail.
fn actor(request: &Request) -> Actor {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let from = peer.map_or_else(|| "unknown".to_owned(), |ConnectInfo(peer)| peer.ip().to_canonical().to_string());
    Actor::new("internal_api", from)
}
