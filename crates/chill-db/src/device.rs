//! Devices of users.

use chill_core::{DeviceId, Millis, UserId};

use crate::column::parse;
use crate::engine::run;
use crate::list::json;
use crate::statement::statements;
use crate::{DbError, Tx};

/// How a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// It holds one of its user's places.
    Active,
    /// It was away so long that its place went to another.
    Idle,
    /// The operator shut it out.
    Revoked,
}

impl DeviceState {
    /// The word in the database and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Idle => "idle",
            Self::Revoked => "revoked",
        }
    }

    pub(crate) fn read(word: &str) -> Result<Self, DbError> {
        match word {
            "active" => Ok(Self::Active),
            "idle" => Ok(Self::Idle),
            "revoked" => Ok(Self::Revoked),
            _ => Err(DbError::corrupt("devices", "state")),
        }
    }
}

/// A device as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The row's own id, for the operator.
    pub id: String,
    /// Whose.
    pub user: UserId,
    /// What it is recognised by.
    pub device: DeviceId,
    /// How it is recognised: `fingerprint`.
    pub kind: String,
    /// What an operator sees beside it.
    pub label: Option<String>,
    /// How it stands.
    pub state: DeviceState,
    /// When it came first, milliseconds since the epoch.
    pub first_seen: Millis,
    /// When it was seen last, to the minute.
    pub last_seen: Millis,
}

/// A device to be stored, active.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// The row's id.
    pub id: String,
    /// Whose.
    pub user: UserId,
    /// What it is recognised by.
    pub device: DeviceId,
    /// What an operator sees beside it.
    pub label: Option<String>,
}

statements! {
    DEVICES_OF_USER = "SELECT id, user_id, device_id, kind, label, state, first_seen, last_seen FROM devices \
        WHERE user_id = $1 ORDER BY first_seen, id LIMIT $2";
    DEVICE_BY_ID = "SELECT id, user_id, device_id, kind, label, state, first_seen, last_seen FROM devices WHERE id = $1";
    DEVICES_AWAY = "SELECT id, user_id FROM devices WHERE state = 'active' AND last_seen < $2 \
        AND user_id IN (SELECT value FROM json_each(CAST($1 AS TEXT)))";
    INSERT_DEVICES = "INSERT INTO devices (id, user_id, device_id, kind, label, state, first_seen, last_seen) \
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), 'fingerprint', \
        json_extract(value, '$[3]'), 'active', $2, $2 FROM json_each(CAST($1 AS TEXT))";
    SET_STATE = "UPDATE devices SET state = $2 WHERE id IN (SELECT value FROM json_each(CAST($1 AS TEXT)))";
    TOUCH = "UPDATE devices SET last_seen = $2 WHERE last_seen < $2 \
        AND id IN (SELECT value FROM json_each(CAST($1 AS TEXT)))";
    DELETE_DEVICE = "DELETE FROM devices WHERE id = $1";
    COUNT_ACTIVE = "SELECT COUNT(*) FROM devices WHERE user_id = $1 AND state = 'active'";
}

type Columns = (String, String, String, String, Option<String>, String, i64, i64);

fn device((id, user, device, kind, label, state, first_seen, last_seen): Columns) -> Result<Device, DbError> {
    let (user, device) = (parse("devices", &user)?, parse("devices", &device)?);
    Ok(Device { id, user, device, kind, label, state: DeviceState::read(&state)?, first_seen, last_seen })
}

impl Tx {
    /// A user's devices, first seen first, at most `limit`.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn devices_of(&mut self, user: UserId, limit: u32) -> Result<Vec<Device>, DbError> {
        let rows = run!(all self, Columns, DEVICES_OF_USER, user.to_string(), i64::from(limit))?;
        rows.into_iter().map(device).collect()
    }

    /// One device by its row's id.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn device_by_id(&mut self, id: &str) -> Result<Option<Device>, DbError> {
        run!(maybe self, Columns, DEVICE_BY_ID, id)?.map(device).transpose()
    }

    /// Active devices of these users that were last seen before a time: row ids and users.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn devices_away(&mut self, users: &[UserId], before: Millis) -> Result<Vec<(String, UserId)>, DbError> {
        let rows = run!(all self, (String, String), DEVICES_AWAY, json(&users)?, before)?;
        rows.into_iter().map(|(id, user)| Ok((id, parse("devices", &user)?))).collect()
    }

    /// Stores devices that are active and seen now. Their users must be locked, and their places counted with [`Tx::users_add_devices`].
    ///
    /// # Errors
    /// [`DbError::Conflict`] when a user has such a device.
    pub async fn devices_insert(&mut self, devices: &[NewDevice], now: Millis) -> Result<(), DbError> {
        let rows: Vec<_> = devices.iter().map(|d| (&d.id, d.user, &d.device, &d.label)).collect();
        run!(done self, INSERT_DEVICES, json(&rows)?, now).map(|_| ())
    }

    /// Sets the state of devices by their rows' ids. Their users must be locked.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn devices_set_state(&mut self, ids: &[String], state: DeviceState) -> Result<(), DbError> {
        run!(done self, SET_STATE, json(&ids)?, state.as_str()).map(|_| ())
    }

    /// Notes that devices were seen.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn devices_touch(&mut self, ids: &[String], now: Millis) -> Result<(), DbError> {
        run!(done self, TOUCH, json(&ids)?, now).map(|_| ())
    }

    /// Forgets a device. Its user must be locked.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn device_delete(&mut self, id: &str) -> Result<(), DbError> {
        run!(done self, DELETE_DEVICE, id).map(|_| ())
    }

    /// How many of a user's devices are active, counted row by row: what the user's own counter must equal.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn devices_active(&mut self, user: UserId) -> Result<u32, DbError> {
        run!(one self, (i64,), COUNT_ACTIVE, user.to_string()).map(|(n,)| crate::column::count(n))
    }
}
