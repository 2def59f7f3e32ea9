//! The two engines behind one door: opening, transactions, and the macros that run a statement on whichever is open.
//!
//! This file, with migrations and the change feed, is where an engine has a name.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction,
};
use tokio::sync::watch;

use crate::url::Place;
use crate::{DbError, DbUrl};

/// An open database. Clones share its connections.
#[derive(Clone)]
pub struct Db {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) engine: Engine,
    /// Moves whenever there may be a new change, made here or by another process.
    pub(crate) news: watch::Sender<u64>,
    pub(crate) following: std::sync::OnceLock<()>,
}

pub(crate) enum Engine {
    /// One connection writes, the others read: SQLite has one writer, and waiting for it in line beats waiting for a lock.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        options: Box<SqliteConnectOptions>,
    },
    Postgres(PgPool),
}

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a call waits for a lock or a connection before it is [`DbError::Unavailable`].
    pub patience: Duration,
    /// How many connections read at once on SQLite, or do anything on PostgreSQL.
    pub connections: u32,
    /// The most pages of 4 KiB a SQLite file may have; none is no bound but the disk.
    pub max_pages: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self { patience: Duration::from_secs(5), connections: 8, max_pages: None }
    }
}

/// A transaction. What it wrote is kept by [`Tx::commit`] and undone when it is dropped. Hold none over a network call.
pub struct Tx {
    pub(crate) open: Open,
    /// Whether a change was published, so that commit tells the feed.
    pub(crate) news: bool,
    pub(crate) db: Db,
}

pub(crate) enum Open {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(OnPostgres),
}

/// Reading on PostgreSQL needs no transaction: at its default isolation each statement sees what was committed before it
/// either way, and two trips to the server are saved.
pub(crate) enum OnPostgres {
    Loose(PoolConnection<Postgres>),
    Tx(Transaction<'static, Postgres>),
}

impl OnPostgres {
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        match self {
            Self::Loose(connection) => connection,
            Self::Tx(tx) => tx,
        }
    }
}

/// Runs a statement: `all` rows, `one` that must be there, `maybe` one, or `done` with the number of rows it touched.
macro_rules! run {
    (all $tx:expr, $type:ty, $statement:expr $(, $bind:expr)* $(,)?) => {
        $crate::engine::run!(@ $tx, $type, $statement, fetch_all $(, $bind)*)
    };
    (one $tx:expr, $type:ty, $statement:expr $(, $bind:expr)* $(,)?) => {
        $crate::engine::run!(@ $tx, $type, $statement, fetch_one $(, $bind)*)
    };
    (maybe $tx:expr, $type:ty, $statement:expr $(, $bind:expr)* $(,)?) => {
        $crate::engine::run!(@ $tx, $type, $statement, fetch_optional $(, $bind)*)
    };
    (done $tx:expr, $statement:expr $(, $bind:expr)* $(,)?) => {
        match &mut $tx.open {
            $crate::engine::Open::Sqlite(tx) => {
                sqlx::query($statement.sqlite)$(.bind($bind))*.execute(&mut **tx).await.map(|done| done.rows_affected())
            }
            $crate::engine::Open::Postgres(tx) => {
                sqlx::query($statement.postgres)$(.bind($bind))*.execute(tx.connection()).await.map(|done| done.rows_affected())
            }
        }
        .map_err($crate::DbError::from)
    };
    (@ $tx:expr, $type:ty, $statement:expr, $fetch:ident $(, $bind:expr)*) => {
        match &mut $tx.open {
            $crate::engine::Open::Sqlite(tx) => {
                sqlx::query_as::<_, $type>($statement.sqlite)$(.bind($bind))*.$fetch(&mut **tx).await
            }
            $crate::engine::Open::Postgres(tx) => {
                sqlx::query_as::<_, $type>($statement.postgres)$(.bind($bind))*.$fetch(tx.connection()).await
            }
        }
        .map_err($crate::DbError::from)
    };
}
pub(crate) use run;

impl Db {
    /// Opens a database. A SQLite file and its directory are made when missing, readable by their owner alone. A
    /// PostgreSQL server is only reached by the first call, so that a process can start before it.
    ///
    /// # Errors
    /// [`DbError`] when the file cannot be opened or the URL is not understood.
    pub async fn open(url: &DbUrl, options: Options) -> Result<Self, DbError> {
        let engine = match url.place() {
            Place::Sqlite(path) => open_sqlite(path, &options).await?,
            Place::Postgres(url) => open_postgres(url.expose(), &options)?,
        };
        let news = watch::Sender::new(0);
        let following = std::sync::OnceLock::new();
        Ok(Self { inner: Arc::new(Inner { engine, news, following }) })
    }

    /// Opens the database for reading. On SQLite all statements see the same moment; on PostgreSQL each sees its own, and a
    /// later one never an earlier moment.
    ///
    /// # Errors
    /// [`DbError::Unavailable`].
    pub async fn read(&self) -> Result<Tx, DbError> {
        let open = match &self.inner.engine {
            Engine::Sqlite { readers, .. } => Open::Sqlite(readers.begin().await?),
            Engine::Postgres(pool) => Open::Postgres(OnPostgres::Loose(pool.acquire().await?)),
        };
        Ok(Tx { open, news: false, db: self.clone() })
    }

    /// Begins a transaction that writes. On SQLite it waits for the one writer and holds its lock from here on.
    ///
    /// # Errors
    /// [`DbError::Unavailable`].
    pub async fn write(&self) -> Result<Tx, DbError> {
        let open = match &self.inner.engine {
            Engine::Sqlite { writer, .. } => Open::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Engine::Postgres(pool) => Open::Postgres(OnPostgres::Tx(pool.begin().await?)),
        };
        Ok(Tx { open, news: false, db: self.clone() })
    }

