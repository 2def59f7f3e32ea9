//! Databases for the tests of this workspace: a SQLite file in a temporary directory, and a database of its own on the
//! PostgreSQL server that `CHILL_TEST_POSTGRES_URL` names. Both are empty but migrated, and gone after the test.
//!
//! Nothing of the product calls this. Start reading at [`both`].

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use chill_core::{Chance, Secret};
use futures_util::FutureExt;
use sqlx::{Connection, PgConnection};

use crate::url::Place;
use crate::{Db, DbUrl, Options};

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
