//! What can go wrong at a store, and whether to try again.

use std::time::Duration;

use crate::StoreCode;
use crate::usage::Outcome;

/// A store did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}: {kind}: {message}", .store.name())]
pub struct StoreError {
    /// Who failed.
    pub store: StoreCode,
    /// What went wrong.
    pub kind: StoreErrorKind,
    /// The vendor's own words, bounded and free of keys and URLs; for the log.
    pub message: String,
}

/// The kinds of failure, each with its retry rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreErrorKind {
    /// Bad, missing or rotated key.
    #[error("the key was not accepted")]
    Unauthorized,
    /// Address, country or account blocked.
    #[error("access was forbidden")]
    Forbidden,
    /// The plan lacks the feature, or has run out.
    #[error("the plan does not allow it")]
    PaymentRequired,
    /// Quota, traffic or fair use used up: nothing plays with this account for a while.
    #[error("the account's limit is reached")]
    LimitExceeded,
    /// Slots, hourly or monthly count used up, or a cooldown: nothing new is fetched; what the store has still plays.
    #[error("the account takes no new downloads now")]
    DownloadsClosed {
        /// When it takes new ones again, where the vendor says.
        retry_after: Option<Duration>,
    },
    /// Too many requests.
    #[error("too many requests")]
    TooManyRequests {
        /// The vendor's own `Retry-After`, when given.
        retry_after: Option<Duration>,
    },
    /// Blocked for legal reasons.
    #[error("unavailable for legal reasons")]
    LegalReasons,
    /// The torrent, file or link is not there.
    #[error("not found")]
    NotFound,
    /// The store does not have it and was told not to fetch it.
    #[error("not in the store's cache")]
    NotCached,
    /// Duplicate, or busy with another act on the same thing.
    #[error("conflict")]
    Conflict,
    /// Too large, or a kind of file the vendor refuses.
    #[error("the vendor refuses this content")]
    Unprocessable,
    /// The magnet or torrent is broken.
    #[error("the magnet is broken")]
    MagnetInvalid,
    /// We made a call the vendor calls malformed.
    #[error("the vendor calls the request malformed")]
    BadRequest,
    /// Maintenance, no capacity, 5xx, unreachable, an answer that is not the vendor's.
    #[error("the store is not available")]
    Unavailable,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
}

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Trying again changes nothing.
    Never,
    /// The same call with the same key may work at once.
    SameKey,
    /// Another key may work.
    OtherKey,
    /// The same key may work after a pause; another key may work now.
    After(Duration),
}

/// How long a key rests after a 429 that names no time.
pub const DEFAULT_PAUSE: Duration = Duration::from_secs(60);

impl StoreErrorKind {
    /// A word for metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::PaymentRequired => "payment_required",
            Self::LimitExceeded => "limit_exceeded",
            Self::DownloadsClosed { .. } => "downloads_closed",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::LegalReasons => "legal_reasons",
            Self::NotFound => "not_found",
            Self::NotCached => "not_cached",
            Self::Conflict => "conflict",
            Self::Unprocessable => "unprocessable",
            Self::MagnetInvalid => "magnet_invalid",
            Self::BadRequest => "bad_request",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
        }
    }

    /// Whether and how to try again.
    #[must_use]
    pub fn retry(self) -> Retry {
        match self {
            Self::Unauthorized
            | Self::Forbidden
            | Self::PaymentRequired
            | Self::LimitExceeded
            | Self::DownloadsClosed { .. } => Retry::OtherKey,
            Self::TooManyRequests { retry_after } => Retry::After(retry_after.unwrap_or(DEFAULT_PAUSE)),
            Self::Unavailable | Self::Timeout => Retry::SameKey,
            Self::LegalReasons
            | Self::NotFound
            | Self::NotCached
            | Self::Conflict
            | Self::Unprocessable
            | Self::MagnetInvalid
            | Self::BadRequest => Retry::Never,
        }
    }

    /// What is reported about the key.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Unauthorized => Outcome::KeyRejected,
            Self::PaymentRequired => Outcome::PlanRestricted,
            Self::LimitExceeded => Outcome::LimitReached,
            Self::TooManyRequests { .. } => Outcome::Throttled,
            Self::Unavailable | Self::Timeout => Outcome::StoreDown,
            Self::Forbidden
            | Self::DownloadsClosed { .. }
            | Self::LegalReasons
            | Self::NotFound
            | Self::NotCached
            | Self::Conflict
            | Self::Unprocessable
            | Self::MagnetInvalid
            | Self::BadRequest => Outcome::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_downloads_do_not_make_a_key_rest() {
        let closed = StoreErrorKind::DownloadsClosed { retry_after: None };
        assert_eq!((closed.retry(), closed.outcome()), (Retry::OtherKey, Outcome::Failed));
    }

    #[test]
    fn faults_of_the_key_ask_for_another_one() {
        assert_eq!(StoreErrorKind::Unauthorized.retry(), Retry::OtherKey);
        assert_eq!(StoreErrorKind::LimitExceeded.retry(), Retry::OtherKey);
        assert_eq!(StoreErrorKind::TooManyRequests { retry_after: None }.retry(), Retry::After(DEFAULT_PAUSE));
        assert_eq!(StoreErrorKind::MagnetInvalid.retry(), Retry::Never);
        assert_eq!(StoreErrorKind::Timeout.retry(), Retry::SameKey);
    }
}
