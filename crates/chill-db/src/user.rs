//! Users and their links.

use chill_core::control::Delivery;
use chill_core::{Epoch, LinkId, Millis, UserId};

use crate::column::{count, delivery, delivery_word, parse, sum};
use crate::engine::run;
use crate::list::json;
use crate::statement::statements;
use crate::{DbError, Tx};

/// Whether a user may use anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserStatus {
    /// Yes.
    Active,
    /// Not until activated again.
    Suspended,
}

impl UserStatus {
    /// The word in the database and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    pub(crate) fn read(word: &str) -> Result<Self, DbError> {
        match word {
            "active" => Ok(Self::Active),
            "suspended" => Ok(Self::Suspended),
            _ => Err(DbError::corrupt("users", "status")),
        }
    }
}

/// A user as stored, with the link that is current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// The operator's name for him.
    pub name: String,
    /// Where to reach him.
    pub email: Option<String>,
    /// Whether he may use anything.
    pub status: UserStatus,
    /// His own device limit; none is the instance's.
    pub max_devices: Option<u32>,
    /// His own delivery; none is the instance's.
    pub delivery: Option<Delivery>,
    /// How many of his devices hold a place.
    pub device_count: u32,
    /// The link that works.
    pub link: LinkId,
    /// Since when, milliseconds since the epoch.
    pub created_at: Millis,
}

/// A user to be stored.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Who.
    pub id: UserId,
    /// His first link.
    pub link: LinkId,
    /// Unique without regard to case.
    pub name: String,
    /// Where to reach him.
    pub email: Option<String>,
    /// His own device limit.
    pub max_devices: Option<u32>,
    /// His own delivery.
    pub delivery: Option<Delivery>,
    /// Now.
    pub created_at: Millis,
}

/// What a lease needs to know about the user behind a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedUser {
    /// The link asked for.
    pub link: LinkId,
    /// Whether it is the user's current one.
    pub current: bool,
    /// Whose it is.
    pub id: UserId,
    /// Whether he may use anything.
    pub status: UserStatus,
    /// His own device limit.
    pub max_devices: Option<u32>,
    /// His own delivery.
    pub delivery: Option<Delivery>,
    /// How many of his devices hold a place.
    pub device_count: u32,
}

statements! {
    INSERT_USER = "INSERT INTO users (id, name, name_key, email, status, max_devices, delivery, device_count, created_at) \
        VALUES ($1, $2, $3, $4, 'active', $5, $6, 0, $7)";
    INSERT_LINK = "INSERT INTO links (link_id, user_id, current, created_at) VALUES ($1, $2, TRUE, $3)";
    RETIRE_LINKS = "UPDATE links SET current = FALSE WHERE user_id = $1 AND current";
    USER_BY_ID = "SELECT u.id, u.name, u.email, u.status, u.max_devices, u.delivery, u.device_count, l.link_id, u.created_at \
        FROM users u JOIN links l ON l.user_id = u.id AND l.current WHERE u.id = $1";
    USER_BY_NAME = "SELECT u.id, u.name, u.email, u.status, u.max_devices, u.delivery, u.device_count, l.link_id, u.created_at \
        FROM users u JOIN links l ON l.user_id = u.id AND l.current WHERE u.name_key = $1";
    USERS = "SELECT u.id, u.name, u.email, u.status, u.max_devices, u.delivery, u.device_count, l.link_id, u.created_at \
        FROM users u JOIN links l ON l.user_id = u.id AND l.current WHERE u.name_key > $1 ORDER BY u.name_key LIMIT $2";
    USERS_BY_LINK = "SELECT l.link_id, l.current, u.id, u.status, u.max_devices, u.delivery, u.device_count \
        FROM links l JOIN users u ON u.id = l.user_id \
        WHERE l.link_id IN (SELECT value FROM json_each(CAST($1 AS TEXT)))";
    ASKERS = "SELECT (SELECT n FROM epoch WHERE id = 1), l.link_id, l.current, u.id, u.status, u.max_devices, u.delivery, \
        u.device_count FROM links l JOIN users u ON u.id = l.user_id \
        WHERE l.link_id IN (SELECT value FROM json_each(CAST($1 AS TEXT)))";
    LINKS_OF_USERS = "SELECT link_id, user_id FROM links WHERE current \
        AND user_id IN (SELECT value FROM json_each(CAST($1 AS TEXT)))";
    lock LOCK_USERS = "SELECT id, status, max_devices, device_count FROM users \
        WHERE id IN (SELECT value FROM json_each(CAST($1 AS TEXT))) ORDER BY id";
    SET_STATUS = "UPDATE users SET status = $2 WHERE id = $1";
    SET_LIMITS = "UPDATE users SET max_devices = $2, delivery = $3 WHERE id = $1";
    ADD_DEVICES = "UPDATE users SET device_count = users.device_count + d.n FROM \
        (SELECT json_extract(value, '$[0]') AS id, CAST(json_extract(value, '$[1]') AS BIGINT) AS n \
        FROM json_each(CAST($1 AS TEXT))) AS d WHERE users.id = d.id";
    DELETE_USER = "DELETE FROM users WHERE id = $1";
}

type UserColumns = (String, String, Option<String>, String, Option<i64>, Option<String>, i64, String, i64);

fn user(row: UserColumns) -> Result<User, DbError> {
    let (id, name, email, status, max_devices, word, device_count, link, created_at) = row;
    Ok(User {
        id: parse("users", &id)?,
        name,
        email,
        status: UserStatus::read(&status)?,
        max_devices: max_devices.map(count),
        delivery: delivery("users", word.as_deref())?,
        device_count: count(device_count),
        link: parse("links", &link)?,
        created_at,
    })
}

