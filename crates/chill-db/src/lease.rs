//! What deciding leases reads, all of a group in one question, and the shortest way to write a new device.

use chill_core::{DeviceId, Epoch, KeyId, LinkId, Millis, StoreCode, UserId};

use crate::column::{count, delivery, parse, sum};
use crate::device::DeviceState;
use crate::engine::run;
use crate::list::json;
use crate::statement::statements;
use crate::user::{LinkedUser, UserStatus};
use crate::{DbError, Tx};

/// What is known of one request: its user, and, where they are there, the device that asks and the user's key at the store.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The user behind the link.
    pub user: LinkedUser,
    /// The device.
    pub device: Option<AskingDevice>,
    /// The store that was asked for, and the key assigned there.
    pub seat: Option<(StoreCode, KeyId)>,
}

/// A known device that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskingDevice {
    /// The row's own id.
    pub row: String,
    /// What it is recognised by.
    pub device: DeviceId,
    /// How it stands.
    pub state: DeviceState,
    /// When it was seen last, to the minute.
    pub last_seen: Millis,
}

#[derive(sqlx::FromRow)]
struct Columns {
    epoch: i64,
    link_id: String,
    current: bool,
    user_id: String,
    status: String,
    max_devices: Option<i64>,
    delivery: Option<String>,
    device_count: i64,
    device_id: String,
    /// Last sight, state and row, with blanks between them.
    device: Option<String>,
    store: String,
    key_id: Option<String>,
}

statements! {
    ASKED = "WITH p AS MATERIALIZED (SELECT json_extract(value, '$[0]') AS link, json_extract(value, '$[1]') AS store, \
        json_extract(value, '$[2]') AS device FROM json_each(CAST($1 AS TEXT))) \
        SELECT (SELECT n FROM epoch WHERE id = 1) AS epoch, l.link_id, l.current, u.id AS user_id, u.status, \
        u.max_devices, u.delivery, u.device_count, p.device AS device_id, \
        (SELECT CAST(d.last_seen AS TEXT) || ' ' || d.state || ' ' || d.id FROM devices d \
        WHERE d.user_id = l.user_id AND d.device_id = p.device) AS device, p.store, \
        (SELECT a.key_id FROM assignments a WHERE a.user_id = l.user_id AND a.store = p.store) AS key_id \
        FROM p JOIN links l ON l.link_id = p.link JOIN users u ON u.id = l.user_id";
    TAKE_PLACES = "UPDATE users SET device_count = users.device_count + 1 FROM \
        (SELECT json_extract(value, '$[0]') AS id, CAST(json_extract(value, '$[1]') AS BIGINT) AS n, \
        CAST(json_extract(value, '$[2]') AS BIGINT) AS most FROM json_each(CAST($1 AS TEXT))) AS d \
        WHERE users.id = d.id AND users.status = 'active' AND users.device_count = d.n \
        AND COALESCE(users.max_devices, -1) = d.most RETURNING users.id";
}

fn asked(row: Columns) -> Result<Asked, DbError> {
    let user = LinkedUser {
        link: parse("links", &row.link_id)?,
        current: row.current,
        id: parse("users", &row.user_id)?,
        status: UserStatus::read(&row.status)?,
        max_devices: row.max_devices.map(count),
        delivery: delivery("users", row.delivery.as_deref())?,
        device_count: count(row.device_count),
    };
    let device = row.device.map(|found| device(&row.device_id, &found)).transpose()?;
    let store = parse("assignments", &row.store)?;
    let seat = row.key_id.map(|key| Ok::<_, DbError>((store, parse("assignments", &key)?))).transpose()?;
    Ok(Asked { user, device, seat })
}

fn device(id: &str, found: &str) -> Result<AskingDevice, DbError> {
    let mut parts = found.splitn(3, ' ');
    let mut next = || parts.next().ok_or(DbError::corrupt("devices", "row"));
    let (last_seen, state) = (parse("devices", next()?)?, DeviceState::read(next()?)?);
    Ok(AskingDevice { row: next()?.to_owned(), device: parse("devices", id)?, state, last_seen })
}

impl Tx {
    /// The epoch, and what is known of these requests at that moment, in no order. Requests with unknown links are absent.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn asked(&mut self, requests: &[(LinkId, StoreCode, &DeviceId)]) -> Result<(Epoch, Vec<Asked>), DbError> {
        let rows: Vec<_> = requests.iter().map(|(link, store, device)| (link, store.as_str(), device)).collect();
        let rows = run!(all self, Columns, ASKED, json(&rows)?)?;
        let epoch = rows.first().map_or(0, |row| sum(row.epoch));
        Ok((epoch, rows.into_iter().map(asked).collect::<Result<_, _>>()?))
    }

    /// Gives each of these active users one place more for a device, if he still has as many as he had and the same limit of
    /// his own; returns who got it. Whoever is returned is locked. No user may be named twice.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn users_take_places(&mut self, users: &[(UserId, u32, Option<u32>)]) -> Result<Vec<UserId>, DbError> {
        let mut rows: Vec<_> = users.iter().map(|(id, n, most)| (id, n, most.map_or(-1, i64::from))).collect();
        // All who lock users do so in the order of their ids.
        rows.sort_unstable();
        let taken = run!(all self, (String,), TAKE_PLACES, json(&rows)?)?;
        taken.into_iter().map(|(id,)| parse("users", &id)).collect()
    }
}
