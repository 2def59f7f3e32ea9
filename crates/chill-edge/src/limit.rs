//! How often a viewer and an address may ask: 429 with `Retry-After` for those who ask more often.
//!
//! Counted is what makes work: a manifest, a stream list, a tap. One tap is up to twenty requests of a player for the same
//! click, from several HTTP stacks within seconds; they cost one token together. Range requests of a playback that runs
//! cost nothing: a player may seek as it likes, and its streams are bounded elsewhere. Pages without user data and links
//! that cannot be read are answered from memory and not counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chill_core::Rates;
use chill_core::rate::{Bucket, Scope, Verdict};

use crate::edge::Edge;
use crate::error::ApiError;
use crate::playbacks::PlaybackKey;
use crate::stremio::route::{Ask, Click};
use crate::stremio::start::holder;
use crate::stremio::user_data::UserData;
use crate::viewer::Viewer;

/// Requests of one tap.
const TAP: u32 = 20;
/// A tap is over after this long; what comes later is another one.
const TAP_LIFE: Duration = Duration::from_secs(10);
/// Taps remembered at once.
const TAPS: u64 = 50_000;

/// The counters, and the taps that are going on.
pub(crate) struct Limiter {
    rates: Arc<dyn Rates>,
    /// How many more requests of a tap are paid for.
    taps: moka::future::Cache<PlaybackKey, Arc<AtomicU32>>,
}

impl Limiter {
    pub(crate) fn new(rates: Arc<dyn Rates>) -> Self {
        let taps = moka::future::Cache::builder().max_capacity(TAPS).time_to_live(TAP_LIFE).build();
        Self { rates, taps }
    }

    async fn take(&self, buckets: &[Bucket]) -> Result<(), ApiError> {
        take(&*self.rates, buckets).await
    }

    /// One token for all requests of a tap that come together; a refused tap is asked about anew each time.
    async fn tap(&self, key: PlaybackKey, buckets: &[Bucket]) -> Result<(), ApiError> {
        let paid = async { self.take(buckets).await.map(|()| Arc::new(AtomicU32::new(TAP))) };
        let left = self.taps.try_get_with(key, paid).await.map_err(|error| ApiError::clone(&error))?;
        let used = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if used.is_ok() { Ok(()) } else { self.take(buckets).await }
    }
}

/// Takes a token of each bucket.
///
/// # Errors
/// 429: one is empty.
pub(crate) async fn take(rates: &dyn Rates, buckets: &[Bucket]) -> Result<(), ApiError> {
    match rates.take(buckets).await {
        Verdict::Allowed => Ok(()),
        Verdict::Refused { scope, retry_after } => Err(refused(scope, retry_after)),
    }
}

/// Counts a request.
///
/// # Errors
/// 429: the viewer or his address asks too often.
pub(crate) async fn admit(edge: &Edge, viewer: &Viewer, ask: &Ask) -> Result<(), ApiError> {
    match ask {
        Ask::Manifest(None) => edge.limiter.take(&[of_address(edge, viewer)]).await,
        Ask::Manifest(Some(data)) | Ask::Streams(data, _) => edge.limiter.take(&buckets(edge, viewer, data)).await,
        Ask::Play(data, click) => tap(edge, viewer, data, click).await,
        _ => Ok(()),
    }
}

/// Counts a request that only its address is known of.
///
/// # Errors
/// 429: the address asks too often.
pub(crate) async fn admit_address(edge: &Edge, viewer: &Viewer) -> Result<(), ApiError> {
    edge.limiter.take(&[of_address(edge, viewer)]).await
}

async fn tap(edge: &Edge, viewer: &Viewer, data: &UserData, click: &Click) -> Result<(), ApiError> {
    let key = PlaybackKey { holder: holder(data), device: viewer.device.clone(), click: click.clone() };
    if edge.playbacks.get(&key).is_some() {
        return Ok(());
    }
    Box::pin(edge.limiter.tap(key, &buckets(edge, viewer, data))).await
}

/// The user's buckets first: one who asks too often takes nothing from his neighbours' address. Every right of a link has
/// a bucket, so that adding another right to a link gives no further tokens.
fn buckets(edge: &Edge, viewer: &Viewer, data: &UserData) -> Vec<Bucket> {
    let secret = edge.config.fingerprint.secret.as_ref();
    let mut buckets = Vec::with_capacity(2);
    for entry in &data.stores {
        let link = entry.auth.map(|link| Bucket::link(link, secret));
        let token = entry.token.as_ref().map(|token| Bucket::token(token, secret));
        for bucket in link.into_iter().chain(token) {
            if !buckets.contains(&bucket) {
                buckets.push(bucket);
            }
        }
    }
    buckets.push(of_address(edge, viewer));
    buckets
}

fn of_address(edge: &Edge, viewer: &Viewer) -> Bucket {
    Bucket::address(viewer.address, edge.config.fingerprint.secret.as_ref())
}

fn refused(scope: Scope, retry_after: Duration) -> ApiError {
    metrics::counter!("chillproxy_rate_limited_total", "scope" => scope.as_str()).increment(1);
    let who = match scope {
        Scope::User => "this link",
        Scope::Address => "this address",
        Scope::Edge => "this edge",
    };
    ApiError::too_many(format!("too many requests with {who}; wait a moment and try again"), retry_after)
}
