//! The feed of changes: what this or any other process commits is seen within a second.
//!
//! One task per open database finds out that something may be new — PostgreSQL says so (`LISTEN`), SQLite's
//! `data_version` moves when another connection commits — and every follower then reads the changes after its own epoch.

use std::collections::VecDeque;
use std::sync::Weak;
use std::time::Duration;

use chill_core::{Change, Epoch, Feed, FeedItem};
use futures_util::stream::try_unfold;
use sqlx::ConnectOptions;
use sqlx::postgres::PgListener;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::engine::{Engine, Inner};
use crate::{Db, DbError};

/// How often SQLite is asked whether another connection wrote.
const GLANCE: Duration = Duration::from_millis(200);
/// How often changes are read even when nothing was said of new ones: a lost notification costs at most this.
const ROUND: Duration = Duration::from_secs(2);
/// A database that does not answer for this long is away. With a round it is less than the five seconds after which an
/// edge must not rely on what it heard.
const PATIENCE: Duration = Duration::from_secs(2);

impl Db {
    /// Changes after `since`, for ever, in order; `None` starts at now. What [`chill_core::ControlPlane::watch`] says of its
    /// items is said of these: an `Alive` comes after every read that found nothing for a while.
    pub fn changes(&self, since: Option<Epoch>) -> Feed<DbError> {
        self.follow();
        let news = self.inner.news.subscribe();
        let follower =
            Follower { db: self.clone(), since, started: false, told: Instant::now(), ready: VecDeque::new(), news };
        Box::pin(try_unfold(follower, |mut follower| async move {
            let item = follower.next().await?;
            Ok(Some((item, follower)))
        }))
    }

    /// Starts the task that watches for other processes' changes, once. It ends with the last clone of the database.
    fn follow(&self) {
        if self.inner.following.set(()).is_err() {
            return;
        }
        let inner = std::sync::Arc::downgrade(&self.inner);
        match &self.inner.engine {
            Engine::Sqlite { options, .. } => drop(tokio::spawn(glance(inner, options.clone()))),
            Engine::Postgres(_) => drop(tokio::spawn(listen(inner))),
        }
    }
}

struct Follower {
    db: Db,
    since: Option<Epoch>,
    started: bool,
    /// When the last item was told.
    told: Instant,
    ready: VecDeque<FeedItem>,
    news: watch::Receiver<u64>,
}

impl Follower {
    async fn next(&mut self) -> Result<FeedItem, DbError> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                self.told = Instant::now();
                if let FeedItem::Change(change) = &item {
                    self.since = Some(change.epoch);
                }
                return Ok(item);
            }
            // Marked as seen before reading, so that what comes meanwhile wakes us again.
            self.news.mark_unchanged();
            let away = |_| DbError::Unavailable("the database does not answer".to_owned());
            tokio::time::timeout(PATIENCE, self.read()).await.map_err(away)??;
            if !self.ready.is_empty() {
                continue;
            }
            if self.told.elapsed() >= ROUND {
                self.told = Instant::now();
                return Ok(FeedItem::Alive);
            }
            if let Ok(Err(_)) = tokio::time::timeout_at(self.told + ROUND, self.news.changed()).await {
                return Err(DbError::Unavailable("the database was closed".to_owned()));
            }
        }
    }

    /// Reads what is new.
    async fn read(&mut self) -> Result<(), DbError> {
        let mut tx = self.db.read().await?;
        let now = tx.epoch().await?;
        let since = self.since.unwrap_or(now);
        let found = tx.changes_after(since).await?;
        tx.commit().await?;
        // Every epoch has its change, so a hole means that the past was forgotten.
        let gone = since > now || (since < now && found.first().is_none_or(|change| change.epoch != since + 1));
        if !self.started {
            self.ready.push_back(FeedItem::Connected { epoch: now });
        }
        if gone || (!self.started && self.since.is_none()) {
            self.ready.push_back(FeedItem::Change(Change::everything(now)));
        } else {
            self.ready.extend(found.into_iter().map(FeedItem::Change));
        }
        self.started = true;
        Ok(())
    }
}

/// Tells the followers there may be something new; false when the database is gone.
fn tell(inner: &Weak<Inner>) -> bool {
    inner.upgrade().is_some_and(|inner| {
        inner.news.send_modify(|n| *n += 1);
        true
    })
}

async fn glance(inner: Weak<Inner>, options: Box<SqliteConnectOptions>) {
    let mut connection = None;
    let mut last = None;
    while inner.strong_count() > 0 {
        if connection.is_none() {
            connection = options.connect().await.ok();
        }
        if let Some(open) = &mut connection {
            match sqlx::query_as::<_, (i64,)>("PRAGMA data_version").fetch_one(open).await {
                Ok((version,)) if last != Some(version) => {
                    last = Some(version);
                    tell(&inner);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot watch the database for changes of other processes; trying again");
                    connection = None;
                }
            }
        }
        tokio::time::sleep(GLANCE).await;
    }
}

async fn listen(inner: Weak<Inner>) {
    loop {
        let Some(pool) = inner.upgrade().and_then(|inner| match &inner.engine {
            Engine::Postgres(pool) => Some(pool.clone()),
            Engine::Sqlite { .. } => None,
        }) else {
            return;
        };
        if pool.is_closed() {
            return;
        }
        let listener = PgListener::connect_with(&pool).await;
        drop(pool);
        if let Ok(mut listener) = listener
            && listener.listen("chill_changes").await.is_ok()
        {
            // What was committed before we listened.
            while tell(&inner) {
                match tokio::time::timeout(ROUND, listener.try_recv()).await {
                    Ok(Ok(Some(_))) | Err(_) => {}
                    Ok(Ok(None) | Err(_)) => break,
                }
            }
        }
        if !tell(&inner) {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
