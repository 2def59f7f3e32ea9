//! Known torrents as lists for other programs: the newest, those of a film or series, and what those are called.

use std::collections::BTreeSet;

use chill_core::{ContentId, Listed, Millis};

use crate::column::{count, parse, sum};
use crate::engine::run;
use crate::list::json;
use crate::statement::statements;
use crate::{DbError, Tx};

/// Torrents of one list.
const TORRENTS: usize = 1_000;
/// Names of one film or series.
const NAMES: usize = 8;
/// Characters of a name.
const TEXT: usize = 200;

statements! {
    NEWEST = "SELECT t.hash, t.name, t.size, t.seeders, t.seen_at, \
        (SELECT MIN(c.content_id) FROM known_contents c WHERE c.hash = t.hash) \
        FROM known_torrents t ORDER BY t.seen_at DESC, t.hash LIMIT $1";
    OF_WORK = "SELECT t.hash, t.name, t.size, t.seeders, t.seen_at, MIN(c.content_id) FROM known_contents c \
        JOIN known_torrents t ON t.hash = c.hash WHERE c.imdb = $1 \
        GROUP BY t.hash, t.name, t.size, t.seeders, t.seen_at ORDER BY t.seen_at DESC, t.hash LIMIT $2";
    CALLED = "SELECT work FROM known_titles WHERE title = $1 ORDER BY seen_at DESC, work LIMIT 5";
    CALL = "INSERT INTO known_titles (title, work, seen_at) SELECT value, $2, $3 FROM json_each(CAST($1 AS TEXT)) WHERE TRUE \
        ON CONFLICT (title, work) DO UPDATE SET seen_at = excluded.seen_at";
    FORGET_TITLES = "DELETE FROM known_titles WHERE seen_at < $1 AND title IN \
        (SELECT title FROM known_titles WHERE seen_at < $1 ORDER BY seen_at LIMIT 1000)";
}

type Columns = (String, String, Option<i64>, Option<i64>, i64, Option<String>);

impl Tx {
    /// The torrents that were seen last, newest first, at most 1,000.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn known_newest(&mut self, limit: usize) -> Result<Vec<Listed>, DbError> {
        let limit = i64::try_from(limit.min(TORRENTS)).unwrap_or_default();
        run!(all self, Columns, NEWEST, limit)?.into_iter().filter_map(listed).collect()
    }

    /// All torrents of a film or series, newest first, at most 1,000.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn known_of_work(&mut self, work: &str) -> Result<Vec<Listed>, DbError> {
        let limit = i64::try_from(TORRENTS).unwrap_or_default();
        run!(all self, Columns, OF_WORK, work, limit)?.into_iter().filter_map(listed).collect()
    }

    /// Ids of films and series of this name, at most 5.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn known_called(&mut self, title: &str) -> Result<Vec<String>, DbError> {
        let rows = run!(all self, (String,), CALLED, title)?;
        Ok(rows.into_iter().map(|(work,)| work).collect())
    }

    /// Remembers what a film or series is called.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn known_call(&mut self, work: &str, names: &[String], now: Millis) -> Result<(), DbError> {
        let fits =
            |name: &&String| !name.is_empty() && name.chars().count() <= TEXT && !name.contains(char::is_control);
        let names: BTreeSet<&String> = names.iter().filter(fits).take(NAMES).collect();
        run!(done self, CALL, json(&names)?, work, now).map(|_| ())
    }

    /// Forgets names that were not used since a time, at most those of 1,000 films or series.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn known_forget_titles(&mut self, before: Millis) -> Result<u64, DbError> {
        run!(done self, FORGET_TITLES, before)
    }
}

/// One whose film or series is not known any more is left out.
fn listed((hash, name, size, seeders, seen_at, content): Columns) -> Option<Result<Listed, DbError>> {
    let content: ContentId = content?.parse().ok()?;
    let hash = match parse("known_torrents", &hash) {
        Ok(hash) => hash,
        Err(error) => return Some(Err(error)),
    };
    Some(Ok(Listed { hash, name, size: size.map(sum), seeders: seeders.map(count), content, seen_at }))
}
