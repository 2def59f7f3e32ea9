//! What can go wrong with an operator's wish, as sentences.

use chill_core::StoreError;
use chill_core::chance::NoChance;
use chill_db::DbError;

use crate::VaultError;

/// A use case did not do what it was asked; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UseError {
    /// There is no such thing.
    #[error("there is no {what} `{name}`")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// What was asked for.
        name: String,
    },
    /// Two have this name at different stores.
    #[error("several keys are called `{0}`: say which by its id")]
    Ambiguous(String),
    /// Another one has this name.
    #[error("another {what} is called `{name}`: choose another name")]
    NameTaken {
        /// What kind of thing.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A value is out of bounds.
    #[error("{0}")]
    Invalid(String),
    /// The store does not accept the key.
    #[error("the store refuses this key ({0}): check it in the store's settings, or add it unchecked")]
    KeyRefused(StoreError),
    /// The pool holds as many keys as it may.
    #[error("the pool holds {0} TorBox keys, as many as it may: remove one, or raise TORBOX_POOL_SIZE")]
    PoolFull(u32),
    /// Sealing failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// No random bytes.
    #[error(transparent)]
    NoChance(#[from] NoChance),
}

impl UseError {
    pub(crate) fn not_found(what: &'static str, name: &(impl ToString + ?Sized)) -> Self {
        Self::NotFound { what, name: name.to_string() }
    }

    /// Whether trying again later may help.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Db(error) if error.is_unavailable())
    }
}

/// A conflict on insert means that the name is taken.
pub(crate) fn taken(what: &'static str, name: &str, error: DbError) -> UseError {
    if error.is_conflict() { UseError::NameTaken { what, name: name.to_owned() } } else { error.into() }
}

/// A name or other text an operator gives: trimmed, not empty, bounded, without control characters.
pub(crate) fn plain(what: &str, text: &str, most: usize) -> Result<String, UseError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(UseError::Invalid(format!(
            "{what} must have 1 to {most} characters, and none that control a terminal"
        )));
    }
    Ok(text.to_owned())
}
