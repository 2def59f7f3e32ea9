//! The key pool: what an operator does with it.

use chill_core::control::{Act as Consequence, Subject};
use chill_core::pool::{KeyState, Passport};
use chill_core::{KeyId, Millis, Secret, StoreCode};
use chill_db::{Key, NewKey, Tx};

use crate::actor::{Act, Actor};
use crate::control::Core;
use crate::error::{plain, taken};
use crate::probe::{Finding, apply};
use crate::{Control, UseError};

/// The use cases of keys; see [`Control::keys`].
#[derive(Clone, Copy)]
pub struct Keys<'a> {
    pub(crate) core: &'a Core,
}

/// A key to be added.
#[derive(Clone, Debug)]
pub struct AddKey {
    /// At which store.
    pub store: StoreCode,
    /// Unique at its store without regard to case, at most 64 characters.
    pub name: String,
    /// What it allows.
    pub passport: Passport,
    /// Whose account it is.
    pub owner: Option<String>,
    /// A key of weight 2 takes twice the users; 1 to 1,000.
    pub weight: u32,
    /// The key itself.
    pub secret: Secret,
    /// Add it without asking the store.
    pub unchecked: bool,
}

/// A key as an operator sees it: everything but the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolKey {
    /// Which.
    pub id: KeyId,
    /// At which store.
    pub store: StoreCode,
    /// The operator's name for it.
    pub name: String,
    /// What it allows.
    pub passport: Passport,
    /// Whose account it is.
    pub owner: Option<String>,
    /// A key of weight 2 takes twice the users.
    pub weight: u32,
    /// How many users are assigned to it.
    pub assigned: u32,
    /// How it is.
    pub state: KeyState,
    /// Whether the store ever accepted it.
    pub has_worked: bool,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// Since when, milliseconds since the epoch.
    pub created_at: Millis,
    /// When the control plane asked the store about it last.
    pub last_probe_at: Option<Millis>,
}

impl From<Key> for PoolKey {
    fn from(key: Key) -> Self {
        let Key { id, store, name, passport, owner, weight, assigned, state, has_worked, last_error, .. } = key;
        let (created_at, last_probe_at) = (key.created_at, key.last_probe_at);
        Self {
            id,
            store,
            name,
            passport,
            owner,
            weight,
            assigned,
            state,
            has_worked,
            last_error,
            created_at,
            last_probe_at,
        }
    }
}

/// A key that the store could not be asked about is asked about again after this long.
const ASK_AGAIN: Millis = 60_000;

