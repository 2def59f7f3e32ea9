//! The two engines hold the same tables, and understand the same statements.

use std::collections::BTreeMap;

use sqlx::{Executor, SqlSafeStr};

use crate::engine::Engine;
use crate::statement::Statement;
use crate::trial;
use crate::{Db, Schema};

fn statements() -> Vec<Statement> {
    [
        crate::assignment::STATEMENTS,
        crate::audit::STATEMENTS,
        crate::change::STATEMENTS,
        crate::device::STATEMENTS,
        crate::key::STATEMENTS,
        crate::known::STATEMENTS,
        crate::master::STATEMENTS,
        crate::migrate::STATEMENTS,
        crate::usage::STATEMENTS,
        crate::user::STATEMENTS,
    ]
    .concat()
}

async fn prepare(db: &Db, statement: &Statement) -> Result<(), sqlx::Error> {
    match &db.inner.engine {
        Engine::Sqlite { writer, .. } => writer.prepare(statement.sqlite.into_sql_str()).await.map(|_| ()),
        Engine::Postgres(pool) => pool.prepare(statement.postgres.into_sql_str()).await.map(|_| ()),
    }
}

#[tokio::test]
async fn every_statement_prepares() {
    trial::both(async |trial| {
        for statement in statements() {
            if let Err(error) = prepare(&trial.db, &statement).await {
                panic!("{}: {error}", statement.name);
            }
        }
    })
    .await;
}

/// A query outside of the lists would escape the test above: each file that has one is in its list.
#[test]
fn no_file_with_statements_is_forgotten() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut files = 0;
    for entry in std::fs::read_dir(root).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
        files += usize::from(text.contains("\nstatements! {"));
    }
    // The ten above, and the spool, whose every statement runs in its own tests.
    assert_eq!(files, 11);
}

#[tokio::test]
async fn a_wrong_column_is_found() {
    let wrong = "SELECT nonsense FROM users";
    let statement = Statement { name: "WRONG", sqlite: wrong, postgres: wrong };
    trial::both(async |trial| assert!(prepare(&trial.db, &statement).await.is_err())).await;
}

/// Tables with their columns: type and whether it may be NULL.
type Tables = BTreeMap<(String, String), (String, bool)>;

async fn tables(db: &Db) -> Tables {
    let columns: Vec<(String, String, String, bool)> = match &db.inner.engine {
        Engine::Sqlite { writer, .. } => sqlx::query_as(
            "SELECT t.name, c.name, c.type, c.\"notnull\" = 0 FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'",
        )
        .fetch_all(writer)
        .await
        .unwrap(),
        Engine::Postgres(pool) => sqlx::query_as(
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' \
             FROM information_schema.columns WHERE table_schema = 'public'",
        )
        .fetch_all(pool)
        .await
        .unwrap(),
    };
    let kind = |kind: String| if kind == "bytea" { "BLOB".to_owned() } else { kind.to_uppercase() };
    columns.into_iter().map(|(table, column, of, null)| ((table, column), (kind(of), null))).collect()
}

#[tokio::test]
async fn both_engines_have_the_same_tables() {
    let (sqlite, postgres) = (trial::sqlite().await, trial::postgres().await);
    let (ours, theirs) = (tables(&sqlite.db).await, tables(&postgres.db).await);
    sqlite.end().await;
    postgres.end().await;
    assert!(ours.len() > 80);
    assert_eq!(ours, theirs);
}

#[tokio::test]
async fn migrating_twice_does_nothing_and_a_newer_database_is_refused() {
    trial::both(async |trial| {
        let db = &trial.db;
        assert_eq!(db.schema().await.unwrap(), Schema::Current);
        assert_eq!(db.migrate().await.unwrap(), 0);
        let newer = "INSERT INTO migrations (number, name) VALUES (9999, '9999_from_tomorrow')";
        match &db.inner.engine {
            Engine::Sqlite { writer, .. } => drop(sqlx::query(newer).execute(writer).await.unwrap()),
            Engine::Postgres(pool) => drop(sqlx::query(newer).execute(pool).await.unwrap()),
        }
        let said = db.migrate().await.unwrap_err().to_string();
        assert!(said.contains("newer chillproxy") && said.contains("9999_from_tomorrow"), "{said}");
        assert!(db.schema().await.is_err());
    })
    .await;
}

#[tokio::test]
async fn two_processes_migrate_one_after_the_other() {
    trial::empty(async |trial| {
        let again = trial.again(crate::Options::default()).await;
        assert!(matches!(again.schema().await.unwrap(), Schema::Behind(1..)));
        let (one, two) = tokio::join!(trial.db.migrate(), again.migrate());
        let mut steps = [one.unwrap(), two.unwrap()];
        steps.sort_unstable();
        assert!(steps[0] == 0 && steps[1] > 0, "{steps:?}");
        again.close().await;
    })
    .await;
}
