//! What deciding leases reads, all of a group in one question.

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

/// A moment of the database as far as users, their devices' states and their keys go: what was read at one is true while it
/// lasts, but for how many devices users have and when those were seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The last change that was published.
    pub epoch: Epoch,
    /// How often users were moved between keys.
    pub moves: u64,
}

#[derive(sqlx::FromRow)]
struct Columns {
    epoch: i64,
    moves: i64,
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
        SELECT (SELECT n FROM epoch WHERE id = 1) AS epoch, (SELECT n FROM epoch WHERE id = 2) AS moves, l.link_id, l.current, u.id AS user_id, u.status, \
        u.max_devices, u.delivery, u.device_count, p.device AS device_id, \
        (SELECT CAST(d.last_seen AS TEXT) || ' ' || d.state || ' ' || d.id FROM devices d \
        WHERE d.user_id = l.user_id AND d.device_id = p.device) AS device, p.store, \
        (SELECT a.key_id FROM assignments a WHERE a.user_id = l.user_id AND a.store = p.store) AS key_id \
        FROM p JOIN links l ON l.link_id = p.link JOIN users u ON u.id = l.user_id";
    MOMENT = "SELECT a.n, b.n FROM epoch a, epoch b WHERE a.id = 1 AND b.id = 2";
    DEVICE_IDS = "SELECT user_id, device_id FROM devices \
        WHERE user_id IN (SELECT value FROM json_each(CAST($1 AS TEXT))) LIMIT $2";
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
    /// What is known of these requests, in no order, and the moment it was read at, which is none when no link is known. Requests
    /// with unknown links are absent.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn asked(
        &mut self,
        requests: &[(LinkId, StoreCode, &DeviceId)],
    ) -> Result<(Option<Moment>, Vec<Asked>), DbError> {
        let rows: Vec<_> = requests.iter().map(|(link, store, device)| (link, store.as_str(), device)).collect();
        let rows = run!(all self, Columns, ASKED, json(&rows)?)?;
        let moment = rows.first().map(|row| Moment { epoch: sum(row.epoch), moves: sum(row.moves) });
        Ok((moment, rows.into_iter().map(asked).collect::<Result<_, _>>()?))
    }

    /// The present moment. What is read after it in this transaction is at least as new.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn moment(&mut self) -> Result<Moment, DbError> {
        let (epoch, moves) = run!(one self, (i64, i64), MOMENT)?;
        Ok(Moment { epoch: sum(epoch), moves: sum(moves) })
    }

    /// By what all devices of these users are recognised, whatever their states; none when there are more than `limit`.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn device_ids(
        &mut self,
        users: &[UserId],
        limit: u32,
    ) -> Result<Option<Vec<(UserId, DeviceId)>>, DbError> {
        let rows = run!(all self, (String, String), DEVICE_IDS, json(&users)?, i64::from(limit) + 1)?;
        if rows.len() > usize::try_from(limit).unwrap_or(usize::MAX) {
            return Ok(None);
        }
        let row = |(user, device): (String, String)| Ok((parse("devices", &user)?, parse("devices", &device)?));
        rows.into_iter().map(row).collect::<Result<_, _>>().map(Some)
    }
}
