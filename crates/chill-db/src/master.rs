//! The check by which a start-up knows that it was given the right master key.

use crate::engine::run;
use crate::key::SealedKey;
use crate::statement::statements;
use crate::{DbError, Tx};

statements! {
    lock LOCK_EPOCH = "SELECT n FROM epoch WHERE id = 1";
    CHECKS = "SELECT sealed, sealed_by FROM key_check ORDER BY sealed_by";
    INSERT_CHECK = "INSERT INTO key_check (sealed_by, sealed) VALUES ($1, $2) ON CONFLICT (sealed_by) DO NOTHING";
    FORGET_CHECKS = "DELETE FROM key_check WHERE sealed_by <> $1 \
        AND NOT EXISTS (SELECT 1 FROM keys WHERE keys.sealed_by = key_check.sealed_by)";
}

impl Tx {
    /// Lets one process at a time compare its master with the checks: on a new database the first one's counts.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn master_lock(&mut self) -> Result<(), DbError> {
        run!(one self, (i64,), LOCK_EPOCH).map(|_| ())
    }

    /// The known text as each master in use sealed it.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn master_checks(&mut self) -> Result<Vec<SealedKey>, DbError> {
        let rows = run!(all self, (Vec<u8>, String), CHECKS)?;
        Ok(rows.into_iter().map(|(blob, by)| SealedKey { blob, by }).collect())
    }

    /// Adds a master's check, unless it is there.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn master_check_insert(&mut self, check: &SealedKey) -> Result<(), DbError> {
        run!(done self, INSERT_CHECK, &check.by, check.blob.as_slice()).map(|_| ())
    }

    /// Forgets the checks of masters that seal nothing any more, but not that of `current`.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn master_checks_forget(&mut self, current: &str) -> Result<(), DbError> {
        run!(done self, FORGET_CHECKS, current).map(|_| ())
    }
}
