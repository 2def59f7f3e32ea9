//! What travels on the events socket, for both of its ends: one JSON object in each text frame.
//!
//! An end that meets a word it does not know takes the careful way: an unknown frame is passed over, an unknown subject
//! is everything, an unknown act revokes.

use chill_core::control::{Act, Subject};
use chill_core::id::InvalidId;
use chill_core::{Change, Epoch, Millis};
use serde::{Deserialize, Serialize};

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Frame {
    /// The first one: the feed is connected, and this is the present epoch.
    Hello {
        /// The present epoch.
        epoch: Epoch,
    },
    /// Something changed.
    Change {
        /// The change's number.
        epoch: Epoch,
        /// Whom it concerns.
        subject: About,
        /// `revoke` or `refresh`.
        act: String,
        /// When it was made, in milliseconds since 1970.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Millis>,
    },
    /// The past is gone: whoever reads this drops all that he kept.
    Gap {
        /// The present epoch.
        epoch: Epoch,
    },
    /// A frame of a later version.
    #[serde(other)]
    Unknown,
}

/// Whom a change concerns, in the words of `get-key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub(crate) enum About {
    /// One user.
    User {
        /// The link id that leases were given to.
        user_id: String,
    },
    /// One device of one user.
    Device {
        /// The user's link id.
        user_id: String,
        /// The device.
        device_id: String,
    },
    /// Everybody who uses this key.
    Key {
        /// The key.
        pool_key_id: String,
    },
    /// All of them, and what this version has no word for.
    #[serde(other)]
    Everything,
}

impl From<&Change> for Frame {
    fn from(change: &Change) -> Self {
        let subject = match &change.subject {
            Subject::Link(link) => About::User { user_id: link.to_string() },
            Subject::Device(link, device) => {
                About::Device { user_id: link.to_string(), device_id: device.as_str().to_owned() }
            }
            Subject::Key(key) => About::Key { pool_key_id: key.as_str().to_owned() },
            Subject::Everything if change.act == Act::Refresh => return Self::Gap { epoch: change.epoch },
            Subject::Everything => About::Everything,
        };
        let act = match change.act {
            Act::Revoke => "revoke",
            Act::Refresh => "refresh",
        };
        Self::Change { epoch: change.epoch, subject, act: act.to_owned(), at: change.at }
    }
}

impl About {
    /// The subject as the port names it.
    ///
    /// # Errors
    /// [`InvalidId`], for an id that is none.
    pub(crate) fn subject(&self) -> Result<Subject, InvalidId> {
        Ok(match self {
            Self::User { user_id } => Subject::Link(user_id.parse()?),
            Self::Device { user_id, device_id } => Subject::Device(user_id.parse()?, device_id.parse()?),
            Self::Key { pool_key_id } => Subject::Key(pool_key_id.parse()?),
            Self::Everything => Subject::Everything,
        })
    }
}

impl Frame {
    /// The change a frame tells of; none for a frame that tells of none. A `hello` is for the caller to understand.
    ///
    /// # Errors
    /// [`InvalidId`].
    pub(crate) fn change(&self) -> Result<Option<Change>, InvalidId> {
        Ok(match self {
            Self::Hello { .. } | Self::Unknown => None,
            Self::Gap { epoch } => Some(Change::everything(*epoch)),
            // Nobody can say what an unknown subject is; forgetting everything is safe, cutting every film is not.
            Self::Change { epoch, subject: About::Everything, act, .. } if act != "revoke" => {
                Some(Change::everything(*epoch))
            }
            Self::Change { epoch, subject, act, at } => {
                let act = if act == "refresh" { Act::Refresh } else { Act::Revoke };
                Some(Change { epoch: *epoch, subject: subject.subject()?, act, at: *at })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Frame {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn changes_read_as_they_were_written() {
        let link = "0198c7d2-0000-4000-8000-000000000000";
        let subjects = [
            (Subject::Link(link.parse().unwrap()), json!({"kind": "user", "userId": link})),
            (
                Subject::Device(link.parse().unwrap(), "tv".parse().unwrap()),
                json!({"kind": "device", "userId": link, "deviceId": "tv"}),
            ),
            (Subject::Key("pk-1".parse().unwrap()), json!({"kind": "key", "poolKeyId": "pk-1"})),
        ];
        for (subject, shape) in subjects {
            for (act, word) in [(Act::Revoke, "revoke"), (Act::Refresh, "refresh")] {
                let change = Change { epoch: 7, subject: subject.clone(), act, at: Some(5) };
                let text = serde_json::to_value(Frame::from(&change)).unwrap();
                assert_eq!(text, json!({"type": "change", "epoch": 7, "subject": shape, "act": word, "at": 5}));
                assert_eq!(read(&text.to_string()).change().unwrap(), Some(change));
            }
        }
        assert_eq!(
            serde_json::to_value(Frame::from(&Change::everything(9))).unwrap(),
            json!({"type": "gap", "epoch": 9})
        );
        assert_eq!(read(r#"{"type":"gap","epoch":9}"#).change().unwrap(), Some(Change::everything(9)));
    }

    #[test]
    fn words_of_tomorrow_are_taken_carefully() {
        assert_eq!(read(r#"{"type":"weather","epoch":1}"#), Frame::Unknown);
        let group = read(r#"{"type":"change","epoch":3,"subject":{"kind":"group","id":"x"},"act":"renew"}"#);
        assert_eq!(group.change().unwrap(), Some(Change::everything(3)));
        let act = read(r#"{"type":"change","epoch":3,"subject":{"kind":"key","poolKeyId":"k"},"act":"renew"}"#);
        assert_eq!(act.change().unwrap().unwrap().act, Act::Revoke);
        assert!(
            read(r#"{"type":"change","epoch":3,"subject":{"kind":"user","userId":"x"},"act":"revoke"}"#)
                .change()
                .is_err()
        );
    }
}