    /// Begins what writes with one statement: on SQLite the same as [`Db::write`], on PostgreSQL that statement is a transaction by
    /// itself, which saves two trips to the server. Commit it all the same, and do not count on a drop to undo it.
    ///
    /// # Errors
    /// [`DbError::Unavailable`].
    pub async fn write_at_once(&self) -> Result<Tx, DbError> {
        if self.one_writer() { self.write().await } else { self.read().await }
    }

    /// Asks the database for nothing, to see that it answers.
    ///
    /// # Errors
    /// [`DbError::Unavailable`].
    pub async fn ping(&self) -> Result<(), DbError> {
        match &self.inner.engine {
            Engine::Sqlite { readers, .. } => sqlx::query("SELECT 1").execute(readers).await.map(|_| ())?,
            Engine::Postgres(pool) => sqlx::query("SELECT 1").execute(pool).await.map(|_| ())?,
        }
        Ok(())
    }

    /// Whether one transaction at a time writes, and others wait for it.
    #[must_use]
    pub fn one_writer(&self) -> bool {
        matches!(self.inner.engine, Engine::Sqlite { .. })
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        match &self.inner.engine {
            Engine::Sqlite { .. } => "sqlite",
            Engine::Postgres(_) => "postgres",
        }
    }

    /// Closes all connections, after what runs has ended. SQLite's journal is folded into its file.
    pub async fn close(&self) {
        match &self.inner.engine {
            Engine::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Engine::Postgres(pool) => pool.close().await,
        }
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Db({})", self.engine())
    }
}

impl Tx {
    /// Keeps what was written, and tells everyone who follows the changes.
    ///
    /// # Errors
    /// [`DbError::Unavailable`]: nothing was written, or on a connection lost in this very moment, nobody can know.
    pub async fn commit(mut self) -> Result<(), DbError> {
        if self.news
            && let Open::Postgres(tx) = &mut self.open
        {
            sqlx::query("SELECT pg_notify('chill_changes', '')").execute(tx.connection()).await?;
        }
        match self.open {
            Open::Sqlite(tx) => tx.commit().await?,
            Open::Postgres(OnPostgres::Tx(tx)) => tx.commit().await?,
            Open::Postgres(OnPostgres::Loose(_)) => {}
        }
        if self.news {
            self.db.inner.news.send_modify(|n| *n += 1);
        }
        Ok(())
    }
}

/// The first SQLite without a fault that could lose pages of the journal (<https://sqlite.org/wal.html>, "WAL-reset bug").
const SQLITE_AT_LEAST: (u32, u32, u32) = (3, 51, 3);

/// Most memory of one connection for pages, in KiB; only what was read takes any. SQLite's own 2 MiB do not hold the upper
/// levels of the indexes of a million users.
const CACHE_KIB: u32 = 32 * 1024;

async fn open_sqlite(path: &Path, options: &Options) -> Result<Engine, DbError> {
    make_private(path).map_err(|e| DbError::Other(format!("cannot make the database file {}: {e}", path.display())))?;
    let mut connect = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(options.patience)
        .pragma("cache_size", format!("-{CACHE_KIB}"))
        .foreign_keys(true)
        .disable_statement_logging();
    if let Some(pages) = options.max_pages {
        connect = connect.pragma("max_page_count", pages.to_string());
    }
    let pool = || {
        SqlitePoolOptions::new()
            .acquire_timeout(options.patience)
            .max_lifetime(None)
            .idle_timeout(None)
            // A full disk makes SQLite roll back by itself, which leaves the driver counting a transaction that is over: such
            // a connection would refuse to begin another one for ever.
            .test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(is_whole(connection)))
    };
    let writer = pool().max_connections(1).connect_with(connect.clone()).await?;
    let (version,): (String,) = sqlx::query_as("SELECT sqlite_version()").fetch_one(&writer).await?;
    if numbers(&version) < SQLITE_AT_LEAST {
        return Err(DbError::Other(format!("this SQLite is {version}; at least 3.51.3 is needed")));
    }
    let reading = connect.clone().pragma("query_only", "1");
    let readers = pool().max_connections(options.connections).connect_lazy_with(reading);
    Ok(Engine::Sqlite { writer, readers, options: Box::new(connect) })
}

/// Whether no transaction is left open on a connection, after what was queued on it has run.
async fn is_whole(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

fn numbers(version: &str) -> (u32, u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next())
}

/// Makes the file before SQLite does, since SQLite gives its journal the file's own mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(|_| ())
}

/// A connection used within this time is taken to be alive.
const PAUSE: Duration = Duration::from_secs(1);

fn open_postgres(url: &str, options: &Options) -> Result<Engine, DbError> {
    let connect: PgConnectOptions = url.parse().map_err(|_| DbError::Other(crate::InvalidDbUrl.to_string()))?;
    let connect = connect.application_name("chillproxy").disable_statement_logging();
    let pool = PgPoolOptions::new()
        // One more, which listens for changes for as long as anyone follows them.
        .max_connections(options.connections.saturating_add(1))
        .acquire_timeout(options.patience)
        // Asked only after a pause whether it is still there: otherwise that is a trip to the server for each transaction.
        .test_before_acquire(false)
        .before_acquire(|connection, known| {
            Box::pin(async move {
                if known.idle_for >= PAUSE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        // A prepared statement outlives a migration made by another node only as long as its connection.
        .max_lifetime(Duration::from_secs(600))
        .connect_lazy_with(connect);
    Ok(Engine::Postgres(pool))
}
