//! Pool keys, sealed.

use std::fmt;

use chill_core::pool::{KeyState, Passport, Terms};
use chill_core::{KeyId, Millis, StoreCode};

use crate::column::{count, parse};
use crate::engine::run;
use crate::list::json;
use crate::statement::statements;
use crate::user::name_key;
use crate::{DbError, Tx};

/// A key's sealed bytes and the version of the data key that sealed them. Its `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// What the vault made.
    pub blob: Vec<u8>,
    /// Which of the vault's versions made it, as hexadecimal text.
    pub by: String,
}

impl fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedKey(…)")
    }
}

/// A pool key as stored.
#[derive(Clone, Debug)]
pub struct Key {
    /// Which.
    pub id: KeyId,
    /// At which store.
    pub store: StoreCode,
    /// The operator's name for it.
    pub name: String,
    /// The key itself, sealed.
    pub sealed: SealedKey,
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
    /// What went wrong last, without secrets.
    pub last_error: Option<String>,
    /// Since when, milliseconds since the epoch.
    pub created_at: Millis,
    /// When the control plane asked the store about it last.
    pub last_probe_at: Option<Millis>,
    /// When it asks next; none is never.
    pub probe_due: Option<Millis>,
    /// How many probes in a row did not bring it back.
    pub probe_failures: u32,
}

/// A key to be stored.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Which.
    pub id: KeyId,
    /// At which store.
    pub store: StoreCode,
    /// Unique at its store without regard to case.
    pub name: String,
    /// The key itself, sealed.
    pub sealed: SealedKey,
    /// What it allows.
    pub passport: Passport,
    /// Whose account it is.
    pub owner: Option<String>,
    /// At least 1.
    pub weight: u32,
    /// How it is.
    pub state: KeyState,
    /// Whether a probe succeeded.
    pub has_worked: bool,
    /// When the control plane asks the store about it next.
    pub probe_due: Option<Millis>,
    /// Now.
    pub created_at: Millis,
}

/// All columns of a key; every query that reads keys names them in this order.
#[derive(sqlx::FromRow)]
struct Columns {
    id: String,
    store: String,
    name: String,
    sealed: Vec<u8>,
    sealed_by: String,
    terms: String,
    max_users: Option<i64>,
    max_streams: Option<i64>,
    owner: Option<String>,
    weight: i64,
    assigned: i64,
    state: String,
    state_until: Option<i64>,
    has_worked: bool,
    last_error: Option<String>,
    created_at: i64,
    last_probe_at: Option<i64>,
    probe_due: Option<i64>,
    probe_failures: i64,
}

