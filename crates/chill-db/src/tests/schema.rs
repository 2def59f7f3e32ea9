//! The two engines hold the same tables, and understand the same statements.

use std::collections::BTreeMap;

use sqlx::{Executor, SqlSafeStr};

use crate::engine::Engine;
use crate::statement::Statement;
use crate::trial;
use crate::{Db, Schema};

fn statements() -> Vec<Statement> {
    [
        crate::anime::STATEMENTS,
        crate::assignment::STATEMENTS,
        crate::audit::STATEMENTS,
        crate::change::STATEMENTS,
        crate::device::STATEMENTS,
        crate::imdb::STATEMENTS,
        crate::key::STATEMENTS,
        crate::known::STATEMENTS,
        crate::lease::STATEMENTS,
        crate::listed::STATEMENTS,
        crate::master::STATEMENTS,
        crate::migrate::STATEMENTS,
        crate::place::STATEMENTS,
        crate::trial::STATEMENTS,
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

#[tokio::test]
async fn every_statement_of_the_spool_prepares() {
    let trial = trial::sqlite().await;
    let path = trial.directory().unwrap().join("spool.db");
    crate::SqliteSpool::open(&path).await.unwrap().close().await;
    let db = Db::open(&crate::DbUrl::sqlite(&path), crate::Options::default()).await.unwrap();
    for statement in crate::spool::STATEMENTS {
        prepare(&db, statement).await.unwrap();
    }
    trial.end().await;
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
    // The sixteen above, and the spool.
    assert_eq!(files, 17);
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

/// Statements that every lease or every usage report needs.
const OFTEN: &[&str] = &[
    "ASKERS",
    "ASKED",
    "DEVICE_IDS",
    "USERS_BY_LINK",
    "LOCK_USERS",
    "TAKE_PLACES",
    "DEVICES_AWAY",
    "TOUCH",
    "SEATS_OF_USERS",
];

/// How an engine would run a statement whose parameters it does not know yet.
async fn plan(db: &Db, statement: &Statement) -> String {
    match &db.inner.engine {
        Engine::Sqlite { writer, .. } => {
            let asked = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", statement.sqlite));
            let steps: Vec<(i64, i64, i64, String)> = sqlx::query_as(asked).fetch_all(writer).await.unwrap();
            steps.into_iter().map(|step| step.3 + "\n").collect()
        }
        Engine::Postgres(pool) => {
            let mut connection = pool.acquire().await.unwrap();
            let nulls = (1..).take_while(|n| statement.postgres.contains(&format!("${n}"))).map(|_| "NULL");
            let nulls: Vec<_> = nulls.collect();
            let prepared = format!(
                "DEALLOCATE ALL; SET plan_cache_mode = force_generic_plan; PREPARE often AS {}",
                statement.postgres
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(prepared)).execute(&mut *connection).await.unwrap();
            let asked = sqlx::AssertSqlSafe(format!("EXPLAIN EXECUTE often({})", nulls.join(", ")));
            let steps = sqlx::raw_sql(asked).fetch_all(&mut *connection).await.unwrap();
            connection.close().await.unwrap();
            steps.iter().map(|step| sqlx::Row::get::<String, _>(step, 0) + "\n").collect()
        }
    }
}

#[tokio::test]
async fn what_is_asked_often_reads_no_table_from_end_to_end() {
    trial::both(async |trial| {
        let mut tx = trial.db.write().await.unwrap();
        for n in 0..2_000 {
            let user = super::user(&mut tx, &format!("user {n}")).await;
            let id = format!("device {n}");
            let (device, label) = ("tv".parse().unwrap(), None);
            let new = crate::NewDevice { id, user: user.id, device, label };
            tx.devices_insert(&[new], super::NOW).await.unwrap();
        }
        tx.commit().await.unwrap();
        match &trial.db.inner.engine {
            Engine::Sqlite { writer, .. } => drop(sqlx::query("ANALYZE").execute(writer).await.unwrap()),
            Engine::Postgres(pool) => drop(sqlx::query("ANALYZE").execute(pool).await.unwrap()),
        }
        for name in OFTEN {
            let statement = statements().into_iter().find(|known| known.name == *name).unwrap();
            let plan = plan(&trial.db, &statement).await;
            let on_postgres = |step: &str| {
                ["users", "links", "devices"].iter().any(|table| step.contains(&format!("Seq Scan on {table}")))
            };
            // The list itself is a virtual table, and read whole; so is what is made of it once.
            let on_sqlite =
                |step: &str| step.starts_with("SCAN ") && !step.contains("VIRTUAL TABLE") && step.trim() != "SCAN p";
            assert!(!plan.lines().any(|step| on_postgres(step) || on_sqlite(step)), "{name}: {plan}");
        }
    })
    .await;
}

/// On PostgreSQL by a trigger, on SQLite by a foreign key.
#[tokio::test]
async fn a_user_who_goes_takes_his_devices_along() {
    trial::both(async |trial| {
        let mut tx = trial.db.write().await.unwrap();
        let (anna, berta) = (super::user(&mut tx, "Anna").await, super::user(&mut tx, "Berta").await);
        for user in [anna.id, berta.id] {
            let (id, device, label) = (format!("of {user}"), "tv".parse().unwrap(), None);
            tx.devices_insert(&[crate::NewDevice { id, user, device, label }], super::NOW).await.unwrap();
        }
        tx.user_delete(anna.id).await.unwrap();
        assert!(tx.devices_of(anna.id, 10).await.unwrap().is_empty());
        assert_eq!(tx.devices_of(berta.id, 10).await.unwrap().len(), 1);
        tx.commit().await.unwrap();
    })
    .await;
}
