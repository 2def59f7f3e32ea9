//! Identifiers as types, so that a user's id cannot be passed where a key's is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Chance, Millis, chance::NoChance};

/// A text that is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is not valid: expected {expected}")]
pub struct InvalidId {
    /// Which identifier was wanted.
    pub what: &'static str,
    /// What it must look like.
    pub expected: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new identifier whose order is the order of creation (RFC 9562, version 7).
            ///
            /// # Errors
            /// When the operating system gives no random bytes.
            pub fn new(now: Millis, chance: &Chance) -> Result<Self, NoChance> {
                let millis = u64::try_from(now).unwrap_or(0);
                Ok(Self(uuid::Builder::from_unix_timestamp_millis(millis, &chance.bytes()?).into_uuid()))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text)
                    .map(Self)
                    .map_err(|_| InvalidId { what: $what, expected: "a UUID such as 0198c7d2-0000-7000-8000-000000000000" })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
    };
}

uuid_id!(
    /// A person known to the control plane. Never leaves the server in a link.
    UserId, "the user id");
uuid_id!(
    /// The UUID in a user's install link: a credential, so its `Debug` shows only the first characters.
    LinkId, "the link id");
uuid_id!(
    /// One viewing of one file: all its range requests together.
    PlaybackId, "the playback id");
uuid_id!(
    /// One usage event; the same id counts once however often it is delivered.
    EventId, "the event id");

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserId({self})")
    }
}

impl fmt::Debug for PlaybackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlaybackId({self})")
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

impl fmt::Debug for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkId({}…)", &self.0.simple().to_string()[..6])
    }
}

/// A pool key's name in the outside world: ours are UUIDs, a foreign control plane may use any short text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// A new identifier in the order of creation.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn new(now: Millis, chance: &Chance) -> Result<Self, NoChance> {
        UserId::new(now, chance).map(|id| Self(id.to_string()))
    }

    /// The text as it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let plain = |c: char| c.is_ascii_graphic();
        if (1..=128).contains(&text.len()) && text.chars().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId { what: "the key id", expected: "1 to 128 visible ASCII characters" })
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_made_later_sort_later() {
        let chance = Chance::seeded(1);
        let early = EventId::new(1_000, &chance).unwrap();
        let late = EventId::new(2_000, &chance).unwrap();
        assert!(early < late);
        assert_eq!(early.to_string().parse::<EventId>().unwrap(), early);
    }

    #[test]
    fn a_link_id_does_not_show_itself_in_debug() {
        let id: LinkId = "11111111-2222-4333-8444-555555555555".parse().unwrap();
        assert_eq!(format!("{id:?}"), "LinkId(111111…)");
    }

    #[test]
    fn malformed_ids_say_what_is_expected() {
        assert!("nonsense".parse::<LinkId>().unwrap_err().to_string().contains("UUID"));
        assert!("".parse::<KeyId>().is_err());
        assert!("pk-7".parse::<KeyId>().is_ok());
        assert!("a\nb".parse::<KeyId>().is_err());
    }
}