statements! {
    INSERT_POOL = "INSERT INTO pools (store) VALUES ($1) ON CONFLICT (store) DO NOTHING";
    lock LOCK_POOLS = "SELECT store FROM pools WHERE store IN (SELECT value FROM json_each(CAST($1 AS TEXT))) \
        ORDER BY store";
    INSERT_KEY = "INSERT INTO keys (id, store, name, name_key, sealed, sealed_by, terms, max_users, max_streams, owner, \
        weight, assigned, state, state_until, has_worked, last_error, created_at, last_probe_at, probe_due, probe_failures) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $13, $14, NULL, $15, NULL, $16, 0)";
    KEYS = "SELECT id, store, name, sealed, sealed_by, terms, max_users, max_streams, owner, weight, assigned, state, \
        state_until, has_worked, last_error, created_at, last_probe_at, probe_due, probe_failures \
        FROM keys ORDER BY store, name_key";
    KEYS_LEAST_LOADED = "SELECT id, store, name, sealed, sealed_by, terms, max_users, max_streams, owner, weight, assigned, \
        state, state_until, has_worked, last_error, created_at, last_probe_at, probe_due, probe_failures FROM keys \
        WHERE store = $1 AND (max_users IS NULL OR assigned < max_users) AND state IN ('healthy', 'throttled', 'cooling') \
        AND (state = 'healthy' OR state_until <= $2) ORDER BY assigned * 1000000 / weight, id LIMIT $3";
    KEYS_FIRST_BACK = "SELECT id, store, name, sealed, sealed_by, terms, max_users, max_streams, owner, weight, assigned, \
        state, state_until, has_worked, last_error, created_at, last_probe_at, probe_due, probe_failures FROM keys \
        WHERE store = $1 AND (max_users IS NULL OR assigned < max_users) AND state IN ('throttled', 'cooling') \
        AND state_until > $2 ORDER BY state_until, id LIMIT $3";
    KEYS_BY_ID = "SELECT id, store, name, sealed, sealed_by, terms, max_users, max_streams, owner, weight, assigned, \
        state, state_until, has_worked, last_error, created_at, last_probe_at, probe_due, probe_failures \
        FROM keys WHERE id IN (SELECT value FROM json_each(CAST($1 AS TEXT))) ORDER BY id";
    lock LOCK_KEYS = "SELECT id, store, name, sealed, sealed_by, terms, max_users, max_streams, owner, weight, assigned, \
        state, state_until, has_worked, last_error, created_at, last_probe_at, probe_due, probe_failures \
        FROM keys WHERE id IN (SELECT value FROM json_each(CAST($1 AS TEXT))) ORDER BY id";
    KEYS_BY_NAME = "SELECT id, store, name, sealed, sealed_by, terms, max_users, max_streams, owner, weight, assigned, \
        state, state_until, has_worked, last_error, created_at, last_probe_at, probe_due, probe_failures \
        FROM keys WHERE name_key = $1 ORDER BY id LIMIT 2";
    KEYS_TO_PROBE = "SELECT id, store, name, sealed, sealed_by, terms, max_users, max_streams, owner, weight, assigned, \
        state, state_until, has_worked, last_error, created_at, last_probe_at, probe_due, probe_failures \
        FROM keys WHERE probe_due <= $1 ORDER BY probe_due, id LIMIT $2";
    KEYS_TO_RESEAL = "SELECT id, store, name, sealed, sealed_by, terms, max_users, max_streams, owner, weight, assigned, \
        state, state_until, has_worked, last_error, created_at, last_probe_at, probe_due, probe_failures \
        FROM keys WHERE sealed_by <> $1 AND id > $2 ORDER BY id LIMIT 16";
    SEALERS = "SELECT sealed_by, COUNT(*) FROM keys GROUP BY sealed_by";
    COUNT_AT_STORE = "SELECT COUNT(*) FROM keys WHERE store = $1";
    UPDATE_KEY = "UPDATE keys SET state = $2, state_until = $3, has_worked = $4, last_error = $5, last_probe_at = $6, \
        probe_due = $7, probe_failures = $8 WHERE id = $1";
    CLAIM_PROBE = "UPDATE keys SET probe_due = $3 WHERE id = $1 AND probe_due <= $2";
    REPLACE_SEALED = "UPDATE keys SET sealed = $2, sealed_by = $3 WHERE id = $1";
    RESEAL = "UPDATE keys SET sealed = $2, sealed_by = $3 WHERE id = $1 AND sealed = $4";
    ADD_ASSIGNED = "UPDATE keys SET assigned = keys.assigned + d.n FROM \
        (SELECT json_extract(value, '$[0]') AS id, CAST(json_extract(value, '$[1]') AS BIGINT) AS n \
        FROM json_each(CAST($1 AS TEXT))) AS d \
        WHERE keys.id = d.id AND (d.n <= 0 OR keys.max_users IS NULL OR keys.assigned + d.n <= keys.max_users)";
    DELETE_KEY = "DELETE FROM keys WHERE id = $1";
}

