//! The seam between the planes: what the edge may ask of the control plane.
//!
//! Implemented in process by `chill_control::Control`, over HTTP by its `RemoteControl`. Calls are coarse and may be
//! repeated: at most one lease per playback start and per stream list, never one per range request.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Action, BoxStream, DeviceId, InfoHash, KeyId, LinkId, Millis, Secret, StoreCode, UsageEvent};

/// A number that grows with every change of a user, device, key or assignment. An older one never overwrites a newer.
pub type Epoch = u64;

/// "May this user on this device use this store now, and with which key?"
#[derive(Clone, Debug)]
pub struct LeaseRequest {
    /// The user's link id, from the install link.
    pub link: LinkId,
    /// The device that asks.
    pub device: DeviceId,
    /// What an operator sees beside the device; at most 40 characters.
    pub device_label: Option<String>,
    /// What for.
    pub action: Action,
    /// With which torrent, when it is one.
    pub hash: Option<InfoHash>,
    /// At which store.
    pub store: StoreCode,
    /// Keys that just failed and must not be given again; at most [`LeaseRequest::MAX_EXCLUDED`].
    pub exclude: Vec<KeyId>,
}

impl LeaseRequest {
    /// How many keys one request may exclude.
    pub const MAX_EXCLUDED: usize = 16;
}

/// The right to use one key for a while.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The key.
    pub key: Secret,
    /// Its name, for usage events and exclusions.
    pub key_id: KeyId,
    /// The store it opens.
    pub store: StoreCode,
    /// How many devices the user has now.
    pub device_count: u32,
    /// How long it may be cached while the change feed is connected.
    pub ttl: Duration,
    /// How long running films go on after the control plane is lost.
    pub grace: Duration,
    /// The state of the control plane it was decided on; 0 when a foreign control plane did not say.
    pub epoch: Epoch,
    /// The user's own delivery, when it differs from the instance's.
    pub delivery: Option<Delivery>,
    /// How many playbacks the key's passport allows at once.
    pub max_streams: Option<u32>,
}

/// How bytes reach a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Through us: the only way in which revocation stops a film.
    Relay,
    /// The player is sent to the store's CDN.
    Redirect,
}

/// Why a lease was refused, as a code that programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DenialCode {
    /// No user has this link id.
    UserUnknown,
    /// The user is suspended or removed.
    UserInactive,
    /// One device too many.
    DeviceLimit,
    /// This device was revoked.
    DeviceRevoked,
    /// The pool has no key that this user may use at this store.
    NoKey,
    /// There are keys, but all rest for a while.
    KeysExhausted,
    /// The store is not known or not offered.
    ServiceUnknown,
}

impl DenialCode {
    const WORDS: [(Self, &'static str); 7] = [
        (Self::UserUnknown, "user_unknown"),
        (Self::UserInactive, "user_inactive"),
        (Self::DeviceLimit, "device_limit"),
        (Self::DeviceRevoked, "device_revoked"),
        (Self::NoKey, "no_key"),
        (Self::KeysExhausted, "keys_exhausted"),
        (Self::ServiceUnknown, "service_unknown"),
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(code, _)| *code == self).map_or("no_key", |(_, word)| word)
    }

    /// Reads a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(code, _)| *code)
    }
}

impl fmt::Display for DenialCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Why, for programs.
    pub code: DenialCode,
    /// Why and what to do, for people.
    pub message: String,
    /// How many devices the user has, when that was counted.
    pub device_count: Option<u32>,
}

/// A question the control plane did not answer with a lease.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ControlError {
    /// No. Asking again changes nothing until the operator does something.
    #[error("{}", .0.message)]
    Denied(Denial),
    /// Not now: every key rests.
    #[error("all keys are resting; try again in {} s", .retry_after.as_secs())]
    Exhausted {
        /// When the first key is back.
        retry_after: Duration,
    },
    /// The control plane or its database cannot be reached.
    #[error("the control plane is not available: {why}")]
    Unavailable {
        /// What is the matter, for the log.
        why: String,
        /// When to ask again, where it said.
        retry_after: Option<Duration>,
    },
}

impl ControlError {
    /// A control plane that did not say when to ask again.
    #[must_use]
    pub fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable { why: why.into(), retry_after: None }
    }

    /// When to ask again, where that was said.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Denied(_) => None,
            Self::Exhausted { retry_after } => Some(*retry_after),
            Self::Unavailable { retry_after, .. } => *retry_after,
        }
    }
}

/// Whom or what a change concerns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// One user, by the link id that leases were given to.
    Link(LinkId),
    /// One device of one user.
    Device(LinkId, DeviceId),
    /// Everybody who uses this key.
    Key(KeyId),
    /// Everything: the past is gone and all caches must be dropped.
    Everything,
}

/// What a change asks of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Drop cached leases and cut running films.
    Revoke,
    /// Drop cached leases; running films go on.
    Refresh,
}

/// One change, in the order of its epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number.
    pub epoch: Epoch,
    /// Whom it concerns.
    pub subject: Subject,
    /// What to do.
    pub act: Act,
    /// When it was made, by the control plane's clock; none when it did not say.
    pub at: Option<Millis>,
}

impl Change {
    /// "Forget all that you kept": the past before `epoch` is gone, or was not asked for.
    #[must_use]
    pub fn everything(epoch: Epoch) -> Self {
        Self { epoch, subject: Subject::Everything, act: Act::Refresh, at: None }
    }
}

/// What whoever follows the changes hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedItem {
    /// The feed is connected: the first item, before any change.
    Connected {
        /// The present epoch. Changes up to it may still follow.
        epoch: Epoch,
    },
    /// Nothing changed, and a change would have been told.
    Alive,
    /// Something changed.
    Change(Change),
}

/// Changes for ever, in order; an error ends it.
pub type Feed<E = ControlError> = BoxStream<'static, Result<FeedItem, E>>;

/// What became of a batch of usage events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Counted now.
    pub accepted: usize,
    /// Counted before.
    pub duplicates: usize,
}

/// The control plane as the edge sees it.
#[async_trait]
pub trait ControlPlane: Send + Sync + 'static {
    /// Asks for a key. Known in the API as `get-key`.
    ///
    /// # Errors
    /// See [`ControlError`].
    async fn lease(&self, ask: &LeaseRequest) -> Result<Lease, ControlError>;

    /// Delivers usage, at most 1,000 events a call. Known in the API as `log-usage`; may be repeated.
    ///
    /// # Errors
    /// [`ControlError::Unavailable`]: nothing or everything was recorded; deliver again.
    async fn record(&self, events: &[UsageEvent]) -> Result<Recorded, ControlError>;

    /// Changes after `since`, for ever, in order. `None` starts at now. The first item is [`FeedItem::Connected`]; it is followed
    /// by [`Change::everything`] when the past after `since` is gone or was not asked for. While nothing changes, a
    /// [`FeedItem::Alive`] comes every few seconds. An error ends the stream; call again with the epoch of the last change seen.
    fn watch(&self, since: Option<Epoch>) -> Feed;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denial_codes_round_trip() {
        for (code, word) in DenialCode::WORDS {
            assert_eq!(DenialCode::from_word(word), Some(code));
            assert_eq!(code.as_str(), word);
        }
        assert_eq!(DenialCode::from_word("surprise"), None);
    }
}
