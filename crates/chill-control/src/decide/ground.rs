//! What a group of decisions stands on: the rows read for it, kept up to date in memory while the group is decided.

use std::collections::{HashMap, HashSet};

use chill_core::clock::millis;
use chill_core::pool::{Candidate, Choice, Serving, choose};
use chill_core::{DeviceId, Epoch, KeyId, LeaseRequest, LinkId, Millis, StoreCode, UserId};
use chill_db::{Db, DbError, Device, DeviceState, Key, LinkedUser, Tx};

use crate::control::Core;

#[derive(Default)]
pub(super) struct Ground {
    pub(super) now: Millis,
    /// Read first: everything below is at least as new.
    pub(super) epoch: Epoch,
    pub(super) users: HashMap<LinkId, LinkedUser>,
    pub(super) devices: HashMap<(UserId, DeviceId), Device>,
    /// Active devices whose place may be given away: row ids.
    pub(super) away: HashMap<UserId, Vec<String>>,
    pub(super) seats: HashMap<(UserId, StoreCode), KeyId>,
    pub(super) keys: HashMap<KeyId, Key>,
    /// Stores all of whose keys were read.
    pub(super) pools: HashSet<StoreCode>,
}

impl Ground {
    /// Reads what the requests need, without locks. Keys without a place in question are read only where they are needed.
    pub(super) async fn read(core: &Core, db: &Db, asks: &[&LeaseRequest]) -> Result<Self, DbError> {
        let mut tx = db.read().await?;
        let mut ground = Self { now: core.clock.now(), ..Self::default() };
        ground.read_users(&mut tx, asks).await?;
        ground.read_devices(&mut tx, core, asks, false).await?;
        ground.read_seats(&mut tx).await?;
        let pools = ground.stores_in_question(asks);
        ground.read_pools(&mut tx, &pools).await?;
        tx.commit().await?;
        Ok(ground)
    }

    /// Locks the users, reads the same, and locks the pools in which someone needs a place. What was read is true until
    /// the transaction ends, but for states of keys: those are as new as the epoch.
    pub(super) async fn lock(core: &Core, tx: &mut Tx, asks: &[&LeaseRequest]) -> Result<Self, DbError> {
        let mut ground = Self { now: core.clock.now(), ..Self::default() };
        ground.read_users(tx, asks).await?;
        let locked = tx.users_lock(&ground.user_ids()).await?;
        for (id, status, max_devices, device_count) in locked {
            for user in ground.users.values_mut().filter(|user| user.id == id) {
                (user.status, user.max_devices, user.device_count) = (status, max_devices, device_count);
            }
        }
        ground.read_devices(tx, core, asks, true).await?;
        ground.read_seats(tx).await?;
        let mut pools = ground.stores_in_question(asks);
        if !pools.is_empty() {
            pools.sort_unstable();
            tx.pools_lock(&pools).await?;
            // A key may have been removed, with its places, while we waited for the pool.
            ground.seats.clear();
            ground.keys.clear();
            ground.read_seats(tx).await?;
            ground.read_pools(tx, &pools).await?;
        }
        Ok(ground)
    }

    async fn read_users(&mut self, tx: &mut Tx, asks: &[&LeaseRequest]) -> Result<(), DbError> {
        let links: HashSet<_> = asks.iter().map(|ask| ask.link).collect();
        let (epoch, users) = tx.askers(&links.into_iter().collect::<Vec<_>>()).await?;
        self.epoch = epoch;
        self.users = users.into_iter().map(|user| (user.link, user)).collect();
        Ok(())
    }

    fn user_ids(&self) -> Vec<UserId> {
        let ids: HashSet<_> = self.users.values().filter(|user| user.current).map(|user| user.id).collect();
        ids.into_iter().collect()
    }

