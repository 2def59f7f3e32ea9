//! Titles imported from IMDb's dataset: looked up by id, without a network.

use std::collections::HashMap;

use async_trait::async_trait;
use chill_core::{ContentId, SourceError, Title, Titles};

use crate::column::sum;
use crate::engine::run;
use crate::list::json;
use crate::statement::statements;
use crate::{Db, DbError, Tx};

/// Titles written by one statement.
const AT_ONCE: usize = 2_000;
/// Characters kept of a title.
const TEXT: usize = 300;

/// A film or series of the dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImdbTitle {
    /// IMDb id with its `tt`.
    pub imdb: String,
    /// IMDb's word for what it is: `movie`, `tvSeries`, …
    pub kind: String,
    /// What it is called.
    pub title: String,
    /// What it is called where it comes from, when that is something else.
    pub original_title: Option<String>,
    /// Year of the film, or the first year of the series.
    pub year: Option<u16>,
}

/// How far an import got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImdbImport {
    /// Which file, by its fingerprint.
    pub file: String,
    /// How many of its lines are in the database.
    pub lines: u64,
    /// Whether that is all of them.
    pub done: bool,
}

statements! {
    PUT = "INSERT INTO imdb_titles (imdb, kind, title, original_title, year) \
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), \
        json_extract(value, '$[3]'), CAST(json_extract(value, '$[4]') AS BIGINT) \
        FROM json_each(CAST($1 AS TEXT)) WHERE TRUE \
        ON CONFLICT (imdb) DO UPDATE SET kind = excluded.kind, title = excluded.title, \
        original_title = excluded.original_title, year = excluded.year \
        WHERE imdb_titles.title <> excluded.title OR imdb_titles.kind <> excluded.kind \
        OR imdb_titles.year IS DISTINCT FROM excluded.year \
        OR imdb_titles.original_title IS DISTINCT FROM excluded.original_title";
    FIND = "SELECT imdb, kind, title, original_title, year FROM imdb_titles WHERE imdb = $1";
    COUNT = "SELECT COUNT(*) FROM imdb_titles";
    IMPORT = "SELECT file, lines, done FROM imdb_import WHERE id = 1";
    NOTE_IMPORT = "INSERT INTO imdb_import (id, file, lines, done) VALUES (1, $1, $2, $3) \
        ON CONFLICT (id) DO UPDATE SET file = excluded.file, lines = excluded.lines, done = excluded.done";
}

/// A text without control characters, which PostgreSQL would partly refuse, and of bounded length.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT).collect()
}

impl Tx {
    /// Writes titles, the later of two with one id. Those that are there already and did not change cost no write.
    /// Returns how many rows were written.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn imdb_put(&mut self, titles: &[ImdbTitle]) -> Result<u64, DbError> {
        let mut written = 0;
        for titles in titles.chunks(AT_ONCE) {
            let rows: HashMap<&str, _> = titles
                .iter()
                .map(|title| {
                    let original = title.original_title.as_deref().map(plain);
                    (title.imdb.as_str(), (&title.imdb, &title.kind, plain(&title.title), original, title.year))
                })
                .collect();
            // In the order of ids, so that neighbours of the table are written together.
            let mut rows: Vec<_> = rows.into_values().collect();
            rows.sort_unstable_by_key(|row| row.0);
            written += run!(done self, PUT, json(&rows)?)?;
        }
        Ok(written)
    }

    /// The title with this id (`tt0063350`).
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn imdb_title(&mut self, imdb: &str) -> Result<Option<ImdbTitle>, DbError> {
        type Columns = (String, String, String, Option<String>, Option<i64>);
        let row = run!(maybe self, Columns, FIND, imdb)?;
        Ok(row.map(|(imdb, kind, title, original_title, year)| {
            let year = year.and_then(|year| u16::try_from(year).ok());
            ImdbTitle { imdb, kind, title, original_title, year }
        }))
    }

    /// How many titles there are. Reads all of them.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn imdb_count(&mut self) -> Result<u64, DbError> {
        run!(one self, (i64,), COUNT).map(|(count,)| sum(count))
    }

    /// How far the last import got.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn imdb_import(&mut self) -> Result<Option<ImdbImport>, DbError> {
        let row = run!(maybe self, (String, i64, bool), IMPORT)?;
        Ok(row.map(|(file, lines, done)| ImdbImport { file, lines: sum(lines), done }))
    }

    /// Notes how far an import got: in the transaction that wrote the titles, so that both are true or neither.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn imdb_note_import(&mut self, import: &ImdbImport) -> Result<(), DbError> {
        run!(done self, NOTE_IMPORT, &import.file, crate::column::bytes(import.lines), import.done).map(|_| ())
    }
}

/// The imported titles as a place that knows titles. What was not imported is unknown to it.
#[derive(Clone, Debug)]
pub struct ImdbTitles {
    db: Db,
}

impl ImdbTitles {
    /// Those in a migrated database.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn find(&self, imdb: &str) -> Result<Option<ImdbTitle>, DbError> {
        self.db.read().await?.imdb_title(imdb).await
    }
}

#[async_trait]
impl Titles for ImdbTitles {
    async fn title(&self, content: &ContentId) -> Result<Option<Title>, SourceError> {
        let Some(imdb) = content.imdb() else { return Ok(None) };
        let found = self.find(imdb).await;
        let found =
            found.map_err(|e| SourceError { origin: "the imported titles".to_owned(), message: e.to_string() })?;
        Ok(found.map(|found| {
            let also = found.original_title.into_iter().collect();
            Title { also, ..Title::new(found.title, found.year) }
        }))
    }
}
