//! Bringing a database to the form this program knows. Applied steps are never edited; new ones only add.

use sqlx::raw_sql;

use crate::engine::{Open, run};
use crate::statement::statements;
use crate::{Db, DbError, Tx};

struct Step {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! steps {
    ($($number:literal $name:literal;)*) => {
        &[$(Step {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../migrations/postgres/", $name, ".sql")),
        }),*]
    };
}

const STEPS: &[Step] = steps! {
    1 "0001_init";
    2 "0002_imdb_titles";
    3 "0003_audit_chain";
    4 "0004_anime_ids";
    5 "0005_known_titles";
    6 "0006_keys_by_load";
    7 "0007_anime_by_imdb";
    8 "0008_known_users";
};

statements! {
    TAKEN = "SELECT number, name FROM migrations ORDER BY number";
    TAKE = "INSERT INTO migrations (number, name) VALUES ($1, $2)";
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL)";

/// Any number that is ours alone; held until the transaction ends.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7236837651)";

/// How a database stands to this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// As this program knows it.
    Current,
    /// So many steps are missing: run `chillproxy migrate`.
    Behind(usize),
}

impl Db {
    /// Takes all missing steps, in one transaction, one process at a time. Returns how many there were.
    ///
    /// # Errors
    /// [`DbError`]; [`DbError::Other`] with a sentence when a newer program has migrated it already.
    pub async fn migrate(&self) -> Result<usize, DbError> {
        let mut tx = self.write().await?;
        match &mut tx.open {
            Open::Sqlite(tx) => raw_sql(TABLE).execute(&mut **tx).await.map(|_| ())?,
            Open::Postgres(tx) => {
                raw_sql(LOCK).execute(tx.connection()).await?;
                raw_sql(TABLE).execute(tx.connection()).await?;
            }
        }
        let missing = tx.missing_steps().await?;
        for step in missing {
            match &mut tx.open {
                Open::Sqlite(tx) => raw_sql(step.sqlite).execute(&mut **tx).await.map(|_| ())?,
                Open::Postgres(tx) => raw_sql(step.postgres).execute(tx.connection()).await.map(|_| ())?,
            }
            run!(done tx, TAKE, step.number, step.name)?;
        }
        tx.commit().await?;
        Ok(missing.len())
    }

    /// How the database stands, without changing it. An empty one is behind by all steps.
    ///
    /// # Errors
    /// [`DbError`]; [`DbError::Other`] with a sentence when a newer program has migrated it.
    pub async fn schema(&self) -> Result<Schema, DbError> {
        let mut tx = self.read().await?;
        let found = match &mut tx.open {
            Open::Sqlite(tx) => {
                const FIND: &str = "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'";
                sqlx::query_as::<_, (i64,)>(FIND).fetch_one(&mut **tx).await?.0 > 0
            }
            Open::Postgres(tx) => {
                const FIND: &str = "SELECT to_regclass('migrations') IS NOT NULL";
                sqlx::query_as::<_, (bool,)>(FIND).fetch_one(tx.connection()).await?.0
            }
        };
        let missing = if found { tx.missing_steps().await?.len() } else { STEPS.len() };
        Ok(if missing == 0 { Schema::Current } else { Schema::Behind(missing) })
    }
}

impl Tx {
    async fn missing_steps(&mut self) -> Result<&'static [Step], DbError> {
        let taken = run!(all self, (i64, String), TAKEN)?;
        let last_known = STEPS.last().map_or("none", |step| step.name);
        if let Some((_, name)) = taken.iter().find(|(number, _)| STEPS.iter().all(|step| step.number != *number)) {
            return Err(DbError::Other(format!(
                "the database was migrated by a newer chillproxy (step {name}; this one knows up to {last_known}): \
                 run that release, or restore the backup made before it"
            )));
        }
        Ok(STEPS.get(taken.len()..).unwrap_or_default())
    }
}
