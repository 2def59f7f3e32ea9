//! Databases for the tests of this workspace: a SQLite file in a temporary directory, and a database of its own on the
//! PostgreSQL server that `CHILL_TEST_POSTGRES_URL` names. Both are empty but migrated, and gone after the test.
//!
//! Nothing of the product calls this. Start reading at [`both`].

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use chill_core::{Chance, Clock, KeyId, LinkId, Secret, StoreCode, UserId};
use futures_util::FutureExt;
use sqlx::{Connection, PgConnection};

use crate::engine::run;
use crate::list::json;
use crate::statement::statements;
use crate::url::Place;
use crate::{Db, DbError, DbUrl, NewDevice, Options, Seat};

/// One database of a test.
#[derive(Debug)]
pub struct Trial {
    /// The database, migrated.
    pub db: Db,
    /// Where it is, to open it once more as another process would.
    pub url: DbUrl,
    directory: Option<PathBuf>,
    server: Option<(Secret, String)>,
}

/// Runs a test on SQLite and then on PostgreSQL. When it fails, the engine is printed.
///
/// # Panics
/// When the test does, or when there is no PostgreSQL: no test is skipped.
pub async fn both(test: impl AsyncFn(&Trial)) {
    empty(async |trial| {
        #[expect(clippy::expect_used, reason = "a test that has no database must fail")]
        trial.db.migrate().await.expect("the migrations");
        test(trial).await;
    })
    .await;
}

/// The same with databases that were not migrated.
///
/// # Panics
/// When the test does, or when there is no PostgreSQL.
pub async fn empty(test: impl AsyncFn(&Trial)) {
    for trial in [new_sqlite(Options::default()).await, new_postgres().await] {
        let engine = trial.db.engine();
        let ended = AssertUnwindSafe(test(&trial)).catch_unwind().await;
        trial.end().await;
        if let Err(panic) = ended {
            tracing::error!(engine, "the test failed on this engine");
            report(engine);
            std::panic::resume_unwind(panic);
        }
    }
}

#[expect(clippy::print_stderr, reason = "the test harness shows it beside the failed assertion")]
fn report(engine: &str) {
    eprintln!("failed on {engine}");
}

/// A SQLite file in a directory of its own.
///
/// # Panics
/// When it cannot be made.
pub async fn sqlite() -> Trial {
    sqlite_with(Options::default()).await
}

/// A SQLite file opened with these options.
///
/// # Panics
/// When it cannot be made.
#[expect(clippy::expect_used, reason = "a test that has no database must fail")]
pub async fn sqlite_with(options: Options) -> Trial {
    let trial = new_sqlite(options).await;
    trial.db.migrate().await.expect("the migrations on SQLite");
    trial
}

#[expect(clippy::expect_used, reason = "a test that has no database must fail")]
async fn new_sqlite(options: Options) -> Trial {
    let directory = std::env::temp_dir().join(format!("chill-trial-{}", name()));
    let url = DbUrl::sqlite(directory.join("chillproxy.db"));
    let db = Db::open(&url, options).await.expect("a SQLite file in the temporary directory");
    Trial { db, url, directory: Some(directory), server: None }
}

/// A database of its own on the PostgreSQL server of the test run.
///
/// # Panics
/// When there is none.
#[expect(clippy::expect_used, reason = "a test that has no database must fail")]
pub async fn postgres() -> Trial {
    let trial = new_postgres().await;
    trial.db.migrate().await.expect("the migrations on PostgreSQL");
    trial
}

#[expect(clippy::expect_used, reason = "a test that has no database must fail")]
async fn new_postgres() -> Trial {
    let server = postgres_server();
    let name = format!("trial_{}", name());
    administer(&server, format!("CREATE DATABASE {name}")).await.expect("a new PostgreSQL database");
    let (place, _) = server.expose().rsplit_once('/').expect("a database in CHILL_TEST_POSTGRES_URL");
    let url: DbUrl = format!("{place}/{name}").parse().expect("CHILL_TEST_POSTGRES_URL");
    let db = Db::open(&url, Options::default()).await.expect("the new PostgreSQL database");
    Trial { db, url, directory: None, server: Some((server, name)) }
}

