//! Known torrents: what sources found for a film or series, and the files stores listed.

use std::collections::HashSet;

use chill_core::{ContentId, Found, InfoHash, KnownFile, KnownTorrent, Millis};

use crate::column::{bytes, parse, sum};
use crate::engine::run;
use crate::list::json;
use crate::statement::statements;
use crate::{DbError, Tx};

/// Torrents one question is answered with, at most.
const TORRENTS: usize = 500;
/// Files kept per torrent.
const FILES: usize = 2_000;
/// Characters kept of a name or path.
const TEXT: usize = 1_024;

statements! {
    REMEMBER_TORRENTS = "INSERT INTO known_torrents (hash, name, size, seeders, source, seen_at) \
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), CAST(json_extract(value, '$[2]') AS BIGINT), \
        CAST(json_extract(value, '$[3]') AS BIGINT), json_extract(value, '$[4]'), $2 \
        FROM json_each(CAST($1 AS TEXT)) WHERE TRUE \
        ON CONFLICT (hash) DO UPDATE SET name = excluded.name, size = COALESCE(excluded.size, known_torrents.size), \
        seeders = COALESCE(excluded.seeders, known_torrents.seeders), source = excluded.source, \
        seen_at = excluded.seen_at";
    REMEMBER_CONTENTS = "INSERT INTO known_contents (imdb, content_id, hash, exact, seen_at) \
        SELECT $2, $3, json_extract(value, '$[0]'), CAST(json_extract(value, '$[5]') AS BIGINT) = 1, $4 \
        FROM json_each(CAST($1 AS TEXT)) WHERE TRUE \
        ON CONFLICT (imdb, content_id, hash) DO UPDATE SET exact = known_contents.exact OR excluded.exact, \
        seen_at = excluded.seen_at";
    FIND = "SELECT t.hash, t.name, t.size, t.seeders, t.source, c.exact, c.content_id, f.files FROM known_contents c \
        JOIN known_torrents t ON t.hash = c.hash LEFT JOIN known_files f ON f.hash = c.hash WHERE c.imdb = $1 \
        ORDER BY CASE WHEN c.content_id = $2 THEN 0 ELSE 1 END, c.seen_at DESC, t.hash LIMIT 1000";
    REMEMBER_FILES = "INSERT INTO known_files (hash, files, seen_at) VALUES ($1, $2, $3) \
        ON CONFLICT (hash) DO UPDATE SET files = excluded.files, seen_at = excluded.seen_at";
    FORGET_TORRENTS = "DELETE FROM known_torrents WHERE seen_at < $1 AND hash IN \
        (SELECT hash FROM known_torrents WHERE seen_at < $1 ORDER BY seen_at LIMIT 1000)";
    FORGET_FILES = "DELETE FROM known_files WHERE seen_at < $1 AND hash IN \
        (SELECT hash FROM known_files WHERE seen_at < $1 ORDER BY seen_at LIMIT 1000)";
}

/// A text without control characters, which PostgreSQL would partly refuse, and of bounded length.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT).collect()
}

impl Tx {
    /// Torrents remembered for a content first, then for other episodes of its series (those no longer `exact`), newest
    /// first, at most 500.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn known_find(&mut self, content: &ContentId) -> Result<Vec<KnownTorrent>, DbError> {
        type Columns = (String, String, Option<i64>, Option<i64>, String, bool, String, Option<String>);
        let id = content.to_string();
        let rows = run!(all self, Columns, FIND, content.work().as_ref(), &id)?;
        let mut seen = HashSet::new();
        let mut known = Vec::new();
        for (hash, name, size, seeders, source, exact, of, files) in rows {
            let hash: InfoHash = parse("known_torrents", &hash)?;
            if known.len() == TORRENTS || !seen.insert(hash) {
                continue;
            }
            let (size, seeders) = (size.map(sum), seeders.map(crate::column::count));
            let found = Found { hash, name, size, seeders, source, private: false, exact: exact && of == id };
            known.push(KnownTorrent { found, files: files.as_deref().map(read_files).unwrap_or_default() });
        }
        Ok(known)
    }

    /// Remembers what a search found, but nothing private.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn known_remember(&mut self, content: &ContentId, found: &[Found], now: Millis) -> Result<(), DbError> {
        let mut rows: Vec<_> = found
            .iter()
            .filter(|found| !found.private)
            .map(|f| (f.hash, plain(&f.name), f.size.map(bytes), f.seeders, plain(&f.source), i64::from(f.exact)))
            .collect();
        rows.sort_by_key(|(hash, ..)| *hash);
        rows.dedup_by_key(|(hash, ..)| *hash);
        if rows.is_empty() {
            return Ok(());
        }
        let rows = json(&rows)?;
        run!(done self, REMEMBER_TORRENTS, &rows, now)?;
        run!(done self, REMEMBER_CONTENTS, &rows, content.work().as_ref(), content.to_string(), now).map(|_| ())
    }

    /// Remembers the files of a torrent, at most 2,000 of them.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn known_remember_files(
        &mut self,
        hash: &InfoHash,
        files: &[KnownFile],
        now: Millis,
    ) -> Result<(), DbError> {
        let rows: Vec<_> = files.iter().take(FILES).map(|file| (plain(&file.path), file.size)).collect();
        run!(done self, REMEMBER_FILES, hash.to_string(), json(&rows)?, now).map(|_| ())
    }

    /// Forgets what was not seen since a time, at most 1,000 rows of each kind, so that nobody waits long who writes
    /// meanwhile. Returns how many rows; none are left when it is 0.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn known_forget(&mut self, before: Millis) -> Result<u64, DbError> {
        let files = run!(done self, FORGET_FILES, before)?;
        let titles = self.known_forget_titles(before).await?;
        Ok(files + titles + run!(done self, FORGET_TORRENTS, before)?)
    }
}

/// Only speed is in this text: one that cannot be read counts as absent.
fn read_files(text: &str) -> Vec<KnownFile> {
    let rows: Vec<(String, Option<u64>)> = serde_json::from_str(text).unwrap_or_default();
    rows.into_iter().map(|(path, size)| KnownFile { path, size }).collect()
}
