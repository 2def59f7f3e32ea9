//! The usage spool: a small SQLite file of its own beside the database, so that an edge keeps its usage whatever happens
//! to the control plane. What is appended has reached the operating system, and survives the death of this process.
//!
//! Appends that wait at the same moment share one commit.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use chill_core::{Action, DeviceId, EventId, InfoHash, KeyId, LinkId, Millis, Outcome, Spool, SpoolError, UsageEvent};
use serde::{Deserialize, Serialize};
use sqlx::raw_sql;
use tokio::sync::{mpsc, oneshot};

use crate::column::sum;
use crate::engine::{Open, run};
use crate::list::json;
use crate::statement::statements;
use crate::{Db, DbError, DbUrl, Options};

/// Events that may wait. A viewer's film does not start beyond it: better than uncounted bytes.
const MOST: u64 = 1_000_000;
/// Appends that share a commit, and appends that may wait for one.
const GROUP: usize = 256;
const WAITING: usize = 4_096;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS spool \
    (seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL)";

statements! {
    APPEND = "INSERT INTO spool (event_id, body) SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') \
        FROM json_each(CAST($1 AS TEXT)) WHERE TRUE ON CONFLICT (event_id) DO NOTHING";
    OLDEST = "SELECT event_id, body FROM spool ORDER BY seq LIMIT $1";
    FORGET = "DELETE FROM spool WHERE event_id IN (SELECT value FROM json_each(CAST($1 AS TEXT)))";
    COUNT = "SELECT COUNT(*) FROM spool";
}

/// Usage that was not delivered yet, in a file.
#[derive(Clone, Debug)]
pub struct SqliteSpool {
    db: Db,
    held: Arc<AtomicU64>,
    appends: mpsc::Sender<Append>,
}

#[derive(Debug)]
struct Append {
    rows: Vec<(EventId, String)>,
    done: oneshot::Sender<Result<(), SpoolError>>,
}

/// An event without its id, as the file holds it.
#[derive(Serialize, Deserialize)]
struct Body {
    link: LinkId,
    key: KeyId,
    device: Option<DeviceId>,
    action: Action,
    hash: Option<InfoHash>,
    cached: Option<bool>,
    bytes: u64,
    outcome: String,
    at: Millis,
}

impl From<DbError> for SpoolError {
    fn from(error: DbError) -> Self {
        Self(error.to_string())
    }
}

impl SqliteSpool {
    /// Opens the file, or makes it with mode 0600. At most 1,000,000 events wait in it.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub async fn open(path: &Path) -> Result<Self, SpoolError> {
        Self::open_with(path, Options::default(), MOST).await
    }

    /// Opens the file with other bounds than the usual.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub async fn open_with(path: &Path, options: Options, most: u64) -> Result<Self, SpoolError> {
        let db = Db::open(&DbUrl::sqlite(path), options).await?;
        let mut tx = db.write().await?;
        if let Open::Sqlite(tx) = &mut tx.open {
            raw_sql(TABLE).execute(&mut **tx).await.map_err(DbError::from)?;
        }
        let (held,) = run!(one tx, (i64,), COUNT)?;
        tx.commit().await?;
        let held = Arc::new(AtomicU64::new(sum(held)));
        show(&held);
        let (appends, waiting) = mpsc::channel(WAITING);
        drop(tokio::spawn(write(db.clone(), held.clone(), most, waiting)));
        Ok(Self { db, held, appends })
    }

    /// How many events wait.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held.load(Ordering::SeqCst)
    }

    /// Closes the file after what is being written.
    pub async fn close(&self) {
        self.db.close().await;
    }
}

