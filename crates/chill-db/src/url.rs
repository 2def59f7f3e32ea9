//! Where a database is: `sqlite://path` or `postgres://…`. The text may hold a password, so it never shows itself.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chill_core::Secret;

/// A database's address.
#[derive(Clone)]
pub struct DbUrl(Place);

#[derive(Clone)]
pub(crate) enum Place {
    /// A file; its directory is made when it is missing.
    Sqlite(PathBuf),
    /// A server; the whole URL.
    Postgres(Secret),
}

/// A text that is no database address. It is not repeated here, since it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the database URL is not valid: expected sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME")]
pub struct InvalidDbUrl;

impl DbUrl {
    /// A SQLite file.
    #[must_use]
    pub fn sqlite(path: impl AsRef<Path>) -> Self {
        Self(Place::Sqlite(path.as_ref().to_owned()))
    }

    /// Whether it is a file on this machine.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        matches!(self.0, Place::Sqlite(_))
    }

    pub(crate) fn place(&self) -> &Place {
        &self.0
    }
}

impl FromStr for DbUrl {
    type Err = InvalidDbUrl;
    fn from_str(text: &str) -> Result<Self, InvalidDbUrl> {
        let text = text.trim();
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self(Place::Postgres(Secret::new(text))));
        }
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).ok_or(InvalidDbUrl)?;
        let path = path.split('?').next().unwrap_or(path);
        if path.is_empty() || path.ends_with('/') || path.contains('\0') {
            return Err(InvalidDbUrl);
        }
        Ok(Self::sqlite(path))
    }
}

impl fmt::Display for DbUrl {
    /// Engine and place, never user or password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Place::Postgres(_) => f.write_str("postgres://…"),
        }
    }
}

impl fmt::Debug for DbUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DbUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_servers_are_read() {
        for text in ["sqlite:///var/lib/x.db", "sqlite://./data/x.db", "sqlite:x.db?mode=rwc"] {
            assert!(text.parse::<DbUrl>().unwrap().is_sqlite(), "{text}");
        }
        assert!(!"postgres://a:b@c/d".parse::<DbUrl>().unwrap().is_sqlite());
        for text in ["", "sqlite://", "sqlite:///dir/", "mysql://a", "/var/lib/x.db"] {
            assert_eq!(text.parse::<DbUrl>().unwrap_err(), InvalidDbUrl, "{text}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let url: DbUrl = "postgres://chill:hunter2@db/chill".parse().unwrap();
        assert!(!format!("{url} {url:?}").contains("hunter2"));
    }
}
