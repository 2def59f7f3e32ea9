//! Users: what an operator does with them.

use chill_core::control::{Act as Consequence, Delivery, Subject};
use chill_core::{LinkId, Millis, StoreCode, UserId};
use chill_db::{Device, NewUser, Tx, User, UserStatus};

use crate::actor::{Act, Actor};
use crate::control::Core;
use crate::error::{plain, taken};
use crate::{Control, UseError};

/// The use cases of users; see [`Control::users`].
#[derive(Clone, Copy)]
pub struct Users<'a> {
    pub(crate) core: &'a Core,
}

/// A user to be added.
#[derive(Clone, Debug, Default)]
pub struct AddUser {
    /// Unique without regard to case, at most 64 characters.
    pub name: String,
    /// Where to reach him.
    pub email: Option<String>,
    /// His own device limit; none is the instance's.
    pub max_devices: Option<u32>,
    /// His own delivery; none is the instance's.
    pub delivery: Option<Delivery>,
}

/// Which of a user's limits change, and to what; the inner none is "as the instance says".
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// The device limit.
    pub max_devices: Option<Option<u32>>,
    /// The delivery.
    pub delivery: Option<Option<Delivery>>,
}

/// A user with all that is his.
#[derive(Clone, Debug)]
pub struct UserCard {
    /// The user.
    pub user: User,
    /// How many devices he may have.
    pub device_limit: u32,
    /// His devices, first seen first.
    pub devices: Vec<Device>,
    /// Which key serves him at which store, by the key's name.
    pub keys: Vec<(StoreCode, String)>,
}

/// Devices shown with a user.
const DEVICES_SHOWN: u32 = 500;
/// Users per question to the database.
const PAGE: u32 = 500;
/// A device limit beyond this is a typing error.
const MOST_DEVICES: u32 = 1_000;

impl Control {
    /// The device limit of users who have none of their own.
    #[must_use]
    pub fn default_max_devices(&self) -> u32 {
        self.core.config.max_devices
    }
}

