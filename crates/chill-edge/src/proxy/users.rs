//! Who may use the proxy, and how a credential is read.

use std::collections::HashMap;
use std::fmt;

use chill_core::Secret;
use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A longer credential is nobody's.
const LONGEST_CREDENTIAL: usize = 1_024;

/// The users of the proxy with their passwords. Neither name nor password is ever empty.
#[derive(Clone, Default)]
pub struct ProxyUsers(HashMap<String, Secret>);

/// Why a list of users was not taken. Says which entry, never what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUsers {
    /// Neither of the two forms.
    #[error("entry {entry} of the users is neither `user:password` nor that in base64; both parts must be there")]
    Malformed {
        /// Its place in the list, from 1.
        entry: usize,
    },
    /// It is not clear which password counts.
    #[error("entry {entry} of the users names somebody who is in the list already; keep one of them")]
    Twice {
        /// Its place in the list, from 1.
        entry: usize,
    },
}

impl ProxyUsers {
    /// Reads a comma-separated list of `user:password`, each also as base64 of it.
    ///
    /// # Errors
    /// [`InvalidUsers`] for the first entry that cannot be used: a list that is only half right would lock people out, or
    /// leave an instance open, without a word.
    pub fn parse(list: &str) -> Result<Self, InvalidUsers> {
        let mut users = HashMap::new();
        for (at, text) in list.split(',').enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            let entry = at + 1;
            let (user, password) = credential(text).ok_or(InvalidUsers::Malformed { entry })?;
            if users.insert(user, password).is_some() {
                return Err(InvalidUsers::Twice { entry });
            }
        }
        Ok(Self(users))
    }

    /// Whether nobody may use the proxy.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A user there is, with his password.
    pub(super) fn entry(&self, user: &str) -> Option<(&str, &Secret)> {
        self.0.get_key_value(user).map(|(name, password)| (name.as_str(), password))
    }

    /// The user a header's or a query's value speaks for: `Basic` and base64, or `user:password` as it is.
    pub(crate) fn authorize(&self, value: &str) -> Option<&str> {
        let (user, password) = credential(value.strip_prefix("Basic ").unwrap_or(value))?;
        self.verify(&user, password.expose())
    }

    /// The user, when this is his password. Takes as long for a wrong password as for a wrong user.
    pub(super) fn verify(&self, user: &str, password: &str) -> Option<&str> {
        let known = self.0.get_key_value(user);
        let expected = known.map(|(_, password)| password.expose()).unwrap_or_default();
        let same: bool = digest(expected).ct_eq(&digest(password)).into();
        known.filter(|_| same && !password.is_empty()).map(|(name, _)| name.as_str())
    }
}

impl fmt::Debug for ProxyUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Equal lengths, so that a comparison does not tell the password's.
fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// `user:password`, or base64 of it.
fn credential(text: &str) -> Option<(String, Secret)> {
    let text = text.trim();
    if text.len() > LONGEST_CREDENTIAL {
        return None;
    }
    if text.contains(':') {
        return halves(text);
    }
    let decoded = Secret::new(String::from_utf8(BASE64.decode(text.as_bytes()).ok()?).ok()?);
    halves(decoded.expose().trim())
}

fn halves(text: &str) -> Option<(String, Secret)> {
    let (user, password) = text.split_once(':')?;
    (!user.is_empty() && !password.is_empty()).then(|| (user.to_owned(), Secret::new(password)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_users_in_both_forms() {
        let users = ProxyUsers::parse(" alice:s3cret, Ym9iOnA6dw== ,").unwrap();
        assert_eq!(users.verify("alice", "s3cret"), Some("alice"));
        assert_eq!(users.verify("bob", "p:w"), Some("bob"));
        let mut shown = format!("{users:?}");
        shown.retain(|c| c != '"');
        assert!(!shown.contains("s3cret") && shown.contains("alice"), "{shown}");
        assert!(ProxyUsers::parse("").unwrap().is_empty());
    }

    #[test]
    fn a_bad_entry_is_told_by_its_place_and_not_its_content() {
        for (list, entry) in [("a:b,nonsense", 2), ("a:", 1), (":b", 1), ("a:b,,Ym9i", 3), ("YTpi\u{e9}", 1)] {
            let error = ProxyUsers::parse(list).unwrap_err();
            assert_eq!(error, InvalidUsers::Malformed { entry }, "{list}");
            assert!(!error.to_string().contains("nonsense"));
        }
        assert_eq!(ProxyUsers::parse("a:b,a:c").unwrap_err(), InvalidUsers::Twice { entry: 2 });
    }

    #[test]
    fn only_a_user_with_his_password_passes() {
        let users = ProxyUsers::parse("alice:s3cret").unwrap();
        for right in
            ["alice:s3cret", "YWxpY2U6czNjcmV0", "Basic YWxpY2U6czNjcmV0", "Basic alice:s3cret", " alice:s3cret "]
        {
            assert_eq!(users.authorize(right), Some("alice"), "{right}");
        }
        for wrong in [
            "",
            ":",
            "alice",
            "alice:",
            "alice:S3cret",
            "nobody:",
            "nobody:x",
            ":s3cret",
            "Basic ",
            "basic YWxpY2U6czNjcmV0",
            "YWxpY2U6",
            "bm9ib2R5Og==",
        ] {
            assert_eq!(users.authorize(wrong), None, "{wrong}");
            assert_eq!(ProxyUsers::default().authorize(wrong), None, "{wrong}");
        }
        assert_eq!(users.verify("nobody", ""), None);
        assert_eq!(users.verify("", ""), None);
        assert_eq!(users.authorize(&"a".repeat(5_000)), None);
    }
}
