//! Where anime of other catalogues stand at IMDb: a map the operator imports, looked up by id.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chill_core::{AnimeId, AnimePlace, AnimePlaces, AnimeSite, SourceError};

use crate::column::sum;
use crate::engine::run;
use crate::list::json;
use crate::statement::statements;
use crate::{Db, DbError, Tx};

/// Rows written by one statement.
const AT_ONCE: usize = 2_000;

statements! {
    FORGET = "DELETE FROM anime_ids";
    PUT = "INSERT INTO anime_ids (site, number, kitsu, imdb, season, skipped, episodes) \
        SELECT json_extract(value, '$[0]'), CAST(json_extract(value, '$[1]') AS BIGINT), \
        CAST(json_extract(value, '$[2]') AS BIGINT), json_extract(value, '$[3]'), \
        CAST(json_extract(value, '$[4]') AS BIGINT), CAST(json_extract(value, '$[5]') AS BIGINT), \
        CAST(json_extract(value, '$[6]') AS BIGINT) \
        FROM json_each(CAST($1 AS TEXT))";
    FIND = "SELECT kitsu, imdb, season, skipped, episodes FROM anime_ids WHERE site = $1 AND number = $2";
    OF_IMDB = "SELECT site, number, kitsu, imdb, season, skipped, episodes FROM anime_ids WHERE imdb = $1 \
        ORDER BY COALESCE(season, -1), skipped, site, number LIMIT 400";
    COUNT = "SELECT COUNT(*) FROM anime_ids";
}

type Columns = (Option<i64>, Option<String>, Option<i64>, i64, Option<i64>);

fn place((kitsu, imdb, season, skipped, episodes): Columns) -> AnimePlace {
    let short = |number: i64| u16::try_from(number).ok();
    AnimePlace {
        kitsu: kitsu.and_then(|kitsu| u32::try_from(kitsu).ok()),
        imdb,
        season: season.and_then(short),
        offset: short(skipped).unwrap_or_default(),
        episodes: episodes.and_then(short),
    }
}

impl Tx {
    /// Replaces the whole map.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn anime_replace(&mut self, places: &BTreeMap<AnimeId, AnimePlace>) -> Result<(), DbError> {
        run!(done self, FORGET)?;
        let rows = places.iter().map(|(id, place)| {
            let AnimePlace { kitsu, imdb, season, offset, episodes } = place;
            (id.site.as_str(), id.number, kitsu, imdb.as_deref(), season, offset, episodes)
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
        let row = run!(maybe self, Columns, FIND, id.site.as_str(), i64::from(id.number))?;
        Ok(row.map(place))
    }

    /// The anime of a film or series of IMDb, each once, by season and offset.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn anime_of_imdb(&mut self, imdb: &str) -> Result<Vec<(AnimeId, AnimePlace)>, DbError> {
        type Named = (String, i64, Option<i64>, Option<String>, Option<i64>, i64, Option<i64>);
        let rows = run!(all self, Named, OF_IMDB, imdb)?;
        let mut found: Vec<(AnimeId, AnimePlace)> = Vec::new();
        for (site, number, kitsu, imdb, season, skipped, episodes) in rows {
            let site = if site == AnimeSite::Kitsu.as_str() { AnimeSite::Kitsu } else { AnimeSite::Mal };
            let Ok(number) = u32::try_from(number) else { continue };
            let place = place((kitsu, imdb, season, skipped, episodes));
            // The same under the other catalogue's id has the same place, Kitsu's number among it.
            let is_same = |(_, known): &(AnimeId, AnimePlace)| place.kitsu.is_some() && known.kitsu == place.kitsu;
            if !found.iter().any(is_same) {
                found.push((AnimeId { site, number }, place));
            }
        }
        Ok(found)
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

    async fn find_imdb(&self, imdb: &str) -> Result<Vec<(AnimeId, AnimePlace)>, DbError> {
        self.db.read().await?.anime_of_imdb(imdb).await
    }
}

#[async_trait]
impl AnimePlaces for AnimeMap {
    async fn place(&self, id: AnimeId) -> Result<Option<AnimePlace>, SourceError> {
        self.find(id).await.map_err(unreadable)
    }

    async fn of_imdb(&self, imdb: &str) -> Result<Vec<(AnimeId, AnimePlace)>, SourceError> {
        self.find_imdb(imdb).await.map_err(unreadable)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn unreadable(error: DbError) -> SourceError {
    SourceError { origin: "the map of anime".to_owned(), message: error.to_string() }
}