type LinkedColumns = (String, bool, String, String, Option<i64>, Option<String>, i64);

fn linked((link, current, id, status, max_devices, word, device_count): LinkedColumns) -> Result<LinkedUser, DbError> {
    Ok(LinkedUser {
        link: parse("links", &link)?,
        current,
        id: parse("users", &id)?,
        status: UserStatus::read(&status)?,
        max_devices: max_devices.map(count),
        delivery: delivery("users", word.as_deref())?,
        device_count: count(device_count),
    })
}

/// The form of a name in which two users must differ.
pub(crate) fn name_key(name: &str) -> String {
    name.to_lowercase()
}

impl Tx {
    /// Stores a user and his first link.
    ///
    /// # Errors
    /// [`DbError::Conflict`] when the name is taken.
    pub async fn user_insert(&mut self, user: &NewUser) -> Result<(), DbError> {
        let id = user.id.to_string();
        let max_devices = user.max_devices.map(i64::from);
        let (name, email) = (user.name.as_str(), user.email.as_deref());
        let (key, word) = (name_key(name), delivery_word(user.delivery));
        run!(done self, INSERT_USER, &id, name, &key, email, max_devices, word, user.created_at)?;
        self.link_insert(user.id, user.link, user.created_at).await
    }

    /// Gives a user a new current link; the old ones open nothing any more.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn link_replace(&mut self, user: UserId, link: LinkId, now: Millis) -> Result<(), DbError> {
        run!(done self, RETIRE_LINKS, user.to_string())?;
        self.link_insert(user, link, now).await
    }

    async fn link_insert(&mut self, user: UserId, link: LinkId, now: Millis) -> Result<(), DbError> {
        run!(done self, INSERT_LINK, link.to_string(), user.to_string(), now).map(|_| ())
    }

    /// One user.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn user_by_id(&mut self, id: UserId) -> Result<Option<User>, DbError> {
        run!(maybe self, UserColumns, USER_BY_ID, id.to_string())?.map(user).transpose()
    }

    /// The user of this name, without regard to case.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn user_by_name(&mut self, name: &str) -> Result<Option<User>, DbError> {
        run!(maybe self, UserColumns, USER_BY_NAME, name_key(name))?.map(user).transpose()
    }

    /// Users in the order of their names, after the one named, at most `limit`.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn users(&mut self, after: Option<&str>, limit: u32) -> Result<Vec<User>, DbError> {
        let after = name_key(after.unwrap_or_default());
        run!(all self, UserColumns, USERS, after, i64::from(limit))?.into_iter().map(user).collect()
    }

    /// The users behind links, also behind links that were reset. Unknown links are absent.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn users_by_link(&mut self, links: &[LinkId]) -> Result<Vec<LinkedUser>, DbError> {
        let rows = run!(all self, LinkedColumns, USERS_BY_LINK, json(&links)?)?;
        rows.into_iter().map(linked).collect()
    }

    /// The same together with the epoch, which is as old as the users: what is read later in this transaction is at least as
    /// new as that epoch. It is 0 when there are no users.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn askers(&mut self, links: &[LinkId]) -> Result<(Epoch, Vec<LinkedUser>), DbError> {
        type Columns = (i64, String, bool, String, String, Option<i64>, Option<String>, i64);
        let rows = run!(all self, Columns, ASKERS, json(&links)?)?;
        let epoch = rows.first().map_or(0, |row| sum(row.0));
        let users =
            rows.into_iter().map(|(_, l, current, id, s, max, word, n)| linked((l, current, id, s, max, word, n)));
        Ok((epoch, users.collect::<Result<_, _>>()?))
    }

    /// Locks users in the order of their ids and returns what is true of them from then on: id, status, own device limit
    /// and how many devices hold a place.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn users_lock(
        &mut self,
        users: &[UserId],
    ) -> Result<Vec<(UserId, UserStatus, Option<u32>, u32)>, DbError> {
        let rows = run!(all self, (String, String, Option<i64>, i64), LOCK_USERS, json(&users)?)?;
        rows.into_iter()
            .map(|(id, status, max, devices)| {
                Ok((parse("users", &id)?, UserStatus::read(&status)?, max.map(count), count(devices)))
            })
            .collect()
    }

    /// The current links of users.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn links_of(&mut self, users: &[UserId]) -> Result<Vec<(LinkId, UserId)>, DbError> {
        let rows = run!(all self, (String, String), LINKS_OF_USERS, json(&users)?)?;
        rows.into_iter().map(|(link, user)| Ok((parse("links", &link)?, parse("users", &user)?))).collect()
    }

    /// Suspends or activates.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn user_set_status(&mut self, id: UserId, status: UserStatus) -> Result<(), DbError> {
        run!(done self, SET_STATUS, id.to_string(), status.as_str()).map(|_| ())
    }

    /// Sets a user's own limits; none is the instance's.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn user_set_limits(
        &mut self,
        id: UserId,
        max_devices: Option<u32>,
        delivery: Option<Delivery>,
    ) -> Result<(), DbError> {
        let max_devices = max_devices.map(i64::from);
        run!(done self, SET_LIMITS, id.to_string(), max_devices, delivery_word(delivery)).map(|_| ())
    }

    /// Changes how many devices of users hold a place, by so many each. The users must be locked.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn users_add_devices(&mut self, changes: &[(UserId, i64)]) -> Result<(), DbError> {
        run!(done self, ADD_DEVICES, json(&changes)?).map(|_| ())
    }

    /// Removes a user with his links, devices and assignments. His usage stays, under his id.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn user_delete(&mut self, id: UserId) -> Result<(), DbError> {
        run!(done self, DELETE_USER, id.to_string()).map(|_| ())
    }
}