    /// Reads the devices that ask, and which places could be freed for them where free ones may not do: with `together` the
    /// whole group may take places before the last of it is decided.
    async fn read_devices(
        &mut self,
        tx: &mut Tx,
        core: &Core,
        asks: &[&LeaseRequest],
        together: bool,
    ) -> Result<(), DbError> {
        let users = self.user_ids();
        if users.is_empty() {
            return Ok(());
        }
        let asker = |ask: &&LeaseRequest| self.users.get(&ask.link).filter(|user| user.current).map(|user| user.id);
        let wanted: HashSet<_> = asks.iter().filter_map(|ask| Some((asker(ask)?, &ask.device))).collect();
        let devices = tx.devices_wanted(&wanted.into_iter().collect::<Vec<_>>()).await?;
        self.devices = devices.into_iter().map(|device| ((device.user, device.device.clone()), device)).collect();
        let others = if together { u32::try_from(asks.len() - 1).unwrap_or(u32::MAX) } else { 0 };
        let crowded: HashSet<_> = asks.iter().filter_map(|ask| self.crowded(core, ask, others)).collect();
        if !crowded.is_empty() {
            let before = self.now.saturating_sub(millis(core.config.device_idle));
            for (row, user) in tx.devices_away(&crowded.into_iter().collect::<Vec<_>>(), before).await? {
                self.away.entry(user).or_default().push(row);
            }
        }
        Ok(())
    }

    /// The user who asks, when the device needs a place and none may be free once the others are decided.
    fn crowded(&self, core: &Core, ask: &LeaseRequest, others: u32) -> Option<UserId> {
        let user = self.users.get(&ask.link).filter(|user| user.current)?;
        let device = self.devices.get(&(user.id, ask.device.clone()));
        let placed = device.is_some_and(|device| device.state != DeviceState::Idle);
        (!placed && user.device_count.saturating_add(others) >= core.limit(user)).then_some(user.id)
    }

    async fn read_seats(&mut self, tx: &mut Tx) -> Result<(), DbError> {
        let users = self.user_ids();
        if users.is_empty() {
            return Ok(());
        }
        for (user, key) in tx.keys_of_users(&users).await? {
            self.seats.insert((user, key.store), key.id.clone());
            self.keys.insert(key.id.clone(), key);
        }
        Ok(())
    }

    /// Stores where someone cannot simply stay with the key he has.
    fn stores_in_question(&self, asks: &[&LeaseRequest]) -> Vec<StoreCode> {
        let in_question = |ask: &&&LeaseRequest| {
            let user = self.users.get(&ask.link).filter(|user| user.current);
            user.is_some_and(|user| !matches!(self.choice(user.id, ask), Choice::Stay(_)))
        };
        let stores: HashSet<_> = asks.iter().filter(in_question).map(|ask| ask.store).collect();
        stores.into_iter().collect()
    }

    async fn read_pools(&mut self, tx: &mut Tx, stores: &[StoreCode]) -> Result<(), DbError> {
        if stores.is_empty() {
            return Ok(());
        }
        let keys = tx.keys_of_stores(stores).await?;
        self.keys.extend(keys.into_iter().map(|key| (key.id.clone(), key)));
        self.pools.extend(stores);
        Ok(())
    }

    /// The pool's choice among the keys that were read. A key that drains counts as a place to stay only when the whole pool
    /// was read, for there may be a better one.
    pub(super) fn choice(&self, user: UserId, ask: &LeaseRequest) -> Choice {
        let whole = self.pools.contains(&ask.store);
        let current = self.seats.get(&(user, ask.store));
        let candidate = |key: &Key| Candidate {
            id: key.id.clone(),
            passport: key.passport,
            state: key.state,
            assigned: key.assigned,
            weight: key.weight,
        };
        let candidates: Vec<_> = if whole {
            self.keys.values().filter(|key| key.store == ask.store).map(candidate).collect()
        } else {
            current.and_then(|id| self.keys.get(id)).map(candidate).into_iter().collect()
        };
        let choice = choose(&candidates, current, &ask.exclude, self.now);
        let leaving = |id: &KeyId| self.keys.get(id).is_some_and(|key| key.state.serving(self.now) == Serving::Leaving);
        match choice {
            Choice::Stay(id) if !whole && leaving(&id) => Choice::Nothing,
            other => other,
        }
    }
}
