//! Who may call: edges that present one of the configured bearer keys.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chill_core::Secret;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::Api;
use super::answer::Refusal;
use crate::Actor;

/// The bearer keys edges may present, as digests. An empty set lets nobody in.
#[derive(Clone, Default)]
pub struct InternalKeys(Arc<[Caller]>);

struct Caller {
    digest: [u8; 32],
    /// Bounds `get-key` calls of the edges with this key.
    limit: Option<DefaultDirectRateLimiter>,
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
        let caller = |key: &str| Caller { digest: Sha256::digest(key.as_bytes()).into(), limit: None };
        Ok(Self(keys.into_iter().map(caller).collect()))
    }

    /// Bounds `get-key` to so many calls per second and key, with a burst of twice that; 0 is no bound.
    #[must_use]
    pub fn with_rate(self, per_second: u32) -> Self {
        let limit = |rate: NonZeroU32| {
            let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(1));
            RateLimiter::direct(Quota::per_second(rate).allow_burst(burst))
        };
        let caller = |known: &Caller| Caller { digest: known.digest, limit: NonZeroU32::new(per_second).map(limit) };
        Self(self.0.iter().map(caller).collect())
    }

    /// Which key it is. Every key is compared in full, whatever the first bytes say.
    fn caller(&self, presented: &str) -> Option<usize> {
        let digest: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
        let matches: Vec<Choice> = self.0.iter().map(|known| known.digest.ct_eq(&digest)).collect();
        matches.into_iter().position(bool::from)
    }

    /// How long this caller must wait before the next `get-key`; none when he need not.
    pub(super) fn wait(&self, caller: CallerId) -> Option<Duration> {
        let limit = self.0.get(caller.0)?.limit.as_ref()?;
        limit.check().err().map(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }
}

impl fmt::Debug for InternalKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InternalKeys({})", self.0.len())
    }
}

/// Which of the keys a request presented.
#[derive(Clone, Copy)]
pub(super) struct CallerId(usize);

/// Lets a request through that presents a key, before anything of its body is read.
pub(super) async fn check(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let bearer = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match bearer.and_then(|(_, key)| api.keys.caller(key.trim())) {
        Some(caller) => {
            let actor = actor(&request);
            request.extensions_mut().insert(CallerId(caller));
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
