//! The two engines under test: a SQLite file of the system's own, or a fresh database on a real PostgreSQL.

use std::process::Command;

/// Where `cargo xtask test` says its PostgreSQL is.
const POSTGRES: &str = "CHILL_TEST_POSTGRES_URL";

/// A database for one system; a PostgreSQL one is dropped with it.
pub(crate) enum TestDatabase {
    Sqlite,
    Postgres { server: String, name: String },
}

impl TestDatabase {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite
    }

    /// A fresh database on the test PostgreSQL.
    pub(crate) fn postgres() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one door through which xtask tells where PostgreSQL is")]
        let server = std::env::var(POSTGRES)
            .unwrap_or_else(|_| panic!("{POSTGRES} is not set: run `cargo xtask test`, which starts a PostgreSQL"));
        let nanos = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        let name = format!("it_{}_{nanos}", std::process::id());
        psql(&server, &format!("CREATE DATABASE {name}"));
        Self::Postgres { server, name }
    }

    /// What `DATABASE_URL` must say; none for the default.
    pub(crate) fn url(&self) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres { server, name } => {
                let mut url = url::Url::parse(server).unwrap();
                url.set_path(name);
                Some(url.into())
            }
        }
    }

    /// Ends every session of it at once, as PostgreSQL does when it dies.
    pub(crate) fn end_sessions(&self) {
        if let Self::Postgres { server, name } = self {
            let sessions = format!("pg_stat_activity WHERE datname = '{name}'");
            psql(server, &format!("SELECT count(pg_terminate_backend(pid)) FROM {sessions}"));
        }
    }

    /// What a query answers, its columns separated by `|`.
    pub(crate) fn query(&self, sql: &str) -> String {
        let url = self.url().expect("a query is for PostgreSQL");
        let output = Command::new("psql").args([&url, "-XqAtc", sql]).output().expect("psql is installed");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Self::Postgres { server, name } = self
            && !std::thread::panicking()
        {
            psql(server, &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

fn psql(server: &str, sql: &str) {
    let output = Command::new("psql").args([server, "-qc", sql]).output().expect("psql is installed with PostgreSQL");
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Runs one story on both engines, as two tests.
macro_rules! on_both_engines {
    ($($story:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")] async fn $story() { super::$story(crate::database::TestDatabase::sqlite()).await; })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")] async fn $story() { super::$story(crate::database::TestDatabase::postgres()).await; })*
        }
    };
}
pub(crate) use on_both_engines;
