//! How often an address may try: what could be a guess takes a token of it, as a request of the addon does.
//!
//! Counted are links made, and links that do not open. A link that rests on its maker's password is counted before it is
//! looked at: the answer would tell a right guess from a wrong one. Once it has opened it is remembered, so that the range
//! requests of a player cost nothing, and still opened anew each time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chill_core::Rates;
use chill_core::rate::Bucket;
use http::request::Parts;
use moka::future::Cache;
use sha2::{Digest as _, Sha256};

use super::Proxy;
use super::envelope::Failure;
use super::token::{self, Opened};
use crate::limit;
use crate::viewer::Viewer;

/// Links remembered at once, and for how long after their last use.
const REMEMBERED: u64 = 50_000;
const MEMORY: Duration = Duration::from_secs(3_600);

/// SHA-256 of a token: what a link is known by.
pub(super) type TokenDigest = [u8; 32];

/// The digest of a token.
pub(super) fn digest(token: &str) -> TokenDigest {
    Sha256::digest(token.as_bytes()).into()
}

/// The counters, and the links that opened.
pub(super) struct Throttle {
    rates: Arc<dyn Rates>,
    opened: Cache<TokenDigest, ()>,
}

impl Throttle {
    pub(super) fn new(rates: Arc<dyn Rates>) -> Self {
        Self { rates, opened: Cache::builder().max_capacity(REMEMBERED).time_to_idle(MEMORY).build() }
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle").finish_non_exhaustive()
    }
}

/// Counts a request by its address.
pub(super) async fn admit(proxy: &Proxy, parts: &Parts) -> Result<(), Failure> {
    let address = Viewer::of(&proxy.reached, parts).address;
    let bucket = Bucket::address(address, proxy.reached.fingerprint.secret.as_ref());
    let taken = limit::take(&*proxy.throttle.rates, &[bucket]).await;
    taken.map_err(|error| Failure::too_many(error.retry_after.unwrap_or_default()))
}

/// Opens a link's token.
pub(super) async fn open<'a>(
    proxy: &'a Proxy,
    token: &str,
    digest: TokenDigest,
    parts: &Parts,
) -> Result<Opened<'a>, Failure> {
    let links = &proxy.throttle.opened;
    let is_guess = token::rests_on_a_password(token) && links.get(&digest).await.is_none();
    if is_guess {
        admit(proxy, parts).await?;
    }
    let opened = token::open(&proxy.keys, &proxy.users, token, proxy.clock.now());
    match &opened {
        Ok(_) if is_guess => links.insert(digest, ()).await,
        Err(_) if !is_guess => admit(proxy, parts).await?,
        Ok(_) | Err(_) => {}
    }
    Ok(opened?)
}
