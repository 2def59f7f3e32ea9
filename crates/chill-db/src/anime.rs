//! Where anime of other catalogues stand at IMDb: a map the operator imports, looked up by id.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chill_core::{AnimeId, AnimePlace, AnimePlaces, SourceError};

use crate::column::sum;
use crate::engine::run;
use crate::list::json;
use crate::statement::statements;
use crate::{Db, DbError, Tx};

/// Rows written by one statement.
const AT_ONCE: usize = 2_000;

statements! {
    FORGET = "DELETE FROM anime_ids";
    PUT = "INSERT INTO anime_ids (site, number, kitsu, imdb, season, skipped) \
        SELECT json_extract(value, '$[0]'), CAST(json_extract(value, '$[1]') AS BIGINT), \
        CAST(json_extract(value, '$[2]') AS BIGINT), json_extract(value, '$[3]'), \
        CAST(json_extract(value, '$[4]') AS BIGINT), CAST(json_extract(value, '$[5]') AS BIGINT) \
        FROM json_each(CAST($1 AS TEXT))";
    FIND = "SELECT kitsu, imdb, season, skipped FROM anime_ids WHERE site = $1 AND number = $2";
    COUNT = "SELECT COUNT(*) FROM anime_ids";
}

impl Tx {
    /// Replaces the whole map.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn anime_replace(&mut self, places: &BTreeMap<AnimeId, AnimePlace>) -> Result<(), DbError> {
        run!(done self, FORGET)?;
        let rows = places.iter().map(|(id, place)| {
            (id.site.as_str(), id.number, place.kitsu, place.imdb.as_deref(), place.season, place.offset)
        });
        for rows in rows.collect::<Vec<_>>().chunks(AT_ONCE) {
            run!(done self, PUT, json(&rows)?)?;
        }
        Ok(())
    }

    /// The place of an anime.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn anime_place(&mut self, id: AnimeId) -> Result<Option<AnimePlace>, DbError> {
        type Columns = (Option<i64>, Option<String>, Option<i64>, i64);
        let row = run!(maybe self, Columns, FIND, id.site.as_str(), i64::from(id.number))?;
        Ok(row.map(|(kitsu, imdb, season, skipped)| AnimePlace {
            kitsu: kitsu.and_then(|kitsu| u32::try_from(kitsu).ok()),
            imdb,
            season: season.and_then(|season| u16::try_from(season).ok()),
            offset: u16::try_from(skipped).unwrap_or_default(),
        }))
    }

    /// How many anime the map has.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn anime_count(&mut self) -> Result<u64, DbError> {
        run!(one self, (i64,), COUNT).map(|(count,)| sum(count))
    }
}

/// The imported map.
#[derive(Clone, Debug)]
pub struct AnimeMap {
    db: Db,
}

impl AnimeMap {
    /// The one in a migrated database.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn find(&self, id: AnimeId) -> Result<Option<AnimePlace>, DbError> {
        self.db.read().await?.anime_place(id).await
    }
}

#[async_trait]
impl AnimePlaces for AnimeMap {
    async fn place(&self, id: AnimeId) -> Result<Option<AnimePlace>, SourceError> {
        let found = self.find(id).await;
        found.map_err(|e| SourceError { origin: "the map of anime".to_owned(), message: e.to_string() })
    }
}