impl Keys<'_> {
    /// Adds a key. Unless told otherwise the store is asked first, and a key it refuses is not added; when the store cannot
    /// be reached the key is added and asked about later.
    ///
    /// # Errors
    /// [`UseError::KeyRefused`], [`UseError::PoolFull`], [`UseError::NameTaken`], [`UseError::Invalid`].
    pub async fn add(&self, actor: &Actor, key: AddKey) -> Result<PoolKey, UseError> {
        self.core.check_master().await?;
        let name = plain("a key's name", &key.name, 64)?;
        let owner = key.owner.as_deref().map(|owner| plain("an owner", owner, 128)).transpose()?;
        if !(1..=1_000).contains(&key.weight) {
            return Err(UseError::Invalid("a key's weight is between 1 and 1000".to_owned()));
        }
        let secret = secret(&key.secret)?;
        let finding = self.ask(key.store, &secret, key.unchecked).await?;
        let now = self.core.clock.now();
        let id = KeyId::new(now, &self.core.chance)?;
        let sealed = self.core.vault.seal(&id, key.store, &secret, &self.core.chance)?;
        let mut tx = self.core.db.write().await?;
        tx.pool_lock_or_make(key.store).await?;
        let most = self.core.config.torbox_pool_size;
        if key.store == StoreCode::TorBox && most > 0 && tx.keys_at_store(key.store).await? >= most {
            return Err(UseError::PoolFull(most));
        }
        let (passport, weight, probe_due) = (key.passport, key.weight, Some(now.saturating_add(ASK_AGAIN)));
        let (state, has_worked) = (KeyState::Healthy, false);
        let store = key.store;
        let new =
            NewKey { id, store, name, sealed, passport, owner, weight, state, has_worked, probe_due, created_at: now };
        tx.key_insert(&new).await.map_err(|error| taken("key", &new.name, error))?;
        let mut stored = by_id(&mut tx, &new.id).await?;
        if let Some(finding) = &finding {
            apply(&mut stored, finding, now);
            tx.key_update(&stored).await?;
        }
        let detail = Some(format!("store={store} passport={}", passport.terms()));
        self.core.audit(&mut tx, actor, act("key.add", &stored, detail), now).await?;
        tx.commit().await?;
        Ok(stored.into())
    }

    /// Asks the store about a new secret. None when it was not asked.
    async fn ask(&self, store: StoreCode, secret: &Secret, unchecked: bool) -> Result<Option<Finding>, UseError> {
        if !self.core.stores.contains_key(&store) {
            return Err(UseError::Invalid(format!("{} is not offered here", store.name())));
        }
        if unchecked {
            return Ok(None);
        }
        match self.core.probe(store, secret).await {
            Finding::Refused(error) => Err(UseError::KeyRefused(error)),
            finding => Ok(Some(finding)),
        }
    }

    /// All keys, by store and name.
    ///
    /// # Errors
    /// [`UseError::Db`].
    pub async fn list(&self) -> Result<Vec<PoolKey>, UseError> {
        let mut tx = self.core.db.read().await?;
        Ok(tx.keys().await?.into_iter().map(PoolKey::from).collect())
    }

    /// The key with this id or name.
    ///
    /// # Errors
    /// [`UseError::NotFound`], [`UseError::Ambiguous`].
    pub async fn find(&self, id_or_name: &str) -> Result<PoolKey, UseError> {
        let mut tx = self.core.db.read().await?;
        find(&mut tx, id_or_name).await.map(PoolKey::from)
    }

    /// Asks the store about a key now, and returns it as it is then.
    ///
    /// # Errors
    /// [`UseError::NotFound`], [`UseError::Vault`].
    pub async fn check(&self, actor: &Actor, id_or_name: &str) -> Result<PoolKey, UseError> {
        let mut tx = self.core.db.read().await?;
        let key = find(&mut tx, id_or_name).await?;
        drop(tx);
        let checked = self.core.probe_and_store(&key, actor).await?;
        let now = self.core.clock.now();
        let mut tx = self.core.db.write().await?;
        self.core.audit(&mut tx, actor, act("key.check", &checked, Some(checked.state.to_string())), now).await?;
        tx.commit().await?;
        Ok(checked.into())
    }

    /// Lets a key have no new users; those it has move to others as they come.
    ///
    /// # Errors
    /// [`UseError::NotFound`].
    pub async fn drain(&self, actor: &Actor, id_or_name: &str) -> Result<PoolKey, UseError> {
        self.set_state(actor, id_or_name, "key.drain", KeyState::Draining, Consequence::Refresh).await
    }

    /// Takes a key out at once; films that run with it stop.
    ///
    /// # Errors
    /// [`UseError::NotFound`].
    pub async fn disable(&self, actor: &Actor, id_or_name: &str) -> Result<PoolKey, UseError> {
        self.set_state(actor, id_or_name, "key.disable", KeyState::Disabled, Consequence::Revoke).await
    }

    /// Puts a key back, whatever state it was in; the store is asked about it soon.
    ///
    /// # Errors
    /// [`UseError::NotFound`].
    pub async fn enable(&self, actor: &Actor, id_or_name: &str) -> Result<PoolKey, UseError> {
        self.set_state(actor, id_or_name, "key.enable", KeyState::Healthy, Consequence::Refresh).await
    }

    async fn set_state(
        &self,
        actor: &Actor,
        id_or_name: &str,
        word: &'static str,
        state: KeyState,
        consequence: Consequence,
    ) -> Result<PoolKey, UseError> {
        let now = self.core.clock.now();
        let mut tx = self.core.db.write().await?;
        let mut key = lock(&mut tx, id_or_name).await?;
        key.state = state;
        key.probe_due = (state == KeyState::Healthy).then_some(now);
        key.probe_failures = 0;
        tx.key_update(&key).await?;
        self.core.audit(&mut tx, actor, act(word, &key, None), now).await?;
        tx.publish(&Subject::Key(key.id.clone()), consequence, now).await?;
        tx.commit().await?;
        self.core.suspicion.notify_one();
        Ok(key.into())
    }

    /// Gives a key a new secret, which the store is asked about first as with [`Keys::add`]. Its users keep it. A draining
    /// or disabled key stays so.
    ///
    /// # Errors
    /// [`UseError::NotFound`], [`UseError::KeyRefused`].
    pub async fn rotate(
        &self,
        actor: &Actor,
        id_or_name: &str,
        new: &Secret,
        unchecked: bool,
    ) -> Result<PoolKey, UseError> {
        self.core.check_master().await?;
        let new = secret(new)?;
        let before = self.find(id_or_name).await?;
        let finding = self.ask(before.store, &new, unchecked).await?;
        let now = self.core.clock.now();
        let sealed = self.core.vault.seal(&before.id, before.store, &new, &self.core.chance)?;
        let mut tx = self.core.db.write().await?;
        let mut key = lock(&mut tx, before.id.as_str()).await?;
        tx.key_replace_sealed(&key.id, &sealed).await?;
        if !matches!(key.state, KeyState::Draining | KeyState::Disabled) {
            key.state = KeyState::Healthy;
        }
        (key.has_worked, key.last_error, key.probe_failures) = (false, None, 0);
        key.probe_due = Some(now.saturating_add(ASK_AGAIN));
        if let Some(finding) = &finding {
            apply(&mut key, finding, now);
        }
        tx.key_update(&key).await?;
        self.core.audit(&mut tx, actor, act("key.rotate", &key, None), now).await?;
        tx.publish(&Subject::Key(key.id.clone()), Consequence::Refresh, now).await?;
        tx.commit().await?;
        Ok(key.into())
    }

    /// Removes a key; films that run with it stop, and its users get others. Its usage stays, without its name.
    ///
    /// # Errors
    /// [`UseError::NotFound`].
    pub async fn remove(&self, actor: &Actor, id_or_name: &str) -> Result<PoolKey, UseError> {
        let now = self.core.clock.now();
        let mut tx = self.core.db.write().await?;
        let store = find(&mut tx, id_or_name).await?.store;
        tx.pools_lock(&[store]).await?;
        let key = lock(&mut tx, id_or_name).await?;
        tx.seats_clear(&key.id).await?;
        tx.key_delete(&key.id).await?;
        self.core
            .audit(&mut tx, actor, act("key.remove", &key, Some(format!("store={store} users={}", key.assigned))), now)
            .await?;
        tx.publish(&Subject::Key(key.id.clone()), Consequence::Revoke, now).await?;
        tx.commit().await?;
        Ok(key.into())
    }
}

