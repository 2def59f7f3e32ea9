//! The audit trail: who did what to whom, when and from where. Only ever added to.
//!
//! Each row holds a hash over the row before it and itself, through midnight too, so that no row and no day can be changed,
//! taken out or put elsewhere without the rest telling. The rows of a transaction are chained at its end, under the lock of one
//! row, `audit_head`: see `docs/decisions/0004`. Triggers refuse changes and deletions; [`Tx::audit_forget`] alone removes
//! rows, whole old days at a time, and says so in the trail.

mod chain;
mod verify;

use chill_core::Millis;

use crate::column::sum;
use crate::engine::run;
use crate::list::json;
use crate::statement::statements;
use crate::{DbError, Tx};
use chain::Link;

pub use verify::{AuditBreak, AuditDay, AuditFault, AuditReport};

/// One act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its id, in the order of time.
    pub id: String,
    /// When, milliseconds since the epoch.
    pub at: Millis,
    /// Who: `cli`, `internal_api`, `system`.
    pub actor: String,
    /// From where: a user and his machine, an address.
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

/// Both ends of the chain.
struct Head {
    last: Link,
    /// Number and hash of the last row that was forgotten.
    gone: (i64, String),
}

statements! {
    HEAD = "SELECT n, day, hash, gone_n, gone_hash FROM audit_head WHERE id = 1";
    lock LOCK_HEAD = "SELECT n, day, hash, gone_n, gone_hash FROM audit_head WHERE id = 1";
    MOVE_HEAD = "UPDATE audit_head SET n = $1, day = $2, hash = $3 WHERE id = 1";
    MOVE_START = "UPDATE audit_head SET gone_n = $1, gone_hash = $2, keep_from = $3 WHERE id = 1";
    INSERT_AUDIT = "INSERT INTO audit (id, at, actor, actor_from, act, subject_kind, subject_id, subject_name, detail, n, day, \
        hash) SELECT json_extract(value, '$[0]'), CAST(json_extract(value, '$[1]') AS BIGINT), json_extract(value, '$[2]'), \
        json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'), json_extract(value, '$[6]'), \
        json_extract(value, '$[7]'), json_extract(value, '$[8]'), CAST(json_extract(value, '$[9]') AS BIGINT), \
        CAST(json_extract(value, '$[10]') AS BIGINT), json_extract(value, '$[11]') FROM json_each(CAST($1 AS TEXT))";
    SEAL = "UPDATE audit SET n = $2, day = $3, hash = $4 WHERE id = $1 AND hash IS NULL";
    UNSEALED = "SELECT id, at, actor, actor_from, act, subject_kind, subject_id, subject_name, detail FROM audit \
        WHERE hash IS NULL ORDER BY id LIMIT $1";
    COUNT_UNSEALED = "SELECT COUNT(*) FROM audit WHERE hash IS NULL";
    PAGE = "SELECT n, COALESCE(day, 0) AS day, COALESCE(hash, '') AS hash, id, at, actor, actor_from, act, subject_kind, subject_id, subject_name, detail FROM audit \
        WHERE n > $1 ORDER BY n LIMIT $2";
    LAST_BEFORE = "SELECT n, hash FROM audit WHERE day < $1 ORDER BY n DESC LIMIT 1";
    FORGET_AUDIT = "DELETE FROM audit WHERE day < $1";
    AUDIT = "SELECT a.id, a.at, a.actor, a.actor_from, a.act, a.subject_kind, a.subject_id, \
        CASE WHEN a.subject_name = '' THEN COALESCE(u.name, '') ELSE a.subject_name END, a.detail \
        FROM audit a LEFT JOIN users u ON u.id = a.subject_id \
        WHERE (CAST($1 AS TEXT) IS NULL OR a.id < $1) AND a.at >= $2 ORDER BY a.id DESC LIMIT $3";
}

type Columns = (String, i64, String, String, String, String, String, String, Option<String>);

fn entry((id, at, actor, actor_from, act, subject_kind, subject_id, subject_name, detail): Columns) -> AuditEntry {
    AuditEntry { id, at, actor, actor_from, act, subject_kind, subject_id, subject_name, detail }
}

