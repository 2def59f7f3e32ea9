//! Which key serves a user at a store.

use chill_core::{KeyId, Millis, StoreCode, UserId};

use crate::column::parse;
use crate::engine::run;
use crate::list::json;
use crate::statement::statements;
use crate::{DbError, Tx};

/// A user's place at a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Who.
    pub user: UserId,
    /// At which store.
    pub store: StoreCode,
    /// With which key.
    pub key: KeyId,
}

statements! {
    SEATS_OF_USERS = "SELECT user_id, store, key_id FROM assignments \
        WHERE user_id IN (SELECT value FROM json_each(CAST($1 AS TEXT)))";
    SEAT = "INSERT INTO assignments (user_id, store, key_id, assigned_at) \
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), $2 \
        FROM json_each(CAST($1 AS TEXT)) WHERE TRUE \
        ON CONFLICT (user_id, store) DO UPDATE SET key_id = excluded.key_id, assigned_at = excluded.assigned_at";
    UNSEAT_KEY = "DELETE FROM assignments WHERE key_id = $1";
    COUNT_AT_KEY = "SELECT COUNT(*) FROM assignments WHERE key_id = $1";
}

impl Tx {
    /// The places of these users, at all stores.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn seats_of(&mut self, users: &[UserId]) -> Result<Vec<Seat>, DbError> {
        let rows = run!(all self, (String, String, String), SEATS_OF_USERS, json(&users)?)?;
        rows.into_iter()
            .map(|(user, store, key)| {
                let (user, store) = (parse("assignments", &user)?, parse("assignments", &store)?);
                Ok(Seat { user, store, key: parse("assignments", &key)? })
            })
            .collect()
    }

    /// Gives users their places, taking back the ones they had at the same stores. The users and pools must be locked, and
    /// the places counted with [`Tx::keys_add_assigned`].
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn seats_put(&mut self, seats: &[Seat], now: Millis) -> Result<(), DbError> {
        let rows: Vec<_> = seats.iter().map(|seat| (seat.user, seat.store.as_str(), &seat.key)).collect();
        run!(done self, SEAT, json(&rows)?, now).map(|_| ())
    }

    /// Takes all places at a key away. Its pool must be locked.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn seats_clear(&mut self, key: &KeyId) -> Result<(), DbError> {
        run!(done self, UNSEAT_KEY, key.as_str()).map(|_| ())
    }

    /// How many users have a place at a key, counted row by row: what the key's own counter must equal.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn seats_at(&mut self, key: &KeyId) -> Result<u32, DbError> {
        run!(one self, (i64,), COUNT_AT_KEY, key.as_str()).map(|(n,)| crate::column::count(n))
    }
}
