//! The shortest way to write new devices: the one place where the two engines are told different things. PostgreSQL counts and
//! stores in one statement, with lists as arrays; SQLite, which has no such statement, in two of one transaction.

use chill_core::{Millis, UserId};

use crate::column::{count, parse};
use crate::engine::Open;
use crate::list::json;
use crate::statement::statements;
use crate::{DbError, Moment, NewDevice, Tx};

/// A new device, and under what condition its user has a place for it: that he is active and has the same limit as when he was
/// asked about, and fewer devices than he may have.
#[derive(Clone, Debug)]
pub struct NewPlace {
    /// What to store.
    pub device: NewDevice,
    /// How many devices he must still have; none is any number below the limit.
    pub count: Option<u32>,
    /// His own limit; none is the instance's.
    pub max_devices: Option<u32>,
    /// How many he may have.
    pub limit: u32,
}

// A conditional counter is exact at PostgreSQL's default isolation: a row that another transaction changes is waited for, and
// the condition asked again of what it is then.
statements! {
    each TAKE_PLACES = "UPDATE users SET device_count = users.device_count + 1 FROM \
        (SELECT json_extract(value, '$[0]') AS id, CAST(json_extract(value, '$[1]') AS BIGINT) AS n, \
        CAST(json_extract(value, '$[2]') AS BIGINT) AS most, CAST(json_extract(value, '$[3]') AS BIGINT) AS room \
        FROM json_each(CAST($1 AS TEXT))) AS d \
        WHERE users.id = d.id AND users.status = 'active' AND COALESCE(users.max_devices, -1) = d.most \
        AND users.device_count < d.room AND (d.n = -1 OR users.device_count = d.n) \
        RETURNING users.id, users.device_count",
        "WITH counted AS (UPDATE users SET device_count = users.device_count + 1 \
        FROM new_places($1, $2, $3, $4, $5, $6, $7) AS d \
        WHERE users.id = d.user_id AND users.status = 'active' AND COALESCE(users.max_devices, -1) = d.most \
        AND users.device_count < d.room AND (d.n = -1 OR users.device_count = d.n) \
        AND ($9 < 0 OR EXISTS (SELECT 1 FROM epoch a, epoch b WHERE a.id = 1 AND a.n = $9 AND b.id = 2 AND b.n = $10)) \
        RETURNING users.id AS user_id, users.device_count, d.id, d.device_id, d.label), \
        stored AS (INSERT INTO devices (id, user_id, device_id, kind, label, state, first_seen, last_seen) \
        SELECT id, user_id, device_id, 'fingerprint', label, 'active', $8, $8 FROM counted) \
        SELECT user_id, device_count FROM counted";
}

impl Tx {
    /// Stores each of these devices, active and seen now, and counts it, if its user has a place for it; returns whose device was
    /// stored, and how many that user has then. No user may be named twice. With a moment, none is stored once that is over. It is
    /// one statement on PostgreSQL: [`Db::write_at_once`] does for it.
    ///
    /// # Errors
    /// [`DbError::Conflict`] when a user has such a device: then none is stored.
    ///
    /// [`Db::write_at_once`]: crate::Db::write_at_once
    pub async fn places_take(
        &mut self,
        mut new: Vec<NewPlace>,
        moment: Option<Moment>,
        now: Millis,
    ) -> Result<Vec<(UserId, u32)>, DbError> {
        if matches!(self.open, Open::Sqlite(_))
            && let Some(moment) = moment
            && self.moment().await? != moment
        {
            return Ok(Vec::new());
        }
        let bound = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let (epoch, moves) = moment.map_or((-1, -1), |moment| (bound(moment.epoch), bound(moment.moves)));
        // All who lock users do so in the order of their ids.
        new.sort_unstable_by_key(|place| place.device.user);
        let taken: Vec<(String, i64)> = match &mut self.open {
            Open::Sqlite(tx) => {
                let row = |p: &NewPlace| (p.device.user, expected(p.count), expected(p.max_devices), p.limit);
                let rows: Vec<_> = new.iter().map(row).collect();
                sqlx::query_as(TAKE_PLACES.sqlite).bind(json(&rows)?).fetch_all(&mut **tx).await?
            }
            Open::Postgres(tx) => {
                let texts = |of: fn(&NewPlace) -> String| new.iter().map(of).collect::<Vec<_>>();
                let numbers = |of: fn(&NewPlace) -> i64| new.iter().map(of).collect::<Vec<_>>();
                sqlx::query_as(TAKE_PLACES.postgres)
                    .bind(texts(|place| place.device.user.to_string()))
                    .bind(numbers(|place| expected(place.count)))
                    .bind(numbers(|place| expected(place.max_devices)))
                    .bind(numbers(|place| i64::from(place.limit)))
                    .bind(new.iter().map(|place| place.device.id.as_str()).collect::<Vec<_>>())
                    .bind(new.iter().map(|place| place.device.device.as_str()).collect::<Vec<_>>())
                    .bind(new.iter().map(|place| place.device.label.as_deref()).collect::<Vec<_>>())
                    .bind(now)
                    .bind(epoch)
                    .bind(moves)
                    .fetch_all(tx.connection())
                    .await?
            }
        };
        let read = |(id, n): (String, i64)| Ok((parse("users", &id)?, count(n)));
        let taken = taken.into_iter().map(read).collect::<Result<Vec<(UserId, u32)>, DbError>>()?;
        if matches!(self.open, Open::Sqlite(_)) {
            new.retain(|place| taken.iter().any(|(user, _)| *user == place.device.user));
            let devices: Vec<_> = new.into_iter().map(|place| place.device).collect();
            if !devices.is_empty() {
                self.devices_insert(&devices, now).await?;
            }
        }
        Ok(taken)
    }
}

fn expected(number: Option<u32>) -> i64 {
    number.map_or(-1, i64::from)
}