#[derive(sqlx::FromRow)]
struct Sealed {
    n: i64,
    day: i64,
    hash: String,
    id: String,
    at: i64,
    actor: String,
    actor_from: String,
    act: String,
    subject_kind: String,
    subject_id: String,
    subject_name: String,
    detail: Option<String>,
}

type HeadColumns = (i64, i64, String, i64, String);

fn head((n, day, hash, gone_n, gone_hash): HeadColumns) -> Head {
    Head { last: Link { n, day, hash }, gone: (gone_n, gone_hash) }
}

impl Tx {
    /// Adds acts, in this order. Every other lock of the transaction must be taken before, but for [`Tx::publish`]: from
    /// here to its end it alone adds acts.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn audit(&mut self, entries: &[AuditEntry]) -> Result<(), DbError> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut last = self.audit_lock().await?.last;
        let mut rows = Vec::with_capacity(entries.len());
        for e in entries {
            last = last.next(e);
            let (kind, id, name) = (&e.subject_kind, &e.subject_id, &e.subject_name);
            let (n, day, hash) = (last.n, last.day, last.hash.clone());
            rows.push((&e.id, e.at, &e.actor, &e.actor_from, &e.act, kind, id, name, &e.detail, n, day, hash));
        }
        run!(done self, INSERT_AUDIT, json(&rows)?)?;
        self.audit_move(&last).await
    }

    /// Seals rows that a release without the chain wrote, at most `limit`; returns how many there were.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn audit_seal(&mut self, limit: u32) -> Result<usize, DbError> {
        let mut last = self.audit_lock().await?.last;
        let rows = run!(all self, Columns, UNSEALED, i64::from(limit))?;
        let sealed = rows.len();
        for row in rows.into_iter().map(entry) {
            last = last.next(&row);
            run!(done self, SEAL, &row.id, last.n, last.day, &last.hash)?;
        }
        self.audit_move(&last).await?;
        Ok(sealed)
    }

    /// Removes whole days before the day of `before`, but never the newest one, and returns how many rows went. `told` makes the
    /// act that says so.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn audit_forget(
        &mut self,
        before: Millis,
        told: impl FnOnce(u64) -> AuditEntry + Send,
    ) -> Result<u64, DbError> {
        let head = self.audit_lock().await?;
        let keep_from = chain::day_of(before).min(head.last.day);
        let Some((n, hash)) = run!(maybe self, (i64, String), LAST_BEFORE, keep_from)? else { return Ok(0) };
        run!(done self, MOVE_START, n, &hash, keep_from)?;
        let gone = run!(done self, FORGET_AUDIT, keep_from)?;
        self.audit(&[told(gone)]).await?;
        Ok(gone)
    }

    /// How many rows are not in the chain yet.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn audit_unsealed(&mut self) -> Result<u64, DbError> {
        run!(one self, (i64,), COUNT_UNSEALED).map(|(n,)| sum(n))
    }

    /// Acts before the one named and not before a time, newest first.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn audit_entries(
        &mut self,
        before: Option<&str>,
        since: Millis,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, DbError> {
        let rows = run!(all self, Columns, AUDIT, before, since, i64::from(limit))?;
        Ok(rows.into_iter().map(entry).collect())
    }

    async fn audit_head(&mut self) -> Result<Head, DbError> {
        run!(one self, HeadColumns, HEAD).map(head)
    }

    async fn audit_lock(&mut self) -> Result<Head, DbError> {
        run!(one self, HeadColumns, LOCK_HEAD).map(head)
    }

    async fn audit_move(&mut self, last: &Link) -> Result<(), DbError> {
        run!(done self, MOVE_HEAD, last.n, last.day, &last.hash).map(|_| ())
    }

    async fn audit_page(&mut self, after: i64, limit: u32) -> Result<Vec<(Link, AuditEntry)>, DbError> {
        let rows = run!(all self, Sealed, PAGE, after, i64::from(limit))?;
        let split = |row: Sealed| {
            let Sealed { n, day, hash, id, at, actor, actor_from, act, subject_kind, subject_id, subject_name, detail } =
                row;
            let entry = AuditEntry { id, at, actor, actor_from, act, subject_kind, subject_id, subject_name, detail };
            (Link { n, day, hash }, entry)
        };
        Ok(rows.into_iter().map(split).collect())
    }
}