impl Control {
    /// How many TorBox keys the pool may hold; 0 is unlimited.
    #[must_use]
    pub fn torbox_pool_size(&self) -> u32 {
        self.core.config.torbox_pool_size
    }
}

/// The secret without the line end a file or a terminal adds. Vendors' keys are one word of some length.
fn secret(text: &Secret) -> Result<Secret, UseError> {
    let word = text.expose().trim();
    if !(8..=512).contains(&word.len()) || !word.chars().all(|c| c.is_ascii_graphic()) {
        return Err(UseError::Invalid("a key is one word of 8 to 512 letters, digits and signs".to_owned()));
    }
    Ok(Secret::new(word))
}

fn act<'a>(act: &'static str, key: &'a Key, detail: Option<String>) -> Act<'a> {
    Act { act, kind: "key", id: key.id.to_string(), name: &key.name, detail }
}

async fn by_id(tx: &mut Tx, id: &KeyId) -> Result<Key, UseError> {
    let found = tx.keys_by_id(std::slice::from_ref(id)).await?.pop();
    found.ok_or_else(|| UseError::not_found("key", id))
}

async fn find(tx: &mut Tx, id_or_name: &str) -> Result<Key, UseError> {
    let id_or_name = id_or_name.trim();
    if let Ok(id) = id_or_name.parse::<KeyId>()
        && let Some(key) = tx.keys_by_id(&[id]).await?.pop()
    {
        return Ok(key);
    }
    let mut named = tx.keys_by_name(id_or_name).await?;
    match (named.pop(), named.pop()) {
        (Some(key), None) => Ok(key),
        (None, _) => Err(UseError::not_found("key", id_or_name)),
        (Some(_), Some(_)) => Err(UseError::Ambiguous(id_or_name.to_owned())),
    }
}

/// The same, locked: what is returned is true until the transaction ends.
async fn lock(tx: &mut Tx, id_or_name: &str) -> Result<Key, UseError> {
    let found = find(tx, id_or_name).await?;
    tx.keys_lock(&[found.id]).await?.pop().ok_or_else(|| UseError::not_found("key", id_or_name))
}
