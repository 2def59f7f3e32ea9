//! Choices for answers the vendor, or clients of it, describe in more than one way.

use serde::{Deserialize, Serialize};

use crate::fault::RateLimitShape;

/// What a create answers when every slot is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// Success with `queued_id` and no `torrent_id`.
    #[default]
    Queue,
    /// Queued all the same, but told as `success: false` with a detail that says so.
    QueueAsFailure,
    /// HTTP 200, `success: false`, `ACTIVE_LIMIT` with the limit in `data`; nothing queued.
    ActiveLimit,
}

/// What a create answers for a torrent the account already has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicate {
    /// Success with the existing id.
    #[default]
    Existing,
    /// HTTP 400, `DUPLICATE_ITEM`.
    Refused,
    /// HTTP 400, `DIFF_ISSUE`.
    DiffIssue,
}

/// The unit of `x-ratelimit-reset`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateReset {
    /// Seconds to wait.
    #[default]
    Seconds,
    /// A Unix time with a fraction.
    UnixTime,
}

/// How the simulated TorBox answers; the defaults are its documents'.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Behaviour {
    /// Creates beyond the slots.
    pub when_full: WhenFull,
    /// Creates of what is there already.
    pub duplicate: Duplicate,
    /// Status for infringing torrents: 451, or 503.
    pub infringing_status: u16,
    /// Status for a missing or wrong key: 403, or 401.
    pub bad_key_status: u16,
    /// Whether limits carry their code (`ACTIVE_LIMIT`, …) or `error: null` as in the official examples.
    pub limit_codes: bool,
    /// Calls a minute and key.
    pub calls_per_minute: u32,
    /// Creates of uncached content an hour and key.
    pub uncached_creates_per_hour: u32,
    /// Body of a 429.
    pub rate_body: RateLimitShape,
    /// Whether a 429 says `Retry-After`.
    pub retry_after: bool,
    /// Whether creates carry `x-ratelimit-*`.
    pub rate_headers: bool,
    /// Unit of `x-ratelimit-reset`.
    pub rate_reset: RateReset,
    /// A page of the list holds one item more than asked for when there is one.
    pub one_more_than_asked: bool,
    /// A cache check without a hit has `data: null` instead of an empty object or list.
    pub null_when_uncached: bool,
    /// Fields that may be null (`cooldown_until`, `md5`, `files` without metadata) are; the official SDK demands a text or
    /// a list there.
    pub null_fields: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            when_full: WhenFull::Queue,
            duplicate: Duplicate::Existing,
            infringing_status: 451,
            bad_key_status: 403,
            limit_codes: true,
            calls_per_minute: 300,
            uncached_creates_per_hour: 60,
            rate_body: RateLimitShape::Detail,
            retry_after: false,
            rate_headers: true,
            rate_reset: RateReset::Seconds,
            one_more_than_asked: true,
            null_when_uncached: true,
            null_fields: false,
        }
    }
}
