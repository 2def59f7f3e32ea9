//! How many films each user's links may carry at once; StremThru, whose setting it is, counts connections.

use std::collections::HashMap;

/// For every user who has no limit of his own.
const EVERYBODY: &str = "*";
/// A higher limit is none.
const HIGHEST: i64 = 1_000_000;

/// Limits by user; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionLimits(HashMap<String, usize>);

/// An entry that is no limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a connection limit: write `user:limit`, `*` for everybody else, 0 for none")]
pub struct InvalidLimits(String);

impl ConnectionLimits {
    /// Reads a comma-separated list of `user:limit`. `*` stands for everybody else; 0, or less, is no limit.
    ///
    /// # Errors
    /// [`InvalidLimits`] with the first entry that is none.
    pub fn parse(list: &str) -> Result<Self, InvalidLimits> {
        let mut limits = HashMap::new();
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let invalid = || InvalidLimits(entry.chars().take(64).collect());
            let (user, limit) = entry.rsplit_once(':').ok_or_else(invalid)?;
            let limit: i64 = limit.trim().parse().map_err(|_| invalid())?;
            if user.trim().is_empty() {
                return Err(invalid());
            }
            limits.insert(user.trim().to_owned(), usize::try_from(limit.clamp(0, HIGHEST)).unwrap_or(0));
        }
        Ok(Self(limits))
    }

    pub(super) fn of(&self, user: &str) -> usize {
        self.0.get(user).or_else(|| self.0.get(EVERYBODY)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_else_has_the_limit_of_the_star() {
        let limits = ConnectionLimits::parse("alice:2, *:5 ,bob:0,carol:-3").unwrap();
        let of = ["alice", "bob", "carol", "dave"].map(|user| limits.of(user));
        assert_eq!(of, [2, 0, 0, 5]);
        assert_eq!(ConnectionLimits::default().of("alice"), 0);
        for wrong in ["alice", "alice:", "alice:x", ":3"] {
            assert_eq!(ConnectionLimits::parse(wrong).unwrap_err(), InvalidLimits(wrong.to_owned()));
        }
    }
}
