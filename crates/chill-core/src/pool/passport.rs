//! What a key's owner and provider allow.

use std::fmt;
use std::str::FromStr;

use crate::id::InvalidId;

/// What the provider's agreement with the key's owner allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Terms {
    /// The owner alone: exactly one user.
    OwnUse,
    /// The owner's household.
    Household,
    /// A partner agreement that allows serving others.
    Partner,
}

impl Terms {
    /// The word in the database and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnUse => "own_use",
            Self::Household => "household",
            Self::Partner => "partner",
        }
    }
}

impl FromStr for Terms {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        [Self::OwnUse, Self::Household, Self::Partner]
            .into_iter()
            .find(|terms| terms.as_str() == text)
            .ok_or(InvalidId { what: "the passport", expected: "own_use, household or partner" })
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A key's passport: terms and bounds. An assignment outside of it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passport {
    terms: Terms,
    max_users: Option<u32>,
    max_streams: Option<u32>,
}

/// A passport that contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassport {
    /// `own_use` is one user.
    #[error("an own_use key serves exactly one user: leave --max-users out, or choose household or partner")]
    OwnUseIsOneUser,
    /// A bound of nothing.
    #[error("a bound of 0 would let nobody use the key: leave it out for no bound, or disable the key")]
    Zero,
}

/// Users a household key serves when the operator names no number.
const HOUSEHOLD_USERS: u32 = 6;

impl Passport {
    /// A passport; `own_use` is one user, `household` six unless said otherwise, `partner` unbounded unless said.
    ///
    /// # Errors
    /// [`InvalidPassport`].
    pub fn new(terms: Terms, max_users: Option<u32>, max_streams: Option<u32>) -> Result<Self, InvalidPassport> {
        if max_users == Some(0) || max_streams == Some(0) {
            return Err(InvalidPassport::Zero);
        }
        let max_users = match (terms, max_users) {
            (Terms::OwnUse, None | Some(1)) => Some(1),
            (Terms::OwnUse, Some(_)) => return Err(InvalidPassport::OwnUseIsOneUser),
            (Terms::Household, given) => Some(given.unwrap_or(HOUSEHOLD_USERS)),
            (Terms::Partner, given) => given,
        };
        Ok(Self { terms, max_users, max_streams })
    }

    /// The terms.
    #[must_use]
    pub fn terms(&self) -> Terms {
        self.terms
    }

    /// How many users may be assigned; none is unbounded.
    #[must_use]
    pub fn max_users(&self) -> Option<u32> {
        self.max_users
    }

    /// How many playbacks may run at once; none is unbounded.
    #[must_use]
    pub fn max_streams(&self) -> Option<u32> {
        self.max_streams
    }

    /// Whether one more user fits beside `assigned`.
    #[must_use]
    pub fn has_room(&self, assigned: u32) -> bool {
        self.max_users.is_none_or(|max| assigned < max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_use_is_one_user_whatever_is_said() {
        assert_eq!(Passport::new(Terms::OwnUse, None, None).unwrap().max_users(), Some(1));
        assert_eq!(Passport::new(Terms::OwnUse, Some(2), None), Err(InvalidPassport::OwnUseIsOneUser));
        assert_eq!(Passport::new(Terms::Partner, Some(0), None), Err(InvalidPassport::Zero));
        assert_eq!(Passport::new(Terms::Household, None, None).unwrap().max_users(), Some(6));
        assert!(Passport::new(Terms::Partner, None, None).unwrap().has_room(1_000_000));
    }
}