impl Users<'_> {
    /// Adds a user and makes his link.
    ///
    /// # Errors
    /// [`UseError`].
    pub async fn add(&self, actor: &Actor, user: AddUser) -> Result<User, UseError> {
        let (now, chance) = (self.core.clock.now(), &self.core.chance);
        let name = plain("a user's name", &user.name, 64)?;
        if name.parse::<UserId>().is_ok() {
            return Err(UseError::Invalid("a user's name must not look like an id".to_owned()));
        }
        let email = user.email.as_deref().map(|email| plain("an email address", email, 254)).transpose()?;
        check_max_devices(user.max_devices)?;
        let (id, link) = (UserId::new(now, chance)?, fresh_link(self.core)?);
        let (max_devices, delivery) = (user.max_devices, user.delivery);
        let new = NewUser { id, link, name, email, max_devices, delivery, created_at: now };
        let mut tx = self.core.db.write().await?;
        tx.user_insert(&new).await.map_err(|error| taken("user", &new.name, error))?;
        let act = Act { act: "user.add", kind: "user", id: id.to_string(), name: &new.name, detail: None };
        self.core.audit(&mut tx, actor, act, now).await?;
        let added = by_id(&mut tx, id).await?;
        tx.commit().await?;
        Ok(added)
    }

    /// The user with this id or name.
    ///
    /// # Errors
    /// [`UseError::NotFound`].
    pub async fn find(&self, id_or_name: &str) -> Result<User, UseError> {
        let mut tx = self.core.db.read().await?;
        find(&mut tx, id_or_name).await
    }

    /// All users by name.
    ///
    /// # Errors
    /// [`UseError::Db`].
    pub async fn list(&self) -> Result<Vec<User>, UseError> {
        let mut users: Vec<User> = Vec::new();
        loop {
            let mut tx = self.core.db.read().await?;
            let page = tx.users(users.last().map(|user| user.name.as_str()), PAGE).await?;
            let last = page.len() < PAGE as usize;
            users.extend(page);
            if last {
                return Ok(users);
            }
        }
    }

    /// A user with his devices and keys.
    ///
    /// # Errors
    /// [`UseError::NotFound`].
    pub async fn show(&self, id_or_name: &str) -> Result<UserCard, UseError> {
        let mut tx = self.core.db.read().await?;
        let user = find(&mut tx, id_or_name).await?;
        let devices = tx.devices_of(user.id, DEVICES_SHOWN).await?;
        let seats = tx.seats_of(&[user.id]).await?;
        let ids: Vec<_> = seats.iter().map(|seat| seat.key.clone()).collect();
        let keys = tx.keys_by_id(&ids).await?.into_iter().map(|key| (key.store, key.name)).collect();
        let device_limit = user.max_devices.unwrap_or(self.core.config.max_devices);
        Ok(UserCard { user, device_limit, devices, keys })
    }

    /// Suspends a user: his link answers with a refusal, and his running films stop.
    ///
    /// # Errors
    /// [`UseError::NotFound`].
    pub async fn suspend(&self, actor: &Actor, id_or_name: &str) -> Result<User, UseError> {
        self.set_status(actor, id_or_name, UserStatus::Suspended).await
    }

    /// Lets a suspended user in again.
    ///
    /// # Errors
    /// [`UseError::NotFound`].
    pub async fn activate(&self, actor: &Actor, id_or_name: &str) -> Result<User, UseError> {
        self.set_status(actor, id_or_name, UserStatus::Active).await
    }

    async fn set_status(&self, actor: &Actor, id_or_name: &str, status: UserStatus) -> Result<User, UseError> {
        let (act, consequence) = match status {
            UserStatus::Active => ("user.activate", Consequence::Refresh),
            UserStatus::Suspended => ("user.suspend", Consequence::Revoke),
        };
        let now = self.core.clock.now();
        let mut tx = self.core.db.write().await?;
        let user = lock(&mut tx, id_or_name).await?;
        tx.user_set_status(user.id, status).await?;
        self.finish(tx, actor, act, &user, None, consequence, now).await
    }

    /// Sets a user's own limits. Devices he has beyond a lower limit keep their places until they are revoked.
    ///
    /// # Errors
    /// [`UseError::NotFound`], [`UseError::Invalid`].
    pub async fn set_limits(&self, actor: &Actor, id_or_name: &str, limits: Limits) -> Result<User, UseError> {
        let now = self.core.clock.now();
        let mut tx = self.core.db.write().await?;
        let user = lock(&mut tx, id_or_name).await?;
        let max_devices = limits.max_devices.unwrap_or(user.max_devices);
        let delivery = limits.delivery.unwrap_or(user.delivery);
        check_max_devices(max_devices)?;
        tx.user_set_limits(user.id, max_devices, delivery).await?;
        let shown = max_devices.map_or("default".to_owned(), |max| max.to_string());
        let detail = Some(format!("max_devices={shown}"));
        self.finish(tx, actor, "user.limits", &user, detail, Consequence::Refresh, now).await
    }

    /// Gives a user a new link. The old one answers like an unknown one from now on, and its running films stop.
    ///
    /// # Errors
    /// [`UseError::NotFound`].
    pub async fn reset_link(&self, actor: &Actor, id_or_name: &str) -> Result<User, UseError> {
        let now = self.core.clock.now();
        let link = fresh_link(self.core)?;
        let mut tx = self.core.db.write().await?;
        let user = lock(&mut tx, id_or_name).await?;
        tx.link_replace(user.id, link, now).await?;
        self.finish(tx, actor, "user.reset-link", &user, None, Consequence::Revoke, now).await
    }

    /// Removes a user with his links, devices and places at keys. His usage stays, without his name.
    ///
    /// # Errors
    /// [`UseError::NotFound`].
    pub async fn remove(&self, actor: &Actor, id_or_name: &str) -> Result<User, UseError> {
        let now = self.core.clock.now();
        let mut tx = self.core.db.write().await?;
        let user = lock(&mut tx, id_or_name).await?;
        let stores: Vec<_> = tx.seats_of(&[user.id]).await?.into_iter().map(|seat| seat.store).collect();
        tx.pools_lock(&stores).await?;
        let mut keys: Vec<_> = tx.seats_of(&[user.id]).await?.into_iter().map(|seat| (seat.key, -1)).collect();
        keys.sort();
        if !keys.is_empty() {
            tx.keys_lock(&keys.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>()).await?;
            tx.keys_add_assigned(&keys).await?;
        }
        tx.user_delete(user.id).await?;
        let act = Act { act: "user.remove", kind: "user", id: user.id.to_string(), name: &user.name, detail: None };
        self.core.audit(&mut tx, actor, act, now).await?;
        tx.publish(&Subject::Link(user.link), Consequence::Revoke, now).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// Writes the audit trail, tells the edges by the link the user had, and returns the user as he is now.
    #[expect(clippy::too_many_arguments, reason = "the last three steps of every act on a user, in one place")]
    async fn finish(
        &self,
        mut tx: Tx,
        actor: &Actor,
        act: &'static str,
        user: &User,
        detail: Option<String>,
        consequence: Consequence,
        now: Millis,
    ) -> Result<User, UseError> {
        let act = Act { act, kind: "user", id: user.id.to_string(), name: &user.name, detail };
        self.core.audit(&mut tx, actor, act, now).await?;
        let changed = by_id(&mut tx, user.id).await?;
        tx.publish(&Subject::Link(user.link), consequence, now).await?;
        tx.commit().await?;
        Ok(changed)
    }
}

fn check_max_devices(max: Option<u32>) -> Result<(), UseError> {
    match max {
        Some(0) => Err(UseError::Invalid("a device limit of 0 lets nobody in: suspend the user instead".to_owned())),
        Some(max) if max > MOST_DEVICES => Err(UseError::Invalid(format!("a device limit is at most {MOST_DEVICES}"))),
        _ => Ok(()),
    }
}

/// A link is a credential: it is all chance, unlike ids that carry the time they were made.
fn fresh_link(core: &Core) -> Result<LinkId, UseError> {
    let mut bytes = core.chance.bytes::<16>()?;
    // Version 4 and the variant of RFC 9562.
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let text = data_encoding::HEXLOWER.encode(&bytes);
    text.parse().map_err(|_| UseError::Invalid("a link could not be made".to_owned()))
}

async fn by_id(tx: &mut Tx, id: UserId) -> Result<User, UseError> {
    tx.user_by_id(id).await?.ok_or_else(|| UseError::not_found("user", &id))
}

/// The user with this id or name.
pub(crate) async fn find(tx: &mut Tx, id_or_name: &str) -> Result<User, UseError> {
    let id_or_name = id_or_name.trim();
    let found = match id_or_name.parse() {
        Ok(id) => tx.user_by_id(id).await?,
        Err(_) => tx.user_by_name(id_or_name).await?,
    };
    found.ok_or_else(|| UseError::not_found("user", id_or_name))
}

/// The same, locked: what is returned is true until the transaction ends.
async fn lock(tx: &mut Tx, id_or_name: &str) -> Result<User, UseError> {
    let found = find(tx, id_or_name).await?;
    tx.users_lock(&[found.id]).await?;
    by_id(tx, found.id).await
}