fn key(row: Columns) -> Result<Key, DbError> {
    let terms: Terms = parse("keys", &row.terms)?;
    let passport = Passport::new(terms, row.max_users.map(count), row.max_streams.map(count))
        .map_err(|_| DbError::corrupt("keys", "passport"))?;
    let state = KeyState::from_word(&row.state, row.state_until).ok_or(DbError::corrupt("keys", "state"))?;
    Ok(Key {
        id: parse("keys", &row.id)?,
        store: parse("keys", &row.store)?,
        name: row.name,
        sealed: SealedKey { blob: row.sealed, by: row.sealed_by },
        passport,
        owner: row.owner,
        weight: count(row.weight).max(1),
        assigned: count(row.assigned),
        state,
        has_worked: row.has_worked,
        last_error: row.last_error,
        created_at: row.created_at,
        last_probe_at: row.last_probe_at,
        probe_due: row.probe_due,
        probe_failures: count(row.probe_failures),
    })
}

fn keys(rows: Vec<Columns>) -> Result<Vec<Key>, DbError> {
    rows.into_iter().map(key).collect()
}

impl Tx {
    /// Makes sure a store has its pool row, and locks it: from then on this transaction alone assigns keys of the store.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn pool_lock_or_make(&mut self, store: StoreCode) -> Result<(), DbError> {
        run!(done self, INSERT_POOL, store.as_str())?;
        self.pools_lock(&[store]).await
    }

    /// Locks the pools of stores, in the order of their codes. A store without keys has none.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn pools_lock(&mut self, stores: &[StoreCode]) -> Result<(), DbError> {
        let codes: Vec<_> = stores.iter().map(|store| store.as_str()).collect();
        run!(all self, (String,), LOCK_POOLS, json(&codes)?).map(|_| ())
    }

    /// Stores a key. Its pool must be locked.
    ///
    /// # Errors
    /// [`DbError::Conflict`] when the name is taken at this store.
    pub async fn key_insert(&mut self, key: &NewKey) -> Result<(), DbError> {
        let passport = key.passport;
        let (max_users, max_streams) = (passport.max_users().map(i64::from), passport.max_streams().map(i64::from));
        let (store, terms, state) = (key.store.as_str(), passport.terms().as_str(), key.state.word());
        let (name, lower, owner) = (key.name.as_str(), name_key(&key.name), key.owner.as_deref());
        let (blob, by) = (key.sealed.blob.as_slice(), key.sealed.by.as_str());
        let (weight, until) = (i64::from(key.weight), key.state.until());
        run!(
            done self, INSERT_KEY, key.id.as_str(), store, name, &lower, blob, by, terms, max_users, max_streams, owner,
            weight, state, until, key.has_worked, key.created_at, key.probe_due,
        )
        .map(|_| ())
    }

    /// All keys, by store and name.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn keys(&mut self) -> Result<Vec<Key>, DbError> {
        keys(run!(all self, Columns, KEYS)?)
    }

    /// Keys of a store that serve now and have room: those with the fewest users for their weight, at most `limit`, the least
    /// loaded first. For weights up to 1,000 the order is exact.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn keys_least_loaded(&mut self, store: StoreCode, now: Millis, limit: u32) -> Result<Vec<Key>, DbError> {
        keys(run!(all self, Columns, KEYS_LEAST_LOADED, store.as_str(), now, i64::from(limit))?)
    }

    /// Keys of a store that rest and have room, at most `limit`, those first that are back first.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn keys_first_back(&mut self, store: StoreCode, now: Millis, limit: u32) -> Result<Vec<Key>, DbError> {
        keys(run!(all self, Columns, KEYS_FIRST_BACK, store.as_str(), now, i64::from(limit))?)
    }

    /// Keys by their ids; unknown ones are absent.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn keys_by_id(&mut self, ids: &[KeyId]) -> Result<Vec<Key>, DbError> {
        keys(run!(all self, Columns, KEYS_BY_ID, json(&ids)?)?)
    }

    /// Locks keys in the order of their ids and returns what is true of them from then on.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn keys_lock(&mut self, ids: &[KeyId]) -> Result<Vec<Key>, DbError> {
        keys(run!(all self, Columns, LOCK_KEYS, json(&ids)?)?)
    }

    /// Keys of this name without regard to case, at most two: a name is unique only at its store.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn keys_by_name(&mut self, name: &str) -> Result<Vec<Key>, DbError> {
        keys(run!(all self, Columns, KEYS_BY_NAME, name_key(name))?)
    }

    /// Keys whose probe is due, longest due first.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn keys_to_probe(&mut self, now: Millis, limit: u32) -> Result<Vec<Key>, DbError> {
        keys(run!(all self, Columns, KEYS_TO_PROBE, now, i64::from(limit))?)
    }

    /// Takes a due probe for oneself: true for one asker alone. Should it die, the probe is due again at `until`.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn key_claim_probe(&mut self, id: &KeyId, now: Millis, until: Millis) -> Result<bool, DbError> {
        run!(done self, CLAIM_PROBE, id.as_str(), now, until).map(|rows| rows == 1)
    }

    /// Up to sixteen keys after `after` that another version than `by` sealed, by id.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn keys_to_reseal(&mut self, by: &str, after: Option<&KeyId>) -> Result<Vec<Key>, DbError> {
        keys(run!(all self, Columns, KEYS_TO_RESEAL, by, after.map_or("", KeyId::as_str))?)
    }

    /// Which versions sealed how many keys.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn keys_by_sealer(&mut self) -> Result<Vec<(String, u32)>, DbError> {
        let rows = run!(all self, (String, i64), SEALERS)?;
        Ok(rows.into_iter().map(|(by, n)| (by, count(n))).collect())
    }

    /// How many keys a store has.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn keys_at_store(&mut self, store: StoreCode) -> Result<u32, DbError> {
        run!(one self, (i64,), COUNT_AT_STORE, store.as_str()).map(|(n,)| count(n))
    }

    /// Stores how a key is: state, whether it has worked, last error, probes. The key must be locked.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn key_update(&mut self, key: &Key) -> Result<(), DbError> {
        let (id, state, until) = (key.id.as_str(), key.state.word(), key.state.until());
        let (error, failures) = (key.last_error.as_deref(), i64::from(key.probe_failures));
        run!(
            done self, UPDATE_KEY, id, state, until, key.has_worked, error, key.last_probe_at, key.probe_due, failures,
        )
        .map(|_| ())
    }

    /// Gives a key a new secret.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn key_replace_sealed(&mut self, id: &KeyId, sealed: &SealedKey) -> Result<(), DbError> {
        run!(done self, REPLACE_SEALED, id.as_str(), sealed.blob.as_slice(), sealed.by.as_str()).map(|_| ())
    }

    /// Replaces a seal, unless the key got a new secret meanwhile; true when it did replace.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn key_reseal(&mut self, id: &KeyId, old: &SealedKey, new: &SealedKey) -> Result<bool, DbError> {
        let (blob, by) = (new.blob.as_slice(), new.by.as_str());
        run!(done self, RESEAL, id.as_str(), blob, by, old.blob.as_slice()).map(|rows| rows == 1)
    }

    /// Changes how many users keys have, by so many each, but never beyond a passport. The pools and keys must be locked.
    ///
    /// # Errors
    /// [`DbError`]; [`DbError::Other`] when a passport stood in the way, and then the transaction must be dropped.
    pub async fn keys_add_assigned(&mut self, changes: &[(KeyId, i64)]) -> Result<(), DbError> {
        let changed = run!(done self, ADD_ASSIGNED, json(&changes)?)?;
        if changed == changes.len() as u64 {
            Ok(())
        } else {
            Err(DbError::Other("a key would have served more users than its passport allows".to_owned()))
        }
    }

    /// Removes a key. It must have no assignments any more.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn key_delete(&mut self, id: &KeyId) -> Result<(), DbError> {
        run!(done self, DELETE_KEY, id.as_str()).map(|_| ())
    }
}