#[expect(clippy::disallowed_methods, reason = "the test run says where its server is")]
#[expect(clippy::expect_used, reason = "a test that has no database must fail")]
fn postgres_server() -> Secret {
    let url = std::env::var("CHILL_TEST_POSTGRES_URL")
        .expect("CHILL_TEST_POSTGRES_URL is not set: run `cargo xtask test`, which starts a PostgreSQL server");
    Secret::new(url)
}

async fn administer(server: &Secret, statement: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(server.expose()).await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await?;
    connection.close().await
}

/// A name that no other test has.
#[expect(clippy::expect_used, reason = "a test without random bytes must fail")]
fn name() -> String {
    Chance::System.bytes::<8>().expect("random bytes").iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Trial {
    /// Opens the same database once more, as another process would.
    ///
    /// # Panics
    /// When it cannot be opened.
    #[expect(clippy::expect_used, reason = "a test that has no database must fail")]
    pub async fn again(&self, options: Options) -> Db {
        Db::open(&self.url, options).await.expect("the same database again")
    }

    /// The directory of a SQLite trial, for other files of the test.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// The whole URL, password included, for a program that a test starts.
    #[must_use]
    pub fn full_url(&self) -> String {
        match self.url.place() {
            Place::Sqlite(path) => format!("sqlite://{}", path.display()),
            Place::Postgres(url) => url.expose().to_owned(),
        }
    }

    /// Closes and removes it.
    pub async fn end(self) {
        // Another handle of the test may be open still: then closing would wait for it.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(2), self.db.close()).await;
        if let Some(directory) = &self.directory {
            let _ = std::fs::remove_dir_all(directory);
        }
        if let Some((server, name)) = &self.server {
            let _ = administer(server, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }
}

statements! {
    CROWD = "INSERT INTO users (id, name, name_key, status, device_count, created_at) \
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[0]'), json_extract(value, '$[0]'), 'active', $2, $3 \
        FROM json_each(CAST($1 AS TEXT))";
    CROWD_LINKS = "INSERT INTO links (link_id, user_id, current, created_at) \
        SELECT json_extract(value, '$[1]'), json_extract(value, '$[0]'), TRUE, $2 FROM json_each(CAST($1 AS TEXT))";
}

/// Puts users into a database, each with devices `known-0`, `known-1`, … that are active and, where `seat` says so, with a key:
/// a crowd to measure on, made faster than by adding one after the other. Returns their links.
///
/// # Errors
/// [`DbError`].
pub async fn crowd(
    db: &Db,
    users: usize,
    devices: usize,
    store: StoreCode,
    seat: impl Fn(usize) -> Option<KeyId>,
) -> Result<Vec<LinkId>, DbError> {
    let (now, chance) = (Clock::System.now(), Chance::System);
    let other = |error: chill_core::chance::NoChance| DbError::Other(error.to_string());
    let (mut people, mut places, mut seats, mut assigned) = (Vec::new(), Vec::new(), Vec::new(), BTreeMap::new());
    for n in 0..users {
        let (user, link) = (UserId::new(now, &chance).map_err(other)?, LinkId::new(now, &chance).map_err(other)?);
        for known in 0..devices {
            let id = KeyId::new(now, &chance).map_err(other)?.to_string();
            let device = format!("known-{known}").parse().map_err(|_| DbError::Other("no device".to_owned()))?;
            places.push(NewDevice { id, user, device, label: None });
        }
        if let Some(key) = seat(n) {
            *assigned.entry(key.clone()).or_default() += 1_i64;
            seats.push(Seat { user, store, key });
        }
        people.push((user, link));
    }
    let mut tx = db.write().await?;
    let list = json(&people)?;
    run!(done tx, CROWD, &list, i64::try_from(devices).unwrap_or(0), now)?;
    run!(done tx, CROWD_LINKS, &list, now)?;
    tx.devices_insert(&places, now).await?;
    tx.seats_put(&seats, now).await?;
    tx.keys_add_assigned(&assigned.into_iter().collect::<Vec<_>>()).await?;
    tx.commit().await?;
    Ok(people.into_iter().map(|(_, link)| link).collect())
}
