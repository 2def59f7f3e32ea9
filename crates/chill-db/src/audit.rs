//! The audit trail: who did what to whom, and when. Only ever added to.

use chill_core::Millis;

use crate::engine::run;
use crate::statement::statements;
use crate::{DbError, Tx};

/// One act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its id, in the order of time.
    pub id: String,
    /// When, milliseconds since the epoch.
    pub at: Millis,
    /// Who.
    pub actor: String,
    /// From where: the command line, an address.
    pub actor_from: String,
    /// What, such as `user.suspend`.
    pub act: String,
    /// What kind of thing it was done to: `user`, `device`, `key`.
    pub subject_kind: String,
    /// Its id.
    pub subject_id: String,
    /// Its name at the time.
    pub subject_name: String,
    /// More, without secrets.
    pub detail: Option<String>,
}

statements! {
    INSERT_AUDIT = "INSERT INTO audit (id, at, actor, actor_from, act, subject_kind, subject_id, subject_name, detail) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    AUDIT = "SELECT id, at, actor, actor_from, act, subject_kind, subject_id, subject_name, detail FROM audit \
        WHERE CAST($1 AS TEXT) IS NULL OR id < $1 ORDER BY id DESC LIMIT $2";
}

impl Tx {
    /// Adds an act.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn audit(&mut self, entry: &AuditEntry) -> Result<(), DbError> {
        let e = entry;
        run!(
            done self, INSERT_AUDIT, &e.id, e.at, &e.actor, &e.actor_from, &e.act, &e.subject_kind, &e.subject_id,
            &e.subject_name, e.detail.as_deref(),
        )
        .map(|_| ())
    }

    /// Acts before the one named, newest first.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn audit_entries(&mut self, before: Option<&str>, limit: u32) -> Result<Vec<AuditEntry>, DbError> {
        type Columns = (String, i64, String, String, String, String, String, String, Option<String>);
        let rows = run!(all self, Columns, AUDIT, before, i64::from(limit))?;
        let entry = |(id, at, actor, actor_from, act, subject_kind, subject_id, subject_name, detail): Columns| {
            AuditEntry { id, at, actor, actor_from, act, subject_kind, subject_id, subject_name, detail }
        };
        Ok(rows.into_iter().map(entry).collect())
    }
}
