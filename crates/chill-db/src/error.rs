//! What can go wrong with a database, by what to do about it.

/// A database did not do what it was asked. No text here holds the URL's password or a bound value.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Locked, full, gone or overloaded; nothing was written. Trying later may help.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A row that must be unique exists already; the constraint's name.
    #[error("the database has this already ({0})")]
    Conflict(String),
    /// A stored value cannot be read: restore a backup or repair the row.
    #[error("the table {table} holds something that cannot be read: {what}")]
    Corrupt {
        /// Where.
        table: &'static str,
        /// What, without the value.
        what: String,
    },
    /// Anything else; a fault of this program or of the set-up.
    #[error("{0}")]
    Other(String),
}

impl DbError {
    /// Whether trying again later may help.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// Whether a row that must be unique was there already.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }

    pub(crate) fn corrupt(table: &'static str, what: &str) -> Self {
        Self::Corrupt { table, what: what.to_owned() }
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(fault) => from_engine(&*fault),
            sqlx::Error::PoolTimedOut => Self::Unavailable("no connection became free in time".to_owned()),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Self::Unavailable(error.to_string()),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::Corrupt { table: "a queried one", what: error.to_string() }
            }
            other => Self::Other(format!("the database refused: {other}")),
        }
    }
}

/// SQLite's result codes are numbers (<https://sqlite.org/rescode.html>), PostgreSQL's five characters (appendix A of its
/// manual), so one reading serves both.
fn from_engine(fault: &dyn sqlx::error::DatabaseError) -> DbError {
    if fault.is_unique_violation() {
        return DbError::Conflict(fault.constraint().unwrap_or_else(|| fault.message()).to_owned());
    }
    let code = fault.code().unwrap_or_default();
    let message = fault.message().to_owned();
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => match number & 0xff {
            // Busy, locked, read-only, interrupted, input/output, full, cannot open, changed schema or protocol.
            5 | 6 | 8 | 9 | 10 | 13 | 14 | 15 | 17 => DbError::Unavailable(message),
            11 | 26 => DbError::Corrupt { table: "(file)", what: message },
            _ => DbError::Other(format!("the database refused: {message}")),
        },
        // Connection, serialization and deadlock, resources, operator, system and internal trouble.
        _ => match code.get(..2) {
            Some("08" | "40" | "53" | "55" | "57" | "58" | "25") => DbError::Unavailable(message),
            Some("XX") => DbError::Corrupt { table: "(server)", what: message },
            Some("28" | "3D") => DbError::Other(format!("the database does not let us in: {message}")),
            _ => DbError::Other(format!("the database refused: {message}")),
        },
    }
}
