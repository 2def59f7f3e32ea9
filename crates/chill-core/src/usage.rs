//! Usage: one thing done with a key, counted exactly once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{DeviceId, EventId, InfoHash, KeyId, LinkId, Millis, id::InvalidId};

/// What is done with a lease: one of the known words, or any short text a foreign edge uses.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Action(String);

impl Action {
    /// A manifest is opened or a device shows itself.
    pub const INIT: &'static str = "init";
    /// A stream list asks which torrents a store has.
    pub const CHECK_CACHE: &'static str = "check-cache";
    /// A torrent is added at a store.
    pub const ADD_TORRENT: &'static str = "add-torrent";
    /// A playback starts; one per playback.
    pub const STREAM_REQUEST: &'static str = "stream-request";
    /// Bytes were carried to a viewer; any number per playback, their bytes add up.
    pub const STREAM_SERVED: &'static str = "stream-served";

    /// One of the constants above.
    #[must_use]
    pub fn known(word: &'static str) -> Self {
        Self(word.to_owned())
    }

    /// The text as it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Action {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if (1..=50).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId { what: "the action", expected: "1 to 50 printable characters" })
        }
    }
}

/// How it went, as far as the key is concerned. Text on the wire; an unknown text reads as [`Outcome::Failed`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It worked.
    #[default]
    Ok,
    /// The store did not accept the key (bad or rotated token). To be verified before it is believed.
    KeyRejected,
    /// The account's plan does not allow it, or has run out.
    PlanRestricted,
    /// The account's slots, monthly count or quota are used up.
    LimitReached,
    /// Too many requests; the key rests for a while.
    Throttled,
    /// The store itself is in trouble; no fault of the key.
    StoreDown,
    /// Anything else.
    Failed,
}

impl Outcome {
    const WORDS: [(Self, &'static str); 7] = [
        (Self::Ok, "ok"),
        (Self::KeyRejected, "key_rejected"),
        (Self::PlanRestricted, "plan_restricted"),
        (Self::LimitReached, "limit_reached"),
        (Self::Throttled, "throttled"),
        (Self::StoreDown, "store_down"),
        (Self::Failed, "failed"),
    ];

    /// The word on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(outcome, _)| *outcome == self).map_or("failed", |(_, word)| word)
    }

    /// Reads a word; anything unknown is [`Outcome::Failed`].
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        Self::WORDS.iter().find(|(_, known)| *known == word).map_or(Self::Failed, |(outcome, _)| *outcome)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One usage event. Delivered at least once, counted exactly once by its `id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageEvent {
    /// Makes a repeated delivery recognisable.
    pub id: EventId,
    /// Whose link.
    pub link: LinkId,
    /// Which key was used.
    pub key: KeyId,
    /// From which device, when known.
    pub device: Option<DeviceId>,
    /// What was done.
    pub action: Action,
    /// With which torrent, when it was one.
    pub hash: Option<InfoHash>,
    /// Whether the store had it already, when that is known.
    pub cached: Option<bool>,
    /// Bytes carried to the viewer by this event alone.
    pub bytes: u64,
    /// How it went.
    pub outcome: Outcome,
    /// When, milliseconds since the epoch.
    pub at: Millis,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_round_trip_and_unknown_words_are_failures() {
        for (outcome, word) in Outcome::WORDS {
            assert_eq!(Outcome::from_word(word), outcome);
            assert_eq!(outcome.as_str(), word);
        }
        assert_eq!(Outcome::from_word("surprise"), Outcome::Failed);
    }

    #[test]
    fn actions_are_short() {
        assert!("stream-request".parse::<Action>().is_ok());
        assert!("é".repeat(50).parse::<Action>().is_ok());
        assert!("x".repeat(51).parse::<Action>().is_err());
        assert!("".parse::<Action>().is_err());
    }
}