#[async_trait]
impl Spool for SqliteSpool {
    async fn append(&self, events: &[UsageEvent]) -> Result<(), SpoolError> {
        let rows = events.iter().map(row).collect::<Result<Vec<_>, DbError>>()?;
        let (done, answer) = oneshot::channel();
        let gone = || SpoolError("its writer has ended".to_owned());
        self.appends.send(Append { rows, done }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    async fn oldest(&self, limit: usize) -> Result<Vec<UsageEvent>, SpoolError> {
        let mut tx = self.db.read().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = run!(all tx, (String, String), OLDEST, limit)?;
        drop(tx);
        let mut events = Vec::with_capacity(rows.len());
        let mut broken = Vec::new();
        for (id, body) in rows {
            match event(&id, &body) {
                Some(event) => events.push(event),
                None => broken.push(id),
            }
        }
        if !broken.is_empty() {
            // One unreadable row must not keep all later ones from being counted.
            tracing::error!(rows = broken.len(), "the usage spool holds events that cannot be read; they are dropped");
            self.delete(&broken).await?;
        }
        Ok(events)
    }

    async fn forget(&self, delivered: &[EventId]) -> Result<(), SpoolError> {
        Ok(self.delete(&delivered).await?)
    }
}

impl SqliteSpool {
    async fn delete(&self, ids: &impl Serialize) -> Result<(), DbError> {
        let mut tx = self.db.write().await?;
        let gone = run!(done tx, FORGET, json(ids)?)?;
        tx.commit().await?;
        let _ = self.held.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |held| Some(held.saturating_sub(gone)));
        show(&self.held);
        Ok(())
    }
}

/// How many events wait, for the operator.
#[expect(clippy::cast_precision_loss, reason = "at most a million")]
fn show(held: &AtomicU64) {
    metrics::gauge!("chillproxy_spool_events").set(held.load(Ordering::SeqCst) as f64);
}

fn row(event: &UsageEvent) -> Result<(EventId, String), DbError> {
    let e = event.clone();
    let outcome = e.outcome.as_str().to_owned();
    let (hash, cached, bytes, at) = (e.hash, e.cached, e.bytes, e.at);
    let body = Body { link: e.link, key: e.key, device: e.device, action: e.action, hash, cached, bytes, outcome, at };
    Ok((e.id, json(&body)?))
}

fn event(id: &str, body: &str) -> Option<UsageEvent> {
    let b: Body = serde_json::from_str(body).ok()?;
    let outcome = Outcome::from_word(&b.outcome);
    let (device, action, hash, cached) = (b.device, b.action, b.hash, b.cached);
    let id = id.parse().ok()?;
    Some(UsageEvent { id, link: b.link, key: b.key, device, action, hash, cached, bytes: b.bytes, outcome, at: b.at })
}

async fn write(db: Db, held: Arc<AtomicU64>, most: u64, mut waiting: mpsc::Receiver<Append>) {
    let mut group = Vec::with_capacity(GROUP);
    while waiting.recv_many(&mut group, GROUP).await > 0 {
        let mut room = most.saturating_sub(held.load(Ordering::SeqCst));
        let (fit, full): (Vec<_>, Vec<_>) = group.drain(..).partition(|append: &Append| {
            let rows = append.rows.len() as u64;
            let fits = rows <= room;
            room -= if fits { rows } else { 0 };
            fits
        });
        for append in full {
            let said = SpoolError(format!("{most} events wait already for the control plane"));
            let _ = append.done.send(Err(said));
        }
        if fit.is_empty() {
            continue;
        }
        let kept = keep(&db, &fit).await;
        if let Ok(rows) = kept {
            held.fetch_add(rows, Ordering::SeqCst);
            show(&held);
        }
        let answer = kept.map(|_| ()).map_err(SpoolError::from);
        for append in fit {
            let _ = append.done.send(answer.clone());
        }
    }
}

async fn keep(db: &Db, group: &[Append]) -> Result<u64, DbError> {
    let rows: Vec<_> = group.iter().flat_map(|append| &append.rows).collect();
    let mut tx = db.write().await?;
    let kept = run!(done tx, APPEND, json(&rows)?)?;
    tx.commit().await?;
    Ok(kept)
}
